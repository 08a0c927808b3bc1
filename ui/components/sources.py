"""The sources of one answer: numbered cards, with the cited words marked."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

from rag_app.answering.answers import Citation, Evidence
from retrievers.hits import Hit
from ui.components.conversation import Turn, source_id
from ui.components.text import Span, escape, marked, milliseconds, plural
from ui.components.viewer import Place, opens

EMPTY = (
    '<div class="empty"><b>No evidence yet.</b> Each answer shows here what it rests on: '
    "document, page, score, the passage with the cited words marked, and why it was found.</div>"
)

# What was said of passages (1 answers the question, 0 does not), by chunk.
Grades = Mapping[str, int]
# Where no answer cites, so many passages are shown unfolded; the others unfold on a click.
_UNFOLDED = 2
# Characters from which on a line is taken to be prose that was wrapped.
_PROSE = 55

_NOTHING = "<b>Nothing was found.</b> Add documents, or ask in other words."


def render_sources(turn: Turn | None, grades: Grades | None = None) -> str:
    """Return the cards of a turn: its evidence, cited or not, then what was found beside it."""
    grades = grades or {}
    if turn is None:
        return EMPTY
    if turn.error is not None:
        return '<div class="empty">No sources: the question failed.</div>'
    if turn.found is None:
        # Of one that was kept, nobody knows whether passages had been found.
        ended = "No sources: the question was stopped before it was answered."
        return f'<div class="empty">{"Searching …" if turn.pending else ended}</div>'
    result, answer = turn.found.result, turn.answer
    if not result.hits:
        said = answer is not None and not answer.abstained
        none = "No documents were read for this reply." if said else _NOTHING
        return f'<div class="empty">{none}</div>'
    summary = _summary(turn, result.timings_ms, len(result.hits), exact=result.exact)
    if answer is not None and answer.abstained:
        cards = [
            _card(turn.number, hit.rank, hit, grades, unfolded=hit.rank <= _UNFOLDED)
            for hit in answer.nearest
        ]
        return f"{summary}{_list('Nearest passages', cards)}"
    evidence = answer.evidence if answer else turn.found.packed.evidence
    citations = answer.citations if answer else ()
    used = {item.hit.chunk.id for item in evidence}
    cited: list[str] = []
    read: list[str] = []
    for place, item in enumerate(evidence):
        spans = cited_spans(item, citations)
        unfolded = bool(spans) if citations else place < _UNFOLDED
        card = _card(turn.number, item.number, item.hit, grades, spans=spans, unfolded=unfolded)
        (cited if spans else read).append(card)
    others = [
        _card(turn.number, None, hit, grades, unfolded=turn.search_only and hit.rank <= _UNFOLDED)
        for hit in result.hits
        if hit.chunk.id not in used
    ]
    return (
        summary
        + _list("Cited", cited)
        + _list("Read, not cited" if citations else "Passages", read)
        + _list("Found" if turn.search_only else "Found, not read", others)
    )


def cited_spans(evidence: Evidence, citations: Sequence[Citation]) -> list[Span]:
    """Return the cited characters of the evidence's chunk, counted from the chunk's start."""
    chunk = evidence.hit.chunk
    return [
        (citation.start - chunk.start, citation.end - chunk.start)
        for citation in citations
        if citation.marker == evidence.number
        and citation.document_id == chunk.document_id
        and citation.page == chunk.page
    ]


def flow(text: str) -> str:
    """Return `text` with the line ends of running prose turned into spaces; as long as before.

    A PDF breaks its lines where its page ends, not where this column does. Short lines (headings,
    tables) keep their ends.
    """
    lines = text.split("\n")
    ends = [" " if len(line) >= _PROSE and following.strip() else "\n" for line, following in pairwise(lines)]
    return "".join(line + end for line, end in zip(lines, [*ends, ""], strict=True))


def _summary(turn: Turn, timings: Mapping[str, float], found: int, *, exact: bool) -> str:
    stages = " · ".join(
        f"{escape(stage)} {milliseconds(value)}" for stage, value in timings.items() if stage != "total"
    )
    total = f" in {milliseconds(timings['total'])}" if "total" in timings else ""
    how = "" if exact else ' <span title="A better passage may be missing.">(approximate)</span>'
    by = escape(turn.found.result.strategy) if turn.found else ""
    return (
        f'<div class="summary"><div class="asked">{escape(turn.question)}</div>'
        f"{plural(found, 'passage')} by <b>{by}</b>{how}{total}"
        f'<div class="stages">{stages}</div></div>'
    )


def _list(title: str, cards: Sequence[str]) -> str:
    if not cards:
        return ""
    return f"<h3>{escape(title)}</h3><ol>{''.join(f'<li>{card}</li>' for card in cards)}</ol>"


def _card(
    turn: int,
    number: int | None,
    hit: Hit,
    grades: Grades,
    *,
    spans: Sequence[Span] = (),
    unfolded: bool = False,
) -> str:
    chunk = hit.chunk
    name = f'<span class="number">{number}</span>' if number is not None else ""
    identity = f' id="{source_id(turn, number)}"' if number is not None else ""
    heading = f'<div class="heading">{escape(chunk.heading)}</div>' if chunk.heading else ""
    return (
        f'<details class="card{" cited" if spans else ""}"{identity}{" open" if unfolded else ""}>'
        f'<summary>{name}<bdi class="document">{escape(chunk.document)}</bdi>'
        f'<span class="page">page {chunk.page}</span>'
        f'<span class="score" title="score by which it was ranked">{hit.score:.3f}</span></summary>'
        f'{heading}<div class="passage" dir="auto">{marked(flow(chunk.text), spans)}</div>'
        f"{_scores(hit)}{_actions(turn, hit, grades.get(chunk.id))}</details>"
    )


def _scores(hit: Hit) -> str:
    parts = [f"rank {hit.rank}", *(f"{escape(name)} {score:.3f}" for name, score in hit.scores.items())]
    return f'<div class="scores">{" · ".join(parts)}</div>'


def _actions(turn: int, hit: Hit, grade: int | None) -> str:
    place = Place(turn, hit.chunk.id, hit.chunk.document_id, hit.chunk.page)
    judging = "".join(
        f'<button type="button" data-grade="{value}" data-turn="{turn}" data-chunk="{escape(hit.chunk.id)}" '
        f'aria-pressed="{str(grade == value).lower()}" title="{title}">{label}</button>'
        for value, label, title in (
            (1, "Answers it", "Keep this passage as one that answers the question"),
            (0, "Does not", "Keep this passage as one that does not answer the question"),
        )
    )
    return (
        f'<div class="actions"><button type="button" class="main" {opens(place, "page")}>Show page</button>'
        f'<button type="button" {opens(place, "why")}>Why?</button><span class="gap"></span>{judging}</div>'
    )
