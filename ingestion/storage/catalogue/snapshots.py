"""Copies of the catalogue, for a rebuild where it is damaged or lost.

One is made a day; three are kept. No text that was deleted survives in them: a
snapshot that has a document goes when the document is erased, and a new one is made with the next closing.
"""

import sqlite3
import time
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

from ingestion.storage.durable import sync_folder

_KEPT = 3
_DAY_SECONDS = 86_400.0
# Between two tries of one process: each replaced document takes the snapshots that hold it along.
_PAUSE_SECONDS = 600.0
# The longest time of one copy: other statements wait meanwhile.
_MOST_SECONDS = 20.0
_LARGEST_BYTES = 4 << 30
_STEP_PAGES = 2_000


class _TooLongError(Exception):
    """A copy takes longer than it may."""


class Snapshots:
    """The snapshots in a library's folder. A failed copy is no error: the catalogue itself is sound."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "snapshots"
        self._tried = -_PAUSE_SECONDS

    def all(self) -> list[Path]:
        """Return the snapshots, newest first."""
        return sorted(self._folder.glob("catalogue-*.sqlite3"), reverse=True)

    def are_due(self, *, closing: bool = False) -> bool:
        """Whether the newest is more than a day old, and none was tried just now."""
        if time.monotonic() - self._tried < _PAUSE_SECONDS and not closing:
            return False
        with suppress(OSError, IndexError):
            return time.time() - self.all()[0].stat().st_mtime > _DAY_SECONDS
        return True

    def take(self, connection: sqlite3.Connection) -> Path | None:
        """Copy the database of a connection that is in no transaction. Return the copy, or None where it
        would be too large, take too long or cannot be written."""
        self._tried = time.monotonic()
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        size = connection.execute("PRAGMA page_size").fetchone()[0]
        if pages * size > _LARGEST_BYTES:
            return None
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
        file = self._folder / f"catalogue-{stamp}.sqlite3"
        new = file.with_suffix(".new")
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            self._drop_unfinished()
            new.touch(mode=0o600)
            _copy(connection, new)
            new.replace(file)
            sync_folder(self._folder)
            for old in self.all()[_KEPT:]:
                old.unlink(missing_ok=True)
        except (OSError, sqlite3.Error, _TooLongError):
            with suppress(OSError):
                new.unlink(missing_ok=True)
            return None
        return file

    def forget(self, document_id: str, version: int) -> None:
        """Remove the snapshots that hold this version of a document, or an earlier one."""
        for file in self.all():
            if _holds(file, document_id, version):
                file.unlink(missing_ok=True)

    def _drop_unfinished(self) -> None:
        for file in self._folder.glob("*.new*"):
            file.unlink(missing_ok=True)


def _copy(connection: sqlite3.Connection, file: Path) -> None:
    deadline = time.monotonic() + _MOST_SECONDS

    def check(*_: int) -> None:
        if time.monotonic() > deadline:
            raise _TooLongError

    with closing(sqlite3.connect(file)) as copy:
        connection.backup(copy, pages=_STEP_PAGES, progress=check)
        # In one file, without a WAL beside it.
        copy.execute("PRAGMA journal_mode = DELETE").fetchall()


def _holds(file: Path, document_id: str, version: int) -> bool:
    """Return whether a snapshot has the document; also where it cannot be read."""
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as copy:
            sql = "SELECT 1 FROM documents WHERE id = ? AND version <= ?"
            return copy.execute(sql, (document_id, version)).fetchone() is not None
    except sqlite3.Error:
        return True
