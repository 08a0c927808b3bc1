"""The job queue's tables: files to ingest, how far each one is, how it ended."""

import json
import os
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path

from ingestion.documents import Status
from ingestion.errors import UnknownName
from ingestion.storage.catalogue.database import Database, insert_row, storable
from ingestion.storage.timing import utc_now
from ingestion.text.leftovers import PassedOver, Unreadable

# Finished jobs that are kept for the list of failures. Every job is kept for an hour, however many come after
# it: the program that queued it may still ask how it ended.
_KEPT = 200
_KEPT_FOR = timedelta(hours=1)
# A file that was in work so many times when the process ended is worked on no more, unless it is named.
SET_ASIDE_AFTER = 2
_IN_WORK = ("parsing", "encoding", "writing")  # stages of a file, as are these:
ENDED = ("done", "cancelled")


@dataclass(frozen=True, slots=True)
class FileState:
    """A file of a job.

    Attributes:
        stage: queued, parsing, encoding, writing, done or cancelled.
        done, total: Pages while parsing, chunks after that.
        encoding: The encoding that a person gives for it.
    """

    ordinal: int
    file: str
    source: str
    name: str
    staged: bool
    stage: str = "queued"
    done: int = 0
    total: int = 0
    status: Status | None = None
    error: str | None = None
    document_id: str | None = None
    sha256: str | None = None
    pages: int = 0
    pages_failed: int = 0
    chunks: int = 0
    warnings: tuple[str, ...] = ()
    encoding: str | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """Files to ingest into a collection. `kind` is ingest or sync, which mirrors `folder`.

    `state` is queued, running, cancelled, finished or failed; failed means that the library could not
    be written, and its remaining files can be tried again. `passed_over` are files of folders that are no
    documents; `unreadable` are folders that could not be searched.
    """

    id: int
    kind: str
    collection: str
    state: str
    created: str
    finished: str | None
    error: str | None
    files: tuple[FileState, ...] = ()
    folder: Path | None = None
    passed_over: tuple[PassedOver, ...] = ()
    unreadable: tuple[Unreadable, ...] = ()

    @property
    def done(self) -> int:
        """Files that have come to their end."""
        return sum(file.stage in ENDED for file in self.files)

    @property
    def total(self) -> int:
        return len(self.files)

    @property
    def failed(self) -> tuple[FileState, ...]:
        """Files that did not end in success."""
        return tuple(f for f in self.files if f.status is not None and not f.status.is_success)

    def named(self, names: Iterable[str]) -> set[int]:
        """Return the ordinals of the files with these names or paths. Raises UnknownName."""
        found: set[int] = set()
        for name in names:
            same = {file.ordinal for file in self.files if name in (file.name, file.source)}
            if not same:
                raise UnknownName("file", name, [file.name for file in self.files])
            found |= same
        return found


class JobTable:
    """Rows of `jobs` and `job_files`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @contextmanager
    def inserting(
        self,
        collection: str,
        files: Sequence[FileState],
        folder: Path | None = None,
        passed_over: Sequence[PassedOver] = (),
        unreadable: Sequence[Unreadable] = (),
    ) -> Iterator[Job]:
        """Write a new job, and forget the oldest finished ones.

        No other thread sees the job before the end of the block, so what belongs to it can be put in place.
        """
        with self._database.transaction() as connection:
            identity = insert_row(
                connection,
                "jobs",
                folder=None if folder is None else os.fsencode(folder),
                collection=collection,
                state="queued",
                created=utc_now(),
                passed_over=json.dumps([(one.path, one.kind) for one in passed_over]),
            )
            connection.executemany(
                "INSERT INTO job_files (job_id, ordinal, file, source, name, staged, stage, encoding) "
                "VALUES (?, ?, ?, ?, ?, ?, 'queued', ?)",
                [
                    (identity, f.ordinal, os.fsencode(f.file), f.source, f.name, f.staged, f.encoding)
                    for f in files
                ],
            )
            connection.executemany(
                "INSERT INTO job_unreadable (job_id, path, reason) VALUES (?, ?, ?)",
                [(identity, one.path, one.reason) for one in unreadable],
            )
            connection.execute(_FORGET_OLDEST, (utc_now(ago=_KEPT_FOR), _KEPT))
            (row,) = connection.execute("SELECT * FROM jobs WHERE id = ?", (identity,)).fetchall()
            yield self._job(row)

    def all(self, limit: int = 50) -> list[Job]:
        """Return the newest jobs, newest first."""
        rows = self._database.rows("SELECT * FROM jobs ORDER BY id DESC LIMIT ?", (limit,))
        return [self._job(row) for row in rows]

    def get(self, identity: int) -> Job | None:
        rows = self._database.rows("SELECT * FROM jobs WHERE id = ?", (storable(identity),))
        return self._job(rows[0]) if rows else None

    def unfinished(self) -> list[Job]:
        """Return the jobs that wait or were interrupted, oldest first."""
        rows = self._database.rows("SELECT * FROM jobs WHERE state IN ('queued', 'running') ORDER BY id")
        return [self._job(row) for row in rows]

    def next_waiting(self, *, but: Collection[int] = ()) -> int | None:
        """Return the job whose turn is next, if any waits that is not among `but`."""
        rows = self._database.rows(
            "SELECT id FROM jobs WHERE state = 'queued' AND id NOT IN (SELECT value FROM json_each(?)) "
            "ORDER BY id LIMIT 1",
            (json.dumps(sorted(but)),),
        )
        return rows[0]["id"] if rows else None

    def begin(self, identity: int) -> bool:
        """Take a job off the queue to work on it; return whether it still waited."""
        with self._database.transaction() as connection:
            changed = connection.execute(
                "UPDATE jobs SET state = 'running' WHERE id = ? AND state = 'queued'", (identity,)
            )
            return changed.rowcount == 1

    def cancel_waiting(self, identity: int) -> bool:
        """Cancel a job that nobody works on yet; return whether it still waited."""
        with self._database.transaction() as connection:
            waits = connection.execute("SELECT 1 FROM jobs WHERE id = ? AND state = 'queued'", (identity,))
            if waits.fetchone() is None:
                return False
            _set_state(connection, identity, "cancelled")
            return True

    def set_state(self, identity: int, state: str, error: str | None = None) -> None:
        """Give a job its state; queued and running ones have no end."""
        with self._database.transaction() as connection:
            _set_state(connection, identity, state, error)

    def set_stage(self, identity: int, ordinal: int, stage: str) -> None:
        # After a loss of power the file is begun again all the same.
        with self._database.transaction(flushed=False) as connection:
            connection.execute(
                "UPDATE job_files SET stage = ? WHERE job_id = ? AND ordinal = ?", (stage, identity, ordinal)
            )

    def finish_file(self, identity: int, file: FileState) -> None:
        """Record how a file ended."""
        # An upload is deleted now. Any other file whose end is lost is ingested again, and is unchanged.
        with self._database.transaction(flushed=file.staged) as connection:
            warnings = json.dumps(file.warnings, ensure_ascii=False)
            connection.execute(
                "UPDATE job_files SET stage = 'done', status = :status, error = :error, "
                "document_id = :document_id, sha256 = :sha256, pages = :pages, pages_failed = :pages_failed, "
                "chunks = :chunks, warnings = :warnings WHERE job_id = :job AND ordinal = :ordinal",
                {**asdict(file), "warnings": warnings, "job": identity},
            )

    # Files that were in work when the process ended

    def take_over(self, job: Job) -> None:
        """Queue a job that was running when the process ended; count this for the files in work."""
        marks = [(file.source, _mark(file)) for file in job.files if file.stage in _IN_WORK]
        with self._database.transaction() as connection:
            connection.executemany(
                "INSERT INTO interrupted_files (collection, source, bytes, modified, times) "
                "VALUES (?1, ?2, ?3, ?4, 1) ON CONFLICT DO UPDATE SET "
                "times = CASE WHEN (bytes, modified) = (?3, ?4) THEN times + 1 ELSE 1 END, "
                "bytes = ?3, modified = ?4",
                [(job.collection, source, *mark) for source, mark in marks if mark],
            )
            _set_state(connection, job.id, "queued")

    def interruptions(self, job: Job) -> dict[int, int]:
        """Return how often the process ended while it worked on these bytes, by the files' ordinals; files
        without an interruption are left out."""
        rows = self._database.rows("SELECT * FROM interrupted_files WHERE collection = ?", (job.collection,))
        known = {row["source"]: ((row["bytes"], row["modified"]), int(row["times"])) for row in rows}
        return {
            file.ordinal: known[file.source][1]
            for file in job.files
            if file.source in known and _mark(file) == known[file.source][0]
        }

    def forget_interruptions(self, collection: str, sources: Collection[str], *, least: int = 1) -> None:
        """Forget the interruptions of files, of those that have at least so many."""
        if not self._database.rows("SELECT 1 FROM interrupted_files LIMIT 1"):
            return
        with self._database.transaction() as connection:
            connection.execute(
                "DELETE FROM interrupted_files WHERE collection = ? AND times >= ? "
                "AND source IN (SELECT value FROM json_each(?))",
                (collection, least, json.dumps(list(sources))),
            )

    def clear(self, identities: Sequence[int]) -> int:
        """Forget those of the jobs that have ended; return how many."""
        with self._database.transaction() as connection:
            forgotten = connection.execute(
                "DELETE FROM jobs WHERE finished IS NOT NULL AND id IN (SELECT value FROM json_each(?))",
                (json.dumps(list(identities)),),
            )
            return forgotten.rowcount

    def _job(self, row: sqlite3.Row) -> Job:
        files = self._database.rows("SELECT * FROM job_files WHERE job_id = ? ORDER BY ordinal", (row["id"],))
        unreadable = self._database.rows("SELECT * FROM job_unreadable WHERE job_id = ?", (row["id"],))
        folder = None if row["folder"] is None else Path(os.fsdecode(row["folder"]))
        return Job(
            **{name: row[name] for name in ("id", "collection", "state", "created", "finished", "error")},
            kind="ingest" if folder is None else "sync",
            files=tuple(map(_file, files)),
            folder=folder,
            passed_over=tuple(PassedOver(*one) for one in json.loads(row["passed_over"])),
            unreadable=tuple(Unreadable(one["path"], one["reason"]) for one in unreadable),
        )


# A job with an upload that waits for its password, or was set aside, stays: nothing else knows where it lies.
_FORGET_OLDEST = """
DELETE FROM jobs WHERE finished < ? AND state != 'failed'
    AND id NOT IN (SELECT id FROM jobs WHERE finished IS NOT NULL ORDER BY id DESC LIMIT ?)
    AND id NOT IN (SELECT job_id FROM job_files WHERE staged AND status IN ('needs_password', 'set_aside'))
"""


def _set_state(connection: sqlite3.Connection, identity: int, state: str, error: str | None = None) -> None:
    finished = None if state in ("queued", "running") else utc_now()
    connection.execute(
        "UPDATE jobs SET state = ?, error = ?, finished = ? WHERE id = ?", (state, error, finished, identity)
    )
    if state in ("queued", "failed"):
        connection.execute(
            "UPDATE job_files SET stage = 'queued' WHERE job_id = ? AND stage NOT IN ('done', 'cancelled')",
            (identity,),
        )
    if state == "cancelled":
        connection.execute(
            "UPDATE job_files SET stage = 'cancelled' WHERE job_id = ? AND stage != 'done'", (identity,)
        )


def _mark(file: FileState) -> tuple[int, int] | None:
    """Return a file's size and time, by which other bytes under its name are known; None for no file."""
    try:
        state = os.stat(file.file)  # noqa: PTH116  # takes bytes' escapes as well
    except (OSError, ValueError):
        return None
    return state.st_size, state.st_mtime_ns


def _file(row: sqlite3.Row) -> FileState:
    fields = {name: row[name] for name in row.keys() if name != "job_id"}  # noqa: SIM118
    fields |= {"file": os.fsdecode(row["file"]), "staged": bool(row["staged"])}
    fields |= {
        "status": row["status"] and Status(row["status"]),
        "warnings": tuple(json.loads(row["warnings"])),
    }
    done = row["chunks"] if row["stage"] == "done" else 0
    return FileState(**fields, done=done, total=done)
