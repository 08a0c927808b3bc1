"""The documents of a scope, and their chunks in reading order."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ingestion.library import Library
from ingestion.storage.catalogue.records import Document, Scope, StoredChunk

# Chunks in memory at once.
_AT_ONCE = 64

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class ScopedDocuments:
    """The documents of a scope with text, each content once, by collection and name.

    Attributes:
        _ordinals: A document's id → its chunks in the scope, for documents that are partly in it.
    """

    documents: tuple[Document, ...]
    _ordinals: Mapping[str, Sequence[int]]

    @property
    def chunks(self) -> int:
        """The number of chunks."""
        return sum(self.chunks_of(document) for document in self.documents)

    def chunks_of(self, document: Document) -> int:
        return len(self._ordinals.get(document.id, range(document.chunks)))

    def chunk_ids(self, document: Document, limit: int | None = None) -> list[str]:
        """Return a document's chunk ids in reading order, or `limit` of them at even distances."""
        ordinals = self._ordinals.get(document.id, range(document.chunks))
        ids = document.chunk_ids()
        return [ids[ordinals[place]] for place in evenly(len(ordinals), limit)]


def whole_of(library: Library, scope: Scope) -> ScopedDocuments:
    """Return the documents of a scope."""
    allowed = library.catalogue.allowed(scope)
    ordinals = {key: found for key, found in (allowed or {}).items() if found is not None}
    documents: dict[str, Document] = {}
    for document in library.catalogue.documents(scope.collections):
        if document.chunks and (allowed is None or document.id in allowed):
            documents.setdefault(document.sha256, document)
    return ScopedDocuments(tuple(documents.values()), ordinals)


def evenly(count: int, limit: int | None) -> list[int]:
    """Return the places 0 to count - 1, or `limit` of them at even distances, beginning with 0."""
    if limit is None or count <= limit:
        return list(range(count))
    return [place * count // limit for place in range(limit)]


def read_vectors(library: Library, collection_id: int, ids: Sequence[str]) -> tuple[list[str], Floats]:
    """Return the chunks of a collection that still exist, and their mean vectors, [n, d] of unit length."""
    index = library.representation()
    index.check_kind("mean")
    return library.vectors.read(collection_id, "mean", ids, representation=index.id)


def read_chunks(library: Library, ids: Sequence[str]) -> Iterator[StoredChunk]:
    """Yield the visible chunks; a few are in memory at a time."""
    for first in range(0, len(ids), _AT_ONCE):
        some = ids[first : first + _AT_ONCE]
        found = library.catalogue.chunks(some)
        yield from (found[each] for each in some if each in found)
