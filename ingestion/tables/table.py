"""A table as values: rows and columns of cells, with heads, unit and place on the page."""

import re
from dataclasses import dataclass

Span = tuple[int, int]

_NOTE = re.compile(r"\s*(?:\(\w{1,2}\)|\*{1,3}|[†‡])+$")


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell's text in one line, and its characters in the page's text; wrapped text has several spans."""

    text: str
    spans: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Column:
    """A column of values.

    Attributes:
        head: All levels of its head, from the top; "" where it has none.
        period: The date or the stretch of time that its values are for, as the table says it; "" without one.
    """

    head: str
    period: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A row of values.

    Attributes:
        label: Its first cell.
        section: The labels of the rows without values that it belongs to, outermost first, like "Assets".
        cells: One a column; None where the row has nothing.
    """

    label: Cell
    section: tuple[str, ...]
    cells: tuple[Cell | None, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table of one page.

    Attributes:
        page: Counted from 1.
        number: Among the tables of its page, from 1.
        title: The caption or the title lines above it; "" without one.
        unit: The scale of its amounts: "thousand", "million", "billion" or "".
        exempt: What the unit is not for, as the table says it, like "except per share data".
        currency: The sign of its amounts, like "$"; "" where none is shown.
        label_head: What stands above the labels of the rows.
        columns: Those of values, from the left.
        rows: From the top.
        start: The first character in the page's text, heads included.
        end: Behind the last character.
        continues: It goes on with the table before it, whose heads it has.
    """

    page: int
    number: int
    title: str
    unit: str
    exempt: str
    currency: str
    label_head: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    start: int
    end: int
    continues: bool = False


def without_note(label: str) -> str:
    """Return a label without the marks of its footnotes."""
    return _NOTE.sub("", label).rstrip(" :")
