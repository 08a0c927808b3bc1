"""The SQLite file beneath the catalogue: one connection, transactions, faults in words."""

import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ingestion.errors import REBUILD, LibraryDamaged, LibraryError
from ingestion.storage.disk_space import is_disk_full, no_space

# What SQLite says of a schema that lacks what ours has.
_NOT_OURS = ("no such table", "no such column")
# Columns hold whole numbers from -2^63 to this one; binding any other raises OverflowError.
_LARGEST_INTEGER = 2**63 - 1
_PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON")


class Database:
    """One SQLite connection, safe to use from several threads; statements take turns."""

    def __init__(self, path: Path, prepare: Callable[[sqlite3.Connection], None]) -> None:
        """Open or create the file, and let `prepare` see to its schema.

        Raises LibraryDamaged where the file is no SQLite database, LibraryError where it cannot be
        opened or was made by another version of the application.
        """
        self.path = path
        self.changes = 0
        self._lock = threading.RLock()
        with self.explained():
            path.touch(mode=0o600)  # SQLite gives its other files the rights of this one
            self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
            self._connection.row_factory = sqlite3.Row
            try:
                for pragma in _PRAGMAS:
                    self._connection.execute(f"PRAGMA {pragma}")
                prepare(self._connection)
            except BaseException:
                self._connection.close()
                raise

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    @contextmanager
    def transaction(
        self, *, changes_documents: bool = False, flushed: bool = True
    ) -> Iterator[sqlite3.Connection]:
        """Everything inside becomes visible at once, or not at all.

        `changes` grows with each one that says it `changes_documents`: what a search reads. What is not
        `flushed` outlives the process, also by kill -9, but may be lost where the machine loses its power.
        Raises DiskFull or LibraryError where the file cannot be written, LibraryDamaged where it cannot be
        read.
        """
        with self._lock, self.explained():
            try:
                if not flushed:
                    self._connection.execute("PRAGMA synchronous=NORMAL")
                self._connection.execute("BEGIN IMMEDIATE")
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                # COMMIT may fail as well (a full disk), and SQLite may have rolled back by itself.
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
            finally:
                if not flushed:
                    self._connection.execute("PRAGMA synchronous=FULL")
            self.changes += changes_documents

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """The connection, for several reads of one moment."""
        with self._lock, self.explained():
            yield self._connection

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[sqlite3.Row]:
        with self._lock, self.explained():
            return self._connection.execute(sql, parameters).fetchall()

    def checkpoint(self) -> None:
        """Move the write-ahead log into the file and empty it: it may hold what was deleted."""
        self.rows("PRAGMA wal_checkpoint(TRUNCATE)")

    def compact(self) -> None:
        """Rewrite the file without the room of what was deleted. Needs its size again on the disk."""
        self.rows("VACUUM")
        self.checkpoint()

    def problems(self) -> list[str]:
        """Return what SQLite's own check finds wrong with the file."""
        found = [str(row[0]) for row in self.rows("PRAGMA integrity_check(20)")]
        found += [
            f"a row of {row[0]} names what is not there" for row in self.rows("PRAGMA foreign_key_check")
        ]
        return [line for line in found if line != "ok"]

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Raise errors that a person can solve as LibraryError or LibraryDamaged; others pass."""
        try:
            yield
        except (OSError, sqlite3.OperationalError) as error:
            if str(error).startswith(_NOT_OURS):
                raise self._damaged(error) from error
            if is_disk_full(error, self.path.parent):
                raise no_space(self.path.parent) from error
            raise LibraryError(
                f"the catalogue {self.path} cannot be used: {error}; check the disk's space and rights"
            ) from error
        except sqlite3.DatabaseError as error:
            if type(error) is not sqlite3.DatabaseError:
                raise
            raise self._damaged(error) from error

    def _damaged(self, error: Exception) -> LibraryDamaged:
        return LibraryDamaged(
            f"the catalogue {self.path} is no readable database: {error}; restore it from a backup, or "
            f"make the library anew from what lies beside it: {REBUILD}"
        )


def insert_row(connection: sqlite3.Connection, table: str, **values: Any) -> int:
    """Insert a row within a transaction; return its rowid."""
    sql = f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks(list(values))})"
    return int(connection.execute(sql, list(values.values())).lastrowid or 0)


def marks(values: Sequence[object]) -> str:
    """Return as many question marks, for a list in SQL, as there are values."""
    return ", ".join("?" * len(values))


def storable(number: int) -> int:
    """Return the number, or the nearest one that a column can hold."""
    return max(-_LARGEST_INTEGER, min(number, _LARGEST_INTEGER))
