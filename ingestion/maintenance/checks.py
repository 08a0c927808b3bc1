"""Checks shared by verifying and repairing. Each check returns every fault that it finds."""

import hashlib
import os
import time
from dataclasses import dataclass
from pathlib import Path

from ingestion.errors import LibraryDamaged, LibraryError, ModelError
from ingestion.library import Library
from ingestion.maintenance.report import Store
from ingestion.maintenance.segments import SegmentReader
from ingestion.storage.cards import texts_hash
from ingestion.storage.catalogue.records import Document, Representation
from ingestion.storage.catalogue.texts import store_checksum, stored_checksum, text_checksum
from ingestion.storage.folder_swap import beside
from ingestion.storage.open_representations import OpenRepresentation
from ingestion.storage.originals import absent_mark, unpacking_folder
from ingestion.storage.tokens.inverted_lists import InvertedLists
from ingestion.storage.tokens.segment import Segment

# The folder where jobs keep uploaded files until they are ingested.
UPLOADS = "uploads"
_YOUNG_SECONDS = 3600
# Documents that a message names.
_NAMED = 3


@dataclass(frozen=True, slots=True)
class SegmentFault:
    """A document whose token vectors in one representation cannot be used. `file` is None where the
    catalogue lists no segment for it."""

    document: Document
    representation: Representation
    file: str | None
    reason: str


def text_fault(library: Library, document: Document) -> str | None:
    """Return what is wrong with a document's text, pages and chunks in the catalogue, or None."""
    catalogue = library.catalogue
    try:
        pages = {page.number: page.text for page in catalogue.parsed(document).pages}
        chunks = catalogue.chunks(document.chunk_ids())
        count = len(catalogue.chunk_pages(document.id))
        sources = catalogue.sources.of(document.id)
        changed = _checksum_fault(library, document)
    except (LibraryError, ValueError, KeyError, TypeError) as error:  # no UTF-8, no JSON, beyond the end
        return f"its text cannot be read: {error}"
    if len(chunks) != document.chunks or count != document.chunks:
        return f"it should have {document.chunks} chunks, and {len(chunks)} of {count} are its own"
    for chunk in chunks.values():
        if chunk.page not in pages or chunk.text != pages[chunk.page][chunk.start : chunk.end]:
            return f"chunk {chunk.ordinal + 1} is not what stands on page {chunk.page}"
    return changed if sources else "no path is known for it"


def _checksum_fault(library: Library, document: Document) -> str | None:
    """Return how a document's text differs from what was ingested, or None."""
    with library.catalogue.database.reading() as connection:
        stored = stored_checksum(connection, document.id)
        if stored is not None:
            same = stored == text_checksum(connection, document.id)
            return None if same else "its text is not what was ingested: its checksum fails"
    key = document.id, document.version, document.chunker
    texts = texts_hash(library.catalogue.chunks_of(document))
    for card in library.cards.read(document.sha256):
        if (card.id, card.version, card.chunker) == key and card.texts != texts:
            return "its text is not what was ingested: its card has another hash of it"
    return None


def record_checksum(library: Library, document: Document) -> bool:
    """Store the checksum of a sound text that an older version ingested without one; return whether it did.
    The lock for changes must be held."""
    with library.catalogue.database.transaction() as connection:
        if stored_checksum(connection, document.id) is not None:
            return False
        store_checksum(connection, document.id)
    return True


def is_fresh(opened: OpenRepresentation) -> bool | ModelError:
    """Return whether the model at hand made the vectors, or why the model cannot be asked."""
    try:
        return opened.is_fresh
    except ModelError as error:
        return error


def segment_faults(library: Library, segments: SegmentReader, document: Document) -> list[SegmentFault]:
    """Return the representations in which a document's token vectors are lost or damaged.

    In a representation of another model, the lack of vectors of newer documents is no damage.
    """
    faults: list[SegmentFault] = []
    for opened in library.open_representations.all():
        record = opened.record
        file = library.representations.segment(document.id, record.id)
        if file is None:
            if record.state == "ready" and is_fresh(opened) is True:
                reason = f"it has no vectors in the representation {record.name}"
                faults.append(SegmentFault(document, record, None, reason))
            continue
        try:
            segment, _ = segments.rows(file, document)
        except LibraryDamaged as error:
            faults.append(SegmentFault(document, record, file, str(error)))
            continue
        if segment.fingerprint != record.fingerprint:
            reason = f"its vectors are by {segment.fingerprint}, and {record.name} is {record.fingerprint}"
            faults.append(SegmentFault(document, record, file, reason))
        elif segment.dimension != record.token_dimension:
            reason = f"its vectors have {segment.dimension} dimensions, not {record.token_dimension}"
            faults.append(SegmentFault(document, record, file, reason))
        elif segment.codec != record.codec:
            reason = f"its token vectors are {segment.codec}, not {record.codec}"
            faults.append(SegmentFault(document, record, file, reason))
    return faults


def list_faults(library: Library) -> list[tuple[OpenRepresentation, str, str]]:
    """Return the segments whose inverted lists are damaged: representation, file, and what is wrong."""
    faults: list[tuple[OpenRepresentation, str, str]] = []
    for opened in library.open_representations.all():
        if opened.record.scales is None:
            continue
        for file in library.representations.segment_table.files(opened.id):
            try:
                segment = Segment(library.folder / "tokens" / file.file)
            except LibraryDamaged:
                continue  # its documents say so
            try:
                InvertedLists.of_segment(segment, opened.record.scales)
            except LibraryDamaged as error:
                faults.append((opened, file.file, str(error)))
    return faults


def original_fault(library: Library, document: Document) -> str | None:
    """Return what is wrong with a document's original, or None. It may have come without one."""
    original = library.original(document.sha256)
    try:
        with original.open("rb") as stream:
            if hashlib.file_digest(stream, "sha256").hexdigest() != document.sha256:
                return "its original has other bytes than were ingested"
    except FileNotFoundError:
        return None if absent_mark(original).exists() else "its original is missing"
    except OSError as error:
        return f"its original cannot be read: {error.strerror or error}"
    return None


def orphans(library: Library) -> list[Path]:
    """Return the files in the stores' folders that belong to no document, and uploads that no job knows.
    No version may be on its way."""
    tokens, originals = library.folder / "tokens", library.folder / "originals"
    known = {tokens / file for file in library.representations.segment_table.known()}
    for sha256 in {document.sha256 for document in library.catalogue.documents()}:
        known |= {originals / sha256, absent_mark(originals / sha256)}
    for entry in library.catalogue.journal.entries():  # erased with its entry
        known |= {tokens / file for _, file in entry.segments}
        known |= {originals / entry.sha256, absent_mark(originals / entry.sha256)}
    unlisted = {originals / sha256 for sha256 in unlisted_originals(library)}
    found = [path for path in originals.iterdir() if path not in known | unlisted]
    if not unlisted:  # else their vectors may be among these
        found += [path for path in tokens.iterdir() if path not in known]
    return [*sorted(path for path in found if path.suffix != ".tmp"), *_forgotten_uploads(library)]


def unfinished(library: Library) -> list[Path]:
    """Return what interrupted work left of files and folders that nobody has read: copies in the making."""
    folder = library.folder
    parts = [*(folder / "tokens").glob("*.tmp"), *(folder / "originals").glob("*.tmp")]
    built = (beside(folder, kind) for kind in ("new", "old", "probe"))
    return [*sorted(parts), *(path for path in (*built, unpacking_folder(folder)) if path.exists())]


def store_of(path: Path) -> Store:
    """Return the store that a file or folder in a library's folder is of."""
    return "tokens" if path.parent.name == "tokens" else "originals"


def unlisted_originals(library: Library) -> list[str]:
    """Return the originals that cards name and the catalogue, restored from an older copy, does not."""
    catalogue = library.catalogue
    listed = {document.sha256 for document in catalogue.documents()}
    listed |= {entry.sha256 for entry in catalogue.journal.entries()}
    return sorted(one for one in library.cards.known() - listed if library.original(one).is_file())


def unlisted_fault(library: Library) -> str | None:
    """Return a fault where the catalogue lacks documents whose originals are there, or None."""
    hashes = unlisted_originals(library)
    if not hashes:
        return None
    names = [card.name for one in hashes[:_NAMED] for card in library.cards.read(one)]
    more = ", …" if len(hashes) > _NAMED else ""
    return f"{len(hashes)} originals belong to no document of the catalogue ({', '.join(names)}{more})"


def _forgotten_uploads(library: Library) -> list[Path]:
    """Return uploads that no job knows of. A young one may be on its way into a job."""
    folder = library.folder / UPLOADS
    rows = library.catalogue.database.rows("SELECT file FROM job_files WHERE staged")
    known = {parent for row in rows for parent in Path(os.fsdecode(row["file"])).parents}
    young = time.time() - _YOUNG_SECONDS
    found = folder.iterdir() if folder.is_dir() else ()
    return sorted(path for path in found if path not in known and path.stat().st_mtime < young)
