"""ZIP archives: their files are named and unpacked, within limits."""

import struct
import zipfile
from pathlib import Path

import pytest

from ingestion.documents import ParsedDocument, Status
from ingestion.parsing import ParseLimits, parse, unpack
from tests.helpers.reading import make_docx, read

TERMS = b"The notice period is ninety days.\n"


def packed(folder: Path, *members: tuple[str, bytes]) -> Path:
    path = folder / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return path


def unpacked(path: Path, limits: ParseLimits | None = None) -> dict[str, bytes | None]:
    place = path.with_suffix("")
    place.mkdir()
    found = unpack(path, place, limits=limits or ParseLimits())
    assert all(one.file is None or one.file.resolve().is_relative_to(place.resolve()) for one in found)
    return {one.name: one.file.read_bytes() if one.file else None for one in found}


def test_files_are_listed_and_unpacked(tmp_path: Path) -> None:
    path = packed(tmp_path, ("terms.txt", TERMS), ("old/terms.txt", b"old"), ("old/", b""), ("é.md", b"x"))
    document = read(path)
    assert document.status is Status.OK
    assert document.pages[0].text == "terms.txt\nold/terms.txt\né.md"
    assert (document.attachments, document.warnings) == (("terms.txt", "old∕terms.txt", "é.md"), ())
    assert unpacked(path) == {"terms.txt": TERMS, "old∕terms.txt": b"old", "é.md": b"x"}


def test_names_lead_nowhere_and_are_told_apart(tmp_path: Path) -> None:
    path = packed(tmp_path, ("../../up.txt", b"1"), ("/up.txt", b"2"), ("C:\\up.txt", b"3"), ("UP.txt", b"4"))
    assert list(unpacked(path)) == ["up.txt", "2 up.txt", "C:∕up.txt", "UP.txt"]


def test_leftovers_and_hidden_files_are_passed_over_and_counted(tmp_path: Path) -> None:
    path = packed(
        tmp_path, ("a.txt", b"x"), ("__MACOSX/._a.txt", b"x"), (".git/x.txt", b"x"), ("Thumbs.db", b"x")
    )
    document = read(path)
    assert document.attachments == ("a.txt",)
    assert document.warnings == ("Passed over: 3 hidden files and files that programs leave behind.",)


def test_more_files_than_the_limit_are_named(tmp_path: Path) -> None:
    document = read(packed(tmp_path, *((f"{number}.txt", b"x") for number in range(501))))
    assert len(document.attachments) == 500
    assert document.warnings == ("The archive has 501 files; only the first 500 are read. Split it.",)
    assert document.pages[0].text.endswith("\n500.txt")


def test_long_names_keep_their_suffix(tmp_path: Path) -> None:
    (name,) = read(packed(tmp_path, ("x" * 250 + ".txt", b"x"))).attachments
    assert (len(name), name[-5:]) == (120, "x.txt")


def refused(document: ParsedDocument) -> tuple[Status, str]:
    assert document.pages == ()
    assert document.error is not None
    return document.status, document.error


def test_bombs_are_not_unpacked(tmp_path: Path) -> None:
    path = packed(tmp_path, ("bomb.txt", bytes(30_000_000)), ("a.txt", b"x"))
    (warning,) = read(path).warnings
    assert "'bomb.txt' of the archive is not unpacked: it unpacks to 30000000 bytes" in warning
    assert unpacked(path) == {"bomb.txt": None, "a.txt": b"x"}


def test_files_beyond_the_limit_of_size_are_not_unpacked(tmp_path: Path) -> None:
    path = packed(tmp_path, ("a.txt", TERMS * 20), ("b.txt", TERMS * 20), ("c.txt", b"x"))
    limits = ParseLimits(max_bytes=1000)
    (warning,) = read(path, limits).warnings
    assert "'b.txt' of the archive is not unpacked" in warning
    assert unpacked(path, limits) == {"a.txt": TERMS * 20, "b.txt": None, "c.txt": b"x"}


def test_a_size_that_lies_gives_no_more_than_it_says(tmp_path: Path) -> None:
    path = packed(tmp_path, ("a.txt", bytes(3_000_000)))
    path.write_bytes(path.read_bytes().replace(struct.pack("<I", 3_000_000), struct.pack("<I", 10)))
    data = unpacked(path)["a.txt"]
    assert data is None or len(data) <= 10


def test_a_password_is_named(tmp_path: Path) -> None:
    path = packed(tmp_path, ("a.txt", b"x"))
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    status, error = refused(read(path))
    assert status is Status.NEEDS_PASSWORD
    assert "unpack it" in error


def test_other_files_of_that_kind_say_so(tmp_path: Path) -> None:
    make_docx(tmp_path / "a.docx")
    status, error = refused(read((tmp_path / "a.docx").rename(tmp_path / "a.zip")))
    assert status is Status.UNSUPPORTED
    assert "as .docx" in error


def test_an_export_of_a_library_is_for_import(tmp_path: Path) -> None:
    path = packed(tmp_path, ("manifest.json", b"{}"), ("documents/1.json", b"{}"))
    assert refused(read(path)) == (
        Status.UNSUPPORTED,
        "'a.zip' is an export of a library; rag-app import brings its documents in",
    )


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"", Status.NO_TEXT),
        (b"words", Status.CORRUPT),
        (b"PK\x03\x04" + bytes(100), Status.CORRUPT),
        (b"PK\x05\x06" + bytes(18), Status.NO_TEXT),
    ],
    ids=["empty", "text", "truncated", "no files"],
)
def test_hostile_files_have_a_status(tmp_path: Path, data: bytes, status: Status) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(data)
    assert refused(parse(path))[0] is status


def test_a_damaged_file_ends_no_other(tmp_path: Path) -> None:
    path = packed(tmp_path, ("a.txt", TERMS), ("b.txt", TERMS))
    data = bytearray(path.read_bytes())
    data[45] ^= 0xFF  # in the packed bytes of the first
    path.write_bytes(data)
    assert unpacked(path) == {"a.txt": None, "b.txt": TERMS}
