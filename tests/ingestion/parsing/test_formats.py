"""Every format through `parse`, in the child process and under its limits."""

from pathlib import Path

import pytest

from ingestion.documents import Status
from ingestion.parsing import DOCUMENT_SUFFIXES, DRAWN_SUFFIXES, SUPPORTED_SUFFIXES, ParseLimits, parse
from ingestion.parsing.structured.suffixes import SOURCE_CODE_SUFFIXES
from tests.helpers.reading import MAKERS

SOURCES = {
    ".txt": "words",
    ".md": "*words*",
    ".markdown": "# words",
    ".html": "<p>words",
    ".htm": "<p>words",
    ".xhtml": "<html><body><p>words</p></body></html>",
    ".csv": "a,b\nwords,1",
    ".tsv": "a\tb\nwords\t1",
    ".json": '{"a": "words"}',
    ".jsonl": '{"a": "words"}',
    ".ndjson": '{"a": "words"}',
    ".ipynb": '{"cells": [{"cell_type": "markdown", "source": "words"}]}',
    ".eml": "Subject: words",
    ".rtf": r"{\rtf1 words}",
    **dict.fromkeys(SOURCE_CODE_SUFFIXES, "words = 1"),
}
ONE_OF_EACH = {*DOCUMENT_SUFFIXES, ".py"} - DRAWN_SUFFIXES


def make(path: Path) -> Path:
    if path.suffix in SOURCES:
        path.write_text(SOURCES[path.suffix])
    else:
        MAKERS[path.suffix](path)
    return path


def test_every_format_is_here() -> None:
    assert SOURCES.keys() | MAKERS.keys() | DRAWN_SUFFIXES == SUPPORTED_SUFFIXES


@pytest.mark.parametrize("suffix", sorted(ONE_OF_EACH))
def test_parse(tmp_path: Path, suffix: str) -> None:
    document = parse(make(tmp_path / f"a{suffix}"))
    assert (document.status, document.error, document.page_count) == (Status.OK, None, 1)
    assert "words" in document.pages[0].text


@pytest.mark.parametrize("suffix", [".doc", ".ppt", ".xls", ".pages", ".wpd"])
def test_formats_that_are_not_read(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_bytes(b"words")
    document = parse(path)
    assert document.status is Status.UNSUPPORTED
    assert document.error is not None
    assert ".docx, " in document.error


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.html", b"<b>" * 2_000_000),
        ("a.html", b"<table><tr>" + b"<td rowspan=1000 colspan=1000>x" * 100_000),
        ("a.html", b"<table>" * 900 + b"<tr><td>a<td>b" * 2_000),
        ("a.md", b"[" * 50_000 + b"](" * 50_000),
        ("a.md", b"|a" * 20_000 + b"\n" + b"|-" * 20_000 + b"\n" + b"|\n" * 2_000),
        ("a.csv", b'"' * 3_000_001),
        ("a.csv", b"," * 3_000_000),
    ],
    ids=["tags", "spans", "tables in tables", "brackets", "columns", "quotes", "commas"],
)
@pytest.mark.slow
def test_hostile_files_end(tmp_path: Path, name: str, data: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    document = parse(path, limits=ParseLimits(cpu_seconds=20, wall_seconds=60, max_characters=5_000_000))
    assert document.error is None or "crashed" not in document.error
