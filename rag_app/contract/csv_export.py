"""A document's tables as CSV (RFC 4180). No spreadsheet evaluates a text of the document."""

import csv
import io
import re
from collections.abc import Iterator

from rag_app.contract.tables import TableFields, TablesResponse
from rag_app.evaluation.tables import literal

_BETWEEN = " › "
# A figure with a sign, or the dash of an empty cell: a spreadsheet that evaluates it gets the same figure.
_FIGURE = re.compile(r"-|[-+]\s?[$€£¥]?\s?\d[\d.,'’\s]*%?")


def tables_as_csv(found: TablesResponse) -> str:
    """Return the tables below each other, in one file whose rows all have the same number of cells.

    Each table begins with a row of its heads: "page", "table", the labels' head, the columns' heads. Its
    other rows have its page and number, the label behind those of its sections, and the values. A text that a
    spreadsheet would evaluate gets an apostrophe in front; figures stay as they are.
    """
    rows = [row for table in found.tables for row in _rows(table)]
    width = max(map(len, rows), default=0)
    stream = io.StringIO()
    writer = csv.writer(stream)
    writer.writerows([_cell(text) for text in row] + [""] * (width - len(row)) for row in rows)
    return stream.getvalue()


def _rows(table: TableFields) -> Iterator[list[str]]:
    yield ["page", "table", table.label_head, *(one.head or one.period for one in table.columns)]
    for row in table.rows:
        label = _BETWEEN.join((*row.section, row.label))
        yield [str(table.page), str(table.number), label, *(value or "" for value in row.values)]


def _cell(text: str) -> str:
    return text if _FIGURE.fullmatch(text) else str(literal(text))
