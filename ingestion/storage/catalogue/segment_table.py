"""The token store's manifest in the catalogue: which segment files there are, and what of them is dead.

    segment_files   one row a file that is searched; several documents may share one
    segments        which file holds a document's tokens in a representation
    tombstones      documents of a file that are no longer visible

While segments are merged, `merged_into` of the former ones names the new one: from then on only that one is
searched. The documents follow in steps, so that no reader waits long, and the former files go last.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ingestion.storage.catalogue.database import Database
from ingestion.storage.catalogue.records import Document
from ingestion.storage.tokens.layout import DocumentKey

# Documents that follow into a merged segment in one transaction, which readers wait for: a few milliseconds.
_STEP = 500
# Begins the name of a fact that announces a merge.
_MERGING = "merging "


@dataclass(frozen=True, slots=True)
class SegmentRow:
    """A file that is searched. `chunks` are all in it, `dead` those of documents that are gone."""

    file: str
    representation: int
    collection_id: int
    chunks: int
    dead: int


class SegmentTable:
    """Rows of `segment_files` and `tombstones`. Writing takes a transaction's connection."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def files(self, representation: int, collections: Iterable[int] | None = None) -> list[SegmentRow]:
        """Return a representation's segments, of these collections or of all, oldest first."""
        wanted = None if collections is None else set(collections)
        rows = self._database.rows(
            "SELECT f.file, f.representation_id, f.collection_id, f.chunks, "
            "coalesce((SELECT sum(t.chunks) FROM tombstones t WHERE t.file = f.file), 0) AS dead "
            "FROM segment_files f WHERE f.representation_id = ? AND f.merged_into IS NULL ORDER BY f.rowid",
            (representation,),
        )
        found = (SegmentRow(*row) for row in rows)
        return [one for one in found if wanted is None or one.collection_id in wanted]

    def dead(self, representation: int) -> dict[str, list[DocumentKey]]:
        """Return the documents of a representation's segments that are no longer visible, by file."""
        rows = self._database.rows(
            "SELECT t.file, t.document_id, t.version FROM tombstones t "
            "JOIN segment_files f ON f.file = t.file WHERE f.representation_id = ?",
            (representation,),
        )
        found: dict[str, list[DocumentKey]] = {}
        for row in rows:
            found.setdefault(row["file"], []).append((row["document_id"], row["version"]))
        return found

    def has(self, file: str) -> bool:
        """Whether a file is in use, by whatever document."""
        return bool(self._database.rows("SELECT 1 FROM segment_files WHERE file = ?", (file,)))

    def known(self) -> set[str]:
        """Return every file that is in use."""
        return {row["file"] for row in self._database.rows("SELECT file FROM segment_files")}

    # Merging

    def announce_merge(self, file: str) -> None:
        """Note the segment that a merge is about to write, so that a crash leaves no unknown file."""
        with self._database.transaction() as connection:
            connection.execute("INSERT INTO facts (name, value) VALUES (?, '')", (_MERGING + file,))

    def announced(self) -> list[str]:
        """Return the segments that merges were about to write and did not put in place."""
        rows = self._database.rows("SELECT name FROM facts WHERE name GLOB ?", (f"{_MERGING}*",))
        return [row["name"].removeprefix(_MERGING) for row in rows]

    def withdraw_merge(self, file: str) -> None:
        """Forget an announced segment: it is in place, or no more."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM facts WHERE name = ?", (_MERGING + file,))

    def begin_merge(
        self,
        connection: sqlite3.Connection,
        merged: SegmentRow,
        former: Sequence[str],
        dead: Iterable[tuple[DocumentKey, int]],
    ) -> None:
        """Put a complete segment in the place of several. `dead` are documents of it, with their chunks,
        that are gone already."""
        connection.execute(
            "INSERT INTO segment_files (file, representation_id, collection_id, chunks) VALUES (?, ?, ?, ?)",
            (merged.file, merged.representation, merged.collection_id, merged.chunks),
        )
        connection.executemany(
            "INSERT INTO tombstones (file, document_id, version, chunks) VALUES (?, ?, ?, ?)",
            [(merged.file, *document, chunks) for document, chunks in dead],
        )
        connection.execute("DELETE FROM facts WHERE name = ?", (_MERGING + merged.file,))
        connection.executemany(
            "UPDATE segment_files SET merged_into = ? WHERE file = ?", [(merged.file, one) for one in former]
        )

    def follow_merges(self) -> list[str]:
        """Let the documents follow into the segments that theirs were merged into. Returns the former
        files, to be erased and then forgotten; may be repeated."""
        rows = self._database.rows(
            "SELECT file, merged_into FROM segment_files WHERE merged_into IS NOT NULL"
        )
        for row in rows:
            while self._follow(row["file"], row["merged_into"]):
                pass
        return [row["file"] for row in rows]

    def forget(self, files: Iterable[str]) -> None:
        """Remove the rows of files that are no more."""
        with self._database.transaction() as connection:
            connection.executemany("DELETE FROM segment_files WHERE file = ?", [(file,) for file in files])

    def _follow(self, former: str, merged: str) -> int:
        with self._database.transaction() as connection:
            return connection.execute(
                "UPDATE segments SET file = ? WHERE (document_id, representation_id) IN "
                "(SELECT document_id, representation_id FROM segments WHERE file = ? LIMIT ?)",
                (merged, former, _STEP),
            ).rowcount


def insert_segments(
    connection: sqlite3.Connection, document: Document, segments: Iterable[tuple[int, str]]
) -> None:
    """Write the rows of a document's segments, also of those that it shares: (representation, file)."""
    for representation, file in segments:
        connection.execute(
            "INSERT INTO segment_files (file, representation_id, collection_id, chunks) VALUES (?, ?, ?, ?) "
            "ON CONFLICT DO UPDATE SET chunks = chunks + excluded.chunks",
            (file, representation, document.collection_id, document.chunks),
        )
        connection.execute(
            "INSERT INTO segments (document_id, representation_id, file) VALUES (?, ?, ?)",
            (document.id, representation, file),
        )


def remove_segments(
    connection: sqlite3.Connection, document: Document, representation: int | None = None
) -> tuple[tuple[int, str], ...]:
    """Remove a document's rows in one representation or in all; return its (representation, file).

    A file that it had to itself is no longer in use; in one that it shared it is dead.
    """
    rows = connection.execute(
        "SELECT representation_id, file FROM segments "
        "WHERE document_id = ?1 AND representation_id = coalesce(?2, representation_id)",
        (document.id, representation),
    ).fetchall()
    for identity, file in rows:
        connection.execute(
            "DELETE FROM segments WHERE document_id = ? AND representation_id = ?", (document.id, identity)
        )
        shared = connection.execute("SELECT 1 FROM segments WHERE file = ? LIMIT 1", (file,)).fetchone()
        if shared:
            connection.execute(
                "INSERT INTO tombstones (file, document_id, version, chunks) VALUES (?, ?, ?, ?)",
                (file, document.id, document.version, document.chunks),
            )
        else:
            connection.execute("DELETE FROM segment_files WHERE file = ?", (file,))
    return tuple((row[0], row[1]) for row in rows)
