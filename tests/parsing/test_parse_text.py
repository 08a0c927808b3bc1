"""Plain text and Markdown."""

from pathlib import Path

import pytest

from ingestion.documents import Heading, Page, ParsedDocument, Status
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
        "Zoë’s\r\nlist".encode("cp1252"),
        "Zoë’s  \rlist".encode(),
    ],
    ids=["utf-8", "utf-8 mark", "utf-16-le", "utf-16-be", "utf-32", "cp1252 crlf", "cr and spaces"],
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


MARKDOWN = """\
Before

# The *whole* `story`

Setext
======

```
# no heading
```

    # code, no heading

### Deep ###

Under
-----
"""


@pytest.mark.parametrize("name", ["a.md", "a.MARKDOWN"])
def test_markdown_headings(tmp_path: Path, name: str) -> None:
    document = parsed(tmp_path, MARKDOWN, name)
    assert document.title == "The whole story"
    assert [(heading.title, heading.level, heading.page) for heading in document.headings] == [
        ("The whole story", 1, 1),
        ("Setext", 1, 1),
        ("Deep", 3, 1),
        ("Under", 2, 1),
    ]
    lines = [document.pages[0].text[heading.start :].split("\n")[0] for heading in document.headings]
    assert lines == ["# The *whole* `story`", "Setext", "### Deep ###", "Under"]


def test_markdown_is_kept_as_written(tmp_path: Path) -> None:
    assert parsed(tmp_path, MARKDOWN, "a.md").pages == (Page(1, MARKDOWN),)


def test_markdown_headings_count_from_their_page(tmp_path: Path) -> None:
    document = parsed(tmp_path, "# One\r\n\fé\r\n## Two", "a.md")
    assert document.headings == (Heading("One", 1, 1, 0), Heading("Two", 2, 2, 2))


def test_front_matter_is_no_heading(tmp_path: Path) -> None:
    document = parsed(tmp_path, "---\ntags: a\n---\n\n# Real\n", "a.md")
    assert document.headings == (Heading("Real", 1, 1, 17),)


def test_plain_text_has_no_headings(tmp_path: Path) -> None:
    document = parsed(tmp_path, "# not Markdown")
    assert (document.headings, document.title) == ((), None)
