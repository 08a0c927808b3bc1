"""Scans and hidden letters, read by the real tesseract."""

import os
import sys
import time
from pathlib import Path

import fpdf
import pytest
from pdfs import pdf, stream
from PIL import Image, ImageDraw, ImageFont
from test_parse_hostile import SOON, children, linux_only

from ingestion.documents import Page, Status
from ingestion.errors import Cancelled
from ingestion.parsing import ParseLimits, parse
from ingestion.parsing.ocr import available

pytestmark = pytest.mark.skipif(
    available(("eng",)) is not None, reason="tesseract is not installed with its English data"
)

DPI = 200


def scan(*lines: str) -> Image.Image:
    """A page of 5 by 4 inches with large black letters, the first line an inch from the top and left."""
    image = Image.new("L", (5 * DPI, 4 * DPI), 255)
    draw = ImageDraw.Draw(image)
    for number, line in enumerate(lines):
        draw.text((DPI, DPI * (1 + number / 2)), line, font=ImageFont.load_default(40), fill=0)
    return image


def scanned(folder: Path, *pages: str | Image.Image) -> Path:
    """Pages of text and pages that are pictures."""
    document = fpdf.FPDF(unit="pt", format=(360, 288))
    document.set_font("Helvetica", size=12)
    for page in pages:
        document.add_page()
        if isinstance(page, str):
            document.cell(text=page)
        else:
            document.image(page, 0, 0, 360, 288)
    path = folder / "scan.pdf"
    document.output(str(path))
    return path


def words(page: Page) -> list[str]:
    assert page.layout is not None
    return [page.text[start:end] for start, end, *_ in page.layout.words]


@pytest.mark.slow
def test_scanned_pages_are_recognised_after_the_others(tmp_path: Path) -> None:
    path = scanned(tmp_path, scan("Harvest of 1921", "eleven barrels"), "typed", scan(), "the end")
    seen: list[int] = []
    document = parse(path, on_page=lambda done, total: seen.append(total * 10 + done))
    assert seen == [41, 42, 43, 44]
    assert (document.status, document.error, document.failures) == (Status.OK, None, ())
    first, second, third, fourth = document.pages
    assert first.text.split() == ["Harvest", "of", "1921", "eleven", "barrels"]
    assert words(first) == first.text.split()
    assert (second.text, third.text, fourth.text) == ("typed", "", "the end")
    assert first.layout is not None
    assert (first.layout.width, first.layout.height, first.layout.runs) == (360.0, 288.0, ())
    _, _, left, top, right, bottom = first.layout.words[0]
    assert 70 < left < 76
    assert 72 < top < 84
    assert left + 40 < right < 180
    assert top < bottom < 96


@pytest.mark.slow
def test_letters_that_their_font_hides_are_recognised(tmp_path: Path) -> None:
    hidden = b" ".join(b"<%02X> <0001>" % code for code in range(ord("A"), ord("Z") + 1))
    table = (
        b"/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /X def /CMapType 2 def "
        b"1 begincodespacerange <00> <FF> endcodespacerange 26 beginbfchar %s endbfchar endcmap end end"
        % hidden
    )
    font = b"/Type /Font /Subtype /Type1 /BaseFont /Helvetica /ToUnicode 4 0 R"
    content = b"BT /F1 30 Tf 72 720 Td (SECRET HARVEST) Tj ET"
    path = tmp_path / "file.pdf"
    path.write_bytes(pdf([stream(content)], font=font, extra=[stream(table)]))
    document = parse(path)
    assert (document.status, document.pages[0].text) == (Status.OK, "SECRET HARVEST")


@pytest.mark.slow
def test_scan_without_words_says_so(tmp_path: Path) -> None:
    document = parse(scanned(tmp_path, scan()))
    assert (document.status, document.pages) == (Status.NO_TEXT, ())
    assert document.error == (
        "'scan.pdf' has no text on any page (pages: 1); text recognition (OCR) has found none in its "
        "pictures either; check the file"
    )


def test_without_tesseract_there_is_one_hint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = scanned(tmp_path, scan("one"), "typed", scan("three"))
    monkeypatch.setenv("PATH", str(tmp_path))
    hint = available(("eng",))
    assert hint is not None
    document = parse(path)
    assert document.error is not None
    assert (document.status, [page.text for page in document.pages]) == (Status.PARTIAL, ["typed"])
    assert [failure.number for failure in document.failures] == [1, 3]
    assert document.error.count(hint) == 1
    assert not any(hint in failure.reason for failure in document.failures)


def test_an_unknown_language_is_named(tmp_path: Path) -> None:
    document = parse(scanned(tmp_path, scan("one")), limits=ParseLimits(ocr_languages=("eng", "tlh")))
    assert document.status is Status.NO_TEXT
    assert document.error is not None
    assert "tlh" in document.error


@linux_only
@pytest.mark.slow
def test_cancel_ends_tesseract(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_OF_CANCEL", str(tmp_path))  # marks the processes of this test
    mark = f"TEST_OF_CANCEL={tmp_path}".encode()

    def running() -> list[str]:
        found = []
        for entry in Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and mark in (entry / "environ").read_bytes().split(b"\0"):
                    found.append((entry / "comm").read_text().strip())
            except OSError:
                continue
        return found

    path = scanned(tmp_path, *[scan("one", "two", "three")] * 30)
    with pytest.raises(Cancelled):
        parse(path, cancelled=lambda: "tesseract" in running())
    assert children(os.getpid()) == []
    deadline = time.monotonic() + SOON
    while "tesseract" in running() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert "tesseract" not in running()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="no limit on processor time")
def test_processor_time_counts_anew_for_each_recognised_page(tmp_path: Path) -> None:
    image = Image.new("L", (8 * DPI, 11 * DPI), 255)
    for number in range(60):
        line = f"{number} barrels of apples and pears were brought to the cellar on that day, and more came"
        ImageDraw.Draw(image).text((60, 30 + 35 * number), line, font=ImageFont.load_default(28), fill=0)
    path = scanned(tmp_path, image)
    document = parse(path, limits=ParseLimits(cpu_seconds=1))  # the page takes tesseract two
    assert (document.status, document.error) == (Status.OK, None)
    assert len(document.pages[0].text.split()) > 900
