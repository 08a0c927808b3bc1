"""Single vectors in Chroma: one Chroma collection for each library collection and pooling.

Chroma's HNSW index is approximate; ids are those of the catalogue, which decides what is visible.
No text goes into Chroma.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from ingestion.errors import LibraryDamaged, LibraryError

if TYPE_CHECKING:
    from chromadb.api import ClientAPI
    from chromadb.api.collection_configuration import CreateCollectionConfiguration
    from chromadb.api.models.Collection import Collection

Pooling = Literal["cls", "mean"]
POOLINGS: tuple[Pooling, ...] = ("cls", "mean")

# The default index (ef 100) misses neighbours once documents have been deleted.
_CONFIGURATION: "CreateCollectionConfiguration" = {
    "hnsw": {"space": "cosine", "ef_construction": 200, "ef_search": 200}
}


class VectorStore:
    """Chroma behind the few calls that the library makes.

    `connect` gives the client at first use (Chroma takes a second to import, and half of the commands
    never ask it), so that a Chroma server's `HttpClient` serves as well as the embedded one.
    """

    def __init__(self, connect: Callable[[], "ClientAPI"]) -> None:
        self._connect = connect
        self._lock = threading.Lock()
        self._connected: ClientAPI | None = None
        self._refused: LibraryDamaged | None = None
        self._collections: dict[tuple[int, Pooling], Collection] = {}

    @property
    def _client(self) -> "ClientAPI":
        with self._lock:
            if self._refused:  # Chroma's second answer about a folder that it cannot read makes no sense
                raise self._refused
            if self._connected is None:
                try:
                    self._connected = self._connect()
                except LibraryDamaged as error:
                    self._refused = error
                    raise
            return self._connected

    def close(self) -> None:
        self._collections.clear()
        if self._connected is not None:
            self._connected.close()  # type: ignore[attr-defined]  # in Client, not in its interface
            self._connected = None

    def upsert(
        self, collection_id: int, pooling: Pooling, ids: Sequence[str], vectors: NDArray[np.float32]
    ) -> None:
        """Write [n, d] vectors under their chunk ids, in batches that Chroma accepts.

        Raises LibraryError where Chroma cannot write.
        """
        with _writing():
            collection = self._collection(collection_id, pooling)
            for first, last in self._batches(len(ids)):
                some = list(ids[first:last])
                collection.upsert(
                    ids=some,
                    embeddings=vectors[first:last],
                    metadatas=[{"document_id": chunk.rsplit(":", 2)[0]} for chunk in some],
                )

    def delete(self, collection_id: int, ids: Sequence[str]) -> None:
        """Remove the ids from every pooling. Ids that are not there do not matter.

        Raises LibraryError where Chroma cannot write.
        """
        with _writing():
            names = self._names()
            for pooling in POOLINGS:
                if self._name(collection_id, pooling) not in names:
                    continue
                collection = self._collection(collection_id, pooling)
                for first, last in self._batches(len(ids)):
                    collection.delete(ids=list(ids[first:last]))

    def query(
        self,
        collection_id: int,
        pooling: Pooling,
        vector: NDArray[np.float32],
        limit: int,
        documents: frozenset[str] | None = None,
    ) -> list[tuple[str, float]]:
        """Return up to `limit` (chunk id, cosine similarity), nearest first.

        `documents` narrows to those document ids; the empty set finds nothing. Raises
        LibraryDamaged where Chroma cannot read its own index.
        """
        from chromadb.errors import ChromaError

        if documents is not None and not documents:
            return []
        where: Any = {"document_id": {"$in": sorted(documents)}} if documents is not None else None
        try:
            result = self._collection(collection_id, pooling).query(
                query_embeddings=vector[None], n_results=limit, where=where, include=["distances"]
            )
        except ChromaError as error:
            raise LibraryDamaged(
                f"Chroma cannot search its {pooling} index: {error}; "
                "the strategies colbert and bm25 still work"
            ) from error
        distances = result["distances"] or [[]]
        return [
            (chunk, 1.0 - distance) for chunk, distance in zip(result["ids"][0], distances[0], strict=True)
        ]

    def ids(self, collection_id: int, pooling: Pooling) -> set[str]:
        """Return every id that Chroma holds, visible or not: for `verify` and tests."""
        return set(self._collection(collection_id, pooling).get(include=[])["ids"])

    def _names(self) -> set[str]:
        return {collection.name for collection in self._client.list_collections()}

    @staticmethod
    def _name(collection_id: int, pooling: Pooling) -> str:
        return f"c{collection_id}-{pooling}"

    def _collection(self, collection_id: int, pooling: Pooling) -> "Collection":
        key = (collection_id, pooling)
        if key not in self._collections:
            self._collections[key] = self._client.get_or_create_collection(
                self._name(collection_id, pooling), configuration=_CONFIGURATION, embedding_function=None
            )
        return self._collections[key]

    def _batches(self, count: int) -> Iterator[tuple[int, int]]:
        size = self._client.get_max_batch_size()
        for first in range(0, count, size):
            yield first, min(first + size, count)


@contextmanager
def _writing() -> Iterator[None]:
    from chromadb.errors import ChromaError

    try:
        yield
    except ChromaError as error:
        raise LibraryError(
            f"Chroma cannot write its index: {error}; check the disk's space and rights"
        ) from error


def embedded_chroma(folder: Path) -> "ClientAPI":
    """Open Chroma inside this process, without telemetry. Raises LibraryDamaged where it cannot."""
    from chromadb import PersistentClient
    from chromadb.config import Settings
    from chromadb.errors import ChromaError

    try:
        return PersistentClient(folder, settings=Settings(anonymized_telemetry=False))
    except (ChromaError, OSError, ValueError, AttributeError) as error:  # the last one after a first failure
        raise LibraryDamaged(
            f"Chroma cannot open {folder}: {error}; the strategies colbert and bm25 still work; "
            "to mend it, move the data folder away and ingest again"
        ) from error
