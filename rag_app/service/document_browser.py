"""The documents of a library as its page shows them: filtered lists, pages, deletion, disk use."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from ingestion.documents import Heading, Page, Status
from ingestion.errors import InvalidInput, UnknownName
from ingestion.fields.values import DocumentFields, FieldName, FieldValues
from ingestion.library import Library
from ingestion.library_documents import edit_fields
from ingestion.maintenance import stats
from ingestion.parsing import SUPPORTED_SUFFIXES, known_names
from ingestion.storage.catalogue.records import Document, StoredChunk
from ingestion.text.names import UPLOAD, composed

# The orders of a list, as the columns of its table.
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
    """A filter and an order; every word of `text` is in a document's name or fields."""

    text: str = ""
    collection: str | None = None
    status: Status | None = None
    order: str = "name"
    descending: bool = False


@dataclass(frozen=True, slots=True)
class PagePreview:
    """One page of a document, with its headings and chunks.

    Attributes:
        page: None for a page that could not be read.
        failure: Why it could not be read; None: unknown.
        failures: The number of such pages in the document.
        fields: Of the document: title, organisation, period, type.
    """

    document: Document
    number: int
    page: Page | None
    failure: str | None
    headings: tuple[Heading, ...]
    chunks: tuple[StoredChunk, ...]
    failures: int
    fields: DocumentFields


@dataclass(frozen=True, slots=True)
class Storage:
    """Bytes on the disk, by purpose."""

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

    @property
    def changes(self) -> int:
        """How often the documents have changed; compare two values."""
        return self._library.catalogue.database.changes

    def __init__(self, library: Library) -> None:
        self._library = library

    def documents(self, query: DocumentQuery = DocumentQuery()) -> list[Document]:
        """Return the documents of a query. Raises UnknownName for an unknown order."""
        if query.order not in ORDERS:
            raise UnknownName("order", query.order, ORDERS)
        words = composed(query.text).casefold().split()
        found = [
            document
            for document in self._library.catalogue.documents()
            if query.collection in (None, document.collection) and query.status in (None, document.status)
        ]
        if words:
            fields = self.fields(found)
            told = {one.id: _described(one, fields[one.id].values) for one in found}
            found = [one for one in found if all(word in told[one.id] for word in words)]
        found.sort(key=ORDERS["name"])
        return sorted(found, key=ORDERS[query.order], reverse=query.descending)

    def document(self, identity: str) -> Document:
        """Return a document by its id. Raises UnknownName for a deleted one."""
        document = self._library.catalogue.document(identity)
        if document is None:
            raise UnknownName("document", identity, (), advice="It may have been deleted meanwhile")
        return document

    def fields(self, documents: Sequence[Document]) -> dict[str, DocumentFields]:
        """Return the documents' title, organisation, period and type, by id."""
        return self._library.fields.of(documents)

    def edit_fields(
        self, identity: str, written: Mapping[FieldName, str], restored: Collection[FieldName] = ()
    ) -> Document:
        """Keep what a person writes of a document's fields; see `library_documents.edit_fields`."""
        return edit_fields(self._library, identity, written, restored)

    def page(self, identity: str, number: int) -> PagePreview:
        """Return a page of a document, or the nearest page. Raises UnknownName for a deleted document."""
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
            self.fields([document])[document.id],
        )

    def delete(self, identities: Collection[str]) -> list[Document]:
        """Delete the documents with these ids in one step; return them. It skips ids that do not exist.

        Raises:
            LibraryError: A store cannot be written; the documents are invisible all the same.
        """
        known = map(self._library.catalogue.document, identities)
        documents = [document for document in known if document is not None]
        if documents:
            self._library.delete(*documents)
        return documents

    def storage(self) -> Storage:
        """Return the library's disk use."""
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


def _described(document: Document, fields: FieldValues) -> str:
    """Return the text that a filter searches: label, all names, titles, organisation, period and type."""
    told = (fields.title, fields.organisation, fields.period, fields.type)
    return " ".join((document.label, *document.names, document.title or "", *told)).casefold()


def supported_suffixes() -> list[str]:
    """Return the suffixes of the files that can be ingested."""
    return sorted(SUPPORTED_SUFFIXES)


def encodings() -> list[str]:
    """Return the encodings that text files may have."""
    return known_names().split(", ")


def replacing_name(document: Document, file_name: str) -> str:
    """Return the name under which an uploaded file replaces the document.

    Raises:
        InvalidInput: The file has another type, or the document came from a folder, whose next ingestion
            would bring the old version back.
    """
    if not document.path.startswith(UPLOAD):
        raise InvalidInput(
            f"{document.name} came from {document.path}; put the new version there and ingest it again"
        )
    name = document.path.removeprefix(UPLOAD)
    suffix, other = PurePath(name).suffix.casefold(), PurePath(file_name).suffix.casefold()
    if suffix != other:
        raise InvalidInput(
            f"a new version of {name} ends in {suffix}, not in {other or 'nothing'}; "
            "choose a file of that type"
        )
    return name
