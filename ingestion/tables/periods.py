"""Dates and stretches of time in the heads of a table's columns."""

import re

MONTHS = (
    r"jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|"
    r"nov(?:ember)?|dec(?:ember)?"
)
# A year that dates a column or a row of a table, from 1900 to 2099.
PERIOD_YEAR = re.compile(r"\b(?:19|20)\d\d\b")
# How a question writes years: 2022, FY2022, FY22, Q2 '22.
_ASKED_YEAR = re.compile(
    r"\b(?:fy|cy)?\s?((?:19|20)\d\d)\b|\b(?:fy|cy|fiscal|q[1-4]|h[12])\s?['’]?(\d\d)\b", re.IGNORECASE
)
MONTH_DAY = re.compile(rf"\b(?:{MONTHS})\.?\s+\d{{1,2}}\b", re.IGNORECASE)
DATE = re.compile(rf"\b(?:{MONTHS})\.?\s+\d{{1,2}},?\s+(?:19|20)\d\d\b", re.IGNORECASE)
_LENGTH = re.compile(
    r"\b(?:(?:\d{1,2}|three|six|nine|twelve|thirteen|twenty-six|thirty-nine|fifty-two)[- ](?:weeks?|months?)|"
    r"(?:fiscal |first |second |third |fourth )?(?:years?|quarters?|periods?)|quarter to date|year to date)"
    r"(?:\s+(?:ended|ending))",
    re.IGNORECASE,
)
_WEEKS = re.compile(
    r"(?<!next )(?<!than )(?<!within )(?<!beyond )(?<!over )(?<!after )\b"
    r"(?:\d{1,2}|three|six|nine|twelve)[- ](?:weeks|months)\b",
    re.IGNORECASE,
)
_QUARTER = re.compile(r"\b(?:q[1-4]|[1-4]q|h[12])\W{0,2}(?:(?:fy|cy)?\W?(?:20)?\d\d)?\b", re.IGNORECASE)
# 2017 to 2018 · 2019 v 2018 · 16/15
SPAN = re.compile(
    r"(?:\bfiscal (?:years? )?)?\b(?:19|20)\d\d\s?(?:to|vs?\.?|versus|compared (?:to|with)|[-–/])\s?"
    r"(?:19|20)\d\d\b|\b\d\d/\d\d\b(?!/)|"
    r"\b(?:YTD|Q[1-4])\s?['’]?\d\d vs?\.? (?:YTD|Q[1-4])\s?['’]?\d\d\b",
    re.IGNORECASE,
)
_CHANGE = re.compile(r"\b(?:change|increase|decrease|variance|v|vs|versus)\b|\binc\.?\s?/", re.IGNORECASE)
_FISCAL = re.compile(r"\b(?:fiscal(?: year)?|fy)\W?(?:20)?\d\d\b", re.IGNORECASE)


def asked_years(question: str) -> set[str]:
    """Return the years that a question names, of four digits."""
    return {long or f"20{short}" for long, short in _ASKED_YEAR.findall(question)}


def with_year(question: str, year: str) -> str:
    """Return a question with a year in the place of each that it names."""
    return _ASKED_YEAR.sub(f" {year}", question)


def period_of(head: str, around: str = "") -> str:
    """Return the period that a column's head says, like "year ended December 31, 2018"; "" without one.

    Args:
        head: All levels of the head, from the top.
        around: What completes it: the head of the labels, or the table's title.
    """
    span = SPAN.search(head or around)
    if span is not None or _CHANGE.search(head):
        return "" if span is None else str(span.group())
    years = PERIOD_YEAR.findall(head)
    return _dated(head, years[-1], around) if years else _without_year(head, around)


def _without_year(head: str, around: str) -> str:
    """The period of a head without a year: a quarter, a number of weeks, or the only date around it."""
    named = _QUARTER.search(head) or _FISCAL.search(head)
    if named is not None:
        return " ".join(named.group().split())
    dates = {" ".join(one.split()) for one in DATE.findall(around)}
    if len(set(PERIOD_YEAR.findall(around))) > 1:
        return ""
    if not dates and (weeks := _WEEKS.search(head)) is not None:
        return " ".join(weeks.group().lower().split())
    return (
        f"{_length(around)} {dates.pop()}".strip() if len(dates) == 1 and not MONTH_DAY.search(head) else ""
    )


def _dated(head: str, year: str, around: str) -> str:
    """A year with the day and the length that its head, or else what is around it, says."""
    day, length = MONTH_DAY.search(head), _length(head)
    fiscal = _FISCAL.search(head) or _QUARTER.search(head)
    if day is None and fiscal is not None:
        return " ".join(fiscal.group().split())
    if day is None and (outer := MONTH_DAY.search(around)) is not None:
        day, length = outer, length or _length(around)
    elif day is not None and not MONTH_DAY.search(around) and says_only_dates(around):
        length = length or _length(around)  # "Period ended" above the days
    shown = f"{' '.join(day.group().split())}, {year}" if day is not None else year
    return f"{length} {shown}".strip()


def says_only_dates(text: str) -> bool:
    """Return whether a head has only words of dates and lengths of time: "Years Ended December 31,"."""
    rest = re.sub(r"[\d,.\s()]+|\b(?:as|of|at|the|for|and|to|in)\b", " ", _LENGTH.sub(" ", text.casefold()))
    rest = re.sub(
        rf"\b(?:{MONTHS}|fiscal|ended|ending|years?|quarters?|periods?|months?|weeks?)\b", " ", rest
    )
    return not rest.strip(" -–—:;") and any(map(str.isalpha, text))


def _length(text: str) -> str:
    found = _LENGTH.search(text)
    return "" if found is None else re.sub(r"years ", "year ", " ".join(found.group().lower().split()))
