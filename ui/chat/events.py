"""The events of the conversation and of the selectors below it, by the person's actions."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from ui.background import BackgroundJob
from ui.chat.answer_events import (
    TabStates,
    Update,
    acted_on,
    address_of,
    begin_outputs,
    begun_values,
    connect_answer,
)
from ui.chat.composer import render_chips
from ui.chat.controller import ChatController, QueryOptions
from ui.chat.first_contact import connect_first_contact
from ui.chat.layout import ChatLayout
from ui.chat.pane_events import connect_evidence, connect_search, connect_title
from ui.chat.switch_events import SwitchEvents
from ui.chat.variants import connect_variants
from ui.components.choices import collection_choices, document_choices, render_llm_help, render_strategy_help
from ui.components.conversation import messages
from ui.components.events import QUICK, noticed
from ui.components.turns import Turns


def connect_chat(chat: ChatController, page: ChatLayout, blocks: gr.Blocks) -> None:
    """Wire the conversation, its title and its evidence."""
    turns: gr.State = gr.State(())
    job: gr.State = gr.State(None)
    current: gr.State = gr.State(None)  # the conversation's id
    as_is: gr.State = gr.State(False)  # the question in the box was edited and can be understood alone
    search: gr.State = gr.State("")  # the words that the list of conversations is searched for
    states = TabStates(turns, job, current, as_is, search)
    events = _ChatEvents(chat, page, states)
    events.ask()
    events.act()
    events.look()
    connect_variants(chat, page, states)
    connect_first_contact(chat, page, states, blocks)
    SwitchEvents(chat, page, states).connect(blocks)
    connect_title(chat.conversations, page, current, search)
    connect_search(chat.conversations, page, current, search)
    connect_evidence(chat.evidence, page, turns)


@dataclass(frozen=True, slots=True)
class _ChatEvents:
    """Connects the events of asking, of an answer and of the selectors."""

    chat: ChatController
    page: ChatLayout
    states: TabStates

    def ask(self) -> None:
        """Connect Enter, Ask and Stop, and the questions that wait for the answer before them."""
        page, states = self.page, self.states

        def begin(
            question: str,
            as_is: bool,
            turns: Turns,
            job: BackgroundJob | None,
            current: str | None,
            *chosen: Any,
        ) -> Update:
            how = QueryOptions(*chosen)
            asked = self.chat.begin(question, turns, job, current, how, as_is=as_is)
            return begun_values(self.chat, *asked, how, place=-1, question="")

        def begin_waiting(
            event: gr.EventData, turns: Turns, job: BackgroundJob | None, current: str | None, *chosen: Any
        ) -> Update:
            how = QueryOptions(*chosen)
            asked = self.chat.begin(str(event._data.get("question")), turns, job, current, how)
            return begun_values(self.chat, *asked, how, place=-1, question=gr.skip())

        def stop(job: BackgroundJob | None) -> None:
            if job is not None:
                job.stop()  # of an answer, for all tabs

        def forget_edit(question: str) -> Any:
            # Typing over a selected text leaves its first letter, never an empty box.
            return False if len(question.strip()) < 2 else gr.skip()

        begin_told, outputs = noticed(begin, begin_outputs(page, states), page.composer.notice)
        begun = gr.on(
            [page.composer.question.submit, page.composer.send.click],
            begin_told,
            [
                page.composer.question,
                states.as_is,
                states.turns,
                states.job,
                states.current,
                *page.composer.selectors.all,
            ],
            outputs,
            **QUICK,
        )
        connect_answer(self.chat, page, states, begun.success)
        waiting_told, outputs = noticed(begin_waiting, begin_outputs(page, states), page.composer.notice)
        chosen = [states.turns, states.job, states.current, *page.composer.selectors.all]
        waited = page.composer.waiting.submit(waiting_told, chosen, outputs, **QUICK)
        waited.then(None, js="() => document.dispatchEvent(new CustomEvent('waiting-asked'))", **QUICK)
        connect_answer(self.chat, page, states, waited.success)
        page.composer.stop.click(stop, [states.job], **QUICK)
        page.composer.question.change(forget_edit, [page.composer.question], [states.as_is], **QUICK)

    def act(self) -> None:
        """Connect the actions of an answer: edit how it was understood, rate it."""
        page = self.page

        def edit(turns: Turns, event: gr.EventData) -> tuple[str, bool]:
            turn = acted_on(turns, event)
            return turn.understood or turn.question, True

        def rate(turns: Turns, current: str | None, event: gr.EventData) -> Update:
            turn = acted_on(turns, event)
            helpful = event._data.get("action") == "good"
            rated = self.chat.conversations.rate(current, turns, turn, helpful=helpful)
            return rated, messages(rated)

        edit_told, outputs = noticed(edit, [page.composer.question, self.states.as_is], page.composer.notice)
        page.actions.edit(edit_told, [self.states.turns], outputs, **QUICK).then(
            None, js="() => document.querySelector('#question textarea')?.focus()", **QUICK
        )
        rate_told, outputs = noticed(rate, [self.states.turns, page.chatbot], page.composer.notice)
        page.actions.like(rate_told, [self.states.turns, self.states.current], outputs, **QUICK)

    def look(self) -> None:
        """Connect a click on an answer, which shows its sources, and the selectors."""
        page, chat, selectors = self.page, self.chat, self.page.composer.selectors

        def select(turns: Turns, event: gr.SelectData) -> str:
            index = event.index if isinstance(event.index, int) else event.index[0]
            turn = turns[index // 2] if index // 2 < len(turns) else None
            return chat.evidence.sources(turn)

        def show_sources(turns: Turns, event: gr.EventData) -> str:
            return chat.evidence.sources(acted_on(turns, event))

        def describe(strategy: str, current: str | None, collection: str | None) -> tuple[str, str]:
            return render_strategy_help(chat.assistant, strategy), address_of(current, strategy, collection)

        def narrow(strategy: str, current: str | None, collection: str | None) -> tuple[gr.Dropdown, str]:
            choices = document_choices(chat.assistant, collection)
            return gr.Dropdown(choices=choices, value=[]), address_of(current, strategy, collection)

        def refresh(collection: str | None) -> tuple[gr.Dropdown, gr.Dropdown]:
            return (
                gr.Dropdown(choices=collection_choices(chat.assistant)),
                gr.Dropdown(choices=document_choices(chat.assistant, collection)),
            )

        def show_chosen(*chosen: Any) -> tuple[str, str]:
            return render_chips(chat.assistant, QueryOptions(*chosen)), render_llm_help(chat.assistant)

        named = [selectors.strategy, self.states.current, selectors.collection]
        page.chatbot.select(select, [self.states.turns], [page.sources], **QUICK)
        sources_told, outputs = noticed(show_sources, [page.sources], page.evidence_notice)
        page.actions.select(sources_told, [self.states.turns], outputs, **QUICK)
        selectors.strategy.change(describe, named, [selectors.about, page.address], **QUICK)
        selectors.collection.input(narrow, named, [selectors.only, page.address], **QUICK)
        gr.on(
            [one.change for one in selectors.all],
            show_chosen,
            selectors.all,
            [page.composer.chips, selectors.about_llm],
            trigger_mode="always_last",
            **QUICK,
        )
        gr.on(
            [selectors.only.focus, selectors.collection.focus],
            refresh,
            [selectors.collection],
            [selectors.collection, selectors.only],
            **QUICK,
        )
