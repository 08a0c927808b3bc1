"""The line that shows a table's row: its label, and the cells of the columns that a question asks for."""

import itertools
import re
from collections.abc import Sequence

from ingestion.tables.cells import characters_in, period_of_cell, row_at, shown_cell
from ingestion.tables.periods import PERIOD_YEAR, asked_years, says_only_dates
from ingestion.tables.table import Cell, Table
from ingestion.tables.table import Row as TableRow
from rag_app.answering.quoting.asked_rows import LENGTHS
from rag_app.answering.quoting.candidates import Candidate
from rag_app.answering.quoting.quotable_tables import is_form, label_of, names_columns
from rag_app.answering.quoting.rows import Row, RowHeads, parse_row, read_table, shown_value

_QUARTER = re.compile(r"\b([1-4])Q(?:20)?(\d\d)\b", re.IGNORECASE)
# A row with more columns than this is shown by the column that the question asks for, or by the first ones.
_MOST_CELLS = 3
# A label of so few words is shown with its section.
_SHORT_LABEL = 2
# Between the values of columns that share a head.
_SAME_HEAD = " / "
# The reader's span chooses a column with this probability.
_POINTED = 0.3
_MONTH = re.compile(
    r"\b(jan|feb|mar|apr|may|june?|july?|aug|sep|oct|nov|dec)[a-z]*\.?(?=\s+\d|\s+(?:of\s+)?(?:19|"
    r"20)\d\d|\W*$)",
    re.IGNORECASE,
)
_MONTH_NAME = re.compile(r"(?:jan|feb|mar|apr|may|june?|july?|aug|sep|oct|nov|dec)[a-z]*", re.IGNORECASE)
_TIMES = frozenset({
    "as", "at", "end", "ended", "ending", "fifty", "first", "fiscal", "for", "fourth", "half", "in", "month",
    "months", "nine", "of", "quarter", "quarters", "second", "six", "the", "third", "thirteen", "thirty",
    "three", "twelve", "twenty", "two", "week", "weeks", "year", "years",
})  # fmt: skip


def cell_line(one: Candidate, question: str) -> str:
    """Return a row as a line, like "Total assets · December 31, 2016: **$1,001 thousand**"; "" for no row.

    The cell is in bold where the question, or the reader's span, chooses its column.
    """
    statement, window = one.statement, one.window
    placed = row_at(window.tables, window.start + statement.start, window.start + statement.end)
    if placed is None or not names_columns(placed[0]) or is_form(placed[1]):
        return _written_line(one, question)
    return _table_line(one, *placed, question) or _written_line(one, question)


def _table_line(one: Candidate, table: Table, row: TableRow, question: str) -> str:
    label, named = label_of(row)
    if row.section and len(label.split()) <= _SHORT_LABEL:
        label = f"{row.section[-1]}: {label}" if label else row.section[-1]
    groups = _columns_of(table, row, named)
    if not groups:
        return ""
    heads = tuple(head for head, _, _ in groups)
    wanted = asked_columns(question, heads)
    if len(wanted) != 1:
        pointed = [place for place, (*_, cells) in enumerate(groups) if any(_points_at(one, cells))]
        wanted = pointed if len(pointed) == 1 and (not wanted or pointed[0] in wanted) else wanted
    lead = f"{label} · " if label else ""
    if len(wanted) == 1 or len(groups) == 1:
        head, values, cells = groups[wanted[0] if wanted else 0]
        value = _marked(values, _points_at(one, cells))
        return f"{lead}{head}: {value}" if head else f"{label}: {value}" if label else value
    shown = [groups[place] for place in wanted] or groups
    together = [_SAME_HEAD.join(values) for _, values, _ in shown]
    if not any(heads):
        return f"{label}: " + " · ".join(together)
    last = _fitting([len(values) for _, values, _ in shown])
    return lead + "; ".join(
        f"{head}: {value}" if head else value
        for (head, *_), value in zip(shown[:last], together[:last], strict=True)
    )


def _columns_of(table: Table, row: TableRow, first: int) -> list[tuple[str, list[str], list[Cell]]]:
    """Return the heads of a row's columns with the values and cells; neighbours with one head together."""
    groups: list[tuple[str, list[str], list[Cell]]] = []
    for place, cell in enumerate(row.cells):
        if cell is None or place < first:
            continue
        head = head_of(table, row, place)
        if not groups or not head or groups[-1][0] != head:
            groups.append((head, [], []))
        groups[-1][1].append(shown_cell(table, row, place))
        groups[-1][2].append(cell)
    return groups


def _fitting(counts: list[int]) -> int:
    """Return how many columns are shown: with `_MOST_CELLS` values together, but one at least."""
    return max(1, sum(total <= _MOST_CELLS for total in itertools.accumulate(counts)))


def _marked(values: list[str], pointed: list[bool]) -> str:
    """Return a column's value in bold; of several the one that is pointed at, or all without bold."""
    bold = [value for value, is_it in zip(values, pointed, strict=True) if is_it or len(values) == 1]
    return f"**{bold[0]}**" if len(bold) == 1 else _SAME_HEAD.join(values)


def head_of(table: Table, row: TableRow, column: int) -> str:
    """Return what a column is called: its period where its head says no more."""
    head, period = table.columns[column].head, period_of_cell(table, row, column)
    if not head or says_only_dates(head) or PERIOD_YEAR.fullmatch(head):
        return (period[:1].upper() + period[1:]) or head
    return head


def _points_at(one: Candidate, cells: list[Cell]) -> list[bool]:
    """Return of each cell whether the reader's span lies on it."""
    span = one.span
    return [
        span is not None and span[2] >= _POINTED and characters_in(cell, span[0], span[1]) > 0
        for cell in cells
    ]


def _written_line(one: Candidate, question: str) -> str:
    """Return a row that only its text shows: the columns are told from the lines above."""
    row = parse_row(one.statement.text)
    if row is None:
        return ""
    window, statement = one.window, one.statement
    table = read_table(window.above + window.text[: statement.start], row)
    label = f"{table.section}: {row.label}" if table.section else row.label
    label = re.sub(r"\s*(?:\(\d\)|\*+)+$", "", label).rstrip(":")
    if not table.columns:
        return _whole_row(label, row, table)
    cells = [
        (head, shown_value(row.values[place], table, row.label))
        for head, place in zip(table.columns, table.used, strict=True)
    ]
    wanted = asked_columns(question, table.columns)
    pointed = _pointed(one, row, table)
    if len(wanted) == 1:
        head, value = cells[wanted[0]]
        return f"{label} · {head}: **{value}**"
    if pointed is not None and (not wanted or pointed in wanted):
        head, value = cells[pointed]
        return f"{label} · {head}: **{value}**"
    shown = [cells[place] for place in wanted] or cells
    return f"{label} · " + "; ".join(f"{head}: {value}" for head, value in shown[:_MOST_CELLS])


def _as_months(quarter: re.Match[str]) -> str:
    """Return what a quarter is called otherwise: 3Q22 is the three months ended September 2022."""
    month = ("March", "June", "September", "December")[int(quarter[1]) - 1]
    return f"three months ended {month} 20{quarter[2]}"


def asked_columns(question: str, columns: tuple[str, ...]) -> list[int]:
    """Return the places of the columns that a question names, by period or by all words; mostly none."""
    columns = tuple(_QUARTER.sub(_as_months, head) for head in columns)
    years = asked_years(question)
    places = [place for place, head in enumerate(columns) if any(year in head for year in years)]
    said = set(re.findall(r"\w+", question.casefold()))
    if not years:
        named = [
            place
            for place, head in enumerate(columns)
            if (words := re.findall(r"\w+", head.casefold())) and said.issuperset(words)
        ]
        every = list(range(len(columns)))
        of_length = [] if named else _of_length(question, columns, every)
        return named if named or of_length == every else of_length
    months = {month[:3].casefold() for month in _MONTH.findall(question)}
    named = [place for place in places if any(month in columns[place].casefold() for month in months)]
    places = named or places
    measured = [place for place in places if (words := _measure(columns[place])) and said.issuperset(words)]
    return _of_length(question, columns, measured or places)


def _of_length(question: str, columns: Sequence[str], places: list[int]) -> list[int]:
    """Return those places of columns that are for as long a time as the question says; else all of them."""
    for _, asked, head in LENGTHS:
        if len(places) > 1 and asked.search(question):
            of_length = [place for place in places if head.search(columns[place])]
            places = of_length or places
    return places


def _measure(head: str) -> list[str]:
    """Return the words of a column's head that say no time: "ebitda" of "Year ended June 30, 2023 EBITDA"."""
    words = re.findall(r"[^\W\d_]+", head.casefold())
    return [word for word in words if word not in _TIMES and not _MONTH_NAME.fullmatch(word)]


def _pointed(one: Candidate, row: Row, table: RowHeads) -> int | None:
    """Return the column of the value that the reader points to."""
    span = one.span
    if span is None or not row.places or span[2] < _POINTED:
        return None
    said = one.sentence.text[span[0] - one.sentence.start : span[1] - one.sentence.start]
    bare = re.sub(r"[^\d.]", "", said)
    hits = [
        column
        for column, place in enumerate(table.used)
        if bare and re.sub(r"[^\d.]", "", row.values[place]) == bare
    ]
    return hits[0] if len(hits) == 1 else None


def _whole_row(label: str, row: Row, table: RowHeads) -> str:
    """Return a row whose columns cannot be told, with the lines above it that may name them."""
    values = " · ".join(shown_value(value, table, row.label) for value in row.values)
    if len(row.values) == 1:
        return f"{label}: {values}"
    head = f" (columns: {table.head})" if table.head and len(table.head.split()) <= 20 else ""
    return f"{label}: {values}{head}"
