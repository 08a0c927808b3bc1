"""Fact check: whether a sentence's numbers, dates and negations are in its source.

"Revenue fell 12% in 2021" and "Revenue fell 21% in 2012" have nearly the same vectors. So these are compared
literally, in a normal form (`ingestion.text.numbers` and `dates`): 1,200 and 1200, 2.5 and 2,5, 3 March 1987
and 3.3.1987. Negation is English only.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from ingestion.text.dates import Date, dates
from ingestion.text.numbers import Number, numbers
from ingestion.text.stopwords import stopwords_of


class Literal(IntEnum):
    """How far a source states the literal parts of a claim."""

    CONTRADICTED = 0
    ROUNDED = 1
    STATED = 2


@dataclass(frozen=True, slots=True)
class FactCheck:
    """The result for a claim; `reason` names the missing part, None where all is stated."""

    literal: Literal
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Negation:
    """A negating word, and the stem of the first content word behind it."""

    text: str
    denied: str


# "one of them" and "no one" are no numbers.
_NOT_COUNTED = frozenset({"one"})
# The fewest significant digits of a rounded figure.
_LEAST_DIGITS = 2

_NEGATION = re.compile(
    r"\b(?:not|never|no|none|nor|neither|without|cannot|nobody|nothing|nowhere|fail(?:s|ed)?\s+to|"
    r"(?:is|are|was|were|do|does|did|has|have|had|ca|could|wo|would|should|must|need|ai|might)n['’]t)\b",
    re.IGNORECASE,
)
# "no more than 5", "no. 7", "not only … but also" negate nothing.
_NO_DENIAL = re.compile(
    r"not\s+(?:only|just|merely|least)\b|no\s+(?:more|less|fewer|later|earlier|one)\b|no\.?\s*\d|"
    r"nothing\s+but\b|without\s+(?:a\s+)?doubt\b",
    re.IGNORECASE,
)
# The most words between a negation and its word, and endings that do not change a word's meaning.
_DENIED_WITHIN = 6
_ENDING = re.compile(r"(?:ies|es|s|ed|ing|ly|e|y)$")
_LEAST_STEM = 3


def compare(claim: str, source: str, context: str = "") -> FactCheck:
    """Return whether a source states a claim's numbers, dates and negations.

    A figure that the source has with more digits or in another scale is rounded.

    Args:
        context: The text around the source (passage, heading, document's name), which may state a year.
    """
    dated = [_compare_date(date, source, context) for date in dates(claim)]
    counted = _compare_numbers(claim, source, context)
    denied = _compare_negations(claim, source)
    return min(
        (*dated, *counted, *denied), key=lambda finding: finding.literal, default=FactCheck(Literal.STATED)
    )


def negations(text: str) -> list[Negation]:
    """Return a text's negations; `denied` is "" for one without a content word behind it."""
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
    # Dates are compared apart. Longer ones go first, because "11 May" contains "1 May".
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
    """Return whether a figure is the source's with fewer digits, or in thousands, millions, …"""
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
    # "March 1987", where the heading has the month, or a table's columns the days.
    if any(
        other.month == date.month and other.day == date.day and date.year in (None, other.year)
        for other in dates(context)
    ):
        return FactCheck(Literal.STATED)
    return FactCheck(Literal.CONTRADICTED, f"the date {date.text} is not in the source")


def _is_within(day: Date, date: Date) -> bool:
    """Return whether a source's date is the claim's day, or in its month; ambiguous dates in either order."""
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
