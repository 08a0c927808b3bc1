"""Running headers and footers: lines that repeat at the edge of page after page.

They stay in the page's text, which is shown and cited. Chunks leave them out, because "Table of Contents" and
a page number would stand in the middle of a sentence that continues on the next page.

A line is running if the same line stands at the edge of several pages close to each other, except for a
number that counts with the pages. Found lines are peeled off, and the lines below are tested the same way. In
doubt a line is kept: a superfluous line in a chunk does less harm than a missing one.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import ceil

from ingestion.documents import Page

MIN_PAGES = 4  # of a document
MIN_COUNTING_PAGES = 3  # with a number that counts: the first page of four often has none
MIN_WORDED_PAGES = 10  # with another line: heads of long tables, and forms, repeat on up to eight
MIN_WORDED_SHARE = 0.5  # of the pages, which is enough in a shorter document
MAX_GAP = 3  # pages to the next with that line: left and right pages differ, pages of pictures have none
MAX_LINES = 5  # at an edge; real headers have up to three
MAX_CHARACTERS = 200  # of such a line
MAX_NUMBERS = 3  # of a line, looked at as page numbers, since each doubles the work
MIN_LETTERS = 3  # of a line that does not count: marks of footnotes and dashes repeat by chance

# The head of a table repeats on each page, too, and the numbers below mean nothing without it.
_TABLE_HEAD = re.compile(
    r"\b(?:millions|thousands|billions|ended|ending|dollars|percent|shares?)\b|[%$€£¥]", re.IGNORECASE
)
_YEAR = re.compile(r"\b(?:19|20)\d\d\b")
_NUMBER = re.compile(r"(\d+)")
_ROMAN = re.compile(r"\W*([ivxlc]{1,7})\W*")
_ROMAN_VALUES = {"i": 1, "v": 5, "x": 10, "l": 50, "c": 100}
_WORD = re.compile(r"[^\W\d_]+")
_PAGE_WORDS = {"page", "pages", "seite", "pagina", "página", "sida", "side"}
_LONGEST_PREFIX = 3  # letters: F-12, p. 12

Span = tuple[int, int]
# A line's text around its numbers, and the numbers: as they are, or as distances to the page's number.
Signature = tuple[str | int, ...]


def header_footer_lines(pages: Sequence[Page]) -> dict[int, tuple[Span, ...]]:
    """Find running headers and footers.

    The first of equal lines is kept, because it may be a title, unless it has a number that counts.

    Returns:
        By page number, the spans of running lines in the page's text: rising, without line ends.
    """
    if len(pages) < MIN_PAGES:
        return {}
    found: dict[int, set[Span]] = defaultdict(set)
    for at_top in (True, False):
        for number, span in _Edge(pages, at_top=at_top).running():
            found[number].add(span)
    return {number: tuple(sorted(spans)) for number, spans in sorted(found.items())}


@dataclass(frozen=True, slots=True)
class _EdgeLine:
    page: int
    depth: int  # 0 for the outermost line
    span: Span
    signatures: tuple[Signature, ...]


class _Edge:
    """The outer lines of all pages, at the top or at the bottom, from the outside in."""

    def __init__(self, pages: Sequence[Page], *, at_top: bool) -> None:
        self._pages = {page.number: page.text for page in pages}
        self._spans = {page.number: list(_outer_lines(page.text, at_top=at_top)) for page in pages}
        self._least_worded = min(MIN_WORDED_PAGES, max(MIN_PAGES, ceil(MIN_WORDED_SHARE * len(pages))))
        # Signature → the pages on which a line was found to be running for it.
        self._known: dict[Signature, set[int]] = defaultdict(set)

    def running(self) -> list[tuple[int, Span]]:
        """The running lines and their pages."""
        peeled: list[_EdgeLine] = []
        outermost = {number: self._line(number, 0) for number, spans in self._spans.items() if spans}
        while newly := self._peel(outermost.values()):
            peeled += newly
            for line in newly:
                for signature in line.signatures:
                    self._known[signature].add(line.page)
                if line.depth + 1 < len(self._spans[line.page]):
                    outermost[line.page] = self._line(line.page, line.depth + 1)
                else:
                    del outermost[line.page]
        return [(line.page, line.span) for line in peeled if not self._is_first(line)]

    def _line(self, number: int, depth: int) -> _EdgeLine:
        start, end = span = self._spans[number][depth]
        return _EdgeLine(number, depth, span, tuple(_signatures(self._pages[number][start:end], number)))

    def _peel(self, outermost: Iterable[_EdgeLine]) -> list[_EdgeLine]:
        """The running lines among the outermost lines, each with the signatures that prove it."""
        lines = list(outermost)
        standing: dict[Signature, set[int]] = defaultdict(set)
        for line in lines:
            for signature in line.signatures:
                standing[signature].add(line.page)
        for signature, numbers in standing.items():
            least = MIN_COUNTING_PAGES if _counts(signature) else self._least_worded
            standing[signature] = _in_groups(numbers | self._known[signature], least)
        peeled = []
        for line in lines:
            reasons = tuple(signature for signature in line.signatures if line.page in standing[signature])
            if reasons:
                peeled.append(replace(line, signatures=reasons))
        return peeled

    def _is_first(self, line: _EdgeLine) -> bool:
        return all(
            not _counts(signature) and line.page == min(self._known[signature])
            for signature in line.signatures
        )


def _in_groups(numbers: Iterable[int], least: int) -> set[int]:
    """The page numbers in groups of at least `least`, with gaps of at most MAX_GAP."""
    kept: set[int] = set()
    group: list[int] = []
    for number in sorted(numbers):
        if group and number - group[-1] > MAX_GAP:
            group = []
        group.append(number)
        if len(group) >= least:
            kept.update(group if len(group) == least else (number,))
    return kept


def _counts(signature: Signature) -> bool:
    return any(isinstance(part, int) for part in signature)


def _outer_lines(text: str, *, at_top: bool) -> Iterator[Span]:
    """The first or last lines with text, from the outside in, without the white space around them."""
    found = 0
    position = 0 if at_top else len(text)
    while found < MAX_LINES and (position < len(text) if at_top else position > 0):
        if at_top:
            start, end = position, text.find("\n", position)
            end = len(text) if end < 0 else end
            position = end + 1
        else:
            start, end = text.rfind("\n", 0, position) + 1, position
            position = start - 1
        line = text[start:end]
        if stripped := line.strip():
            begin = start + line.index(stripped[0])
            yield begin, begin + len(stripped)
            found += 1


def _signatures(line: str, page: int) -> Iterator[Signature]:
    """The signatures by which a line is recognised on other pages; none if it cannot be a running line."""
    if len(line) > MAX_CHARACTERS or _TABLE_HEAD.search(line) or len(_YEAR.findall(line)) > 1:
        return
    folded = " ".join(line.casefold().split())
    if roman := _ROMAN.fullmatch(folded):
        before, after = folded[: roman.start(1)], folded[roman.end(1) :]
        yield before, _roman_value(roman[1]) - page, after
        return
    parts = _NUMBER.split(folded)  # text, number, text, ..., text
    numbers = parts[1::2]
    letters = sum(character.isalpha() for character in folded)
    choices: list[tuple[str | int, ...]] = [
        (number, int(number) - page) if len(numbers) <= MAX_NUMBERS and len(number) <= 5 else (number,)
        for number in numbers
    ]
    for chosen in product(*choices):
        signature: list[str | int] = list(parts)
        signature[1::2] = chosen
        counters = sum(isinstance(number, int) for number in chosen)
        if (counters and not _may_be_title(folded)) or (not counters and letters >= MIN_LETTERS):
            yield tuple(signature)


def _may_be_title(line: str) -> bool:
    """Whether a line is one word and a number, such as "Chapter 3", where every page may be a chapter."""
    words = _WORD.findall(line)
    return len(words) == 1 and len(words[0]) > _LONGEST_PREFIX and words[0] not in _PAGE_WORDS


def _roman_value(numeral: str) -> int:
    values = [_ROMAN_VALUES[letter] for letter in numeral]
    return sum(
        -value if value < following else value
        for value, following in zip(values, [*values[1:], 0], strict=True)
    )
