"""The library: catalogue, Chroma and token store as one, with one way to commit.

    journal "add" → segment and original on disk → Chroma → one SQLite transaction makes the new
    version visible and journals the old one → the old one's vectors are erased → journal cleared

Whatever a crash leaves in the journal is erased when the library is opened: an "add" that never
became visible, or the rest of a version that no longer is.
"""

import hashlib
import os
import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self
from uuid import uuid4

from ingestion.documents import Chunk, ParsedDocument
from ingestion.encoders import Encoder, Encodings
from ingestion.errors import LibraryDamaged, LibraryError, StaleRepresentation
from ingestion.lock import LibraryLock
from ingestion.stores.catalogue import (
    Catalogue,
    Document,
    JournalEntry,
    Scope,
    insert_document,
    insert_source,
    remove_document,
)
from ingestion.stores.tokens.codec import Int8Codec
from ingestion.stores.tokens.segment import sync_folder
from ingestion.stores.tokens.store import TokenStore
from ingestion.stores.vectors import POOLINGS, VectorStore, embedded_chroma


@dataclass(frozen=True, slots=True)
class Source:
    """One file on its way in: its content's hash and size, and the name that people see."""

    path: str
    name: str
    sha256: str
    bytes: int
    file: Path


class Library:
    """Open with `Library.open`; close it, or use it as a context manager."""

    def __init__(
        self,
        folder: Path,
        catalogue: Catalogue,
        vectors: VectorStore,
        tokens: TokenStore,
        encoder: Encoder,
        lock: LibraryLock,
    ) -> None:
        self.folder = folder
        self.catalogue = catalogue
        self.vectors = vectors
        self.tokens = tokens
        self.encoder = encoder
        self.damaged: dict[str, LibraryDamaged] = {}
        self._lock = lock

    @classmethod
    def open(cls, folder: Path, encoder: Encoder) -> Self:
        """Open or create the library in `folder` and finish or undo what a crash left half done.

        Raises LibraryInUse where another process has it, LibraryError where the folder cannot be
        used, LibraryDamaged where a store cannot be read.
        """
        lock = LibraryLock(folder)
        lock.acquire()
        try:
            for name in ("tokens", "originals", "chroma"):
                _make_folder(folder / name)
            catalogue = Catalogue(folder / "catalogue.sqlite3")
            vectors = VectorStore(partial(embedded_chroma, folder / "chroma"))
            tokens = TokenStore(folder / "tokens", Int8Codec(encoder.projection.scales))
            library = cls(folder, catalogue, vectors, tokens, encoder, lock)
            for entry in catalogue.journal():
                library._erase(entry)
            library._attach_segments()
        except BaseException:
            lock.release()
            raise
        return library

    def close(self) -> None:
        self.vectors.close()
        self.catalogue.close()
        self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def original(self, sha256: str) -> Path:
        """Return where the bytes of a document are kept."""
        return self.folder / "originals" / sha256

    def add(
        self,
        collection_id: int,
        source: Source,
        parsed: ParsedDocument,
        chunks: Sequence[Chunk],
        encodings: Encodings,
    ) -> Document:
        """Make one document searchable; the former content of its path is searchable until then.

        Raises LibraryError when a store cannot be written; then the library is as it was.
        """
        former = self._in_place(collection_id, source)
        document = Document(
            id=former.id if former else uuid4().hex[:16], collection="", collection_id=collection_id,
            name=source.name, path=source.path, title=parsed.title, sha256=source.sha256,
            bytes=source.bytes, status=parsed.status, error=parsed.error, pages=parsed.page_count,
            pages_failed=len(parsed.failures), chunks=len(chunks),
            version=former.version + 1 if former else 1, fingerprint=self.encoder.fingerprint,
            segment=f"seg-{uuid4().hex}.tok", added=_now(),
        )  # fmt: skip
        entry = self.catalogue.begin(document)
        try:
            self._write_vectors(entry, source, encodings)
            self.tokens.attach([document.segment])
            with self.catalogue.transaction() as connection:
                if former:
                    remove_document(connection, former)
                insert_document(connection, document, parsed.pages, parsed.failures, chunks)
                self._link(connection, collection_id, source.path, document.id)
                connection.execute("DELETE FROM journal WHERE id = ?", (entry.id,))
        except BaseException as error:
            # If the disk refuses this too, the journal still has the entry for the next opening.
            with suppress(OSError, sqlite3.Error):
                self._erase(entry)
            if isinstance(error, OSError | sqlite3.Error):
                raise LibraryError(
                    f"{source.name} could not be written to the library {self.folder}: {error}; "
                    "check the disk's space and rights, then ingest it again"
                ) from error
            raise
        self._erase_removed()
        return document

    def link(self, collection_id: int, source: Source, document: Document) -> None:
        """Record that the bytes of `document` also lie at the source's path."""
        with self.catalogue.transaction() as connection:
            self._link(connection, collection_id, source.path, document.id)
        self._erase_removed()

    def _in_place(self, collection_id: int, source: Source) -> Document | None:
        """Return the document that these bytes replace under its own id: one with the same bytes, or
        one that no other path holds."""
        same_bytes = self.catalogue.by_content(collection_id, source.sha256)
        if same_bytes:
            return same_bytes
        former = self.catalogue.by_source(collection_id, source.path)
        return former if former and self.catalogue.sources(former.id) == [source.path] else None

    def _link(self, connection: sqlite3.Connection, collection_id: int, path: str, document_id: str) -> None:
        insert_source(connection, collection_id, path, document_id)
        for document in self.catalogue.without_sources(collection_id):
            remove_document(connection, document)

    def delete(self, document: Document) -> None:
        """Remove a document and all its sources: invisible at once, then erased from every store."""
        with self.catalogue.transaction() as connection:
            remove_document(connection, document)
            connection.execute("DELETE FROM sources WHERE document_id = ?", (document.id,))
        self._erase_removed()

    def segments(self, scope: Scope) -> list[str]:
        """Return the token segments within the scope. Raises LibraryDamaged where one cannot be read."""
        documents = self.catalogue.documents(scope.collections)
        segments = [d.segment for d in documents if scope.documents is None or d.id in scope.documents]
        for segment in segments:
            if segment in self.damaged:
                raise self.damaged[segment]
        return segments

    def check_fresh(self, scope: Scope) -> None:
        """Raises StaleRepresentation where another model made the vectors of a document in scope."""
        stale = self.catalogue.stale(scope, self.encoder.fingerprint)
        if stale:
            raise StaleRepresentation(
                f"{len(stale)} documents ({', '.join(stale[:3])}{', …' if len(stale) > 3 else ''}) were "
                f"encoded by another model or version than {self.encoder.fingerprint}; "
                "ingest their files again: rag-app ingest PATH"
            )

    def _attach_segments(self) -> None:
        """Open every document's token vectors; one that cannot be read spoils no other."""
        for document in self.catalogue.documents():
            try:
                self.tokens.attach([document.segment])
            except LibraryDamaged as error:
                self.damaged[document.segment] = LibraryDamaged(
                    f"the token vectors of {document.name} are damaged ({error}); "
                    f"run: rag-app delete {document.id}, then ingest {document.path} again"
                )

    def _write_vectors(self, entry: JournalEntry, source: Source, encodings: Encodings) -> None:
        original = self.original(source.sha256)
        if not original.exists():
            _copy_checked(source, original)
        ids = entry.chunk_ids()
        self.tokens.write(entry.segment, ids, encodings, self.encoder.fingerprint)
        for pooling in POOLINGS:
            pooled = encodings.cls if pooling == "cls" else encodings.mean
            self.vectors.upsert(entry.collection_id, pooling, ids, pooled)

    def _erase_removed(self) -> None:
        for entry in self.catalogue.journal():
            if entry.kind == "remove":
                self._erase(entry)

    def _erase(self, entry: JournalEntry) -> None:
        """Erase one version's vectors everywhere; may be repeated."""
        self.vectors.delete(entry.collection_id, entry.chunk_ids())
        self.tokens.erase(entry.segment)
        if not self.catalogue.uses_content(entry.sha256):
            self.original(entry.sha256).unlink(missing_ok=True)
        self.original(entry.sha256).with_suffix(".tmp").unlink(missing_ok=True)
        self.catalogue.forget(entry)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise LibraryError(
            f"the data folder {folder} cannot be made: {error.strerror}; "
            "choose another with --data-dir or RAG_APP_DATA_DIR"
        ) from error


def _copy_checked(source: Source, original: Path) -> None:
    """Keep the file's bytes, if they are still the ones that were parsed."""
    temporary = original.with_suffix(".tmp")
    shutil.copyfile(source.file, temporary)
    with temporary.open("rb") as stream:
        if hashlib.file_digest(stream, "sha256").hexdigest() != source.sha256:
            raise LibraryError(f"{source.path} changed while it was read; ingest it again")
        os.fsync(stream.fileno())
    temporary.replace(original)
    sync_folder(original.parent)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
