"""Single vectors in Chroma: one Chroma collection for each library collection, representation and pooling.

Chroma's HNSW index is approximate; ids are those of the catalogue, which decides what is visible.
No text goes into Chroma.
"""

import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from ingestion.errors import LibraryDamaged, LibraryError
from ingestion.storage.catalogue.records import BUILTIN, document_of_chunk
from ingestion.storage.disk_space import is_disk_full, no_space
from ingestion.storage.vectors.soundness import CHROMA_ADVICE, ChromaFiles
from ingestion.storage.vectors.unused_room import UnusedRoom

if TYPE_CHECKING:
    from chromadb.api import ClientAPI
    from chromadb.api.collection_configuration import CreateCollectionConfiguration
    from chromadb.api.models.Collection import Collection

Pooling = Literal["cls", "mean"]
POOLINGS: tuple[Pooling, ...] = ("cls", "mean")
COLLECTION_NAME = re.compile(r"c(?P<collection>\d+)-(?:cls|mean)(?:-r(?P<representation>\d+))?")

# The default index (ef 100) misses neighbours once documents have been deleted.
_CONFIGURATION: "CreateCollectionConfiguration" = {
    "hnsw": {"space": "cosine", "ef_construction": 200, "ef_search": 200}
}


class VectorStore:
    """Chroma behind the few calls that the library makes.

    `connect` gives the client at first use (Chroma takes a second to import, and half of the commands
    never ask it), so that a Chroma server's `HttpClient` serves as well as the embedded one. `folder` is
    where the embedded one keeps its files: what it leaves in them unused is cleared.
    """

    def __init__(self, connect: Callable[[], "ClientAPI"], folder: Path | None = None) -> None:
        self._connect = connect
        self._folder = folder
        self._files = ChromaFiles(folder) if folder else None
        self._unused = UnusedRoom(folder) if folder else None
        self._lock = threading.Lock()
        self._connected: ClientAPI | None = None
        self._refused: LibraryDamaged | None = None
        self._collections: dict[str, Collection] = {}
        self._idle = threading.Condition()
        self._calls = 0
        self._away = False

    @property
    def _client(self) -> "ClientAPI":
        with self._lock:
            if self._refused:  # Chroma's second answer about a folder that it cannot read makes no sense
                raise self._refused
            if self._connected is None:
                try:
                    if self._files:
                        self._files.admit()
                    self._connected = self._connect()
                except LibraryDamaged as error:
                    self._refused = error
                    raise
            return self._connected

    @contextmanager
    def set_aside(self) -> Iterator[None]:
        """Close Chroma when the calls under way have ended, so that its folder can be exchanged.

        Calls that come meanwhile wait; they then find what lies in the folder.
        """
        with self._idle:
            self._away = True
            self._idle.wait_for(lambda: not self._calls)
        try:
            self.close()
            yield
        finally:
            with self._idle:
                self._refused = None
                self._away = False
                self._idle.notify_all()

    @contextmanager
    def _calling(self) -> Iterator[None]:
        with self._idle:
            self._idle.wait_for(lambda: not self._away)
            if not self._calls:
                self._look_again()
            self._calls += 1
        try:
            yield
        finally:
            with self._idle:
                self._calls -= 1
                if not self._calls:
                    self._clear_unused()
                self._idle.notify_all()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        from chromadb.errors import ChromaError

        try:
            with self._calling():
                yield
        except ChromaError as error:
            if self._folder and is_disk_full(error, self._folder):
                raise no_space(self._folder.parent) from error
            raise LibraryError(
                f"Chroma cannot write its index: {error}; check the disk's space and rights"
            ) from error

    @property
    def fault(self) -> LibraryDamaged | None:
        """Why Chroma was not opened when it was last needed."""
        return self._refused

    def close(self) -> None:
        self._collections.clear()
        if self._connected is None:
            return
        self._look_again()
        self._connected.close()  # type: ignore[attr-defined]  # in Client, not in its interface
        self._clear_unused()
        self._connected = None
        if self._files:
            self._files.leave()

    def _look_again(self) -> None:
        if self._files and self._connected is not None:
            self._files.look_again()

    def _clear_unused(self) -> None:
        """Clear the room for future vectors. No call may be under way, and Chroma must have been opened."""
        if self._connected is None:
            return
        with suppress(OSError):  # a later call, or the next opening, does it
            if self._unused:
                self._unused.clear()
        if self._files:
            self._files.look()

    def upsert(
        self,
        collection_id: int,
        pooling: Pooling,
        ids: Sequence[str],
        vectors: NDArray[np.float32],
        pages: Sequence[int],
        *,
        representation: int = BUILTIN,
    ) -> None:
        """Write [n, d] vectors under their chunk ids, in batches that Chroma accepts.

        `pages` are the chunks' pages, by which `query` narrows. Raises LibraryError where Chroma
        cannot write.
        """
        with self._writing():
            collection = self._collection(collection_name(collection_id, pooling, representation))
            for first, last in self._batches(len(ids)):
                some = list(ids[first:last])
                collection.upsert(
                    ids=some,
                    embeddings=vectors[first:last],
                    metadatas=[
                        {"document_id": document_of_chunk(chunk), "page": page}
                        for chunk, page in zip(some, pages[first:last], strict=True)
                    ],
                )

    def delete(self, collection_id: int, ids: Sequence[str], *, representation: int | None = None) -> None:
        """Remove the ids from every pooling of a representation, or of all. Absent ids do not matter.

        Raises LibraryError where Chroma cannot write.
        """
        with self._writing():
            for name in self._names(collection_id, representation):
                collection = self._collection(name)
                for first, last in self._batches(len(ids)):
                    collection.delete(ids=list(ids[first:last]))

    def drop(self, *, collection_id: int | None = None, representation: int | None = None) -> None:
        """Remove every vector of a library collection, of a representation, or of both at once.

        Raises LibraryError where Chroma cannot write.
        """
        with self._writing():
            for name in self._names(collection_id, representation):
                self._collections.pop(name, None)
                self._client.delete_collection(name)

    def query(
        self,
        collection_id: int,
        pooling: Pooling,
        vector: NDArray[np.float32],
        limit: int,
        documents: frozenset[str] | None = None,
        pages: tuple[int, int] | None = None,
        *,
        representation: int = BUILTIN,
    ) -> list[tuple[str, float]]:
        """Return up to `limit` (chunk id, cosine similarity), nearest first.

        `documents` narrows to those document ids, `pages` to those from the first to the last; the
        empty set finds nothing. Raises LibraryDamaged where Chroma cannot read its own index.
        """
        from chromadb.errors import ChromaError

        if documents is not None and not documents:
            return []
        try:
            with self._calling():
                result = self._collection(collection_name(collection_id, pooling, representation)).query(
                    query_embeddings=vector[None],
                    n_results=limit,
                    where=_where(documents, pages),
                    include=["distances"],
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

    def read(
        self, collection_id: int, pooling: Pooling, ids: Sequence[str], *, representation: int = BUILTIN
    ) -> tuple[list[str], NDArray[np.float32]]:
        """Return the ids that Chroma holds, in the order given, and their [n, d] vectors.

        Everything that is read is held in memory: ask for as many as that may be. Raises LibraryDamaged where
        Chroma cannot read its own index.
        """
        from chromadb.errors import ChromaError

        found: dict[str, Any] = {}
        try:
            with self._calling():
                collection = self._collection(collection_name(collection_id, pooling, representation))
                for first, last in self._batches(len(ids)):
                    some = collection.get(ids=list(ids[first:last]), include=["embeddings"])
                    vectors = some["embeddings"]
                    found.update(zip(some["ids"], [] if vectors is None else vectors, strict=True))
        except ChromaError as error:
            raise LibraryDamaged(
                f"Chroma cannot read its {pooling} vectors: {error}; to repair it, run: rag-app repair"
            ) from error
        known = [chunk for chunk in ids if chunk in found]
        if not known:
            return [], np.zeros((0, 0), np.float32)
        return known, np.array([found[chunk] for chunk in known], np.float32)

    def ids(self, collection_id: int, pooling: Pooling, *, representation: int = BUILTIN) -> set[str]:
        """Return every id that Chroma holds, visible or not: for `verify` and tests."""
        from chromadb.errors import ChromaError

        name = collection_name(collection_id, pooling, representation)
        try:
            with self._calling():
                return set(self._collection(name).get(include=[])["ids"])
        except ChromaError as error:
            raise LibraryDamaged(
                f"Chroma cannot list its {pooling} vectors: {error}; to repair it, run: rag-app repair"
            ) from error

    def names(self) -> set[str]:
        """Return the names of all Chroma collections."""
        with self._calling():
            return self._listed()

    def _listed(self) -> set[str]:
        return {collection.name for collection in self._client.list_collections()}

    def _names(self, collection_id: int | None, representation: int | None) -> list[str]:
        parsed = {name: COLLECTION_NAME.fullmatch(name) for name in self._listed()}
        return [
            name
            for name, match in parsed.items()
            if match
            and collection_id in (None, int(match["collection"]))
            and representation in (None, int(match["representation"] or BUILTIN))
        ]

    def _collection(self, name: str) -> "Collection":
        if name not in self._collections:
            self._collections[name] = self._client.get_or_create_collection(
                name, configuration=_CONFIGURATION, embedding_function=None
            )
        return self._collections[name]

    def _batches(self, count: int) -> Iterator[tuple[int, int]]:
        size = self._client.get_max_batch_size()
        for first in range(0, count, size):
            yield first, min(first + size, count)


def collection_name(collection_id: int, pooling: Pooling, representation: int) -> str:
    suffix = "" if representation == BUILTIN else f"-r{representation}"
    return f"c{collection_id}-{pooling}{suffix}"


def _where(documents: frozenset[str] | None, pages: tuple[int, int] | None) -> Any:
    conditions: list[Any] = []
    if documents is not None:
        conditions.append({"document_id": {"$in": sorted(documents)}})
    if pages is not None:
        conditions += [{"page": {"$gte": pages[0]}}, {"page": {"$lte": pages[1]}}]
    return {"$and": conditions} if len(conditions) > 1 else conditions[0] if conditions else None


def embedded_chroma(folder: Path) -> "ClientAPI":
    """Open Chroma inside this process, without telemetry. Raises LibraryDamaged where it cannot, DiskFull
    where the disk has no room for that."""
    from chromadb import PersistentClient
    from chromadb.config import Settings
    from chromadb.errors import ChromaError

    try:
        return PersistentClient(folder, settings=Settings(anonymized_telemetry=False))
    except (ChromaError, OSError, ValueError, AttributeError) as error:  # the last one after a first failure
        if is_disk_full(error, folder):
            raise no_space(folder.parent, "Chroma cannot be opened") from error
        raise LibraryDamaged(f"Chroma cannot open {folder}: {error}; {CHROMA_ADVICE}") from error
