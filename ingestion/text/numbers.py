"""Numbers in a text, in all common notations: 1,234,567.89, 1.234.567,89, 1 234 567, 1'234'567, 12,34,567,
1.2 million, twenty-two.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ingestion.text.dates import dates

# Between groups of three digits: apostrophes, and spaces of any width. A plain space also separates two
# numbers, so a number with spaces is read both ways.
APOSTROPHES_AND_SPACES = "'’\u00a0\u2009\u202f "
_SPACES = re.compile(f"[{APOSTROPHES_AND_SPACES}]")

_SCALES = {
    "hundred": 1e2, "thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12, "mn": 1e6, "bn": 1e9,
    "lakh": 1e5, "crore": 1e7,
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
# A number in groups of three digits with one sign between them.
GROUPED = (
    rf"(?<![\d.,])\d{{1,3}}(?:(?P<group>[{APOSTROPHES_AND_SPACES}])\d{{3}})(?:(?P=group)\d{{3}})*"
    rf"(?:[.,]\d+)?(?![\d.,]*\d)"
)
_FIGURE = re.compile(
    rf"(?P<figure>{GROUPED}|\d+(?:[.,]\d+)*)(?:[\s-]*(?P<scale>{'|'.join(_SCALES)})s?\b)?", re.IGNORECASE
)
_NUMBER_WORD = re.compile(
    rf"\b(?:(?P<tens>{'|'.join(_TENS)})[\s-])?(?P<word>{'|'.join(_WORDS)})\b"
    rf"(?:[\s-]+(?P<scale>{'|'.join(_SCALES)})s?\b)?",
    re.IGNORECASE,
)
# The two notations of points and commas; English includes Indian grouping (12,34,567).
_ENGLISH = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d{1,2}(?:,\d{2})+,\d{3}(?:\.\d+)?|\d+(?:\.\d+)?")
_CONTINENTAL = re.compile(r"\d{1,3}(?:\.\d{3})+(?:,\d+)?|\d+(?:,\d+)?")


@dataclass(frozen=True, slots=True)
class Number:
    """A number in a text.

    Attributes:
        text: As written.
        value: Its most likely value, scale word included.
        digits: Its significant digits, at least one.
        has_scale: Whether it has a scale word, such as "million".
        readings: All its possible values: 1.234 is 1.234 in English and 1234 in German. A literal that is no
            number, such as section 1.2.3, has its text.
        parts: The numbers that it consists of if its spaces do not separate thousands.
    """

    text: str
    value: float
    digits: str
    has_scale: bool
    readings: frozenset[float | str]
    parts: tuple["Number", ...] = ()

    @property
    def is_year(self) -> bool:
        return self.text.isdigit() and len(self.text) == 4 and 1000 <= self.value <= 2100


def numbers(text: str) -> list[Number]:
    """The numbers and number words of a text, including those of dates."""
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


def plain_number(text: str) -> str | None:
    """An unambiguous number as digits with a point: 1234567.89 for 1.234.567,89 and for 12,34,567.89.

    None for a number without separators between thousands, and for one that may be a fraction.
    """
    joined = _SPACES.sub("", text)
    signs = [sign for sign in joined if sign in ".,"]
    # One sign alone, as in 1.234, is that of a fraction in one language and of thousands in another.
    if joined == text and (len(signs) < 2 or not any(map(str.isdigit, text))):
        return None
    english, continental = _ENGLISH.fullmatch(joined), _CONTINENTAL.fullmatch(joined)
    if english and not continental:
        return joined.replace(",", "")
    if continental and not english:
        return joined.replace(".", "").replace(",", ".")
    return joined if english and not signs else None


def _figures(text: str, figure: str, scale: str | None) -> Iterator[Number]:
    """Yield the numbers in digits, points and commas: one, several ("1,2,3", 3.5.1987), or a literal."""
    joined = _SPACES.sub("", figure)
    readings = []
    if _ENGLISH.fullmatch(joined):
        readings.append(joined.replace(",", ""))
    if _CONTINENTAL.fullmatch(joined):
        readings.append(joined.replace(".", "").replace(",", "."))
    if readings:
        split = figure.split(" ") if " " in figure else ()
        parts = tuple(_number(part, [part.replace(",", ".")], None) for part in split)
        yield _number(text, readings, scale, parts)
    elif "." not in joined or dates(joined):
        *before, last = re.split("[.,]", joined)
        yield from (_number(part, [part], None) for part in before)
        yield _number(last, [last], scale)
    else:
        yield Number(joined, 0.0, "0", has_scale=False, readings=frozenset({joined}))


def _number(text: str, readings: list[str], scale: str | None, parts: tuple[Number, ...] = ()) -> Number:
    """A number whose first reading is the most likely."""
    digits = readings[0].replace(".", "").lstrip("0") or "0"
    factor = _SCALES[scale.lower()] if scale else 1.0
    values = [float(reading) * factor for reading in readings]
    return Number(
        text.strip(), values[0], digits.rstrip("0") or "0", scale is not None, frozenset(values), parts
    )
