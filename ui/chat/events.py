"""The events of the conversation and of the selectors below it, by the person's actions."""

import json
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import gradio as gr

from ingestion.errors import RagError
from ui.background import BackgroundJob
from ui.chat.controller import ChatController, QueryOptions
from ui.chat.layout import ChatLayout
from ui.chat.pane_events import connect_evidence, connect_title, heading
from ui.components.choices import collection_choices, document_choices, render_help, strategy_choices
from ui.components.conversation import ChatTurn, Turns, messages, turn_of
from ui.components.events import QUICK, failure_named
from ui.components.text import escape, render_error

# Questions answered at the same time, over all sessions; the encoder and an LLM have a lock each.
_AT_ONCE = 4

Update = tuple[Any, ...]


def connect_chat(chat: ChatController, page: ChatLayout, blocks: gr.Blocks) -> None:
    """Wire the conversation, its title and its evidence."""
    turns: gr.State = gr.State(())
    job: gr.State = gr.State(None)
    current: gr.State = gr.State(None)  # the conversation's id
    as_is: gr.State = gr.State(False)  # the question in the box was edited and can be understood alone
    events = _ChatEvents(chat, page, turns, job, current, as_is)
    events.ask()
    events.act()
    events.look()
    events.switch(blocks)
    connect_title(chat.conversations, page, current)
    connect_evidence(chat.evidence, page, turns)


@dataclass(frozen=True, slots=True)
class _ChatEvents:
    """Connects the events; the states are those of a session."""

    chat: ChatController
    page: ChatLayout
    turns: gr.State
    job: gr.State
    current: gr.State
    as_is: gr.State

    def ask(self) -> None:
        """Connect Enter, Ask and Stop."""
        page = self.page

        def begin(
            question: str,
            as_is: bool,
            turns: Turns,
            job: BackgroundJob | None,
            current: str | None,
            *chosen: Any,
        ) -> Update:
            return self._begun(question, turns, job, current, QueryOptions(*chosen), as_is=as_is)

        def stop(job: BackgroundJob | None) -> None:
            if job is not None:
                job.stop()

        def forget_edit(question: str) -> Any:
            # Typing over a selected text leaves its first letter, never an empty box.
            return False if len(question.strip()) < 2 else gr.skip()

        begun = gr.on(
            [page.question.submit, page.send.click],
            begin,
            [page.question, self.as_is, self.turns, self.job, self.current, *page.selectors.all],
            self._begin_outputs,
            **QUICK,
        )
        self._answered(begun)
        page.stop.click(stop, [self.job], **QUICK)
        page.question.change(forget_edit, [page.question], [self.as_is], **QUICK)

    def act(self) -> None:
        """Connect the actions of an answer: ask again, edit how it was understood, judge it."""
        page = self.page

        def again(
            event: gr.EventData, turns: Turns, job: BackgroundJob | None, current: str | None, *chosen: Any
        ) -> Update:
            question, as_is = asked_again(_acted_on(turns, event))
            return self._begun(question, turns, job, current, QueryOptions(*chosen), as_is=as_is)

        def edit(turns: Turns, event: gr.EventData) -> tuple[str, bool]:
            turn = _acted_on(turns, event)
            return turn.understood or turn.question, True

        def judge(turns: Turns, event: gr.EventData) -> Update:
            turn = _acted_on(turns, event)
            with failure_named("Not kept"):
                grade = 1 if event._data.get("action") == "good" else 0
                judged = self.chat.evidence.judge_answer(turn, grade)
            changed = tuple(judged if one.number == judged.number else one for one in turns)
            return changed, messages(changed), self.chat.evidence.sources(judged)

        asked = [self.turns, self.job, self.current, *page.selectors.all]
        self._answered(page.actions.retry(again, asked, self._begin_outputs, **QUICK))
        page.actions.edit(edit, [self.turns], [page.question, self.as_is], **QUICK).then(
            None, js="() => document.querySelector('#question textarea')?.focus()", **QUICK
        )
        page.actions.like(judge, [self.turns], [self.turns, page.chatbot, page.sources], **QUICK)

    def look(self) -> None:
        """Connect a click on an answer, which shows its sources, and the selectors."""
        page, chat, selectors = self.page, self.chat, self.page.selectors

        def select(turns: Turns, event: gr.SelectData) -> str:
            index = event.index if isinstance(event.index, int) else event.index[0]
            turn = turns[index // 2] if index // 2 < len(turns) else None
            return chat.evidence.sources(turn)

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

        named = [selectors.strategy, self.current, selectors.collection]
        page.chatbot.select(select, [self.turns], [page.sources], **QUICK)
        selectors.strategy.change(describe, named, [selectors.about, page.address], **QUICK)
        selectors.collection.input(narrow, named, [selectors.only, page.address], **QUICK)
        gr.on(
            [selectors.only.focus, selectors.collection.focus],
            refresh,
            [selectors.collection],
            [selectors.collection, selectors.only],
            **QUICK,
        )

    def switch(self, blocks: gr.Blocks) -> None:
        """Connect the change to another conversation: new, kept, or named by the page's address."""
        page, chat = self.page, self.chat
        shown: list[Any] = [self.turns, page.chatbot, page.sources, page.viewer, self.current, page.notice]
        shown += [page.listing, page.address, *page.title.heading, self.as_is]
        selected = [page.selectors.strategy, page.selectors.collection]

        def begin_anew(job: BackgroundJob | None, strategy: str, collection: str) -> Update:
            return self._shown(None, job, strategy, collection)

        def choose(
            current: str | None,
            job: BackgroundJob | None,
            strategy: str,
            collection: str,
            event: gr.EventData,
        ) -> Update:
            chosen = str(event._data.get("id"))
            if chosen == current and job is not None and job.running:
                return tuple(gr.skip() for _ in shown)  # it is open, and its answer is being written
            return self._shown(chosen, job, strategy, collection)

        def delete(current: str | None, job: BackgroundJob | None, strategy: str, collection: str) -> Update:
            if current is not None:
                with failure_named("Not deleted"):
                    chat.assistant.conversations.delete(current)
            return self._shown(None, job, strategy, collection)

        def restore(request: gr.Request) -> Update:
            return self._restored(dict(request.query_params))

        blocks.load(restore, None, [*shown, *selected, page.selectors.only], **QUICK)
        anew = [page.title.new.click, page.chatbot.clear]
        gr.on(anew, begin_anew, [self.job, *selected], shown, **QUICK)
        page.listing.select(choose, [self.current, self.job, *selected], shown, **QUICK)
        page.title.confirm.click(delete, [self.current, self.job, *selected], shown, **QUICK)

    def _shown(
        self,
        conversation: str | None,
        job: BackgroundJob | None,
        strategy: str | None,
        collection: str | None,
        notices: Sequence[str] = (),
    ) -> Update:
        """Return the values of a conversation, which takes the place of the one that is open."""
        chat = self.chat
        if job is not None:
            job.abandon()
        turns: Turns = ()
        if conversation is not None:
            try:
                turns = chat.conversations.turns(conversation)
            except RagError as error:
                notices = (*notices, f"The conversation was not opened: {error}")
                conversation = None
        return (
            turns,
            messages(turns),
            chat.evidence.sources(turns[-1] if turns else None),
            "",
            conversation,
            "".join(map(render_error, notices)),
            chat.conversations.listed(conversation),
            _address(conversation, strategy, collection),
            *heading(chat.conversations, conversation),
            False,
        )

    def _restored(self, address: dict[str, str]) -> Update:
        """Return the values that the page's address names, and the selectors."""
        assistant = self.chat.assistant
        strategies = strategy_choices(assistant.strategies())
        collections = collection_choices(assistant)
        found: dict[str, str] = {}
        unknown = []
        for name, choices, usual in (
            ("strategy", strategies, assistant.options().strategy),
            ("collection", collections, assistant.settings.collection),
        ):
            offered = [value for _, value in choices]
            default = usual if usual in offered or not offered else offered[0]
            wanted = address.get(name, default)
            found[name] = wanted if wanted in offered else default
            if name in address and found[name] != wanted:
                unknown.append(f"There is no {name} {wanted!r} here; {default} is chosen.")
        restored = self._shown(
            address.get("conversation"), None, found["strategy"], found["collection"], unknown
        )
        if "conversation" not in address:  # a quick person has asked already: that stays
            kept = [*(gr.skip() for _ in range(5)), *restored[5:7], gr.skip()]
            restored = (*kept, *(gr.skip() for _ in restored[8:]))
        values: dict[str, dict[str, Any]] = {
            name: {"value": value} if name in address else {} for name, value in found.items()
        }
        return (
            *restored,
            # The strategies may be more than when the page was built.
            gr.Radio(choices=strategies, **values["strategy"]),
            gr.Dropdown(choices=collections, **values["collection"]),
            gr.Dropdown(choices=document_choices(assistant, found["collection"])),
        )

    @property
    def _begin_outputs(self) -> list[Any]:
        """The components that change when a question begins."""
        page = self.page
        states = [self.job, self.current, self.as_is]
        buttons = [page.send, page.stop, page.address]
        return [self.turns, page.chatbot, page.sources, page.viewer, *states, page.question, *buttons]

    def _begun(
        self,
        question: str,
        turns: Turns,
        job: BackgroundJob | None,
        current: str | None,
        chosen: QueryOptions,
        *,
        as_is: bool,
    ) -> Update:
        chat = self.chat
        asked, started, conversation = chat.begin(question, turns, job, current, chosen, as_is=as_is)
        sources = chat.evidence.sources(asked[-1])
        address = _address(conversation, chosen.strategy, chosen.collection)
        buttons = gr.Button(visible=False), gr.Button(visible=True)
        return asked, messages(asked), sources, "", started, conversation, False, "", *buttons, address

    def _answered(self, begun: Any) -> None:
        """Connect the answer, then the list and the title, to a question's beginning."""
        page, chat = self.page, self.chat

        def answer(turns: Turns, job: BackgroundJob) -> Generator[Update]:
            yield from shown_answer(chat, turns, job)

        def settle(current: str | None, job: BackgroundJob | None) -> Update:
            # Another question may be asked already in another conversation: its Stop stays.
            running = job is not None and job.running
            buttons = gr.Button(visible=not running), gr.Button(visible=running)
            return *buttons, chat.conversations.listed(current), *heading(chat.conversations, current)

        begun.success(
            answer,
            [self.turns, self.job],
            [self.turns, page.chatbot, page.sources],
            api_visibility="private",
            show_progress="hidden",
            concurrency_id="ask",
            concurrency_limit=_AT_ONCE,
        ).then(
            settle,
            [self.current, self.job],
            [page.send, page.stop, page.listing, *page.title.heading],
            **QUICK,
        )


def shown_answer(chat: ChatController, turns: Turns, job: BackgroundJob) -> Generator[Update]:
    """Yield the turns, the conversation and the sources as the last question is answered.

    Once the job is abandoned the page shows another conversation, and nothing of this one is yielded.
    """
    before: object = None
    with closing(chat.answer(turns, job)) as states:
        for state in states:
            turn = state[-1]
            seen = (turn.found, turn.answer, turn.error, turn.stopped)
            sources = gr.skip() if seen == before else chat.evidence.sources(turn)
            before = seen
            shown = messages(state)
            if not job.abandoned:
                yield state, shown, sources
    # Gradio sends the last output again when the generator ends, and by then another may be shown.
    yield gr.skip(), gr.skip(), gr.skip()


def asked_again(turn: ChatTurn) -> tuple[str, bool]:
    """Return the question to ask for a turn again, and whether it can be understood alone.

    A follow-up that failed or was stopped before it was understood cannot.
    """
    understood = turn.understood or turn.options.standalone
    return understood or turn.question, bool(understood or turn.found)


def _acted_on(turns: Turns, event: gr.EventData) -> ChatTurn:
    turn = turn_of(turns, event._data.get("turn"))
    if turn is None:
        raise gr.Error("This answer is not there any more.", print_exception=False)
    return turn


def _address(current: str | None, strategy: str | None, collection: str | None) -> str:
    """Return the parameters of the page's address, as static/address.js takes them."""
    return escape(json.dumps({"conversation": current, "strategy": strategy, "collection": collection}))
