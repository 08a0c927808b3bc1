"""The context line in front of a chunk when it is encoded or indexed.

    document title › headings › page title › table head

A passage such as "Note 4" or "2,345" means nothing without its page.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Protocol

from ingestion.documents import Heading
from ingestion.tables.table import Table

SEPARATOR = " › "
SEPARATOR_TOKENS = 1

# A longer line is a sentence. A page's title is among its first lines.
MAX_HEADING_CHARACTERS = 100
MAX_LINES_ABOVE = 5
_SMALL_WORD = 3  # letters; of, and, to the: written small in titles
MAX_TITLE_LINES = 2  # the company's name, and "Consolidated Balance Sheets"

# The line that names the years of a table's columns stands above the rows, with no other text between.
MAX_HEAD_CHARACTERS = 100
MAX_ROWS_ABOVE = 60  # lines of a page
_YEAR = re.compile(r"\b(?:19|20)\d\d\b")
_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?%?")
_MIN_NUMBERS = 2
_MOST_COLUMNS = 5  # whose heads stand in the line


class Tokenizer(Protocol):
    """The encoder's own tokenizer, as far as chunking needs it."""

    def offsets(self, text: str) -> list[tuple[int, int]]:
        """Return the character span of each wordpiece of `text`, without special tokens."""
        ...


class ChunkContexts:
    """The context lines of one document's chunks, each of at most `limit` tokens.

    A line that is too long loses first its outermost headings, then the table head, then the page title. At
    last title and heading are cut; the heading keeps at least half of the limit.
    """

    def __init__(self, headings: Sequence[Heading], title: str, tokenizer: Tokenizer, limit: int) -> None:
        self._headings = sorted(headings, key=lambda heading: (heading.page, heading.start))
        self._places = [(heading.page, heading.start) for heading in self._headings]
        self._paths: list[tuple[str, ...]] = []  # of each heading: those above it, and itself
        path: tuple[Heading, ...] = ()
        for heading in self._headings:
            path = (*(above for above in path if above.level < heading.level), heading)
            self._paths.append(tuple(one.title for one in path if one.title))
        self._title = title
        self._tokenizer = tokenizer
        self._limit = limit
        self._sizes: dict[str, int] = {}
        self._lines: dict[tuple[int, tuple[str, ...]], str] = {}

    def starts(self, page: int) -> list[int]:
        """The places of the headings on a page, in order."""
        first, last = bisect_left(self._places, (page, 0)), bisect_left(self._places, (page + 1, 0))
        return [start for _, start in self._places[first:last]]

    def at(self, page: int, place: int, page_title: str = "", table_head: str = "") -> tuple[str | None, str]:
        """The nearest heading at or before `place` on `page`, and the context line there.

        The line has the page's title only if the nearest heading stands on an earlier page.
        """
        nearest = bisect_right(self._places, (page, place)) - 1
        if nearest >= 0 and self._headings[nearest].page == page:
            page_title = ""
        key = (nearest, tuple(filter(None, (page_title, table_head))))
        if key not in self._lines:
            self._lines[key] = self._line(self._paths[nearest] if nearest >= 0 else (), key[1])
        return self._headings[nearest].title if nearest >= 0 else None, self._lines[key]

    def _line(self, path: Sequence[str], heads: Sequence[str]) -> str:
        for kept in range(len(heads), -1, -1):
            for first in range(max(len(path), 1)):
                if self._fits(parts := [self._title, *path[first:], *heads[:kept]]):
                    return self._join(parts)
        if not path:
            return self._cut(self._title, self._limit)
        room = max(self._limit // 2, self._limit - self._size(self._title) - SEPARATOR_TOKENS)
        heading = self._cut(path[-1], room)
        title = self._cut(self._title, self._limit - self._size(heading) - SEPARATOR_TOKENS)
        return self._cut(self._join([title, heading]), self._limit)

    def _join(self, parts: Sequence[str]) -> str:
        return SEPARATOR.join(part for part in parts if part)

    def _fits(self, parts: Sequence[str]) -> bool:
        present = [part for part in parts if part]
        return sum(map(self._size, present)) + SEPARATOR_TOKENS * (len(present) - 1) <= self._limit

    def _size(self, text: str) -> int:
        if text not in self._sizes:
            self._sizes[text] = len(self._tokenizer.offsets(text))
        return self._sizes[text]

    def _cut(self, text: str, limit: int) -> str:
        offsets = self._tokenizer.offsets(text)
        return text if len(offsets) <= limit else text[: offsets[limit - 1][1]] if limit > 0 else ""


def looks_like_heading(line: str) -> bool:
    """Whether a line is short and no sentence, list item or row of numbers."""
    if not 0 < len(line) <= MAX_HEADING_CHARACTERS:
        return False
    return (line[0].isupper() or line[0].isdigit()) and (line[-1].isalpha() or line[-1] in ":)")


def page_title(text: str, start: int, end: int) -> tuple[str, int]:
    """The title lines at the beginning of a page's body (characters `start` to `end`), and where they end.

    Title lines are short, and their longer words begin with capitals. Most pages of prose begin in the middle
    of a text: for these the title is "" and ends at `start`.
    """
    found: list[str] = []
    last = place = start
    for _ in range(MAX_LINES_ABOVE):
        stop = text.find("\n", place, end)
        if stop < 0:
            break
        line = " ".join(text[place:stop].split())
        if _is_title(line):
            found.append(line)
            last = stop
        elif any(map(str.isalpha, line)):
            break
        place = stop + 1
    return " ".join(found[-MAX_TITLE_LINES:]), last


def _is_title(line: str) -> bool:
    words = [word for word in line.split() if len(word) > _SMALL_WORD]
    return (
        looks_like_heading(line)
        and " " in line
        and not line.endswith(":")
        and all(word.strip("([\"'“‘")[:1].isupper() or word[0].isdigit() for word in words)
    )


def table_context(tables: Sequence[Table], text: str, start: int, title: str) -> str:
    """What stands above the rows of a table that a chunk begins in: its title, its unit and its heads.

    "" where the chunk begins with the heads, or in no table, or where each row names its columns itself.

    Args:
        tables: Of the page.
        text: Of the page.
        start: The chunk's first character on it.
        title: Of the page, which is in the line already.
    """
    for table in tables:
        first = [span[0] for cell in table.rows[0].cells if cell for span in cell.spans] if table.rows else []
        if first and min(first) < start < table.end:
            unit = f"in {table.unit}s" if table.unit else ""
            heads = _together([one.period or one.head for one in table.columns if one.period or one.head])
            if all(f"{one.head}: " in text[start : table.end] for one in table.columns):
                return ""
            name = "" if table.title in title else table.title
            return ", ".join(filter(None, (name, unit, *heads)))
    return ""


def _together(heads: Sequence[str]) -> list[str]:
    """Heads that differ in their year as one: "year ended June 30, 2018, 2017"."""
    found: list[str] = []
    last: str | None = None
    for head in dict.fromkeys(heads[:_MOST_COLUMNS]):
        year = _YEAR.search(head)
        before = head[: year.start()] if year is not None and year.end() == len(head) else None
        if found and before is not None and before == last:
            found[-1] += f", {head[len(before) :]}"
        else:
            found.append(head)
        last = before
    return found


def table_head(text: str, start: int) -> str:
    """The line that names the columns of the table around `start`; "" where none is found."""
    if not _is_row(_line_at(text, start)):
        return ""
    for _ in range(MAX_ROWS_ABOVE):
        start = text.rfind("\n", 0, start)
        if start < 0:
            break
        line = text[text.rfind("\n", 0, start) + 1 : start]
        if len(line) > MAX_HEAD_CHARACTERS:
            break
        years = len(_YEAR.findall(line))
        if years >= _MIN_NUMBERS and len(_NUMBER.findall(line)) <= years + 1:  # and "December 31"
            return " ".join(line.split())
    return ""


def _line_at(text: str, start: int) -> str:
    end = text.find("\n", start)
    return text[start:] if end < 0 else text[start:end]


def _is_row(line: str) -> bool:
    return len(line) <= 2 * MAX_HEAD_CHARACTERS and len(_NUMBER.findall(line)) >= _MIN_NUMBERS
