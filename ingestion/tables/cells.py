"""What one cell of a table says: its value with unit, and the time it is for."""

import re
from collections.abc import Sequence

from ingestion.tables.periods import DATE, MONTH_DAY, PERIOD_YEAR, SPAN, period_of, says_only_dates
from ingestion.tables.table import Cell, Row, Table, without_note
from ingestion.tables.units import (
    COUNT,
    COUNTS_IN,
    CURRENCY,
    RATIO,
    Unit,
    is_whole_number,
    shown_amount,
    unit_in,
)

_VALUE = re.compile(
    r"[$€£¥]?\s*(?P<negative>\()?\s*[$€£¥]?\s*(?P<sign>[-−–])?(?P<digits>\d[\d,]*(?:\.\d+)?)\s*%?\)?"
)
# Years in a cell: 1987, 1968-1979/1987
_YEARS = re.compile(r"(?:19|20)\d\d(?:\s?[-–/,]\s?(?:19|20)\d\d)*")

# April 1 - 30, 2023 · April 2, 2023 to May 6, 2023
_RANGE = re.compile(r"\d\s?[-–—]\s?(?:\d{1,2}\b|[A-Z])|\d{4}\s?(?:to|through|[-–—])\s?[A-Z]")


def value_of(row: Row, column: int) -> float | None:
    """Return a cell's number as it stands, without its unit; None for another cell."""
    cell = row.cells[column]
    found = _VALUE.fullmatch(_bare_value(cell.text).strip()) if cell else None
    if found is None:
        return None
    value = float(found["digits"].replace(",", ""))
    return -value if found["negative"] or found["sign"] else value


def period_of_cell(table: Table, row: Row, column: int) -> str:
    """Return the period of a cell, by its column or else by its row's label or section; "" without one."""
    head = table.columns[column]
    period = head.period
    cell = row.cells[column]
    if cell is not None and _is_text(cell.text) and not PERIOD_YEAR.search(head.head):
        period = ""  # a name or a place is for no time that only the table's title says
    above = [row.label.text, *reversed(row.section)]
    if PERIOD_YEAR.fullmatch(period):  # "2016" below "Years ended December 31:"
        around = next((text for text in above[1:] if MONTH_DAY.search(text)), "")
        return period_of(head.head, around) if around else period
    first = table.rows[0].section[:1]  # above all rows
    if not period and (
        compared := next((one for text in (*above, *first) if (one := SPAN.search(text))), None)
    ):
        return compared.group()  # "Total 2015 vs. 2014"
    dated = next((text for text in above if _is_dated(text)), "")
    if dated and not period and _RANGE.search(dated) and says_only_dates(dated):
        return " ".join(without_note(dated).split())
    if dated and (not period or not PERIOD_YEAR.search(head.head)):
        return period_of(without_note(dated), table.label_head)
    return period


def _is_text(cell: str) -> bool:
    """Return whether a cell has words, and is no value with a word beside it."""
    return re.search(r"[^\W\d_]{3}", cell) is not None and not re.match(r"\W*\d", cell)


def _bare_value(cell: str) -> str:
    """Return a cell without its footnote's mark; a negative number in brackets is none."""
    bare = without_note(cell)
    return bare if re.search(r"[\d—–]", bare) else cell


def _is_dated(label: str) -> bool:
    """Return whether a row's label says a date: "Balance at May 31, 2016", or a year alone."""
    if PERIOD_YEAR.fullmatch(without_note(label)):
        return True
    return PERIOD_YEAR.search(label) is not None and (
        says_only_dates(label) or DATE.search(label) is not None
    )


def unit_of_cell(table: Table, row: Row, column: int) -> str:
    """Return a cell's unit: "%", the table's scale, or "" for what has none."""
    cell = row.cells[column]
    value = _bare_value(cell.text) if cell is not None else ""
    if "%" in value or (cell is not None and _is_of_shares(table, column, cell)):
        return "%"
    if not re.search(r"[\d—–]", value) or any(map(str.isalpha, value)) or _YEARS.fullmatch(value):
        return ""
    head = table.columns[column].head
    is_share = re.search(r"%|\bpercent|\brate|\byield|\bmargin", row.label.text, re.IGNORECASE)
    if re.search(r"%|\bpercent", head, re.IGNORECASE) or (
        is_share and RATIO.search(row.label.text) and "," not in value and not CURRENCY.search(value)
    ):
        return "%"
    text = f"{' '.join(row.section)} {row.label.text} {head}"
    counted = COUNTS_IN.search(table.exempt)
    if counted is not None and COUNT.search(text) and not CURRENCY.search(value):
        return counted[1].lower() if re.search(r"\d,\d|^\d+$|[—–]", value) else ""
    own = unit_in(row.label.text).scale or unit_in(head).scale
    if not own and row.section:  # "Shares used in calculation (000's)" above "Basic"
        own = unit_in(row.section[-1]).scale
    if not own and is_whole_number(value, text):
        return ""
    unit = Unit(own or table.unit, "" if own else table.exempt)
    money = re.sub("[—–]", "1,000", value)  # nothing, in the unit of the others
    shown = shown_amount(money, row.label.text, unit, "", section=" ".join((*row.section, head)))
    return unit.scale if unit.scale and shown.endswith(unit.scale) else ""


def _is_of_shares(table: Table, column: int, cell: Cell) -> bool:
    """Return whether a bare number is a percentage: columns show the sign in their first row alone."""
    if not _is_number(cell):
        return False
    numbers = (one.text for row in table.rows if (one := row.cells[column]) is not None and _is_number(one))
    first = next(numbers)
    return "%" in first and not any("," in text or CURRENCY.search(text) for text in (first, *numbers))


def _is_number(cell: Cell) -> bool:
    return re.search(r"\d", cell.text) is not None and not _is_text(cell.text)


def shown_cell(table: Table, row: Row, column: int) -> str:
    """Return a cell's text with its currency and unit, like "$1,001 million"; "" for an empty one."""
    cell = row.cells[column]
    if cell is None:
        return ""
    unit = unit_of_cell(table, row, column)
    if unit == "%":
        return cell.text if "%" in cell.text else f"{cell.text}%"
    section = " ".join((*row.section, table.columns[column].head))
    return shown_amount(cell.text, row.label.text, Unit(unit), table.currency, section=section)


def row_at(tables: Sequence[Table], start: int, end: int) -> tuple[Table, Row] | None:
    """Return the row of a table that characters of the page are of, if they have one of its cells.

    Args:
        tables: Of the page.
        start: The first character.
        end: Behind the last.
    """
    best: tuple[int, Table, Row] | None = None
    for table in tables:
        if table.start >= end or start >= table.end:
            continue
        for row in table.rows:
            cells = sum([characters_in(cell, start, end) for cell in row.cells if cell is not None])
            size = cells + characters_in(row.label, start, end)
            if cells and (best is None or size > best[0]):
                best = size, table, row
    return None if best is None else best[1:]


def is_head_at(tables: Sequence[Table], start: int, end: int) -> bool:
    """Return whether characters of the page are of a table's heads, and of none of its rows.

    Args:
        tables: Of the page.
        start: The first character.
        end: Behind the last.
    """
    for table in tables:
        rows = [
            place for row in table.rows for cell in (row.label, *row.cells) if cell for place, _ in cell.spans
        ]
        first = min(rows, default=table.end)
        if start < first and table.start < end <= first + 1:
            return True
    return False


def characters_in(cell: Cell, start: int, end: int) -> int:
    """Return how many characters of a cell lie in a stretch of the page."""
    shared = 0
    for first, last in cell.spans:
        if first < end and start < last:
            shared += min(end, last) - max(start, first)
    return shared
