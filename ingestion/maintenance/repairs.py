"""Repair the faults that `verify` finds. Sound data is not touched; nothing is removed before its replacement
exists.

Interrupted at any point, the library is as usable as before, and repairing again goes on.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from ingestion.errors import REBUILD, LibraryDamaged, LibraryError, ModelError, SourceChanged
from ingestion.library import Library
from ingestion.maintenance.checks import (
    SegmentFault,
    is_fresh,
    list_faults,
    original_fault,
    orphans,
    record_checksum,
    segment_faults,
    store_of,
    text_fault,
    unfinished,
    unlisted_fault,
)
from ingestion.maintenance.chroma import ChromaComparison, compare, mend_differences, rebuild
from ingestion.maintenance.fulltext import rebuild_words, words_fault
from ingestion.maintenance.report import (
    ORPHANED,
    REINDEX,
    REPAIR,
    MaintenanceProgress,
    Problem,
    Repair,
    RepairReport,
    Store,
    Work,
)
from ingestion.maintenance.rereading import TextMender
from ingestion.maintenance.segments import SegmentReader
from ingestion.parsing import ParseLimits
from ingestion.pipeline.document_vectors import document_vectors
from ingestion.storage.catalogue.records import Document
from ingestion.storage.catalogue.segment_table import insert_segments, remove_segments
from ingestion.storage.open_representations import OpenRepresentation
from ingestion.storage.originals import Source, keep_original
from ingestion.storage.tokens.store import DocumentVectors

_MARKED = "the document is marked; delete it, and ingest the file again"
_RESTORE = f"restore the folder from a backup, or make the library anew from what can be read: {REBUILD}"
# Where files go that belong to no document, below the library's folder.
ORPHANS = "orphans"
_DISK = "check the disk's space and rights, then repair again"


def repair(
    library: Library,
    *,
    encode: bool = True,
    remove_orphans: bool = False,
    limits: ParseLimits = ParseLimits(),
    on_progress: Callable[[MaintenanceProgress], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> RepairReport:
    """Rebuild damaged data from sound data: text from the originals, words from the text, Chroma from the
    segments.

    Changes wait until it is done.

    Args:
        encode: Whether documents whose text or segment is damaged are encoded again.
        remove_orphans: Whether files that belong to no document are moved into the folder `orphans`. They
            are never deleted: the catalogue that does not know them may be the one that is wrong.
        limits: For reading an original again.

    Raises:
        Cancelled: The caller has cancelled; the repairs made so far stay.
    """
    work = _Repairing(library, encode, remove_orphans, limits, Work("repairing", on_progress, cancelled))
    with library.changing:
        work.run()
    work.mend_lists()
    return work.report()


class _Repairing:
    """One call's work."""

    def __init__(
        self, library: Library, encode: bool, remove_orphans: bool, limits: ParseLimits, work: Work
    ) -> None:
        self._library = library
        self._encode = encode
        self._orphans = remove_orphans
        self._limits = limits
        self._work = work
        self._segments = SegmentReader(library.folder / "tokens")
        self._done: list[Repair] = []
        self._left: list[Problem] = []
        self._read_again = self._is_broken = False

    def run(self) -> None:
        """Repair all but inverted lists. The lock for changes must be held."""
        documents: list[Document] = []
        with self._explained("catalogue", _RESTORE):
            self._mend_catalogue()
        with self._explained("words", _RESTORE):
            self._mend_words()
        with self._explained("catalogue", _RESTORE):
            documents = self._library.catalogue.documents()
        with TextMender(self._library, self._limits, self._work.cancelled) as texts:
            for document in self._work.over("documents", documents):
                with self._explained("originals", _DISK, document):
                    self._mend_original(document)
                with self._explained("catalogue", _DISK, document):
                    self._mend_document(texts, document)
        with self._explained("catalogue", _RESTORE):
            self._check_catalogue()
        if self._read_again:
            with self._explained("words", _RESTORE):
                self._mend_words()
        with self._explained("chroma", _DISK):
            self._mend_chroma()
        with self._explained("journal", _DISK):
            self._library.journal_cleaner.erase_all()
        with self._explained("tokens", _DISK):
            self._mend_leftovers(self._orphans)

    def mend_lists(self) -> None:
        """Write segments with damaged lists anew. The lock for changes must not be held: merging takes it."""
        with self._explained("tokens", _DISK):
            for opened, file, reason in list_faults(self._library):
                if self._library.merger.rewrite(opened, file, self._work.check):
                    self._tell("tokens", f"inverted lists were made anew, because {reason}")
                else:
                    self._leave("tokens", reason, f"run: {REPAIR}")

    def report(self) -> RepairReport:
        return RepairReport(tuple(self._done), tuple(self._left))

    @contextmanager
    def _explained(self, store: Store, mend: str, document: Document | None = None) -> Iterator[None]:
        """Turn an error that ends one step into a problem that is left, so that the next step is done."""
        try:
            yield
        except (LibraryError, ValueError) as error:  # the latter for text that is no UTF-8
            self._leave(store, str(error), mend, document)
        except OSError as error:
            self._leave(store, f"{error.filename}: {error.strerror}", mend, document)

    def _leave(self, store: Store, what: str, mend: str, document: Document | None = None) -> None:
        self._left.append(Problem(store, what, document.name if document else None, mend))

    def _tell(self, store: Store, what: str, document: Document | None = None) -> None:
        self._done.append(Repair(store, what, document.name if document else None))

    def _mend_catalogue(self) -> None:
        database = self._library.catalogue.database
        if not database.problems():
            return
        database.rows("REINDEX")
        self._is_broken = bool(database.problems())
        if not self._is_broken:
            self._tell("catalogue", "its indexes were made anew")

    def _check_catalogue(self) -> None:
        """Say what is still wrong with the file; texts that are read again may have put it right."""
        if self._is_broken:
            for line in self._library.catalogue.database.problems():
                self._leave("catalogue", line, _RESTORE)

    def _mend_words(self) -> None:
        catalogue = self._library.catalogue
        fault = words_fault(catalogue, self._work.check)
        if fault:
            rebuild_words(catalogue)
            self._tell("words", f"made anew from the text, because {fault}")

    # Documents

    def _mend_document(self, texts: TextMender, document: Document) -> None:
        text = text_fault(self._library, document)
        if text is None:
            record_checksum(self._library, document)
            for fault in segment_faults(self._library, self._segments, document):
                if self._encode:
                    self._encode_again(fault)
                else:
                    self._leave("tokens", fault.reason, f"run: {REPAIR}", document)
        elif not self._encode:
            self._leave("catalogue", text, f"run: {REPAIR}", document)
        else:
            mended = texts.mend(document)
            if mended.is_sound:
                self._read_again = True
                self._tell("catalogue", f"{mended.what}, because {text}", document)
            else:
                texts.mark(document)
                self._leave("catalogue", f"{text}; {mended.what}", _MARKED, document)

    def _encode_again(self, fault: SegmentFault) -> None:
        library, document = self._library, fault.document
        opened = library.open_representations.by_id(fault.representation.id)
        fresh = is_fresh(opened)
        if fresh is not True:
            reason = str(fresh) if isinstance(fresh, ModelError) else "another model made it"
            self._leave("tokens", f"{fault.reason}; {reason}", f"run: {REINDEX}", document)
            return
        chunks = list(library.catalogue.chunks_of(document))
        vectors = document_vectors(opened, chunks, cancelled=self._work.cancelled)
        if fault.file is None:
            library.add_vectors(document, opened, vectors)
        else:
            _replace_segment(library, document, opened, fault.file, vectors)
        self._tell("tokens", f"encoded again for {opened.name}, because {fault.reason}", document)

    def _mend_original(self, document: Document) -> None:
        library = self._library
        fault = original_fault(library, document)
        if fault is None:
            return
        for path in library.catalogue.sources.of(document.id):
            file = Path(path)
            if not file.is_file():
                continue
            source = Source(path, document.name, document.sha256, document.bytes, file)
            try:
                keep_original(source, library.original(document.sha256))
            except SourceChanged:
                continue
            self._tell("originals", f"taken again from {path}, because {fault}", document)
            return
        mend = f"put the file back at {document.path} and repair again; searching does not need it"
        self._leave("originals", fault, mend, document)

    # The rest

    def _mend_chroma(self) -> None:
        found = compare(self._library, self._work)
        fault = self._chroma_fault(found)
        if found.ok and fault is None:
            return
        if fault is None:
            mend_differences(self._library, found, self._work)
            again = compare(self._library, self._work)
            for name in (*found.differences, *found.extra):
                if name not in (*again.differences, *again.extra):
                    self._tell("chroma", f"{name} was brought in line with the catalogue")
            if again.ok:
                return
            if any(problem.store == "tokens" for problem in self._left):
                # A new index would lack the documents whose segments are damaged; this one may have them.
                self._leave("chroma", "it waits for the documents whose token vectors are damaged", _DISK)
                return
        written = rebuild(self._library, self._work, skip_damaged=True)
        because = f", because {fault}" if fault else ""
        self._tell("chroma", f"{written} vectors were written anew from the segments{because}")

    def _chroma_fault(self, found: ChromaComparison) -> str | None:
        """Return why Chroma cannot be read. Differences are repaired in the open one, so this opens it."""
        if found.fault is None and not found.ok:
            with suppress(LibraryDamaged):
                self._library.vectors.names()
        return found.fault or (str(self._library.vectors.fault) if self._library.vectors.fault else None)

    def _mend_leftovers(self, remove: bool) -> None:
        unlisted = unlisted_fault(self._library)
        if unlisted:
            self._leave("catalogue", unlisted, f"run: {REBUILD}")
        for path in remove_unfinished(self._library):
            self._tell(store_of(path), f"{path.name}, which interrupted work left, was removed")
        found = orphans(self._library)
        if not remove:
            for path in found:
                self._leave(store_of(path), f"{path.name} belongs to no document", ORPHANED)
            return
        place = self._library.folder / ORPHANS / f"{datetime.now(UTC):%Y%m%dT%H%M%S}"
        for path in found:
            moved = place / path.parent.name / path.name
            moved.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.rename(moved)
            what = f"{path.name}, which belonged to no document, was moved to {moved.parent}"
            self._tell(store_of(path), what)


def remove_unfinished(library: Library) -> list[Path]:
    """Remove what interrupted work left unfinished; return it. The lock for changes must be held."""
    found = unfinished(library)
    for path in found:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    return found


def _replace_segment(
    library: Library, document: Document, opened: OpenRepresentation, former: str, vectors: DocumentVectors
) -> None:
    """Put a new segment in the place of a damaged one. A crash before the end leaves an orphan."""
    file, key = f"seg-{uuid4().hex}.tok", (document.id, document.version)
    try:
        opened.tokens.write(file, key, vectors, opened.record.fingerprint)
        with library.catalogue.transaction() as connection:
            remove_segments(connection, document, opened.id)
            insert_segments(connection, document, [(opened.id, file)])
    except BaseException:
        opened.tokens.erase(file)
        raise
    opened.tokens.attach([file])
    if library.representations.segment_table.has(former):
        opened.tokens.tombstone(former, key)
    else:
        opened.tokens.erase(former)
