"""Rows of several lines: labels and texts that go on in the next line."""

import re
from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from ingestion.parsing.geometry.rules import Rules
from ingestion.parsing.tables.columns import ColumnBox
from ingestion.parsing.tables.lines import Line
from ingestion.parsing.tables.words import Piece

_APART = 0.9  # of a line's height: more space parts two rows
_TIGHT = 0.75  # of the distance of two rows: closer lines are one row
_USUAL = 0.97  # of that distance: lines as far apart as rows are two
_YEAR_AT_END = re.compile(r"\b(?:19|20)\d\d$")  # a date alone is a section of the rows below it
_OPEN = re.compile(r"[-–—,]$|\b(?:and|of|the|to|for|in|or|from|by|on|with)$")


def logical_rows(
    body: Sequence[Line], after: Sequence[Line], columns: Sequence[ColumnBox], rules: Rules
) -> list[list[Line]]:
    """The lines of the body grouped to rows: a label may go on in the next line."""
    limit = max((line.pieces[0].right for line in body if not line.pieces[0].is_value), default=0.0)
    steps = [one.top - two.top for one, two in pairwise(body) if one.is_data and two.is_data]
    pitch = median(steps) if len(steps) > 1 else 0.0
    groups: list[list[Line]] = []
    for line in body:
        if groups and goes_on(groups[-1], line, limit, columns, rules, pitch=pitch):
            groups[-1].append(line)
        else:
            groups.append([line])
    for line in after:
        if (
            groups
            and not line.values
            and len(line.pieces) == 1
            and line.right <= columns[1].left
            and goes_on(groups[-1], line, limit, columns, rules, pitch=pitch)
            and line.pieces[0].text[:1].islower()
        ):
            groups[-1].append(line)
        else:
            break
    return groups


def goes_on(
    group: Sequence[Line],
    line: Line,
    limit: float,
    columns: Sequence[ColumnBox],
    rules: Rules,
    *,
    pitch: float = 0.0,
) -> bool:
    """Whether a line continues the row above it.

    Args:
        group: The lines of that row.
        line: The one in question.
        limit: Where the longest label ends.
        columns: Of the table, the labels' first.
        rules: Of the page.
        pitch: The usual distance of two rows; 0.0 if it is unknown. Lines of one row are mostly closer.
    """
    last = group[-1]
    has_values = any(one.values for one in group)
    label, former = line.pieces[0], last.pieces[0]
    if last.bottom - line.top > _APART * line.height or (has_values and line.values):
        return False
    is_date = last.is_head and len(last.pieces) == 1 and _YEAR_AT_END.search(former.text) is not None
    is_open = not former.text.endswith(":") and not is_date
    if line.values and label.is_value and label.left > columns[0].right and not _has_letters(label):
        return is_open  # the values of a label that stands above them
    if label.left > columns[0].right + 1 or former.left > columns[0].right + 1:  # a wrapped cell of words
        return not line.values and not any(piece.left <= columns[0].right for piece in line.pieces)
    if label.is_value and not has_values:
        return True  # the number of what the line above names
    middles = (former.bottom + former.top) / 2, (label.bottom + label.top) / 2
    if _same_band(middles, label, rules) or _ruled_apart(middles, label, rules):
        return _same_band(middles, label, rules)
    return is_open and _label_goes_on(former, label, last.top - line.top, limit, pitch, has_values=has_values)


def _label_goes_on(
    former: Piece, label: Piece, step: float, limit: float, pitch: float, *, has_values: bool
) -> bool:
    """Whether a label continues the one above, by its words and its place."""
    if label.text[:1].islower() or _OPEN.search(former.text):
        return True
    if not has_values and 0 < step < _TIGHT * pitch:
        return True
    first = label.words[0]
    fills = former.right + (first.right - first.left) + 0.3 * label.height > limit
    is_apart = pitch > 0 and step > _USUAL * pitch
    return fills and not is_apart and not has_values and label.left >= former.left - 1


def _has_letters(piece: Piece) -> bool:
    return any(map(str.isalpha, piece.text))


def _same_band(middles: tuple[float, float], label: Piece, rules: Rules) -> bool:
    """Whether both lines lie on one stripe of colour that is no higher than a few lines."""
    upper, lower = middles
    return any(
        bottom < lower and upper < top and left <= label.left + 2 and top - bottom < 4.5 * label.height
        for left, bottom, right, top in rules.fills
        if right - left > 8 * label.height
    )


def _ruled_apart(middles: tuple[float, float], label: Piece, rules: Rules) -> bool:
    upper, lower = middles
    return any(
        lower < y < upper and left < label.right and label.left < right for y, left, right in rules.across
    ) or any(
        (lower < top < upper or lower < bottom < upper) and left <= label.left + 2 and label.right < right + 2
        for left, bottom, right, top in rules.fills
    )
