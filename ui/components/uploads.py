"""Files on their way into the library: one row a file, in words."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from ingestion.documents import Status
from ingestion.pipeline import IngestResult, Progress, Stage
from ui.components.text import escape, milliseconds, plural


class Mood(StrEnum):
    """How a row looks."""

    WAITING = "waiting"
    WORKING = "working"
    DONE = "done"
    NOTE = "note"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class FileRow:
    """One file: what is being done to it, or how it ended. `share` is the part of the stage that is done."""

    name: str
    words: str = "waiting"
    mood: Mood = Mood.WAITING
    share: float | None = None

    @property
    def ended(self) -> bool:
        return self.mood in (Mood.DONE, Mood.NOTE, Mood.FAILED)


def progressed(row: FileRow, progress: Progress) -> FileRow:
    """Return the row with what is being done now."""
    done, total = progress.done, progress.total
    words = {
        Stage.PARSING: f"parsing page {done:,} of {total:,}" if total else "opening",
        Stage.ENCODING: f"encoding {done:,} of {total:,} chunks",
        Stage.WRITING: "writing to the library",
    }[progress.stage]
    return replace(row, words=words, mood=Mood.WORKING, share=done / total if total else None)


def ended(row: FileRow, result: IngestResult) -> FileRow:
    """Return the row with how the file ended."""
    failed = not result.status.is_success and result.status is not Status.PARTIAL
    if failed:
        words, mood = result.error or result.status.replace("_", " "), Mood.FAILED
    elif result.status is Status.UNCHANGED:
        words, mood = "already there, unchanged", Mood.NOTE
    elif result.status is Status.DUPLICATE:
        words, mood = f"already there: {result.error}", Mood.NOTE
    else:
        spent = sum(value for _, value in result.timings_ms)
        size = f"{plural(result.pages, 'page')}, {plural(result.chunks, 'chunk')}"
        words, mood = f"done: {size} in {milliseconds(spent)}", Mood.DONE
        if result.status is Status.PARTIAL:
            words, mood = f"partly done: {size}; {result.error}", Mood.NOTE
    return replace(row, words=words, mood=mood, share=None)


def failed(row: FileRow, why: str) -> FileRow:
    """Return the row as failed, unless it ended before."""
    return row if row.ended else replace(row, words=why, mood=Mood.FAILED, share=None)


def cancelled(row: FileRow) -> FileRow:
    """Return the row as cancelled, unless it ended before."""
    return row if row.ended else replace(row, words="cancelled", mood=Mood.NOTE, share=None)


def render_uploads(rows: Sequence[FileRow]) -> str:
    """Return the rows as a list; nothing for none."""
    if not rows:
        return ""
    return f'<ul class="uploads">{"".join(map(_row, rows))}</ul>'


def _row(row: FileRow) -> str:
    bar = ""
    if row.mood is Mood.WORKING:
        value = "" if row.share is None else f' value="{row.share:.3f}"'
        bar = f'<progress max="1"{value} aria-label="{escape(row.name)}"></progress>'
    return (
        f'<li class="{row.mood}"><bdi class="name">{escape(row.name)}</bdi>'
        f'<span class="words">{escape(row.words)}</span>{bar}</li>'
    )
