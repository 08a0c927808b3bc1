"""Files inside a PDF: named while it is read, and unpacked by a child of their own."""

from pathlib import Path

import pypdf
import pytest
from fpdf import FPDF

from ingestion.errors import Cancelled
from ingestion.parsing import ParseLimits, parse, unpack

TERMS = b"The notice period is 90 days.\n"


def pdf_with(path: Path, *parts: tuple[str, bytes], password: str | None = None) -> Path:
    plain = FPDF()
    plain.add_page()
    plain.set_font("Helvetica", size=12)
    plain.cell(text="The terms are attached.")
    plain.output(str(path))
    writer = pypdf.PdfWriter(path)
    for name, data in parts:
        writer.add_attachment(name, data)
    if password:
        writer.encrypt(password, algorithm="AES-256")
    writer.write(path)
    return path


def test_attachments_are_named_and_unpacked(tmp_path: Path) -> None:
    large = bytes(range(256)) * 8192  # several pieces
    file = pdf_with(tmp_path / "offer.pdf", ("terms.txt", TERMS), ("sheet.bin", large))
    parsed = parse(file)
    assert sorted(parsed.attachments) == ["sheet.bin", "terms.txt"]
    assert parsed.warnings == ()
    found = {one.name: one.file for one in unpack(file, tmp_path)}
    assert {name: place and place.read_bytes() for name, place in found.items()} == {
        "terms.txt": TERMS,
        "sheet.bin": large,
    }
    assert all(place and place.name == name for name, place in found.items())


def test_names_stay_in_their_folder_and_are_told_apart(tmp_path: Path) -> None:
    names = ("../../up.txt", "C:\\letters\\up.txt", "..", "a\x00b\n.txt")
    file = pdf_with(tmp_path / "odd.pdf", *((name, TERMS) for name in names))
    folder = tmp_path / "parts"
    folder.mkdir()
    found = unpack(file, folder)
    assert len(found) == 4
    assert len({one.name for one in found}) == 4
    assert {"up.txt", "2 up.txt"} <= {one.name for one in found}
    for one in found:
        assert one.file is not None
        assert one.file.resolve().is_relative_to(folder.resolve())
        assert one.file.name.isprintable()
    assert not (tmp_path / "up.txt").exists()


def test_what_cannot_be_unpacked_is_named_without_a_file(tmp_path: Path) -> None:
    file = pdf_with(tmp_path / "offer.pdf", ("a.txt", b""), ("b.txt", TERMS), ("c.txt", TERMS * 1000))
    small = ParseLimits(max_bytes=1000)
    assert {one.name: one.file is not None for one in unpack(file, tmp_path, limits=small)} == {
        "a.txt": False,
        "b.txt": True,
        "c.txt": False,
    }


def test_a_locked_pdf_gives_its_attachments_for_its_password(tmp_path: Path) -> None:
    file = pdf_with(tmp_path / "locked.pdf", ("terms.txt", TERMS), password="pear")
    assert unpack(file, tmp_path) == []
    (found,) = unpack(file, tmp_path, password="pear")
    assert found.file is not None
    assert found.file.read_bytes() == TERMS


def test_unpacking_can_be_cancelled(tmp_path: Path) -> None:
    file = pdf_with(tmp_path / "offer.pdf", ("terms.txt", TERMS))
    with pytest.raises(Cancelled):
        unpack(file, tmp_path, cancelled=lambda: True)
