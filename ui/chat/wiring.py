"""The chat pane's listeners, by what a person does."""

import json
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import gradio as gr

from ingestion.errors import RagError
from ui.background import Job
from ui.chat.conversations import connect_title, heading, heading_of
from ui.chat.evidence import EvidencePane
from ui.chat.pane import ChatPane
from ui.chat.talk import Chat, How, Turns
from ui.choices import collection_choices, document_choices, render_help, strategy_choices
from ui.components.conversation import Turn, messages
from ui.components.document_list import render_error
from ui.components.text import escape

# Questions answered at the same time, over all sessions; the encoder and an LLM have one lock each.
_AT_ONCE = 4

Shown = tuple[Any, ...]


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

        def forget_edit(question: str) -> Any:
            # Whoever types over a selected text leaves its first letter, and never an empty box.
            return False if len(question.strip()) < 2 else gr.skip()

        pane.question.change(forget_edit, [pane.question], [self.as_is], **_QUICK)

    def act(self) -> None:
        """What an answer offers: asking again, editing how it was understood, saying whether it is good."""
        pane = self.pane

        def again(
            event: gr.EventData, turns: Turns, job: Job | None, current: str | None, *how: Any
        ) -> Shown:
            question, as_is = asked_again(_acted_on(turns, event))
            return self._begun(question, turns, job, current, How(*how), as_is=as_is)

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
        shown += [self.as_is]
        beside = [pane.selectors.strategy, pane.selectors.collection]

        def show(
            conversation: str | None,
            job: Job | None,
            strategy: str | None,
            collection: str | None,
            notices: Sequence[str] = (),
        ) -> Shown:
            if job is not None:
                job.abandon()
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
                _address(conversation, strategy, collection), *heading(chat.kept, conversation), False,
            )  # fmt: skip

        def begin_anew(job: Job | None, strategy: str, collection: str) -> Shown:
            return show(None, job, strategy, collection)

        def choose(
            current: str | None, job: Job | None, strategy: str, collection: str, event: gr.EventData
        ) -> Shown:
            chosen = str(event._data.get("id"))
            if chosen == current and job is not None and job.running:
                return tuple(gr.skip() for _ in shown)  # it is shown, and its answer is being written
            return show(chosen, job, strategy, collection)

        def delete(current: str | None, job: Job | None, strategy: str, collection: str) -> Shown:
            if current is not None:
                try:
                    chat.assistant.conversations.delete(current)
                except RagError as error:
                    raise gr.Error(str(error), title="Not deleted", print_exception=False) from error
            return show(None, job, strategy, collection)

        def restore(request: gr.Request) -> Shown:
            asked = dict(request.query_params)
            offered = strategy_choices(chat.assistant.strategies())
            strategies = [name for _, name in offered]
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
                gr.Radio(choices=offered, **chosen["strategy"]),  # since the server began there may be more
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
        pane.conversations.listing.select(choose, [self.current, self.job, *beside], shown, **_QUICK)
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
            yield from shown_answer(chat, turns, job)

        def settle(current: str | None, job: Job | None) -> Shown:
            # Another question may be asked already in another conversation: its Stop stays.
            running = job is not None and job.running
            return (
                gr.Button(visible=not running), gr.Button(visible=running), chat.kept.listed(current),
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
        ).then(settle, [self.current, self.job], settled, **_QUICK)


def shown_answer(chat: Chat, turns: Turns, job: Job) -> Generator[Shown]:
    """Yield the turns, the conversation and the sources as the last question is answered.

    Once the job is abandoned the page shows another conversation, and nothing of this one is yielded.
    """
    before: object = None
    with closing(chat.answer(turns, job)) as states:
        for state in states:
            turn = state[-1]
            seen = (turn.found, turn.answer, turn.error, turn.stopped)
            sources = gr.skip() if seen == before else chat.desk.sources(turn)
            before = seen
            shown = messages(state)
            if not job.abandoned:
                yield state, shown, sources
    # Gradio sends the last output again when the generator ends, and by then another may be shown.
    yield gr.skip(), gr.skip(), gr.skip()


def asked_again(turn: Turn) -> tuple[str, bool]:
    """Return what to ask for a turn to be asked again, and whether it says all.

    A follow-up that failed or was stopped before it was understood has yet to be.
    """
    understood = turn.understood or turn.options.standalone
    return understood or turn.question, bool(understood or turn.found)


def _acted_on(turns: Turns, event: gr.EventData) -> Turn:
    number = str(event._data.get("turn"))
    for turn in turns:
        if str(turn.number) == number:
            return turn
    raise gr.Error("This answer is not there any more.", print_exception=False)


def _address(current: str | None, strategy: str | None, collection: str | None) -> str:
    """Return what the page's address says, as static/address.js takes it."""
    return escape(json.dumps({"conversation": current, "strategy": strategy, "collection": collection}))
