"""The job queue's tables: files to ingest, how far each one is, how it ended."""

import json
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path

from ingestion.documents import Status
from ingestion.storage.catalogue.database import Database, insert_row, storable
from ingestion.text.leftovers import PassedOver
from ingestion.timing import utc_now

# Finished jobs that are kept for the list of failures. Every job is kept for an hour, however many come after
# it: the program that queued it may still ask how it ended.
_KEPT = 200
_KEPT_FOR = timedelta(hours=1)


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
    documents.
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

    @property
    def done(self) -> int:
        """Files that have come to their end."""
        return sum(file.stage in ("done", "cancelled") for file in self.files)

    @property
    def total(self) -> int:
        return len(self.files)

    @property
    def failed(self) -> tuple[FileState, ...]:
        """Files that did not end in success."""
        return tuple(f for f in self.files if f.status is not None and not f.status.is_success)


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

    def next_waiting(self) -> int | None:
        """Return the job whose turn is next, if any waits."""
        rows = self._database.rows("SELECT id FROM jobs WHERE state = 'queued' ORDER BY id LIMIT 1")
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
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE job_files SET stage = ? WHERE job_id = ? AND ordinal = ?", (stage, identity, ordinal)
            )

    def finish_file(self, identity: int, file: FileState) -> None:
        """Record how a file ended."""
        with self._database.transaction() as connection:
            warnings = json.dumps(file.warnings, ensure_ascii=False)
            connection.execute(
                "UPDATE job_files SET stage = 'done', status = :status, error = :error, "
                "document_id = :document_id, sha256 = :sha256, pages = :pages, pages_failed = :pages_failed, "
                "chunks = :chunks, warnings = :warnings WHERE job_id = :job AND ordinal = :ordinal",
                {**asdict(file), "warnings": warnings, "job": identity},
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
        folder = None if row["folder"] is None else Path(os.fsdecode(row["folder"]))
        return Job(
            **{name: row[name] for name in ("id", "collection", "state", "created", "finished", "error")},
            kind="ingest" if folder is None else "sync",
            files=tuple(map(_file, files)),
            folder=folder,
            passed_over=tuple(PassedOver(*one) for one in json.loads(row["passed_over"])),
        )


# A job with an upload that waits for its password stays: nothing else knows where the upload lies.
_FORGET_OLDEST = """
DELETE FROM jobs WHERE finished < ? AND state != 'failed'
    AND id NOT IN (SELECT id FROM jobs WHERE finished IS NOT NULL ORDER BY id DESC LIMIT ?)
    AND id NOT IN (SELECT job_id FROM job_files WHERE staged AND status = 'needs_password')
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


def _file(row: sqlite3.Row) -> FileState:
    fields = {name: row[name] for name in row.keys() if name != "job_id"}  # noqa: SIM118
    fields |= {"file": os.fsdecode(row["file"]), "staged": bool(row["staged"])}
    fields |= {
        "status": row["status"] and Status(row["status"]),
        "warnings": tuple(json.loads(row["warnings"])),
    }
    done = row["chunks"] if row["stage"] == "done" else 0
    return FileState(**fields, done=done, total=done)
