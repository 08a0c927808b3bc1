"""The library: catalogue, Chroma and token store as one, with one way to commit.

    journal "add" → segments and original on disk → Chroma → one SQLite transaction makes the new
    version visible and journals the old one → the old one's vectors are erased → journal cleared

Whatever a crash leaves in the journal is erased when the library is opened: an "add" that never
became visible, or the rest of a version that no longer is.
"""

import shutil
import sqlite3
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Self
from uuid import uuid4

from ingestion.documents import Chunk, ParsedDocument
from ingestion.encoders import CHUNKER_VERSION, Encoder, Encodings, load_encoder
from ingestion.errors import LibraryDamaged, LibraryError
from ingestion.parsing import READER_VERSION
from ingestion.storage.cards import Cards
from ingestion.storage.catalogue.catalogue import Catalogue
from ingestion.storage.catalogue.presence import CATALOGUE, refuse_emptied, refuse_lost
from ingestion.storage.catalogue.records import Document, JournalEntry, Scope
from ingestion.storage.catalogue.representations import RepresentationTable
from ingestion.storage.catalogue.rows import (
    hide_document,
    insert_document,
    insert_source,
    keep_name,
    prepare_text,
    remove_document,
    remove_source,
)
from ingestion.storage.catalogue.segment_table import insert_segment
from ingestion.storage.catalogue.snapshots import Snapshots
from ingestion.storage.folder_swap import finish_rebuild, finish_swap
from ingestion.storage.journal_cleaner import JournalCleaner
from ingestion.storage.lock import LibraryLock
from ingestion.storage.open_representations import BUILTIN_NAME, OpenRepresentation, OpenRepresentations
from ingestion.storage.originals import Source, keep_original
from ingestion.storage.segment_merging import Merger
from ingestion.storage.tokens.layout import DocumentKey
from ingestion.storage.tokens.store import TokenStore
from ingestion.storage.vectors.store import POOLINGS, VectorStore, embedded_chroma
from ingestion.text.language_detection import detect_language
from ingestion.text.names import UPLOAD, composed, is_gone, is_same
from ingestion.timing import utc_now

__all__ = ["Library", "Source"]

_UNPACKED = "unpacked"


class Library:
    """Open with `Library.open`; close it, or use it as a context manager.

    Safe to use from several threads: changes take turns, and searching goes on meanwhile.
    """

    def __init__(
        self,
        folder: Path,
        catalogue: Catalogue,
        vectors: VectorStore,
        encoder: Encoder,
        lock: LibraryLock,
        load: Callable[[str], Encoder],
    ) -> None:
        self.folder = folder
        self.catalogue = catalogue
        self.vectors = vectors
        self.representations = RepresentationTable(catalogue.database)
        self.encoder = encoder
        self.open_representations = OpenRepresentations(
            self.representations, folder / "tokens", encoder, load
        )
        self.changing = threading.RLock()
        self.cards = Cards(folder)
        self.snapshots = Snapshots(folder)
        self.journal_cleaner = JournalCleaner(folder, catalogue, vectors, self.open_representations)
        self.merger = Merger(folder / "tokens", catalogue.database, self.open_representations, self.changing)
        self._lock = lock

    @classmethod
    def open(cls, folder: Path, encoder: Encoder, *, load: Callable[[str], Encoder] = load_encoder) -> Self:
        """Open or create the library in `folder` and finish or undo what a crash left half done.

        `encoder` is the built-in one; `load` gives the model of another representation by its source.
        Raises LibraryInUse where another process has it, LibraryError where the folder cannot be
        used, LibraryDamaged where a store cannot be read.
        """
        lock = LibraryLock(folder)
        lock.acquire()
        try:
            finish_rebuild(folder)
            finish_swap(folder)
            refuse_lost(folder)
            shutil.rmtree(folder / _UNPACKED, ignore_errors=True)
            for name in ("tokens", "originals", "chroma"):
                _make_folder(folder / name)
            catalogue = Catalogue(folder / CATALOGUE)
            try:
                refuse_emptied(folder, catalogue)
            except BaseException:
                catalogue.close()
                raise
        except BaseException:
            lock.release()
            raise
        vectors = VectorStore(partial(embedded_chroma, folder / "chroma"), folder / "chroma")
        library = cls(folder, catalogue, vectors, encoder, lock, load)
        try:
            library.open_representations.open_all(catalogue.database)
            # What cannot be erased is invisible all the same and stays in the journal for the next time.
            with suppress(LibraryError, OSError):
                library.journal_cleaner.erase_all()
            with suppress(LibraryError, OSError):
                library.cards.complete(catalogue)
            library.keep_snapshot()
            library.merger.recover()
            for index in library.open_representations.all():
                segment_table = library.representations.segment_table
                index.tokens.attach(library.representations.segments(index.id), segment_table.dead(index.id))
        except BaseException:
            library.close()
            raise
        return library

    def close(self) -> None:
        try:
            self.merger.stop()
            self.keep_snapshot(closing=True)
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

    def keep_snapshot(self, *, closing: bool = False) -> None:
        """Copy the catalogue where the newest copy is more than a day old; see `Snapshots`."""
        # ProgrammingError: it is closed already.
        with suppress(LibraryError, sqlite3.ProgrammingError):
            if self.snapshots.are_due(closing=closing) and self.catalogue.has_documents():
                with self.catalogue.database.reading() as connection:
                    self.snapshots.take(connection)

    def original(self, sha256: str) -> Path:
        """Return where the bytes of a document are kept."""
        return self.folder / "originals" / sha256

    def unpacking(self) -> TemporaryDirectory[str]:
        """Return a new folder for what is unpacked on its way in. A crash leaves none behind: see `open`."""
        place = self.folder / _UNPACKED
        _make_folder(place)
        return TemporaryDirectory(dir=place)

    @property
    def tokens(self) -> TokenStore:
        """The built-in representation's token vectors."""
        return self.representation().tokens

    def representation(self, name: str = BUILTIN_NAME) -> OpenRepresentation:
        """Return a representation that can be searched. Raises UnknownName."""
        return self.open_representations.named(name)

    def damaged(self) -> list[LibraryDamaged]:
        """Return why token vectors could not be read when they were last needed."""
        return [
            fault for index in self.open_representations.all() for fault in index.tokens.faults().values()
        ]

    def segments(self, scope: Scope, index: OpenRepresentation | None = None) -> list[str]:
        """Return the token segments within the scope."""
        return self.representations.segments((index or self.representation()).id, scope)

    # Changes

    def add(
        self,
        collection_id: int,
        source: Source,
        parsed: ParsedDocument,
        chunks: Sequence[Chunk],
        encodings: Mapping[int, Encodings],
        *,
        language: str | None = None,
        added: str | None = None,
        known_as: DocumentKey | None = None,
        reader: int = READER_VERSION,
        encoding: str | None = None,
    ) -> Document:
        """Make one document searchable; the former content of its path is searchable until then.

        `encodings` are by representation id; `reader` is the version of the parsers that read the text.
        A new document gets the id and version that it is `known_as`. Raises LibraryError when a store
        cannot be written,
        SourceChanged when the file's bytes are no longer those of `source`; then the library is as
        it was.
        """
        language = language or detect_language(page.text for page in parsed.pages)
        text = prepare_text(parsed, chunks, language, self.catalogue.terms)
        with self.changing:
            former = self._in_place(collection_id, source)
            given = known_as if former is None else None
            identity = former.id if former else given[0] if given else uuid4().hex[:16]
            document = Document(
                id=identity, collection=self._collection_name(collection_id), collection_id=collection_id,
                name=composed(source.name), path=source.path, title=parsed.title, sha256=source.sha256,
                bytes=source.bytes, status=parsed.status, error=parsed.error, pages=parsed.page_count,
                pages_failed=len(parsed.failures), chunks=len(chunks),
                version=given[1] if given else self.catalogue.next_version(identity),
                chunker=CHUNKER_VERSION, language=language, added=added or utc_now(),
                warnings=parsed.warnings, reader=reader, encoding=encoding,
            )  # fmt: skip
            segments = tuple((identifier, f"seg-{uuid4().hex}.tok") for identifier in encodings)
            entry = self.catalogue.begin("add", document, segments)
            try:
                self._keep_original(source)
                pages = [chunk.page for chunk in chunks]
                for identifier, file in segments:
                    self._write_vectors(
                        entry, self.open_representations.by_id(identifier), file, encodings[identifier], pages
                    )
                with self.catalogue.transaction() as connection:
                    if former:
                        remove_document(connection, former, self.catalogue.terms)
                    insert_document(connection, document, text)
                    for identifier, file in segments:
                        insert_segment(connection, document, identifier, file)
                    self._link(connection, collection_id, source.path, document.id)
                    connection.execute("DELETE FROM journal WHERE id = ?", (entry.id,))
            except BaseException as error:
                self._give_up(entry)
                if isinstance(error, OSError):
                    raise LibraryError(
                        f"{source.name} could not be written to the library {self.folder}: {error}; "
                        "check the disk's space and rights, then ingest it again"
                    ) from error
                raise
            self._note(source.sha256)
            self._erase_soon()
            return document

    def add_vectors(self, document: Document, index: OpenRepresentation, encodings: Encodings) -> None:
        """Give a stored document its vectors in one more representation.

        A document that was replaced or deleted meanwhile is passed over. Raises LibraryError when a
        store cannot be written; then the library is as it was.
        """
        with self.changing:
            current = self.catalogue.document(document.id)
            if current is None or current.version != document.version:
                return
            file = f"seg-{uuid4().hex}.tok"
            entry = self.catalogue.begin("encode", document, ((index.id, file),))
            try:
                self._write_vectors(entry, index, file, encodings, self.catalogue.chunk_pages(document.id))
                with self.catalogue.transaction() as connection:
                    insert_segment(connection, document, index.id, file)
                    connection.execute("DELETE FROM journal WHERE id = ?", (entry.id,))
            except BaseException:
                self._give_up(entry)
                raise

    def link(
        self, collection_id: int, source: Source, document: Document, *, instead_of: Sequence[str] = ()
    ) -> None:
        """Record that the bytes of `document` also lie at the source's path, and at other paths no more.

        Raises LibraryError where the document has been deleted meanwhile.
        """
        with self.changing:
            if self.catalogue.document(document.id) is None:
                raise LibraryError(f"{document.name} was deleted meanwhile; ingest {source.name} again")
            with self.catalogue.transaction() as connection:
                others = self.catalogue.sources(document.id)
                changed = {document.sha256}
                self._link(connection, collection_id, source.path, document.id)
                for other in others[:1]:
                    for path, part in self.catalogue.parts(collection_id, other).items():
                        insert_source(connection, collection_id, source.path + path[len(other) :], part)
                        changed |= self._contents(part)
                for path in instead_of:
                    changed |= self._remove_sources(connection, collection_id, path)
            self._note(*changed)
            self._erase_soon()

    def keep_parts(self, collection_id: int, path: str, kept: Collection[str]) -> None:
        """Forget the files that were once inside the one at `path`, and are not among `kept` now."""
        with self.changing:
            gone = self.catalogue.parts(collection_id, path).keys() - set(kept)
            if gone:
                self.unlink(collection_id, *sorted(gone))

    def respell(self, collection_id: int, path: str) -> None:
        """Let the file that is known by another spelling of this path be known by this, those inside it too.

        Where a disk keeps both spellings as two files, both stay.
        """
        with self.changing:
            former = self.catalogue.spelled(collection_id, path)
            if former is None or self.catalogue.by_source(collection_id, path) is not None:
                return
            if former.startswith(UPLOAD) or is_gone(former) or is_same(former, path):
                with self.catalogue.transaction() as connection:
                    for known in (former, *self.catalogue.parts(collection_id, former)):
                        connection.execute(
                            "UPDATE sources SET path = ? WHERE collection_id = ? AND path = ?",
                            (path + known.removeprefix(former), collection_id, known),
                        )

    def unlink(self, collection_id: int, *paths: str) -> Document | None:
        """Forget sources with the files inside them, and their document with its last one; return the
        document if it went."""
        with self.changing:
            changed: set[str] = set()
            with self.catalogue.transaction() as connection:
                for path in paths:
                    changed |= self._remove_sources(connection, collection_id, path)
                orphans = self.catalogue.without_sources(collection_id)
                for document in orphans:
                    hide_document(connection, document)
            self._note(*changed)
            self._erase_soon()
            return orphans[0] if orphans else None

    def delete(self, *documents: Document, collection_id: int | None = None) -> None:
        """Remove documents with all their sources and the files inside: invisible at once, then erased from
        every store.

        `collection_id` goes with them: they must be all of its documents. A document that is gone
        already does not matter. Raises LibraryError where a store cannot be written; what is left
        there is invisible and erased with the next change or opening.
        """
        with self.changing:
            current = [self.catalogue.document(document.id) for document in documents]  # or replaced since
            changed = {document.sha256 for document in filter(None, current)}
            with self.catalogue.transaction() as connection:
                for document in filter(None, current):
                    if self.catalogue.document(document.id) is None:
                        continue  # it went with the file that it was inside of
                    for path in self.catalogue.sources(document.id):
                        changed |= self._remove_sources(connection, document.collection_id, path)
                    for orphan in self.catalogue.without_sources(document.collection_id):
                        hide_document(connection, orphan)
                if collection_id is not None:
                    connection.execute("DELETE FROM collections WHERE id = ?", (collection_id,))
            self._note(*changed)
            self.merger.wake()
            try:
                if collection_id is not None:
                    self.vectors.drop(collection_id=collection_id)
                self.journal_cleaner.erase_journalled()
            except (LibraryError, OSError) as error:
                names = documents[0].name if len(documents) == 1 else f"{len(documents)} documents"
                raise LibraryError(
                    f"{names}: deleted, but not yet erased from the disk: {error}; "
                    "that is tried again with the next change and when the library is opened"
                ) from error

    # How changes are made

    def _collection_name(self, collection_id: int) -> str:
        for name, known in self.catalogue.collections().items():
            if known == collection_id:
                return name
        raise LibraryError("the collection was deleted meanwhile; ingest the document again")

    def _in_place(self, collection_id: int, source: Source) -> Document | None:
        """Return the document that these bytes replace under its own id: one with the same bytes, or
        one that no other path holds."""
        same_bytes = self.catalogue.by_content(source.sha256, collection_id)
        if same_bytes:
            return same_bytes
        former = self.catalogue.by_source(collection_id, source.path)
        return former if former and self.catalogue.sources(former.id) == [source.path] else None

    def _link(self, connection: sqlite3.Connection, collection_id: int, path: str, document_id: str) -> None:
        former = self.catalogue.by_source(collection_id, path)
        insert_source(connection, collection_id, path, document_id)
        if former and former.id != document_id:
            keep_name(connection, former.id)
        for document in self.catalogue.without_sources(collection_id):
            hide_document(connection, document)

    def _remove_sources(self, connection: sqlite3.Connection, collection_id: int, path: str) -> set[str]:
        """Forget a path and those of the files inside it; return the contents that lay there."""
        changed: set[str] = set()
        document = self.catalogue.by_source(collection_id, path)
        here = {path: document.id} if document else {}
        for source, document_id in {**here, **self.catalogue.parts(collection_id, path)}.items():
            changed |= self._contents(document_id)
            remove_source(connection, document_id, source)
        return changed

    def _contents(self, document_id: str) -> set[str]:
        document = self.catalogue.document(document_id)
        return {document.sha256} if document else set()

    def _note(self, *contents: str) -> None:
        """Write what is known of these bytes beside them; the catalogue has it already."""
        for sha256 in contents:
            with suppress(LibraryError, OSError):
                self.cards.note(self.catalogue, sha256)

    def _keep_original(self, source: Source) -> None:
        original = self.original(source.sha256)
        if not original.exists():
            keep_original(source, original)

    def _write_vectors(
        self,
        entry: JournalEntry,
        index: OpenRepresentation,
        file: str,
        encodings: Encodings,
        pages: Sequence[int],
    ) -> None:
        ids = entry.chunk_ids()
        document = entry.document_id, entry.version
        index.tokens.write(file, document, encodings, index.record.fingerprint)
        for pooling in POOLINGS:
            if pooling in index.record.vector_kinds:
                pooled = encodings.cls if pooling == "cls" else encodings.mean
                self.vectors.upsert(entry.collection_id, pooling, ids, pooled, pages, representation=index.id)
        index.tokens.attach([file])

    def _give_up(self, entry: JournalEntry) -> None:
        """Erase a version that did not become visible. An interrupt may come after it did; and if the
        disk refuses this too, the journal still has the entry for the next opening."""
        with suppress(LibraryError, OSError):
            if entry in self.catalogue.journal():
                self.journal_cleaner.erase(entry)

    def _erase_soon(self) -> None:
        """Erase removed versions, or leave that to the next change: what was to be done is done."""
        with suppress(LibraryError, OSError):
            self.journal_cleaner.erase_journalled()
        self.keep_snapshot()
        self.merger.wake()


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise LibraryError(
            f"the data folder {folder} cannot be made: {error.strerror}; "
            "choose another with --data-dir or RAG_APP_DATA_DIR"
        ) from error
