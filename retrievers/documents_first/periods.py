"""What tells documents of one name apart: years, quarters and forms ("10-K"), in questions and in names."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from retrievers.documents_first.names import NamedDocument, asked_year

Span = tuple[int, int]

_YEAR = re.compile(
    r"(?:\b(?:fiscal(?: year)?|financial year|Geschäftsjahr|exercice|ejercicio) )?"
    r"\b(?:(?:FY|CY) ?)?(?P<key>(?:19|20)\d\d)\b|\b(?P<short>[FC]Y ?['’]?\d\d)\b",
    re.IGNORECASE,
)
_QUARTER = re.compile(
    r"\bQ(?P<key>[1-4])\b|\b(?P<word>first|second|third|fourth|erste[nrs]?|zweite[nrs]?|dritte[nrs]?|"
    r"vierte[nrs]?) (?:fiscal )?(?:quarter|Quartals?)\b",
    re.IGNORECASE,
)
_FORM = re.compile(r"\b(?P<key>(?:10|20|40|8|6)-?[KQF])\b", re.IGNORECASE)
_ORDINALS = tuple(
    re.compile(begun, re.IGNORECASE)
    for begun in ("first|erste", "second|zweite", "third|dritte", "fourth|vierte")
)
_QUARTER_IN_A_NAME = re.compile(r"q([1-4])(?!\d)|(?<!\d)([1-4])q")


@dataclass(frozen=True, slots=True)
class PeriodKind:
    """A kind of period: how a question writes it, and which of them a document's name has."""

    pattern: re.Pattern[str]
    of: Callable[[NamedDocument], frozenset[str]]

    def asked(self, question: str, stretch: Span) -> dict[str, list[Span]]:
        """Return where each one stands in a stretch of a question, in its order."""
        found: dict[str, list[Span]] = {}
        for start, end, key in self._found(question):
            if stretch[0] <= start < stretch[1]:
                found.setdefault(key, []).append((start, end))
        return found

    def _found(self, question: str) -> Iterator[tuple[int, int, str]]:
        for match in self.pattern.finditer(question):
            groups = match.groupdict()
            key = groups["key"] or ""
            if short := groups.get("short"):
                key = asked_year(re.sub(r"\W", "", short.casefold()))
            if word := groups.get("word"):
                key = next(str(n) for n, begun in enumerate(_ORDINALS, 1) if begun.match(word))
            yield match.start(), match.end(), key.casefold().replace("-", "")


def plain_name(document: NamedDocument) -> frozenset[str]:
    """Return the words of a document's names that are no periods: those of a series are alike."""
    return frozenset(word for word in document.names if not any(map(str.isdigit, word)))


def _quarters(document: NamedDocument) -> frozenset[str]:
    found = _QUARTER_IN_A_NAME.finditer(" ".join(document.names))
    return frozenset(match[1] or match[2] for match in found)


YEARS = PeriodKind(_YEAR, lambda document: document.years)
# The first kind of which a question names several divides the documents of one name.
PERIOD_KINDS = (YEARS, PeriodKind(_QUARTER, _quarters), PeriodKind(_FORM, lambda document: document.names))
