"""The lines of a page cut at wide gaps.

A segment is the part of a line that belongs to one column or one table cell.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from ingestion.parsing.geometry.places import union
from ingestion.parsing.reading_order.lines import Glyph, Glyphs

# Of the lower glyph's height, which is about 1.2 times the font's size. Spaces are 0.2 to 0.3 wide, rarely
# 0.7 in justified lines; columns and cells are further apart.
WIDE_GAP = 0.8

# A hyphen at a line end takes the break's place: PDFium writes U+FFFE for both.
_LINE = re.compile(r"[^\s\0\ufffe](?:[^\r\n\ufffe]*[^\s\0\ufffe])?\ufffe?")
_SPACES = re.compile(r"(?<=\S)[ \xa0\0]+(?=\S)")


Span = tuple[int, int]


class LineSegment(NamedTuple):
    """Characters `start` to `end` of a page's raw text, without white space at either end, and their box."""

    start: int
    end: int
    left: float
    bottom: float
    right: float
    top: float

    @property
    def height(self) -> float:
        return self.top - self.bottom

    @property
    def middle(self) -> float:
        return (self.bottom + self.top) / 2


def line_spans(raw: str) -> list[Span]:
    """The span of each line, without the white space and NULs around it."""
    return [line.span() for line in _LINE.finditer(raw)]


def wide_gaps(raw: str, start: int, end: int, glyphs: Glyphs) -> Iterator[tuple[int, int, float, float]]:
    """The wide gaps of a line: where each begins and ends in `raw`, and on the page."""
    for space in _SPACES.finditer(raw, start, end):
        before, after = glyphs.box(space.start() - 1), glyphs.box(space.end())
        if before is None or after is None:
            continue
        low = min(before.top - before.bottom, after.top - after.bottom)
        if before.left >= after.right and before.left - after.right > WIDE_GAP * low:
            yield space.start(), space.end(), after.right, before.left  # from right to left
        elif after.left - before.right > WIDE_GAP * low:
            yield space.start(), space.end(), before.right, after.left


def segments(raw: str, glyphs: Glyphs) -> list[LineSegment]:
    """The segments of a page in the order of its text, without those that have no box."""
    found = []
    for start, end in line_spans(raw):
        begin = start
        for first, behind, _, _ in wide_gaps(raw, start, end, glyphs):
            found.append(line_box(begin, first, glyphs))
            begin = behind
        found.append(line_box(begin, end, glyphs))
    return [segment for segment in found if segment is not None]


def line_box(start: int, end: int, glyphs: Glyphs) -> LineSegment | None:
    """Part of a line with its box, which is that of its first and its last glyph."""
    first = _first_box(range(start, end), glyphs)
    last = _first_box(range(end - 1, start - 1, -1), glyphs)
    if first is None or last is None:
        return None
    return LineSegment(start, end, *union((first, last)))


def _first_box(offsets: range, glyphs: Glyphs) -> Glyph | None:
    for offset in offsets[:8]:  # a glyph without a box is rare, and eight in a row are no text
        if (box := glyphs.box(offset)) is not None:
            return box
    return None
