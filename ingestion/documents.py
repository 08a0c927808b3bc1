"""The values of a document before it is stored: pages, headings, chunks.

    file ──parse──▶ ParsedDocument(pages, headings) ──chunk──▶ Chunk(page, start, end, text)

Offsets count Python characters in the page's text; pages count from 1.
"""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePath


class Status(StrEnum):
    """How one file ended. The first three are success."""

    OK = "ok"
    UNCHANGED = "unchanged"  # same path, same bytes
    DUPLICATE = "duplicate"  # same bytes under another path
    PARTIAL = "partial"  # some pages failed; the rest is searchable
    NEEDS_PASSWORD = "needs_password"
    NO_TEXT = "no_text"  # scanned, or empty
    UNSUPPORTED = "unsupported"
    CORRUPT = "corrupt"
    TOO_LARGE = "too_large"
    TIMED_OUT = "timed_out"
    FAILED = "failed"
    SET_ASIDE = "set_aside"  # the process ended twice while it worked on the file

    @property
    def is_success(self) -> bool:
        return self in (Status.OK, Status.UNCHANGED, Status.DUPLICATE)


# See `PageLayout.tables`.
CellPlace = tuple[int, int, int, int, int, int, int]

ELSEWHERE = -1  # in place of a character index of PDFium


@dataclass(frozen=True, slots=True)
class PageLayout:
    """Where a page's text stands on its picture, so that a citation can be drawn there.

    `width` and `height` are in points (1/72 inch). A page has one of the two others, both, or neither:

    - `runs`: (offset in `Page.text`, PDFium's character index), rising by offset. From each offset on
      the index advances with the offset, until the next run: ((0, 0),) is the identity. The index
      ELSEWHERE stands still: PDFium does not have the text from there to the next run.
    - `words`, of text that PDFium does not have (recognised, of a form, of a note): (start, end, left, top,
      right, bottom), the first two offsets in `Page.text`, the rest in points from the top left corner.

    `tables` has the cells of the page's tables: (table, row, column, columns spanned, indent, start, end).
    Rows of values count from 0, and those of the heads have negative numbers, -1 the lowest; column 0 has the
    labels; the indent of a label is in points; the last two are offsets in `Page.text`. A wrapped cell stands
    there several times.
    """

    width: float
    height: float
    runs: tuple[tuple[int, int], ...] = ()
    words: tuple[tuple[int, int, float, float, float, float], ...] = ()
    tables: tuple[CellPlace, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """One page's cleaned text; what is stored, cited and shown. `label` is the printed page number."""

    number: int
    text: str
    label: str | None = None
    layout: PageLayout | None = None


@dataclass(frozen=True, slots=True)
class PageFailure:
    """A page that could not be read, and why. The other pages are unharmed."""

    number: int
    reason: str


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading at character `start` of page `page`; `level` counts from 1."""

    title: str
    level: int
    page: int
    start: int


@dataclass(frozen=True, slots=True)
class FileProperties:
    """What a file says of its content beside the text, in one line each; "" where it says nothing.

    `organisation` is a publisher, a company or a web site; `date` is of the content, not of saving the file.
    """

    author: str = ""
    organisation: str = ""
    subject: str = ""
    date: str = ""

    def __bool__(self) -> bool:
        return self != FileProperties()


@dataclass(frozen=True, slots=True)
class ParsedDocument:
    """A parser's result for one file.

    `status` is OK or PARTIAL when there is text to index; with any other status `pages` is empty
    and `error` says what is wrong and what to do. `page_count` is what the file declares. `warnings`
    are sentences on what a person sees in the file and the text does not hold, or may hold wrongly.
    `attachments` are the names of files inside the file, whose text is not in `pages`: see `unpack`.
    """

    status: Status
    error: str | None = None
    title: str | None = None
    page_count: int = 0
    pages: tuple[Page, ...] = ()
    failures: tuple[PageFailure, ...] = ()
    headings: tuple[Heading, ...] = ()
    warnings: tuple[str, ...] = ()
    attachments: tuple[str, ...] = ()
    properties: FileProperties = FileProperties()


@dataclass(frozen=True, slots=True)
class Chunk:
    """A passage of one page: `text == page.text[start:end]`, always.

    `context` (document title › headings › table head) goes in front of the text when it is encoded or
    indexed, and is never cited.
    """

    ordinal: int
    page: int
    start: int
    end: int
    text: str
    heading: str | None = None
    context: str = ""


def name_as_words(name: str) -> str:
    """Return a file's name as words: what people call the document, more reliably than its metadata."""
    return PurePath(name).stem.replace("_", " ").strip()
