"""What can be read of a damaged catalogue and of its snapshots: text, names, representations."""

import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from ingestion.collections import checked_instructions, instructions_of
from ingestion.documents import FileProperties, ParsedDocument
from ingestion.errors import InvalidInput, LibraryError
from ingestion.fields.values import FieldName
from ingestion.storage.cards import Card, card_of
from ingestion.storage.catalogue.catalogue import Catalogue, check_collection_name
from ingestion.storage.catalogue.records import Document, Representation
from ingestion.storage.catalogue.representations import RepresentationTable
from ingestion.storage.catalogue.schema import version_of
from ingestion.storage.catalogue.texts import stored_checksum, text_checksum
from ingestion.storage.document_fields import DocumentFieldTable
from ingestion.storage.presence import CATALOGUE

# What reading a damaged one raises: of SQLite, in words; text that is no UTF-8; layouts that are no JSON.
_FAULTS = (LibraryError, InvalidInput, sqlite3.Error, ValueError, KeyError, TypeError, OSError)


class Donor:
    """A copy of a catalogue. `is_sound`: SQLite finds nothing wrong with it."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self.is_sound = False
        self._documents: dict[str, list[Document]] = {}
        with suppress(*_FAULTS):
            self.is_sound = not catalogue.database.problems()
        with suppress(*_FAULTS):
            for document in catalogue.documents():
                self._documents.setdefault(document.sha256, []).append(document)

    def cards(self, sha256: str) -> list[Card]:
        """Return what it knows of the documents with these bytes."""
        found = []
        for document in self._documents.get(sha256, []):
            with suppress(*_FAULTS):
                found.append(card_of(self._catalogue, document))
        return found

    def parsed(self, sha256: str, card: Card) -> ParsedDocument | None:
        """Return the text of the document of a card, if it has this very version."""
        for document in self._documents.get(sha256, []):
            if (document.id, document.version) == (card.id, card.version):
                with suppress(*_FAULTS):
                    parsed = self._catalogue.parsed(document)
                    return replace(parsed, properties=self.properties(document.id))
        return None

    def is_undamaged(self, document_id: str, checksum: bytes | None = None) -> bool:
        """Return whether a document's text has this checksum, or else the one that was stored with it."""
        with suppress(*_FAULTS), self._catalogue.database.reading() as connection:
            expected = (checksum, stored_checksum(connection, document_id))
            return text_checksum(connection, document_id) in [one for one in expected if one is not None]
        return False

    def has_checksum(self, document_id: str) -> bool:
        with suppress(*_FAULTS), self._catalogue.database.reading() as connection:
            return stored_checksum(connection, document_id) is not None
        return False

    def representations(self) -> list[Representation]:
        with suppress(*_FAULTS):
            return RepresentationTable(self._catalogue.database).all("ready")
        return []

    def edits(self, document_id: str) -> dict[FieldName, str]:
        """Return what a person wrote of a document's fields; nothing where that cannot be read."""
        with suppress(*_FAULTS):
            return DocumentFieldTable(self._catalogue).edits(document_id)
        return {}

    def properties(self, document_id: str) -> FileProperties:
        """Return what a document's file said of itself; nothing where that cannot be read."""
        with suppress(*_FAULTS):
            return DocumentFieldTable(self._catalogue).properties(document_id)
        return FileProperties()

    def instructions(self) -> dict[str, str] | None:
        """Return the collections' instructions; None where they cannot be read."""
        with suppress(*_FAULTS):
            found = instructions_of(self._catalogue)
            for name in found:
                check_collection_name(name)
            return {name: checked_instructions(text) for name, text in found.items()}
        return None


def known_instructions(found: Sequence[Donor]) -> dict[str, str]:
    """Return the collections' instructions as the first copy has them in which they can be read."""
    return next((known for one in found if (known := one.instructions()) is not None), {})


@contextmanager
def donors(files: Sequence[Path], scratch: Path) -> Iterator[list[Donor]]:
    """Yield those of these catalogues that can be read, in copies below `scratch`."""
    found: list[Donor] = []
    opened: list[Catalogue] = []
    try:
        for number, file in enumerate(files):
            catalogue = _opened(file, scratch / str(number))
            if catalogue is not None:
                opened.append(catalogue)
                found.append(Donor(catalogue))
        yield found
    finally:
        for catalogue in opened:
            catalogue.close()
        shutil.rmtree(scratch, ignore_errors=True)


def _opened(file: Path, place: Path) -> Catalogue | None:
    """Open a copy of a catalogue, or return None where nothing can be read of it."""
    with suppress(*_FAULTS):
        if not file.stat().st_size:
            return None
        place.mkdir(mode=0o700, parents=True)
        copy = place / CATALOGUE
        shutil.copyfile(file, copy)
        log = file.with_name(f"{file.name}-wal")
        if log.exists():
            shutil.copyfile(log, copy.with_name(f"{copy.name}-wal"))
        _number(copy)
        return Catalogue(copy)
    return None


def _number(copy: Path) -> None:
    """Number the schema of a copy that lost its number; opening then says whether that is right."""
    with closing(sqlite3.connect(copy)) as connection:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
        if version <= 0 and "texts" in tables:
            connection.execute(f"PRAGMA user_version = {version_of(tables)}")
            connection.commit()
