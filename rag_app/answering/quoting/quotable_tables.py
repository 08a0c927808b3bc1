"""What of a page's tables can be quoted as a row: tables are found by their form, which some prose has.

A row is quoted with the heads of its columns where these are names, and as its text elsewhere. The fields of
a form, whose labels stand in cells of their own, are statements of their own.
"""

import itertools
import re
from collections.abc import Sequence

from ingestion.tables.cells import is_head_at, row_at
from ingestion.tables.table import Cell, Row, Table, without_note
from rag_app.answering.answers import PassageWindow

# A row of a table with more words in its cells is read as prose.
_MOST_WORDS_OF_CELLS = 24
# A longer head is a sentence beside or above the table.
_MOST_WORDS_OF_HEAD = 24
# The rest of a sentence begins in lower case, as some short heads do: "shares outstanding".
_MOST_WORDS_IN_LOWER_CASE = 6
_SENTENCE_END = re.compile(r"\b[a-zß-öø-ÿ]{3,}[.!?]\s")
_WORD = re.compile(r"[^\W\d_]{3,}")


def is_row(window: PassageWindow, start: int, end: int) -> bool:
    """Return whether characters of a window are a row of a table with a figure and short cells."""
    placed = _at(window, start, end)
    if placed is None or not names_columns(placed[0]) or is_form(placed[1]):
        return False
    cells = [cell.text for cell in placed[1].cells if cell is not None]
    return _has_figure(placed[1]) and sum(len(text.split()) for text in cells) <= _MOST_WORDS_OF_CELLS


def is_head(window: PassageWindow, start: int, end: int) -> bool:
    """Return whether characters of a window are the names of a table's columns."""
    tables = [table for table in window.tables if names_columns(table)]
    return is_head_at(tables, window.start + start, window.start + end)


def names_columns(table: Table) -> bool:
    """Return whether a table's heads are names of columns; other text above a table is no head of it."""
    return not any(
        _is_prose(column.head)
        for place, column in enumerate(table.columns)
        if any(row.cells[place] is not None for row in table.rows)
    )


def is_form(row: Row) -> bool:
    """Return whether a row is of a form: a label with a colon stands in one of its cells."""
    return any(cell is not None and cell.text.endswith(":") for cell in row.cells)


def edges(window: PassageWindow) -> list[int]:
    """Return the characters of a window where a statement ends for certain.

    These are the beginnings of tables, of their rows, and of a form's fields.
    """
    found = set[int]()
    for table in window.tables:
        starts = _row_starts(table)
        if starts and names_columns(table):
            found |= {table.start, *starts}
        for row in table.rows:
            if is_form(row):
                found |= {_first(cell) for cell in row.cells if cell is not None and cell.text.endswith(":")}
    places = (place - window.start for place in found)
    return sorted(place for place in places if 0 < place < len(window.text))


def _row_starts(table: Table) -> list[int]:
    """Return the first characters of a table's rows; nothing where rows overlap, as in columns of prose."""
    spans = [[span for cell in (row.label, *row.cells) if cell for span in cell.spans] for row in table.rows]
    rows = [(min(start for start, _ in row), max(end for _, end in row)) for row in spans if row]
    if any(end > start for (_, end), (start, _) in itertools.pairwise(rows)):
        return []
    return [start for start, _ in rows]


def label_of(row: Row) -> tuple[str, int]:
    """Return a row's label, and how many of its cells are part of it.

    Of "4.1 | Cases | 12 | 9" the number is no label alone, but with the words behind it.
    """
    label = without_note(row.label.text)
    first = row.cells[0] if row.cells else None
    if first is None or _WORD.search(label) or len(_WORD.findall(first.text)) < 2:
        return label, 0
    return f"{label} {without_note(first.text)}".strip(), 1


def _at(window: PassageWindow, start: int, end: int) -> tuple[Table, Row] | None:
    return row_at(window.tables, window.start + start, window.start + end)


def _has_figure(row: Row) -> bool:
    texts = [cell.text for cell in row.cells if cell is not None]
    return any(re.search(r"\d", text) and not _WORD.search(text) for text in texts)


def _is_prose(head: str) -> bool:
    length = len(head.split())
    return (
        length > _MOST_WORDS_OF_HEAD
        or (length > _MOST_WORDS_IN_LOWER_CASE and head[0].islower())
        or _SENTENCE_END.search(head) is not None
    )


def _first(cell: Cell) -> int:
    places: Sequence[int] = [start for start, _ in cell.spans]
    return min(places, default=0)
