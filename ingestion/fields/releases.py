"""Press releases: announcements of a company, above all of its results."""

import re
from dataclasses import dataclass

from ingestion.fields.front_matter import FrontMatter, is_noise
from ingestion.fields.organisations import as_written
from ingestion.fields.periods import Period, calendar_quarter, spoken_period
from ingestion.text.dates import dates

# Lines in which the headline stands, and characters of what follows it.
_HEAD_LINES = 15
_BODY = 2_500
_LONGEST_LINES = 3
_MOST_WORDS = 25
_WORDS_OF_A_NAME = 8
_VERB = re.compile(
    r"\b(?:reports?|reported|announces?|announced|posts|delivers|releases|achieves|declares|completes)\b",
    re.IGNORECASE,
)
_RESULTS = re.compile(r"\b(?:results|earnings|financials|revenues?|sales|profit)\b", re.IGNORECASE)
_SPAN = re.compile(
    r"\b(?:quarter(?:ly)?|fiscal|full[- ]year|annual|year[- ]end|half[- ]year|first half|Q[1-4]|[1-4]Q|"
    r"(?:19|20)\d\d)\b",
    re.IGNORECASE,
)
_MARKED = re.compile(
    r"news\s+release|press\s+release|for\s+(?:immediate\s+)?release|newswire|business\s+wire|prnewswire",
    re.IGNORECASE,
)
_ENDED = re.compile(r"\b(?:quarter|months|weeks?|period)\b[^.]{0,60}?\bended\b", re.IGNORECASE)
_NAME = r"(?P<name>[A-Z0-9][^()\n;:“”\"]{1,80}?)"
_EXCHANGE = r"(?:NYSE|Nasdaq|NASDAQ|LSE|TSX|ASX|Euronext|XETRA)"
# "… (GLOBE NEWSWIRE) -- Acme Corporation (“Acme”) (NYSE: ACM) today announced"
_LISTED = re.compile(rf"(?:--|[–—]|\s-)\s*{_NAME}\s*\((?:[^()]*\)\s*\()?[^()]*{_EXCHANGE}[^()]*\)")
# "April 25, 2023 - Acme" where the date stands between two dashes.
_BEFORE_NAME = re.compile(r"^.*\s[–—-]+\s")
_SPEAKS = re.compile(
    rf"(?:--|[–—]|\s-)\s*{_NAME}(?:\s*\([^()]*\))*,?\s+(?:today\s+)?(?:announced|reported)\b"
)


@dataclass(frozen=True, slots=True)
class Release:
    """A press release; `is_earnings` where it announces results."""

    title: str
    is_earnings: bool


def release_of(front: FrontMatter) -> Release | None:
    """Return the press release that a first page begins; None for another document.

    One of results is known by its headline, another one must also say that it is a release.
    """
    title = _headline(front)
    if not title:
        return None
    if _RESULTS.search(title) and _SPAN.search(title):
        return Release(title, is_earnings=True)
    return Release(title, is_earnings=False) if _MARKED.search(front.flat[:_BODY]) else None


def _headline(front: FrontMatter) -> str:
    """The line of the head that announces something, with the lines that it goes on in."""
    lines = front.lines[:_HEAD_LINES]
    speaks = _SPEAKS.search(front.flat[:_BODY])
    for place, line in enumerate(lines):
        announces = _begins(line) or (speaks and _RESULTS.search(line) and _SPAN.search(line))
        if not announces or line.endswith(".") or is_noise(line):
            continue
        title = line
        for following in lines[place + 1 : place + _LONGEST_LINES]:
            is_whole = _RESULTS.search(title) and _SPAN.search(title)
            if is_noise(following) or (is_whole and not following[0].islower() and following[:3] != "and"):
                break
            title = f"{title} {following}"
        return title if len(title.split()) <= _MOST_WORDS else ""
    return ""


def _begins(line: str) -> bool:
    """Whether a line begins with a name before its verb."""
    verb = _VERB.search(line)
    return bool(
        verb
        and 0 < len(line[: verb.start()].split()) <= _WORDS_OF_A_NAME
        and (line[0].isupper() or line[0].isdigit())
    )


def releasing_organisation(front: FrontMatter, release: Release) -> str:
    """Return who announces: the company that is listed, that speaks, or that the headline begins with."""
    body = front.flat[:_BODY]
    for pattern in (_LISTED, _SPEAKS):
        if (match := pattern.search(body)) and len(match["name"].split()) <= _WORDS_OF_A_NAME:
            return as_written(_BEFORE_NAME.sub("", match["name"]), front.text)
    verb = _VERB.search(release.title)
    return as_written(release.title[: verb.start()], front.text) if verb else ""


def release_period(front: FrontMatter, release: Release) -> Period | None:
    """Return the quarter or year that results are of, the day of another release.

    A quarter that ends on another day than the calendar's is one of a fiscal year, whether said or not.
    """
    body = front.flat[:_BODY]
    if not release.is_earnings:
        return None
    period = spoken_period(release.title)
    if period is None or (period.quarter is None and re.search(r"\bquarter", release.title, re.IGNORECASE)):
        period = spoken_period(body) or period
    if period is None or period.fiscal or period.quarter is None:
        return period
    ended = _ENDED.search(body)
    end = next((one for one in dates(body[ended.end() :][:60]) if one.day), None) if ended else None
    by_calendar = calendar_quarter(end) if end else None
    if by_calendar and (by_calendar.year, by_calendar.quarter) != (period.year, period.quarter):
        return Period(period.year, fiscal=True, quarter=period.quarter)
    return period
