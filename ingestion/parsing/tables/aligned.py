"""Tables without cell borders: rows of values that stand below each other."""

import re
from collections.abc import Iterator, Sequence

from ingestion.parsing.geometry.rules import Rules
from ingestion.parsing.tables.columns import ColumnBox, columns_of, is_contents, placed_pieces
from ingestion.parsing.tables.grid import Grid
from ingestion.parsing.tables.head_lines import head_lines
from ingestion.parsing.tables.heads import heads_of
from ingestion.parsing.tables.lines import Line, lines_of
from ingestion.parsing.tables.words import DATE_WORD, Word, pieces_of
from ingestion.parsing.tables.wrapping import logical_rows

_MOST_BETWEEN = 4  # lines without a value between two rows of a table
_MOST_LABEL_LINES = 8  # of a narrow label between two rows
_MOST_DRAWN_HEADS = 4  # rows of a drawn table that are no more than heads
_FAR = 3.2  # of a line's height: more space ends a table
_ROWS_ABOVE = 8  # among which a row's columns are looked for
_LEAST_ROWS = 2
_PROSE_WORDS = 9  # a line of as many words that reaches into the columns is prose
_NARROW_WORDS = 3
_TICK = re.compile(r"[xX✓✔●]")


def aligned_tables(rows: Sequence[Sequence[Word]], rules: Rules) -> Iterator[Grid]:
    """The tables among rows of words, from the top of the page.

    Args:
        rows: See `rows_of`.
        rules: Of the page.
    """
    lines = lines_of(rows)
    for first, last in _regions(lines):
        grid = _grid(lines, first, last, rules)
        if grid is not None:
            yield grid


def _regions(lines: Sequence[Line]) -> Iterator[tuple[int, int]]:
    """The first and the last data row of each table."""
    at = 0
    while at < len(lines):
        if not lines[at].is_data:
            at += 1
            continue
        first = last = at
        zone = min(piece.left for piece in lines[at].values)
        between = 0
        for place in range(at + 1, len(lines)):
            line, above = lines[place], lines[place - 1]
            is_dated = (
                line.is_head and len(line.pieces) == 1 and line.right < zone
            )  # a section: "December 31, 2017"
            if above.bottom - line.top > _FAR * line.height or (line.is_head and not is_dated):
                break
            if line.is_data or (line.values and len(line.pieces) == 1 and line.left > zone - line.height):
                if not _shares_columns(
                    line, lines[max(first, last - _ROWS_ABOVE) : last + 1], exactly=not line.is_data
                ):
                    break
                zone = min([zone, *(piece.left for piece in line.values if piece.left > line.left)])
                last, between = place, 0
                continue
            if len(line.pieces) > 1 and not line.values and line.left > zone - 2 * line.height:
                break  # heads of the next table
            between += 1
            is_prose = (
                line.right > zone + 2 * line.height and line.words >= _PROSE_WORDS and len(line.pieces) < 3
            )
            is_narrow = (
                line.right < zone - line.height and len(line.pieces) == 1 and line.words <= _NARROW_WORDS
            )
            if between > (_MOST_LABEL_LINES if is_narrow else _MOST_BETWEEN) or is_prose:
                break
        yield first, last
        at = last + 1


def _shares_columns(line: Line, above: Sequence[Line], *, exactly: bool) -> bool:
    """Whether a value stands below one of the rows before it; `exactly`: with the same right side."""
    known = [piece for one in above for piece in one.values]
    if exactly:
        return any(abs(one.right - two.right) < 0.4 * two.height for one in line.values for two in known)
    return any(one.left < two.right + 1 and two.left < one.right + 1 for one in line.values for two in known)


def _grid(lines: Sequence[Line], first: int, last: int, rules: Rules) -> Grid | None:
    body = list(lines[first : last + 1])
    data = [line for line in body if line.is_data]
    columns = columns_of(data)
    if len(columns) < 2 or is_contents(data, columns):
        return None
    heads, sections = head_lines(lines, first, columns)
    if not _is_table(data, columns, has_heads=bool(heads)):
        return None
    body = [*sections, *body]
    grid = Grid(heads[0].top if heads else body[0].top, body[-1].bottom)
    placed = heads_of([line.pieces for line in heads], columns, rules)
    for row, found in enumerate(placed, start=-len(placed)):
        for column, width, piece in found:
            grid.add(row, column, width, piece.words)
    after = lines[last + 1 : last + 4]
    for row, group in enumerate(logical_rows(body, after, columns, rules)):
        for line in group:
            for column, piece in placed_pieces(line, columns):
                grid.add(row, column, 1, piece.words)
    return grid


def _is_table(data: Sequence[Line], columns: Sequence[ColumnBox], *, has_heads: bool) -> bool:
    """Whether rows have enough values, and no prose beside them."""
    if len(data) < _LEAST_ROWS and (not has_heads or len(columns) < 3):
        return False
    first = "".join(piece.text for piece in data[0].values)
    if len(data) < 3 and len(columns) < 3 and not any(map(str.isdigit, first)):
        return False
    words = [len(piece.words) for line in data for piece in line.pieces[1:] if not piece.is_value]
    if sum(words) > _PROSE_WORDS * len(words):
        return False
    figures = sum(
        any(map(str.isdigit, piece.text)) or _TICK.fullmatch(piece.text) is not None
        for line in data
        for piece in line.values
    )
    return (has_heads and len(data) > 2) or figures > (1 if has_heads and len(columns) > 2 else 2)


def is_head_alone(grid: Grid, rows: Sequence[Sequence[Word]]) -> bool:
    """Whether a drawn table has no figures, and rows of them follow: only the heads are drawn."""
    if len({row for row, _, _ in grid.cells}) > _MOST_DRAWN_HEADS:
        return False
    texts = [piece.text for words in grid.cells.values() for piece in pieces_of(words) if piece.is_value]
    dates = [text for text in texts if all(map(DATE_WORD.fullmatch, text.split()))]
    if any(map(str.isdigit, "".join(text for text in texts if text not in dates))):
        return False
    below = [line for row in rows if (line := Line(pieces_of(row))).top < grid.bottom + 2][:_MOST_BETWEEN]
    return any(line.is_data for line in below if grid.bottom - line.top < _FAR * line.height * _MOST_BETWEEN)
