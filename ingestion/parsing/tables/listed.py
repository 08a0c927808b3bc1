"""Tables of words without cell borders: terms and what is said of them, side by side."""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from statistics import median

from ingestion.parsing.geometry.rules import Rules
from ingestion.parsing.tables.columns import ColumnBox, columns_of, is_contents, placed_pieces
from ingestion.parsing.tables.grid import Grid
from ingestion.parsing.tables.head_lines import head_lines
from ingestion.parsing.tables.heads import heads_of
from ingestion.parsing.tables.lines import Line
from ingestion.parsing.tables.words import Word, piece_of, pieces_of
from ingestion.parsing.tables.wrapping import goes_on

_LEAST_ROWS = 3
_NEAR = 3.0  # points between the left sides of cells in one column
_ABOUT = 0.55  # of a line's height, between the centres of cells that stand about below each other
_TIGHT = 0.7  # of the distance of rows: a line as close below heads is one of them
_LARGER = 1.06  # letters as much larger than those of the heads are a row's
_FAR = 3.0  # of a line's height: more space ends a table
_FULL = 0.5  # of the labels may fill their column, or be a list's numbers: more are prose, or a list
_MOST_LABEL_WIDTH = 0.6  # of the table's
_MOST_WIDTHS = 3  # different numbers of cells in its rows
_WIDER = 1.25  # times the distance of lines in a cell: where rows are set apart, theirs is larger
_MOST_LABEL_WORDS = 6  # on average
_MOST_HEAD_WORDS = 4
_ITEM = re.compile(
    r"\(?\w{1,4}[.)]|[•●▪◦○*·∙‣⁃►▶➢➤❖☐☒\uf000-\uf0ff–—-]|o|\[\d+\]|\d+(?:\.\d+)*|(?:Item|Note|Article|Section|Part)\b.{0,8}"
)


def listed_tables(rows: Sequence[Sequence[Word]], rules: Rules) -> Iterator[Grid]:
    """The tables of words among rows of words, from the top of the page.

    Args:
        rows: Those outside of other tables; see `rows_of`.
        rules: Of the page.
    """
    lines = [Line(pieces_of(row)) for row in rows if row]
    at = 0
    while at < len(lines):
        found = _lines_from(lines, at)
        last = at + len(found) - 1
        grid = _grid(found, lines, at, rules) if last > at else None
        if grid is not None:
            yield grid
        at = last + 1 if grid is not None else at + 1


def _lines_from(lines: Sequence[Line], first: int) -> list[Line]:
    """The lines of a table that begins with a line; that line alone where none does."""
    found = [lines[first]]
    if len(lines[first].pieces) < 2:
        return found
    second, centre = lines[first].pieces[1].left, lines[first].pieces[1].centre
    last = centre
    for place in range(first + 1, len(lines)):
        line = lines[place]
        if lines[place - 1].bottom - line.top > _FAR * line.height:
            break
        if len(line.pieces) > 1:
            cell, former = line.pieces[1], last
            if abs(cell.left - second) > _NEAR and all(
                abs(cell.centre - one) > _ABOUT * line.height for one in (centre, former)
            ):
                break
            last = cell.centre
        elif line.left > second + _NEAR and abs(line.pieces[0].centre - centre) > _NEAR:
            break
        elif line.left < second - _NEAR and line.right > second - line.height:
            parted = _parted(line, second)
            if parted is None:
                break  # a line across both columns
            line = parted
        found.append(line)
    return found


def _parted(line: Line, second: float) -> Line | None:
    """A line whose label reaches the second column, cut where that begins."""
    words = line.pieces[0].words
    for place in range(1, len(words)):
        if abs(words[place].left - second) < 1.0:
            return Line([piece_of(words[:place]), piece_of(words[place:])])
    return None


def _grid(lines: Sequence[Line], page: Sequence[Line], first: int, rules: Rules) -> Grid | None:
    full = [line for line in lines if len(line.pieces) > 1]
    columns = columns_of(full)
    if not _is_table(full, columns):
        return None
    rows = _rows(lines, columns, rules)
    if len(rows) < _LEAST_ROWS:
        return None
    above, _ = head_lines(page, first, columns)
    pitch = median(one.top - two.top for one, two in pairwise(lines))
    touches = (
        bool(above)
        and above[-1].top - lines[0].top < _TIGHT * pitch
        and _letters(lines[0]) < _LARGER * _letters(above[-1])
    )
    is_form = sum(row[0].pieces[0].text.endswith(":") for row in rows) > _FULL * len(rows)
    if is_form:  # labels with their values: nothing above them is a head
        above, touches = [], False
    heads = (
        1
        if not is_form and len(rows) > _LEAST_ROWS and (touches or (not above and _is_head(rows, rules)))
        else 0
    )
    grid = Grid(above[0].top if above else lines[0].top, lines[-1].bottom)
    placed = heads_of([line.pieces for line in above], columns, rules)
    for number, found in enumerate(placed, start=-len(placed) - heads):
        for column, width, piece in found:
            grid.add(number, column, width, piece.words)
    for number, row in enumerate(rows, start=-heads):
        for line in row:
            for column, piece in placed_pieces(line, columns):
                grid.add(number, column, 1, piece.words)
    return grid


def _letters(line: Line) -> float:
    """The height of a line's letters, without marks of footnotes."""
    return median(word.height for piece in line.pieces for word in piece.words)


def _is_ruled(upper: Line, lower: Line, rules: Rules) -> bool:
    """Whether a line is drawn between two lines of text."""
    above, below = (upper.top + upper.bottom) / 2, (lower.top + lower.bottom) / 2
    return any(
        below < y < above and left < upper.right and upper.left < right for y, left, right in rules.across
    )


def _is_table(full: Sequence[Line], columns: Sequence[ColumnBox]) -> bool:
    """Whether rows are those of a table, and not a list's or lines of prose side by side."""
    if len(full) < _LEAST_ROWS or len(columns) < 2 or len({len(line.pieces) for line in full}) > _MOST_WIDTHS:
        return False
    if is_contents(full, columns):
        return False
    labels = [line.pieces[0] for line in full]
    items = sum(_ITEM.fullmatch(label.text) is not None for label in labels)
    words = median(len(label.words) for label in labels)
    width, across = columns[0].right - columns[0].left, columns[-1].right - columns[0].left
    full_lines = sum(label.right > columns[0].right - 2 * label.height for label in labels)
    is_uneven = any(abs(one.left - two.left) > _NEAR for one, two in pairwise(labels))
    return not (
        items > _FULL * len(labels)
        or words > _MOST_LABEL_WORDS
        or width > _MOST_LABEL_WIDTH * across
        or (words > 2 and full_lines > _FULL * len(labels))
        or (is_uneven and len(columns) < 3)
    )


def _rows(lines: Sequence[Line], columns: Sequence[ColumnBox], rules: Rules) -> list[list[Line]]:
    limit = max((line.pieces[0].right for line in lines if line.left <= columns[0].right), default=0.0)
    gaps = [one.top - two.top for one, two in pairwise(lines)]
    within = min(gaps)
    wider = [gap for gap in gaps if gap > _WIDER * within]
    is_spaced = len(wider) >= _LEAST_ROWS - 1 and len(wider) < len(gaps)
    rows: list[list[Line]] = [[lines[0]]]
    for line, gap in zip(lines[1:], gaps, strict=True):
        is_label = line.left <= columns[0].right + 1
        alone = is_label and len(line.pieces) == 1
        if is_spaced:
            goes = gap <= _WIDER * within and _letters(line) < _LARGER * _letters(rows[-1][-1])
        else:
            goes = not is_label or (alone and goes_on(rows[-1], line, limit, columns, rules))
        if goes:
            rows[-1].append(line)
        else:
            rows.append([line])
    return rows


def _is_head(rows: Sequence[Sequence[Line]], rules: Rules) -> bool:
    """Whether the first row names the columns: short, and underlined or on a colour of its own."""
    first, second = rows[0][0], rows[1][0]
    if any(len(piece.words) > _MOST_HEAD_WORDS for piece in first.pieces):
        return False
    ruled = _is_ruled(first, second, rules) and not (len(rows) > 2 and _is_ruled(second, rows[2][0], rules))
    middle, below = (first.top + first.bottom) / 2, (second.top + second.bottom) / 2
    filled = any(
        bottom < middle < top and not bottom < below < top for left, bottom, right, top in rules.fills
    )
    longer = median(len(piece.words) for row in rows[1:] for line in row[:1] for piece in line.pieces[1:])
    return ruled or filled or longer > _MOST_HEAD_WORDS
