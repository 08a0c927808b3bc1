"""Markers of sources in the forms of many models: (Source 2), [source 2], [1, 2], 【1】, [^1]."""

import re
from collections.abc import Collection

from rag_app.answering.written.patterns import MoreNeeded, StreamPattern, literal, one_of, some

_WORDS = ("source ", "sources ", "source: ", "sources: ", "source #", "src ", "quelle ", "quellen ",
          "fuente ", "fonte ", "source no. ")  # fmt: skip
_NAMED = one_of(*_WORDS, *(f"{see} {word}" for see in ("see", "from", "siehe") for word in _WORDS))
_REST = some(r"[^()\[\]<>`\n]", 1, 60)
_FORMS = (
    StreamPattern(literal("("), _NAMED, _REST, literal(")")),
    StreamPattern(literal("["), _NAMED, _REST, literal("]")),
    StreamPattern(literal("[^"), some("[0-9]", 1, 3), literal("]")),
    StreamPattern(literal("【"), some(r"[^】\n]", 1, 60), literal("】")),
)
_LIST = StreamPattern(literal("["), some("[0-9]", 1, 3), some("[0-9,; ]", 0, 40), literal("]"))

_NUMBERS = re.compile(
    r"(?:sources?:?\s*)?#?(\d{1,3}(?:\s*(?:[,;&]|and|und|et|y|e)?\s*(?:sources?\s*)?#?\d{1,3})*)"
    r"(?:\s*†.*|,?\s*(?:pages?|pp?\.|S\.|Seite)\s*\d+(?:\s*[-–]\s*\d+)?)?\s*",
    re.IGNORECASE,
)
# Two numbers in brackets behind these are no sources.
_IN_MATHS = re.compile(
    r"(?:[=+*/^×·÷≤≥<>∈(\[,]|\b(?:intervals?|ranges?|vectors?|points?|arrays?|lists?|matrix|matrices|tuples?|"
    r"coordinates|sets?|between))\s*$|\w$",
    re.IGNORECASE,
)


def marker_at(
    text: str, start: int, before: str, sources: Collection[int], *, is_last: bool
) -> tuple[int, str] | None:
    """Return where a marker of another form ends, and the markers that stand for it; None without one.

    Args:
        before: The text before it, as far as it matters.
        sources: The numbers of the sources.
        is_last: No more text comes.

    Raises:
        MoreNeeded: Only more text tells.
    """
    for form in _FORMS:
        if match := form.match(text, start):
            numbers = _NUMBERS.fullmatch(match[match.re.groups - 1])
            return (match.end(), _ours(numbers[1])) if numbers else None
    if match := _LIST.match(text, start):
        found = _numbers(match[0])
        is_meant = len(found) > 1 and set(found) <= set(sources) and not _IN_MATHS.search(before)
        return (match.end(), _ours(match[0])) if is_meant else None
    if not is_last and any(one.may_begin(text, start) for one in (*_FORMS, _LIST)):
        raise MoreNeeded
    return None


def marker(number: int) -> str:
    return f"[{number}]"


def _numbers(text: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d{1,3}", text)]


def _ours(numbers: str) -> str:
    return " ".join(map(marker, dict.fromkeys(_numbers(numbers))))
