"""The events of the Compare page."""

from collections.abc import Callable, Generator, Sequence
from typing import Any

import gradio as gr

from ingestion.errors import RagError
from retrievers.comparison import MOST
from ui.background import BackgroundJob
from ui.compare.controller import AnswersView, AskedComparison, CompareController
from ui.compare.layout import CompareLayout, column_choices
from ui.compare.render import name_of, render_comparison, render_passage
from ui.components.choices import collection_choices, reranker_choices, strategy_choices
from ui.components.events import QUICK, failure_named
from ui.components.text import render_error


def connect_compare(compare: CompareController, page: CompareLayout, blocks: gr.Blocks) -> None:
    """Wire the page. Its choices are brought up to date whenever its tab is chosen."""
    asked: gr.State = gr.State(None)
    job: gr.State = gr.State(None)
    answers: gr.State = gr.State(None)
    _connect_choices(compare, page)
    _connect_question(compare, page, asked, answers, job)
    _connect_votes(compare, page, asked, answers)
    _connect_reading(page, asked, answers)
    _connect_answers(compare, page, asked, answers, job)
    blocks.load(compare.tally, None, [page.tally], **QUICK)


def _connect_choices(compare: CompareController, page: CompareLayout) -> None:
    assistant = compare.assistant

    def offer() -> list[gr.Dropdown]:
        """Return new choices without values, so that a person's choices stay."""
        strategies, rerankers = strategy_choices(assistant.strategies()), reranker_choices(assistant)
        columns = [
            gr.Dropdown(choices=choices)
            for number in range(MOST)
            for choices in (column_choices(strategies, number), rerankers)
        ]
        return [*columns, offer_collections()]

    def offer_collections() -> gr.Dropdown:
        return gr.Dropdown(choices=collection_choices(assistant))

    page.tab.select(offer, None, [*page.choosers, page.collection], **QUICK)
    page.collection.focus(offer_collections, None, [page.collection], **QUICK)


def _vote_buttons(asked: AskedComparison) -> list[gr.Button]:
    """Return the votes' buttons with the columns' names."""
    names = [name_of(asked.view, place) for place in range(len(asked.view.order))]
    return [
        gr.Button(names[place], visible=True) if place < len(names) else gr.Button(visible=False)
        for place in range(MOST)
    ]


def _connect_question(
    compare: CompareController, page: CompareLayout, asked: gr.State, answers: gr.State, job: gr.State
) -> None:
    def ask(
        question: str, job: BackgroundJob | None, collection: str, top: int, blind: bool, *chosen: str | None
    ) -> tuple[Any, ...]:
        if job is not None:
            job.stop()
        columns = list(zip(chosen[::2], chosen[1::2], strict=True))
        try:
            found = compare.compare(question, columns, collection=collection, top=top, blind=blind)
        except RagError as error:
            hidden = (gr.Button(visible=False) for _ in page.votes)
            return None, None, render_error(error), "", "", gr.Row(visible=False), *hidden
        shown = render_comparison(found.view)
        return found, None, shown, "", "", gr.Row(visible=True), *_vote_buttons(found)

    gr.on(
        [page.send.click, page.question.submit],
        ask,
        [page.question, job, page.collection, page.top, page.blind, *page.choosers],
        [asked, answers, page.result, page.reading, page.answers, page.voting, *page.votes],
        api_visibility="private",
        show_progress="minimal",
        concurrency_limit=4,
    )


def _connect_votes(
    compare: CompareController, page: CompareLayout, asked: gr.State, answers: gr.State
) -> None:
    outputs: list[Any] = [asked, page.result, page.tally, page.answers, *page.votes]

    def vote(
        preferred: Callable[[int], Sequence[int]],
    ) -> Callable[[AskedComparison | None, AnswersView | None], tuple[Any, ...]]:
        """Return the handler of a vote; `preferred` gets the number of columns and returns their places."""

        def keep(found: AskedComparison | None, answers: AnswersView | None) -> tuple[Any, ...]:
            if found is None:
                return (gr.skip(),) * len(outputs)
            with failure_named("Not kept"):
                named = compare.vote(found, preferred(len(found.view.order)))
            if answers is not None:
                answers.comparison = named.view
            written = answers.render() if answers else ""
            return named, render_comparison(named.view), compare.tally(), written, *_vote_buttons(named)

        return keep

    def judge(found: AskedComparison | None, event: gr.EventData) -> tuple[Any, ...]:
        if found is None:
            return gr.skip(), gr.skip()
        data = event._data
        with failure_named("Not kept"):
            judged = compare.judge(found, str(data.get("chunk")), int(str(data.get("grade")) == "1"))
        return judged, render_comparison(judged.view)

    def only(place: int) -> Callable[[int], Sequence[int]]:
        return lambda _: [place]

    for place, button in enumerate(page.votes):
        button.click(vote(only(place)), [asked, answers], outputs, **QUICK)
    page.all_good.click(vote(range), [asked, answers], outputs, **QUICK)
    page.none_good.click(vote(lambda _: []), [asked, answers], outputs, **QUICK)
    page.result.like(judge, [asked], [asked, page.result], **QUICK)


def _connect_reading(page: CompareLayout, asked: gr.State, answers: gr.State) -> None:
    """A card, or a marker in an answer, opens its passage below the columns."""

    def read(found: AskedComparison | None, event: gr.EventData) -> str:
        hit = found.hit(str(event._data.get("show"))) if found else None
        return render_passage(hit) if hit else ""

    def read_source(answers: AnswersView | None, event: gr.EventData) -> str:
        named = str(event._data.get("turn")), str(event._data.get("number"))
        hit = answers.source(*named) if answers else None
        return render_passage(hit) if hit else ""

    page.result.select(read, [asked], [page.reading], **QUICK)
    page.answers.select(read_source, [answers], [page.reading], **QUICK).then(
        None,
        js="() => document.getElementById('reading')?.scrollIntoView({ block: 'nearest' })",
        api_visibility="private",
    )
    page.reading.clear(lambda: "", None, [page.reading], **QUICK)


def _connect_answers(
    compare: CompareController, page: CompareLayout, asked: gr.State, answers: gr.State, job: gr.State
) -> None:
    def begin_writing(found: AskedComparison | None, job: BackgroundJob | None) -> tuple[Any, ...]:
        if job is not None and job.running:
            raise gr.Error("Wait for the answers, or stop them.", print_exception=False)
        begun = (BackgroundJob(), AnswersView(found.view)) if found else (None, None)
        return *begun, gr.Button(visible=False), gr.Button(visible=True)

    def write(
        found: AskedComparison | None, answers: AnswersView | None, job: BackgroundJob | None
    ) -> Generator[str]:
        if found is None or answers is None or job is None:
            return
        try:
            yield from compare.answers(found, answers, job)
        finally:
            job.end()

    def settle(answers: AnswersView | None) -> tuple[Any, ...]:
        """Show the answers again: a vote or another question may have come after their last words."""
        return answers.render() if answers else "", gr.Button(visible=True), gr.Button(visible=False)

    def stop(job: BackgroundJob | None) -> None:
        if job is not None:
            job.stop()

    begun = page.write.click(begin_writing, [asked, job], [job, answers, page.write, page.stop], **QUICK)
    begun.success(
        write,
        [asked, answers, job],
        [page.answers],
        api_visibility="private",
        show_progress="hidden",
        concurrency_id="ask",
    ).then(settle, [answers], [page.answers, page.write, page.stop], **QUICK)
    page.stop.click(stop, [job], **QUICK)
