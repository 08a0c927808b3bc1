"""Rows of cells as lines of text.

A table within a text becomes lines, `cell | cell | cell`: bars survive a display that joins spaces, and show
empty cells. A file that is a table becomes records, `name: value; name: value`, because a passage of it is
read without the row of names.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice

from ingestion.parsing.shared.column_names import are_names

BAR = " | "

SAMPLE_ROWS = 20  # among which the names are looked for: exports put a few lines above them

_NUMBER = re.compile(r"[-+−]?[\d.,'’\s]*\d[\d.,'’\s]*[%€$£]?$|\d{1,4}[-./]\d{1,2}[-./]\d{1,4}")
_YEAR = re.compile(r"(?:19|20)\d\d$")  # a number that names a column

Row = Sequence[str]


def table_line(cells: Iterable[str]) -> str:
    """One row as one line; "" when no cell has text."""
    words = [" ".join(cell.split()) for cell in cells]
    while words and not words[-1]:
        words.pop()
    return BAR.join(words) if words else ""


def record_lines(rows: Iterable[Row], *, may_lack_names: bool = False) -> Iterator[str]:
    """The rows of a table as lines: with the names of the columns if the table has a row of names.

    The names are the first row as wide as most rows, if its cells are different words. Rows above it are
    lines of their own. Without names every row is `cell | cell`.

    Args:
        rows: The rows from the top.
        may_lack_names: Accept names only if they look unlike the cells below, so that no data become names.
    """
    remaining = iter(rows)
    sample = list(islice(remaining, SAMPLE_ROWS))
    above, names = _names(sample)
    if may_lack_names and names is not None and not are_names(names, sample[above + 1 :]):
        above, names = 0, None
    for row in sample[:above]:
        yield table_line(row)
    if names is None:
        yield from (table_line(row) for row in chain(sample[above:], remaining))
        return
    following = 0
    for row in chain(sample[above + 1 :], remaining):
        yield _record(names, row)
        following += 1
    if not following:
        yield table_line(names)


def _names(sample: Sequence[Row]) -> tuple[int, Row | None]:
    """The number of rows above the names, and the names; (0, None) without names."""
    widths = Counter(_filled(row) for row in sample if _filled(row))
    if not widths:
        return 0, None
    usual = max(widths, key=lambda width: (widths[width], width > 1, -width))
    for index, row in enumerate(sample):
        if _filled(row) >= usual:
            names = [" ".join(cell.split()) for cell in row]
            filled = [name for name in names if name]
            return (index, names) if len(set(filled)) == len(filled) and _are_words(filled) else (0, None)
    return 0, None


def _are_words(names: Row) -> bool:
    numbers = [name for name in names if _NUMBER.match(name)]
    return len(numbers) < len(names) and all(_YEAR.match(number) for number in numbers)


def _filled(row: Row) -> int:
    return sum(1 for cell in row if cell and not cell.isspace())


def _record(names: Row, row: Row) -> str:
    pairs = []
    for column, cell in enumerate(row):
        if value := " ".join(cell.split()):
            name = names[column] if column < len(names) else ""
            pairs.append(f"{name}: {value}" if name else value)
    return "; ".join(pairs)
