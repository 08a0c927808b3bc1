"""Columns of passages side by side, with lines between the same passages, and their answers.

Cards have a fixed height, so that the lines meet them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.filesize import decimal

from rag_app.evaluation.votes import Tally
from retrievers.comparison import Column, StrategyComparison
from retrievers.hits import Hit
from ui.components.conversation import render_turn
from ui.components.text import escape, milliseconds, plural, stage_times
from ui.components.turns import ChatTurn

EMPTY = (
    '<div class="empty"><b>One question, two to four strategies.</b> Each column shows what one of them '
    "finds; lines join the same passages. Ask a question above.</div>"
)

# Pixels: static/compare.css gives cards and gutters these sizes.
CARD, GAP, GUTTER = 118, 8, 56
_PREVIEW = 220
# Stages of one search, in the order of their colours.
_COLOURS = 8


@dataclass(frozen=True, slots=True)
class ComparisonView:
    """A comparison as a page shows it.

    Attributes:
        order: The columns' indexes, in the order in which they stand.
        blind: Names, and all that would give them away, are hidden.
        voted: The preferred places, once the person has voted.
        grades: Judgements of passages by chunk id, 1 answers the question, 0 does not.
    """

    comparison: StrategyComparison
    order: tuple[int, ...]
    blind: bool = False
    voted: tuple[int, ...] | None = None
    grades: Mapping[str, int] | None = None

    @property
    def columns(self) -> list[Column]:
        return [self.comparison.columns[place] for place in self.order]


def letter(place: int) -> str:
    """Return a column's name while its own is hidden."""
    return "ABCD"[place]


def name_of(view: ComparisonView, place: int) -> str:
    """Return the name of the column that stands at a place."""
    return letter(place) if view.blind else view.columns[place].name


def render_comparison(view: ComparisonView) -> str:
    """Return the columns with their heads, cards and lines, then the passages that they share."""
    columns = view.columns
    if not any(column.hits for column in columns):
        return '<div class="empty"><b>Nothing was found.</b> Add documents, or ask in other words.</div>'
    rows = max(len(column.hits) for column in columns)
    height = rows * (CARD + GAP)
    # The slowest column's bar has the full length.
    slowest = max(column.timings_ms.get("total", 0.0) for column in columns) or 1.0
    parts: list[str] = []
    for place, column in enumerate(columns):
        if place:
            parts.append(_lines(columns[place - 1], column, height))
        parts.append(_column(view, place, column, slowest))
    template = f" {GUTTER}px ".join(["minmax(220px, 1fr)"] * len(columns))
    return (
        f'<div class="asked">{escape(view.comparison.question)}</div>'
        f'<div class="scroll" tabindex="0" role="region" aria-label="Passages by strategy">'
        f'<div class="columns" style="grid-template-columns: {template}">{"".join(parts)}</div></div>'
        f"{_overlaps(view)}"
    )


def _column(view: ComparisonView, place: int, column: Column, slowest: float) -> str:
    others = [other for number, other in enumerate(view.columns) if number != place]
    elsewhere = {hit.chunk.id for other in others for hit in other.hits}
    cards = "".join(_card(view, hit, alone=hit.chunk.id not in elsewhere) for hit in column.hits)
    chosen = " chosen" if view.voted is not None and place in view.voted else ""
    return (
        f'<section class="column{chosen}" aria-label="{escape(name_of(view, place))}">'
        f"<header><h3>{escape(name_of(view, place))}</h3>{_cost(view, column, slowest)}</header>"
        f"<ol>{cards}</ol></section>"
    )


def _cost(view: ComparisonView, column: Column, slowest: float) -> str:
    """Return latency by stage and stored bytes; while names are hidden, nothing that gives them away."""
    if view.blind:
        return '<div class="cost">Its name shows after the vote.</div>'
    stages = [(name, value) for name, value in column.timings_ms.items() if name != "total" and value > 0]
    total = column.timings_ms.get("total", 0.0)
    bar = "".join(
        f'<i class="s{number % _COLOURS}" style="width: {100 * value / slowest:.2f}%" '
        f'title="{escape(name)} {milliseconds(value)}"></i>'
        for number, (name, value) in enumerate(stages)
    )
    exact = "" if column.exact else " · approximate"
    return (
        f'<div class="cost"><div class="bar" aria-hidden="true">{bar}</div>'
        f"<b>{milliseconds(total)}</b> · {decimal(column.stored_bytes)} stored{exact}"
        f'<div class="stages">{stage_times(column.timings_ms)}</div></div>'
    )


def _card(view: ComparisonView, hit: Hit, *, alone: bool) -> str:
    chunk = hit.chunk
    grade = (view.grades or {}).get(chunk.id)
    score = "" if view.blind else f'<span class="score">{hit.score:.3f}</span>'
    only = '<span class="only" title="No other column has it">only here</span>' if alone else ""
    preview = " ".join(chunk.text.split())
    cut = preview if len(preview) <= _PREVIEW else f"{preview[:_PREVIEW].rstrip()}…"
    judging = "".join(
        f'<button type="button" data-grade="{value}" data-chunk="{escape(chunk.id)}" '
        f'aria-pressed="{str(grade == value).lower()}" title="{title}" aria-label="{title}">{label}</button>'
        for value, label, title in (
            (1, "✓", "This passage answers the question"),
            (0, "✗", "This passage does not answer the question"),
        )
    )
    return (
        f'<li class="passage-card{" alone" if alone else ""}"><div class="line"><span '
        f'class="rank">{hit.rank}</span>'
        f'<bdi class="document">{escape(chunk.document)}</bdi><span class="page">p. '
        f"{chunk.page}</span>{score}</div>"
        f'<p dir="auto">{escape(cut)}</p><div class="line foot">{only}'
        f'<button type="button" data-show="{escape(chunk.id)}">Read</button>{judging}</div></li>'
    )


def _lines(left: Column, right: Column, height: int) -> str:
    """Return lines from each passage of a column to the same passage of the next."""
    ranks = {hit.chunk.id: hit.rank for hit in right.hits}
    drawn = "".join(_line(hit.rank, ranks[hit.chunk.id]) for hit in left.hits if hit.chunk.id in ranks)
    return (
        f'<svg class="lines" width="{GUTTER}" height="{height}" viewBox="0 0 {GUTTER} {height}" '
        f'aria-hidden="true">{drawn}</svg>'
    )


def _line(before: int, after: int) -> str:
    """Return a line; the number at its end is how many ranks the passage rose or fell."""
    y1, y2 = middle(before), middle(after)
    kind = "same" if before == after else "up" if after < before else "down"
    bend = GUTTER / 2
    label = ""
    if kind != "same":
        sign = "↑" if kind == "up" else "↓"
        moved = f"{sign}{abs(before - after)}"
        label = f'<text x="{GUTTER - 4}" y="{y2 - 5:.0f}" text-anchor="end">{moved}</text>'
    path = f"M0 {y1:.1f} C{bend} {y1:.1f} {bend} {y2:.1f} {GUTTER} {y2:.1f}"
    return f'<path class="{kind}" d="{path}"/>{label}'


def middle(rank: int) -> float:
    """Return the middle of a rank's card in pixels below the first card's top."""
    return (rank - 1) * (CARD + GAP) + CARD / 2


def _overlaps(view: ComparisonView) -> str:
    places = {column: place for place, column in enumerate(view.order)}
    rows = "".join(
        f'<tr><th scope="row">{escape(name_of(view, left))} and {escape(name_of(view, right))}</th>'
        f"<td>{overlap.shared} of {overlap.either}</td>"
        f'<td><meter min="0" max="1" value="{overlap.share:.3f}" aria-label="share"></meter></td></tr>'
        for overlap in view.comparison.overlaps
        for left, right in [sorted((places[overlap.left], places[overlap.right]))]
    )
    encode = (
        ""
        if view.blind
        else f"<p>The question's vectors took {milliseconds(view.comparison.encode_ms)}, once for all "
        f"columns.</p>"
    )
    return (
        '<div class="overlap"><table><caption>Passages that two columns share</caption>'
        f"<tbody>{rows}</tbody></table>{encode}</div>"
    )


def render_passage(hit: Hit) -> str:
    """Return a whole passage, to be read below the columns."""
    chunk = hit.chunk
    heading = f'<div class="heading">{escape(chunk.heading)}</div>' if chunk.heading else ""
    return (
        f'<article class="reading"><header><bdi>{escape(chunk.document)}</bdi>, page {chunk.page}'
        '<button type="button" data-close aria-label="Close the passage">×</button></header>'
        f'{heading}<div class="passage" dir="auto">{escape(chunk.text)}</div></article>'
    )


def render_tally(tallies: Sequence[Tally], questions: int) -> str:
    """Return the result of the votes so far."""
    if not tallies:
        return '<p class="note">No votes yet.</p>'
    rows = "".join(
        f'<tr><th scope="row">{escape(one.contender.name)}</th><td>{one.won}</td><td>{one.lost}</td>'
        f"<td>{one.even}</td></tr>"
        for one in tallies
    )
    return (
        f'<table class="tally"><caption>Head-to-head results, {plural(questions, "question")}'
        '</caption><thead><tr><th scope="col">strategy</th><th scope="col">preferred</th>'
        '<th scope="col">not preferred</th><th scope="col">even</th></tr></thead>'
        f"<tbody>{rows}</tbody></table>"
    )


def render_answers(view: ComparisonView, turns: Sequence[ChatTurn]) -> str:
    """Return the answers so far, in columns; nothing for none."""
    if not turns:
        return ""
    columns = "".join(
        f'<section aria-label="Answer of {escape(name_of(view, place))}">'
        f"<h3>{escape(name_of(view, place))}</h3>{_answer(view, turn)}</section>"
        for place, turn in enumerate(turns)
    )
    return f'<div class="answers">{columns}</div>'


def _answer(view: ComparisonView, turn: ChatTurn) -> str:
    """Return an answer; while names are hidden without its stamp and its error, which may name them."""
    if not view.blind:
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
