"""The catalogue: one SQLite file that is the truth about what the library holds.

Chroma and the token store follow it: what the catalogue does not list is not there, whatever they
still hold. Every change that people can see is one transaction. The journal names the versions
whose vectors may lie in the other stores without belonging there; they are erased on opening.
"""

import json
import re
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ingestion.documents import Page, PageFailure, Status
from ingestion.errors import InvalidInput, LibraryDamaged, LibraryError, UnknownName
from ingestion.stores.migrations import migrate
from ingestion.stores.records import Document, JournalEntry, Scope, StoredChunk
from ingestion.stores.rows import insert_journal

DEFAULT_COLLECTION = "default"
_COLLECTION_NAME = re.compile(r"[\w][\w .-]{0,62}")


class Catalogue:
    """The SQLite file. Safe to use from several threads; statements take turns."""

    def __init__(self, path: Path) -> None:
        """Open or create the catalogue, and bring its schema up to date.

        Raises LibraryDamaged where the file is no SQLite database, LibraryError where it cannot be
        opened or was made by a newer version of the application.
        """
        self._lock = threading.RLock()
        self._path = path
        with self._explained():
            path.touch(mode=0o600)  # SQLite gives its other files the rights of this one
            self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
            self._connection.row_factory = sqlite3.Row
            try:
                for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
                    self._connection.execute(f"PRAGMA {pragma}")
                migrate(self._connection)
            except BaseException:
                self._connection.close()
                raise

    @property
    def changes(self) -> int:
        """A number that grows with every change; equal numbers mean that nothing was changed between."""
        return self._connection.total_changes

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Everything inside becomes visible at once, or not at all.

        Raises LibraryError where the file cannot be written, LibraryDamaged where it cannot be read.
        """
        with self._lock, self._explained():
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                # COMMIT may fail as well (a full disk), and SQLite may have rolled back by itself.
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def forget_words(self) -> None:
        """Take the words of removed chunks out of the file and its log.

        FTS5 only marks them as removed until its segments are merged: a third of a second for 20 000
        chunks.
        """
        with self.transaction() as connection:
            connection.execute("INSERT INTO chunk_index (chunk_index) VALUES ('optimize')")
        self._rows("PRAGMA wal_checkpoint(TRUNCATE)")

    def _rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[sqlite3.Row]:
        with self._lock, self._explained():
            return self._connection.execute(sql, parameters).fetchall()

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn what a person can mend into LibraryError or LibraryDamaged; faults of ours pass."""
        try:
            yield
        except (OSError, sqlite3.OperationalError) as error:
            raise LibraryError(
                f"the catalogue {self._path} cannot be used: {error}; check the disk's space and rights"
            ) from error
        except sqlite3.DatabaseError as error:
            if type(error) is not sqlite3.DatabaseError:
                raise
            raise LibraryDamaged(
                f"the catalogue {self._path} is no readable database: {error}; restore it from a backup, "
                "or move the folder away and ingest again"
            ) from error

    # Collections

    def collections(self) -> dict[str, int]:
        """Return every collection's id by name."""
        return {
            row["name"]: row["id"] for row in self._rows("SELECT id, name FROM collections ORDER BY name")
        }

    def ensure_collection(self, name: str) -> int:
        """Return the id of the collection, creating it. Raises InvalidInput for an unusable name."""
        if not _COLLECTION_NAME.fullmatch(name):
            raise InvalidInput(
                f"{name!r} cannot name a collection; use 1 to 63 letters, digits, spaces, '.', '-' and '_'"
            )
        with self.transaction() as connection:
            connection.execute(
                "INSERT INTO collections (name, created) VALUES (?, ?) ON CONFLICT (name) DO NOTHING",
                (name, _now()),
            )
        return self.collections()[name]

    def scope(self, collections: Sequence[str] = (), documents: Sequence[str] = ()) -> Scope:
        """Return the scope for names as people give them.

        No collection means the default one. A document is named by its name or id. Raises
        UnknownName for a collection or document that is not there.
        """
        known = self.collections()
        names = list(collections) or [DEFAULT_COLLECTION]
        for name in names:
            if name not in known:
                raise UnknownName("collection", name, known)
        ids = tuple(dict.fromkeys(known[name] for name in names))
        if not documents:
            return Scope(ids)
        return Scope(ids, frozenset(d.id for name in documents for d in self.find(name, ids)))

    # Documents

    def documents(self, collections: Sequence[int] | None = None) -> list[Document]:
        """Return the visible documents, ordered by collection and name."""
        where, parameters = "", list(collections or ())
        if collections is not None:
            where = f"WHERE d.collection_id IN ({_marks(parameters)})"
        return [_document(row) for row in self._rows(_DOCUMENTS.format(where=where), parameters)]

    def document(self, document_id: str) -> Document | None:
        rows = self._rows(_DOCUMENTS.format(where="WHERE d.id = ?"), (document_id,))
        return _document(rows[0]) if rows else None

    def find(self, name: str, collections: Sequence[int]) -> list[Document]:
        """Return the documents with that id, name or path. Raises UnknownName where there is none."""
        documents = self.documents(collections)
        found = [document for document in documents if name in (document.id, document.name, document.path)]
        if not found:
            raise UnknownName("document", name, {document.name for document in documents})
        return found

    def by_source(self, collection_id: int, path: str) -> Document | None:
        rows = self._rows(
            _DOCUMENTS.format(
                where="JOIN sources s ON s.document_id = d.id WHERE s.collection_id = ? AND s.path = ?"
            ),
            (collection_id, path),
        )
        return _document(rows[0]) if rows else None

    def by_content(self, collection_id: int, sha256: str) -> Document | None:
        rows = self._rows(
            _DOCUMENTS.format(where="WHERE d.collection_id = ? AND d.sha256 = ?"), (collection_id, sha256)
        )
        return _document(rows[0]) if rows else None

    def sources(self, document_id: str) -> list[str]:
        """Return every path under which the document's bytes were ingested, oldest first."""
        rows = self._rows("SELECT path FROM sources WHERE document_id = ? ORDER BY rowid", (document_id,))
        return [row["path"] for row in rows]

    def without_sources(self, collection_id: int) -> list[Document]:
        """Return the documents whose every source now holds other bytes."""
        where = (
            "WHERE d.collection_id = ? AND NOT EXISTS (SELECT 1 FROM sources o WHERE o.document_id = d.id)"
        )
        return [_document(row) for row in self._rows(_DOCUMENTS.format(where=where), (collection_id,))]

    # Pages and chunks

    def page(self, document_id: str, number: int) -> Page | None:
        rows = self._rows(
            "SELECT number, text, label FROM pages WHERE document_id = ? AND number = ?",
            (document_id, number),
        )
        return Page(rows[0]["number"], rows[0]["text"], rows[0]["label"]) if rows else None

    def page_failures(self, document_id: str) -> list[PageFailure]:
        rows = self._rows(
            "SELECT number, reason FROM page_failures WHERE document_id = ? ORDER BY number", (document_id,)
        )
        return [PageFailure(row["number"], row["reason"]) for row in rows]

    def chunks(self, ids: Sequence[str]) -> dict[str, StoredChunk]:
        """Return the chunks among `ids` that are visible, by id."""
        rows = self._rows(_CHUNKS, (json.dumps(list(ids)),))
        return {row["id"]: StoredChunk(**dict(row)) for row in rows}

    def located(self, ids: Sequence[str]) -> list[tuple[str, str]]:
        """Return (token segment, chunk id) for the chunks among `ids` that are visible."""
        rows = self._rows(
            "SELECT d.segment, c.id FROM json_each(?) wanted JOIN chunks c ON c.id = wanted.value "
            "JOIN documents d ON d.id = c.document_id ORDER BY wanted.key",
            (json.dumps(list(ids)),),
        )
        return [(row["segment"], row["id"]) for row in rows]

    def bm25(self, match: str, scope: Scope, limit: int) -> list[tuple[str, float]]:
        """Return (chunk id, BM25 score) for an FTS5 match expression, best first, within the scope.

        Scores are positive, higher is better; k1 = 1.2 and b = 0.75 are FTS5's own. The context
        column counts as much as the text.
        """
        where = [f"d.collection_id IN ({_marks(scope.collections)})"]
        parameters: list[Any] = [match, *scope.collections]
        if scope.documents is not None:
            where.append("d.id IN (SELECT value FROM json_each(?))")
            parameters.append(json.dumps(sorted(scope.documents)))
        rows = self._rows(
            "SELECT c.id, -bm25(chunk_index) AS score FROM chunk_index "
            "JOIN chunks c ON c.rowid = chunk_index.rowid JOIN documents d ON d.id = c.document_id "
            f"WHERE chunk_index MATCH ? AND {' AND '.join(where)} "
            "ORDER BY score DESC, c.rowid LIMIT ?",
            [*parameters, limit],
        )
        return [(row["id"], float(row["score"])) for row in rows]

    # Journal

    def journal(self) -> list[JournalEntry]:
        return [JournalEntry(**dict(row)) for row in self._rows("SELECT * FROM journal ORDER BY id")]

    def begin(self, document: Document) -> JournalEntry:
        """Record, before anything is written elsewhere, that a version is on its way."""
        with self.transaction() as connection:
            row = insert_journal(connection, "add", document)
        return next(entry for entry in self.journal() if entry.id == row)

    def next_version(self, document_id: str) -> int:
        """Return a version whose chunk ids no store has seen, not even one that waits for erasure."""
        rows = self._rows(
            "SELECT max(version) AS newest FROM (SELECT version FROM documents WHERE id = ?1 "
            "UNION ALL SELECT version FROM journal WHERE document_id = ?1)",
            (document_id,),
        )
        return int(rows[0]["newest"] or 0) + 1

    def forget(self, entry: JournalEntry) -> None:
        with self.transaction() as connection:
            connection.execute("DELETE FROM journal WHERE id = ?", (entry.id,))

    def stale(self, scope: Scope, fingerprint: str) -> list[str]:
        """Return the names of documents in scope whose vectors another encoder or chunker made."""
        return [
            document.name
            for document in self.documents(scope.collections)
            if document.fingerprint != fingerprint
            and (scope.documents is None or document.id in scope.documents)
        ]

    def uses_content(self, sha256: str) -> bool:
        return bool(self._rows("SELECT 1 FROM documents WHERE sha256 = ? LIMIT 1", (sha256,)))


_DOCUMENTS = """
SELECT d.id, n.name AS collection, d.collection_id, d.name, d.title, d.sha256, d.bytes, d.status, d.error,
       d.page_count AS pages, d.chunk_count AS chunks, d.version, d.fingerprint, d.segment, d.added,
       (SELECT path FROM sources o WHERE o.document_id = d.id ORDER BY o.rowid LIMIT 1) AS path,
       (SELECT count(*) FROM page_failures f WHERE f.document_id = d.id) AS pages_failed
FROM documents d JOIN collections n ON n.id = d.collection_id
{where} ORDER BY n.name, d.name, d.id
"""

_CHUNKS = """
SELECT c.id, c.document_id, d.name AS document, n.name AS collection, c.ordinal, c.page, c.start, c.end,
       c.heading, c.context, substr(p.text, c.start + 1, c.end - c.start) AS text
FROM chunks c JOIN documents d ON d.id = c.document_id JOIN collections n ON n.id = d.collection_id
JOIN pages p ON p.document_id = c.document_id AND p.number = c.page
WHERE c.id IN (SELECT value FROM json_each(?))
"""


def _document(row: sqlite3.Row) -> Document:
    values = dict(row)
    return Document(**{**values, "status": Status(values["status"])})


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
