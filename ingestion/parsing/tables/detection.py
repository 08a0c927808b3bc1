"""All tables of one page."""

import re
from collections.abc import Callable, Sequence

from ingestion.parsing.geometry.rules import Rules
from ingestion.parsing.reading_order.lines import Glyph, Glyphs
from ingestion.parsing.reading_order.segments import line_spans, wide_gaps
from ingestion.parsing.tables.aligned import aligned_tables, is_head_alone
from ingestion.parsing.tables.grid import Grid
from ingestion.parsing.tables.listed import listed_tables
from ingestion.parsing.tables.ruled import ruled_tables
from ingestion.parsing.tables.sides import sides_of
from ingestion.parsing.tables.words import Word, rows_of, words_of

# A line that ends with two values, or with one of money or thousands.
_ROW = re.compile(
    r"(?:\d[\d.,]*%?\)?|[—–])[ $€£%(]+(?:[\d.,]+|[—–-])[ )%]*\r?$|"
    r"[$€£] ?\(?[\d.,]+[ )%]*\r?$|\d,\d{3}\)?[ ]*\r?$",
    re.MULTILINE,
)
_FEWEST_ROWS = 2
_SAMPLE = 12  # lines of a page
_MOST_WORDS = 6_000
_FEWEST_WORDS = 6
_LEAST_INSIDE = 0.5  # of the cells of tables across columns: those without the other column's text
_MOST_LINES_APART = 8  # a row's label and its first value in the page's text


def find_tables(
    text: str, glyphs: Glyphs, find_rules: Callable[[], Rules], *, has_columns: bool = False
) -> list[Grid]:
    """The tables of a page from the top.

    Args:
        text: The page's raw text in reading order.
        glyphs: The places of its characters, by their index in it.
        find_rules: Finds the page's ruling lines, which costs as much as its text.
        has_columns: Whether the page's prose stands in columns: then only words that follow each other in the
            text share a row.
    """
    if not _may_have_tables(text, glyphs):
        return []
    words = words_of(text, glyphs)
    if not _FEWEST_WORDS <= len(words) <= _MOST_WORDS:
        return []
    rules = find_rules()
    rows = rows_of(words, as_written=False)
    grids = [grid for grid in ruled_tables(words, rules) if not is_head_alone(grid, rows)]
    rest = [word for word in words if not _lies_in(word, grids)]
    grids += _aligned(rest, rules, has_columns=has_columns)
    if not has_columns:
        rest = [word for word in rest if not _lies_in(word, grids)]
        grids += listed_tables(rows_of(rest, as_written=False), rules)
    return sorted(grids, key=lambda grid: -grid.top)


def _may_have_tables(text: str, glyphs: Glyphs) -> bool:
    """A cheap test that pages of prose fail: rows of values, lines beside lines, or lines with wide gaps."""
    if len(_ROW.findall(text)) >= _FEWEST_ROWS:
        return True
    spans = line_spans(text)
    beside = 0
    last: Glyph | None = None
    for start, end in spans:
        first = glyphs.box(start)
        beside += (
            first is not None and last is not None and first.left > last.right and first.top > last.bottom
        )
        last = glyphs.box(end - 1)
    if beside >= _FEWEST_ROWS:
        return True
    sample = spans[:: max(1, len(spans) // _SAMPLE)]
    return sum(any(wide_gaps(text, *span, glyphs)) for span in sample) >= _FEWEST_ROWS


def _aligned(words: Sequence[Word], rules: Rules, *, has_columns: bool) -> list[Grid]:
    sides = sides_of(rows_of(words, as_written=False))
    found = [grid for rows in sides for grid in aligned_tables(rows, rules)]
    if has_columns:  # a table in one of the page's columns stands beside the other's text
        inside = list(aligned_tables(rows_of(words, as_written=True), rules))
        if _size(inside) > _size(found) * (_LEAST_INSIDE if any(map(_is_across, found)) else 1):
            return inside
    return found


def _size(grids: Sequence[Grid]) -> int:
    return sum(len(grid.cells) for grid in grids)


def _is_across(grid: Grid) -> bool:
    """Whether most rows have a label of one of the page's columns and values of the other."""
    first: dict[int, int] = {}  # by row: the line of text of its label, and of its first value
    beside: dict[int, int] = {}
    for (row, column, _), words in sorted(grid.cells.items()):
        if row >= 0:
            (first if column == 0 else beside).setdefault(row, words[0].line)
    apart = [abs(first[row] - line) > _MOST_LINES_APART for row, line in beside.items() if row in first]
    return sum(apart) > len(apart) / 2


def _lies_in(word: Word, grids: Sequence[Grid]) -> bool:
    return any(grid.bottom <= word.middle <= grid.top for grid in grids)
