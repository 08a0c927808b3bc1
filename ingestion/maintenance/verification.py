"""Look for damage in every store of a library, without changing what it holds."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ingestion.encoders import CHUNKER_VERSION
from ingestion.errors import REBUILD, LibraryError, ModelError
from ingestion.library import Library
from ingestion.maintenance.checks import (
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
from ingestion.maintenance.chroma import NoRoom, compare, holdings
from ingestion.maintenance.fulltext import words_fault
from ingestion.maintenance.report import (
    ORPHANED,
    REINDEX,
    REPAIR,
    MaintenanceProgress,
    Problem,
    Store,
    VerifyReport,
    Work,
)
from ingestion.maintenance.segments import SegmentReader
from ingestion.parsing import READER_VERSION
from ingestion.storage.catalogue.records import Document
from ingestion.storage.originals import absent_mark

_RUN_REPAIR = f"run: {REPAIR}"
_MAKE_ROOM = "make room on the disk, then run: rag-app verify"
_RESTORE = f"restore the folder from a backup, or make the library anew from what can be read: {REBUILD}"


def verify(
    library: Library,
    *,
    on_progress: Callable[[MaintenanceProgress], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> VerifyReport:
    """Compare all stores with the catalogue and with their checksums. One fault hides no other.

    Searching goes on meanwhile; changes wait while the part that they would touch is checked. Text that an
    older version stored without a checksum gets one.

    Raises:
        Cancelled: The caller has cancelled.
    """
    return _Verification(library, Work("verifying", on_progress, cancelled)).run()


class _Verification:
    """The faults and counts that one call collects."""

    def __init__(self, library: Library, work: Work) -> None:
        self._library = library
        self._work = work
        self._token_segments = SegmentReader(library.folder / "tokens")
        self._problems: list[Problem] = []
        self._notes: list[str] = []
        self._recorded = 0
        self._documents = self._chunks = self._segments = self._vectors = self._originals = 0

    def run(self) -> VerifyReport:
        library = self._library
        with self._explained("catalogue", _RESTORE):
            for line in library.catalogue.database.problems():
                self._add("catalogue", line, _RUN_REPAIR)
        with self._explained("words", _RUN_REPAIR):
            self._check_words()
        with self._explained("catalogue", _RESTORE):
            for document in self._work.over("documents", library.catalogue.documents()):
                self._check_document(document)
        if self._recorded:
            self._notes.append(
                f"{self._recorded} documents were ingested by a version without checksums of text; their "
                "text is taken to be sound, and its checksums are stored now"
            )
        with self._explained("tokens", _RUN_REPAIR), library.changing:
            for _, _, reason in list_faults(library):
                self._add("tokens", f"{reason}; searching takes longer", _RUN_REPAIR)
        with self._explained("chroma", _RUN_REPAIR), library.changing:
            self._check_chroma()
        with self._explained("journal", _RUN_REPAIR), library.changing:
            self._check_leftovers()
        with self._explained("catalogue", _RESTORE):
            self._note_representations()
        counts = (self._documents, self._chunks, self._segments, self._vectors, self._originals)
        return VerifyReport(tuple(self._problems), tuple(self._notes), *counts)

    @contextmanager
    def _explained(self, store: Store, mend: str) -> Iterator[None]:
        """Turn an error that ends one check into a problem, so that the next check is made."""
        try:
            yield
        except LibraryError as error:
            self._add(store, str(error), mend)
        except OSError as error:
            self._add(store, f"{error.filename} cannot be read: {error.strerror}", mend)

    def _add(self, store: Store, what: str, mend: str, document: Document | None = None) -> None:
        self._problems.append(Problem(store, what, document.name if document else None, mend))

    def _check_words(self) -> None:
        self._work.report("words", 0, 1)
        with self._library.changing:
            fault = words_fault(self._library.catalogue, self._work.check)
        if fault:
            self._add("words", fault, _RUN_REPAIR)
        self._work.report("words", 1, 1)

    def _check_document(self, document: Document) -> None:
        library = self._library
        with library.changing:
            if library.catalogue.document(document.id) != document:
                return  # replaced or deleted meanwhile
            text = text_fault(library, document)
            faults = segment_faults(library, self._token_segments, document)
            original = original_fault(library, document)
            absent = absent_mark(library.original(document.sha256)).exists()
            if text is None and record_checksum(library, document):
                self._recorded += 1
        if text:
            self._add("catalogue", text, _RUN_REPAIR, document)
        for fault in faults:
            self._add("tokens", fault.reason, _RUN_REPAIR, document)
        if original:
            self._add("originals", original, _RUN_REPAIR, document)
        if absent:
            self._notes.append(f"{document.name} came without its original: its pages cannot be shown")
        if document.chunker != CHUNKER_VERSION or (document.reader != READER_VERSION and not absent):
            self._notes.append(f"{document.name} was read or cut by an older version; run: {REINDEX}")
        self._documents += 1
        self._chunks += document.chunks
        self._segments += len(library.open_representations.all())
        self._originals += not absent

    def _check_chroma(self) -> None:
        self._work.report("vectors", 0, 1)
        try:
            found = compare(self._library, self._work)
        except NoRoom as error:
            self._add("chroma", f"not looked at: {error}", _MAKE_ROOM)
            return
        if found.fault:
            self._add("chroma", f"Chroma's index cannot be read: {found.fault}", _RUN_REPAIR)
        for name, difference in found.differences.items():
            counts = (len(difference.missing), len(difference.surplus), len(difference.different))
            what = "{} vectors are missing, {} too many, {} are not the segments'".format(*counts)
            self._add("chroma", f"in {name} {what}", _RUN_REPAIR)
        for name in found.extra:
            self._add("chroma", f"{name} belongs to no collection and representation", _RUN_REPAIR)
        self._vectors = sum(d.chunks for holding in holdings(self._library) for d, _ in holding.documents)
        self._work.report("vectors", 1, 1)

    def _check_leftovers(self) -> None:
        for entry in self._library.catalogue.journal.entries():
            what = f"version {entry.version} of document {entry.document_id} is not erased yet"
            self._add("journal", what, _RUN_REPAIR)
        if unlisted := unlisted_fault(self._library):
            self._add("catalogue", unlisted, f"run: {REBUILD}")
        for paths, what, mend in (
            (unfinished(self._library), "is left of interrupted work", _RUN_REPAIR),
            (orphans(self._library), "belongs to no document", ORPHANED),
        ):
            for path in paths:
                self._add(store_of(path), f"{path.name} {what}", mend)

    def _note_representations(self) -> None:
        for opened in self._library.open_representations.all():
            fresh = is_fresh(opened)
            if isinstance(fresh, ModelError):
                self._notes.append(f"the model of the representation {opened.name} cannot be read: {fresh}")
            elif not fresh:
                self._notes.append(
                    f"the representation {opened.name} was made by {opened.record.fingerprint}, and the "
                    f"model here is {opened.encoder.fingerprint}; run: {REINDEX}"
                )
            if opened.record.state == "building":
                missing = len(self._library.representations.missing(opened.id))
                self._notes.append(
                    f"the representation {opened.name} is not finished: {missing} documents are missing; "
                    f"run: {REINDEX}"
                )
