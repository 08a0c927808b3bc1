"""Periods: the year, quarter, month or day that a document is about, in one form each.

    2019        FY2019          a year, a fiscal year
    2023-Q2     FY2023-Q2       a quarter; 2023-H1 is a half
    2012-09     2019-06-12      a month, a day

A fiscal year begins when its company says. "FY" stands where the text says so, or where dates show it.
"""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date as calendar_date
from datetime import timedelta

from ingestion.text.dates import Date, dates

PERIOD_FORMS = "2024, FY2024, 2024-Q2, FY2024-Q2, 2024-H1, 2024-05, 2024-05-31"

_YEARS = range(1000, 2101)
_CENTURY = 2000
_MONTHS_OF_A_QUARTER = 3
_FEBRUARY = 2
# Days between the end of a quarter or year by the calendar and the end that a company keeps: weeks are whole.
_NEAR = 8

_CANONICAL = re.compile(
    r"(?P<fiscal>FY)?(?P<year>\d{4})(?:-(?:Q(?P<quarter>[1-4])|H(?P<half>[12])|"
    r"(?P<month>\d\d)(?:-(?P<day>\d\d))?))?",
    re.IGNORECASE,
)
_ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "1st": 1, "2nd": 2, "3rd": 3, "4th": 4}
_YEAR = r"(?P<year>(?:19|20)\d\d)"
_SHORT = r"(?P<year>(?:20)?\d\d)"
_FISCAL = r"(?P<fiscal>fiscal(?:\s+year)?|financial\s+year|FY|Geschäftsjahr)"
_QUARTER = r"(?P<quarter>first|second|third|fourth|1st|2nd|3rd|4th)[-\s]+quarter"
_FISCAL_YEAR = re.compile(rf"\b{_FISCAL}[\s'’]*{_YEAR}\b", re.IGNORECASE)
_SPOKEN = (
    *(
        re.compile(pattern, re.IGNORECASE)
        for pattern in (
            # second quarter of fiscal year 2023 · third quarter and year-to-date … for fiscal 2023
            rf"\b{_QUARTER}(?:(?!\b(?:19|20)\d\d\b)[^.;:()]){{0,60}}?\s{_FISCAL}\s*{_YEAR}\b",
            rf"\b{_QUARTER}(?:(?!\d)[^.;:()]){{0,40}}?\s{_YEAR}\b",
            rf"\b(?:{_FISCAL}\s*)?{_YEAR}\s+{_QUARTER}\b",
            # Q2 2023 · Q2 FY2023 · Q2 '23 · 2Q23 · 2023Q2 · FY23 Q2 · H1 2023
            rf"\bQ(?P<quarter>[1-4])(?:\s+(?:and|"
            rf"&)\s+full[-\s]year)?[\s,/-]*(?:of\s+)?(?:{_FISCAL}\s*)?{_YEAR}\b",
            rf"\bQ(?P<quarter>[1-4])\s*(?:['’]|(?P<fiscal>FY)\s?['’]?){_SHORT}\b",
            rf"\b(?P<quarter>[1-4])Q\s?{_YEAR}\b",
            rf"\b(?P<quarter>[1-4])Q\s?(?:['’]|(?P<fiscal>FY)\s?['’]?)?{_SHORT}\b(?![.,]\d|%)",
            rf"\b(?:{_FISCAL}\s*)?{_YEAR}[\s-]?Q(?P<quarter>[1-4])\b",
            rf"\b(?P<fiscal>FY)[\s'’]?{_SHORT}[\s-]?Q(?P<quarter>[1-4])\b",
            rf"\bH(?P<half>[12])[\s/-]*(?:{_FISCAL}\s*)?{_YEAR}\b",
            rf"\b(?P<fiscal>FY)[\s'’]?{_SHORT}\b",
        )
    ),
    _FISCAL_YEAR,
)


@dataclass(frozen=True, slots=True)
class Period:
    """A period; see the module. At most one of quarter, half and month is given."""

    year: int
    fiscal: bool = False
    quarter: int | None = None
    half: int | None = None
    month: int | None = None
    day: int | None = None

    def __str__(self) -> str:
        begin = f"{'FY' if self.fiscal else ''}{self.year:04d}"
        if self.quarter:
            return f"{begin}-Q{self.quarter}"
        if self.half:
            return f"{begin}-H{self.half}"
        month = f"-{self.month:02d}" if self.month else ""
        return begin + month + (f"-{self.day:02d}" if self.day else "")


def parse_period(text: str) -> Period | None:
    """Return the period that a text as a whole names, in any usual way; None for another text, and for a
    period that cannot be, such as 2023-02-30."""
    text = text.strip()
    if match := _CANONICAL.fullmatch(text):
        return _possible(match)
    if period := spoken_period(text, whole=True):
        return period
    found = dates(text)
    if len(found) != 1 or found[0].text != text or found[0].either_way:
        return None
    return of_date(found[0])


def spoken_period(text: str, *, whole: bool = False) -> Period | None:
    """Return the first quarter, half or fiscal year that a text names: "second quarter of fiscal 2023".

    Args:
        whole: The text must be nothing else.
    """
    found: list[tuple[int, int, Period]] = []
    for place, pattern in enumerate(_SPOKEN):
        match = pattern.fullmatch(text) if whole else pattern.search(text)
        if match and (period := _possible(match)):
            found.append((match.start(), place, period))
    return min(found, key=lambda one: one[:2])[2] if found else None


def of_date(date: Date) -> Period | None:
    """Return a date as a period: a day, a month, or only the year where day and month may be swapped; None
    for one without a year, and for a day that no month has."""
    if date.year is None:
        return None
    if date.either_way:
        return Period(date.year)
    if date.day is not None and date.day > monthrange(date.year, date.month)[1]:
        return None
    return Period(date.year, month=date.month, day=date.day)


def quarter_of(date: Date) -> Period | None:
    """Return the quarter of the calendar that ends on a day; None where no quarter does."""
    if date.year is None or date.day is None or date.month % _MONTHS_OF_A_QUARTER:
        return None
    is_end = date.day == monthrange(date.year, date.month)[1]
    return Period(date.year, quarter=date.month // _MONTHS_OF_A_QUARTER) if is_end else None


def calendar_quarter(end: Date) -> Period | None:
    """Return the quarter of the calendar that is nearly over on a day; companies keep whole weeks."""
    if end.year is None or end.day is None or of_date(end) is None:
        return None
    day = calendar_date(end.year, end.month, end.day) - timedelta(days=10)
    return Period(day.year, quarter=(day.month + 2) // 3)


def year_ending(date: Date, said: str = "") -> Period | None:
    """Return the fiscal year that ends on a day.

    A year that ends in its first days is the one before; in the rest of January and in February companies
    differ, so that the text must name it.

    Args:
        said: Text that may name the year: "fiscal 2022".
    """
    if date.year is None or date.day is None or date.either_way:
        return None
    if date.month > _FEBRUARY:
        return Period(date.year, fiscal=True)
    if date.month == 1 and date.day <= _NEAR:
        return Period(date.year - 1, fiscal=True)
    named = [int(match["year"]) for match in _FISCAL_YEAR.finditer(said)]
    counts = {year: named.count(year) for year in (date.year, date.year - 1)}
    most = max(counts, key=lambda year: counts[year])
    return Period(most, fiscal=True) if counts[most] > counts[2 * date.year - 1 - most] else None


def _possible(match: re.Match[str]) -> Period | None:
    """Return the period of a match; None for one that cannot be."""
    parts = match.groupdict()
    year = int(parts["year"])
    if len(parts["year"]) == 2:  # FY23
        year += _CENTURY
    quarter = parts.get("quarter")
    number = _ORDINALS.get(quarter.casefold()) or int(quarter) if quarter else None
    half, month, day = (int(parts[name]) if parts.get(name) else None for name in ("half", "month", "day"))
    fiscal = bool(parts.get("fiscal"))
    if year not in _YEARS or (month is not None and not 1 <= month <= 12):
        return None
    if day is not None and not 1 <= day <= monthrange(year, month or 1)[1]:
        return None
    return None if fiscal and month else Period(year, fiscal, number, half, month, day)
