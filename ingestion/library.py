"""The library: catalogue, Chroma and token store as one, with one way to commit.

    journal "add" → segments and original on disk → Chroma → one SQLite transaction makes the new
    version visible and journals the old one → the old one's vectors are erased → journal cleared

Opening a library erases what a crash left in the journal: an "add" that never became visible, or the
rest of a version that is no longer visible.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import cached_property
from typing import Any
from uuid import uuid4

from ingestion.documents import Chunk, ParsedDocument
from ingestion.encoders import CHUNKER_VERSION
from ingestion.errors import DiskFull, LibraryError
from ingestion.fields.front_matter import FrontMatter
from ingestion.parsing import READER_VERSION
from ingestion.storage.catalogue.journal import remove_entry
from ingestion.storage.catalogue.records import Document, JournalEntry
from ingestion.storage.catalogue.rows import insert_document, prepare_text, remove_document
from ingestion.storage.catalogue.segment_table import insert_segments
from ingestion.storage.disk_space import is_disk_full, no_space
from ingestion.storage.document_fields import RecognisedFields, write_edits, write_recognised
from ingestion.storage.open_representations import OpenRepresentation
from ingestion.storage.open_stores import OpenStores
from ingestion.storage.originals import Source, keep_original
from ingestion.storage.source_links import SourceLinks
from ingestion.storage.timing import utc_now
from ingestion.storage.tokens.layout import DocumentKey
from ingestion.storage.tokens.store import DocumentVectors
from ingestion.storage.vectors.store import POOLINGS
from ingestion.text.language_detection import detect_language
from ingestion.text.names import composed

__all__ = ["Library", "Source"]


class Library(OpenStores):
    """Adds, replaces and deletes documents. Open with `Library.open`; close, or use as a context manager.

    Safe to use from several threads: changes take turns, and searching goes on meanwhile.
    """

    @cached_property
    def _links(self) -> SourceLinks:
        return SourceLinks(self.catalogue)

    def add(
        self,
        collection_id: int,
        source: Source,
        parsed: ParsedDocument,
        chunks: Sequence[Chunk],
        vectors: Mapping[int, DocumentVectors],
        *,
        language: str | None = None,
        added: str | None = None,
        known_as: DocumentKey | None = None,
        reader: int = READER_VERSION,
        encoding: str | None = None,
        on_written: Callable[[int], None] | None = None,
    ) -> Document:
        """Make a document searchable; the former content of its path is until then, and after an error.

        Args:
            vectors: By representation id.
            language: Detected where it is not given.
            added: When the document was first added, in ISO 8601; now, where it is not given.
            known_as: The id and version of a new document.
            reader: The version of the parsers.
            encoding: The encoding that a person gave for a text file.
            on_written: Called with the number of chunks whose vectors are written. What it raises undoes all.

        Raises:
            LibraryError: A store cannot be written.
            SourceChanged: The file's bytes are no longer those of `source`.
        """
        language = language or detect_language(page.text for page in parsed.pages)
        text = prepare_text(parsed, chunks, language, self.catalogue.terms, self.folder)
        with self.changing:
            before = self.catalogue.by_source(collection_id, source.path)
            former = self._replaced_by(collection_id, source)
            fields = self._fields(source, parsed, former)
            identity, version = self._identity(former, known_as)
            document = Document(
                id=identity,
                version=version,
                collection=self._collection_name(collection_id),
                collection_id=collection_id,
                chunks=len(chunks),
                chunker=CHUNKER_VERSION,
                language=language,
                added=added or utc_now(),
                reader=reader,
                encoding=encoding,
                **_file_fields(source, parsed),
            )
            with self._journalled("add", document, vectors) as entry:
                self._keep_original(source)
                self._write_vectors(entry, vectors, [chunk.page for chunk in chunks], on_written)
                with self.catalogue.transaction() as connection:
                    if former:
                        remove_document(connection, former, self.catalogue.terms)
                    insert_document(connection, document, text)
                    write_recognised(connection, document.id, fields)
                    if former is None and before:  # which stays, under its other paths
                        write_edits(connection, document.id, self.fields.edits(before.id))
                    insert_segments(connection, document, entry.segments)
                    self._links.link(connection, collection_id, source.path, document.id)
                    remove_entry(connection, entry)
            self._note(source.sha256)
            self._erase_soon()
            return document

    def add_vectors(self, document: Document, opened: OpenRepresentation, vectors: DocumentVectors) -> None:
        """Give a stored document its vectors in one more representation.

        Does nothing for a document that was replaced or deleted meanwhile.

        Raises:
            LibraryError: A store cannot be written; the library is as it was.
        """
        with self.changing:
            current = self.catalogue.document(document.id)
            if current is None or current.version != document.version:
                return
            with self._journalled("encode", document, [opened.id]) as entry:
                self._write_vectors(entry, {opened.id: vectors}, self.catalogue.chunk_pages(document.id))
                with self.catalogue.transaction() as connection:
                    insert_segments(connection, document, entry.segments)
                    remove_entry(connection, entry)

    def _replaced_by(self, collection_id: int, source: Source) -> Document | None:
        """Return the document that these bytes replace under its own id: one with the same bytes, or
        one that no other path holds."""
        same_bytes = self.catalogue.by_content(source.sha256, collection_id)
        if same_bytes:
            return same_bytes
        former = self.catalogue.by_source(collection_id, source.path)
        return former if former and self.catalogue.sources.of(former.id) == [source.path] else None

    def _fields(self, source: Source, parsed: ParsedDocument, former: Document | None) -> RecognisedFields:
        """Recognise a document's fields. What a file says of itself stays while its bytes do."""
        if not parsed.properties and former and former.sha256 == source.sha256:
            parsed = replace(parsed, properties=self.fields.properties(former.id))
        return RecognisedFields.of(FrontMatter.of(composed(source.name), parsed))

    def _identity(self, former: Document | None, known_as: DocumentKey | None) -> DocumentKey:
        if former is None and known_as is not None:
            return known_as
        identity = former.id if former else uuid4().hex[:16]
        return identity, self.catalogue.journal.next_version(identity)

    def _collection_name(self, collection_id: int) -> str:
        for name, known in self.catalogue.collections().items():
            if known == collection_id:
                return name
        raise LibraryError("the collection was deleted meanwhile; ingest the document again")

    @contextmanager
    def _journalled(
        self, kind: str, document: Document, representations: Iterable[int]
    ) -> Iterator[JournalEntry]:
        """Journal a version before it is written, and erase it again where writing fails.

        Yields the entry, which names a segment file for each representation.
        """
        segments = tuple((identity, f"seg-{uuid4().hex}.tok") for identity in representations)
        entry = self.catalogue.journal.begin(kind, document, segments)
        try:
            yield entry
        except BaseException as error:
            # An interrupt may come after the version became visible. Where the disk refuses this too,
            # the journal still has the entry for the next opening.
            with suppress(LibraryError, OSError):
                if entry in self.catalogue.journal.entries():
                    self.journal_cleaner.erase(entry)
            if is_disk_full(error, self.folder):
                what = f"{document.name} could not be written to the library"
                raise no_space(self.folder, what, again="ingest it again") from error
            if isinstance(error, OSError):
                raise LibraryError(
                    f"{document.name} could not be written to the library {self.folder}: {error}; "
                    "check the disk's space and rights, then ingest it again"
                ) from error
            raise

    def _keep_original(self, source: Source) -> None:
        original = self.original(source.sha256)
        if not original.exists():
            keep_original(source, original)

    def _write_vectors(
        self,
        entry: JournalEntry,
        vectors: Mapping[int, DocumentVectors],
        pages: Sequence[int],
        on_written: Callable[[int], None] | None = None,
    ) -> None:
        ids, document = entry.chunk_ids(), (entry.document_id, entry.version)
        opened = [self.open_representations.by_id(identity) for identity, _ in entry.segments]
        kinds = [(one, kind) for one in opened for kind in POOLINGS if kind in one.record.vector_kinds]
        for (identity, file), one in zip(entry.segments, opened, strict=True):
            one.tokens.write(file, document, vectors[identity], one.record.fingerprint)
        for number, (one, kind) in enumerate(kinds):
            first = 0
            for block in vectors[one.id].pooled(kind):
                last = first + len(block)
                some = ids[first:last], block, pages[first:last]
                self.vectors.upsert(entry.collection_id, kind, *some, representation=one.id)
                if on_written:
                    on_written((number * len(ids) + last) // len(kinds))
                first = last
        for (_, file), one in zip(entry.segments, opened, strict=True):
            one.tokens.attach([file])

    # Paths, and deleting

    def link(
        self, collection_id: int, source: Source, document: Document, *, instead_of: Sequence[str] = ()
    ) -> None:
        """Record that the bytes of `document` also lie at the source's path, and no longer at `instead_of`.

        Raises:
            LibraryError: The document was deleted meanwhile.
        """
        with self.changing:
            if self.catalogue.document(document.id) is None:
                raise LibraryError(f"{document.name} was deleted meanwhile; ingest {source.name} again")
            with self.catalogue.transaction() as connection:
                known = self.catalogue.sources.of(document.id)[:1]
                changed = {document.sha256}
                self._links.link(connection, collection_id, source.path, document.id)
                for path in known:
                    changed |= self._links.link_parts(connection, collection_id, path, source.path)
                for path in instead_of:
                    changed |= self._links.unlink(connection, collection_id, path)
                self._links.hide_unlinked(connection)
            self._note(*changed)
            self._erase_soon()

    def respell(self, collection_id: int, path: str) -> None:
        """Let a file that is known by another spelling of this path be known by this spelling."""
        with self.changing:
            self._links.respell(collection_id, path)

    def keep_parts(self, collection_id: int, path: str, kept: Collection[str]) -> None:
        """Forget the files that were once inside the one at `path`, and are not among `kept` now."""
        with self.changing:
            gone = self.catalogue.sources.inside(collection_id, path).keys() - set(kept)
            if gone:
                self.unlink(collection_id, *sorted(gone))

    def unlink(self, collection_id: int, *paths: str) -> Document | None:
        """Forget paths and the files inside them; a document that loses its last path is deleted.

        Returns:
            The first document that was deleted, or None.
        """
        return self.reserve.spend_on(lambda: self._unlink(collection_id, paths))

    def _unlink(self, collection_id: int, paths: Sequence[str]) -> Document | None:
        with self.changing:
            changed: set[str] = set()
            with self.catalogue.transaction() as connection:
                for path in paths:
                    changed |= self._links.unlink(connection, collection_id, path)
                gone = self._links.hide_unlinked(connection)
            self._note(*changed)
            self._erase_soon()
            return gone[0] if gone else None

    def delete(self, *documents: Document, collection_id: int | None = None) -> None:
        """Remove documents with all their paths and the files inside them: invisible at once, then erased
        from every store. A document that is gone already is passed over.

        Args:
            collection_id: A collection to remove with them; they must be all of its documents.

        Raises:
            LibraryError: A store cannot be written; what is left there is invisible, and erased with the
                next change or opening.
        """
        self.reserve.spend_on(lambda: self._delete(documents, collection_id))

    def _delete(self, documents: Sequence[Document], collection_id: int | None) -> None:
        with self.changing:
            current = [self.catalogue.document(document.id) for document in documents]  # or replaced since
            changed = {document.sha256 for document in filter(None, current)}
            with self.catalogue.transaction() as connection:
                for document in filter(None, current):
                    if self.catalogue.document(document.id) is None:
                        continue  # it went with the file that it was inside of
                    changed |= self._links.unlink_document(connection, document)
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
                kind = DiskFull if is_disk_full(error, self.folder) else LibraryError
                raise kind(
                    f"{names}: deleted, but not yet erased from the disk: {error}; "
                    "that is tried again with the next change and when the library is opened"
                ) from error

    def _note(self, *contents: str) -> None:
        """Write the cards of these SHA-256; the catalogue has been changed already."""
        for sha256 in contents:
            with suppress(LibraryError, OSError):
                self.cards.note(self.catalogue, sha256)

    def _erase_soon(self) -> None:
        """Erase removed versions, or leave that to the next change: the change itself is done."""
        with suppress(LibraryError, OSError):
            self.journal_cleaner.erase_journalled()
        self.keep_snapshot()
        self.merger.wake()


def _file_fields(source: Source, parsed: ParsedDocument) -> dict[str, Any]:
    """Return the fields of a `Document` that its file and its text decide."""
    return {
        "name": composed(source.name),
        "path": source.path,
        "sha256": source.sha256,
        "bytes": source.bytes,
        "title": parsed.title,
        "status": parsed.status,
        "error": parsed.error,
        "pages": parsed.page_count,
        "pages_failed": len(parsed.failures),
        "warnings": parsed.warnings,
    }
