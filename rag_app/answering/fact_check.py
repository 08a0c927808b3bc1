"""What similarity does not see: whether the numbers, dates and negations of a sentence stand in its source.

"Revenue fell 12% in 2021" and "Revenue fell 21% in 2012" have nearly the same vectors. So these are compared
literally, after reading each in one form (`ingestion.text.numbers` and `dates`): 1,200 and 1200, 2.5 and
2,5, 3 March 1987 and 3.3.1987. Negation is read in English.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from ingestion.text.dates import Date, dates
from ingestion.text.numbers import Number, numbers
from ingestion.text.stopwords import stopwords_of


class Literal(IntEnum):
    """How far the literal parts of a claim stand in a source."""

    CONTRADICTED = 0
    ROUNDED = 1
    STATED = 2


@dataclass(frozen=True, slots=True)
class FactCheck:
    """The outcome for a claim; `reason` says in words what is missing, None where all is stated."""

    literal: Literal
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Negation:
    """A word that denies, and the first word of content behind it, shortened to its stem."""

    text: str
    denied: str


# "one of them" and "no one" count nothing.
_NOT_COUNTED = frozenset({"one"})
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


def compare(claim: str, source: str, context: str = "") -> FactCheck:
    """Return whether what a claim counts, dates and denies stands in its source.

    `context` is what stands around the source (its passage, heading and document's name): a year may be named
    there instead. A figure that the source has in more digits or another scale is rounded.
    """
    dated = [_compare_date(date, source, context) for date in dates(claim)]
    counted = _compare_numbers(claim, source, context)
    denied = _compare_negations(claim, source)
    return min(
        (*dated, *counted, *denied), key=lambda finding: finding.literal, default=FactCheck(Literal.STATED)
    )


def negations(text: str) -> list[Negation]:
    """Return what a text denies. A denial of which no word of content follows denies the whole: ""."""
    found = []
    for match in _NEGATION.finditer(text):
        if _NO_DENIAL.match(text, match.start()):
            continue
        behind = re.findall(r"[\w-]+", text[match.end() :])[:_DENIED_WITHIN]
        content = [word for word in behind if word.lower() not in stopwords_of("en")]
        found.append(Negation(match[0], _stem(content[0]) if content else ""))
    return found


def _compare_numbers(claim: str, source: str, context: str) -> Iterator[FactCheck]:
    stated, around = _with_parts(numbers(source)), _with_parts(numbers(context))
    # A date is compared as one. Longer ones first: "1 May" stands in "11 May" too.
    for date in sorted(dates(claim), key=lambda date: -len(date.text)):
        claim = claim.replace(date.text, " ")
    for number in numbers(claim):
        if number.text.lower() in _NOT_COUNTED:
            continue
        known = [*stated, *around] if number.is_year else stated
        if _is_among(number, known) or (number.parts and all(_is_among(one, known) for one in number.parts)):
            continue
        if any(_is_rounded(number, other) for other in stated):
            yield FactCheck(Literal.ROUNDED, f"{number.text} is rounded, or of another scale, in the source")
        else:
            yield FactCheck(Literal.CONTRADICTED, f"{number.text} is not in the source")


def _with_parts(found: list[Number]) -> list[Number]:
    return [*found, *(part for number in found for part in number.parts)]


def _is_among(number: Number, known: list[Number]) -> bool:
    return any(number.readings & other.readings for other in known)


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


def _compare_date(date: Date, source: str, context: str) -> FactCheck:
    stated = dates(source)
    for other in stated:
        if not _is_within(other, date):
            continue
        if date.year is None or other.year == date.year:
            return FactCheck(Literal.STATED)
        if other.year is None and _has_year(date.year, f"{source} {context}"):
            return FactCheck(Literal.STATED)
    # "March 1987" where the heading has the month, or a table's columns have the days.
    if any(
        other.month == date.month and other.day == date.day and date.year in (None, other.year)
        for other in dates(context)
    ):
        return FactCheck(Literal.STATED)
    return FactCheck(Literal.CONTRADICTED, f"the date {date.text} is not in the source")


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


def _compare_negations(claim: str, source: str) -> Iterator[FactCheck]:
    said, stated = negations(claim), negations(source)
    claimed = {_stem(word) for word in re.findall(r"[\w-]+", claim)}
    present = {_stem(word) for word in re.findall(r"[\w-]+", source)}
    denied_there = {negation.denied for negation in stated}
    denied_here = {negation.denied for negation in said}
    for negation in said:
        if not stated or (negation.denied in present and negation.denied not in denied_there):
            yield FactCheck(Literal.CONTRADICTED, f"the source does not say “{negation.text}”")
    for negation in stated:
        if negation.denied in claimed and negation.denied not in denied_here:
            yield FactCheck(Literal.CONTRADICTED, f"the source says “{negation.text}”")


def _stem(word: str) -> str:
    plain = word.lower()
    stem = _ENDING.sub("", plain)
    return stem if len(stem) >= _LEAST_STEM else plain
