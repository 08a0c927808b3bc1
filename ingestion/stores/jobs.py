"""The job queue's tables: what is to be ingested, how far it is, how each file ended."""

import json
import os
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ingestion.documents import Status
from ingestion.leftovers import PassedOver
from ingestion.stores.database import Database

# Finished jobs that are kept, for the list of what failed.
_KEPT = 200


@dataclass(frozen=True, slots=True)
class FileState:
    """A file of a job. `stage` is queued, parsing, encoding, writing, done or cancelled.

    `done` of `total` count pages while parsing, chunks after that.
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

    def insert(
        self,
        collection: str,
        files: Sequence[FileState],
        folder: Path | None = None,
        passed_over: Sequence[PassedOver] = (),
    ) -> Job:
        """Write a new job, and forget the oldest finished ones."""
        with self._database.transaction() as connection:
            cursor = connection.execute(
                "INSERT INTO jobs (folder, collection, state, created, passed_over) "
                "VALUES (?, ?, 'queued', ?, ?)",
                (
                    None if folder is None else os.fsencode(folder),
                    collection,
                    _now(),
                    json.dumps([(one.path, one.kind) for one in passed_over]),
                ),
            )
            identity = int(cursor.lastrowid or 0)
            connection.executemany(
                "INSERT INTO job_files (job_id, ordinal, file, source, name, staged, stage) "
                "VALUES (?, ?, ?, ?, ?, ?, 'queued')",
                [(identity, f.ordinal, os.fsencode(f.file), f.source, f.name, f.staged) for f in files],
            )
            connection.execute(
                "DELETE FROM jobs WHERE finished IS NOT NULL AND state != 'failed' AND id NOT IN "
                "(SELECT id FROM jobs WHERE finished IS NOT NULL ORDER BY id DESC LIMIT ?)",
                (_KEPT,),
            )
        return next(job for job in self.all(1) if job.id == identity)

    def all(self, limit: int = 50) -> list[Job]:
        """Return the newest jobs, newest first."""
        rows = self._database.rows("SELECT * FROM jobs ORDER BY id DESC LIMIT ?", (limit,))
        return [self._job(row) for row in rows]

    def get(self, identity: int) -> Job | None:
        rows = self._database.rows("SELECT * FROM jobs WHERE id = ?", (identity,))
        return self._job(rows[0]) if rows else None

    def unfinished(self) -> list[Job]:
        """Return the jobs that wait or were interrupted, oldest first."""
        rows = self._database.rows("SELECT * FROM jobs WHERE state IN ('queued', 'running') ORDER BY id")
        return [self._job(row) for row in rows]

    def set_state(self, identity: int, state: str, error: str | None = None) -> None:
        """Give a job its state; queued and running ones have no end."""
        finished = None if state in ("queued", "running") else _now()
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE jobs SET state = ?, error = ?, finished = ? WHERE id = ?",
                (state, error, finished, identity),
            )
            if state in ("queued", "failed"):
                connection.execute(
                    "UPDATE job_files SET stage = 'queued' "
                    "WHERE job_id = ? AND stage NOT IN ('done', 'cancelled')",
                    (identity,),
                )
            if state == "cancelled":
                connection.execute(
                    "UPDATE job_files SET stage = 'cancelled' WHERE job_id = ? AND stage != 'done'",
                    (identity,),
                )

    def set_stage(self, identity: int, ordinal: int, stage: str) -> None:
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE job_files SET stage = ? WHERE job_id = ? AND ordinal = ?", (stage, identity, ordinal)
            )

    def finish_file(self, identity: int, file: FileState) -> None:
        """Record how a file ended."""
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE job_files SET stage = 'done', status = ?, error = ?, document_id = ?, sha256 = ?, "
                "pages = ?, pages_failed = ?, chunks = ? WHERE job_id = ? AND ordinal = ?",
                (file.status, file.error, file.document_id, file.sha256, file.pages, file.pages_failed,
                 file.chunks, identity, file.ordinal),
            )  # fmt: skip

    def clear(self) -> int:
        """Forget the jobs that have ended; return how many."""
        with self._database.transaction() as connection:
            return connection.execute("DELETE FROM jobs WHERE finished IS NOT NULL").rowcount

    def _job(self, row: sqlite3.Row) -> Job:
        files = self._database.rows("SELECT * FROM job_files WHERE job_id = ? ORDER BY ordinal", (row["id"],))
        folder = None if row["folder"] is None else Path(os.fsdecode(row["folder"]))
        return Job(
            id=row["id"], kind="ingest" if folder is None else "sync", collection=row["collection"],
            state=row["state"], created=row["created"], finished=row["finished"], error=row["error"],
            files=tuple(map(_file, files)), folder=folder,
            passed_over=tuple(PassedOver(*one) for one in json.loads(row["passed_over"])),
        )  # fmt: skip


def _file(row: sqlite3.Row) -> FileState:
    ended = row["stage"] == "done"
    return FileState(
        ordinal=row["ordinal"], file=os.fsdecode(row["file"]), source=row["source"], name=row["name"],
        staged=bool(row["staged"]), stage=row["stage"], done=row["chunks"] if ended else 0,
        total=row["chunks"] if ended else 0, status=Status(row["status"]) if row["status"] else None,
        error=row["error"], document_id=row["document_id"], sha256=row["sha256"], pages=row["pages"],
        pages_failed=row["pages_failed"], chunks=row["chunks"],
    )  # fmt: skip


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
