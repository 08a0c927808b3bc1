"""A document's tables as people read them in a terminal."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table

from rag_app.cli.terminal.lines import line, print_warnings, shown
from rag_app.contract.tables import TableFields, TablesResponse

# Characters of the terminal.
_GAP = 2  # between two columns
_LABEL = 24  # that labels keep, where they are so long
_VALUE = 24  # of a value; a longer one is wrapped where there is no room
_INDENT = "  "


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of a grid. The label of a section has no values."""

    label: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Column:
    """A column of values.

    Attributes:
        at: Its number among those of the table, from 0.
        least: Characters that it needs, with its head and long values wrapped.
        whole: Characters that it needs with nothing wrapped.
    """

    at: int
    head: str
    least: int
    whole: int
    holds_figures: bool


@dataclass(frozen=True, slots=True)
class _Part:
    """Columns beside each other with their widths, and the labels' width."""

    label: int
    columns: Sequence[tuple[_Column, int]]


def print_tables(console: Console, found: TablesResponse, page: int | None = None) -> None:
    """Print tables as wide as the terminal. Columns that do not fit come below, with the labels again.

    Args:
        page: The page that was asked for; None: all.
    """
    for table in found.tables:
        line(console, _heading(table))
        lines = list(_lines(table))
        for part in _parts(table, lines, console.width):
            console.print(_grid(table, lines, part))
            console.print()
    if not found.tables:
        where = "" if page is None else f"page {page} of "
        line(console, f"{where}{shown(found.document)} has no tables")
    print_warnings(console, found)


def _heading(table: TableFields) -> str:
    amounts = " ".join(filter(None, (table.currency, table.unit)))
    facts = [f"in {amounts}" if amounts else "", table.exempt, "continued" if table.continues else ""]
    said = shown(", ".join(filter(None, facts)))
    title = f": {shown(table.title)}" if table.title else ""
    return f"[bold]page {table.page}, table {table.number}{title}[/]" + (f" [dim]{said}[/]" if said else "")


def _lines(table: TableFields) -> Iterator[_Line]:
    """Yield the rows, and before them the labels of the sections that begin there."""
    before: tuple[str, ...] = ()
    for row in table.rows:
        pairs = zip(before, row.section, strict=False)
        same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
        for depth, label in enumerate(row.section[same:], start=same):
            yield _Line(_INDENT * depth + label, ("",) * len(table.columns))
        yield _Line(_INDENT * len(row.section) + row.label, tuple(value or "" for value in row.values))
        before = row.section


def _columns(table: TableFields, lines: Sequence[_Line]) -> Iterator[_Column]:
    """Yield the columns of values."""
    for at, one in enumerate(table.columns):
        values = [each.values[at] for each in lines if at < len(each.values)]
        head = one.head or one.period
        least = max(_longest(values), _longest(head.split()))
        figures = sum(map(_is_figure, values)) * 2 >= sum(map(bool, values))
        yield _Column(at, head, min(least, _VALUE), max(least, cell_len(head)), figures)


def _parts(table: TableFields, lines: Sequence[_Line], room: int) -> Iterator[_Part]:
    """Yield the columns, as many together as there is room for."""
    labels = _longest([table.label_head, *(one.label for one in lines)])
    part: list[_Column] = []
    left = room - min(labels, _LABEL)
    for one in _columns(table, lines):
        if part and left < one.least + _GAP:
            yield _part(part, labels, room)
            part, left = [], room - min(labels, _LABEL)
        part.append(one)
        left -= one.least + _GAP
    yield _part(part, labels, room)


def _part(columns: Sequence[_Column], labels: int, room: int) -> _Part:
    """Return columns with their widths: what they need, then the labels, then the columns whole."""
    left = room - sum(one.least + _GAP for one in columns)
    label = max(1, min(labels, left))
    left -= label
    widths = []
    for one in columns:
        more = max(0, min(left, one.whole - one.least))
        widths.append((one, one.least + more))
        left -= more
    return _Part(label, widths)


def _grid(table: TableFields, lines: Sequence[_Line], part: _Part) -> Table:
    has_heads = bool(table.label_head) or any(column.head for column, _ in part.columns)
    grid = Table(box=None, pad_edge=False, show_header=has_heads)
    grid.add_column(shown(table.label_head), width=part.label, no_wrap=True, overflow="ellipsis")
    for column, width in part.columns:
        grid.add_column(
            shown(column.head),
            width=width,
            overflow="fold",
            justify="right" if column.holds_figures else "left",
        )
    for one in lines:
        values = (one.values[column.at] if column.at < len(one.values) else "" for column, _ in part.columns)
        grid.add_row(shown(one.label), *map(shown, values))
    return grid


def _is_figure(text: str) -> bool:
    """Return whether a text is a figure, with signs or a unit."""
    return sum(map(str.isdigit, text)) > sum(map(str.isalpha, text))


def _longest(texts: Iterable[str]) -> int:
    return max(map(cell_len, texts), default=0)
