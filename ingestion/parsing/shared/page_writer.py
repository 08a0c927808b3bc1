"""Writes blocks of text as pages, for every format but PDF and plain text."""

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice

from ingestion.documents import FileProperties, Heading, Page, Status
from ingestion.parsing.frames import (
    MAX_HEADINGS,
    MAX_WARNINGS,
    FileWarning,
    Frame,
    PageCount,
    RefusalError,
    TextDone,
    Title,
)
from ingestion.parsing.limits import ParseLimits
from ingestion.parsing.shared.hidden_text import HiddenText
from ingestion.text.cleaning import clean, one_line

# About ten printed pages: small enough to find a citation in, and cheap to read for one passage.
PART_CHARACTERS = 50_000

LINE, PARAGRAPH = "\n", "\n\n"  # between two blocks


@dataclass(frozen=True, slots=True)
class _Mark:
    """A heading at character `start` of the page that is being written."""

    title: str
    level: int
    start: int


class PageWriter:
    """Collects blocks into pages and records the places of headings.

    A page longer than PART_CHARACTERS becomes several, cut between paragraphs.
    """

    def __init__(self, name: str, limits: ParseLimits) -> None:
        self._name = name
        self._limits = limits
        self._blocks: list[str] = []
        self._length = 0
        self._marks: list[_Mark] = []
        self._pages: list[str] = []
        self._headings: list[Heading] = []
        self._warnings: list[str] = []
        self._characters = 0
        self._hidden = HiddenText()

    @property
    def page(self) -> int:
        """The number of the page that is being written."""
        return len(self._pages) + 1

    def block(self, text: str, gap: str = PARAGRAPH) -> None:
        """Add a paragraph, or with `gap=LINE` a line; white space alone adds nothing.

        Raises:
            RefusalError: The file has more text than the limit.
        """
        self._hidden.look_at(text, self.page)
        text = clean(text).strip("\n")
        if not text or text.isspace():
            return
        if self._blocks:
            text = gap + text
        self._blocks.append(text)
        self._length += len(text)
        self._characters += len(text)
        if self._characters > self._limits.max_characters:
            raise RefusalError(
                Status.TOO_LARGE,
                f"{self._name!r} has more text than the limit of {self._limits.max_characters} characters; "
                "split it",
            )

    def heading(self, text: str, level: int) -> None:
        """Add a heading as a paragraph of one line; `level` counts from 1."""
        if line := " ".join(clean(text).split()):
            self._hidden.look_at(text, self.page)
            start = self._length + (len(PARAGRAPH) if self._blocks else 0)
            self.block(line)
            self._marks.append(_Mark(one_line(line), level, start))

    def ensure_heading(self, title: str) -> None:
        """Give a page with text but without a heading one: its line `title`, or a new first line."""
        if self._marks or not self._blocks:
            return
        line = re.search(rf"^{re.escape(title)}$", "".join(self._blocks), re.MULTILINE)
        if line:
            self._marks.append(_Mark(title, 1, line.start()))
            return
        blocks, self._blocks, self._length = self._blocks, [], 0
        self.heading(title, 1)
        self._blocks += [PARAGRAPH, *blocks]
        self._length = sum(map(len, self._blocks))

    def leave_out(self, kind: str) -> None:
        """Count a passage of the page that is being written which nobody sees (`HiddenText.note`)."""
        self._hidden.note(kind, self.page)

    def warn(self, sentence: str) -> None:
        """Add a warning on content that the text lacks, once for equal sentences."""
        sentence = one_line(sentence)
        if sentence not in self._warnings and len(self._warnings) < MAX_WARNINGS:
            self._warnings.append(sentence)

    def end_page(self, *, keep_empty: bool = False) -> None:
        """Begin a new page. A page without text counts only with `keep_empty`."""
        if self._blocks or keep_empty:
            self._add("".join(self._blocks), self._marks)
        self._blocks, self._length, self._marks = [], 0, []

    def frames(self, title: str | None, properties: FileProperties = FileProperties()) -> Iterator[Frame]:
        """Yield the whole document; call it once, at the end.

        Args:
            title: Of the document; None for its first heading of level 1.
            properties: What the file says of itself.

        Raises:
            RefusalError: The pages are more than the limit.
        """
        self.end_page()
        pages = self._pages or [""]  # no text is an outcome, too
        if len(pages) > self._limits.max_pages:
            raise RefusalError(
                Status.TOO_LARGE,
                f"{self._name!r} has {len(pages)} pages, and the limit is {self._limits.max_pages}; split it",
            )
        yield PageCount(len(pages))
        for number, text in enumerate(pages, 1):
            yield Page(number, text)
        yield from islice(chain(self._hidden.warnings(), map(FileWarning, self._warnings)), MAX_WARNINGS)
        yield TextDone()
        first = next((heading.title for heading in self._headings if heading.level == 1), None)
        if title or first:
            yield Title(title or first or "")
        if properties:
            yield properties
        yield from self._headings

    def _add(self, text: str, marks: list[_Mark]) -> None:
        starts: list[int] = []
        for start, end in parts(text, min(PART_CHARACTERS, self._limits.max_page_characters)):
            starts.append(start)
            self._pages.append(text[start:end])
        before = len(self._pages) - len(starts)
        for mark in marks[: MAX_HEADINGS - len(self._headings)]:
            part = bisect_right(starts, mark.start)
            place = mark.start - starts[part - 1]
            self._headings.append(Heading(mark.title, mark.level, before + part, place))


def parts(text: str, size: int) -> Iterator[tuple[int, int]]:
    """Cut a page into spans of at most `size` characters: before a blank line, else a line, else anywhere."""
    start = 0
    while len(text) - start > size:
        end = start + size
        cut = text.rfind("\n\n", start + size // 2, end)
        if cut < 0:
            cut = text.rfind("\n", start + size // 2, end)
        cut = end if cut < 0 else cut + 1
        yield start, cut
        start = cut
    yield start, len(text)
