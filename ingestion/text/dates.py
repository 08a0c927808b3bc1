"""Dates in a text, in all common notations: 3 March 2024, March 3, 2024, 2024-03-03, 3.3.2024, 03/03/2024,
3. März 2024, 3 de marzo de 2024.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

# January to December, with common short forms after "|", except those that are words of another language
# ("out 2024", "set 3").
_MONTHS = (
    "january|jan february|feb march|mar april|apr may june|jun july|jul august|aug september|sept|sep "
    "october|oct november|nov december|dec",
    "januar|jänner februar märz|mrz april mai juni juli august september oktober|okt november dezember|dez",
    "janvier|janv février|févr mars avril|avr mai juin juillet|juil août septembre octobre novembre "
    "décembre|déc",
    "enero|ene febrero marzo abril|abr mayo junio julio agosto septiembre|setiembre octubre noviembre "
    "diciembre|dic",
    "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre|ott novembre dicembre",
    "janeiro fevereiro|fev março abril maio junho julho agosto setembro outubro novembro dezembro",
    "januari februari maart|mrt april mei juni juli augustus september oktober november december",
    "stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października listopada grudnia",
    "января февраля марта апреля мая июня июля августа сентября октября ноября декабря",
)
_NUMBERS = {
    name: number
    for language in _MONTHS
    for number, names in enumerate(language.split(), start=1)
    for name in names.split("|")
}
# What stands between day, month and year: "of", "de", "del".
_OF = r"(?:of|de|del|di)"
_DAY = r"(?P<day>0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th|er|º|°|\.)?"
_YEAR = r"(?P<year>1\d{3}|20\d{2})"
# Any word, looked up afterwards: an alternation of all names takes a hundred times as long.
_MONTH = r"(?P<month>[^\W\d_]{3,12})\.?"
_PATTERNS = tuple(
    re.compile(rf"\b{pattern}\b", re.IGNORECASE)
    for pattern in (
        rf"{_DAY}(?:\s+{_OF})?\s+{_MONTH}(?:,?\s+(?:{_OF}\s+)?{_YEAR})?",
        rf"{_MONTH}\s+{_DAY}(?:,?\s+{_YEAR})?(?![\d,.]*\d)",
        rf"{_MONTH},?\s+(?:{_OF}\s+)?{_YEAR}",
        rf"{_YEAR}-(?P<month>0[1-9]|1[0-2])-(?P<day>0[1-9]|[12]\d|3[01])",
        rf"(?<![\d.])(?P<day>0?[1-9]|[12]\d|3[01])\.\s?(?P<month>0?[1-9]|1[0-2])\.\s?{_YEAR}(?!\.\d)",
        rf"(?<![\d/])(?P<first>\d{{1,2}})/(?P<second>\d{{1,2}})/{_YEAR}(?!/\d)",
    )
)
_MOST_MONTHS, _MOST_DAYS = 12, 31
_HAS_DIGIT = re.compile(r"\d")


@dataclass(frozen=True, slots=True)
class Date:
    """A date at characters `start` to `end` of a text.

    Attributes:
        text: As written.
        month: 1 to 12.
        day: None where the date is a month.
        year: None where it is not written.
        either_way: Whether day and month may be swapped: 3/5/1987 is read as 5 March and may be 3 May.
    """

    text: str
    month: int
    day: int | None
    year: int | None
    either_way: bool = False
    start: int = 0
    end: int = 0

    @property
    def days(self) -> tuple[str, ...]:
        """The possible days as 2024-03-05; none where day or year is missing."""
        if self.day is None or self.year is None:
            return ()
        read = [(self.month, self.day), *([(self.day, self.month)] if self.either_way else [])]
        return tuple(dict.fromkeys(f"{self.year}-{month:02d}-{day:02d}" for month, day in read))


def dates(text: str) -> list[Date]:
    """The dates of a text that have a month and a day or a year, in order."""
    if not _HAS_DIGIT.search(text):
        return []
    found: dict[tuple[int, int], Date] = {}
    for match in _matches(text):
        if any(start < match.end() and match.start() < end for start, end in found):
            continue
        date = _date(match)
        if date is not None:
            found[match.span()] = date
    return [found[span] for span in sorted(found)]


def _matches(text: str) -> Iterator[re.Match[str]]:
    for pattern in _PATTERNS:
        yield from pattern.finditer(text)


def _date(match: re.Match[str]) -> Date | None:
    """The date of a match; None for an impossible month or day."""
    parts = match.groupdict()
    year = int(parts["year"]) if parts.get("year") else None
    if "first" in parts:
        month, day = int(parts["first"]), int(parts["second"])
        either_way = max(month, day) <= _MOST_MONTHS and month != day
        if month > _MOST_MONTHS:
            month, day = day, month
        is_one = 1 <= month <= _MOST_MONTHS and 1 <= day <= _MOST_DAYS
        return Date(match[0], month, day, year, either_way, *match.span()) if is_one else None
    name = parts["month"].casefold()
    month = int(name) if name.isdigit() else _NUMBERS.get(name, 0)
    if not month:
        return None
    return Date(match[0], month, int(parts["day"]) if parts.get("day") else None, year, False, *match.span())
