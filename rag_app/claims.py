"""What similarity does not see: whether the numbers, dates and negations of a sentence stand in its source.

"Revenue fell 12% in 2021" and "Revenue fell 21% in 2012" have nearly the same vectors. So these are compared
literally, after writing each in one form: 1,200 and 1200, 2.5 and 2,5, 3 March 1987 and 3.3.1987.
English words for months, numbers and negation; figures in any language.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from ingestion.words import function_words


class Literal(IntEnum):
    """How far the literal parts of a claim stand in a source."""

    CONTRADICTED = 0
    ROUNDED = 1
    STATED = 2


@dataclass(frozen=True, slots=True)
class Finding:
    """The outcome for a claim; `reason` says in words what is missing, None where all is stated."""

    literal: Literal
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Number:
    """A figure. `value` has its scale word in it; `digits` are its significant ones, at least one.

    `readings` are all that it may mean: 1.234 is little more than one in English, and 1,234 in German. What
    is no figure, such as the section 1.2.3, is itself alone.
    """

    text: str
    value: float
    digits: str
    has_scale: bool
    readings: frozenset[float | str]

    @property
    def is_year(self) -> bool:
        return self.text.isdigit() and len(self.text) == 4 and 1000 <= self.value <= 2100


@dataclass(frozen=True, slots=True)
class Date:
    """A day, or a month where `day` is None; without `year` where none is written.

    `either_way`: 3/5/1987 is a day of March or of May; here it is read as the fifth of March.
    """

    text: str
    month: int
    day: int | None
    year: int | None
    either_way: bool = False


@dataclass(frozen=True, slots=True)
class Negation:
    """A word that denies, and the first word of content behind it, shortened to its stem."""

    text: str
    denied: str


_MONTHS = (
    "january|february|march|april|may|june|july|august|september|october|november|december",
    "jan|feb|mar|apr|may|jun|jul|aug|sept|oct|nov|dec",
)
_MONTH_NUMBERS = {
    **{name: number for names in _MONTHS for number, name in enumerate(names.split("|"), start=1)},
    "sep": 9,
}
_MONTH = rf"(?P<month>{'|'.join(_MONTHS)}|sep)\.?"
_DAY = r"(?P<day>0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th)?"
_YEAR = r"(?P<year>1\d{3}|20\d{2})"
_DATES = tuple(
    re.compile(rf"\b{pattern}\b", re.IGNORECASE)
    for pattern in (
        rf"{_DAY}(?:\s+of)?\s+{_MONTH}(?:,?\s+{_YEAR})?",
        rf"{_MONTH}\s+{_DAY}(?:,?\s+{_YEAR})?(?![\d,.]*\d)",
        rf"{_MONTH},?\s+{_YEAR}",
        rf"{_YEAR}-(?P<month>0[1-9]|1[0-2])-(?P<day>0[1-9]|[12]\d|3[01])",
        rf"(?<![\d.])(?P<day>0?[1-9]|[12]\d|3[01])\.\s?(?P<month>0?[1-9]|1[0-2])\.\s?{_YEAR}(?!\.\d)",
        rf"(?<![\d/])(?P<first>\d{{1,2}})/(?P<second>\d{{1,2}})/{_YEAR}(?!/\d)",
    )
)
_MOST_MONTHS, _MOST_DAYS = 12, 31

_SCALES = {
    "hundred": 1e2, "thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12, "mn": 1e6, "bn": 1e9,
}  # fmt: skip
_SMALL = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_WORDS = {
    **{word: float(number) for number, word in enumerate(_SMALL)},
    **{word: 10.0 * number for number, word in enumerate(_TENS, start=2)},
    "dozen": 12.0,
}
# "one of them" and "no one" count nothing.
_NOT_COUNTED = frozenset({"one"})
_FIGURE = re.compile(
    r"(?P<figure>\d{1,3}(?:[\u00a0\u202f'’]\d{3})+(?:[.,]\d+)?(?![\d.,]*\d)|\d+(?:[.,]\d+)*)"
    rf"(?:[\s-]*(?P<scale>{'|'.join(_SCALES)})s?\b)?",
    re.IGNORECASE,
)
_NUMBER_WORD = re.compile(
    rf"\b(?:(?P<tens>{'|'.join(_TENS)})[\s-])?(?P<word>{'|'.join(_WORDS)})\b"
    rf"(?:[\s-]+(?P<scale>{'|'.join(_SCALES)})s?\b)?",
    re.IGNORECASE,
)
# How a figure's points and commas can be read: the decimal sign, or that between thousands.
_ENGLISH = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?")
_CONTINENTAL = re.compile(r"\d{1,3}(?:\.\d{3})+(?:,\d+)?|\d+(?:,\d+)?")
# A figure may be rounded to no fewer significant digits than this.
_LEAST_DIGITS = 2

_NEGATION = re.compile(
    r"\b(?:not|never|no|none|nor|neither|without|cannot|nobody|nothing|nowhere|fail(?:s|ed)?\s+to|"
    r"(?:is|are|was|were|do|does|did|has|have|had|ca|could|wo|would|should|must|need|ai|might)n['’]t)\b",
    re.IGNORECASE,
)
# "no more than 5", "no. 7", "not only … but also": nothing is denied.
_NO_DENIAL = re.compile(
    r"not\s+(?:only|just|merely|least)\b|no\s+(?:more|less|fewer|later|earlier|one)\b|no\.?\s*\d|"
    r"nothing\s+but\b|without\s+(?:a\s+)?doubt\b",
    re.IGNORECASE,
)
# Words between a denial and what it denies, and endings that do not change what a word denies.
_DENIED_WITHIN = 6
_ENDING = re.compile(r"(?:ies|es|s|ed|ing|ly|e|y)$")
_LEAST_STEM = 3


def compare(claim: str, source: str, context: str = "") -> Finding:
    """Return whether what a claim counts, dates and denies stands in its source.

    `context` is what stands around the source (its passage, heading and document's name): a year may be named
    there instead. A figure that the source has in more digits or another scale is rounded.
    """
    dated = [_compare_date(date, source, context) for date in dates(claim)]
    counted = _compare_numbers(claim, source, context)
    denied = _compare_negations(claim, source)
    return min(
        (*dated, *counted, *denied), key=lambda finding: finding.literal, default=Finding(Literal.STATED)
    )


def numbers(text: str) -> list[Number]:
    """Return the figures and number words of a text, those of dates as well."""
    found = [
        number
        for match in _FIGURE.finditer(text)
        for number in _figures(match[0], match["figure"], match["scale"])
    ]
    for match in _NUMBER_WORD.finditer(text):
        value = _WORDS[match["word"].lower()]
        if match["tens"]:
            value += _WORDS[match["tens"].lower()]
        found.append(_number(match[0], [f"{value:g}"], match["scale"]))
    return found


def dates(text: str) -> list[Date]:
    """Return the dates of a text that have a month and a day or a year."""
    found: dict[tuple[int, int], Date] = {}
    for pattern in _DATES:
        for match in pattern.finditer(text):
            if any(start < match.end() and match.start() < end for start, end in found):
                continue
            date = _date(match)
            if date is not None:
                found[match.span()] = date
    return [found[span] for span in sorted(found)]


def negations(text: str) -> list[Negation]:
    """Return what a text denies. A denial of which no word of content follows denies the whole: ""."""
    found = []
    for match in _NEGATION.finditer(text):
        if _NO_DENIAL.match(text, match.start()):
            continue
        behind = re.findall(r"[\w-]+", text[match.end() :])[:_DENIED_WITHIN]
        content = [word for word in behind if word.lower() not in function_words("en")]
        found.append(Negation(match[0], _stem(content[0]) if content else ""))
    return found


def _date(match: re.Match[str]) -> Date | None:
    """Return the date of a match, None where it has no such month or day."""
    parts = match.groupdict()
    year = int(parts["year"]) if parts.get("year") else None
    if "first" in parts:
        month, day = int(parts["first"]), int(parts["second"])
        either_way = max(month, day) <= _MOST_MONTHS
        if month > _MOST_MONTHS:
            month, day = day, month
        is_one = 1 <= month <= _MOST_MONTHS and 1 <= day <= _MOST_DAYS
        return Date(match[0], month, day, year, either_way) if is_one else None
    name = parts["month"].lower()
    month = int(name) if name.isdigit() else _MONTH_NUMBERS[name]
    return Date(match[0], month, int(parts["day"]) if parts.get("day") else None, year)


def _figures(text: str, figure: str, scale: str | None) -> Iterator[Number]:
    """Yield what digits, points and commas are: a figure, several ("1,2,3", 3.5.1987), or a literal."""
    joined = re.sub("[\u00a0\u202f'’]", "", figure)
    readings = []
    if _ENGLISH.fullmatch(joined):
        readings.append(joined.replace(",", ""))
    if _CONTINENTAL.fullmatch(joined):
        readings.append(joined.replace(".", "").replace(",", "."))
    if readings:
        yield _number(text, readings, scale)
    elif "." not in joined or dates(joined):
        *parts, last = re.split("[.,]", joined)
        yield from (_number(part, [part], None) for part in parts)
        yield _number(last, [last], scale)
    else:
        yield Number(joined, 0.0, "0", has_scale=False, readings=frozenset({joined}))


def _number(text: str, readings: list[str], scale: str | None) -> Number:
    """Return a figure, of which the first reading is the likeliest."""
    digits = readings[0].replace(".", "").lstrip("0") or "0"
    factor = _SCALES[scale.lower()] if scale else 1.0
    values = [float(reading) * factor for reading in readings]
    return Number(text.strip(), values[0], digits.rstrip("0") or "0", scale is not None, frozenset(values))


def _compare_numbers(claim: str, source: str, context: str) -> Iterator[Finding]:
    stated, around = numbers(source), numbers(context)
    # A date is compared as one. Longer ones first: "1 May" stands in "11 May" too.
    for date in sorted(dates(claim), key=lambda date: -len(date.text)):
        claim = claim.replace(date.text, " ")
    for number in numbers(claim):
        if number.text.lower() in _NOT_COUNTED:
            continue
        known = [*stated, *around] if number.is_year else stated
        if any(number.readings & other.readings for other in known):
            continue
        if any(_is_rounded(number, other) for other in stated):
            yield Finding(Literal.ROUNDED, f"{number.text} is rounded, or of another scale, in the source")
        else:
            yield Finding(Literal.CONTRADICTED, f"{number.text} is not in the source")


def _is_rounded(number: Number, source: Number) -> bool:
    """Whether a figure is the source's in fewer digits, or in thousands, millions, … of it."""
    kept = len(number.digits)
    if kept < _LEAST_DIGITS or len(source.digits) < kept or not source.value:
        return False
    ratio = number.value / source.value
    scales = (1.0,) if number.has_scale and source.has_scale else (1.0, 1e3, 1e6, 1e9)
    tolerance = 0.5 * 10.0 ** -(kept - 1)
    return any(
        abs(ratio / scale - 1) <= tolerance / float(f"{number.digits[0]}.{number.digits[1:]}")
        for scale in scales
    )


def _compare_date(date: Date, source: str, context: str) -> Finding:
    stated = dates(source)
    for other in stated:
        if not _is_within(other, date):
            continue
        if date.year is None or other.year == date.year:
            return Finding(Literal.STATED)
        if other.year is None and _has_year(date.year, f"{source} {context}"):
            return Finding(Literal.STATED)
    # "March 1987" where the heading has the month, or a table's columns have the days.
    if any(
        other.month == date.month and other.day == date.day and date.year in (None, other.year)
        for other in dates(context)
    ):
        return Finding(Literal.STATED)
    return Finding(Literal.CONTRADICTED, f"the date {date.text} is not in the source")


def _is_within(day: Date, date: Date) -> bool:
    """Whether a source's date is a claim's day, or a day of its month; written otherwise, in either order."""
    if date.day is None:
        return day.month == date.month or (day.either_way and day.day == date.month)
    if day.day is None:
        return False
    same = (day.month, day.day) == (date.month, date.day)
    return same or (day.either_way != date.either_way and (day.day, day.month) == (date.month, date.day))


def _has_year(year: int, text: str) -> bool:
    return re.search(rf"(?<!\d){year}(?!\d)", text) is not None


def _compare_negations(claim: str, source: str) -> Iterator[Finding]:
    said, stated = negations(claim), negations(source)
    claimed = {_stem(word) for word in re.findall(r"[\w-]+", claim)}
    present = {_stem(word) for word in re.findall(r"[\w-]+", source)}
    denied_there = {negation.denied for negation in stated}
    denied_here = {negation.denied for negation in said}
    for negation in said:
        if not stated or (negation.denied in present and negation.denied not in denied_there):
            yield Finding(Literal.CONTRADICTED, f"the source does not say “{negation.text}”")
    for negation in stated:
        if negation.denied in claimed and negation.denied not in denied_here:
            yield Finding(Literal.CONTRADICTED, f"the source says “{negation.text}”")


def _stem(word: str) -> str:
    plain = word.lower()
    stem = _ENDING.sub("", plain)
    return stem if len(stem) >= _LEAST_STEM else plain
