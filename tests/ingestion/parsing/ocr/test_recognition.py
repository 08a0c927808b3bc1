"""Pages that are only pictures: which they are, how they are drawn, and what is said of them."""

import math
from pathlib import Path

import pytest
from PIL import Image

from ingestion.documents import Page, PageLayout, Status
from ingestion.parsing import ParseLimits, parse
from ingestion.parsing.frames import OcrHint, PageBegun, PageFault
from ingestion.parsing.ocr import recognition
from ingestion.parsing.ocr.recognition import UnreadPage, recognise
from ingestion.parsing.ocr.unread_text import PlacedLetter
from ingestion.parsing.pdf.pdfium import MAX_PIXELS, PdfiumFile, picture_scale
from tests.helpers.pdfs import bare, pdf, show, stream

LIMITS = ParseLimits()
WANTED = (LIMITS.ocr_recogniser, LIMITS.ocr_languages)
SCAN = b"q 612 0 0 792 0 0 cm /Im1 Do Q"
SMALL = b"q 100 0 0 100 0 0 cm /Im1 Do Q "
PIXEL = b"/Subtype /Image /Width 1 /Height 1 /ColorSpace /DeviceGray /BitsPerComponent 8"
GREY = stream(b"\x80", PIXEL)  # as large as the page wants it


def pictures(*contents: bytes, box: bytes = b"[0 0 612 792]") -> bytes:
    """Pages with these contents, which may draw /Im1."""
    data = pdf(
        [stream(content) for content in contents], resources=b"/XObject << /Im1 4 0 R >>", extra=[GREY]
    )
    return data.replace(b"[0 0 612 792]", box)


def saved(folder: Path, data: bytes) -> Path:
    path = folder / "file.pdf"
    path.write_bytes(data)
    return path


class FakeFile:
    """Draws every page as one white pixel; page 13 cannot be drawn."""

    def picture(self, number: int, *, own_text: bool = True) -> tuple[Image.Image, float, float]:
        assert own_text
        if number == 13:
            raise ValueError("bad luck")
        return Image.new("L", (1, 1), 255), 9.0, 9.0

    def letters(self, number: int) -> list[PlacedLetter]:
        raise AssertionError(f"page {number} has no text")


class FakeRecogniser:
    def page(self, image: Image.Image, width: float, height: float, number: int) -> Page:
        assert image.size == (1, 1)
        if number == 7:
            raise FakeOcrError("it took too long")
        return Page(number, "seen", layout=PageLayout(width, height))

    def warning(self) -> str | None:
        return None


class FakeOcrError(Exception):
    pass


@pytest.fixture
def ocr(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Stands for the recognisers, which have tests of their own."""
    monkeypatch.setattr(recognition, "OcrError", FakeOcrError)
    monkeypatch.setattr(recognition, "open_recogniser", lambda _: FakeRecogniser())
    monkeypatch.setattr(recognition, "available", lambda *_: None)
    return monkeypatch


@pytest.mark.usefixtures("ocr")
def test_each_page_is_announced_and_ends_as_page_or_fault() -> None:
    pages = [UnreadPage(number, "it is a picture without text") for number in (2, 7, 13)]
    first, second, *others = recognise(FakeFile(), pages, LIMITS)
    assert first == PageBegun(2, recognise=True)
    assert second == Page(2, "seen", layout=PageLayout(9.0, 9.0))
    assert others[0] == PageBegun(7, recognise=True)
    reasons = [frame.reason for frame in others if isinstance(frame, PageFault)]
    assert reasons == [
        "it is a picture without text, and recognising it failed (it took too long)",
        "it is a picture without text, and drawing it failed (ValueError: bad luck)",
    ]


@pytest.mark.usefixtures("ocr")
def test_pages_beyond_the_limit_fail() -> None:
    pages = [UnreadPage(number, "it is a picture") for number in (1, 2, 3)]
    frames = list(recognise(FakeFile(), pages, ParseLimits(ocr_pages=1)))
    assert [type(frame) for frame in frames] == [PageBegun, Page, PageFault, PageFault]
    last = frames[-1]
    assert isinstance(last, PageFault)
    assert last.reason == (
        "it is a picture, and the file has more such pages than the limit allows to be recognised"
    )


def test_one_hint_for_all_pages(ocr: pytest.MonkeyPatch) -> None:
    ocr.setattr(recognition, "available", lambda *wanted: {WANTED: "install it"}.get(wanted))
    pages = [UnreadPage(1, "it is a picture"), UnreadPage(3, "it is a picture")]
    assert list(recognise(FakeFile(), pages, LIMITS)) == [
        OcrHint("install it"),
        PageFault(1, "it is a picture", Status.NO_TEXT),
        PageFault(3, "it is a picture", Status.NO_TEXT),
    ]


def test_nothing_to_recognise_asks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recognition, "available", None)  # calling it would fail
    assert list(recognise(FakeFile(), [], LIMITS)) == []


@pytest.mark.parametrize("limits", [ParseLimits(ocr_languages=()), ParseLimits(ocr_pages=0)])
def test_switched_off(tmp_path: Path, limits: ParseLimits) -> None:
    document = parse(saved(tmp_path, pictures(SCAN, show("words"), SCAN)), limits=limits)
    assert (document.status, bare(document).pages) == (Status.PARTIAL, (Page(2, "words"),))
    assert [failure.number for failure in document.failures] == [1, 3]
    assert document.error == (
        "2 of 3 pages of 'file.pdf' could not be read; the others are searchable. Page 1: it is a picture "
        f"without text. {recognition.SWITCHED_OFF}"
    )
    only = parse(saved(tmp_path, pictures(SCAN)), limits=limits)
    assert (only.status, only.error) == (
        Status.NO_TEXT,
        "'file.pdf' has no text on any page (pages: 1); page 1: it is a picture without text. "
        f"{recognition.SWITCHED_OFF}",
    )


def test_what_counts_as_a_picture(tmp_path: Path) -> None:
    form = b"q /X1 Do Q"
    inner = b"/Subtype /Form /BBox [0 0 612 792] /Resources << /XObject << /Im1 4 0 R >> >>"
    contents = [SCAN, SMALL, b"", b"0 0 600 700 re f", form, SMALL * 3]
    data = pdf(
        [stream(content) for content in contents],
        resources=b"/XObject << /Im1 4 0 R /X1 5 0 R >>",
        extra=[GREY, stream(SCAN, inner)],
    )
    file = PdfiumFile(saved(tmp_path, data), None)
    # 100 by 100 points are 2% of the page; the limit is 10%
    assert [file.has_picture(number) for number in range(1, 7)] == [True, False, False, False, True, False]


def test_picture_is_grey_at_200_dpi(tmp_path: Path) -> None:
    image, width, height = PdfiumFile(saved(tmp_path, pictures(SCAN)), None).picture(1)
    assert (image.mode, image.size, width, height) == ("L", (1700, 2200), 612.0, 792.0)
    assert image.getextrema() == (128, 128)


@pytest.mark.parametrize(
    ("width", "height"), [(612, 792), (14400, 14400), (1e7, 1e7), (1, 2.0**31), (3e6, 0.001), (1e-6, 1e-6)]
)
def test_number_of_pixels_is_bounded(width: float, height: float) -> None:
    scale = picture_scale(width, height)
    assert math.ceil(width * scale) * math.ceil(height * scale) <= 1.01 * MAX_PIXELS
    assert max(width, height) * scale < 32_767  # what tesseract takes


@pytest.mark.parametrize("side", [0.0, -1.0, math.inf, math.nan, 1e200])
def test_no_area_no_picture(side: float) -> None:
    with pytest.raises(ValueError, match="cannot be drawn"):
        picture_scale(side, 1e200)


def test_giant_page_is_drawn_small(tmp_path: Path) -> None:
    file = PdfiumFile(saved(tmp_path, pictures(SCAN, box=b"[0 0 14400000 14400000]")), None)
    image, *_ = file.picture(1)
    assert image.width * image.height <= 1.01 * MAX_PIXELS
