"""Files on their way into the library: one row a file, in words."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from ingestion.documents import Status
from ingestion.pipeline.queue import FileState, Job
from ui.components.text import escape, plural

# Rows shown of each kind; the rest is a number. What failed is what a person has to read.
_SHOWN = 5
_SHOWN_FAILED = 20


class Mood(StrEnum):
    """How a row looks; rows come in this order."""

    WORKING = "working"
    WAITING = "waiting"
    FAILED = "failed"
    NOTE = "note"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class FileRow:
    """One file: what is being done to it, or how it ended. `share` is the part of the stage that is done.

    `job` and `file` (its ordinal) say which it is to whom a person asks to cancel or retry it.
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
    """Return the rows of the files of active jobs, and those of ended ones; `jobs` are oldest first.

    Of ended jobs that are not `watched`, only what failed. A file that a later job took on again, or
    that failed and was uploaded anew, is shown with the later one.
    """
    active: list[FileRow] = []
    ended: list[FileRow] = []
    for job, file in latest(jobs):
        row = to_row(job, file)
        if not job.finished:
            active.append(row)
        elif job.id in watched or row.mood is Mood.FAILED:
            ended.append(row)
    return active, ended


def latest(jobs: Sequence[Job]) -> Iterator[tuple[Job, FileState]]:
    """Yield each file of the jobs, oldest first, without those that a later job has as well."""
    last = {(job.collection, file.source): job.id for job in jobs for file in job.files}
    for job in jobs:
        for file in job.files:
            if last[job.collection, file.source] == job.id:
                yield job, file


def to_row(job: Job, file: FileState) -> FileRow:
    """Return what is being done to the file, or how it ended."""
    return replace(
        _words(job, file),
        job=job.id,
        file=file.ordinal,
        collection=job.collection,
        can_retry=job.finished is not None and can_retry(file),
        wants_password=job.finished is not None and wants_password(file),
    )


def can_retry(file: FileState) -> bool:
    """Return whether the file may end better, with nothing else to say about it."""
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


def render_uploads(rows: Sequence[FileRow]) -> str:
    """Return the rows as a list, cut where it is long; nothing for none."""
    if not rows:
        return ""
    kinds = {mood: [row for row in rows if row.mood is mood] for mood in Mood}
    parts: list[str] = []
    for mood, words in (
        (Mood.WORKING, "in work"),
        (Mood.WAITING, "waiting"),
        (Mood.FAILED, "that failed"),
        (Mood.NOTE, "already there, done in part or with a warning, or cancelled"),
        (Mood.DONE, "done"),
    ):
        shown = _SHOWN_FAILED if mood is Mood.FAILED else _SHOWN
        # What waits comes next first; of what has ended the newest says most.
        kept = kinds[mood][:shown] if mood in (Mood.WORKING, Mood.WAITING) else kinds[mood][-shown:]
        parts += map(_row, kept)
        if left := len(kinds[mood]) - len(kept):
            parts.append(f'<li class="more">and {left:,} more {words}</li>')
    return f'<ul class="uploads">{"".join(parts)}</ul>'


def _row(row: FileRow) -> str:
    where = " (the tab Documents asks for it)" if row.wants_password else ""
    bar = ""
    if row.mood is Mood.WORKING:
        value = "" if row.share is None else f' value="{row.share:.3f}"'
        bar = f'<progress max="1"{value} aria-label="{escape(row.name)}"></progress>'
    return (
        f'<li class="{row.mood}"><bdi class="name">{escape(row.name)}</bdi>'
        f'<span class="words">{escape(row.words)}{where}</span>{bar}</li>'
    )
