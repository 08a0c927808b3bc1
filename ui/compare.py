"""The Compare page: one question, two to four strategies, what each of them finds, and a vote."""

import random
import traceback
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import gradio as gr

from ingestion.errors import RagError
from rag_app.answering.answers import AnswerEvent, AskOptions
from rag_app.evaluation.votes import Contender, Vote, tally
from rag_app.service.composition import Assistant
from retrievers.comparison import FEWEST, MOST
from retrievers.hits import Hit
from ui.background import Job, Workers
from ui.chat.evidence import Desk
from ui.chat.talk import INTERNAL_ERROR, follow
from ui.choices import (
    NO_RERANKER,
    Choices,
    check_offered,
    collection_choices,
    reranker_choices,
    strategy_choices,
)
from ui.components.comparison import (
    EMPTY,
    Shown,
    letter,
    name_of,
    render_comparison,
    render_passage,
    render_tally,
)
from ui.components.conversation import Turn, render_turn
from ui.components.document_list import render_error
from ui.components.text import escape
from ui.static import read_static

_NONE = "(no column)"
_DEFAULTS = ("fusion", "bm25")
_TOP = (5, 10, 20)
_QUICK: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden", "queue": False}


@dataclass(frozen=True, slots=True)
class Asked:
    """One comparison of a session: how it was asked, and how it is shown."""

    options: tuple[AskOptions, ...]
    shown: Shown


@dataclass(slots=True)
class Sheet:
    """The answers to one comparison, as far as they are written.

    Who writes them and who votes meanwhile share it and change it in place: a vote names the columns of what
    is still being written too.
    """

    shown: Shown
    turns: list[Turn] = field(default_factory=list)

    def source(self, turn: str, number: str) -> Hit | None:
        """Return the passage that `[number]` in one of the answers names."""
        for one in self.turns:
            if str(one.number) == turn:
                read = one.answer.evidence if one.answer else one.found.packed.evidence if one.found else ()
                return next((item.hit for item in read if str(item.number) == number), None)
        return None


class Compare:
    """What happens on the page. One object serves all sessions."""

    def __init__(self, assistant: Assistant, workers: Workers, desk: Desk) -> None:
        self.assistant = assistant
        self.workers = workers
        self.desk = desk

    def compare(
        self,
        question: str,
        columns: Sequence[tuple[str | None, str | None]],
        *,
        collection: str | None,
        top: int,
        blind: bool,
    ) -> Asked:
        """Return what the chosen columns find. Raises RagError for what cannot be asked."""
        usual = self.assistant.options()
        options = tuple(
            replace(
                usual,
                strategy=strategy,
                reranker=None if reranker in (None, "", NO_RERANKER) else reranker,
                top_k=top,
                collections=(collection,) if collection else usual.collections,
            )
            for strategy, reranker in columns
            if strategy and strategy != _NONE
        )
        for one in options:
            check_offered(self.assistant, reranker=one.reranker)
        comparison = self.assistant.compare(question.strip(), options)
        order = list(range(len(options)))
        if blind:
            random.SystemRandom().shuffle(order)
        return Asked(options, self._graded(Shown(comparison, tuple(order), blind)))

    def vote(self, asked: Asked, preferred: Sequence[int]) -> Asked:
        """Keep a vote for the columns at these places as they stand, and show their names."""
        shown = asked.shown
        contenders = tuple(Contender(one.strategy, one.reranker) for one in shown.columns)
        self.assistant.votes.add(Vote(shown.comparison.question, contenders, tuple(preferred), shown.blind))
        return replace(asked, shown=replace(shown, blind=False, voted=tuple(preferred)))

    def judge(self, asked: Asked, chunk: str, grade: int) -> Asked:
        """Keep that a passage answers the question (1) or does not (0)."""
        question = asked.shown.comparison.question
        hit = self.hit(asked, chunk)
        if hit is not None:
            self.desk.judge(Turn(1, question, asked.options[0]), [hit], grade)
        return replace(asked, shown=self._graded(asked.shown))

    def hit(self, asked: Asked, chunk: str) -> Hit | None:
        hits = (hit for column in asked.shown.comparison.columns for hit in column.hits)
        return next((hit for hit in hits if hit.chunk.id == chunk), None)

    def tally(self) -> str:
        """Return the votes so far as HTML."""
        votes = self.assistant.votes.all()
        return render_tally(tally(votes), len({vote.question for vote in votes}))

    def answers(self, asked: Asked, sheet: Sheet, job: Job) -> Generator[str]:
        """Yield the columns' answers as HTML, written one after the other onto the sheet, as they grow."""
        for place, column in enumerate(asked.shown.order):
            turn = Turn(place + 1, asked.shown.comparison.question, asked.options[column])
            sheet.turns.append(turn)
            for current in self._answer(turn, job):
                sheet.turns[place] = current
                yield render_answers(sheet.shown, sheet.turns)
            if job.stopped:
                return

    def _answer(self, turn: Turn, job: Job) -> Generator[Turn]:
        def work(put: Callable[[AnswerEvent], None]) -> None:
            with closing(self.assistant.stream(turn.question, turn.options)) as events:
                for event in events:
                    put(event)
                    if job.stopped:
                        return

        own = Job()
        try:
            with closing(self.workers.run(own, work)) as batches:
                for batch in batches:
                    if job.stopped:
                        own.stop()
                    turn = follow(turn, batch)
                    yield turn
        except RagError as error:
            yield replace(turn, error=str(error))
        except Exception:
            traceback.print_exc()
            yield replace(turn, error=INTERNAL_ERROR)
            raise
        else:
            if turn.pending:
                yield replace(turn, stopped=True)

    def _graded(self, shown: Shown) -> Shown:
        hits = {hit.chunk.id: hit for column in shown.comparison.columns for hit in column.hits}
        return replace(shown, grades=self.desk.grades(shown.comparison.question, list(hits.values())))


def render_answers(shown: Shown, turns: Sequence[Turn]) -> str:
    """Return the answers that there are, in columns."""
    columns = "".join(
        f'<section aria-label="Answer of {escape(name_of(shown, place))}">'
        f"<h3>{escape(name_of(shown, place))}</h3>{_written(shown, turn)}</section>"
        for place, turn in enumerate(turns)
    )
    return f'<div class="answers">{columns}</div>'


def _written(shown: Shown, turn: Turn) -> str:
    """The answer; while names are hidden without its stamp and without its error, which may name them."""
    if not shown.blind:
        return render_turn(turn)
    if turn.error is not None:
        return '<div class="failed" role="alert"><b>This failed.</b> The reason shows after the vote.</div>'
    text = turn.answer.text if turn.answer else turn.text
    written = f'<div class="reply">{escape(text)}</div>' if text else ""
    if turn.answer is not None:
        return written
    if turn.stopped:
        return f'{written}<div class="stamp">stopped</div>'
    return f'{written}<div class="stamp working">being written …</div>'


@dataclass(frozen=True, slots=True)
class _Pane:
    question: gr.Textbox
    send: gr.Button
    columns: list[tuple[gr.Dropdown, gr.Dropdown]]
    collection: gr.Dropdown
    top: gr.Radio
    blind: gr.Checkbox
    result: gr.HTML
    reading: gr.HTML
    voting: gr.Row
    votes: list[gr.Button]
    all_good: gr.Button
    none_good: gr.Button
    write: gr.Button
    stop: gr.Button
    answers: gr.HTML
    tally: gr.HTML


def build_compare(compare: Compare, page: gr.Blocks, tab: gr.Tab) -> None:
    """Lay out the page and wire it. What it offers is brought up to date whenever its tab is chosen."""
    pane = _lay_out(compare.assistant)
    _connect(compare, pane, page)
    _connect_offers(compare.assistant, pane, tab)


def _lay_out(assistant: Assistant) -> _Pane:
    strategies = strategy_choices(assistant.strategies())
    offered = [name for _, name in strategies]
    first = [name for name in (assistant.options().strategy, *_DEFAULTS, *offered) if name in offered]
    chosen = [*dict.fromkeys(first)][:FEWEST]
    with gr.Column(elem_id="compare"):
        with gr.Row(elem_id="compare-ask", equal_height=True):
            question = gr.Textbox(
                label="Question to compare strategies by", show_label=False, container=False, scale=8,
                placeholder="Ask a question", elem_id="compare-question", lines=1, max_lines=4,
                html_attributes=gr.InputHTMLAttributes(autocomplete="off"),
            )  # fmt: skip
            send = gr.Button("Compare", variant="primary", elem_id="compare-send", scale=1, min_width=100)
        with gr.Row(elem_id="compare-columns"):
            columns = [_choosers(assistant, strategies, number, chosen) for number in range(MOST)]
        with gr.Row(elem_id="compare-how"):
            collection = gr.Dropdown(
                collection_choices(assistant), value=assistant.settings.collection, label="Collection",
                elem_classes="selector", min_width=160,
            )  # fmt: skip
            top = gr.Radio(
                [(str(number), number) for number in _TOP],
                value=_TOP[0],
                label="Passages",
                elem_id="compare-top",
            )
            blind = gr.Checkbox(False, label="Blind: hide the names until I vote", elem_id="compare-blind")
        result = gr.HTML(EMPTY, elem_id="comparison", js_on_load=read_static("compare.js"))
        reading = gr.HTML("", elem_id="reading", js_on_load=read_static("compare.js"))
        with gr.Row(visible=False, elem_id="voting") as voting:
            gr.HTML("<p>Which column is better?</p>")
            votes = [
                gr.Button(letter(place), size="sm", min_width=60, elem_id=f"vote-{place + 1}")
                for place in range(MOST)
            ]
            all_good = gr.Button("Equally good", size="sm", min_width=60, elem_id="vote-all")
            none_good = gr.Button("None is good", size="sm", min_width=60, elem_id="vote-none")
            write = gr.Button("Write answers", size="sm", min_width=60, elem_id="compare-write")
            stop = gr.Button(
                "Stop", size="sm", variant="stop", min_width=60, elem_id="compare-stop", visible=False
            )
        answers = gr.HTML("", elem_id="compare-answers", js_on_load=read_static("compare.js"))
        votes_so_far = gr.HTML("", elem_id="tally")
    return _Pane(
        question, send, columns, collection, top, blind, result, reading, voting, votes, all_good, none_good,
        write, stop, answers, votes_so_far,
    )  # fmt: skip


def _choosers(
    assistant: Assistant, strategies: Choices, number: int, chosen: Sequence[str]
) -> tuple[gr.Dropdown, gr.Dropdown]:
    with gr.Column(min_width=160):
        strategy = gr.Dropdown(
            _offered(strategies, number), value=chosen[number] if number < len(chosen) else _NONE,
            label=f"Column {number + 1}", elem_id=f"compare-strategy-{number + 1}", min_width=150,
        )  # fmt: skip
        reranker = gr.Dropdown(
            reranker_choices(assistant), value=NO_RERANKER, label=f"Reranker {number + 1}",
            elem_id=f"compare-reranker-{number + 1}", min_width=150,
        )  # fmt: skip
    return strategy, reranker


def _offered(strategies: Choices, number: int) -> Choices:
    """Return what a column offers; those beyond the fewest may be left out."""
    return [*([(_NONE, _NONE)] if number >= FEWEST else []), *strategies]


def _connect_offers(assistant: Assistant, pane: _Pane, tab: gr.Tab) -> None:
    def offer() -> list[gr.Dropdown]:
        """Return new choices without values: what a person has chosen stays."""
        strategies, rerankers = strategy_choices(assistant.strategies()), reranker_choices(assistant)
        columns = [
            gr.Dropdown(choices=choices)
            for number in range(MOST)
            for choices in (_offered(strategies, number), rerankers)
        ]
        return [*columns, gr.Dropdown(choices=collection_choices(assistant))]

    chosen = [component for pair in pane.columns for component in pair]
    tab.select(offer, None, [*chosen, pane.collection], **_QUICK)


def _connect(compare: Compare, pane: _Pane, page: gr.Blocks) -> None:
    asked: gr.State = gr.State(None)
    job: gr.State = gr.State(None)
    sheet: gr.State = gr.State(None)
    voting = [pane.voting, *pane.votes]

    def shown(found: Asked | None) -> tuple[Any, ...]:
        if found is None:
            return None, None, EMPTY, "", "", gr.Row(visible=False), *(gr.Button() for _ in pane.votes)
        return (
            found, None, render_comparison(found.shown), "", "", gr.Row(visible=True), *buttons(found),
        )  # fmt: skip

    def buttons(found: Asked) -> list[gr.Button]:
        names = [name_of(found.shown, place) for place in range(len(found.shown.order))]
        return [
            gr.Button(names[place], visible=True) if place < len(names) else gr.Button(visible=False)
            for place in range(MOST)
        ]

    def ask(
        question: str, job: Job | None, collection: str, top: int, blind: bool, *chosen: str | None
    ) -> tuple[Any, ...]:
        if job is not None:
            job.stop()
        pairs = list(zip(chosen[::2], chosen[1::2], strict=True))
        try:
            found = compare.compare(question, pairs, collection=collection, top=top, blind=blind)
        except RagError as error:
            return None, None, render_error(str(error)), "", "", gr.Row(visible=False), *buttons_hidden()
        return shown(found)

    def buttons_hidden() -> list[gr.Button]:
        return [gr.Button(visible=False) for _ in pane.votes]

    def vote(
        preferred: Callable[[int], Sequence[int]],
    ) -> Callable[[Asked | None, Sheet | None], tuple[Any, ...]]:
        def keep(found: Asked | None, sheet: Sheet | None) -> tuple[Any, ...]:
            if found is None:
                return (gr.skip(),) * len(voted)
            try:
                named = compare.vote(found, preferred(len(found.shown.order)))
            except RagError as error:
                raise gr.Error(str(error), title="Not kept", print_exception=False) from error
            if sheet is not None:
                sheet.shown = named.shown
            return (
                named, render_comparison(named.shown), compare.tally(), _render_sheet(sheet), *buttons(named),
            )  # fmt: skip

        return keep

    def judge(found: Asked | None, event: gr.EventData) -> tuple[Any, ...]:
        if found is None:
            return gr.skip(), gr.skip()
        data = event._data
        try:
            judged = compare.judge(found, str(data.get("chunk")), int(str(data.get("grade")) == "1"))
        except RagError as error:
            raise gr.Error(str(error), title="Not kept", print_exception=False) from error
        return judged, render_comparison(judged.shown)

    chosen = [component for pair in pane.columns for component in pair]
    result = [asked, sheet, pane.result, pane.reading, pane.answers, *voting]
    gr.on(
        [pane.send.click, pane.question.submit],
        ask,
        [pane.question, job, pane.collection, pane.top, pane.blind, *chosen],
        result,
        api_visibility="private",
        show_progress="minimal",
        concurrency_limit=4,
    )
    voted = [asked, pane.result, pane.tally, pane.answers, *pane.votes]
    for place, button in enumerate(pane.votes):
        button.click(vote(partial(_only, place)), [asked, sheet], voted, **_QUICK)
    pane.all_good.click(vote(range), [asked, sheet], voted, **_QUICK)
    pane.none_good.click(vote(lambda _: []), [asked, sheet], voted, **_QUICK)
    pane.result.like(judge, [asked], [asked, pane.result], **_QUICK)
    _connect_reading(compare, pane, asked, sheet)
    _connect_answers(compare, pane, asked, sheet, job)
    page.load(compare.tally, None, [pane.tally], **_QUICK)
    pane.collection.focus(
        lambda: gr.Dropdown(choices=collection_choices(compare.assistant)), None, [pane.collection], **_QUICK
    )


def _connect_reading(compare: Compare, pane: _Pane, asked: gr.State, sheet: gr.State) -> None:
    """A card's passage, or the one that a marker in an answer names, is read below the columns."""

    def read(found: Asked | None, event: gr.EventData) -> str:
        hit = compare.hit(found, str(event._data.get("show"))) if found else None
        return render_passage(hit) if hit else ""

    def read_source(sheet: Sheet | None, event: gr.EventData) -> str:
        named = str(event._data.get("turn")), str(event._data.get("number"))
        hit = sheet.source(*named) if sheet else None
        return render_passage(hit) if hit else ""

    pane.result.select(read, [asked], [pane.reading], **_QUICK)
    pane.answers.select(read_source, [sheet], [pane.reading], **_QUICK).then(
        None,
        js="() => document.getElementById('reading')?.scrollIntoView({ block: 'nearest' })",
        api_visibility="private",
    )
    pane.reading.clear(lambda: "", None, [pane.reading], **_QUICK)


def _only(place: int, _: int) -> Sequence[int]:
    return [place]


def _render_sheet(sheet: Sheet | None) -> str:
    return render_answers(sheet.shown, sheet.turns) if sheet and sheet.turns else ""


def _connect_answers(compare: Compare, pane: _Pane, asked: gr.State, sheet: gr.State, job: gr.State) -> None:
    def begin_writing(found: Asked | None, job: Job | None) -> tuple[Any, ...]:
        if job is not None and job.running:
            raise gr.Error("Wait for the answers, or stop them.", print_exception=False)
        buttons = gr.Button(visible=False), gr.Button(visible=True)
        return (Job(), Sheet(found.shown), *buttons) if found else (None, None, *buttons)

    def write(found: Asked | None, sheet: Sheet | None, job: Job | None) -> Generator[str]:
        if found is None or sheet is None or job is None:
            return
        try:
            yield from compare.answers(found, sheet, job)
        finally:
            job.end()

    def settle(sheet: Sheet | None) -> tuple[Any, ...]:
        """Show the sheet once more: a vote or another question may have come between its last words."""
        return _render_sheet(sheet), gr.Button(visible=True), gr.Button(visible=False)

    def stop(job: Job | None) -> None:
        if job is not None:
            job.stop()

    begun = pane.write.click(begin_writing, [asked, job], [job, sheet, pane.write, pane.stop], **_QUICK)
    begun.success(
        write, [asked, sheet, job], [pane.answers], api_visibility="private", show_progress="hidden",
        concurrency_id="ask",
    ).then(settle, [sheet], [pane.answers, pane.write, pane.stop], **_QUICK)  # fmt: skip
    pane.stop.click(stop, [job], **_QUICK)
