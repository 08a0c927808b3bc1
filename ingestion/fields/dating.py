"""The period of a document of no special form, from its title, a labelled date, or a line of its cover."""

import re
from collections.abc import Iterator

from ingestion.fields.front_matter import FrontMatter
from ingestion.fields.periods import Period, of_date, parse_period, spoken_period
from ingestion.text.dates import Date, dates

_HEAD_LINES = 30
_VALUE = 60
# Characters of a date in front of a time: 2021-05-04T10:00:00Z.
_ISO = 10
# Words beside a date on its line: a town, a number's name.
_WORDS_BESIDE = 2
_LABELLED = re.compile(
    r"\b(?:date\s*&\s*time|date\s+of\s+(?:issue|publication|meeting)|(?:last\s+)?(?:updated|revised|modified)|"
    r"version(?:\s+[\w.]*\d[\w.]*)?|revision|v\d[\d.]*|dated?(?:\s+(?:as\s+)?of)?|"
    r"effective(?:\s+(?:date|as\s+of))?|(?:made|entered\s+into)(?:\s+\w+){0,3}?\s+as\s+of|"
    r"(?:issued|published|adopted|approved)(?:\s+on)?|stand|datum|vom|fecha|data)\b\s*[:,]?\s*",
    re.IGNORECASE,
)
_YEAR = re.compile(r"(?<![\d/.-])(?:19|20)\d\d(?![\d/.-]\d|\d)")
_NAMED_DAY = re.compile(r"\b((?:19|20)\d\d) (0[1-9]|1[0-2]) (0[1-9]|[12]\d|3[01])\b")


def period_of(front: FrontMatter, title: str) -> Period | None:
    """Return the period that a document says it is of; None where it says none, or several."""
    return next(_candidates(front, title), None)


def _candidates(front: FrontMatter, title: str) -> Iterator[Period]:
    """Yield what may be the period, the surest first."""
    head = front.lines[:_HEAD_LINES]
    for text in (title, front.title or "", front.properties.subject):
        if period := spoken_period(text) or _only_date(text) or _only_year(text):
            yield period
    for line in head[:8]:
        if len(line) <= _VALUE and (period := parse_period(line)) and period.fiscal:
            yield period
    if period := _labelled(front):
        yield period
    if period := _alone(head):
        yield period
    if period := _stated(front):
        yield period
    if period := _by_name(front):
        yield period


def _only_year(text: str) -> Period | None:
    """The one year of a title or subject: "2019 annual report", "Proceedings 2019"."""
    years = set(_YEAR.findall(text))
    return Period(int(years.pop())) if len(years) == 1 else None


def _only_date(text: str) -> Period | None:
    """The one date of a title: "Minutes of the meeting of 12 March 2020"."""
    found = [one for one in dates(text) if one.year]
    return of_date(found[0]) if len(found) == 1 else None


def _labelled(front: FrontMatter) -> Period | None:
    """A date behind a label such as "Last updated:", "dated as of"."""
    head = "\n".join(front.lines[:_HEAD_LINES])
    for match in _LABELLED.finditer(head):
        value = head[match.end() :].split("\n", 1)[0][:_VALUE]
        found = dates(value)
        if found and not value[: value.find(found[0].text)].strip(" ,.:-–()"):
            period = _dated(found[0])
            if period:
                return period
    return None


def _alone(head: list[str]) -> Period | None:
    """The only date among those that a line has to itself, or shares with an address or a number."""
    periods = []
    for line in head:
        found = [one for one in dates(line) if one.year]
        rest = line
        for one in found:
            rest = rest.replace(one.text, " ")
        if len(found) == 1 and len(re.findall(r"[^\W\d_]{2,}", rest)) <= _WORDS_BESIDE:
            periods.append(_dated(found[0]))
    known = {str(period) for period in periods if period}
    return next((period for period in periods if period), None) if len(known) == 1 else None


def _stated(front: FrontMatter) -> Period | None:
    """The date that the file states of its content."""
    text = front.properties.date
    found = dates(text[:_ISO]) or dates(text)
    if found:
        return _dated(found[0])
    return Period(int(text[:4])) if re.fullmatch(r"(?:19|20)\d\d(?:\D.*)?", text) else None


def _by_name(front: FrontMatter) -> Period | None:
    """The day, the quarter or the only year in the file's name."""
    if match := _NAMED_DAY.search(front.name_words):
        return parse_period("-".join(match.groups()))
    years = set(re.findall(r"(?<![^\W_])(?:19|20)\d\d(?![^\W_])", front.name_words))
    return spoken_period(front.name_words) or (Period(int(years.pop())) if len(years) == 1 else None)


def _dated(date: Date) -> Period | None:
    return of_date(date) if date.year else None
