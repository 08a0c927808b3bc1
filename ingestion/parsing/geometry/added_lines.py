"""Adds text that PDFium does not have (form fields, comments, recognised text) to a page, with its places."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from ingestion.documents import ELSEWHERE, Page, PageLayout
from ingestion.parsing.frames import MAX_LAYOUT_PIECES
from ingestion.parsing.geometry.places import Place

PARAGRAPH = "\n\n"


@dataclass(frozen=True, slots=True)
class AddedLine:
    """A line to add to a page; `place` is None if it is unknown."""

    text: str
    place: Place | None


def with_lines(page: Page, lines: Sequence[AddedLine], size: tuple[float, float], longest: int) -> Page:
    """The page with the lines below its text.

    Args:
        page: As read from the file.
        lines: In order; the last ones are left out if the page would be longer than `longest`.
        size: Of the page in points.
        longest: Characters that a page may have.
    """
    room = longest - len(page.text) - len(PARAGRAPH)
    lengths = accumulate(len(line.text) + 1 for line in lines)
    lines = [line for line, length in zip(lines, lengths, strict=True) if length <= room]
    if not lines:
        return page
    words: list[tuple[int, int, float, float, float, float]] = []
    length = 0
    for line in lines:
        if line.place is not None:
            words.append((length, length + len(line.text), *_within(line.place, size)))
        length += len(line.text) + 1
    added = Page(
        page.number, "\n".join(line.text for line in lines), layout=PageLayout(*size, words=tuple(words))
    )
    return joined(page, added)


def joined(first: Page, second: Page) -> Page:
    """Two pages' texts as one page, with a blank line between them; each text keeps its places.

    The result has the number and label of `first`, and a layout if either page has one.
    """
    if not second.text.strip():
        return first
    if not first.text.strip():
        return replace(second, number=first.number, label=first.label)
    text = first.text.rstrip("\n")
    shift = len(text) + len(PARAGRAPH)
    layout = first.layout or second.layout
    if layout is not None:
        runs = (*_runs(first), (len(text), ELSEWHERE), *((at + shift, index) for at, index in _runs(second)))
        words = [word for word in first.layout.words if word[1] <= len(text)] if first.layout else []
        if second.layout:
            words += [(start + shift, end + shift, *box) for start, end, *box in second.layout.words]  # type: ignore[misc]
        layout = replace(
            layout,
            runs=_merged(runs) if len(runs) <= MAX_LAYOUT_PIECES else (),
            words=tuple(words[:MAX_LAYOUT_PIECES]),
        )
    return replace(first, text=text + PARAGRAPH + second.text, layout=layout)


def _runs(page: Page) -> tuple[tuple[int, int], ...]:
    """The page's runs; a text without runs does not come from PDFium."""
    return (page.layout.runs if page.layout else ()) or ((0, ELSEWHERE),)


def _merged(runs: Sequence[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Runs without duplicates: the last run of each offset, and one run for each stretch of ELSEWHERE."""
    found: list[tuple[int, int]] = []
    for at, index in sorted(dict(runs).items()):
        if not (found and index == ELSEWHERE == found[-1][1]):
            found.append((at, index))
    return tuple(found)


def _within(place: Place, size: tuple[float, float]) -> Place:
    """The place, cut at the page's sides."""
    width, height = size
    left, right = (min(max(side, 0.0), width) for side in (place[0], place[2]))
    top, bottom = (min(max(side, 0.0), height) for side in (place[1], place[3]))
    return round(left, 2), round(top, 2), round(max(left, right), 2), round(max(top, bottom), 2)
