"""The journal: versions whose vectors may lie in other stores without belonging there."""

import json
import sqlite3
from collections.abc import Sequence

from ingestion.storage.catalogue.database import Database, insert_row
from ingestion.storage.catalogue.records import Document, JournalEntry


class Journal:
    """Rows of `journal`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def entries(self) -> list[JournalEntry]:
        """Return what is to be finished or erased, oldest first."""
        return [_entry(row) for row in self._database.rows("SELECT * FROM journal ORDER BY id")]

    def begin(
        self, kind: str, documents: Sequence[Document], segments: tuple[tuple[int, str], ...]
    ) -> list[JournalEntry]:
        """Record, before anything is written elsewhere, that versions are on their way; they share the
        segments."""
        with self._database.transaction() as connection:
            ids = [insert_entry(connection, kind, one, segments) for one in documents]
            rows = connection.execute(
                "SELECT * FROM journal WHERE id BETWEEN ? AND ? ORDER BY id", (ids[0], ids[-1])
            ).fetchall()
        return [_entry(row) for row in rows]

    def next_version(self, document_id: str) -> int:
        """Return a version whose chunk ids no store has seen, not even one that waits for erasure."""
        rows = self._database.rows(
            "SELECT max(version) AS newest FROM (SELECT version FROM documents WHERE id = ?1 "
            "UNION ALL SELECT version FROM journal WHERE document_id = ?1)",
            (document_id,),
        )
        return int(rows[0]["newest"] or 0) + 1

    def forget(self, entry: JournalEntry) -> None:
        """Remove an entry that has been carried out."""
        with self._database.transaction() as connection:
            remove_entry(connection, entry)


def insert_entry(
    connection: sqlite3.Connection, kind: str, document: Document, segments: tuple[tuple[int, str], ...]
) -> int:
    """Write an entry within a transaction; return its id."""
    return insert_row(
        connection,
        "journal",
        kind=kind,
        collection_id=document.collection_id,
        document_id=document.id,
        version=document.version,
        chunks=document.chunks,
        segments=json.dumps(segments),
        sha256=document.sha256,
    )


def remove_entry(connection: sqlite3.Connection, entry: JournalEntry) -> None:
    """Remove an entry within a transaction."""
    connection.execute("DELETE FROM journal WHERE id = ?", (entry.id,))


def _entry(row: sqlite3.Row) -> JournalEntry:
    segments = tuple((int(representation), str(file)) for representation, file in json.loads(row["segments"]))
    return JournalEntry(**{**dict(row), "segments": segments})
