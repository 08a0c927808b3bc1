"""A document's text made again: from its original, or from a copy of the catalogue that has it undamaged."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from ingestion.chunking.chunker import chunk_pages
from ingestion.documents import Chunk, ParsedDocument, Status, name_as_words
from ingestion.encoders import CHUNKER_VERSION
from ingestion.errors import LibraryError
from ingestion.library import Library
from ingestion.maintenance.checks import is_fresh
from ingestion.maintenance.donors import Donor, donors
from ingestion.maintenance.report import DAMAGED
from ingestion.maintenance.segments import read_vectors
from ingestion.parsing import READER_VERSION, ParseLimits, parse
from ingestion.pipeline.document_vectors import document_vectors
from ingestion.pipeline.parts import with_absent_parts
from ingestion.storage.cards import Card, texts_hash
from ingestion.storage.catalogue.records import Document
from ingestion.storage.catalogue.texts import stored_checksum
from ingestion.storage.originals import Source, absent_mark, hash_file, under_its_name
from ingestion.storage.tokens.store import DocumentVectors
from ingestion.text.names import UPLOAD

_READ = (Status.OK, Status.PARTIAL)


@dataclass(frozen=True, slots=True)
class MendedText:
    """Whether a document has a sound text now, and what it is made from, or why it has none."""

    is_sound: bool
    what: str


class TextMender(AbstractContextManager["TextMender"]):
    """Gives documents a sound text in the place of a damaged one. The lock for changes must be held.

    The new text is a new version of the document, which takes the damaged one's place in one transaction.
    """

    def __init__(self, library: Library, limits: ParseLimits, cancelled: Callable[[], bool] | None) -> None:
        self._library = library
        self._limits = limits
        self._cancelled = cancelled
        self._open = ExitStack()

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def mend(self, document: Document) -> MendedText:
        """Replace a document's damaged text, or say why there is nothing to replace it with.

        Raises:
            LibraryError: A store cannot be written; the damaged text stays.
        """
        reason = "no original is left to read it again"
        file = self._original(document)
        if file is not None:
            parsed = self._read(document, file)
            if parsed.status in _READ:
                self._replace(document, parsed, file, READER_VERSION)
                return MendedText(True, "read again from its original")
            reason = f"its original cannot be read again ({parsed.error or parsed.status})"
        copied = self._from_copy(document)
        if copied is not None:
            self._replace(document, copied, file, document.reader)
            return MendedText(True, "its text was taken from a copy of the catalogue")
        return MendedText(False, f"{reason}, and no copy of the catalogue has it undamaged")

    def mark(self, document: Document) -> None:
        """Let a document say in its warnings that its text is damaged."""
        if DAMAGED not in document.warnings:
            with self._library.catalogue.transaction() as connection:
                connection.execute(
                    "UPDATE documents SET warnings = json_insert(warnings, '$[#]', ?) WHERE id = ?",
                    (DAMAGED, document.id),
                )

    # Where the text comes from

    def _original(self, document: Document) -> Path | None:
        """Return a file with the document's own bytes, if there is one."""
        library = self._library
        original = library.original(document.sha256)
        for file in (original, *map(Path, library.catalogue.sources.of(document.id))):
            with suppress(OSError, ValueError):
                if file.is_file() and hash_file(file)[0] == document.sha256:
                    return file
        return None

    def _read(self, document: Document, file: Path) -> ParsedDocument:
        library = self._library
        with library.unpacking() as folder:
            named = under_its_name(file, document.name, Path(folder))
            parsed = parse(named, limits=self._limits, encoding=document.encoding, cancelled=self._cancelled)
        parts = library.catalogue.sources.inside(document.collection_id, document.path)
        return with_absent_parts(parsed, _source(document, document.path, file), parts)

    def _from_copy(self, document: Document) -> ParsedDocument | None:
        for donor in self._copies:
            if not donor.is_sound or not donor.is_undamaged(document.id, self._stored(document)):
                continue
            for card in donor.cards(document.sha256):
                if (card.id, card.version) == (document.id, document.version):
                    parsed = donor.parsed(document.sha256, card)
                    if parsed is not None:
                        warnings = tuple(one for one in parsed.warnings if one != DAMAGED)
                        return replace(parsed, warnings=warnings)
        return None

    def _stored(self, document: Document) -> bytes | None:
        with suppress(LibraryError), self._library.catalogue.database.reading() as connection:
            return stored_checksum(connection, document.id)
        return None

    @cached_property
    def _copies(self) -> list[Donor]:
        scratch = self._library.unpacking()
        place = Path(self._open.enter_context(scratch))
        return self._open.enter_context(donors(self._library.snapshots.all(), place / "copies"))

    # Where it goes

    def _replace(self, document: Document, parsed: ParsedDocument, file: Path | None, reader: int) -> None:
        library = self._library
        title = name_as_words(document.name)
        chunks = chunk_pages(parsed.pages, parsed.headings, library.encoder, title=title)
        card = next((one for one in library.cards.read(document.sha256) if one.id == document.id), None)
        paths = library.catalogue.sources.of(document.id) or list(card.paths if card else ())
        source = _source(document, paths[0] if paths else UPLOAD + document.name, file)
        original = library.original(document.sha256)
        is_new_mark = file is None and not absent_mark(original).exists()
        new = library.add(
            document.collection_id,
            source,
            parsed,
            chunks,
            self._encodings(document, card, chunks),
            added=document.added,
            reader=reader,
            encoding=document.encoding,
        )
        for path in paths[1:]:
            library.link(document.collection_id, replace(source, path=path), new)
        if is_new_mark:  # the original is lost, which verifying says; it was not absent from the first
            absent_mark(original).unlink(missing_ok=True)

    def _encodings(
        self, document: Document, card: Card | None, chunks: Sequence[Chunk]
    ) -> dict[int, DocumentVectors]:
        """Return the vectors that the segments have of this very text, and make the others.

        The damaged text cannot say which vectors are whose; the card's hash of the sound one can.
        """
        same = card is not None and card.texts == texts_hash(chunks) and card.chunker == CHUNKER_VERSION
        found: dict[int, DocumentVectors] = {}
        for opened in self._library.open_representations.all():
            file = self._library.representations.segment(document.id, opened.id)
            stored: DocumentVectors | None = None
            if same and file is not None:
                key = document.id, document.version
                stored = read_vectors(opened, self._library.folder / "tokens" / file, len(chunks), key)
            if stored is None and is_fresh(opened) is True:
                stored = document_vectors(opened, chunks, cancelled=self._cancelled)
            if stored is not None:
                found[opened.id] = stored
        return found


def _source(document: Document, path: str, file: Path | None) -> Source:
    return Source(path, document.name, document.sha256, document.bytes, file)
