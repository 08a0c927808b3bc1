"""Finds headings in the text of a document without an outline: only lines that can hardly be anything else.

They name the topic of a chunk and are not an outline of the document. Two kinds count:
a word and a number ("Item 7. Management's Discussion", "NOTE 4 – Leases"), and numbered lines ("3.
Inventories") that follow each other from 1 with text between them, which tells them from a list.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from ingestion.documents import Heading, Page

MAX_LINE_CHARACTERS = 160
MAX_NUMBERED_CHARACTERS = 80  # longer lines are the first lines of paragraphs
MIN_SERIES = 3  # numbered headings; two may be anything
MIN_SECTION_CHARACTERS = 300  # median from a numbered heading to the next; list items stand closer

# A table of contents: so many headings, each so close to the next.
MIN_CONTENTS = 4
MAX_CONTENTS_GAP = 160  # characters: the longest title, or two lines

NUMBERED_LEVEL = 3
_LEVELS = {
    "part": 1,
    "chapter": 1,
    "appendix": 1,
    "annex": 1,
    "section": 2,
    "article": 2,
    "item": 2,
    "note": 3,
}

# "Item 7 of this report" is no heading: a mark, and a title in capitals, tell.
_NAMED = re.compile(
    r"^[ \t]*(?P<kind>part|chapter|appendix|annex|section|article|item|note)[ \t\xa0]+"
    r"(?P<number>\d{1,3}(?:\.\d{1,2})?[a-z]?|[ivx]{1,5}|(?-i:[A-Z]))"
    r"(?:[ \t\xa0]*[.:—–-]+[ \t\xa0]*(?-i:(?P<title>[\[(“\"']?[A-ZÀ-ÖØ-Þ].*))|(?P<end>[ \t\xa0]*))$",
    re.IGNORECASE | re.MULTILINE,
)
_NUMBERED = re.compile(r"^[ \t]*(?P<number>\d{1,2})\.?[ \t\xa0]+(?P<title>[A-ZÀ-ÖØ-Þ].*)$", re.MULTILINE)
_ALONE = {"part", "chapter", "appendix", "annex"}  # need no title on their line
_CONTINUED = re.compile(r"\s*[-–—,]?\s*\(?cont(?:inue|.)?d\.?\)?\s*$", re.IGNORECASE)
_PAGE_NUMBER = re.compile(r"[\s.]\d{1,3}[ \t]*$", re.MULTILINE)
_NO_TITLE_END = (";", ",", ":", "!", "?", "”", '"')
_SMALL_WORD = re.compile(r"\b[a-zà-öø-þ]{5,}")
# "Section 5.1. Use of Names. After the closing date, ..."
_RUN_IN = re.compile(r"(?<=[^\W\d]{4})\.\s.*$")
_SENTENCE_END = (".", ":", ";", "!", "?", ")")


@dataclass(frozen=True, slots=True)
class _HeadingCandidate:
    title: str
    level: int
    page: int
    start: int
    place: int  # characters from the document's start
    number: int = 0  # of a numbered line


def find_headings(pages: Sequence[Page]) -> list[Heading]:
    """The headings found, in order."""
    candidates: list[_HeadingCandidate] = []
    place = 0
    for page in pages:
        on_page = sorted((*_named(page, place), *_numbered(page, place)), key=lambda found: found.start)
        candidates += _without_contents(page.text, on_page)
        place += len(page.text)
    series = set(_series([found for found in candidates if found.number]))
    headings: list[Heading] = []
    latest: dict[int, str] = {}
    for found in candidates:
        if found.number and found not in series:
            continue
        if latest.get(found.level) != found.title.casefold():  # or it says that it goes on
            headings.append(Heading(found.title, found.level, found.page, found.start))
            latest = {level: title for level, title in latest.items() if level < found.level}
            latest[found.level] = found.title.casefold()
    return headings


def _named(page: Page, place: int) -> Iterator[_HeadingCandidate]:
    for match in _NAMED.finditer(page.text):
        kind = match["kind"].lower()
        start = match.end() - len(match.group().lstrip())
        title = _title(page.text, start, match.end())
        if (match["title"] or kind in _ALONE) and title is not None:
            yield _HeadingCandidate(title, _LEVELS[kind], page.number, start, place + start)


def _numbered(page: Page, place: int) -> Iterator[_HeadingCandidate]:
    for match in _NUMBERED.finditer(page.text):
        start = match.end() - len(match.group().lstrip())
        title = _title(page.text, start, match.end())
        if title is not None and len(match.group()) <= MAX_NUMBERED_CHARACTERS and not title.endswith("."):
            number = int(match["number"])
            yield _HeadingCandidate(title, NUMBERED_LEVEL, page.number, start, place + start, number)


def _title(text: str, start: int, end: int) -> str | None:
    """The line as a title, "" if it refers to a page; None if it is part of a sentence."""
    line = " ".join(text[start:end].split())
    if _PAGE_NUMBER.search(line):
        return ""
    if len(line) > MAX_LINE_CHARACTERS or line.endswith(_NO_TITLE_END):
        return None
    if line.endswith("."):  # it may be the end of "... as described in Item 7. Business."
        before = text[max(0, start - MAX_LINE_CHARACTERS) : start].rstrip()
        if before and not before.endswith(_SENTENCE_END):
            return None
    title = _RUN_IN.sub("", _CONTINUED.sub("", line))
    return None if title.endswith(".") and _SMALL_WORD.search(title) else title


def _without_contents(text: str, found: Sequence[_HeadingCandidate]) -> list[_HeadingCandidate]:
    """The candidates without those that follow each other as closely as in a table of contents."""
    if len(found) >= MIN_CONTENTS and 2 * len(_PAGE_NUMBER.findall(text)) > text.count("\n"):
        found = [candidate for candidate in found if candidate.level > 1]  # "PART II" has no page there
    kept: list[_HeadingCandidate] = []
    group: list[_HeadingCandidate] = []
    for candidate in [*found, None]:
        if candidate is None or (group and candidate.start - group[-1].start > MAX_CONTENTS_GAP):
            if len(group) >= MIN_CONTENTS:
                group = group[:1]  # what stands over the table
            kept += [member for member in group if member.title]
            group = []
        if candidate is not None:
            group.append(candidate)
    return kept


def _series(found: Sequence[_HeadingCandidate]) -> Iterator[_HeadingCandidate]:
    """The numbered lines that count from 1, most of them with a section of text between."""
    chain: list[_HeadingCandidate] = []
    for candidate in found:
        if candidate.number == 1 and not (chain and candidate.title == chain[0].title):
            if _is_series(chain):
                yield from chain
            chain = [candidate]
        elif chain and candidate.number == chain[-1].number + 1:
            chain.append(candidate)
    if _is_series(chain):
        yield from chain


def _is_series(chain: Sequence[_HeadingCandidate]) -> bool:
    if len(chain) < MIN_SERIES:
        return False
    return median(after.place - before.place for before, after in pairwise(chain)) >= MIN_SECTION_CHARACTERS
