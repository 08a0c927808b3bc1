"""Scans and hidden letters, read by the real tesseract."""

import os
import sys
import time
from pathlib import Path

import fpdf
import pytest
from PIL import Image, ImageDraw, ImageFont

from ingestion.documents import ELSEWHERE, Page, Status
from ingestion.errors import Cancelled
from ingestion.parsing import ParseLimits, draw_page, parse
from ingestion.parsing.frames import Draft, Frame, PageCount, PageFault
from ingestion.parsing.ocr.tesseract import available
from ingestion.parsing.sandbox.collector import Collector
from tests.helpers.pdfs import pdf, stream
from tests.helpers.processes import SOON, children, linux_only

pytestmark = pytest.mark.skipif(
    available(("eng",)) is not None, reason="tesseract is not installed with its English data"
)

DPI = 200
LIMITS = ParseLimits(ocr_recogniser="tesseract")


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
    document = parse(path, on_page=lambda done, total: seen.append(total * 10 + done), limits=LIMITS)
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
    document = parse(path, limits=LIMITS)
    assert (document.status, document.pages[0].text) == (Status.OK, "SECRET HARVEST")


@pytest.mark.slow
def test_scan_without_words_says_so(tmp_path: Path) -> None:
    document = parse(scanned(tmp_path, scan()), limits=LIMITS)
    assert (document.status, document.pages) == (Status.NO_TEXT, ())
    assert document.error == (
        "'scan.pdf' has no text on any page (pages: 1); text recognition (OCR) has found none in its "
        "pictures either; check the file"
    )


def marked(folder: Path, picture: Image.Image, place: tuple[float, ...], *marks: str, hidden: bool) -> Path:
    """A page of 360 by 288 points with a picture, and lines of text from the top, seen or not."""
    document = fpdf.FPDF(unit="pt", format=(360, 288))
    document.set_font("Helvetica", size=8)
    document.add_page()
    document.image(picture, *place)  # type: ignore[arg-type]
    with document.local_context(text_mode=3 if hidden else 0):
        for number, mark in enumerate(marks):
            document.text(72, 20 + 10 * number, mark)
    path = folder / "marked.pdf"
    document.output(str(path))
    return path


WHOLE = (0.0, 0.0, 360.0, 288.0)
LETTER = ("Harvest of 1921", "eleven barrels", "were sold in May")


@pytest.mark.slow
def test_an_unseen_mark_is_left_out_and_the_page_is_read_as_a_scan(tmp_path: Path) -> None:
    document = parse(marked(tmp_path, scan(*LETTER), WHOLE, "HT-000417", hidden=True), limits=LIMITS)
    assert document.pages[0].text.split() == " ".join(LETTER).split()
    (warning,) = document.warnings
    assert warning.startswith("1 passage of hidden text, which a reader does not see, was left out (page 1)")


@pytest.mark.slow
def test_a_mark_does_not_hide_that_a_page_is_a_scan(tmp_path: Path) -> None:
    path = marked(tmp_path, scan(*LETTER), WHOLE, "HT-000417", hidden=False)
    document = parse(path, limits=LIMITS)
    assert (document.status, document.warnings) == (Status.OK, ())
    (page,) = document.pages
    assert page.text.split() == ["HT-000417", *" ".join(LETTER).split()]
    assert page.layout is not None
    assert page.layout.runs == ((0, 0), (len("HT-000417"), ELSEWHERE))
    assert words(page) == " ".join(LETTER).split()
    picture = draw_page(path, 1, page.layout, spans=[(0, 9), (page.text.index("eleven"), len(page.text))])
    mark, seen = picture.boxes
    assert [round(box.left) for box in mark] == [72]
    assert len(seen) == 6  # a box for each recognised word
    assert 100 < seen[0].top < 120


@pytest.mark.slow
def test_a_page_half_text_half_picture_has_both(tmp_path: Path) -> None:
    typed = ("Typed above the picture", "in two lines")
    path = marked(tmp_path, scan(*LETTER), (0, 40, 360, 248), *typed, hidden=False)
    assert parse(path, limits=LIMITS).pages[0].text.split() == " ".join((*typed, *LETTER)).split()


def test_a_scan_that_was_recognised_is_not_recognised_again(tmp_path: Path) -> None:
    document = fpdf.FPDF(unit="pt", format=(360, 288))
    document.set_font("Helvetica", size=14)
    document.add_page()
    document.image(scan(*LETTER), *WHOLE)
    with document.local_context(text_mode=3):
        for number, line in enumerate(LETTER):
            document.text(72, 84 + 36 * number, line)
    path = tmp_path / "known.pdf"
    document.output(str(path))
    page = parse(path, limits=LIMITS).pages[0]
    assert page.text.split("\n") == list(LETTER)
    assert words(page) == []


def test_a_background_is_not_recognised(tmp_path: Path) -> None:
    lines = [f"Ordinary line {number} of a brochure with a background" for number in range(20)]
    for picture in (
        Image.linear_gradient("L").point(lambda grey: 90 + grey // 2),
        Image.effect_noise((300, 240), 60),
    ):
        page = parse(marked(tmp_path, picture, WHOLE, *lines, hidden=False), limits=LIMITS).pages[0]
        assert page.text.split("\n") == lines
        assert words(page) == []


def test_without_tesseract_a_marked_scan_keeps_its_text_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = marked(tmp_path, scan(*LETTER), WHOLE, "HT-000417", hidden=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    document = parse(path, limits=LIMITS)
    assert (document.status, document.pages[0].text) == (Status.OK, "HT-000417")
    (warning,) = document.warnings
    assert warning.startswith("Text in pictures on page 1 is not read: text recognition needs the program")


def test_a_page_counts_as_far_as_it_is_read_if_recognition_kills_the_child() -> None:
    collector = Collector("a.pdf", ParseLimits())
    drafts = [Draft(1, "HT-000417", None), Draft(2, "HT-000418", None)]
    frames: list[Frame] = [PageCount(2), *drafts, PageFault(1, "the parser crashed", Status.FAILED)]
    for frame in frames:
        collector.take(frame)
    collector.stop(Status.TIMED_OUT, "it took too long")
    document = collector.finish()
    assert [page.text for page in document.pages] == ["HT-000417", "HT-000418"]
    assert document.warnings == (
        "Text in a picture on page 1 is not read: the parser crashed",
        "Text in a picture on page 2 is not read: it took too long",
    )


def test_without_tesseract_there_is_one_hint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = scanned(tmp_path, scan("one"), "typed", scan("three"))
    monkeypatch.setenv("PATH", str(tmp_path))
    hint = available(("eng",))
    assert hint is not None
    document = parse(path, limits=LIMITS)
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
        parse(path, limits=LIMITS, cancelled=lambda: "tesseract" in running())
    assert children(os.getpid()) == []
    deadline = time.monotonic() + SOON
    while "tesseract" in running() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert "tesseract" not in running()


@pytest.mark.soak
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
