"""Where documents' bytes were found: the paths of each document, those inside other files among them."""

import sqlite3

from ingestion.storage.catalogue.database import Database, marks
from ingestion.text.names import INSIDE, name_of, spellings


class Sources:
    """Rows of `sources`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, document_id: str) -> list[str]:
        """Return every path under which the document's bytes were ingested, oldest first."""
        rows = self._database.rows(
            "SELECT path FROM sources WHERE document_id = ? ORDER BY rowid", (document_id,)
        )
        return [row["path"] for row in rows]

    def all(self, collection_id: int) -> dict[str, str]:
        """Return the document's id for every path known in the collection."""
        rows = self._database.rows(
            "SELECT path, document_id FROM sources WHERE collection_id = ?", (collection_id,)
        )
        return {row["path"]: row["document_id"] for row in rows}

    def inside(self, collection_id: int, path: str) -> dict[str, str]:
        """Return the document's id for the path of every file inside the one at `path`."""
        first = path + INSIDE
        behind = first[:-1] + chr(ord(first[-1]) + 1)
        rows = self._database.rows(
            "SELECT path, document_id FROM sources WHERE collection_id = ? AND path >= ? AND path < ?",
            (collection_id, first, behind),
        )
        return {row["path"]: row["document_id"] for row in rows}

    def spelled(self, collection_id: int, path: str) -> str | None:
        """Return a known path that differs from this one only in how its letters are composed."""
        others = spellings(path)
        if not others:
            return None
        rows = self._database.rows(
            f"SELECT path FROM sources WHERE collection_id = ? AND path IN ({marks(others)})",
            (collection_id, *others),
        )
        return rows[0]["path"] if rows else None


def insert_source(connection: sqlite3.Connection, collection_id: int, path: str, document_id: str) -> None:
    """Record that a document's bytes lie at a path, and no other document's do."""
    connection.execute(
        "INSERT INTO sources (collection_id, path, document_id) VALUES (?, ?, ?) "
        "ON CONFLICT (collection_id, path) DO UPDATE SET document_id = excluded.document_id",
        (collection_id, path, document_id),
    )


def remove_source(connection: sqlite3.Connection, document_id: str, path: str) -> None:
    """Record that a document no longer lies at a path."""
    connection.execute("DELETE FROM sources WHERE document_id = ? AND path = ?", (document_id, path))
    update_name(connection, document_id)


def update_name(connection: sqlite3.Connection, document_id: str) -> None:
    """Name a document after its oldest path, where none of its paths has its name any more."""
    rows = connection.execute(
        "SELECT d.name, s.path FROM documents d JOIN sources s ON s.document_id = d.id WHERE d.id = ? "
        "ORDER BY s.rowid",
        (document_id,),
    ).fetchall()
    names = [name_of(row["path"]) for row in rows]
    if rows and rows[0]["name"] not in names:
        connection.execute("UPDATE documents SET name = ? WHERE id = ?", (names[0], document_id))
