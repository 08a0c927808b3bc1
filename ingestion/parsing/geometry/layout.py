"""Raw pages of a PDF library, and the map from cleaned text back to the library's characters."""

import math
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ingestion.documents import ELSEWHERE, CellPlace, Page, PageLayout
from ingestion.parsing.frames import MAX_LAYOUT_PIECES, MAX_POINTS
from ingestion.parsing.geometry.added_lines import AddedLine
from ingestion.text.cleaning import Runs, clean_with_runs


@dataclass(frozen=True, slots=True)
class RawPage:
    """A page's text before cleaning.

    Attributes:
        text: In reading order.
        unreadable: The share of characters that are glyph numbers instead of letters, 0.0 to 1.0.
        size: Width and height of the page in points; None if only the text is known.
        indices: PDFium's character index of each character; None if it is the offset in `text`.
        added: Fields and comments of the page, which are not in its text.
        tables: Cells of the page's tables, as in `PageLayout.tables`, with offsets in `text`.
        is_suspect: Whether pictures on the page may show text that `text` lacks.
    """

    text: str
    unreadable: float
    size: tuple[float, float] | None = None
    indices: Sequence[int] | None = None
    added: tuple[AddedLine, ...] = ()
    tables: tuple[CellPlace, ...] = ()
    is_suspect: bool = False


def page_of(number: int, raw: RawPage) -> Page:
    """The page as it is stored; it has no layout if its size is unknown or impossible."""
    text, runs = clean_with_runs(raw.text)
    if raw.size is None or not all(math.isfinite(side) and 0 < side <= MAX_POINTS for side in raw.size):
        return Page(number, text)
    tables = tuple(_mapped(raw.tables, runs, text))
    if raw.indices is not None:
        runs = _through(runs, len(text), raw.indices)
    width, height = raw.size
    drawable = runs if len(runs) <= MAX_LAYOUT_PIECES else ()
    return Page(number, text, layout=PageLayout(width, height, drawable, tables=tables[:MAX_LAYOUT_PIECES]))


def _mapped(tables: Sequence[CellPlace], runs: Runs, text: str) -> Iterator[CellPlace]:
    """The cells with offsets in the cleaned text; those that cleaning left nothing of are left out."""
    origins = [index for _, index in runs]
    ends = [*(offset for offset, _ in runs[1:]), len(text)]

    def cleaned(raw_offset: int) -> int:
        place = bisect_right(origins, raw_offset) - 1
        if place < 0:
            return 0
        offset, index = runs[place]
        return min(offset + raw_offset - index, ends[place])

    for table, row, column, width, indent, start, end in tables:
        first, last = cleaned(start), cleaned(end)
        if text[first:last].strip():
            yield table, row, column, width, indent, first, last


def _through(runs: Runs, length: int, indices: Sequence[int]) -> Runs:
    """Runs into the raw text as runs into the characters that `indices` lists."""
    found: list[tuple[int, int]] = []
    expected = -1
    ends = [*(offset for offset, _ in runs[1:]), length]
    for (start, index), end in zip(runs, ends, strict=True):
        for offset in range(start, end):
            character = indices[index + offset - start]
            if character != expected:
                found.append((offset, character))
            expected = character + 1 if character != ELSEWHERE else ELSEWHERE
    return tuple(found)
