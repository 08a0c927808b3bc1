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
import threading
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
from ingestion.errors import LibraryDamaged, LibraryError, SourceChanged, StaleRepresentation
from ingestion.lock import LibraryLock
from ingestion.stores.catalogue import Catalogue
from ingestion.stores.records import Document, JournalEntry, Scope
from ingestion.stores.rows import insert_document, insert_source, remove_document
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
    """Open with `Library.open`; close it, or use it as a context manager.

    Safe to use from several threads: changes take turns, and searching goes on meanwhile.
    """

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
        self._changing = threading.Lock()

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
        except BaseException:
            lock.release()
            raise
        vectors = VectorStore(partial(embedded_chroma, folder / "chroma"))
        tokens = TokenStore(folder / "tokens", Int8Codec(encoder.projection.scales))
        library = cls(folder, catalogue, vectors, tokens, encoder, lock)
        try:
            # What cannot be erased is invisible all the same and stays in the journal for the next time.
            with suppress(LibraryError, OSError):
                library._erase_journalled()
            library._attach_segments()
        except BaseException:
            library.close()
            raise
        return library

    def close(self) -> None:
        try:
            self.vectors.close()
        finally:
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

        Raises LibraryError when a store cannot be written, SourceChanged when the file's bytes are no
        longer those of `source`; then the library is as it was.
        """
        with self._changing:
            former = self._in_place(collection_id, source)
            identity = former.id if former else uuid4().hex[:16]
            document = Document(
                id=identity, collection=self._collection_name(collection_id), collection_id=collection_id,
                name=source.name, path=source.path, title=parsed.title, sha256=source.sha256,
                bytes=source.bytes, status=parsed.status, error=parsed.error, pages=parsed.page_count,
                pages_failed=len(parsed.failures), chunks=len(chunks),
                version=self.catalogue.next_version(identity), fingerprint=self.encoder.fingerprint,
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
                with suppress(LibraryError, OSError):
                    self._undo(entry)
                if isinstance(error, OSError):
                    raise LibraryError(
                        f"{source.name} could not be written to the library {self.folder}: {error}; "
                        "check the disk's space and rights, then ingest it again"
                    ) from error
                raise
            self._erase_later()
            return document

    def link(self, collection_id: int, source: Source, document: Document) -> None:
        """Record that the bytes of `document` also lie at the source's path.

        Raises LibraryError where the document has been deleted meanwhile.
        """
        with self._changing:
            if self.catalogue.document(document.id) is None:
                raise LibraryError(f"{document.name} was deleted meanwhile; ingest {source.name} again")
            with self.catalogue.transaction() as connection:
                self._link(connection, collection_id, source.path, document.id)
            self._erase_later()

    def _collection_name(self, collection_id: int) -> str:
        return next(name for name, known in self.catalogue.collections().items() if known == collection_id)

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
        """Remove a document and all its sources: invisible at once, then erased from every store.

        A document that is gone already does not matter. Raises LibraryError where a store cannot be
        written; what is left there is invisible and erased with the next change or opening.
        """
        with self._changing:
            current = self.catalogue.document(document.id)  # it may have been replaced since
            with self.catalogue.transaction() as connection:
                if current:
                    remove_document(connection, current)
                connection.execute("DELETE FROM sources WHERE document_id = ?", (document.id,))
            try:
                self._erase_journalled()
                self.catalogue.forget_words()
            except (LibraryError, OSError) as error:
                raise LibraryError(
                    f"{document.name} is deleted, but not yet erased from the disk: {error}; "
                    "that is tried again with the next change and when the library is opened"
                ) from error

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

    def _undo(self, entry: JournalEntry) -> None:
        """Erase a version that did not become visible. An interrupt may come after it did."""
        if entry in self.catalogue.journal():
            self._erase(entry)

    def _erase_later(self) -> None:
        """Erase removed versions, or leave that to the next change: what was to be done is done."""
        with suppress(LibraryError, OSError):
            self._erase_journalled()

    def _erase_journalled(self) -> None:
        """Erase what the journal names. No version may be on its way: changes take turns."""
        for entry in self.catalogue.journal():
            self._erase(entry)

    def _erase(self, entry: JournalEntry) -> None:
        """Erase one version's vectors everywhere; may be repeated."""
        self.vectors.delete(entry.collection_id, entry.chunk_ids())
        self.tokens.erase(entry.segment)
        self.damaged.pop(entry.segment, None)
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
    try:
        reader = source.file.open("rb")
    except OSError as error:
        raise SourceChanged(
            f"{source.path} cannot be read any more: {error.strerror}; ingest it again"
        ) from error
    with reader, temporary.open("w+b") as writer:
        shutil.copyfileobj(reader, writer, 1 << 20)
        writer.flush()
        os.fsync(writer.fileno())
        writer.seek(0)
        if hashlib.file_digest(writer, "sha256").hexdigest() != source.sha256:
            raise SourceChanged(f"{source.path} changed while it was ingested; ingest it again")
    temporary.replace(original)
    sync_folder(original.parent)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
