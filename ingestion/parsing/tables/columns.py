"""The columns of a table without upright lines: where pieces stand below each other."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from ingestion.parsing.tables.lines import Line
from ingestion.parsing.tables.words import Piece

_SECTION_WORDS = 9  # a line of fewer words in the middle of a table is a section of it
# In a table of so many rows, one of them may reach into the next column; one more for each _ROWS_MORE.
_MANY_ROWS, _ROWS_MORE = 8, 25
_MOST_INDENT = 5  # of a line's height


@dataclass
class ColumnBox:
    """A column's sides on the page."""

    left: float
    right: float


def columns_of(data: Sequence[Line]) -> list[ColumnBox]:
    """The columns that the pieces of the data rows fall into, the labels' first."""
    pieces = [piece for line in data for piece in line.pieces]
    tolerated = 0 if len(data) < _MANY_ROWS else 1 + len(data) // _ROWS_MORE
    edges = sorted(
        [(piece.left, 1) for piece in pieces] + [(piece.right, -1) for piece in pieces],
        key=lambda edge: (edge[0], edge[1]),
    )
    columns: list[ColumnBox] = []
    depth = 0
    for x, step in edges:
        was = depth
        depth += step
        if was <= tolerated < depth:
            columns.append(ColumnBox(x, x))
        elif depth <= tolerated < was:
            columns[-1].right = x
    if tolerated:  # where few rows have a value at all
        columns = _with_sparse(columns, pieces)
    columns = _with_indented(columns, data)
    if columns and any(line.pieces[0].is_value for line in data):
        labelled = [line for line in data if not line.pieces[0].is_value]
        if not labelled:
            return [ColumnBox(columns[0].left - 1, columns[0].left - 1), *columns]
    return columns


def _with_sparse(columns: list[ColumnBox], pieces: Sequence[Piece]) -> list[ColumnBox]:
    loose = sorted(
        (piece for piece in pieces if not any(_overlap(piece, box) for box in columns)), key=lambda p: p.left
    )
    boxes: list[ColumnBox] = []
    for piece in loose:
        if boxes and piece.left < boxes[-1].right:
            boxes[-1].right = max(boxes[-1].right, piece.right)
        else:
            boxes.append(ColumnBox(piece.left, piece.right))
    return sorted([*columns, *boxes], key=lambda box: box.left)


def _with_indented(columns: list[ColumnBox], data: Sequence[Line]) -> list[ColumnBox]:
    """The columns with short labels and those further right as one: no row has both."""
    while len(columns) > 2:
        one, two = columns[:2]
        labels = [line for line in data if any(_overlap(piece, two) for piece in line.pieces)]
        if two.left - one.left > _MOST_INDENT * data[0].height or not all(
            _overlap(line.pieces[0], two) and not line.pieces[0].is_value for line in labels
        ):
            break
        columns = [ColumnBox(one.left, two.right), *columns[2:]]
    return columns


def _overlap(piece: Piece, box: ColumnBox) -> bool:
    return piece.left < box.right and box.left < piece.right


def placed_pieces(line: Line, columns: Sequence[ColumnBox]) -> Iterator[tuple[int, Piece]]:
    """Each piece of a row with its column."""
    least = 0
    if len(line.pieces) == 1 and not line.values and len(line.pieces[0].words) < _SECTION_WORDS:
        centre = (columns[0].left + columns[-1].right) / 2
        if len(columns) > 2 and abs(line.pieces[0].centre - centre) < line.height:
            yield 0, line.pieces[0]  # a section in the middle of the table
            return
    for piece in line.pieces:
        shares = [
            (min(piece.right, box.right) - max(piece.left, box.left), -place)
            for place, box in enumerate(columns)
            if place >= least
        ]
        best = max(shares, default=(0.0, -(len(columns) - 1)))
        place = -best[1]
        if best[0] <= 0:
            place = min(
                range(least, len(columns)),
                key=lambda at: min(abs(piece.left - columns[at].left), abs(piece.right - columns[at].right)),
                default=len(columns) - 1,
            )
        if not piece.is_value and piece is line.pieces[0] and piece.left < columns[0].right + 1:
            place = 0
        yield place, piece
        least = min(max(least, place if place == 0 else place + 1), len(columns) - 1)


def is_contents(data: Sequence[Line], columns: Sequence[ColumnBox]) -> bool:
    """Whether the rows are a table of contents: their last column has page numbers that rise."""
    numbers = [line.pieces[-1].text for line in data]
    pages = [int(number) for number in numbers if re.fullmatch(r"\d{1,3}", number)]
    return (
        len(columns) <= 3
        and len(pages) >= max(3, 0.8 * len(data))
        and all(one <= two for one, two in pairwise(pages))
        and pages[-1] > pages[0]
    )
