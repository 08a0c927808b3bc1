"""The heads of a table's columns: which columns each of them stands over."""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from ingestion.parsing.geometry.rules import Rules
from ingestion.parsing.tables.columns import ColumnBox
from ingestion.parsing.tables.words import DATE_WORD, UNIT_WORD, Piece

_YEAR = re.compile(r"\b(?:19|20)\d\d\b")

# Of a line's height: how far an underline may lie below its head, and a head's centre from its columns'.
_UNDERLINE = 0.6
_OFF_CENTRE = 0.7
_SAME_CENTRE = 0.35  # the centres of two lines of one head
_WRAPPED = 0.3  # the space between them
_HEAD_LINES = 0.8  # how far above its line a head over one column may stand
_SPACER = 2.0  # the space between the lines below the columns of one head


def heads_of(
    rows: Sequence[Sequence[Piece]], columns: Sequence[ColumnBox], rules: Rules
) -> list[list[tuple[int, int, Piece]]]:
    """For each row of heads, from the top: the first column of each piece, the columns it spans, and itself.

    Args:
        rows: Lines of pieces above the table's values, from the top.
        columns: From the left; they grow with the heads that stand over one of them.
        rules: Of the page; an underline says how far a head reaches.
    """
    found: list[list[tuple[int, int, Piece]]] = []
    boxes = [ColumnBox(one.left, one.right) for one in columns]
    below = [""] * len(boxes)  # what the lower heads of each column say
    anchors = _anchors(rows, boxes)
    underlined: list[Piece] = []
    for row in reversed(rows):
        placed: list[tuple[int, int, Piece]] = []
        taken = 0
        repeated = _over_repeated(row, boxes, below)
        for index, piece in enumerate(row):
            if index in repeated:
                first, last = repeated[index]
            else:
                line = _underline(piece, rows, boxes[0].left, rules)
                first, last = _columns_under(index, row, boxes, taken, line, below, anchors)
                if line is not None:
                    underlined.append(piece)
            if len(row) == 1 and is_of_dates(piece):
                dated = [place for place, words in enumerate(below) if place and _YEAR.search(words)]
                if dated and dated[-1] - dated[0] == len(dated) - 1 and first > 0:
                    first, last = dated[0], dated[-1]
            placed.append((first, last - first + 1, piece))
            taken = last + 1
            if not UNIT_WORD.search(piece.text):
                for place in range(first, last + 1):
                    below[place] = f"{piece.text} {below[place]}"
            if first == last and not UNIT_WORD.search(piece.text):
                boxes[first].left = min(boxes[first].left, piece.left)
                boxes[first].right = max(boxes[first].right, piece.right)
            if taken >= len(boxes):
                break
        found.insert(0, placed)
    return _with_wrapped(found, underlined)


def _anchors(rows: Sequence[Sequence[Piece]], boxes: Sequence[ColumnBox]) -> list[ColumnBox]:
    """The sides of the heads of a line that has one for each column; the columns' own without such a line."""
    for row in rows:
        heads = _of_values(row, boxes)
        if len(heads) == len(boxes) - 1 and all(
            abs(head.centre - _middle(box)) < max(head.right - head.left, box.right - box.left)
            for head, box in zip(heads, boxes[1:], strict=True)
        ):
            return [boxes[0], *(ColumnBox(head.left, head.right) for head in heads)]
    return list(boxes)


def _of_values(row: Sequence[Piece], boxes: Sequence[ColumnBox]) -> list[Piece]:
    """The heads of a line without what stands above the labels."""
    return [piece for piece in row if piece.right > boxes[1].left and piece.centre > boxes[0].right]


def _over_repeated(
    row: Sequence[Piece], boxes: Sequence[ColumnBox], below: Sequence[str]
) -> dict[int, tuple[int, int]]:
    """The columns of each head of a line above heads that repeat: "2023 2022 2023 2022" below two heads."""
    heads = _of_values(row, boxes)
    if len(heads) < 2:
        return {}
    columns = len(boxes) - 1
    for size in range(columns // len(heads), 1, -1):
        for first in range(1, columns - size * len(heads) + 2):
            groups = [range(at, at + size) for at in range(first, first + size * len(heads), size)]
            texts = {tuple(below[place].casefold() for place in group) for group in groups}
            if (
                len(texts) == 1
                and all(next(iter(texts)))
                and all(
                    _is_over(head, [boxes[place] for place in group])
                    for head, group in zip(heads, groups, strict=True)
                )
            ):
                return {
                    row.index(head): (group[0], group[-1]) for head, group in zip(heads, groups, strict=True)
                }
    return {}


def _is_over(head: Piece, group: Sequence[ColumnBox]) -> bool:
    """Whether a head is nearer to the middle of several columns than to that of one of them."""
    off = abs((group[0].left + group[-1].right) / 2 - head.centre)
    nearest = min(group, key=lambda box: abs(_middle(box) - head.centre))
    if abs(_middle(nearest) - head.centre) < _OFF_CENTRE * head.height:  # a wrapped head of that column?
        return off < head.height and is_of_dates(head)
    return off < abs(_middle(nearest) - head.centre)


def _with_wrapped(
    rows: Sequence[Sequence[tuple[int, int, Piece]]], underlined: Sequence[Piece]
) -> list[list[tuple[int, int, Piece]]]:
    """The heads with the lower lines of one over several columns as wide as its first line."""
    found = [list(rows[0])] if rows else []
    for row in rows[1:]:
        placed = list(row)
        for first, width, upper in found[-1]:
            inside = [
                place
                for place, (start, size, _) in enumerate(row)
                if start < first + width and first < start + size
            ]
            if width < 2 or len(inside) != 1 or upper in underlined:
                continue
            start, size, lower = row[inside[0]]
            if size == 1 and is_one_head(upper, lower):
                placed[inside[0]] = first, width, lower
        found.append(placed)
    for row, lower_row in reversed(list(pairwise(found))):
        for place, (start, size, upper) in enumerate(row):
            for first, width, lower in lower_row:
                if (
                    size == 1
                    and width > 1
                    and first <= start < first + width
                    and upper not in underlined
                    and is_one_head(upper, lower)
                    and sum(first < at + wide and at < first + width for at, wide, _ in row) == 1
                ):
                    row[place] = first, width, upper
    return found


def is_one_head(upper: Piece, lower: Piece) -> bool:
    """Whether two pieces are lines of one head, the upper first."""
    return (
        abs(upper.centre - lower.centre) < _SAME_CENTRE * lower.height
        and upper.bottom - lower.top < _WRAPPED * lower.height
    )


def _columns_under(
    index: int,
    row: Sequence[Piece],
    boxes: Sequence[ColumnBox],
    taken: int,
    line: tuple[float, float] | None,
    below: Sequence[str],
    anchors: Sequence[ColumnBox],
) -> tuple[int, int]:
    piece, following = row[index], row[index + 1] if index + 1 < len(row) else None
    if line is not None:
        covered = [
            place
            for place, box in enumerate(boxes)
            if place >= taken and line[0] - 2 <= (box.left + box.right) / 2 <= line[1] + 2
        ]
        if covered:
            return covered[0], covered[-1]
    under = _overlapped(piece, boxes, taken)
    first, last = under[0], under[-1]
    if taken == 0 and first == 0:
        return first, last
    may_reach = is_of_dates(piece)
    if (
        not may_reach
        and not UNIT_WORD.search(piece.text)
        and _is_alone_over(piece, boxes[first], anchors[first])
    ):
        return first, last
    end = len(boxes)
    if following is not None:
        end = next(
            (place for place, box in enumerate(boxes) if place > last and box.right > following.left),
            len(boxes),
        )
    best, widest = (first, last), last - first
    for start in range(max(taken, 1), first + 1):
        for stop in range(last, end):
            off = min(abs((one[start].left + one[stop].right) / 2 - piece.centre) for one in (boxes, anchors))
            added = [below[at] for at in range(start, stop + 1) if not first <= at <= last]
            if not may_reach and any(added):
                continue
            if off <= _OFF_CENTRE * piece.height * (1 + 0.5 * (stop - start)) and stop - start > widest:
                best, widest = (start, stop), stop - start
    return best


def _overlapped(piece: Piece, boxes: Sequence[ColumnBox], taken: int) -> list[int]:
    """The columns that a head overlaps, or the one that it is centred over, or else the nearest."""
    under = [
        place
        for place, box in enumerate(boxes)
        if place >= taken and box.left < piece.right and piece.left < box.right
    ]
    if not under:
        return [min(range(taken, len(boxes)), key=lambda at: abs(_middle(boxes[at]) - piece.centre))]
    centred = [
        place for place in under if abs(_middle(boxes[place]) - piece.centre) < _OFF_CENTRE / 2 * piece.height
    ]
    covers = (
        piece.left <= boxes[under[0]].left + piece.height
        and piece.right >= boxes[under[-1]].right - piece.height
    )
    return centred[:1] if len(under) > 1 and centred and not covers else under


def _is_alone_over(piece: Piece, *columns: ColumnBox) -> bool:
    """Whether a head stands right over the middle of one column: it needs no others around that."""
    return any(abs(_middle(column) - piece.centre) < _SAME_CENTRE * piece.height for column in columns)


def is_of_dates(piece: Piece) -> bool:
    """Whether a head says a stretch of time without its year: "Years Ended December 31,"."""
    words = [word.text for word in piece.words]
    return all(DATE_WORD.fullmatch(word) for word in words) and not (
        len(words) == 1 and re.fullmatch(r"(?:19|20)\d\d", words[0])
    )


def _middle(box: ColumnBox) -> float:
    return (box.left + box.right) / 2


def _underline(
    piece: Piece, rows: Sequence[Sequence[Piece]], table_left: float, rules: Rules
) -> tuple[float, float] | None:
    """The sides of the line below one piece of a row alone, and not below the whole table.

    Where the line is drawn column by column, these are those of the columns that the piece is centred over.
    """
    height = piece.height
    others = [
        one
        for row in rows
        for one in row
        if one is not piece
        and -0.3 * height < one.bottom - piece.bottom < _HEAD_LINES * height
        and (one.right < piece.left or piece.right < one.left)
    ]
    levels: dict[int, list[tuple[float, float]]] = {}
    for y, left, right in rules.across:
        if (
            piece.bottom - _UNDERLINE * height < y < piece.bottom + 0.3 * height
            and not any(left < one.centre < right for one in others)
            and (left > table_left + height or piece.left < table_left + height)
        ):
            levels.setdefault(round(y), []).append((left, right))
    best: tuple[float, float] | None = None
    for segments in levels.values():
        for left, right in _runs(sorted(segments), _SPACER * height):
            if (
                left < piece.right
                and piece.left < right
                and right - left > 0.6 * (piece.right - piece.left)
                and abs((left + right) / 2 - piece.centre) < height
                and not any(left < one.centre < right for one in others)
                and (best is None or right - left > best[1] - best[0])
            ):
                best = left, right
    return best


def _runs(segments: Sequence[tuple[float, float]], gap: float) -> Iterator[tuple[float, float]]:
    """The sides of lines, and of each number of neighbours among them."""
    for first, (left, right) in enumerate(segments):
        end = right
        yield left, end
        for start, stop in segments[first + 1 :]:
            if start - end > gap:
                break
            end = max(end, stop)
            yield left, end
