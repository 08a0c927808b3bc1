"""The events of the Compare page."""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

import gradio as gr

from ingestion.errors import InvalidInput
from retrievers.comparison import MOST
from ui.background import BackgroundJob
from ui.compare.controller import AnswersView, AskedComparison, CompareController
from ui.compare.layout import CompareLayout, column_choices
from ui.compare.render import name_of, render_comparison, render_passage
from ui.components.choices import collection_choices, reranker_choices, strategy_choices
from ui.components.events import QUICK, noticed

Update = tuple[Any, ...]


def connect_compare(compare: CompareController, page: CompareLayout, blocks: gr.Blocks) -> None:
    """Wire the page. Its choices are brought up to date whenever its tab is chosen."""
    events = _CompareEvents(compare, page, gr.State(None), gr.State(None), gr.State(None))
    events.choose()
    events.ask()
    events.vote()
    events.read()
    events.write()
    blocks.load(compare.tally, None, [page.tally], **QUICK)


@dataclass(frozen=True, slots=True)
class _CompareEvents:
    """Connects the events; the states are those of a session."""

    compare: CompareController
    page: CompareLayout
    asked: gr.State
    answers: gr.State
    job: gr.State

    def choose(self) -> None:
        """Connect the events that bring the choices up to date."""
        page, assistant = self.page, self.compare.assistant

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

    def ask(self) -> None:
        """Connect Enter and Compare."""
        page = self.page

        def ask(
            question: str,
            job: BackgroundJob | None,
            collection: str,
            top: int,
            blind: bool,
            *chosen: str | None,
        ) -> Update:
            columns = list(zip(chosen[::2], chosen[1::2], strict=True))
            found = self.compare.compare(question, columns, collection=collection, top=top, blind=blind)
            if job is not None:
                job.stop()
            shown = render_comparison(found.view)
            return found, None, shown, "", "", gr.Row(visible=True), *_vote_buttons(found)

        outputs = [
            self.asked,
            self.answers,
            page.result,
            page.reading,
            page.answers,
            page.voting,
            *page.votes,
        ]
        ask_told, outputs = noticed(ask, outputs, page.refused)
        gr.on(
            [page.send.click, page.question.submit],
            ask_told,
            [page.question, self.job, page.collection, page.top, page.blind, *page.choosers],
            outputs,
            api_visibility="private",
            show_progress="minimal",
            concurrency_limit=4,
        )

    def vote(self) -> None:
        """Connect the votes on columns and the judgements of passages."""
        compare, page = self.compare, self.page
        outputs: list[Any] = [self.asked, page.result, page.tally, page.answers, *page.votes]

        def vote(found: AskedComparison | None, answers: AnswersView | None, preferred: list[int]) -> Update:
            if found is None:
                return (gr.skip(),) * len(outputs)
            named = compare.vote(found, preferred)
            if answers is not None:
                answers.comparison = named.view
            written = answers.render() if answers else ""
            return named, render_comparison(named.view), compare.tally(), written, *_vote_buttons(named)

        def vote_for(place: int) -> Callable[[AskedComparison | None, AnswersView | None], Update]:
            return noticed(lambda found, answers: vote(found, answers, [place]), outputs, page.notice)[0]

        def vote_all(found: AskedComparison | None, answers: AnswersView | None) -> Update:
            return vote(found, answers, list(range(len(found.view.order))) if found else [])

        def vote_none(found: AskedComparison | None, answers: AnswersView | None) -> Update:
            return vote(found, answers, [])

        def judge(found: AskedComparison | None, event: gr.EventData) -> Update:
            if found is None:
                return gr.skip(), gr.skip()
            data = event._data
            judged = compare.judge(found, str(data.get("chunk")), int(str(data.get("grade")) == "1"))
            return judged, render_comparison(judged.view)

        voted = [*outputs, page.notice]
        for place, button in enumerate(page.votes):
            button.click(vote_for(place), [self.asked, self.answers], voted, **QUICK)
        for button, choose in ((page.all_good, vote_all), (page.none_good, vote_none)):
            told, _ = noticed(choose, outputs, page.notice)
            button.click(told, [self.asked, self.answers], voted, **QUICK)
        judge_told, judged = noticed(judge, [self.asked, page.result], page.notice)
        page.result.like(judge_told, [self.asked], judged, **QUICK)

    def read(self) -> None:
        """Connect cards, and markers in answers, which open a passage below the columns."""
        page = self.page

        def read(found: AskedComparison | None, event: gr.EventData) -> str:
            hit = found.hit(str(event._data.get("show"))) if found else None
            return render_passage(hit) if hit else ""

        def read_source(answers: AnswersView | None, event: gr.EventData) -> str:
            named = str(event._data.get("turn")), str(event._data.get("number"))
            hit = answers.source(*named) if answers else None
            return render_passage(hit) if hit else ""

        page.result.select(read, [self.asked], [page.reading], **QUICK)
        page.answers.select(read_source, [self.answers], [page.reading], **QUICK).then(
            None,
            js="() => document.getElementById('reading')?.scrollIntoView({ block: 'nearest' })",
            api_visibility="private",
        )
        page.reading.clear(lambda: "", None, [page.reading], **QUICK)

    def write(self) -> None:
        """Connect Write answers and Stop."""
        page = self.page

        def begin_writing(found: AskedComparison | None, job: BackgroundJob | None) -> Update:
            if job is not None and job.running:
                raise InvalidInput("wait for the answers, or stop them")
            begun = (BackgroundJob(), AnswersView(found.view)) if found else (None, None)
            return *begun, gr.Button(visible=False), gr.Button(visible=True)

        def write(
            found: AskedComparison | None, answers: AnswersView | None, job: BackgroundJob | None
        ) -> Generator[str]:
            if found is None or answers is None or job is None:
                return
            try:
                yield from self.compare.answers(found, answers, job)
            finally:
                job.end()

        def settle(answers: AnswersView | None) -> Update:
            """Show the answers again: a vote or another question may have come after their last words."""
            return answers.render() if answers else "", gr.Button(visible=True), gr.Button(visible=False)

        def stop(job: BackgroundJob | None) -> None:
            if job is not None:
                job.stop()

        begin_told, begun = noticed(
            begin_writing, [self.job, self.answers, page.write, page.stop], page.notice
        )
        page.write.click(begin_told, [self.asked, self.job], begun, **QUICK).success(
            write,
            [self.asked, self.answers, self.job],
            [page.answers],
            api_visibility="private",
            show_progress="hidden",
            concurrency_id="ask",
        ).then(settle, [self.answers], [page.answers, page.write, page.stop], **QUICK)
        page.stop.click(stop, [self.job], **QUICK)


def _vote_buttons(asked: AskedComparison) -> list[gr.Button]:
    """Return the votes' buttons with the columns' names."""
    names = [name_of(asked.view, place) for place in range(len(asked.view.order))]
    return [
        gr.Button(names[place], visible=True) if place < len(names) else gr.Button(visible=False)
        for place in range(MOST)
    ]
