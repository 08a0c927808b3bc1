"""What the catalogue's tables hold, as values."""

from dataclasses import dataclass

from ingestion.documents import Status


@dataclass(frozen=True, slots=True)
class Document:
    """One document of a collection, as the catalogue knows it. `added` is UTC in ISO 8601."""

    id: str
    collection: str
    collection_id: int
    name: str
    path: str
    title: str | None
    sha256: str
    bytes: int
    status: Status
    error: str | None
    pages: int
    pages_failed: int
    chunks: int
    version: int
    fingerprint: str
    segment: str
    added: str


@dataclass(frozen=True, slots=True)
class StoredChunk:
    """A visible chunk with what is needed to show and cite it."""

    id: str
    document_id: str
    document: str
    collection: str
    ordinal: int
    page: int
    start: int
    end: int
    heading: str | None
    context: str
    text: str


@dataclass(frozen=True, slots=True)
class Scope:
    """Where to search: collections, and within them only `documents` unless that is None.

    An empty set of documents means that nothing is searched, never that everything is.
    """

    collections: tuple[int, ...]
    documents: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """A document version whose vectors are being written ("add") or erased ("remove")."""

    id: int
    kind: str
    collection_id: int
    document_id: str
    version: int
    chunks: int
    segment: str
    sha256: str

    def chunk_ids(self) -> list[str]:
        return [chunk_id(self.document_id, self.version, ordinal) for ordinal in range(self.chunks)]


def chunk_id(document_id: str, version: int, ordinal: int) -> str:
    """Return a chunk's id in every store. It carries the version, so that retiring an old version
    can never touch the new one."""
    return f"{document_id}:{version}:{ordinal}"
