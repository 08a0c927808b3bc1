"""Source code: lines as they stand, blocks that stay whole, and the lines that a citation names."""

from pathlib import Path

import pytest

from ingestion.chunking.chunker import ChunkLimits, chunk_pages
from ingestion.documents import Chunk, Page, Status
from ingestion.parsing import ParseLimits
from ingestion.text.line_numbers import first_line, lines_between
from tests.helpers.reading import read
from tests.ingestion.chunking.test_chunker import Words

CODE = """\
import os


def area(width, height):
    # The area of a field in square metres.

    return width * height


def fence(width, height):
    return 2 * (width + height)
"""
SMALL = ChunkLimits(text_tokens=20, context_tokens=5, characters=400)


def pages_of(folder: Path, source: bytes | str, limits: ParseLimits | None = None) -> tuple[Page, ...]:
    path = folder / "field.py"
    path.write_bytes(source.encode() if isinstance(source, str) else source)
    document = read(path, limits)
    assert (document.status, document.headings) == (Status.OK, ())
    return document.pages


def chunked(pages: tuple[Page, ...]) -> list[Chunk]:
    return list(chunk_pages(pages, (), Words(), title="field", limits=SMALL))


def test_lines_stay_as_they_are(tmp_path: Path) -> None:
    assert pages_of(tmp_path, CODE) == (Page(1, CODE, "lines 1–11"),)


@pytest.mark.parametrize("source", [CODE.replace("\n", "\r\n"), CODE.replace("os\n", "os\n\f", 1)])
def test_line_ends_and_form_feeds_move_no_line(tmp_path: Path, source: str) -> None:
    (page,) = pages_of(tmp_path, source)
    assert page.label == "lines 1–11"
    assert page.text.split("\n")[6].strip() == "return width * height"


def test_blocks_stay_whole_and_name_their_lines(tmp_path: Path) -> None:
    chunks = chunked(pages_of(tmp_path, CODE))
    assert [chunk.heading for chunk in chunks] == ["lines 1–5", "lines 7–11"]
    assert chunks[1].text.endswith("height\n\n\ndef fence(width, height):\n    return 2 * (width + height)")
    assert {chunk.context for chunk in chunks} == {"field"}


def test_a_block_longer_than_a_chunk_is_cut_between_lines(tmp_path: Path) -> None:
    source = "".join(f"value_{number} = {number}\n" for number in range(1, 31))
    chunks = chunked(pages_of(tmp_path, source))
    assert "\n".join(chunk.text for chunk in chunks) == source.rstrip()
    firsts = [first_line(chunk.heading) for chunk in chunks]
    assert [chunk.text.split()[0] for chunk in chunks] == [f"value_{first}" for first in firsts]


def test_lines_count_on_over_the_pages_of_a_long_file(tmp_path: Path) -> None:
    source = "".join(f"value_{number} = 1\n\n" for number in range(1, 101))
    pages = pages_of(tmp_path, source, ParseLimits(max_page_characters=500))
    assert len(pages) == 3
    assert "".join(page.text for page in pages) == source
    for chunk in chunked(pages):
        number = int(chunk.text.split()[0].removeprefix("value_"))
        assert first_line(chunk.heading) == 2 * number - 1


@pytest.mark.parametrize(
    ("label", "start", "end", "lines"),
    [
        ("lines 10–12", 0, 3, "line 10"),
        ("lines 10–12", 2, 7, "lines 10–11"),
        ("xii", 0, 3, None),
        (None, 0, 3, None),
    ],
)
def test_lines_between(label: str | None, start: int, end: int, lines: str | None) -> None:
    assert lines_between(label, "one\ntwo\nsix", start, end) == lines


@pytest.mark.parametrize(
    ("source", "status"),
    [
        (b"\x7fELF\0\0\1", Status.UNSUPPORTED),
        (b"\xff\xfea\0b", Status.CORRUPT),
        (b"\n\n", Status.NO_TEXT),
        (b"x = 1\n" * 40, Status.TOO_LARGE),
    ],
    ids=["binary", "half a letter", "blank", "long"],
)
def test_hostile_files_have_a_status(tmp_path: Path, source: bytes, status: Status) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(source)
    document = read(path, ParseLimits(max_page_characters=30, max_pages=3))
    assert (document.status, document.pages) == (status, ())
    assert document.error is not None
    assert "'a.py'" in document.error
