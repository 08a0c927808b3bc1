"""Pages of documents for the screen: picture, text, and the boxes of spans."""

import re
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

from ingestion.documents import Page
from ingestion.errors import InvalidInput
from ingestion.library import Library
from ingestion.parsing import (
    DRAWN_SUFFIXES,
    PageLocked,
    PageNotDrawn,
    PagePicture,
    ParseLimits,
    draw_page,
)
from ingestion.storage.catalogue.records import Document
from ingestion.tables.cells import row_at
from ingestion.tables.reading import tables_on

# Pictures in memory, of some 0.3 MB each, because a person goes back and forth between a few.
_KEPT = 32
# Child processes that draw at once; each takes a processor for a fraction of a second.
_AT_ONCE = 2
_BOLD = re.compile(r"\*\*(.+?)\*\*")

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class RenderedPage:
    """A page of a document.

    Attributes:
        spans: The requested spans, (start, end) in `page.text`; `picture` has their boxes.
        cells: Cells of tables in these spans that the answer gives; `picture` has their boxes behind.
        picture: None where the page cannot be drawn; `reason` says why.
        is_locked: Whether a password would give the picture.
    """

    document: Document
    page: Page
    spans: tuple[Span, ...]
    picture: PagePicture | None
    reason: str | None = None
    is_locked: bool = False
    cells: tuple[Span, ...] = ()


class PageViewer:
    """Shows the pages of one library. Safe to use from several threads."""

    def __init__(self, library: Library, limits: ParseLimits) -> None:
        self._library = library
        self._limits = limits
        self._lock = threading.Lock()
        self._drawing = threading.BoundedSemaphore(_AT_ONCE)
        self._kept: OrderedDict[tuple[str, int, tuple[Span, ...]], PagePicture] = OrderedDict()

    def view(
        self,
        document_id: str,
        number: int,
        spans: Sequence[Span] = (),
        *,
        answer: str = "",
        password: str | None = None,
    ) -> RenderedPage:
        """Return a page.

        Args:
            number: Counted from 1.
            answer: An answer in Markdown that cites the spans: its words in bold tell a row's cell.
            password: Used for this picture, and not kept.

        Raises:
            InvalidInput: The document or page does not exist.
        """
        document = self._library.catalogue.document(document_id)
        if document is None:
            raise InvalidInput("the document was deleted from the library; ask again")
        page = self._library.catalogue.page(document_id, number)
        if page is None:
            raise InvalidInput(
                f"page {number} of {document.name} does not exist, or its text could not be read; "
                f"the document has pages 1 to {document.pages}"
            )
        wanted = tuple(
            (max(0, start), min(end, len(page.text)))
            for start, end in spans
            if max(0, start) < min(end, len(page.text))
        )
        cells = _answered_cells(page, wanted, answer)
        try:
            picture = self._picture(document, page, (*wanted, *cells), password)
            return RenderedPage(document, page, wanted, picture, cells=cells)
        except PageNotDrawn as error:
            locked = isinstance(error, PageLocked)
            return RenderedPage(document, page, wanted, None, str(error), is_locked=locked, cells=cells)

    def _picture(
        self, document: Document, page: Page, spans: tuple[Span, ...], password: str | None
    ) -> PagePicture:
        suffix = PurePath(document.path).suffix.lower()
        if suffix not in DRAWN_SUFFIXES:
            raise PageNotDrawn("Only PDFs and pictures have pages to draw; this is the text.")
        original = self._library.original(document.sha256)
        if not original.is_file():
            raise PageNotDrawn("The document came without its own bytes, so its pages cannot be drawn.")
        key = (document.sha256, page.number, spans)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        with self._drawing:
            picture = draw_page(
                original,
                page.number,
                page.layout,
                suffix=suffix,
                spans=spans,
                password=password,
                limits=self._limits,
            )
        if password is not None:  # drawn each time, for the person who gave the password
            return picture
        with self._lock:
            self._kept[key] = picture
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return picture


def _answered_cells(page: Page, spans: Sequence[Span], answer: str) -> tuple[Span, ...]:
    """Return the places of the cells that an answer gives in bold, in rows that it cites."""
    given = {_bare(bold) for bold in _BOLD.findall(answer)} - {""}
    if not given:
        return ()
    tables = tables_on(page)
    rows = [placed[1] for start, end in spans if (placed := row_at(tables, start, end)) is not None]
    return tuple(
        span
        for row in rows
        for cell in row.cells
        if cell is not None and _bare(cell.text) in given
        for span in cell.spans
    )


def _bare(text: str) -> str:
    """Return a value's digits, or a text's words: "$1,001 thousand" is the cell "1,001"."""
    digits = re.sub(r"[^\d.]", "", text).strip(".")
    return digits or " ".join(text.casefold().split())
