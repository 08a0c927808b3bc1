"""The database of judgements, votes, conversations and receipts.

It lies beside the library, because asking never writes the library. Every use opens its own connection, so
that threads and processes can share the file.
"""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ingestion.errors import LibraryError
from ingestion.storage.disk_space import is_disk_full, no_space
from rag_app.history.migrations import migrate

STATE_FILE = "state.sqlite3"
_WAIT_SECONDS = 10.0


class StateDatabase:
    """The database file. Its first use creates it, or migrates it to the current format.

    Safe to use from several threads and processes. All methods but `fault` raise LibraryError where the file
    cannot be read or written.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self._lock = threading.Lock()
        self._is_ready = False

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection for reading."""
        with self._explained():
            self._make_ready()
            with self._connected() as connection:
                yield connection

    def fault(self) -> str | None:
        """Return what is wrong with the file, in words; None where it is sound, or not there yet."""
        if not self.file.exists():
            return None
        try:
            with self.reading() as connection:
                found: str = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        except LibraryError as error:
            return str(error)
        return None if found == "ok" else f"conversations and judgements in {self.file} are damaged: {found}"

    @contextmanager
    def changing(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection in a transaction; no other connection writes meanwhile."""
        with self._explained():
            self._make_ready()
            with self._connected() as connection, self._transaction(connection):
                yield connection

    def _make_ready(self) -> None:
        with self._lock:
            if self._is_ready:
                return
            self.file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.file.touch(mode=0o600)
            with self._connected() as connection, self._transaction(connection):
                migrate(connection)
            self._is_ready = True

    @contextmanager
    def _transaction(self, connection: sqlite3.Connection) -> Iterator[None]:
        connection.execute("BEGIN IMMEDIATE")
        with connection:
            yield

    def forget(self) -> None:
        """Remove deleted text from the write-ahead log."""
        with self._explained(), self._connected() as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(self.file, timeout=_WAIT_SECONDS, isolation_level=None)
        try:
            connection.row_factory = sqlite3.Row
            for pragma in ("journal_mode = WAL", "secure_delete = ON", "foreign_keys = ON"):
                connection.execute(f"PRAGMA {pragma}").fetchall()
            yield connection
        finally:
            connection.close()

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            if is_disk_full(error, self.file.parent):
                raise no_space(self.file.parent, "conversations and judgements cannot be written") from error
            raise LibraryError(
                f"conversations and judgements in {self.file} cannot be used: {error}; check the file's "
                "permissions and the free disk space, or move the file away to start without them"
            ) from error
