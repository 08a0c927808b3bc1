"""Tables whose cells are drawn: by lines across and upright."""

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ingestion.parsing.geometry.rules import Box, Rules
from ingestion.parsing.tables.grid import Grid
from ingestion.parsing.tables.words import SIGN, VALUE, Word, pieces_of, rows_of

_NEAR = 3.0  # points: lines this close are one, and ends this close meet
_MOST_LINES = 400
_MOST_COLUMNS, _MOST_ROWS = 60, 200  # of a table; drawings have more
_COVERED = 0.6  # of a cell's side that a line must cover to part two cells
_LEAST_ROWS = 2
_MOST_HEAD_WORDS = 8  # in a cell; longer heads have a colour behind them
_LEAST_WIDTH = 12.0  # of a cell that a colour shows
_LEAST_UPRIGHT, _LEAST_HEIGHT = 3, 30.0  # lines, and points, of a table without lines across
_LEAST_FILLED = 0.35  # of the cells


@dataclass(frozen=True, slots=True)
class _Frame:
    """Crossing lines: the x and the y of those that part cells, rising."""

    xs: tuple[float, ...]
    ys: tuple[float, ...]
    across: tuple[tuple[float, float, float], ...]
    upright: tuple[tuple[float, float, float], ...]


def ruled_tables(words: Sequence[Word], rules: Rules) -> Iterator[Grid]:
    """The tables with drawn cells on a page, from the top.

    Args:
        words: Of the page.
        rules: Of the page.
    """
    found: list[Grid] = []
    bands = Counter((round(bottom), round(top)) for _, bottom, _, top in rules.fills)
    fills = [  # no bars of a chart: narrow boxes without others beside them
        fill
        for fill in rules.fills
        if fill[2] - fill[0] > _LEAST_WIDTH or bands[round(fill[1]), round(fill[3])] > _LEAST_UPRIGHT
    ]
    coloured = [edge for fill in fills for edge in _edges(fill)] + list(_ends(rules.upright))
    sides = [side for fill in fills for side in _sides(fill)]
    # Colours part rows where no lines do; behind words they may be no more than the words' own ground.
    for across, upright in (
        (rules.across, rules.upright),
        ([*rules.across, *coloured], [*rules.upright, *sides]),
    ):
        for frame in _frames(across, upright):
            taken = any(frame.ys[0] < grid.top and grid.bottom < frame.ys[-1] for grid in found)
            grid = None if taken else _grid(words, frame, rules)
            if grid is not None:
                found.append(grid)
    yield from sorted(found, key=lambda grid: -grid.top)


def _frames(
    across: Sequence[tuple[float, float, float]], upright: Sequence[tuple[float, float, float]]
) -> list[_Frame]:
    across, upright = _merged(across), _merged(upright)
    if not 2 <= len(across) <= _MOST_LINES or not 1 <= len(upright) <= _MOST_LINES:
        return []
    parent: list[int] = list(range(len(across) + len(upright)))

    def root(one: int) -> int:
        while parent[one] != one:
            parent[one] = parent[parent[one]]
            one = parent[one]
        return one

    for a, (y, left, right) in enumerate(across):
        for u, (x, bottom, top) in enumerate(upright):
            if left - _NEAR <= x <= right + _NEAR and bottom - _NEAR <= y <= top + _NEAR:
                parent[root(a)] = root(len(across) + u)
    members: dict[int, tuple[list[tuple[float, float, float]], list[tuple[float, float, float]]]] = {}
    for a, line in enumerate(across):
        members.setdefault(root(a), ([], []))[0].append(line)
    for u, line in enumerate(upright):
        members.setdefault(root(len(across) + u), ([], []))[1].append(line)
    frames = [_frame(*lines) for lines in members.values()]
    found = [frame for frame in frames if frame is not None]
    return sorted(found, key=lambda frame: -frame.ys[-1])


def _edges(fill: Box) -> Iterator[tuple[float, float, float]]:
    left, bottom, right, top = fill
    yield from ((bottom, left, right), (top, left, right))


def _ends(upright: Sequence[tuple[float, float, float]]) -> Iterator[tuple[float, float, float]]:
    """The upper and the lower side of a table that only upright lines of the same height show."""
    heights: dict[tuple[int, int], list[tuple[float, float, float]]] = {}
    for line in upright:
        if line[2] - line[1] > _LEAST_HEIGHT:
            heights.setdefault((round(line[1] / _NEAR), round(line[2] / _NEAR)), []).append(line)
    for lines in heights.values():
        if len(lines) >= _LEAST_UPRIGHT:
            left, right = min(line[0] for line in lines), max(line[0] for line in lines)
            yield from ((lines[0][1], left, right), (lines[0][2], left, right))


def _sides(fill: Box) -> Iterator[tuple[float, float, float]]:
    left, bottom, right, top = fill
    yield from ((left, bottom, top), (right, bottom, top))


def _frame(
    across: list[tuple[float, float, float]], upright: list[tuple[float, float, float]]
) -> _Frame | None:
    if not across or not upright:
        return None
    xs = [x for x, _, _ in upright]
    left, right = min(line[1] for line in across), max(line[2] for line in across)
    xs += [side for side in (left, right) if all(abs(side - x) > 2 * _NEAR for x in xs)]  # open at its sides
    distinct_x, distinct_y = _distinct(xs), _distinct([y for y, _, _ in across])
    if not 3 <= len(distinct_x) <= _MOST_COLUMNS or not 3 <= len(distinct_y) <= _MOST_ROWS:
        return None
    return _Frame(tuple(distinct_x), tuple(distinct_y), tuple(across), tuple(upright))


def _distinct(places: Sequence[float]) -> list[float]:
    found: list[float] = []
    for place in sorted(places):
        if not found or place - found[-1] > _NEAR:
            found.append(place)
    return found


def _merged(lines: Sequence[tuple[float, float, float]]) -> list[tuple[float, float, float]]:
    """Lines with the same place joined where they meet."""
    found: list[tuple[float, float, float]] = []
    for place, start, end in sorted(lines, key=lambda line: (round(line[0] / _NEAR), line[1])):
        near = bool(found) and abs(found[-1][0] - place) <= _NEAR
        if near and found[-1][1] - _NEAR <= start <= found[-1][2] + _NEAR:
            found[-1] = found[-1][0], found[-1][1], max(found[-1][2], end)
        else:
            found.append((place, start, end))
    return found


def _grid(words: Sequence[Word], frame: _Frame, rules: Rules) -> Grid | None:
    xs, ys = frame.xs, frame.ys
    rows, columns = len(ys) - 1, len(xs) - 1
    inside: dict[tuple[int, int], list[Word]] = {}
    for word in words:
        middle = (word.bottom + word.top) / 2
        column, row = bisect_right(xs, word.centre) - 1, bisect_right(ys, middle) - 1
        if 0 <= column < columns and 0 <= row < rows:
            inside.setdefault((rows - 1 - row, column), []).append(word)
    joined = _joined(frame, inside)
    filled_columns = {column for (_, column, _), _ in joined.items()}
    filled_rows = {row for (row, _, _), _ in joined.items()}
    rows_of_cells = Counter(row for row, _, _ in joined)
    if len(filled_columns) < 2 or sum(count > 1 for count in rows_of_cells.values()) < 2:
        return None
    if len(joined) < _LEAST_FILLED * len(filled_columns) * len(filled_rows):
        return None
    first = min(filled_columns)
    if any(_is_sign(found) for found in joined.values()):
        return None  # boxes behind a sign and its amount: columns by their places
    if any(_holds_rows(found, is_label=column == first) for (_, column, _), found in joined.items()):
        return None
    order = {row: place for place, row in enumerate(sorted(filled_rows))}
    narrow = {column: place for place, column in enumerate(sorted(filled_columns))}
    cells = {
        (order[row], narrow[column], _width(column, width, narrow)): found
        for (row, column, width), found in joined.items()
    }
    top = [key for key in cells if key[0] == 0]
    if len(top) == 1 and top[0][2] == len(narrow) and len(order) > _LEAST_ROWS:  # its title
        del cells[top[0]]
        cells = {(row - 1, column, width): found for (row, column, width), found in cells.items()}
        del order[max(order, key=lambda row: order[row])]
    heads = _head_rows(cells, len(order), is_coloured=_is_coloured(cells, rules))
    if not heads and all(len(rows_of(found, as_written=False)) == 1 for found in cells.values()):
        return None  # its heads stand above the lines
    grid = Grid(ys[-1], ys[0])
    for (row, column, width), found in cells.items():
        grid.add(row - heads, column, width, found)
    return grid


def _is_sign(words: Sequence[Word]) -> bool:
    text = " ".join(word.text for word in words)
    return SIGN.fullmatch(text) is not None or text in ("%", ")", ")%")


def _width(column: int, width: int, narrow: dict[int, int]) -> int:
    return sum(column <= one < column + width for one in narrow)


def _joined(
    frame: _Frame, inside: dict[tuple[int, int], list[Word]]
) -> dict[tuple[int, int, int], list[Word]]:
    """The words by row, first column and width, where cells without a line between them are one."""
    xs, ys = frame.xs, frame.ys
    rows, columns = len(ys) - 1, len(xs) - 1
    found: dict[tuple[int, int, int], list[Word]] = {}
    above: dict[int, tuple[int, int, int]] = {}
    for row in range(rows):
        low, high = ys[rows - 1 - row], ys[rows - row]
        words = [word for column in range(columns) for word in inside.get((row, column), [])]
        starts = [0] + [
            column
            for column in range(1, columns)
            if _covers(frame.upright, xs[column], low, high) or _is_apart(words, xs[column])
        ]
        keys: dict[int, tuple[int, int, int]] = {}
        for start, stop in zip(starts, [*starts[1:], columns], strict=True):
            here = [word for column in range(start, stop) for word in inside.get((row, column), [])]
            key = (row, start, stop - start)
            parted = row == 0 or _covers(frame.across, high, xs[start], xs[stop])
            if not parted and start in above and above[start][1:] == key[1:]:
                key = above[start]
            keys[start] = key
            if here:
                found.setdefault(key, []).extend(here)
        above = keys
    return found


def _is_apart(words: Sequence[Word], x: float) -> bool:
    """Whether a row's words stand far left and right of where other rows have a line."""
    left = max((word.right for word in words if word.centre < x), default=None)
    right = min((word.left for word in words if word.centre > x), default=None)
    height = max((word.height for word in words), default=0.0)
    return left is not None and right is not None and left <= x <= right and right - left > 2 * height


def _covers(lines: Sequence[tuple[float, float, float]], place: float, start: float, end: float) -> bool:
    covered = sum(
        max(0.0, min(end, last) - max(start, first)) for at, first, last in lines if abs(at - place) <= _NEAR
    )
    return covered >= _COVERED * (end - start)


def _holds_rows(words: Sequence[Word], *, is_label: bool) -> bool:
    """Whether a cell holds several rows or columns of values, which no line parts."""
    stacked = 0
    lines = rows_of(words, as_written=False)
    for line in lines:
        pieces = pieces_of(line)
        values = [piece for piece in pieces if piece.is_value and any(map(str.isdigit, piece.text))]
        if values and len(pieces) > 1:
            return True
        stacked += bool(values)
    return not is_label and stacked > 1 and stacked >= 0.5 * len(lines)


def _repeats(cells: dict[tuple[int, int, int], list[Word]]) -> bool:
    """Whether the first row has a value that the rows below repeat: it is no head."""
    texts: dict[tuple[int, int], str] = {
        (row, column): " ".join(word.text for word in words) for (row, column, _), words in cells.items()
    }
    return any(
        text == texts[0, column]
        for (row, column), text in texts.items()
        if row > 0 and column > 0 and (0, column) in texts
    )


def _is_coloured(cells: dict[tuple[int, int, int], list[Word]], rules: Rules) -> bool:
    """Whether a colour lies behind the first row."""
    words = next(words for (row, _, _), words in sorted(cells.items()) if row == 0)
    x, y = words[0].centre, words[0].middle
    return any(left < x < right and bottom < y < top for left, bottom, right, top in rules.fills)


def _is_of_fields(cells: dict[tuple[int, int, int], list[Word]]) -> bool:
    """Whether the first row, like others, has a label with a colon and its value: a form has no head."""
    labels = [words[-1].text.endswith(":") for (_, column, _), words in cells.items() if column == 0]
    return sum(labels) > 0.5 * len(labels)


def _head_rows(cells: dict[tuple[int, int, int], list[Word]], rows: int, *, is_coloured: bool) -> int:
    """The number of head rows: those before the first with a value, if values follow; else the first."""
    first_value = next(
        (
            row
            for row in range(rows)
            if any(
                VALUE.fullmatch(" ".join(word.text for word in words))
                and not re.fullmatch(r"(?:19|20)\d\d", " ".join(word.text for word in words))
                for (at, column, _), words in cells.items()
                if at == row and column > 0
            )
        ),
        None,
    )
    spanning = 0
    while spanning < rows - 1 and any(width > 1 for (row, _, width) in cells if row == spanning):
        spanning += 1
    longest = max(len(words) for (row, _, _), words in cells.items() if row == 0)
    is_plain = longest > _MOST_HEAD_WORDS and not is_coloured
    if first_value == 0 or is_plain or _repeats(cells) or _is_of_fields(cells):
        return 0
    usual = min(spanning + 1, rows - 1)
    if first_value is not None and 0 < first_value <= 4:
        return min(first_value, max(usual, 1)) if first_value > usual else first_value
    return usual
