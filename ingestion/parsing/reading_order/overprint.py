"""Removes copies of text that is drawn twice to look bold or shadowed.

PDFium leaves out a copy that is drawn right after its original, piece by piece. Other copies come out as
words: a block drawn again below its last line, bold words drawn again at the end, a line drawn again in
other pieces. Boxes are read only where a line begins on another line or repeats its own beginning.
"""

import math
from collections.abc import Iterator

from ingestion.parsing.reading_order.lines import Glyph, Glyphs
from ingestion.parsing.reading_order.segments import Span, line_spans

# Of a glyph's height. A bold copy is shifted by 0.02 to 0.05, a shadow by up to 0.12; the second "l" of "ll"
# by 0.19.
_SHIFT = 0.13
_CELL = 4.0  # points; places are kept in a grid
_MOST_CHARACTERS = 30_000  # in lines that may hold copies
_SAME_BEGINNING = 8  # characters of a line that come again in it
_SAME_WORD = 3  # characters that a copy begins with and its original has somewhere


def without_copies(raw: str, glyphs: Glyphs) -> str:
    """Replace characters that were drawn at the same place before by NULs; the length stays."""
    suspects = _suspects(raw, line_spans(raw), glyphs)
    if not suspects or sum(end - start for start, end in suspects) > _MOST_CHARACTERS:
        return raw
    drawn: dict[tuple[str, int, int], list[Glyph]] = {}
    out = list(raw)
    for start, end in suspects:
        copies = [offset for offset in range(start, end) if _is_copy(raw[offset], glyphs.box(offset), drawn)]
        for offset in copies:
            first = offset
            while first > start and raw[first - 1] in " \xa0":
                first -= 1
            out[first : offset + 1] = "\0" * (offset + 1 - first)
        if copies and not "".join(out[start:end]).strip(" \xa0\0"):
            behind = end
            while behind < len(raw) and raw[behind] in "\r\n \xa0":
                behind += 1
            out[start:behind] = "\0" * (behind - start)
    return "".join(out)


def _suspects(raw: str, spans: list[Span], glyphs: Glyphs) -> list[Span]:
    """Lines that lie on other lines, those other lines, and lines that repeat their own beginning."""
    found: set[Span] = set()
    boxes: list[tuple[Glyph, Glyph, Span]] = []
    lowest, rises = math.inf, False
    for start, end in spans:
        if raw.find(raw[start : start + _SAME_BEGINNING], start + 1, end) > 0 and _comes_twice(
            raw, start, end, glyphs
        ):
            found.add((start, end))
        first, last = glyphs.box(start), glyphs.box(end - 1)
        if first is not None and last is not None:
            boxes.append((first, last, (start, end)))
            rises = rises or first.bottom >= lowest
            lowest = min(lowest, first.bottom)
    if rises:  # on most pages each line is below the one before it
        found |= _lying_on_others(raw, boxes)
    return sorted(found)


def _lying_on_others(raw: str, boxes: list[tuple[Glyph, Glyph, Span]]) -> set[Span]:
    found: set[Span] = set()
    rows: dict[int, list[tuple[Glyph, Glyph, Span]]] = {}
    for first, last, (start, end) in boxes:
        row = int((first.bottom + first.top) / 2 / _CELL)
        shift = _SHIFT * (first.top - first.bottom)
        for other_first, other_last, other in _nearby(rows, row):
            if (
                abs(other_first.bottom - first.bottom) <= shift
                and other_first.left - shift <= first.left < other_last.right
                and raw.find(raw[start : min(start + _SAME_WORD, end)], *other) >= 0
            ):
                found |= {(start, end), other}
        rows.setdefault(row, []).append((first, last, (start, end)))
    return found


def _nearby(
    rows: dict[int, list[tuple[Glyph, Glyph, Span]]], row: int
) -> Iterator[tuple[Glyph, Glyph, Span]]:
    for number in (row - 1, row, row + 1):
        yield from rows.get(number, ())[:50]


def _comes_twice(raw: str, start: int, end: int, glyphs: Glyphs) -> bool:
    """Whether the beginning of a line comes again in it, at the same place on the page."""
    again = raw.find(raw[start : start + _SAME_BEGINNING], start + 1, end)
    return again > 0 and _at_one_place(start, again, glyphs)


def _at_one_place(one: int, two: int, glyphs: Glyphs) -> bool:
    first, second = glyphs.box(one), glyphs.box(two)
    return (
        first is not None
        and second is not None
        and abs(first.left - second.left) <= _SHIFT * (first.top - first.bottom)
    )


def _is_copy(character: str, box: Glyph | None, drawn: dict[tuple[str, int, int], list[Glyph]]) -> bool:
    """Whether the character was drawn here before; if not, it is recorded as drawn."""
    if box is None or character in " \xa0\0":
        return False
    shift = _SHIFT * (box.top - box.bottom)
    column, row = int(box.left / _CELL), int(box.bottom / _CELL)
    reach = range(-1 - int(shift / _CELL), 2 + int(shift / _CELL)) if shift < 10 * _CELL else range(0)
    for x in reach:
        for y in reach:
            for other in drawn.get((character, column + x, row + y), ()):
                if abs(other.left - box.left) <= shift and abs(other.bottom - box.bottom) <= shift:
                    return True
    drawn.setdefault((character, column, row), []).append(box)
    return False
