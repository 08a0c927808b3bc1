"""Files on their way into the library: a row for each, in words."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from ingestion.documents import Status
from ingestion.pipeline.queue import FileState, Job
from ui.components.text import plural, progress_bar


class Mood(StrEnum):
    """How a row looks; rows come in this order."""

    WORKING = "working"
    WAITING = "waiting"
    FAILED = "failed"
    NOTE = "note"
    DONE = "done"


_MOODS = {
    Mood.WORKING: "in work",
    Mood.WAITING: "waiting",
    Mood.FAILED: "that failed",
    Mood.NOTE: "already there, done in part or with a warning, or cancelled",
    Mood.DONE: "done",
}


@dataclass(frozen=True, slots=True)
class FileRow:
    """A file: the work on it, or its end.

    `share` is the finished part of its stage, 0 to 1. `job` and `file` (an ordinal) name it to the queue.
    """

    name: str
    words: str = "waiting"
    mood: Mood = Mood.WAITING
    share: float | None = None
    job: int = 0
    file: int = 0
    collection: str = ""
    can_retry: bool = False
    wants_password: bool = False


def to_rows(jobs: Sequence[Job], watched: Collection[int]) -> tuple[list[FileRow], list[FileRow]]:
    """Return the rows of active jobs' files, and those of ended jobs; `jobs` are oldest first.

    An ended job that is not `watched` shows its failed files only. A file that several jobs have is shown
    with the latest of them.
    """
    active: list[FileRow] = []
    ended: list[FileRow] = []
    rows = [(job, to_row(job, file)) for job, file in latest(jobs)]
    rows += [(job, _unreadable(job, folder.path, folder.reason)) for job in jobs for folder in job.unreadable]
    for job, row in rows:
        if not job.finished:
            active.append(row)
        elif job.id in watched or row.mood is Mood.FAILED:
            ended.append(row)
    return active, ended


def _unreadable(job: Job, path: str, reason: str) -> FileRow:
    words = f"could not be searched for files: {reason}; check its rights, then ingest it again"
    return FileRow(path, words, Mood.FAILED, job=job.id, collection=job.collection)


def latest(jobs: Sequence[Job]) -> Iterator[tuple[Job, FileState]]:
    """Yield the jobs' files, oldest job first, each with the latest job that has it."""
    last = {(job.collection, file.source): job.id for job in jobs for file in job.files}
    for job in jobs:
        for file in job.files:
            if last[job.collection, file.source] == job.id:
                yield job, file


def to_row(job: Job, file: FileState) -> FileRow:
    """Return a file's row."""
    return replace(
        _words(job, file),
        job=job.id,
        file=file.ordinal,
        collection=job.collection,
        can_retry=job.finished is not None and can_retry(file),
        wants_password=job.finished is not None and wants_password(file),
    )


def can_retry(file: FileState) -> bool:
    """Return whether trying again may help, without a password or other bytes."""
    if file.status is not None and (file.status.is_success or file.status is Status.PARTIAL):
        return False  # with the same bytes, the same pages fail
    if file.staged:
        return file.status is not Status.NEEDS_PASSWORD and Path(file.file).exists()
    return True


def wants_password(file: FileState) -> bool:
    """Return whether a password would open the file, and it is still there."""
    is_locked = file.status is Status.NEEDS_PASSWORD and file.name.lower().endswith(".pdf")
    return is_locked and Path(file.file).exists()


def _words(job: Job, file: FileState) -> FileRow:
    if file.stage == "done":
        return _ended(file)
    if job.state == "cancelled" or file.stage == "cancelled":
        return FileRow(file.name, "cancelled; nothing of it was added", Mood.NOTE)
    if job.state == "failed":
        return FileRow(file.name, job.error or "the library could not be written", Mood.FAILED)
    if file.stage == "queued":
        return FileRow(file.name)
    words = {
        "parsing": f"parsing page {file.done:,} of {file.total:,}" if file.total else "opening",
        "encoding": f"encoding {file.done:,} of {plural(file.total, 'chunk')}" if file.total else "encoding",
        "writing": "writing to the library",
    }[file.stage]
    return FileRow(file.name, words, Mood.WORKING, file.done / file.total if file.total else None)


def _ended(file: FileState) -> FileRow:
    size = f"{plural(file.pages, 'page')}, {plural(file.chunks, 'chunk')}"
    reason = file.error or str(file.status).replace("_", " ")
    match file.status:
        case Status.OK:
            words, mood = f"done: {size}", Mood.DONE
            if file.warnings:
                words, mood = f"{words}; {' '.join(file.warnings)}", Mood.NOTE
        case Status.UNCHANGED:
            words, mood = "already there, unchanged", Mood.NOTE
        case Status.DUPLICATE:
            words, mood = f"already there: {reason}", Mood.NOTE
        case Status.PARTIAL:
            words, mood = f"partly done: {size}; {reason}", Mood.NOTE
        case _:
            words, mood = reason, Mood.FAILED
    return FileRow(file.name, words, mood)


def render_rows(rows: Sequence[FileRow], render: Callable[[FileRow], str], *, most: int, failed: int) -> str:
    """Return list items by mood: at most `failed` failed files and `most` of each other mood."""
    parts: list[str] = []
    for mood, words in _MOODS.items():
        kind = [row for row in rows if row.mood is mood]
        limit = failed if mood is Mood.FAILED else most
        # Waiting files come in the order of their turn; of ended files the newest matter most.
        shown = kind[:limit] if mood in (Mood.WORKING, Mood.WAITING) else kind[-limit:]
        parts += map(render, shown)
        if left := len(kind) - len(shown):
            parts.append(f'<li class="more">and {left:,} more {words}</li>')
    return "".join(parts)


def render_bar(row: FileRow) -> str:
    """Return a bar of a file's progress; nothing for a file that is not being worked on."""
    return progress_bar(row.share, row.name) if row.mood is Mood.WORKING else ""
