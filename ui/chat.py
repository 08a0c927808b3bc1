"""The chat: a question, how to ask it, and the conversation."""

import json
import traceback
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr

from ingestion.errors import RagError
from ingestion.filters import Filters
from rag_app.answers import Answer, AnswerEvent, AskOptions, Condensed, Delta, Found, Packed, Waiting
from rag_app.assistant import Assistant
from ui.background import Job, Workers
from ui.choices import (
    NO_RERANKER,
    check_offered,
    collection_choices,
    document_choices,
    llm_choices,
    render_help,
    reranker_choices,
    strategy_choices,
)
from ui.components.conversation import Turn, messages
from ui.components.document_list import render_error
from ui.components.text import escape
from ui.conversations import ConversationsPane, Kept, build_title, connect_title, heading, heading_of
from ui.evidence import Desk, EvidencePane
from ui.static import read_static

# Questions answered at the same time, over all sessions; the encoder and an LLM have one lock each.
_AT_ONCE = 4
INTERNAL_ERROR = "Something in the application is broken; the terminal that runs it has the details."

Turns = tuple[Turn, ...]
Shown = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class How:
    """What the selectors beside the question say, in their order."""

    strategy: str | None = None
    reranker: str | None = None
    llm: str | None = None
    collection: str | None = None
    only: Sequence[str] | None = None
    search_only: bool = False


class Chat:
    """What happens to the conversation. One object serves all sessions; each keeps its own `Turns`."""

    def __init__(self, assistant: Assistant, workers: Workers) -> None:
        self.assistant = assistant
        self.workers = workers
        self.kept = Kept(assistant)
        self.desk = Desk(assistant)

    def options(self, how: How) -> AskOptions:
        """Return the options that the selectors say."""
        options = self.assistant.options()
        chosen = (how.reranker or "").strip()
        return replace(
            options,
            strategy=how.strategy or options.strategy,
            reranker=None if chosen in ("", NO_RERANKER) else chosen,
            llm=(how.llm or "").strip() or options.llm,
            collections=(how.collection,) if how.collection else options.collections,
            filters=Filters(documents=tuple(how.only or ())),
        )

    def begin(
        self,
        question: str,
        turns: Turns,
        job: Job | None,
        current: str | None,
        how: How,
        *,
        as_is: bool = False,
    ) -> tuple[Turns, Job, str | None]:
        """Return the conversation with the question in it, the job that will answer it, and the
        conversation's id.

        `as_is`: the question says all; it is no follow-up. A search alone is kept in no conversation.
        """
        if job is not None and job.running:
            raise gr.Error("Wait for the answer, or stop it.", title="Still answering", print_exception=False)
        text = question.strip()
        options = replace(self.options(how), standalone=text if as_is else None)
        if not how.search_only:
            try:
                current = self.kept.begun(current)
            except RagError as error:
                raise gr.Error(str(error), title="Not asked", print_exception=False) from error
            options = replace(options, conversation=current)
        turn = Turn(len(turns) + 1, text, options, search_only=how.search_only)
        return (*turns, turn), Job(), current

    def answer(self, turns: Turns, job: Job) -> Generator[Turns]:
        """Yield the conversation as its last question is answered; stopping the job stops the model."""
        *before, turn = turns

        def work(put: Callable[[AnswerEvent], None]) -> None:
            check_offered(self.assistant, llm=turn.options.llm, reranker=turn.options.reranker)
            if turn.search_only:
                result = self.assistant.search(turn.question, turn.options)
                put(Found(result, Packed((), 0.0)))
                return
            with closing(self.assistant.stream(turn.question, turn.options)) as events:
                for event in events:
                    put(event)
                    if job.stopped:
                        return

        try:
            with closing(self.workers.run(job, work)) as batches:
                for batch in batches:
                    turn = follow(turn, batch)
                    yield (*before, turn)
        except RagError as error:
            yield (*before, replace(turn, error=str(error)))
        except Exception:
            traceback.print_exc()
            yield (*before, replace(turn, error=INTERNAL_ERROR))
            raise
        else:
            if turn.pending:
                yield (*before, replace(turn, stopped=True))
        finally:
            job.end()


def follow(turn: Turn, events: Sequence[AnswerEvent]) -> Turn:
    """Return the turn after these events."""
    for event in events:
        match event:
            case Condensed():
                turn = replace(turn, understood=event.question)
            case Waiting():
                turn = replace(turn, waiting=event)
            case Found():
                turn = replace(turn, found=event)
            case Delta():
                turn = replace(turn, text=turn.text + event.text)
            case Answer():
                turn = replace(turn, answer=event)
    return turn


@dataclass(frozen=True, slots=True)
class Selectors:
    """How the next question is asked."""

    strategy: gr.Radio
    reranker: gr.Dropdown
    llm: gr.Dropdown
    collection: gr.Dropdown
    only: gr.Dropdown
    search_only: gr.Checkbox
    about: gr.HTML

    @property
    def how(self) -> list[Any]:
        """The components in the order of `How`."""
        return [self.strategy, self.reranker, self.llm, self.collection, self.only, self.search_only]


@dataclass(frozen=True, slots=True)
class ChatPane:
    """The components that other panes and later pages connect to."""

    conversations: ConversationsPane
    chatbot: gr.Chatbot
    question: gr.Textbox
    send: gr.Button
    stop: gr.Button
    selectors: Selectors
    notice: gr.HTML
    actions: gr.HTML
    address: gr.HTML


def build_chat(assistant: Assistant, listing: gr.HTML) -> ChatPane:
    """Lay out the chat pane."""
    conversations = build_title(listing)
    notice = gr.HTML("", elem_id="notice")
    chatbot = gr.Chatbot(
        label="Conversation",
        show_label=False,
        elem_id="conversation",
        height="100%",
        layout="bubble",
        # Contents are our own escaped HTML: no Markdown, no LaTeX, and still sanitised by Gradio.
        render_markdown=False,
        sanitize_html=True,
        allow_tags=False,
        latex_delimiters=[],
        buttons=[],
        feedback_options=None,
        allow_file_downloads=False,
        placeholder=(
            "<h2>Ask your documents</h2><p>Add some under Documents, then ask. Each answer shows where in "
            "them it was found, and which strategy found it.</p>"
        ),
    )
    with gr.Row(elem_id="ask", equal_height=True):
        question = gr.Textbox(
            label="Question",
            show_label=False,
            container=False,
            placeholder="Ask a question",
            elem_id="question",
            autofocus=True,
            lines=1,
            max_lines=6,
            scale=8,
            html_attributes=gr.InputHTMLAttributes(autocomplete="off"),
        )
        send = gr.Button("Ask", variant="primary", elem_id="send", scale=1, min_width=80)
        stop = gr.Button("Stop", variant="stop", elem_id="stop", scale=1, min_width=80, visible=False)
    with gr.Column(elem_id="how"):
        selectors = _build_how(assistant)
    # Nothing to see: what they say goes between the page and its scripts.
    actions = gr.HTML("", elem_id="actions", elem_classes="unseen", js_on_load=read_static("actions.js"))
    address = gr.HTML("{}", elem_id="address", elem_classes="unseen", js_on_load=read_static("address.js"))
    return ChatPane(conversations, chatbot, question, send, stop, selectors, notice, actions, address)


def _build_how(assistant: Assistant) -> Selectors:
    """Lay out the selectors."""
    options, strategies = assistant.options(), assistant.strategies()
    strategy = gr.Radio(
        strategy_choices(strategies),
        value=options.strategy,
        label="Strategy",
        elem_id="strategy",
    )
    with gr.Row(elem_id="models"):
        reranker = gr.Dropdown(
            reranker_choices(assistant),
            value=options.reranker or NO_RERANKER,
            label="Reranker",
            allow_custom_value=True,
            elem_id="reranker",
            elem_classes="selector",
            min_width=140,
        )
        llm = gr.Dropdown(
            llm_choices(assistant),
            value=options.llm,
            label="LLM",
            allow_custom_value=True,
            elem_id="llm",
            elem_classes="selector",
            min_width=140,
        )
    with gr.Row(elem_id="where"):
        collection = gr.Dropdown(
            collection_choices(assistant),
            value=assistant.settings.collection,
            label="Collection",
            elem_id="collection",
            elem_classes="selector",
            min_width=140,
        )
        only = gr.Dropdown(
            document_choices(assistant, assistant.settings.collection),
            value=[],
            multiselect=True,
            label="Only in",
            elem_id="only",
            elem_classes="selector",
            min_width=140,
        )
        search_only = gr.Checkbox(
            False, label="Search only", elem_id="search-only", container=False, min_width=100
        )
    about = gr.HTML(render_help(assistant, options.strategy), elem_id="help")
    return Selectors(strategy, reranker, llm, collection, only, search_only, about)


def connect_chat(chat: Chat, pane: ChatPane, evidence: EvidencePane, page: gr.Blocks) -> gr.State:
    """Wire the chat pane: Enter and Ask begin, Stop stops, a click on an old answer shows its sources.

    Returns the state that holds the session's turns.
    """
    turns: gr.State = gr.State(())
    job: gr.State = gr.State(None)
    current: gr.State = gr.State(None)  # the conversation's id
    as_is: gr.State = gr.State(False)  # the question in the box was edited and says all
    wiring = _Wiring(chat, pane, evidence, turns, job, current, as_is)
    wiring.ask()
    wiring.act()
    wiring.look()
    wiring.switch(page)
    connect_title(chat.kept, pane.conversations, current)
    return turns


_QUICK: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden", "queue": False}


@dataclass(frozen=True, slots=True)
class _Wiring:
    """The listeners of the chat, by what a person does."""

    chat: Chat
    pane: ChatPane
    evidence: EvidencePane
    turns: gr.State
    job: gr.State
    current: gr.State
    as_is: gr.State

    def ask(self) -> None:
        """Enter and Ask begin, Stop stops."""
        pane = self.pane

        def begin(
            question: str, as_is: bool, turns: Turns, job: Job | None, current: str | None, *how: Any
        ) -> Shown:
            return self._begun(question, turns, job, current, How(*how), as_is=as_is)

        def stop(job: Job | None) -> None:
            if job is not None:
                job.stop()

        begun = gr.on(
            [pane.question.submit, pane.send.click],
            begin,
            [pane.question, self.as_is, self.turns, self.job, self.current, *pane.selectors.how],
            self._begins,
            **_QUICK,
        )
        self._answered(begun)
        pane.stop.click(stop, [self.job], **_QUICK)

    def act(self) -> None:
        """What an answer offers: asking again, editing how it was understood, saying whether it is good."""
        pane = self.pane

        def again(
            event: gr.EventData, turns: Turns, job: Job | None, current: str | None, *how: Any
        ) -> Shown:
            turn = _acted_on(turns, event)
            question = turn.understood or turn.question
            return self._begun(question, turns, job, current, How(*how), as_is=True)

        def edit(turns: Turns, event: gr.EventData) -> tuple[str, bool]:
            turn = _acted_on(turns, event)
            return turn.understood or turn.question, True

        def judge(turns: Turns, event: gr.EventData) -> Shown:
            turn = _acted_on(turns, event)
            try:
                judged = self.chat.desk.judge_answer(turn, 1 if event._data.get("action") == "good" else 0)
            except RagError as error:
                raise gr.Error(str(error), title="Not kept", print_exception=False) from error
            changed = tuple(judged if one.number == judged.number else one for one in turns)
            return changed, messages(changed), self.chat.desk.sources(judged)

        self._answered(
            pane.actions.retry(
                again, [self.turns, self.job, self.current, *pane.selectors.how], self._begins, **_QUICK
            )
        )
        pane.actions.edit(edit, [self.turns], [pane.question, self.as_is], **_QUICK).then(
            None, js="() => document.querySelector('#question textarea')?.focus()", **_QUICK
        )
        pane.actions.like(judge, [self.turns], [self.turns, pane.chatbot, self.evidence.sources], **_QUICK)

    def look(self) -> None:
        """A click on an old answer shows its sources; the selectors say what they do."""
        pane, chat = self.pane, self.chat

        def select(turns: Turns, event: gr.SelectData) -> str:
            index = event.index if isinstance(event.index, int) else event.index[0]
            turn = turns[index // 2] if index // 2 < len(turns) else None
            return chat.desk.sources(turn)

        def describe(strategy: str, current: str | None, collection: str | None) -> tuple[str, str]:
            return render_help(chat.assistant, strategy), _address(current, strategy, collection)

        def narrow(strategy: str, current: str | None, collection: str | None) -> tuple[gr.Dropdown, str]:
            choices = document_choices(chat.assistant, collection)
            return gr.Dropdown(choices=choices, value=[]), _address(current, strategy, collection)

        def refresh(collection: str | None) -> tuple[gr.Dropdown, gr.Dropdown]:
            return (
                gr.Dropdown(choices=collection_choices(chat.assistant)),
                gr.Dropdown(choices=document_choices(chat.assistant, collection)),
            )

        named = [pane.selectors.strategy, self.current, pane.selectors.collection]
        pane.chatbot.select(select, [self.turns], [self.evidence.sources], **_QUICK)
        pane.selectors.strategy.change(describe, named, [pane.selectors.about, pane.address], **_QUICK)
        pane.selectors.collection.input(narrow, named, [pane.selectors.only, pane.address], **_QUICK)
        gr.on(
            [pane.selectors.only.focus, pane.selectors.collection.focus],
            refresh,
            [pane.selectors.collection],
            [pane.selectors.collection, pane.selectors.only],
            **_QUICK,
        )

    def switch(self, page: gr.Blocks) -> None:
        """Another conversation: a new one, a kept one, or the one that the page's address names."""
        pane, chat = self.pane, self.chat
        shown = [self.turns, pane.chatbot, self.evidence.sources, self.evidence.viewer, self.current]
        shown += [pane.notice, pane.conversations.listing, pane.address, *heading_of(pane.conversations)]
        beside = [pane.selectors.strategy, pane.selectors.collection]

        def show(
            conversation: str | None,
            job: Job | None,
            strategy: str | None,
            collection: str | None,
            notices: Sequence[str] = (),
        ) -> Shown:
            if job is not None:
                job.stop()
            turns: Turns = ()
            if conversation is not None:
                try:
                    turns = chat.kept.turns(conversation)
                except RagError as error:
                    notices = (*notices, f"The conversation was not opened: {error}")
                    conversation = None
            last = turns[-1] if turns else None
            return (
                turns, messages(turns), chat.desk.sources(last), "", conversation,
                "".join(map(render_error, notices)), chat.kept.listed(conversation),
                _address(conversation, strategy, collection), *heading(chat.kept, conversation),
            )  # fmt: skip

        def begin_anew(job: Job | None, strategy: str, collection: str) -> Shown:
            return show(None, job, strategy, collection)

        def choose(job: Job | None, strategy: str, collection: str, event: gr.EventData) -> Shown:
            return show(str(event._data.get("id")), job, strategy, collection)

        def delete(current: str | None, job: Job | None, strategy: str, collection: str) -> Shown:
            if current is not None:
                try:
                    chat.assistant.conversations.delete(current)
                except RagError as error:
                    raise gr.Error(str(error), title="Not deleted", print_exception=False) from error
            return show(None, job, strategy, collection)

        def restore(request: gr.Request) -> Shown:
            asked = dict(request.query_params)
            strategies = [name for _, name in strategy_choices(chat.assistant.strategies())]
            collections = [name for _, name in collection_choices(chat.assistant)]
            usual = {
                "strategy": (strategies, chat.assistant.options().strategy),
                "collection": (collections, chat.assistant.settings.collection),
            }
            found = {
                name: asked[name] if asked.get(name) in choices else default
                for name, (choices, default) in usual.items()
            }
            strategy, collection = found["strategy"], found["collection"]
            unknown = [
                f"There is no {name} {asked[name]!r} here; {default} is chosen."
                for name, (choices, default) in usual.items()
                if name in asked and asked[name] not in choices
            ]
            restored = show(asked.get("conversation"), None, strategy, collection, unknown)
            if "conversation" not in asked:  # whoever is quick has asked already: that stays
                kept = [*(gr.skip() for _ in range(5)), *restored[5:7], gr.skip()]
                restored = (*kept, *(gr.skip() for _ in restored[8:]))
            chosen: dict[str, dict[str, Any]] = {
                name: {"value": value} if name in asked else {} for name, value in found.items()
            }
            return (
                *restored,
                gr.Radio(**chosen["strategy"]),
                gr.Dropdown(choices=collection_choices(chat.assistant), **chosen["collection"]),
                gr.Dropdown(choices=document_choices(chat.assistant, collection)),
            )

        selectors = [pane.selectors.strategy, pane.selectors.collection, pane.selectors.only]
        page.load(restore, None, [*shown, *selectors], **_QUICK)
        gr.on(
            [pane.conversations.new.click, pane.chatbot.clear],
            begin_anew,
            [self.job, *beside],
            shown,
            **_QUICK,
        )
        pane.conversations.listing.select(choose, [self.job, *beside], shown, **_QUICK)
        pane.conversations.confirm.click(delete, [self.current, self.job, *beside], shown, **_QUICK)

    @property
    def _begins(self) -> list[Any]:
        """What changes when a question begins."""
        pane = self.pane
        return [
            self.turns, pane.chatbot, self.evidence.sources, self.evidence.viewer, self.job, self.current,
            self.as_is, pane.question, pane.send, pane.stop, pane.address,
        ]  # fmt: skip

    def _begun(
        self, question: str, turns: Turns, job: Job | None, current: str | None, how: How, *, as_is: bool
    ) -> Shown:
        chat = self.chat
        asked, started, conversation = chat.begin(question, turns, job, current, how, as_is=as_is)
        address = _address(conversation, how.strategy, how.collection)
        buttons = gr.Button(visible=False), gr.Button(visible=True)
        return (
            asked, messages(asked), chat.desk.sources(asked[-1]), "", started, conversation, False, "",
            *buttons, address,
        )  # fmt: skip

    def _answered(self, begun: Any) -> None:
        """What follows a question's beginning: its answer, then what that changes."""
        pane, chat = self.pane, self.chat

        def answer(turns: Turns, job: Job) -> Generator[Shown]:
            before: object = None
            for state in chat.answer(turns, job):
                turn = state[-1]
                seen = (turn.found, turn.answer, turn.error)
                sources = gr.skip() if seen == before else chat.desk.sources(turn)
                before = seen
                yield state, messages(state), sources

        def settle(current: str | None) -> Shown:
            return (
                gr.Button(visible=True), gr.Button(visible=False), chat.kept.listed(current),
                *heading(chat.kept, current),
            )  # fmt: skip

        settled = [pane.send, pane.stop, pane.conversations.listing, *heading_of(pane.conversations)]
        begun.success(
            answer,
            [self.turns, self.job],
            [self.turns, pane.chatbot, self.evidence.sources],
            api_visibility="private",
            show_progress="hidden",
            concurrency_id="ask",
            concurrency_limit=_AT_ONCE,
        ).then(settle, [self.current], settled, **_QUICK)


def _acted_on(turns: Turns, event: gr.EventData) -> Turn:
    number = str(event._data.get("turn"))
    for turn in turns:
        if str(turn.number) == number:
            return turn
    raise gr.Error("This answer is not there any more.", print_exception=False)


def _address(current: str | None, strategy: str | None, collection: str | None) -> str:
    """Return what the page's address says, as static/address.js takes it."""
    return escape(json.dumps({"conversation": current, "strategy": strategy, "collection": collection}))
