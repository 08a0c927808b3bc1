"""Documents added to the open stores: written everywhere, then made visible by one transaction.

    journal "add" → segments and originals on disk → Chroma → one SQLite transaction makes the new
    versions visible and journals the old ones → the old ones' vectors are erased → journal cleared

Several small documents share a segment, a write to Chroma and the transaction: all of them become visible, or
none.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any
from uuid import uuid4

import numpy as np

from ingestion.documents import Chunk, ParsedDocument
from ingestion.encoders import CHUNKER_VERSION
from ingestion.errors import LibraryError
from ingestion.fields.front_matter import FrontMatter
from ingestion.parsing import READER_VERSION
from ingestion.storage.catalogue.journal import remove_entry
from ingestion.storage.catalogue.records import Document, JournalEntry
from ingestion.storage.catalogue.rows import PreparedText, insert_document, prepare_text, remove_document
from ingestion.storage.catalogue.segment_table import insert_segments
from ingestion.storage.disk_space import is_disk_full, no_space
from ingestion.storage.document_fields import RecognisedFields, write_edits, write_recognised
from ingestion.storage.durable import sync_folder
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


@dataclass(frozen=True, slots=True)
class Addition:
    """A document to add.

    Attributes:
        vectors: By representation id.
        language: Detected where it is not given.
        added: When the document was first added, in ISO 8601; now, where it is not given.
        known_as: The id and version of a new document.
        reader: The version of the parsers.
        encoding: The encoding that a person gave for a text file.
    """

    source: Source
    parsed: ParsedDocument
    chunks: Sequence[Chunk]
    vectors: Mapping[int, DocumentVectors]
    language: str | None = None
    added: str | None = None
    known_as: DocumentKey | None = None
    reader: int = READER_VERSION
    encoding: str | None = None


@dataclass(frozen=True, slots=True)
class _Planned:
    """An addition as it will be stored. `former` goes with it, `before` lay at its path."""

    addition: Addition
    document: Document
    text: PreparedText
    fields: RecognisedFields
    former: Document | None
    before: Document | None


class Additions(OpenStores):
    """Adds documents, and vectors of documents; see `ingestion.library.Library`."""

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
        addition = Addition(
            source, parsed, chunks, vectors, language, added, known_as, reader=reader, encoding=encoding
        )
        return self.add_together(collection_id, [addition], on_written=on_written)[0]

    def add_together(
        self,
        collection_id: int,
        additions: Sequence[Addition],
        *,
        on_written: Callable[[int], None] | None = None,
    ) -> list[Document]:
        """Make documents searchable, all at once.

        Several must have their vectors in memory, and none may concern what another one does: see
        `concerned`. `on_written`, and what is raised, are those of `add`; an error undoes all.
        """
        texts = [self._prepared(addition) for addition in additions]
        with self.changing:
            plans = [
                self._planned(collection_id, addition, language, text)
                for addition, (language, text) in zip(additions, texts, strict=True)
            ]
            documents = [plan.document for plan in plans]
            with self._journalled("add", documents, additions[0].vectors) as entries:
                self._keep_originals([addition.source for addition in additions])
                pages = [[chunk.page for chunk in addition.chunks] for addition in additions]
                self._write_vectors(entries, [addition.vectors for addition in additions], pages, on_written)
                with self.catalogue.transaction() as connection:
                    for plan, entry in zip(plans, entries, strict=True):
                        if plan.former:
                            remove_document(connection, plan.former, self.catalogue.terms)
                        insert_document(connection, plan.document, plan.text)
                        write_recognised(connection, plan.document.id, plan.fields)
                        if plan.former is None and plan.before:  # which stays, under its other paths
                            write_edits(connection, plan.document.id, self.fields.edits(plan.before.id))
                        insert_segments(connection, plan.document, entry.segments)
                        path = plan.addition.source.path
                        self._links.link(connection, collection_id, path, plan.document.id)
                        remove_entry(connection, entry)
            self._note(*(addition.source.sha256 for addition in additions))
            self._erase_soon()
            return documents

    def concerned(self, collection_id: int, source: Source) -> set[str]:
        """Return what adding these bytes at this path changes: bytes, path and the ids of documents.

        Additions of which this has something in common cannot be made together.
        """
        stored = (
            self.catalogue.by_content(source.sha256, collection_id),
            self.catalogue.by_source(collection_id, source.path),
        )
        return {source.sha256, composed(source.path), *(one.id for one in stored if one)}

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
            with self._journalled("encode", [document], [opened.id]) as entries:
                pages = self.catalogue.chunk_pages(document.id)
                self._write_vectors(entries, [{opened.id: vectors}], [pages])
                with self.catalogue.transaction() as connection:
                    insert_segments(connection, document, entries[0].segments)
                    remove_entry(connection, entries[0])

    def _prepared(self, addition: Addition) -> tuple[str, PreparedText]:
        """Return a document's language and its text as it will be stored."""
        language = addition.language or detect_language(page.text for page in addition.parsed.pages)
        chunks, terms = addition.chunks, self.catalogue.terms
        return language, prepare_text(addition.parsed, chunks, language, terms, self.folder)

    def _planned(self, collection_id: int, addition: Addition, language: str, text: PreparedText) -> _Planned:
        source, parsed = addition.source, addition.parsed
        before = self.catalogue.by_source(collection_id, source.path)
        former = self._replaced_by(collection_id, source)
        identity, version = self._identity(former, addition.known_as)
        document = Document(
            id=identity,
            version=version,
            collection=self._collection_name(collection_id),
            collection_id=collection_id,
            chunks=len(addition.chunks),
            chunker=CHUNKER_VERSION,
            language=language,
            added=addition.added or utc_now(),
            reader=addition.reader,
            encoding=addition.encoding,
            **_file_fields(source, parsed),
        )
        return _Planned(addition, document, text, self._fields(source, parsed, former), former, before)

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
        self, kind: str, documents: Sequence[Document], representations: Iterable[int]
    ) -> Iterator[list[JournalEntry]]:
        """Journal versions before they are written, and erase them again where writing fails.

        Yields an entry for each document; all of them name the same segment file for a representation.
        """
        segments = tuple((identity, f"seg-{uuid4().hex}.tok") for identity in representations)
        entries = self.catalogue.journal.begin(kind, documents, segments)
        try:
            yield entries
        except BaseException as error:
            # An interrupt may come after the versions became visible. Where the disk refuses this too,
            # the journal still has the entries for the next opening.
            with suppress(LibraryError, OSError):
                left = self.catalogue.journal.entries()
                for entry in entries:
                    if entry in left:
                        self.journal_cleaner.erase(entry)
            named = documents[0].name if len(documents) == 1 else f"{len(documents)} documents"
            if is_disk_full(error, self.folder):
                what = f"{named} could not be written to the library"
                raise no_space(self.folder, what, again="ingest it again") from error
            if isinstance(error, OSError):
                raise LibraryError(
                    f"{named} could not be written to the library {self.folder}: {error}; "
                    "check the disk's space and rights, then ingest it again"
                ) from error
            raise

    def _keep_originals(self, sources: Iterable[Source]) -> None:
        missing = [source for source in sources if not self.original(source.sha256).exists()]
        for source in missing:
            keep_original(source, self.original(source.sha256), flush_folder=False)
        if missing:
            sync_folder(self.folder / "originals")

    def _write_vectors(
        self,
        entries: Sequence[JournalEntry],
        vectors: Sequence[Mapping[int, DocumentVectors]],
        pages: Sequence[Sequence[int]],
        on_written: Callable[[int], None] | None = None,
    ) -> None:
        """Write the vectors of documents, by representation, to segments and to Chroma."""
        opened = [self.open_representations.by_id(identity) for identity, _ in entries[0].segments]
        kinds = [(one, kind) for one in opened for kind in POOLINGS if kind in one.record.vector_kinds]
        keys = [(entry.document_id, entry.version) for entry in entries]
        for (identity, file), one in zip(entries[0].segments, opened, strict=True):
            some = [by_id[identity] for by_id in vectors]
            if len(keys) == 1:
                one.tokens.write(file, keys[0], some[0], one.record.fingerprint)
            else:
                one.tokens.write_together(file, keys, some, one.record.fingerprint)
        ids = [chunk for entry in entries for chunk in entry.chunk_ids()]
        places = [page for some_pages in pages for page in some_pages]
        for number, (one, kind) in enumerate(kinds):
            first = 0
            blocks = (block for by_id in vectors for block in by_id[one.id].pooled(kind))
            for block in blocks if len(keys) == 1 else [np.concatenate(list(blocks))]:
                last = first + len(block)
                rows = ids[first:last], block, places[first:last]
                self.vectors.upsert(entries[0].collection_id, kind, *rows, representation=one.id)
                if on_written:
                    on_written((number * len(ids) + last) // len(kinds))
                first = last
        for (_, file), one in zip(entries[0].segments, opened, strict=True):
            one.tokens.attach([file])

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
