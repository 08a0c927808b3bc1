"""Files that are no documents: every one gets a status and a sentence, none an exception."""

import os
import sys
from pathlib import Path

import pytest

from ingestion.documents import ParsedDocument, Status
from ingestion.parsing import SUPPORTED_SUFFIXES, ParseLimits, parse
from tests.helpers.pdfs import text_pdf


def refused(document: ParsedDocument) -> tuple[Status, str]:
    """Status and message of a document without pages; the message is one line."""
    assert document.pages == ()
    assert document.error is not None
    assert "\n" not in document.error
    return document.status, document.error


def test_supported_suffixes() -> None:
    assert {".pdf", ".txt", ".md"} < SUPPORTED_SUFFIXES
    assert all(suffix == suffix.lower() and suffix.startswith(".") for suffix in SUPPORTED_SUFFIXES)


def test_missing_file(tmp_path: Path) -> None:
    path = tmp_path / "gone.pdf"
    assert refused(parse(path)) == (Status.FAILED, f"there is no file {str(path)!r}; check the path")


def test_folder(tmp_path: Path) -> None:
    path = tmp_path / "folder.pdf"
    path.mkdir()
    assert refused(parse(path)) == (Status.FAILED, f"{str(path)!r} is a folder; choose the files in it")


def test_impossible_path() -> None:
    status, error = refused(parse(Path("a\0b.pdf")))
    assert status is Status.FAILED
    assert "'a\\x00b.pdf' cannot be opened" in error


@pytest.mark.skipif(sys.platform == "win32", reason="no named pipes in folders")
def test_pipe_is_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "pipe.pdf"
    os.mkfifo(path)
    status, error = refused(parse(path))
    assert (status, "is a device or pipe" in error) == (Status.FAILED, True)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_unreadable_file(tmp_path: Path) -> None:
    path = tmp_path / "secret.pdf"
    path.write_bytes(text_pdf("secret"))
    path.chmod(0)
    status, error = refused(parse(path))
    assert (status, "check its permissions" in error) == (Status.FAILED, True)


def test_unknown_suffix(tmp_path: Path) -> None:
    path = tmp_path / "letter.wpd"
    path.write_bytes(b"\xffWPC")
    status, error = refused(parse(path))
    assert status is Status.UNSUPPORTED
    assert error.startswith("'letter.wpd' has the suffix '.wpd'; files that can be read end in .csv, .docx, ")
    assert error.endswith(".zip, or as source code does (.py, .js, .java and others)")


def test_no_suffix(tmp_path: Path) -> None:
    path = tmp_path / "README"
    path.write_text("words")
    assert refused(parse(path))[0] is Status.UNSUPPORTED


@pytest.mark.parametrize(("name", "status"), [("a.pdf", Status.CORRUPT), ("a.txt", Status.NO_TEXT)])
def test_empty_file(tmp_path: Path, name: str, status: Status) -> None:
    path = tmp_path / name
    path.touch()
    assert refused(parse(path)) == (status, f"{name!r} is an empty file (0 bytes); get a new copy")


def test_too_many_bytes(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("12345")
    assert parse(path, limits=ParseLimits(max_bytes=5)).status is Status.OK
    assert refused(parse(path, limits=ParseLimits(max_bytes=4))) == (
        Status.TOO_LARGE,
        "'a.txt' has 5 bytes, and the limit is 4; split it",
    )


def test_text_named_pdf(tmp_path: Path) -> None:
    path = tmp_path / "notes.pdf"
    path.write_text("These are notes.\n" * 200)
    status, error = refused(parse(path))
    assert status is Status.CORRUPT
    assert "'notes.pdf' is not a PDF: it does not contain a PDF header" in error


def test_pdf_named_text(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(text_pdf("notes"))
    status, error = refused(parse(path))
    assert status is Status.UNSUPPORTED
    assert "is a PDF by its content; rename it" in error


@pytest.mark.parametrize("length", [9, 200, 800])
def test_truncated_pdf(tmp_path: Path, length: int) -> None:
    path = tmp_path / "half.pdf"
    path.write_bytes(text_pdf("one", "two", "three")[:length])
    status, error = refused(parse(path))
    assert status is Status.CORRUPT
    assert "'half.pdf' is damaged" in error


def test_name_with_a_line_break_stays_one_line(tmp_path: Path) -> None:
    path = tmp_path / "a\nb.pdf"
    path.write_bytes(b"%PDF-1.7 nothing")
    assert refused(parse(path))[0] is Status.CORRUPT
