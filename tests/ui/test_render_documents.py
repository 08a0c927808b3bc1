"""Documents and uploads, rendered without a browser."""

import pytest

from ingestion.documents import Status
from ingestion.pipeline import IngestResult, Progress, Stage
from ingestion.stores.records import Document
from ui.components.document_list import render_confirmation, render_documents, render_error
from ui.components.uploads import FileRow, Mood, cancelled, ended, failed, progressed, render_uploads


def document(name: str = "report.pdf", status: Status = Status.OK, error: str | None = None) -> Document:
    return Document(
        id="d1",
        collection="default",
        collection_id=1,
        name=name,
        path=f"upload:{name}",
        title=None,
        sha256="0" * 64,
        bytes=10,
        status=status,
        error=error,
        pages=12,
        pages_failed=0,
        chunks=1,
        version=1,
        fingerprint="f",
        segment="s",
        added="2025-01-01T00:00:00Z",
    )


def test_documents_show_name_size_and_a_named_delete_button() -> None:
    shown = render_documents([document()])
    for part in (
        "report.pdf",
        "12 pages",
        "1 chunk<",
        'data-delete="d1"',
        'aria-label="Delete report.pdf"',
        "1 document,",
    ):
        assert part in shown


def test_a_partial_document_says_so_and_why() -> None:
    shown = render_documents([document(status=Status.PARTIAL, error="page 3 timed out")])
    assert "partial" in shown
    assert 'title="page 3 timed out"' in shown


def test_without_documents_it_says_what_to_do() -> None:
    assert "Drop PDF" in render_documents([])


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
        (Stage.PARSING, 3, 40, "parsing page 3 of 40"),
        (Stage.PARSING, 0, 0, "opening"),
        (Stage.ENCODING, 12, 88, "encoding 12 of 88 chunks"),
        (Stage.WRITING, 88, 88, "writing to the library"),
    ],
)
def test_progress_in_words(stage: Stage, done: int, total: int, words: str) -> None:
    row = progressed(FileRow("a.pdf"), Progress(1, 2, "a.pdf", stage, done, total))
    assert row.words == words
    assert words in render_uploads([row])
    assert "<progress" in render_uploads([row])


@pytest.mark.parametrize(
    ("status", "error", "words", "mood"),
    [
        (Status.OK, None, "done: 3 pages, 14 chunks in 1.5 s", Mood.DONE),
        (Status.UNCHANGED, None, "already there, unchanged", Mood.NOTE),
        (Status.DUPLICATE, "has the same bytes as b.pdf (upload:b.pdf)", "same bytes as b.pdf", Mood.NOTE),
        (Status.PARTIAL, "page 2 timed out", "page 2 timed out", Mood.NOTE),
        (Status.NEEDS_PASSWORD, "a.pdf needs a password; remove it", "needs a password", Mood.FAILED),
    ],
)
def test_results_in_words(status: Status, error: str | None, words: str, mood: Mood) -> None:
    result = IngestResult(
        path="upload:a.pdf",
        name="a.pdf",
        status=status,
        error=error,
        pages=3,
        chunks=14,
        timings_ms=(("parse", 500.0), ("encode", 1000.0)),
    )
    row = ended(FileRow("a.pdf"), result)
    assert words in row.words
    assert row.mood is mood
    assert row.ended


def test_cancel_and_failure_leave_finished_files_alone() -> None:
    done = FileRow("a.pdf", "done", Mood.DONE)
    assert cancelled(done) is done
    assert failed(done, "disk full") is done
    assert cancelled(FileRow("b.pdf")).words == "cancelled"
    assert failed(FileRow("b.pdf"), "disk full").mood is Mood.FAILED
