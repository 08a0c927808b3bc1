"""Pages of the library's documents as people see them: picture, text, and where a stretch of it stands."""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

from ingestion.documents import Page
from ingestion.errors import InvalidInput
from ingestion.library import Library
from ingestion.parsing import PageLocked, PageNotDrawn, PagePicture, ParseLimits, draw_page
from ingestion.storage.catalogue.records import Document

# Pictures kept, of some 0.3 MB each: a person goes back and forth between a few.
_KEPT = 32
# Children that draw at the same time; each takes a processor for a fraction of a second.
_AT_ONCE = 2

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class RenderedPage:
    """A page of a document. `spans` are what was asked for, as (start, end) of `page.text`; `picture` has
    their boxes. Without a picture `reason` says why, and `is_locked` whether a password would give one."""

    document: Document
    page: Page
    spans: tuple[Span, ...]
    picture: PagePicture | None
    reason: str | None = None
    is_locked: bool = False


class PageViewer:
    """Shows the pages of one library. Safe to use from several threads."""

    def __init__(self, library: Library, limits: ParseLimits) -> None:
        self._library = library
        self._limits = limits
        self._lock = threading.Lock()
        self._drawing = threading.BoundedSemaphore(_AT_ONCE)
        self._kept: OrderedDict[tuple[str, int, tuple[Span, ...]], PagePicture] = OrderedDict()

    def view(
        self, document_id: str, number: int, spans: Sequence[Span] = (), *, password: str | None = None
    ) -> RenderedPage:
        """Return a page, counted from 1; a password is used for this picture, and not kept.

        Raises InvalidInput where there is no such document or page.
        """
        document = self._library.catalogue.document(document_id)
        if document is None:
            raise InvalidInput("the document is not in the library any more; ask again")
        page = self._library.catalogue.page(document_id, number)
        if page is None:
            raise InvalidInput(
                f"page {number} of {document.name} has no text that could be read, or is not there; "
                f"the document has pages 1 to {document.pages}"
            )
        wanted = tuple(
            (max(0, start), min(end, len(page.text)))
            for start, end in spans
            if max(0, start) < min(end, len(page.text))
        )
        try:
            return RenderedPage(document, page, wanted, self._picture(document, page, wanted, password))
        except PageNotDrawn as error:
            locked = isinstance(error, PageLocked)
            return RenderedPage(document, page, wanted, None, str(error), is_locked=locked)

    def _picture(
        self, document: Document, page: Page, spans: tuple[Span, ...], password: str | None
    ) -> PagePicture:
        if PurePath(document.path).suffix.lower() != ".pdf":
            raise PageNotDrawn("Only PDFs have pages to draw; this is the text.")
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
                original, page.number, page.layout, spans=spans, password=password, limits=self._limits
            )
        if password is not None:  # what it has opened is for whoever gave it, and drawn each time
            return picture
        with self._lock:
            self._kept[key] = picture
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return picture
