"""Documents and uploads, queued and rendered without a browser."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ingestion.documents import Status
from ingestion.library import Library
from ingestion.storage.catalogue.job_table import JobTable
from rag_app.config.settings import Settings
from rag_app.service.composition import Assistant
from tests.helpers.page_values import document, file, job
from tests.helpers.paths import SAMPLES
from ui.chat.render import render_confirmation, render_documents, render_uploads
from ui.components.ingest_queue import IngestQueueController, QueuePageState
from ui.components.text import render_error
from ui.components.uploads import FileRow, Mood, to_row, to_rows
from ui.library.render import render_table


def test_documents_show_name_size_and_a_named_delete_button() -> None:
    shown = render_documents([document()])
    for part in (
        "report.pdf",
        "12 pages",
        'data-delete="d1"',
        'aria-label="Delete report.pdf"',
        "1 document,",
    ):
        assert part in shown


def test_a_warning_is_counted_in_the_table() -> None:
    options: Any = {"known": 1, "chosen": (), "order": "name", "descending": False, "part": 0, "turn": 0}
    shown = render_table([replace(document(), warnings=("Page 3 is a picture.",))], **options)
    assert 'title="Page 3 is a picture.">1 warning<' in shown
    assert "warning" not in render_table([document()], **options)


def test_a_partial_document_says_so_and_why() -> None:
    shown = render_documents([document(status=Status.PARTIAL, error="page 3 timed out")])
    assert "partial" in shown
    assert 'title="page 3 timed out"' in shown


def test_without_documents_it_says_what_to_do() -> None:
    assert "<b>No documents yet.</b> Drop PDF" in render_documents([])
    assert "No documents in <bdi>&lt;b&gt;</bdi> yet" in render_documents([], "<b>")


def test_names_are_text() -> None:
    evil = '"><script>x()</script>.md'
    for shown in (
        render_documents([document(evil)]),
        render_confirmation(document(evil)),
        render_error(evil),
        render_uploads([FileRow(evil)]),
    ):
        assert "<script" not in shown
        assert '"&gt;' not in shown  # a quotation mark would end an attribute


@pytest.mark.parametrize(
    ("stage", "done", "total", "words"),
    [
        ("parsing", 3, 40, "parsing page 3 of 40"),
        ("parsing", 0, 0, "opening"),
        ("encoding", 12, 88, "encoding 12 of 88 chunks"),
        ("encoding", 0, 0, "encoding"),
        ("writing", 88, 88, "writing to the library"),
    ],
)
def test_progress_in_words(stage: str, done: int, total: int, words: str) -> None:
    row = to_row(job(), file(stage=stage, done=done, total=total))
    assert row.words == words
    assert words in render_uploads([row])
    assert "<progress" in render_uploads([row])


@pytest.mark.parametrize(
    ("status", "error", "words", "mood"),
    [
        (Status.OK, None, "done: 3 pages, 14 chunks", Mood.DONE),
        (Status.UNCHANGED, None, "already there, unchanged", Mood.NOTE),
        (Status.DUPLICATE, "has the same bytes as b.pdf (upload:b.pdf)", "same bytes as b.pdf", Mood.NOTE),
        (Status.PARTIAL, "page 2 timed out", "page 2 timed out", Mood.NOTE),
        (Status.NEEDS_PASSWORD, "a.pdf needs a password", "a.pdf needs a password", Mood.FAILED),
        (Status.CORRUPT, "a.pdf is no PDF", "a.pdf is no PDF", Mood.FAILED),
        (Status.TIMED_OUT, None, "timed out", Mood.FAILED),
        (Status.SET_ASIDE, "set aside: it ended twice", "set aside: it ended twice", Mood.FAILED),
    ],
)
def test_results_in_words(status: Status, error: str | None, words: str, mood: Mood) -> None:
    row = to_row(job(), file(stage="done", status=status, error=error, pages=3, chunks=14))
    assert words in row.words
    assert row.mood is mood


def test_a_password_is_asked_for_where_one_can_be_used(tmp_path: Path) -> None:
    asks = "enter it under Library"
    for name, here, asked in [("a.pdf", True, True), ("a.pdf", False, False), ("a.docx", True, False)]:
        staged = tmp_path / name
        staged.touch() if here else staged.unlink(missing_ok=True)
        locked = file(name, "done", file=str(staged), status=Status.NEEDS_PASSWORD, error="it is locked")
        row = to_row(job(locked, state="finished"), locked)
        assert row.words == "it is locked"
        assert (row.wants_password, asks in render_uploads([row])) == (asked, asked)
        assert not row.can_retry


def test_cancel_and_failure_leave_finished_files_alone() -> None:
    done = file("a.pdf", "done", status=Status.OK)
    cancelled = job(done, file("b.pdf", "cancelled"), state="cancelled")
    assert [to_row(cancelled, each).mood for each in cancelled.files] == [Mood.DONE, Mood.NOTE]
    failed = job(done, file("b.pdf"), state="failed", error="disk full")
    assert [to_row(failed, each).mood for each in failed.files] == [Mood.DONE, Mood.FAILED]
    assert to_row(failed, failed.files[1]).words == "disk full"


def test_of_ended_jobs_of_others_only_failures_are_shown() -> None:
    good, bad = file("a.pdf", "done", status=Status.OK), file("b.pdf", "done", status=Status.CORRUPT)
    jobs = [job(good, bad, state="finished"), job(file("c.pdf"), state="queued", identity=2)]
    active, ended = to_rows(jobs, watched=())
    assert [row.name for row in active] == ["c.pdf"]
    assert [row.name for row in ended] == ["b.pdf"]
    assert [row.name for row in to_rows(jobs, watched={1})[1]] == ["a.pdf", "b.pdf"]


def test_a_file_is_shown_with_the_last_job_that_has_it() -> None:
    bad = file("a.pdf", "done", status=Status.CORRUPT)
    jobs = [job(bad, state="finished"), job(file("a.pdf"), state="queued", identity=2)]
    active, ended = to_rows(jobs, watched={1, 2})
    assert [row.mood for row in active] == [Mood.WAITING]
    assert ended == []


def test_long_lists_are_cut_and_what_fails_is_seen() -> None:
    rows = [FileRow(f"{number}.pdf") for number in range(128)]
    shown = render_uploads([FileRow("broken.pdf", "no PDF", Mood.FAILED), *rows])
    assert shown.count('class="waiting"') == 5
    assert "and 123 more waiting" in shown
    assert "broken.pdf" in shown
    assert "more" not in render_uploads(rows[:5])


@pytest.fixture
def queue(library: Library, tmp_path: Path) -> IngestQueueController:
    folder = tmp_path / "between"
    folder.mkdir()
    return IngestQueueController(Assistant(Settings(data_dir=library.folder), library), folder)


def received(folder: Path, name: str, content: bytes) -> Path:
    """Return a file as it lies in Gradio's folder: in one of its own."""
    place = folder / "received" / name / name
    place.parent.mkdir(parents=True)
    place.write_bytes(content)
    return place


def test_uploads_keep_their_names_and_leave_nothing_behind(
    queue: IngestQueueController, tmp_path: Path
) -> None:
    good = received(tmp_path, "bi-encoders.md", (SAMPLES / "bi-encoders.md").read_bytes())
    bad = received(tmp_path, "broken.pdf", b"no PDF")
    queued = queue.take([(good, "C:\\files\\John's <notes>.md"), (bad, "../..")])
    assert not list((tmp_path / "received").iterdir())
    assert not list(queue.folder.iterdir())
    state = QueuePageState()
    assert [row.mood for row in queue.view(state).rows] == ["waiting", "waiting"]
    assert queue.view(state).works

    list(queue.assistant.jobs.run(queued.id))
    after = queue.view(state)
    assert [(row.name, row.mood) for row in after.rows] == [
        ("John's <notes>.md", "done"),
        ("broken.pdf", "failed"),
    ]
    assert (after.works, after.can_retry, after.can_clear) == (False, False, True)
    assert [document.path for document in queue.listed(None)] == ["upload:John's <notes>.md"]
    staging = queue.assistant.library.folder / "uploads"
    assert not list(staging.iterdir())
    assert [row.name for row in queue.view(QueuePageState()).rows] == ["broken.pdf"]  # another page


def test_cancelled_uploads_are_deleted_and_said_to_be_cancelled(
    queue: IngestQueueController, tmp_path: Path
) -> None:
    state = QueuePageState()
    for name in ("a.md", "b.md"):
        queue.take([(received(tmp_path, name, b"text"), name)])
    queue.view(state)
    queue.cancel()
    after = queue.view(state)
    assert [row.words.split(";")[0] for row in after.rows] == ["cancelled", "cancelled"]
    assert not after.can_retry
    assert not list((queue.assistant.library.folder / "uploads").iterdir())
    assert queue.listed(None) == []


def test_a_file_that_was_set_aside_is_tried_only_by_itself(
    queue: IngestQueueController, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs, path = queue.assistant.jobs, tmp_path / "plovers.md"
    path.write_text("Plovers run along the shore.", "utf-8")
    monkeypatch.setattr(JobTable, "interruptions", lambda *_: {1: 2})
    first = jobs.submit([path], collection="default")
    list(jobs.run(first.id))
    view = queue.view(QueuePageState())
    assert [(row.mood, row.can_retry) for row in view.rows] == [("failed", True)]
    assert not view.can_retry  # all that failed at once
    monkeypatch.undo()
    again = jobs.retry(first.id, files={1})
    assert [result.status for result in jobs.run(again.id)] == ["ok"]


def test_what_failed_is_tried_again_once(queue: IngestQueueController, tmp_path: Path) -> None:
    empty = tmp_path / "plovers.md"
    empty.write_bytes(b"")
    jobs = queue.assistant.jobs
    list(jobs.run(jobs.submit([empty], collection="default").id))
    state = QueuePageState()
    assert queue.view(state).can_retry
    queue.retry()
    assert not queue.view(state).can_retry
    queue.retry()
    (again,) = jobs.active
    empty.write_text("Plovers run along the shore.", "utf-8")
    list(jobs.run(again.id))
    after = queue.view(state)
    assert [row.mood for row in after.rows] == ["done"]
    assert not after.can_retry
