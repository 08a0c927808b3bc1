"""Erases invisible versions from Chroma, the token store and the originals, as the journal lists them."""

from pathlib import Path

from ingestion.errors import LibraryError
from ingestion.storage.cards import Cards
from ingestion.storage.catalogue.catalogue import Catalogue
from ingestion.storage.catalogue.records import JournalEntry, Representation
from ingestion.storage.catalogue.representations import RepresentationTable
from ingestion.storage.catalogue.rows import erase_rows, hidden_terms
from ingestion.storage.catalogue.snapshots import Snapshots
from ingestion.storage.disk_space import is_disk_full
from ingestion.storage.open_representations import OpenRepresentations
from ingestion.storage.originals import absent_mark
from ingestion.storage.tokens.layout import DocumentKey
from ingestion.storage.vectors.store import VectorStore


class JournalCleaner:
    """Carries out the journal. The library's lock for changes must be held: no version may be in work."""

    def __init__(
        self, folder: Path, catalogue: Catalogue, vectors: VectorStore, opened: OpenRepresentations
    ) -> None:
        self._folder = folder
        self._catalogue = catalogue
        self._vectors = vectors
        self._open = opened
        self._table = RepresentationTable(catalogue.database)
        self._cards = Cards(folder)
        self._snapshots = Snapshots(folder)

    def erase_all(self) -> None:
        """Erase the journal's versions and the retired representations."""
        self.erase_journalled()
        # Also with nothing to erase: a process may have been killed before it emptied the log.
        self._catalogue.database.checkpoint()
        for record in self._table.all("retired"):
            self.erase_representation(record)

    def erase_journalled(self) -> None:
        """Erase the journal's versions. Raises LibraryError where a store cannot be written."""
        entries = self._catalogue.journal.entries()
        for entry in entries:
            try:
                self.erase(entry)
            except (LibraryError, OSError) as error:
                if not is_disk_full(error, self._folder):
                    raise
                self._erase_files(entry)  # room for the rest, which is written before it is freed
                self.erase(entry)
        if entries:
            self._catalogue.database.checkpoint()  # the log holds the text that was deleted

    def erase(self, entry: JournalEntry) -> None:
        """Erase one version, its text first; may be repeated.

        Where the catalogue comes from a backup, its journal may name what was committed or added again later;
        the card of its bytes says so. That is kept, and becomes known again with a rebuild.
        """
        later = self._is_later(entry)
        if entry.kind == "add" and later:
            self._catalogue.journal.forget(entry)
            return
        if entry.kind == "remove":
            self._erase_text(entry.document_id)
            self._snapshots.forget(entry.document_id, entry.version)
        if entry.collection_id not in self._catalogue.collections().values():
            self._vectors.drop(collection_id=entry.collection_id)
        elif entry.kind == "encode":
            (representation, _) = entry.segments[0]
            self._vectors.delete(entry.collection_id, entry.chunk_ids(), representation=representation)
        else:
            self._vectors.delete(entry.collection_id, entry.chunk_ids())
        for representation, file in entry.segments:
            self._erase_tokens(representation, file, (entry.document_id, entry.version))
        original = self._folder / "originals" / entry.sha256
        if not later:
            if self._catalogue.by_content(entry.sha256) is None:
                original.unlink(missing_ok=True)
                absent_mark(original).unlink(missing_ok=True)
            self._cards.note(self._catalogue, entry.sha256)
        original.with_suffix(".tmp").unlink(missing_ok=True)
        self._catalogue.journal.forget(entry)

    def _is_later(self, entry: JournalEntry) -> bool:
        """Return whether a card names a document with an entry's bytes that neither the catalogue nor its
        journal knows."""
        if self._catalogue.by_content(entry.sha256) is not None:
            return False
        journal = [one for one in self._catalogue.journal.entries() if one.kind != "encode"]
        # A version that was being added has no card until it is committed, and then no entry.
        known = {one.document_id: one.version - (one.kind == "add") for one in journal}
        return any(card.version > known.get(card.id, -1) for card in self._cards.read(entry.sha256))

    def _erase_files(self, entry: JournalEntry) -> None:
        """Erase what only this version has outside of the databases; may be repeated."""
        if self._is_later(entry):
            return
        for representation, file in entry.segments:
            if not self._table.segment_table.has(file):
                self._erase_segment(representation, file)
        original = self._folder / "originals" / entry.sha256
        if self._catalogue.by_content(entry.sha256) is None:
            original.unlink(missing_ok=True)
        original.with_suffix(".tmp").unlink(missing_ok=True)

    def erase_representation(self, record: Representation) -> None:
        """Erase a retired representation's vectors everywhere; may be repeated."""
        self._vectors.drop(representation=record.id)
        for file in self._table.segments(record.id):
            self._erase_segment(record.id, file)
        with self._catalogue.database.transaction() as connection:
            self._table.remove(connection, record.id)

    def _erase_text(self, document_id: str) -> None:
        """Erase a hidden document's rows. Its terms are made before the transaction that others wait for."""
        with self._catalogue.database.reading() as connection:
            terms = hidden_terms(connection, document_id, self._catalogue.terms, self._folder)
        with self._catalogue.transaction() as connection:
            erase_rows(connection, document_id, terms)
        terms.close()

    def _erase_tokens(self, representation: int, file: str, document: DocumentKey) -> None:
        """Erase a version's segment, or mark the version dead in a segment that other documents share."""
        if self._table.segment_table.has(file):
            for opened in self._open.all():
                if opened.id == representation:
                    opened.tokens.tombstone(file, document)
        else:
            self._erase_segment(representation, file)

    def _erase_segment(self, representation: int, file: str) -> None:
        for opened in self._open.all():
            if opened.id == representation:
                opened.tokens.erase(file)
                return
        (self._folder / "tokens" / file).unlink(missing_ok=True)
