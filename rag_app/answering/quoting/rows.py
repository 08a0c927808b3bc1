"""Rows of tables in the text of a page, read with their columns' heads, unit and period.

A page's text has a table as lines: heads, then rows of a label and values. Where the columns cannot be told
with certainty, a row is shown whole.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ingestion.tables.periods import DATE, MONTH_DAY, MONTHS, PERIOD_YEAR
from ingestion.tables.units import UNIT, Unit, shown_amount, unit_in

# A value at the end of a row: 1,001,425 · $ (0.09) · 6.3 % · — · N/A
_VALUE = (
    r"(?:[$€£¥]\s*)?[-–−+]?(?:\(\s?[-–−+]?[$€£¥]?\s?\d+(?:[.,]\d+)*\s?%?\s?\)?|[$€£¥]?\s?\d+(?:[.,]\d+)*)"
    r"(?:\s?(?:%|pts?\b|bps?\b|x\b|[MBK]\b))?|"
    r"(?:[$€£¥]\s*)?[—–-]{1,2}(?:\s?%)?(?=\s|$)|\bN/?[AM]\b|\bNM\b|\*{1,2}(?=\s|$)"
)
_VALUES = re.compile(rf"^(?P<label>.*?\S)??(?:^|\s)(?P<values>(?:(?:{_VALUE})(?:\s+|$))+)$")
_ONE = re.compile(_VALUE)
_SPAN = re.compile(
    r"\b(?:(?:\d{1,2}|three|six|nine|twelve|thirteen|twenty-six|thirty-nine|fifty-two) (?:weeks?|"
    r"months?)|(?:fiscal |"
    r"the |twelve-month )?(?:year|quarter)s?|quarter to date|year to date|first|second|third|"
    r"fourth)\s+(?:ended|ending)\b|"
    r"\bchange\b|\bas of\b",
    re.IGNORECASE,
)
_HEAD_WORD = re.compile(
    rf"(?:{MONTHS}|ended|ending|weeks?|months?|years?|quarters?|fiscal|fy|as|of|at|the|for|three|six|"
    rf"nine|twelve|first|"
    r"second|third|fourth|q|h|unaudited|audited|change|increase|decrease|vs|to|and|in|q[1-4]|h[12]|ytd|"
    r"qtd|thirteen|"
    r"twenty-six|thirty-nine|fifty-two|variance|compared|with|over|percent(?:age)?|restated|adjusted|"
    r"dollar|amount|"
    r"note|notes|estimate|actual|target|results?|pro|forma|december|period)",
    re.IGNORECASE,
)
# How a label does not end: the values would go on a sentence or a sum.
_NO_LABEL = re.compile(
    r"[.,;/=*+(<>]$|\b(?:of|in|to|and|the|by|from|at|than|until|on|was|is|page)$", re.IGNORECASE
)
_DAY_AT_END = re.compile(rf"\b(?:{MONTHS})\.?\s+\d{{1,2}},$", re.IGNORECASE)
# A value that stands alone in a row: 1,234 or 2.5; a small whole number is a page or part of a sentence.
_LARGE = re.compile(r"\(?\d{1,3}(?:,\d{3})+\)?|\d+\.\d+")
_ABBREVIATED = re.compile(r"\b(?:[A-Z]\.)+$|\b(?:inc|corp|ltd|co)\.$", re.IGNORECASE)
# A column's name of words: mostly one, in tables of votes two.
_COLUMN_NAME = re.compile(
    r"(?:votes?|shares) (?:for|against|withheld|abstained|cast)\b|broker\s+non-?\s?votes?|\S+", re.IGNORECASE
)
_MOST_ROWS_BELOW_WORDS = 20
# The most lines between a row and its head, and of a head.
_HEAD_WITHIN = 60
_MOST_HEAD_LINES = 9
_MOST_COLUMNS = 8


@dataclass(frozen=True, slots=True)
class Row:
    """A row's label and its values, as they stand; `places` are the values' characters in the line."""

    label: str
    values: tuple[str, ...]
    places: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class RowHeads:
    """What stands above a row.

    Attributes:
        columns: A head for each value; empty where the columns cannot be told.
        used: The places of the values that the columns name.
        unit: Like "thousand"; "" without one.
        exempt: What the unit is not for, like "except per share data".
        currency: Like "$"; "" where no row has one.
        section: The line with a colon that the row belongs to.
        head: The head's lines, as they stand.
    """

    columns: tuple[str, ...]
    used: tuple[int, ...]
    unit: str
    currency: str
    section: str
    head: str
    exempt: str = ""


def parse_row(line: str) -> Row | None:
    """Return a line's label and values; None for a line that is no row of a table."""
    if " | " in line:
        first, *rest = (cell.strip() for cell in line.strip().strip("|").split(" | "))
        return Row(first, tuple(rest)) if first and any(rest) else None
    match = _VALUES.match(line.strip())
    if match is None:
        return None
    if is_head(line) and PERIOD_YEAR.search(line):
        return None
    label, at = (match["label"] or "").strip(), match.start("values")
    found = [(one.group().strip(), one.span()) for one in _ONE.finditer(match["values"])]
    values = [value for value, _ in found]
    if values and _DAY_AT_END.search(label) and PERIOD_YEAR.fullmatch(values[0]):  # Balance at April 30, 2023
        label, found, values = f"{label} {values[0]}", found[1:], values[1:]
    if not _is_of_a_row(label, values, line):
        return None
    return Row(label, tuple(values), tuple((at + start, at + end) for _, (start, end) in found))


def is_of_figures(row: Row) -> bool:
    """Return whether a row has an amount, a share or a large figure, which no name has."""
    return any(re.search(r"[$€£¥%—]|\d[.,]\d", value) for value in row.values)


def _is_of_a_row(label: str, values: Sequence[str], line: str) -> bool:
    """Return whether a label and values are a row, and not the end of a sentence or a head."""
    is_money = any(sign in value for value in values for sign in "$€£¥%")
    is_figure = len(values) > 1 or is_money or any(map(_LARGE.fullmatch, values))
    is_date = DATE.search(line) is not None and not is_money and len(values) < 2
    is_cut = _NO_LABEL.search(label) is not None and _ABBREVIATED.search(label) is None
    return (
        1 <= len(values) <= 2 * _MOST_COLUMNS
        and any(map(str.isalpha, label))
        and is_figure
        and not is_date
        and not is_cut
    )


def is_head(line: str) -> bool:
    """Return whether a line says only dates, periods and units: the head of a table's columns."""
    bare = UNIT.sub(" ", line)
    bare = re.sub(r"\([^)]*\)", " ", bare)
    words = re.findall(r"[^\W\d_]+(?:-[^\W\d_]+)?", bare)
    if not words and not PERIOD_YEAR.search(bare):
        return UNIT.search(line) is not None and len(line.split()) <= 12
    return all(_HEAD_WORD.fullmatch(word) for word in words) and len(line.split()) <= 24


def read_table(above: str, row: Row) -> RowHeads:
    """Return what the lines above a row say of its columns, unit and section."""
    lines = [" ".join(line.split()) for line in above.splitlines() if line.strip()][-_HEAD_WITHIN:]
    if " | " in above and not row.places:
        return _piped(lines, row)
    end = next(
        (at for at in range(len(lines) - 1, -1, -1) if is_head(lines[at]) and PERIOD_YEAR.search(lines[at])),
        None,
    )
    if end is None:
        words, columns = _words_above(lines, row)
        return RowHeads(
            columns, tuple(range(len(columns))), "", _currency(row, ()), _section(lines, row), words
        )
    start = end
    while (
        start > 0
        and end - start < _MOST_HEAD_LINES
        and (
            is_head(lines[start - 1]) or (UNIT.search(lines[start - 1]) and lines[start - 1].startswith("("))
        )
    ):
        start -= 1
    between = lines[end + 1 :]
    if sum(len(line.split()) > 14 and line.endswith(".") and parse_row(line) is None for line in between) > 0:
        return RowHeads(
            (), (), "", _currency(row, ()), _section(lines, row), ""
        )  # prose: another table's head
    head = lines[start : end + 1]
    last = next((line for line in between[:3] if UNIT.search(line) and line.startswith("(")), "")
    columns, used = _columns(head, row)
    unit_line = next((line for line in (last, *reversed(head)) if UNIT.search(line)), "")
    unit = unit_in(unit_line)
    return RowHeads(
        columns,
        used,
        unit.scale,
        _currency(row, between, unit_line),
        _section(between, row),
        " ".join(head),
        unit.exempt,
    )


def shown_value(value: str, heads: RowHeads, label: str) -> str:
    """Return a value with its currency and unit: $1,001,425 thousand."""
    return shown_amount(value, label, Unit(heads.unit, heads.exempt), heads.currency, section=heads.section)


def _columns(head: Sequence[str], row: Row) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Return the heads of the columns and the places of their values; nothing where they do not agree."""
    values = row.values
    plain = tuple(place for place, value in enumerate(values) if "%" not in value)
    every = tuple(range(len(values)))
    changes = any(re.search(r"\bchange|\bvs\b|\bvariance|\bincrease", line, re.IGNORECASE) for line in head)
    # The first lines may be a title that names a date.
    for first in range(len(head)):
        periods = _periods(head[first:])
        for places in (every, plain):
            if places and len(places) == len(periods) == len(set(periods)):
                return tuple(periods), places
        if changes and 0 < len(set(periods)) == len(periods) < len(values):
            named = (plain if len(plain) > len(periods) else every)[: len(periods)]
            return tuple(periods), named
    return (), ()


def _periods(head: Sequence[str]) -> list[str]:
    """Return the period of each column, from the head's lines."""
    text = " ".join(re.sub(r"\([^)]*\)", " ", line) for line in head)
    marks = [(match.start(), " ".join(match.group().split()), "D") for match in MONTH_DAY.finditer(text)]
    marks += [(match.start(), match.group(), "Y") for match in PERIOD_YEAR.finditer(text)]
    marks.sort()
    order = "".join(kind for _, _, kind in marks)
    days = [mark for _, mark, kind in marks if kind == "D"]
    years = [mark for _, mark, kind in marks if kind == "Y"]
    # June 30, 2023 June 30, 2022 · July 29, July 30, and 2023 2022 below · December 31, and 2018 2017 below
    if re.fullmatch(r"(?:DY)+", order) or (len(days) == len(years) and re.fullmatch(r"D+Y+", order)):
        found = [f"{day}, {year}" for day, year in zip(days, years, strict=True)]
    elif re.fullmatch(r"DY+", order):
        found = [f"{days[0]}, {year}" for year in years]
    elif re.fullmatch(r"Y+", order):
        found = years
    else:
        return []
    spans = [
        " ".join(match.group().split())
        for match in _SPAN.finditer(text)
        if match.group().casefold() not in {"change", "as of"}
    ]
    if spans and len(found) % len(spans) == 0:
        each = len(found) // len(spans)
        found = [f"{spans[place // each].lower()} {one}" for place, one in enumerate(found)]
    return found


def _words_above(lines: Sequence[str], row: Row) -> tuple[str, tuple[str, ...]]:
    """Return the line of words above a row and the rows before it, and the columns that it names."""
    above = next((line for line in reversed(lines[-_MOST_ROWS_BELOW_WORDS:]) if parse_row(line) is None), "")
    if not above or any(map(str.isdigit, above)) or above[-1] in ".,:;?!" or len(above.split()) > 14:
        return "", ()
    names = [" ".join(match.group().split()) for match in _COLUMN_NAME.finditer(above)]
    return above, tuple(names[1:]) if len(names) == len(row.values) + 1 else ()


def _piped(lines: Sequence[str], row: Row) -> RowHeads:
    """Return the head of a table whose cells the parsers divide by bars: its first line."""
    head: list[str] = []
    for line in reversed(lines):
        cells = [cell.strip() for cell in line.strip().strip("|").split(" | ")]
        if len(cells) != len(row.values) + 1:
            break
        head = cells
    columns = tuple(head[1:])
    known = bool(columns) and not any(
        re.search(r"^[$€£(]?\d+(?:[.,]\d+)*%?$", one) and not PERIOD_YEAR.fullmatch(one) for one in columns
    )
    return RowHeads(columns if known else (), tuple(range(len(columns))) if known else (), "", "", "", "")


def _currency(row: Row, between: Sequence[str], unit: str = "") -> str:
    for text in (*row.values, unit, *between):
        sign = re.search(r"[$€£¥]", text)
        if sign:
            return sign.group()
    return "$" if re.search(r"dollars", unit, re.IGNORECASE) else ""


def _section(lines: Sequence[str], row: Row) -> str:
    """Return the line with a colon above a row whose own label says little."""
    if len(row.label.split()) > 2:
        return ""
    for line in reversed(lines[-6:]):
        if line.endswith(":") and len(line.split()) <= 12:
            return line.rstrip(":")
        if (parsed := parse_row(line)) is None or len(parsed.label.split()) > 3:
            return ""
    return ""
