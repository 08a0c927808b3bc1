"""The documents as a person looks after them: found, read page by page, deleted together; what they take."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from ingestion.documents import Heading, Page, Status
from ingestion.errors import InvalidInput, UnknownName
from ingestion.library import Library
from ingestion.storage.catalogue.records import Document, StoredChunk
from ingestion.text.names import UPLOAD, composed

# What documents can be ordered by, in the order of a table's columns.
ORDERS: dict[str, Callable[[Document], Any]] = {
    "name": lambda document: document.label.casefold(),
    "collection": lambda document: document.collection.casefold(),
    "pages": lambda document: document.pages,
    "chunks": lambda document: document.chunks,
    "size": lambda document: document.bytes,
    "language": lambda document: document.language,
    "added": lambda document: document.added,
    "status": lambda document: document.status,
}


@dataclass(frozen=True, slots=True)
class DocumentQuery:
    """Which documents: those with every word of `text` in their name or title, and in what order."""

    text: str = ""
    collection: str | None = None
    status: Status | None = None
    order: str = "name"
    descending: bool = False


@dataclass(frozen=True, slots=True)
class PagePreview:
    """One page of a document with the headings and chunks on it.

    `page` is None where it could not be read; `failure` says why, where that is known.
    """

    document: Document
    number: int
    page: Page | None
    failure: str | None
    headings: tuple[Heading, ...]
    chunks: tuple[StoredChunk, ...]
    failures: int


@dataclass(frozen=True, slots=True)
class Storage:
    """Bytes on the disk by what they are for."""

    originals: int
    vectors: int
    tokens: int
    words: int
    text: int
    rest: int

    @property
    def total(self) -> int:
        return self.originals + self.vectors + self.tokens + self.words + self.text + self.rest


class DocumentBrowser:
    """The documents of one open library."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def documents(self, wanted: DocumentQuery = DocumentQuery()) -> list[Document]:
        """Return the documents that are wanted. Raises UnknownName for an order that there is not."""
        if wanted.order not in ORDERS:
            raise UnknownName("order", wanted.order, ORDERS)
        words = composed(wanted.text).casefold().split()
        found = [
            document
            for document in self._library.catalogue.documents()
            if wanted.collection in (None, document.collection)
            and wanted.status in (None, document.status)
            and all(word in _described(document) for word in words)
        ]
        found.sort(key=ORDERS["name"])
        return sorted(found, key=ORDERS[wanted.order], reverse=wanted.descending)

    def document(self, identity: str) -> Document:
        """Return a document by its id. Raises UnknownName where it is gone."""
        document = self._library.catalogue.document(identity)
        if document is None:
            raise UnknownName("document", identity, (), advice="It may have been deleted meanwhile")
        return document

    def page(self, identity: str, number: int) -> PagePreview:
        """Return a page of a document, the nearest one where it has none of that number.

        Raises UnknownName where the document is gone.
        """
        catalogue = self._library.catalogue
        document = self.document(identity)
        number = max(1, min(number, document.pages))
        failures = {failure.number: failure.reason for failure in catalogue.page_failures(identity)}
        pages = catalogue.chunk_pages(identity)
        ids = [id_ for id_, page in zip(document.chunk_ids(), pages, strict=False) if page == number]
        chunks = catalogue.chunks(ids).values()
        return PagePreview(
            document,
            number,
            catalogue.page(identity, number),
            failures.get(number),
            tuple(catalogue.headings(identity, number)),
            tuple(sorted(chunks, key=lambda chunk: chunk.ordinal)),
            len(failures),
        )

    def delete(self, identities: Collection[str]) -> list[Document]:
        """Delete the documents with these ids together; return them. Those that are gone do not matter.

        Raises LibraryError where a store cannot be written; they are invisible all the same.
        """
        known = map(self._library.catalogue.document, identities)
        documents = [document for document in known if document is not None]
        if documents:
            self._library.delete(*documents)
        return documents

    def storage(self) -> Storage:
        """Return what the library takes on the disk."""
        from ingestion.maintenance import stats

        figures = stats(self._library)
        named = figures.word_bytes + figures.text_bytes
        return Storage(
            originals=figures.bytes.originals,
            vectors=figures.bytes.chroma,
            tokens=figures.bytes.tokens,
            words=figures.word_bytes,
            text=figures.text_bytes,
            rest=max(0, figures.bytes.catalogue - named),
        )


def _described(document: Document) -> str:
    """Return what a document is searched by: its label, all its names, and its title."""
    return " ".join((document.label, *document.names, document.title or "")).casefold()


def replacing_name(document: Document, file_name: str) -> str:
    """Return the name under which an uploaded file replaces the document.

    Raises InvalidInput for a file of another type, and for a document that came from a folder, whose next
    ingestion would bring the former version back.
    """
    if not document.path.startswith(UPLOAD):
        raise InvalidInput(
            f"{document.name} came from {document.path}; put the new version there and ingest it again"
        )
    name = document.path.removeprefix(UPLOAD)
    suffix, other = PurePath(name).suffix.casefold(), PurePath(file_name).suffix.casefold()
    if suffix != other:
        raise InvalidInput(f"a new version of {name} ends in {suffix}, not in {other or 'nothing'}")
    return name
