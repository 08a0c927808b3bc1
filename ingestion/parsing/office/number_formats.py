"""Numbers and texts as a cell of a spreadsheet shows them, by the number formats of ECMA-376.

A format has up to four sections: for positive and negative numbers, zero, and text. Filling (`_x`, `*x`),
colours and country codes are ignored.
"""

import operator
import re
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from fractions import Fraction
from functools import lru_cache

_LONGEST = 255  # characters of a format, as the programs allow
_DIGITS = 15  # of a number; programs show no more

_TOKEN = re.compile(
    r'"(?P<quoted>[^"]*)"?|\\(?P<escaped>.)|_.|\*.|\[(?P<bracket>[^\]]*)\]|(?P<general>General)'
    r"|(?P<half>AM/PM|A/P)|(?P<power>E[+-])|(?P<date>y+|m+|d+|h+|s+(?:\.0+)?|e+(?![+-]))|(?P<digit>[0#?])|(?P<mark>.)",
    re.IGNORECASE | re.DOTALL,
)
_CONDITION = re.compile(r"(<=|>=|<>|<|>|=)\s*(-?\d+(?:\.\d+)?)$")
_ELAPSED = re.compile(r"h+|m+|s+", re.IGNORECASE)
_COMPARISONS = {
    "<": operator.lt,
    "<=": operator.le,
    "=": operator.eq,
    "<>": operator.ne,
    ">=": operator.ge,
    ">": operator.gt,
}
_MARKS = {"@": "text", ".": "point", ",": "comma", "%": "percent", "/": "slash"}


@dataclass(frozen=True, slots=True)
class FormatSection:
    """One section: its tokens as (kind, text), and the condition on numbers, if it has one."""

    tokens: tuple[tuple[str, str], ...]
    condition: tuple[str, float] | None = None

    def has(self, *kinds: str) -> bool:
        return any(kind in kinds for kind, _ in self.tokens)


def shown_number(value: float, number_format: str | None) -> str:
    """A number as its cell shows it; in full if the format hides it or there is none."""
    if number_format is None or number_format == "General":
        return general(value)
    section, is_signed = _choose(format_sections(number_format), value)
    if section is None or section.has("date", "elapsed"):
        return general(value)
    number = value if is_signed else abs(value)
    if section.has("general", "text"):
        sign = "-" if number < 0 else ""
        return sign + "".join(
            general(abs(number)) if kind in ("general", "text") else text for kind, text in section.tokens
        )
    if not section.has("digit"):
        words = section.has("quoted") and "".join(text for _, text in section.tokens)
        return words or general(value)
    shown = _places_of(section).text(number)
    return shown if any(map(str.isdigit, shown)) else general(value)


def shown_text(value: str, number_format: str | None) -> str:
    """A text as its cell shows it: with the additions of the fourth section, or around `@`."""
    if not number_format or "@" not in number_format or number_format == "@":
        return value
    section = format_sections(number_format)[-1]
    if not section.has("text"):
        return value
    return "".join(value if kind == "text" else text for kind, text in section.tokens)


def general(value: float) -> str:
    """A number in full, with an exponent only if it is very large or very small."""
    plain = f"{value:.{_DIGITS}g}"
    if "e" not in plain:
        return plain
    number = Decimal(plain)
    if number and not -10 <= number.adjusted() <= 21:
        return plain.upper()
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


@lru_cache(maxsize=512)
def format_sections(number_format: str) -> tuple[FormatSection, ...]:
    sections: list[FormatSection] = []
    tokens: list[tuple[str, str]] = []
    condition: tuple[str, float] | None = None
    for match in _TOKEN.finditer(number_format[:_LONGEST]):
        kind, text = match.lastgroup or "space", match.group()
        if kind == "mark" and text == ";":
            sections.append(FormatSection(tuple(tokens), condition))
            tokens, condition = [], None
        elif kind == "bracket":
            inner = match["bracket"]
            if found := _CONDITION.match(inner):
                condition = (found[1], float(found[2]))
            elif inner.startswith("$"):
                tokens.append(("literal", inner[1:].rpartition("-")[0] if "-" in inner else inner[1:]))
            elif _ELAPSED.fullmatch(inner):
                tokens.append(("elapsed", inner.lower()))
        elif kind in ("quoted", "escaped"):
            tokens.append(("quoted", match[kind]))
        elif kind == "mark":
            tokens.append((_MARKS.get(text, "literal"), text))
        elif kind != "space":
            tokens.append((kind, text))
    return (*sections, FormatSection(tuple(tokens), condition))


def _choose(sections: tuple[FormatSection, ...], value: float) -> tuple[FormatSection | None, bool]:
    """The section for a number, and whether the number keeps its sign in it."""
    numeric = sections[:3]
    if any(section.condition for section in numeric):
        for section in numeric:
            if section.condition is None or _holds(section.condition, value):
                return section, True
        return None, True
    if len(numeric) == 1:
        return numeric[0], True
    if len(numeric) == 2:
        return (numeric[0], True) if value >= 0 else (numeric[1], False)
    return numeric[0 if value > 0 else 1 if value < 0 else 2], False


def _holds(condition: tuple[str, float], value: float) -> bool:
    sign, limit = condition
    return bool(_COMPARISONS[sign](value, limit))


@lru_cache(maxsize=512)
def _places_of(section: FormatSection) -> "_NumberLayout":
    return _NumberLayout(section)


class _NumberLayout:
    """Formats numbers by a section with places for digits."""

    def __init__(self, section: FormatSection) -> None:
        self._tokens = section.tokens
        kinds = [kind for kind, _ in self._tokens]
        digits = [place for place, kind in enumerate(kinds) if kind == "digit"]
        self._first, self._last = digits[0], digits[-1]
        self._point = kinds.index("point") if "point" in kinds else None
        self._power = kinds.index("power") if "power" in kinds else None
        self._slash = kinds.index("slash") if "slash" in kinds else None
        end = next(place for place in (self._power, self._point, self._last + 1) if place is not None)
        if self._point is not None:
            end = min(end, self._point)
        self._whole = [place for place in digits if place < end]
        part_end = self._power or len(kinds)
        self._part = [p for p in digits if self._point is not None and self._point < p < part_end]
        whole_end = self._whole[-1] if self._whole else self._first
        self._groups = any(
            kind == "comma" and self._first < place < whole_end for place, kind in enumerate(kinds)
        )
        last = max((place for place in digits if place < part_end), default=self._last)
        self._thousands = 0
        for start in {whole_end, last}:
            for kind in kinds[start + 1 :]:
                if kind != "comma":
                    break
                self._thousands += 1
        self._percents = kinds.count("percent")

    def text(self, value: float) -> str:
        try:
            number = Decimal(f"{value:.{_DIGITS}g}").scaleb(2 * self._percents - 3 * self._thousands)
            if self._slash is not None and self._first < self._slash < self._last:
                return self._fraction(number)
            return self._decimal(number)
        except (InvalidOperation, OverflowError, ZeroDivisionError):  # beyond what a decimal holds
            return general(value)

    def _decimal(self, number: Decimal) -> str:
        exponent = 0
        if self._power is not None and number:
            step = max(1, len(self._whole))
            exponent = number.adjusted() - (number.adjusted() % step if step > 1 else 0)
            number = number.scaleb(-exponent)
        rounded = abs(number).quantize(Decimal(1).scaleb(-len(self._part)), ROUND_HALF_UP)
        if self._power is not None and len(self._whole) <= 1 and rounded >= 10:
            exponent += 1
            rounded = (rounded / 10).quantize(Decimal(1).scaleb(-len(self._part)), ROUND_HALF_UP)
        sign = "-" if number < 0 and rounded else ""
        whole, _, part = f"{rounded:f}".partition(".")
        return sign + self._laid_out(whole.lstrip("0"), part, exponent).strip()

    def _laid_out(self, whole: str, part: str, exponent: int) -> str:
        shown: list[str] = []
        left = self._places(whole)
        kept = len(part)
        while kept and part[kept - 1] == "0" and self._tokens[self._part[kept - 1]][1] != "0":
            kept -= 1
        decimals = dict(zip(self._part, part[:kept], strict=False))
        for place, (kind, text) in enumerate(self._tokens):
            if self._power is not None and place > self._power and kind == "digit":
                continue
            if kind == "digit":
                shown.append(left.get(place, decimals.get(place, "")))
            elif kind == "point":
                shown.append(
                    (whole if not self._whole else "") + ("." if place != self._point or kept else "")
                )
            elif kind == "power":
                width = sum(1 for later, _ in self._tokens[place + 1 :] if later == "digit")
                sign = "-" if exponent < 0 else "+" if text.endswith("+") else ""
                shown.append(f"E{sign}{abs(exponent):0{max(1, width)}d}")
            elif kind != "comma":
                shown.append(text)
        return "".join(shown)

    def _places(self, whole: str) -> dict[int, str]:
        """The digits of the whole number by place; the first place takes all surplus digits."""
        needed = [self._tokens[place][1] == "0" for place in self._whole]
        least = len(needed) - needed.index(True) if True in needed else 0
        digits = whole.rjust(least, "0")
        count = len(digits)
        left: dict[int, str] = {}
        for number, place in enumerate(reversed(self._whole)):
            is_last = number == len(self._whole) - 1
            some = digits[: count - number] if is_last else digits[count - number - 1 : count - number]
            if number >= count:
                some = ""
            left[place] = self._grouped(some, number)
        return left

    def _grouped(self, digits: str, behind: int) -> str:
        if not self._groups:
            return digits
        total = len(digits) + behind
        return "".join(
            digit + ("," if total - index - 1 and (total - index - 1) % 3 == 0 else "")
            for index, digit in enumerate(digits)
        )

    def _fraction(self, number: Decimal) -> str:
        assert self._slash is not None
        before = "".join(
            text for kind, text in self._tokens[: self._slash] if kind in ("digit", "literal", "quoted")
        )
        below = "".join(text for _, text in self._tokens[self._slash + 1 :])
        fixed = re.match(r"\s*(\d+)", below)
        size = len(re.findall(r"[?#0]", below.split(" ")[0]))
        exact = Fraction(abs(number))
        if fixed and int(fixed[1]):
            bottom = int(fixed[1])
            top = round(exact * bottom)
        else:
            near = exact.limit_denominator(10 ** min(max(1, size), 6) - 1)
            top, bottom = near.numerator, near.denominator
        sign = "-" if number < 0 else ""
        if " " not in before.strip():
            return f"{sign}{top}/{bottom}"
        whole, top = divmod(top, bottom)
        if not top:
            return f"{sign}{whole}"
        return f"{sign}{whole} {top}/{bottom}" if whole else f"{sign}{top}/{bottom}"
