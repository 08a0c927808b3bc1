"""Rebuild a library whose catalogue is lost or damaged.

    what is known of each document (cards, what can be read of the catalogue, its snapshots)
        → its text: from there, or from its original, parsed again
        → its vectors: from the segments where the text is the same, or encoded again
        → a new library in the folder `rebuild` → exchanged for the old one, which stays in `replaced-…`

Interrupted at any point, the old folder is as it was, and the next call goes on. Only a person removes it.
"""

import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from ingestion.chunking.chunker import chunk_pages
from ingestion.collections import adopt_instructions
from ingestion.documents import Chunk, ParsedDocument, Status, name_as_words
from ingestion.encoders import CHUNKER_VERSION, Encoder, load_encoder
from ingestion.errors import LibraryDamaged
from ingestion.library import Library
from ingestion.maintenance.checks import UPLOADS, is_fresh
from ingestion.maintenance.donors import Donor, donors, known_instructions
from ingestion.maintenance.report import DAMAGED, MaintenanceProgress, Work
from ingestion.maintenance.segments import read_vectors
from ingestion.parsing import READER_VERSION, ParseLimits, parse
from ingestion.pipeline.document_vectors import document_vectors
from ingestion.pipeline.parts import with_absent_parts
from ingestion.storage.cards import Card, Cards, texts_hash
from ingestion.storage.catalogue.catalogue import DEFAULT_COLLECTION, Catalogue
from ingestion.storage.catalogue.job_table import FileState, JobTable
from ingestion.storage.catalogue.representations import RepresentationTable
from ingestion.storage.catalogue.snapshots import Snapshots
from ingestion.storage.folder_swap import complete_rebuild, finish_rebuild, finish_swap, rebuild_folder
from ingestion.storage.lock import LibraryLock
from ingestion.storage.open_representations import BUILTIN_NAME, OpenRepresentation, describe
from ingestion.storage.originals import (
    Source,
    absent_mark,
    guess_suffix,
    hash_file,
    link_or_copy,
    under_its_name,
)
from ingestion.storage.presence import CATALOGUE
from ingestion.storage.timing import utc_now
from ingestion.storage.tokens.codec import INT8
from ingestion.storage.tokens.layout import DocumentKey
from ingestion.storage.tokens.segment import Segment
from ingestion.storage.tokens.store import DocumentVectors
from ingestion.storage.tokens.stored import StoredVectors
from ingestion.text.names import UPLOAD

_HASH = 64  # hexadecimal digits
_Text = tuple[ParsedDocument, Sequence[Chunk], int]


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """The result of a rebuild.

    Attributes:
        parsed: Documents that were parsed again from their originals.
        encoded: Documents that were encoded again.
        lost: The documents that could not be rebuilt or only with damage, each with the reason.
        unnamed: The documents whose name, collection and paths nothing knows any more, by their new name.
        kept: The folder that keeps the former files.
    """

    documents: int
    parsed: int
    encoded: int
    uploads: int
    lost: tuple[str, ...]
    unnamed: tuple[str, ...]
    kept: str

    @property
    def ok(self) -> bool:
        """Whether everything is as it was."""
        return not (self.lost or self.unnamed)


def rebuild(
    folder: Path,
    encoder: Encoder,
    *,
    limits: ParseLimits = ParseLimits(),
    load: Callable[[str], Encoder] = load_encoder,
    on_progress: Callable[[MaintenanceProgress], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Rebuilt:
    """Rebuild the library in `folder` from everything in it that can be read; see above.

    Raises:
        LibraryInUse: Another process has the library open.
        LibraryError: The folder cannot be written.
        Cancelled: The caller has cancelled.
    """
    lock = LibraryLock(folder)
    lock.acquire()
    try:
        finish_rebuild(folder)  # of an earlier call that was killed near its end
        finish_swap(folder)
        work = _Rebuilding(folder, encoder, limits, load, Work("rebuilding", on_progress, cancelled))
        return work.run()
    finally:
        lock.release()


class _Rebuilding:
    """One call's work."""

    def __init__(
        self, folder: Path, encoder: Encoder, limits: ParseLimits, load: Callable[[str], Encoder], work: Work
    ) -> None:
        self._folder = folder
        self._new = rebuild_folder(folder)
        self._encoder = encoder
        self._limits = limits
        self._load = load
        self._work = work
        self._donors: list[Donor] = []
        self._segments: dict[tuple[str, DocumentKey], Path] = {}
        self._codecs: Counter[str] = Counter()
        self._documents = self._parsed = self._encoded = 0
        self._lost: list[str] = []
        self._unnamed: list[str] = []
        self._paths: set[str] = set()  # of all documents

    def run(self) -> Rebuilt:
        self._new.mkdir(mode=0o700, exist_ok=True)
        catalogues = [self._folder / CATALOGUE, *Snapshots(self._folder).all()]
        with donors(catalogues, self._new / "read") as found:
            self._donors = found
            self._read_segments()
            with self._opened() as library:
                adopt_instructions(library, known_instructions(found))
                wanted = [(sha256, card) for sha256 in self._hashes() for card in self._cards(sha256)]
                self._paths = {path for _, card in wanted for path in card.paths}
                for sha256, card in self._work.over("documents", wanted):
                    self._restore(library, sha256, card)
                if self._segments and not wanted:
                    self._lost.append(f"{len(self._segments)} documents: only token vectors are left")
                uploads = self._queue_uploads(library)
                self._documents = len(library.catalogue.documents())
        for name in ("read", "parse", "snapshots", UPLOADS):
            shutil.rmtree(self._new / name, ignore_errors=True)
        replaced = f"replaced-{datetime.now(UTC):%Y%m%dT%H%M%S}"
        complete_rebuild(self._folder, replaced)
        finish_rebuild(self._folder)
        counts = self._documents, self._parsed, self._encoded, uploads
        return Rebuilt(*counts, tuple(self._lost), tuple(self._unnamed), str(self._folder / replaced))

    # What is there

    def _hashes(self) -> list[str]:
        """Return the documents that were not deleted: of these the original, its mark or the card is left."""
        originals = (path.name.removesuffix(".absent") for path in (self._folder / "originals").glob("*"))
        named = Cards(self._folder).known()
        return sorted(named | {name for name in originals if len(name) == _HASH and "." not in name})

    def _cards(self, sha256: str) -> list[Card]:
        """Return the cards of the documents with these bytes, from the first source that has any."""
        for found in (Cards(self._folder).read(sha256), *(donor.cards(sha256) for donor in self._donors)):
            if found:
                return found
        return [self._nameless(sha256)]

    def _nameless(self, sha256: str) -> Card:
        """Return a card for bytes whose name is lost."""
        file = self._folder / "originals" / sha256
        name = f"document-{sha256[:8]}{guess_suffix(file)}"
        now = utc_now()
        size = file.stat().st_size if file.is_file() else 0
        return Card(DEFAULT_COLLECTION, name, (UPLOAD + name,), "", 0, size, 0, "und", now, "")

    def _read_segments(self) -> None:
        for path in sorted((self._folder / "tokens").glob("*.tok")):
            with suppress(LibraryDamaged):
                segment = Segment(path)
                self._codecs[segment.codec] += segment.fingerprint == self._encoder.fingerprint
                for key in segment.document_keys():
                    self._segments[segment.fingerprint, key] = path

    def _opened(self) -> Library:
        """Open the new library as an earlier call left it, or begin one."""
        if (self._new / CATALOGUE).exists():
            try:
                return Library.open(self._new, self._encoder, load=self._load)
            except LibraryDamaged:  # that call had done nothing of use yet
                for path in self._new.iterdir():
                    if path.name not in ("read", "library.lock", "library.holder"):
                        shutil.rmtree(path) if path.is_dir() else path.unlink()
        self._begin()
        return Library.open(self._new, self._encoder, load=self._load)

    def _begin(self) -> None:
        """Begin the new library with the representations that the old one had."""
        known = next((found for d in self._donors if (found := d.representations())), [])
        codec = next((one.codec for one in known if one.name == BUILTIN_NAME), None)
        if codec is None:
            codec = self._codecs.most_common(1)[0][0] if self._codecs else INT8.name
        catalogue = Catalogue(self._new / CATALOGUE)
        try:
            table = RepresentationTable(catalogue.database)
            with catalogue.database.transaction() as connection:
                table.insert(connection, describe(BUILTIN_NAME, self._encoder, codec=codec))
                for one in known:
                    if one.name != BUILTIN_NAME:
                        table.insert(connection, replace(one, id=0))
        finally:
            catalogue.close()

    # One document

    def _restore(self, library: Library, sha256: str, card: Card) -> None:
        collection = library.catalogue.ensure_collection(card.collection)
        if library.catalogue.by_content(sha256, collection):
            return  # by an earlier call that was interrupted
        file, fault = self._original(sha256)
        parsed, chunks, reader = self._text(library, sha256, card, file)
        if parsed.status not in (Status.OK, Status.PARTIAL):
            self._lost.append(f"{card.name}: {fault or parsed.error or parsed.status}")
            return
        if not card.id:
            self._unnamed.append(card.name)
        self._keep_original(library, sha256, file)
        path = card.paths[0] if card.paths else UPLOAD + card.name
        source = Source(path, card.name, sha256, card.bytes, file)
        parsed = with_absent_parts(parsed, source, self._paths)
        vectors = self._vectors(library, card, chunks)
        if edits := next((found for donor in self._donors if (found := donor.edits(card.id))), {}):
            library.fields.edit(card.id, edits)  # before the document: then it is whole
        document = library.add(
            collection,
            source,
            parsed,
            chunks,
            vectors,
            added=card.added,
            reader=reader,
            encoding=card.encoding,
            language=card.language if card.language != "und" else None,
            known_as=(card.id, card.version) if card.id else None,
        )
        for path in card.paths[1:]:
            library.link(collection, replace(source, path=path), document)

    def _original(self, sha256: str) -> tuple[Path | None, str | None]:
        """Return a document's own bytes, or why there are none."""
        file = self._folder / "originals" / sha256
        try:
            if hash_file(file)[0] == sha256:
                return file, None
        except OSError:
            return None, "neither its text nor its original is there; ingest it again"
        return None, "its original has other bytes than were ingested, and its text is lost; ingest it again"

    def _text(self, library: Library, sha256: str, card: Card, file: Path | None) -> _Text:
        """Return a document's text, its chunks and the version of the parsers that read it.

        The text's status is no success where nothing of it can be read.
        """
        doubtful: _Text | None = None
        damaged: _Text | None = None
        for donor in self._donors:
            stored = donor.parsed(sha256, card)
            if stored is None or stored.status not in (Status.OK, Status.PARTIAL):
                continue
            chunks = self._chunks(library, card, stored)
            if donor.has_checksum(card.id) and not donor.is_undamaged(card.id):
                damaged = damaged or (stored, chunks, card.reader)
                continue
            same = texts_hash(chunks) == card.texts
            if same or (donor.is_sound and card.chunker != CHUNKER_VERSION):
                return stored, chunks, card.reader
            if doubtful is None and donor.is_sound:
                doubtful = stored, chunks, card.reader
        if file is not None:
            parsed = self._parse(card, file)
            if parsed.status in (Status.OK, Status.PARTIAL):
                self._parsed += 1
                return parsed, self._chunks(library, card, parsed), READER_VERSION
        elif damaged and not doubtful:
            stored, chunks, reader = damaged
            self._lost.append(f"{card.name}: its text is damaged, and no original is left to read it again")
            return replace(stored, warnings=(*stored.warnings, DAMAGED)), chunks, reader
        else:
            parsed = ParsedDocument(Status.FAILED, None, None, 0, ())
        return doubtful or (parsed, [], READER_VERSION)

    def _parse(self, card: Card, file: Path) -> ParsedDocument:
        place = self._new / "parse"
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(mode=0o700)
        named = under_its_name(file, card.name, place)
        return parse(named, limits=self._limits, encoding=card.encoding, cancelled=self._work.cancelled)

    @staticmethod
    def _chunks(library: Library, card: Card, parsed: ParsedDocument) -> Sequence[Chunk]:
        return chunk_pages(parsed.pages, parsed.headings, library.encoder, title=name_as_words(card.name))

    def _keep_original(self, library: Library, sha256: str, file: Path | None) -> None:
        original = library.original(sha256)
        if file is None:
            absent_mark(original).touch(mode=0o600)
        elif not original.exists():
            link_or_copy(file, original)

    def _vectors(self, library: Library, card: Card, chunks: Sequence[Chunk]) -> dict[int, DocumentVectors]:
        """Return the vectors that the segments have of this very text, and make the others."""
        found: dict[int, DocumentVectors] = {}
        same = card.texts == texts_hash(chunks)
        encoded = False
        for opened in library.open_representations.all():
            stored: DocumentVectors | None = self._stored(opened, card, len(chunks)) if same else None
            if stored is None and (opened.name == BUILTIN_NAME or is_fresh(opened) is True):
                encoded = True
                stored = document_vectors(opened, chunks, cancelled=self._work.cancelled)
            if stored is not None:
                found[opened.id] = stored
        self._encoded += encoded
        return found

    def _stored(self, opened: OpenRepresentation, card: Card, chunks: int) -> StoredVectors | None:
        key = card.id, card.version
        path = self._segments.get((opened.record.fingerprint, key))
        return None if path is None else read_vectors(opened, path, chunks, key)

    # The rest

    def _queue_uploads(self, library: Library) -> int:
        """Queue the uploads that were waiting: only the lost catalogue knew their jobs."""
        waiting = [path for path in sorted((self._folder / UPLOADS).glob("*/*")) if path.is_file()]
        table = JobTable(library.catalogue.database)
        if not waiting or table.all(1):
            return len(waiting)
        files = [
            FileState(number, str(path), UPLOAD + path.name, path.name, staged=True)
            for number, path in enumerate(waiting, start=1)
        ]
        library.catalogue.ensure_collection(DEFAULT_COLLECTION)
        with table.inserting(DEFAULT_COLLECTION, files):
            pass
        return len(files)
