"""What the rules read of a document: its file's name and properties, and its first pages by lines."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePath
from typing import Self

from ingestion.documents import FileProperties, ParsedDocument, name_as_words
from ingestion.text.dates import dates

# Covers, titles and the first lines of a form stand on these pages, and within so many characters of each.
FRONT_PAGES = 5
_CHARACTERS = 6_000
# A page with fewer words is a cover, or a divider.
_WORDS_OF_A_COVER = 70
# A longer line is prose.
_LONGEST_LINE = 300

_WORD = re.compile(r"[^\W_]+")
_NOISE = re.compile(
    r"[\W\d_]*|page\s+\d+(\s+of\s+\d+)?|table of contents|contents|index(\s+to\s+.*)?|"
    r"(exhibit|appendix|annex|anlage|anexo|annexe)\b.{0,80}|"
    r"(document\s+)?(version|revision|rev|v|ver|draft|issue|status|edition)\.?\s*:?\s*[\w.]*\d.{0,40}|"
    r"\w{1,12}\W*0\W*|"
    r"(last\s+)?(updated|revised|modified)\b.{0,40}|"
    r"(strictly\s+)?(confidential|draft|internal|public|proprietary)(\s+(and|&)\s+\w+)?|"
    r"(for\s+)?(immediate\s+release|(more|further)\s+information)\b.*|(news|press)\s+release|"
    r"(https?://|www\.)\S+|\S+@\S+|\S+\.(com|org|gov|net|edu|eu|de|es|fr)(\s.{0,40})?|"
    r"(doi|isbn|issn|arxiv)\b.*|[*>•·–-].*",
    re.IGNORECASE,
)
# "Location: Latrobe, PA", and a line with several labels; "Topic 2: Processes and Threads" is a title.
_LABELLED = re.compile(
    r"(author|to|from|subject|re|cc|attn|contacts?|phone|tel|fax|e-?mail|address|location|place|date|sponsor|"
    r"applicant|prepared (by|for)|submitted (by|to)|approved by|company|client|customer|project|number|no)"
    r"\s*:.*|[^:]{2,40}:\s*(\S+|.*\d\S*)|[^:]{2,40}:[^:]+:.*",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class FrontPage:
    """A page's text, and its size in points, 0 where it is not known."""

    text: str
    width: float = 0.0
    height: float = 0.0


@dataclass(frozen=True)
class FrontMatter:
    """What the rules read of a document.

    Attributes:
        name: The file's name.
        title: The title that the file gives itself.
        pages: Its first pages, up to `FRONT_PAGES`.
    """

    name: str
    title: str | None = None
    properties: FileProperties = FileProperties()
    pages: Sequence[FrontPage] = ()

    @classmethod
    def of(cls, name: str, parsed: ParsedDocument) -> Self:
        """Return the front matter of a file that was parsed."""
        pages = [page for page in parsed.pages if page.number <= FRONT_PAGES]
        sizes = [(page.layout.width, page.layout.height) if page.layout else (0.0, 0.0) for page in pages]
        front = [FrontPage(page.text, *size) for page, size in zip(pages, sizes, strict=True)]
        return cls(name, parsed.title, parsed.properties, tuple(front))

    @property
    def suffix(self) -> str:
        """The suffix of the file's name, in lower case."""
        return PurePath(self.name).suffix.casefold()

    @cached_property
    def name_words(self) -> str:
        """The file's name as words: "2016 10K"."""
        return re.sub(r"[_\W]+", " ", name_as_words(self.name)).strip()

    @cached_property
    def first(self) -> str:
        """The first page that has words, as far as it is read."""
        texts = (page.text[:_CHARACTERS] for page in self.pages)
        return next((text for text in texts if _WORD.search(text)), "")

    @cached_property
    def text(self) -> str:
        """All pages, as far as they are read."""
        return "\n".join(page.text[:_CHARACTERS] for page in self.pages)

    @cached_property
    def flat(self) -> str:
        """The first page in one line."""
        return " ".join(self.first.split())

    @cached_property
    def lines(self) -> list[str]:
        """The lines of the first page, without empty ones."""
        lines = (" ".join(line.split()) for line in self.first.splitlines())
        return [line for line in lines if line]

    @cached_property
    def is_cover(self) -> bool:
        """Whether the first page has hardly more than a title, and others follow."""
        return len(self.pages) > 1 and 0 < len(_WORD.findall(self.first)) < _WORDS_OF_A_COVER

    def has_words(self, text: str) -> float:
        """Return the share of a text's words that stand on the first page."""
        words = {word.casefold() for word in _WORD.findall(text)}
        known = {word.casefold() for word in _WORD.findall(self.first)}
        return len(words & known) / len(words) if words else 0.0


def is_noise(line: str) -> bool:
    """Whether a line of a first page is no title: a number, a date, an address, a version, a label."""
    if len(line) > _LONGEST_LINE:
        return False
    for date in dates(line):
        line = line.replace(date.text, "0")
    return bool(_NOISE.fullmatch(line) or _LABELLED.fullmatch(line))
