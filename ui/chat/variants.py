"""Several answers to one question: asking once more, turning from one answer to another, two side by side."""

import re
from dataclasses import replace
from typing import Any

import gradio as gr

from ingestion.errors import InvalidInput
from rag_app.service.composition import Assistant
from ui.background import BackgroundJob
from ui.chat.answer_events import TabStates, Update, acted_on, begin_outputs, begun_values, connect_answer
from ui.chat.controller import ChatController, QueryOptions, turn_of_record
from ui.chat.layout import ChatLayout
from ui.components.answer_text import render_reply
from ui.components.choices import described_strategies, llm_choices, reranker_choices
from ui.components.conversation import messages, names_of
from ui.components.events import QUICK, noticed
from ui.components.text import escape
from ui.components.turns import ChatTurn, Turns, recorded_number, turn_of

# A marker's link leads to a card beside the conversation, which shows one of the answers.
_MARKER = re.compile(r'<a class="marker"[^>]*>(.*?)</a>')
_PLAIN_MARKER = r'<span class="marker">\1</span>'


def connect_variants(chat: ChatController, page: ChatLayout, states: TabStates) -> None:
    """Wire Retry, the panel of Retry with, the way from one answer to another, and Compare these."""
    _connect_retry(chat, page, states)
    _connect_turning(chat, page, states)


def _connect_retry(chat: ChatController, page: ChatLayout, states: TabStates) -> None:
    panel, selectors = page.composer.retry, page.composer.selectors
    number: gr.State = gr.State(0)  # of the question that the panel is open for

    def begun(
        turn: ChatTurn, turns: Turns, job: BackgroundJob | None, current: str | None, chosen: QueryOptions
    ) -> Update:
        asked = chat.retry(turn, turns, job, current, chosen)
        place = turns.index(turn) if len(asked[0]) == len(turns) else -1
        return begun_values(chat, *asked, chosen, place=place, question=gr.skip())

    def again(
        event: gr.EventData, turns: Turns, job: BackgroundJob | None, current: str | None, *chosen: Any
    ) -> Update:
        return begun(acted_on(turns, event), turns, job, current, QueryOptions(*chosen))

    def again_with(
        number: int, turns: Turns, job: BackgroundJob | None, current: str | None, *chosen: Any
    ) -> Update:
        turn = turn_of(turns, number)
        if turn is None:  # the panel stood open while another conversation was chosen
            return tuple(gr.skip() for _ in begin_outputs(page, states))
        return begun(turn, turns, job, current, QueryOptions(*chosen))

    def offer(event: gr.EventData, turns: Turns, strategy: str, reranker: str, llm: str) -> Update:
        turn = acted_on(turns, event)
        assistant = chat.assistant
        return (
            turn.number,
            f'<p class="plain">Answer again: <bdi>{escape(turn.question)}</bdi></p>',
            gr.Dropdown(choices=described_strategies(assistant.strategies()), value=strategy),
            gr.Dropdown(choices=reranker_choices(assistant), value=reranker),
            gr.Dropdown(choices=llm_choices(assistant, ask=False), value=llm),
        )

    turning = [states.turns, states.job, states.current]
    again_told, outputs = noticed(again, begin_outputs(page, states), page.composer.notice)
    asked = page.actions.retry(again_told, [*turning, *selectors.all], outputs, **QUICK)
    connect_answer(chat, page, states, asked.success)
    offer_told, offered = noticed(offer, [number, panel.question, *panel.all], page.composer.notice)
    how = [selectors.strategy, selectors.reranker, selectors.llm]
    page.actions.offer(offer_told, [states.turns, *how], offered, **QUICK)
    chosen = [*panel.all, selectors.collection, selectors.only]
    with_told, outputs = noticed(again_with, begin_outputs(page, states), page.composer.notice)
    asked = panel.send.click(with_told, [number, *turning, *chosen], outputs, **QUICK)
    connect_answer(chat, page, states, asked.success)


def _connect_turning(chat: ChatController, page: ChatLayout, states: TabStates) -> None:
    def show(event: gr.EventData, turns: Turns, job: BackgroundJob | None, current: str | None) -> Update:
        if any(one.pending for one in turns):
            raise InvalidInput("wait for the answer, or stop it")
        if job is not None:
            job.abandon()  # it waits until an answer that was stopped is in the history
        turn = acted_on(turns, event)
        to = turn.variant + (1 if event._data.get("action") == "next" else -1)
        shown = shown_variant(chat.assistant, str(current), turns, turn, to)
        return shown, messages(shown), chat.evidence.sources(shown[turns.index(turn)]), ""

    def compare(event: gr.EventData, turns: Turns, current: str | None) -> str:
        turn = acted_on(turns, event)
        restored = chat.assistant.restore_variants(str(current), recorded_number(turns, turn))
        return render_side_by_side([turn_of_record(one) for one in restored[-2:]])

    changed = [states.turns, page.chatbot, page.sources, page.viewer]
    show_told, outputs = noticed(show, changed, page.composer.notice)
    page.actions.show(show_told, [states.turns, states.job, states.current], outputs, **QUICK).then(
        None, js="() => { document.dispatchEvent(new Event('variant-shown')); }", **QUICK
    )
    compare_told, outputs = noticed(compare, [page.variants], page.composer.notice)
    page.actions.compare(compare_told, [states.turns, states.current], outputs, **QUICK)
    page.variants.clear(lambda: "", None, [page.variants], **QUICK)


def shown_variant(
    assistant: Assistant, conversation: str, turns: Turns, turn: ChatTurn, variant: int
) -> Turns:
    """Show another answer to a question, in all tabs; return the turns. Raises UnknownName."""
    number = recorded_number(turns, turn)
    assistant.conversations.show(conversation, number, variant)
    variants = map(turn_of_record, assistant.restore_variants(conversation, number))
    shown = next(one for one in variants if one.variant == variant)
    return tuple(replace(shown, number=turn.number) if one is turn else one for one in turns)


def render_side_by_side(turns: Turns | list[ChatTurn]) -> str:
    """Return answers to one question beside each other, each with how it was made and its sources."""
    columns = "".join(
        f'<section aria-label="Answer {turn.variant} of {turn.variants}">'
        f'<h3>Answer {turn.variant} of {turn.variants}</h3><p class="how">{names_of(turn)}</p>'
        f"{_MARKER.sub(_PLAIN_MARKER, render_reply(turn))}{_why_unfinished(turn)}"
        f"{_cited(turn)}</section>"
        for turn in turns
    )
    return (
        '<dialog class="overlay side-by-side" aria-labelledby="side-by-side-title"><header>'
        f'<h2 id="side-by-side-title" dir="auto">{escape(turns[0].question)}</h2>'
        '<button type="button" data-close aria-label="Close" title="Close">×</button></header>'
        f'<div class="columns">{columns}</div></dialog>'
    )


def _why_unfinished(turn: ChatTurn) -> str:
    if turn.answer is not None:
        return ""
    why = turn.error or ("It is being written." if turn.pending else "It was stopped before its end.")
    return f'<p class="note">{escape(why)}</p>'


def _cited(turn: ChatTurn) -> str:
    """Return the pages that an answer cites, by marker."""
    written = turn.answer or turn.partial
    places = {one.marker: (one.document, one.page) for one in (written.citations if written else ())}
    rows = "".join(
        f"<li>[{marker}] <bdi>{escape(document)}</bdi>, page {page}</li>"
        for marker, (document, page) in sorted(places.items())
    )
    return f'<ul class="cited">{rows}</ul>' if rows else ""
