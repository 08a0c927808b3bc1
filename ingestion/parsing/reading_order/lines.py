"""Repairs lines that PDFium breaks in the middle or runs together.

PDFium sometimes ends a line between two glyphs of one row: at every glyph of a table set in a scaled font
("3\\r\\n,\\r\\n5\\r\\n7"), at a raised footnote mark, between a label and its figure. Some fonts also encode
their space as a line feed, and sometimes PDFium writes a space where the next line begins. The boxes of the
two glyphs around a break tell the cases apart. Boxes cost as much time as the text, so only those at breaks
are read, and those at the spaces of a line that begins higher or lower than it ends.
"""

import re
from itertools import pairwise
from typing import NamedTuple, Protocol


class Glyph(NamedTuple):
    """A glyph's box: left < right, bottom < top."""

    left: float
    bottom: float
    right: float
    top: float


class Glyphs(Protocol):
    """The glyphs of a page by their index in its raw text."""

    def box(self, offset: int) -> Glyph | None:
        """None for a character without a box, such as PDFium's own spaces."""

    def is_level(self, offset: int) -> bool:
        """Whether its text is horizontal; PDFium does not break turned text."""


# PDFium's own break is "\r\n"; a single character is a glyph that its font encodes so.
_BREAKS = re.compile(r"[\r\n]+")
_OWN = "\r\n"
_LINE = re.compile(r"[^\s](?:[^\r\n]*[^\s])?")  # without the white space around it
_SPACES = re.compile(r"(?<=\S)[ \xa0]+(?=\S)")

# Of the lower glyph's height. Two glyphs of one row overlap by more than half of it, raised ones too; those
# of two lines by a fifth at most. Within words the gap is below 0.05 and a space is 0.2 or wider.
ROW_OVERLAP = 0.5
LINE_OVERLAP = 0.2
WORD_GAP = 0.1
KERNING = 0.5  # a glyph may begin this much before the one in front of it ends


def part_lines(raw: str, glyphs: Glyphs) -> str:
    """Replace a space by a line feed where the text continues in another line, further left."""
    parted: list[int] = []
    for line in _LINE.finditer(raw):
        first, last = glyphs.box(line.start()), glyphs.box(line.end() - 1)
        if first is None or last is None or _overlap(first, last) > LINE_OVERLAP * _lower(first, last):
            continue
        for space in _SPACES.finditer(raw, line.start(), line.end()):
            before, after = glyphs.box(space.start() - 1), glyphs.box(space.end())
            if (
                before is not None
                and after is not None
                and _goes_on_below(before, after)
                and glyphs.is_level(space.end())
            ):
                parted.append(space.start())
    pieces = [raw[start + 1 : end] for start, end in pairwise([-1, *parted, len(raw)])]
    return "\n".join(pieces)


def mend_rows(raw: str, glyphs: Glyphs) -> str:
    """Replace line breaks inside rows by NULs, or by a space between words.

    The length stays, so that each index keeps its glyph; `clean` drops the NULs. A break that leads to
    another line, or to the left, stays.
    """
    pieces: list[str] = []
    done = 0
    for match in _BREAKS.finditer(raw):
        filling = _filling(raw, match.start(), match.end(), glyphs)
        if filling is not None:
            pieces += (raw[done : match.start()], filling.ljust(match.end() - match.start(), "\0"))
            done = match.end()
    return "".join(pieces) + raw[done:]


def _filling(raw: str, start: int, end: int, glyphs: Glyphs) -> str | None:
    """The replacement of a break; None if the break is right."""
    before, after = start - 1, end
    while before >= 0 and raw[before] in " \xa0":
        before -= 1
    while after < len(raw) and raw[after] in " \xa0":
        after += 1
    found = raw[start:end]
    if before >= 0 and after < len(raw) and raw[before] not in _OWN and raw[after] not in _OWN:
        first, second = glyphs.box(before), glyphs.box(after)
        if (
            first is not None
            and second is not None
            and _share_a_row(first, second)
            and glyphs.is_level(before)
            and glyphs.is_level(after)
        ):
            spaced = before < start - 1 or after > end
            return (
                "" if spaced or (found == _OWN and not _is_apart(raw, before, after, first, second)) else " "
            )
    return _OWN if found != _OWN and _OWN in found else None


def _share_a_row(first: Glyph, second: Glyph) -> bool:
    height = _lower(first, second)
    return _overlap(first, second) > ROW_OVERLAP * height and second.left > first.right - KERNING * height


def _goes_on_below(first: Glyph, second: Glyph) -> bool:
    """Whether the second glyph is in another line, further left: below, or at the top of the next column."""
    return second.left < first.right and _overlap(first, second) <= LINE_OVERLAP * _lower(first, second)


def _overlap(first: Glyph, second: Glyph) -> float:
    return min(first.top, second.top) - max(first.bottom, second.bottom)


def _is_apart(raw: str, before: int, after: int, first: Glyph, second: Glyph) -> bool:
    """Whether a space belongs between two glyphs of a row: at a gap, or before a raised "1" or "TM"."""
    gap = second.left - first.right
    if gap > WORD_GAP * _lower(first, second):
        return True
    raised = abs(second.bottom - first.bottom) > WORD_GAP * _lower(first, second)
    return raised and raw[before].isalnum() and (raw[after].isdigit() or raw[after].isupper())


def _lower(first: Glyph, second: Glyph) -> float:
    return min(first.top - first.bottom, second.top - second.bottom)
