"""Chroma compared with the catalogue and the segments, and rebuilt from them without encoding.

Chroma has no checksums, and a damaged index can kill the process that reads it (one wrong byte in the
header of its graph is enough), so it is looked at in a child process, as a copy.
"""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.filesize import decimal

from ingestion.errors import LibraryDamaged, LibraryError
from ingestion.library import Library
from ingestion.maintenance.report import Work
from ingestion.maintenance.segments import SegmentReader
from ingestion.storage.catalogue.records import Document, Representation
from ingestion.storage.folder_swap import CHROMA, beside, swap
from ingestion.storage.vectors.probing import probe_fault, run_probe
from ingestion.storage.vectors.soundness import DATABASE
from ingestion.storage.vectors.store import (
    COLLECTION_NAME,
    POOLINGS,
    Pooling,
    VectorStore,
    collection_name,
    embedded_chroma,
)

# Vectors written at once.
_BATCH = 1000
# Beside the copy: the list of what is looked for, and what SQLite writes when it opens one.
_ROOM = 1 << 20


@dataclass(frozen=True, slots=True)
class Holding:
    """What one Chroma collection should hold: the pooled vectors of these documents' segments."""

    collection_id: int
    representation: Representation
    pooling: Pooling
    documents: tuple[tuple[Document, str], ...]

    @property
    def name(self) -> str:
        return collection_name(self.collection_id, self.pooling, self.representation.id)


@dataclass(frozen=True, slots=True)
class Difference:
    """How a Chroma collection differs: ids that are missing, too many, or hold something else."""

    missing: tuple[str, ...]
    surplus: tuple[str, ...]
    different: tuple[str, ...]


@dataclass(frozen=True)
class ChromaComparison:
    """`fault` says why Chroma cannot be read; without it the rest holds.

    `differences` is by Chroma collection; `extra` are collections that belong to nothing.
    """

    fault: str | None = None
    differences: dict[str, Difference] = field(default_factory=dict)
    extra: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        return not (self.fault or self.differences or self.extra)


def holdings(library: Library) -> list[Holding]:
    """Return what every Chroma collection should hold, by the catalogue."""
    found: list[Holding] = []
    documents = library.catalogue.documents()
    for representation in library.representations.all("ready", "building"):
        by_document = library.representations.documents(representation.id)
        for collection_id in library.catalogue.collections().values():
            mine = tuple(
                (document, by_document[document.id])
                for document in documents
                if document.collection_id == collection_id and document.id in by_document
            )
            for pooling in POOLINGS:
                held = mine if pooling in representation.vector_kinds else ()
                found.append(Holding(collection_id, representation, pooling, held))
    return found


# Comparing


class NoRoom(LibraryError):
    """The disk has no room for the copy of Chroma's folder that is looked at."""


def compare(library: Library, work: Work) -> ChromaComparison:
    """Compare Chroma with the catalogue and the segments. The lock for changes must be held.

    What is found is looked at again in a second copy: Chroma may have been writing. Raises NoRoom.
    """
    _check_room(library.folder)
    wanted = holdings(library)
    held = any(document.chunks for holding in wanted for document, _ in holding.documents)
    if held and not (library.folder / CHROMA / DATABASE).exists():
        return ChromaComparison("its files are missing")
    found = _compare_copy(library, wanted, work)
    return found if found.ok else _compare_copy(library, wanted, work)


def _check_room(folder: Path) -> None:
    needed = _ROOM + sum(path.stat().st_size for path in (folder / CHROMA).rglob("*") if path.is_file())
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise NoRoom(
            f"Chroma's index is looked at in a copy, which needs {decimal(needed)} in {folder}, "
            f"and {decimal(free)} are free"
        )


def _compare_copy(library: Library, wanted: list[Holding], work: Work) -> ChromaComparison:
    copy = beside(library.folder, "probe")
    try:
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(library.folder / CHROMA, copy)
        lines, ended = run_probe(_plan(library, copy, wanted), work.check)
    except OSError as error:
        return ChromaComparison(f"its folder cannot be read: {error.strerror or error}")
    finally:
        shutil.rmtree(copy, ignore_errors=True)
    return _comparison(lines, ended, {holding.name for holding in wanted})


def _plan(library: Library, copy: Path, wanted: list[Holding]) -> dict[str, Any]:
    collections = [
        {
            "name": holding.name,
            "pooling": holding.pooling,
            "segments": [
                (
                    file,
                    [document.id, document.version],
                    document.chunk_ids(),
                    library.catalogue.chunk_pages(document.id),
                )
                for document, file in holding.documents
            ],
        }
        for holding in wanted
    ]
    return {"folder": str(copy), "tokens": str(library.folder / "tokens"), "collections": collections}


def _comparison(lines: list[dict[str, Any]], ended: int, wanted: set[str]) -> ChromaComparison:
    if fault := probe_fault(lines, ended):
        return ChromaComparison(fault)
    differences = {
        line["name"]: Difference(tuple(line["missing"]), tuple(line["surplus"]), tuple(line["different"]))
        for line in lines
        if line.get("missing") or line.get("surplus") or line.get("different")
    }
    present = {name for line in lines for name in line.get("names", ()) if COLLECTION_NAME.fullmatch(name)}
    return ChromaComparison(None, differences, tuple(sorted(present - wanted)))


# Mending


def mend_differences(library: Library, comparison: ChromaComparison, work: Work) -> None:
    """Change only what differs. The lock for changes must be held, and Chroma must be readable."""
    for holding in holdings(library):
        difference = comparison.differences.get(holding.name)
        if difference:
            library.vectors.delete(
                holding.collection_id, difference.surplus, representation=holding.representation.id
            )
            wrong = frozenset(difference.missing + difference.different)
            _Writing(library, library.vectors, work, skip_damaged=True).write(holding, wrong)
    for match in map(COLLECTION_NAME.fullmatch, comparison.extra):
        if match:
            representation = int(match["representation"] or 1)
            library.vectors.drop(collection_id=int(match["collection"]), representation=representation)


def rebuild(library: Library, work: Work, *, skip_damaged: bool) -> int:
    """Build Chroma's folder anew beside the old one, from the segments, and swap the two.

    The lock for changes must be held. Returns the number of vectors. A document whose segment cannot be
    read is left out, or LibraryDamaged is raised and nothing has changed.
    """
    new = beside(library.folder, "new")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(mode=0o700)
    store = VectorStore(partial(embedded_chroma, new), new)
    writing = _Writing(library, store, work, skip_damaged=skip_damaged)
    try:
        for holding in holdings(library):
            writing.write(holding)
        store.names()  # so that a library without documents has Chroma's file too
    except BaseException:
        store.close()
        shutil.rmtree(new, ignore_errors=True)
        raise
    store.close()
    with library.vectors.set_aside():
        _forget_failure(library.folder / CHROMA)
        swap(library.folder)
    return writing.written


def _forget_failure(folder: Path) -> None:
    """Chroma keeps what failed to open a folder, and would give it to the next who opens one there."""
    from chromadb.api.shared_system_client import SharedSystemClient

    SharedSystemClient._identifier_to_system.pop(str(folder), None)
    SharedSystemClient._identifier_to_refcount.pop(str(folder), None)


class _Writing:
    """Writes segments' pooled vectors into a store."""

    def __init__(self, library: Library, store: VectorStore, work: Work, *, skip_damaged: bool) -> None:
        self._library = library
        self._store = store
        self._work = work
        self._skip_damaged = skip_damaged
        self._segments = SegmentReader(library.folder / "tokens")
        self.written = 0

    def write(self, holding: Holding, only: frozenset[str] | None = None) -> None:
        """Write all vectors of a holding, or those of the ids in `only`."""
        total = sum(document.chunks for document, _ in holding.documents) if only is None else len(only)
        done = 0
        for ids, vectors, pages in self._batches(holding, only):
            self._work.check()
            self._store.upsert(
                holding.collection_id,
                holding.pooling,
                ids,
                vectors,
                pages,
                representation=holding.representation.id,
            )
            done += len(ids)
            self._work.report(f"rebuilding Chroma's {holding.name}", done, total)
        self.written += done

    def _batches(
        self, holding: Holding, only: frozenset[str] | None
    ) -> Iterator[tuple[list[str], NDArray[np.float32], list[int]]]:
        """Yield (ids, vectors, pages) of about `_BATCH` chunks: small batches take Chroma long."""
        ids: list[str] = []
        pages: list[int] = []
        vectors: list[NDArray[np.float32]] = []
        for document, file in holding.documents:
            if only is not None and only.isdisjoint(document.chunk_ids()):
                continue
            pooled = self._pooled(document, file, holding.pooling)
            numbers = self._library.catalogue.chunk_pages(document.id)
            for chunk, vector, page in zip(document.chunk_ids(), pooled, numbers, strict=False):
                if only is None or chunk in only:
                    ids.append(chunk)
                    vectors.append(vector)
                    pages.append(page)
            if len(ids) >= _BATCH:
                yield ids, np.stack(vectors), pages
                ids, pages, vectors = [], [], []
        if ids:
            yield ids, np.stack(vectors), pages

    def _pooled(self, document: Document, file: str, pooling: Pooling) -> NDArray[np.float32]:
        """Return a document's pooled vectors; none where its segment is damaged and may be skipped."""
        try:
            segment, rows = self._segments.rows(file, document)
            return segment.pooled(pooling)[rows.start : rows.stop]
        except LibraryDamaged as error:
            if self._skip_damaged:
                return np.zeros((0, 0), np.float32)
            raise LibraryDamaged(f"{error}; run: rag-app repair") from error
