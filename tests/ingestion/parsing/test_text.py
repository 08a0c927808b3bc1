"""Plain text, and the bytes of text."""

from pathlib import Path

import pytest

from ingestion.documents import Page, ParsedDocument, Status
from ingestion.parsing import ParseLimits, parse


def parsed(
    folder: Path, data: bytes | str, name: str = "a.txt", limits: ParseLimits | None = None
) -> ParsedDocument:
    path = folder / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return parse(path, limits=limits or ParseLimits())


@pytest.mark.parametrize(
    "data",
    [
        "Zoë’s\nlist".encode(),
        "Zoë’s\nlist".encode("utf-8-sig"),
        "Zoë’s\nlist".encode("utf-16"),
        b"\xfe\xff" + "Zoë’s\nlist".encode("utf-16-be"),
        "Zoë’s\nlist".encode("utf-32"),
        "Zoë’s\r\nlist".encode(),
        "Zoë’s  \rlist".encode(),
    ],
    ids=["utf-8", "utf-8 mark", "utf-16-le", "utf-16-be", "utf-32", "crlf", "cr and spaces"],
)
def test_encodings_and_line_ends(tmp_path: Path, data: bytes) -> None:
    document = parsed(tmp_path, data)
    assert document == ParsedDocument(Status.OK, page_count=1, pages=(Page(1, "Zoë’s\nlist"),))


def test_bytes_that_cp1252_lacks_are_read_as_latin_1(tmp_path: Path) -> None:
    assert parsed(tmp_path, b"caf\xe9 " * 20 + b"\x81").pages[0].text == ("café " * 20).rstrip()


def test_form_feed_begins_a_page(tmp_path: Path) -> None:
    document = parsed(tmp_path, "one\n\ftwo\n\f")
    assert document.page_count == 2
    assert document.pages == (Page(1, "one\n"), Page(2, "two\n"))


@pytest.mark.parametrize(
    "data", [b"GIF89a\0\1\2", bytes(range(1, 256)) * 4], ids=["nul", "control characters"]
)
def test_binary_data_is_unsupported(tmp_path: Path, data: bytes) -> None:
    document = parsed(tmp_path, data)
    assert (document.status, document.pages) == (Status.UNSUPPORTED, ())
    assert document.error is not None
    assert "'a.txt' is not text but binary data" in document.error


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"PK\x03\x04 and so on", "is a ZIP archive"),
        (b"\xd0\xcf\x11\xe0 and so on", "is a file of an old Office program"),
        (b"{\\rtf1 and so on}", "is rich text (RTF)"),
    ],
)
def test_other_kinds_are_named(tmp_path: Path, data: bytes, kind: str) -> None:
    document = parsed(tmp_path, data)
    assert document.status is Status.UNSUPPORTED
    assert document.error is not None
    assert kind in document.error


def test_broken_utf_16_is_corrupt(tmp_path: Path) -> None:
    document = parsed(tmp_path, b"\xff\xfea\0b")
    assert document.status is Status.CORRUPT
    assert document.error is not None
    assert "byte 4" in document.error


@pytest.mark.parametrize("data", [" \n\t\n", "\f\f", "\ufeff"])
def test_white_space_is_no_text(tmp_path: Path, data: str) -> None:
    document = parsed(tmp_path, data)
    assert (document.status, document.pages) == (Status.NO_TEXT, ())


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("12345\f12345", ["12345", "12345"]),
        ("12345\f123456", ["12345", "12345", "6"]),
        ("ab\ncde", ["ab\n", "cde"]),
        ("ab\n\ncd\nef", ["ab\n", "\ncd\n", "ef"]),
    ],
)
def test_a_long_page_is_cut_between_paragraphs_or_lines(tmp_path: Path, text: str, parts: list[str]) -> None:
    document = parsed(tmp_path, text, limits=ParseLimits(max_page_characters=5))
    assert document.status is Status.OK
    assert [page.text for page in document.pages] == parts


def test_a_novel_without_form_feeds_is_read(tmp_path: Path) -> None:
    text = "A line of a novel that goes on and on.\n\n" * 40_000  # 1.6 million characters
    document = parsed(tmp_path, text)
    assert document.status is Status.OK
    assert "".join(page.text for page in document.pages) == text
    assert max(len(page.text) for page in document.pages) <= 50_000


def test_too_many_pages(tmp_path: Path) -> None:
    assert parsed(tmp_path, "1\f2\f3", limits=ParseLimits(max_pages=2)).status is Status.TOO_LARGE


def test_plain_text_has_no_headings(tmp_path: Path) -> None:
    document = parsed(tmp_path, "# not Markdown")
    assert (document.headings, document.title) == ((), None)
