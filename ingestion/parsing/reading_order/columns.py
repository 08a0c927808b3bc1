"""Puts columns that a file writes row by row one after the other.

Some programs write a page of two columns as rows across both: PDFium then reads across the gutter, and no
sentence is whole. Tables are written so too, and there the rows are right. Prose tells columns from tables:
lines of several words that fill their column and continue in the next line, on both sides of a gutter that no
line crosses. In doubt the rows stay.
"""

import re
from bisect import bisect_left, bisect_right
from collections import Counter
from itertools import pairwise

from ingestion.parsing.reading_order.lines import Glyph, Glyphs
from ingestion.parsing.reading_order.segments import LineSegment, Span, line_spans, segments, wide_gaps

# The least number of prose lines on each side of a gutter, and of changes from one side to the other.
_LEAST_LINES = 3
_LEAST_CHANGES = 4
# Shares of a column's lines. The first is low for German, which capitalises nouns.
_LEAST_CONTINUING = 0.3
_LEAST_FULL = 0.6
_LEAST_WORDS = 3.0  # a line, on average
_LETTERS_A_WORD = 6  # where words are not set apart, as in Chinese
_MOST_DIGITS = 0.12  # of a column's characters
# A line is full if the next line's first word would extend it beyond this share of its column's width.
_FULL = 0.85
# Of a line's height: a larger distance to the next line ends a block.
_BLOCK_GAP = 1.6
# Numbers of lines that are sampled to see whether a page has gutters at all.
_SPREAD, _SAMPLE = 4, 6
_MOST_SEGMENTS = 5000
_MOST_GUTTERS = 3  # that are tried for one block
_TRIES = 3  # gutters of one page that differ, such as of two columns above three

_OPEN = re.compile(r"[^\W\d_]|[(\"'“„«‘]")
_DIGIT = re.compile(r"\d")
_CLOSED = (".", "!", "?", ":", ";", "。", "؟", "！", "？")


def column_order(raw: str, glyphs: Glyphs) -> list[LineSegment] | None:
    """The segments of a page column by column; None if the text's own order is right."""
    return in_columns(raw, segments(raw, glyphs)) if _may_have_columns(raw, glyphs) else None


def in_columns(
    text: str, found: list[LineSegment], *, rightmost_first: bool = False
) -> list[LineSegment] | None:
    """The segments of a text column by column; None if their order is right.

    Args:
        text: The text of the page.
        found: Its segments, in its order.
        rightmost_first: Whether the columns are read from right to left.
    """
    if len(found) > _MOST_SEGMENTS:
        return None
    ordered = _Columns(text, rightmost_first=rightmost_first).ordered(found)
    return ordered if ordered != found else None


def _may_have_columns(raw: str, glyphs: Glyphs) -> bool:
    """Whether several lines of prose have a wide gap, or lines alternate between places side by side."""
    spans = line_spans(raw)
    if len(spans) < _LEAST_LINES:
        return False
    spread = spans[len(spans) // (2 * _SPREAD) :: max(1, len(spans) // _SPREAD)]
    if any(any(wide_gaps(raw, *span, glyphs)) for span in spread):
        prose = [span for span in spans if _is_line_of_prose(raw[slice(*span)])]
        sample = prose[:: max(1, len(prose) // _SAMPLE)]
        gaps = sum(any(wide_gaps(raw, *span, glyphs)) for span in sample)
        if len(prose) >= _LEAST_LINES and 2 * gaps >= len(sample):
            return True
    return _take_turns(raw, spans, glyphs)


def _take_turns(raw: str, spans: list[Span], glyphs: Glyphs) -> bool:
    """Whether several lines stand beside the line before them."""
    beside = 0
    last: Glyph | None = None
    for start, end in spans:
        first = glyphs.box(start)
        if first is not None and last is not None and first.left > last.right and first.top > last.bottom:
            beside += raw.count(" ", start, end) + 1 >= _LEAST_WORDS
        last = glyphs.box(end - 1)
    return beside >= _LEAST_LINES


def _is_line_of_prose(line: str) -> bool:
    return line.count(" ") >= 2 * _LEAST_WORDS - 1 and _digits(line) <= _MOST_DIGITS


def _digits(text: str) -> float:
    return len(_DIGIT.findall(text)) / max(1, len(text))


class _Columns:
    def __init__(self, raw: str, *, rightmost_first: bool) -> None:
        self._raw = raw
        self._rightmost_first = rightmost_first

    def ordered(self, found: list[LineSegment], tries: int = _TRIES) -> list[LineSegment]:
        gutters = _gutters(found)[:1] if tries and self._may_be_prose(found) else []
        if not gutters:
            return found
        ordered: list[LineSegment] = []
        for block in _blocks(found, gutters[0]):
            columns = self._columns(block, _TRIES)
            if columns is None:
                ordered += self.ordered(block, tries - 1) if len(block) < len(found) else block
            else:
                ordered += [segment for column in columns for segment in column]
        return ordered

    def _columns(self, block: list[LineSegment], depth: int) -> list[list[LineSegment]] | None:
        """The block's columns in reading order; None if it has none or is a table."""
        if len(block) < 2 * _LEAST_LINES or not depth or not self._may_be_prose(block):
            return None
        for gutter in _gutters(block):
            sides = [s for s in block if s.right <= gutter], [s for s in block if s.left >= gutter]
            if sum(map(len, sides)) < len(block) or min(map(len, sides)) < _LEAST_LINES:
                continue
            changes = sum((one.left >= gutter) != (two.left >= gutter) for one, two in pairwise(block))
            if changes < _LEAST_CHANGES:
                continue
            parts = [self._columns(side, depth - 1) or self._column(side) for side in sides]
            if all(parts):
                if self._rightmost_first:
                    parts.reverse()
                return [column for part in parts for column in part]
        return None

    def _may_be_prose(self, found: list[LineSegment]) -> bool:
        """Whether segments have as many words as prose, on average: a cheap test that most tables fail."""
        text = self._raw[found[0].start : found[-1].end] if found else ""
        words = max(text.count(" ") + len(found), len(text) / _LETTERS_A_WORD / 2)
        return words >= _LEAST_WORDS * len(found) and _digits(text) <= _MOST_DIGITS

    def _column(self, lines: list[LineSegment]) -> list[list[LineSegment]]:
        return [lines] if self._is_prose(lines) else []

    def _is_prose(self, lines: list[LineSegment]) -> bool:
        texts = [self._raw[line.start : line.end].replace("\0", "") for line in lines]
        whole = "".join(texts)
        if _digits(whole) > _MOST_DIGITS:
            return False
        words = max(sum(len(text.split()) for text in texts), len(whole) / _LETTERS_A_WORD / 2)
        if words < _LEAST_WORDS * len(texts):
            return False
        left, right = min(line.left for line in lines), max(line.right for line in lines)
        continuing = full = 0
        for (line, text), (after, next_text) in pairwise(zip(lines, texts, strict=True)):
            continuing += _goes_on(text, next_text)
            word = next_text.split()[0] if next_text.split() else next_text
            step = (after.right - after.left) / max(1, len(next_text))
            full += _is_cut(text) or line.right - line.left + step * (len(word) + 1) > _FULL * (right - left)
        pairs = len(lines) - 1
        return continuing >= _LEAST_CONTINUING * pairs and full >= _LEAST_FULL * pairs


def _goes_on(text: str, after: str) -> bool:
    """Whether a sentence in `text` continues in the next line."""
    return _is_cut(text) or (
        not text.endswith(_CLOSED) and bool(_OPEN.match(after)) and not after[0].isupper()
    )


def _is_cut(text: str) -> bool:
    return text.endswith(("-", "\ufffe", "\xad"))


def _gutters(block: list[LineSegment]) -> list[float]:
    """Places between neighbours in a row, the most frequent first."""
    gaps = []
    for one, two in pairwise(block):
        if min(one.top, two.top) > max(one.bottom, two.bottom):
            first, second = (one, two) if one.left < two.left else (two, one)
            if first.right < second.left:
                gaps.append((first.right, second.left))
    if len(gaps) < _LEAST_LINES - 1:
        return []
    lefts, rights = sorted(left for left, _ in gaps), sorted(right for _, right in gaps)
    # Most gaps are open just left of where some line on the right begins.
    counts = Counter(
        {
            place: bisect_right(lefts, place) - bisect_left(rights, place)
            for place in {right - 0.5 for right in rights}
        }
    )
    return [place for place, _ in counts.most_common(_MOST_GUTTERS)]


def _blocks(found: list[LineSegment], gutter: float) -> list[list[LineSegment]]:
    """Blocks of segments: cut where lines begin or stop crossing the gutter, and at empty strips."""
    blocks: list[list[LineSegment]] = []
    crossed: bool | None = None
    lowest = 0.0
    for segment in found:
        crosses = segment.left < gutter < segment.right
        if crosses is not crossed or lowest - segment.top > _BLOCK_GAP * segment.height:
            blocks.append([])
            lowest = segment.bottom
        crossed = crosses
        blocks[-1].append(segment)
        lowest = min(lowest, segment.bottom)
    return blocks
