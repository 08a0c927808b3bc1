"""HTML tables: which of them hold data, and their rows."""

from collections.abc import Callable, Iterator
from itertools import islice

from lxml import etree

from ingestion.parsing.shared.xml import keyword, local_name

# Larger spans are mistakes or attacks; the standard allows 1000 columns.
MAX_SPAN = 1000

# A longer cell is a part of the page: some pages use tables for their layout.
MAX_CELL_CHARACTERS = 1000

_NOT_IN_DATA = ("h1", "h2", "h3", "h4", "h5", "h6", "pre", "form")

CellText = Callable[[etree._Element], str]


def is_data_table(table: etree._Element, cell_text: CellText) -> bool:
    """Whether a table holds data; the cells of other tables are read as parts of the page."""
    if keyword(table, "role") in ("presentation", "none"):
        return False
    if sum(1 for _ in islice(table.iter("{*}table"), 2)) > 1:
        return False
    if next(table.iter(*(f"{{*}}{name}" for name in _NOT_IN_DATA)), None) is not None:
        return False
    rows = [_cells(row) for row in table.iter("{*}tr")]
    if max((len(cells) for cells in rows), default=0) < 2:
        return False
    return all(len(cell_text(cell)) <= MAX_CELL_CHARACTERS for cells in rows for cell in cells)


def table_rows(table: etree._Element, cell_text: CellText) -> Iterator[list[str]]:
    """The rows; a cell that spans several rows is repeated in each, so that each can be read alone."""
    reaching: dict[int, tuple[int, str]] = {}  # column -> rows to go, text
    for row in table.iter("{*}tr"):
        line: list[str] = []
        for cell in _cells(row):
            _take_reaching(line, reaching)
            text = cell_text(cell)
            if (rows := _span(cell, "rowspan")) > 1:
                reaching[len(line)] = (rows - 1, text)
            line.append(text)
            room = max(MAX_SPAN - len(line), 0)
            line.extend([""] * min(_span(cell, "colspan") - 1, room))
        _take_reaching(line, reaching)
        yield line


def _take_reaching(line: list[str], reaching: dict[int, tuple[int, str]]) -> None:
    while (column := len(line)) in reaching:
        rows, text = reaching.pop(column)
        line.append(text)
        if rows > 1:
            reaching[column] = (rows - 1, text)


def _cells(row: etree._Element) -> list[etree._Element]:
    return [cell for cell in row if local_name(cell) in ("td", "th")]


def _span(cell: etree._Element, name: str) -> int:
    value = (cell.get(name) or "1").strip()
    return min(max(int(value[:9]), 1), MAX_SPAN) if value.isdecimal() else 1
