"""Orders lines that a recogniser finds, column by column, and parts them into lines and paragraphs."""

import statistics
from collections.abc import Sequence
from itertools import pairwise

from ingestion.parsing.geometry.places import Place
from ingestion.parsing.reading_order.columns import in_columns
from ingestion.parsing.reading_order.segments import LineSegment

_SAME_ROW = 0.5  # of the lower line's height that two lines of a row share
# A paragraph ends where the next line is further away than this, in distances between the page's lines.
_PARAGRAPH = 1.4


def in_reading_order(found: Sequence[tuple[str, Place]]) -> list[tuple[int, tuple[int, int, int]]]:
    """The order of lines: for each its index in `found`, and its block, paragraph and line.

    Parts of one row, such as the cells of a table, get the same line, unless they stand in columns of prose.

    Args:
        found: Text and box of each line, from the top left corner.
    """
    rows = _rows(found)
    placed = [index for row in rows for index in row]
    text, segments = _as_segments(found, placed)
    ordered = in_columns(text, segments)
    if ordered is not None:
        at = {segment.start: index for segment, index in zip(segments, placed, strict=True)}
        rows = [[at[segment.start]] for segment in ordered]
    return _numbered(found, rows)


def _rows(found: Sequence[tuple[str, Place]]) -> list[list[int]]:
    """Lines side by side as one row, from left to right; rows from the top."""
    rows: list[list[int]] = []
    for index in sorted(range(len(found)), key=lambda index: found[index][1][1] + found[index][1][3]):
        box = found[index][1]
        if rows and all(_is_beside(box, found[other][1]) for other in rows[-1]):
            rows[-1].append(index)
        else:
            rows.append([index])
    return [sorted(row, key=lambda index: found[index][1][0]) for row in rows]


def _is_beside(one: Place, two: Place) -> bool:
    shared = min(one[3], two[3]) - max(one[1], two[1])
    lower = min(one[3] - one[1], two[3] - two[1])
    return shared > _SAME_ROW * lower and (one[2] <= two[0] + lower or two[2] <= one[0] + lower)


def _as_segments(found: Sequence[tuple[str, Place]], placed: Sequence[int]) -> tuple[str, list[LineSegment]]:
    """The lines in this order as one text and its segments, whose places count from the bottom."""
    segments = []
    parts: list[str] = []
    start = 0
    for index in placed:
        text, (left, top, right, bottom) = found[index]
        segments.append(LineSegment(start, start + len(text), left, -bottom, right, -top))
        parts.append(text)
        start += len(text) + 1
    return "\n".join(parts), segments


def _numbered(
    found: Sequence[tuple[str, Place]], rows: Sequence[Sequence[int]]
) -> list[tuple[int, tuple[int, int, int]]]:
    middles = [statistics.fmean((found[row[0]][1][1], found[row[0]][1][3])) for row in rows]
    steps = [after - before for before, after in pairwise(middles)]
    usual = statistics.median([step for step in steps if step > 0] or [0.0])
    numbered = []
    block = paragraph = 0
    for number, row in enumerate(rows):
        step = steps[number - 1] if number else 0.0
        if step < 0:  # the top of another column
            block, paragraph = block + 1, 0
        elif step > _PARAGRAPH * usual:
            paragraph += 1
        numbered += [(index, (block, paragraph, number)) for index in row]
    return numbered
