"""Recognition by the real rapidocr: known words come back, where they were drawn, and nothing is loaded."""

import random
import socket
from pathlib import Path
from typing import NoReturn

import fpdf
import pytest
from PIL import Image, ImageDraw, ImageFont

from ingestion.documents import Page, Status
from ingestion.parsing import ParseLimits, parse
from ingestion.parsing.limits import AUTOMATIC
from ingestion.parsing.ocr import choice, rapidocr
from ingestion.parsing.ocr.line_order import in_reading_order
from ingestion.parsing.ocr.rapidocr import RapidOcrRecogniser
from ingestion.parsing.ocr.recogniser import OcrError
from tests.helpers.drawn_page import DPI, POINTS, TEXT, Box, drawn, turned, words_of

# Seconds a page.
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def reader() -> RapidOcrRecogniser:
    return RapidOcrRecogniser()


def recognised(reader: RapidOcrRecogniser, image: Image.Image, size: tuple[float, float] = POINTS) -> Page:
    return reader.page(image, *size, 7)


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> NoReturn:
        raise AssertionError("a connection to the network")

    for name in ("connect", "connect_ex"):
        monkeypatch.setattr(socket.socket, name, refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.mark.usefixtures("no_network")
def test_lines_paragraphs_and_the_place_of_every_word() -> None:
    image, boxes = drawn()
    page = recognised(RapidOcrRecogniser(), image)
    assert (page.number, page.text) == (7, TEXT)
    assert page.layout is not None
    assert (page.layout.width, page.layout.height, page.layout.runs) == (*POINTS, ())
    found = words_of(page)
    assert [word for word, _ in found] == page.text.split()
    first = dict(reversed(found))
    for word, (left, top, right, bottom) in boxes.items():
        seen = first[word]
        # The line's height, and of its length what the columns of the network's input tell: half a letter.
        assert seen[0] == pytest.approx(left, abs=5), word
        assert seen[2] == pytest.approx(right, abs=5), word
        assert seen[1] <= top + 1, word
        assert seen[3] >= bottom - 1, word
        assert seen[3] - seen[1] < 22, word


@pytest.mark.parametrize(
    "degrees", [90, *(pytest.param(degrees, marks=pytest.mark.soak) for degrees in (180, 270))]
)
def test_a_turned_scan_is_read_and_its_boxes_lie_on_the_scan(
    reader: RapidOcrRecogniser, degrees: int
) -> None:
    image, boxes = drawn()
    size = POINTS if degrees == 180 else POINTS[::-1]
    page = recognised(reader, image.rotate(degrees, expand=True), size)
    assert page.text == TEXT
    seen = dict(words_of(page))["replaced"]
    assert seen == pytest.approx(turned(boxes["replaced"], degrees), abs=8)


def test_a_picture_without_letters_gives_a_page_without_text(reader: RapidOcrRecogniser) -> None:
    noise = Image.frombytes("L", (600, 800), random.Random(0).randbytes(600 * 800))
    assert recognised(reader, noise, (216.0, 288.0)).text == ""
    assert recognised(reader, Image.new("L", (300, 300), 255)).text == ""
    assert recognised(reader, Image.new("L", (1, 1), 255)).text == ""


@pytest.mark.usefixtures("no_network")
def test_a_missing_model_is_named_and_not_loaded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(rapidocr, "_models", lambda: tmp_path)
    assert rapidocr.available(("eng",)) == (
        "rapidocr lacks its model PP-OCRv6_det_small.onnx, PP-OCRv6_rec_small.onnx: "
        "pip install --force-reinstall rapidocr"
    )
    with pytest.raises(OcrError, match=r"rapidocr failed: .*PP-OCRv6_det_small\.onnx"):
        recognised(RapidOcrRecogniser(), drawn()[0])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("no_network")
def test_what_rapidocr_wants_to_load_is_refused(tmp_path: Path) -> None:
    from rapidocr.utils.download_file import DownloadFile, DownloadFileInput
    from rapidocr.utils.log import logger

    rapidocr._engine(rapidocr.LOOK_PIXELS)
    wanted = DownloadFileInput(
        file_url="http://127.0.0.1/x", save_path=tmp_path / "x", logger=logger, sha256=None
    )
    with pytest.raises(OcrError, match=r"rapidocr lacks .*x; install it again"):
        DownloadFile.run(wanted)


def test_a_scanned_file_is_read_within_the_limits(tmp_path: Path) -> None:
    path = tmp_path / "scan.pdf"
    image, boxes = drawn()
    image.save(path, resolution=DPI)
    document = parse(path)
    assert (document.status, document.error) == (Status.OK, None)
    (page,) = document.pages
    assert page.text == TEXT
    assert dict(words_of(page))["replaced"] == pytest.approx(boxes["replaced"], abs=8)


STAMP = "Received 12 March 2024 - Records Office, file 88/417"


@pytest.mark.parametrize(
    "degrees", [0, 90, *(pytest.param(degrees, marks=pytest.mark.soak) for degrees in (180, 270))]
)
def test_a_stamp_hides_no_scan_however_it_lies(tmp_path: Path, degrees: int) -> None:
    image, boxes = drawn()
    width, height = POINTS if degrees % 180 == 0 else POINTS[::-1]
    document = fpdf.FPDF(unit="pt", format=(width, height))
    document.set_font("Helvetica", size=8)
    for scan in (image.rotate(degrees, expand=True), None):
        document.add_page()
        if scan is not None:
            document.image(scan, 0, 0, width, height)
        document.text(30, 20, STAMP)
    path = tmp_path / "mixed.pdf"
    document.output(str(path))
    parsed = parse(path)
    assert (parsed.status, parsed.error, parsed.warnings) == (Status.OK, None, ())
    stamped, typed = parsed.pages
    assert typed.text == STAMP
    assert stamped.text == f"{STAMP}\n\n{TEXT}"
    assert dict(words_of(stamped))["replaced"] == pytest.approx(turned(boxes["replaced"], degrees), abs=8)


def test_too_little_memory_fails_the_page_alone(tmp_path: Path) -> None:
    path = tmp_path / "scan.pdf"
    drawn()[0].save(path, resolution=DPI)
    document = parse(path, limits=ParseLimits(memory_bytes=300 * 1024**2, ocr_recogniser="rapidocr"))
    assert (document.status, document.pages, len(document.failures)) == (Status.FAILED, (), 1)
    assert document.error is not None
    assert "recognising it failed" in document.error  # what does not fit first, its reason tells


@pytest.mark.soak
def test_letters_that_it_does_not_know_are_told(eval_data: Path) -> None:
    """A certificate in Russian with a heading in English: signs between the letters are no text."""
    document = parse(eval_data / "pdf-torture" / "files" / "issue7229.pdf")
    assert document.status is Status.OK
    page = document.pages[0]
    assert "Certificate of periodic technical inspection" in page.text
    assert "KL1KF484J8C501419" in page.text
    assert len(page.text) < 1000
    (warning,) = document.warnings
    assert warning.startswith(
        "Some text on pages 1 and 2 is not read, because it is in letters that rapidocr "
    )


def test_a_page_of_unknown_letters_alone_fails(reader: RapidOcrRecogniser, cyrillic: Image.Image) -> None:
    with pytest.raises(OcrError, match="its text is in letters that rapidocr does not know, such as Russian"):
        recognised(reader, cyrillic)


@pytest.fixture
def cyrillic() -> Image.Image:
    """Four lines in Russian; Pillow's own font has the letters of Latin alphabets only."""
    font = Path("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf")
    if not font.is_file():
        pytest.skip("needs the font DejaVu Sans, which has Russian letters")
    image = Image.new("L", (1700, 2200), 255)
    draw = ImageDraw.Draw(image)
    text = "Вода в гавани поднялась очень высоко, и лодки вытащили на берег"
    for number in range(8):
        draw.text((100, 200 + 60 * number), text, font=ImageFont.truetype(str(font), 36), fill=0)
    return image


LINES: list[tuple[str, Box]] = [
    ("The harbour was deep and wide, so", (10, 10, 200, 20)),
    ("the ferries came there in summer", (10, 30, 200, 40)),
    ("and in winter, when the ice had", (10, 50, 200, 60)),
    ("closed all the smaller landings.", (10, 70, 200, 80)),
]


def test_columns_of_prose_are_read_one_after_the_other() -> None:
    right = [
        (f"right {text[4:]}", (left + 250, top, end + 250, low)) for text, (left, top, end, low) in LINES
    ]
    order = in_reading_order([*LINES, *right])
    assert [index for index, _ in order] == list(range(8))
    assert len({line for _, line in order}) == 8
    assert [line[0] for _, line in order] == [0] * 4 + [1] * 4


def test_the_cells_of_a_row_are_one_line_and_a_wide_gap_parts_paragraphs() -> None:
    cells: list[tuple[str, Box]] = [
        ("31", (120, 10, 140, 20)),
        ("Boats", (10, 11, 60, 21)),
        ("Sheds", (10, 30, 60, 40)),
        ("4", (120, 31, 140, 41)),
        ("Notes", (10, 80, 60, 90)),
        ("none", (10, 100, 60, 110)),
    ]
    order = in_reading_order(cells)
    assert [cells[index][0] for index, _ in order] == ["Boats", "31", "Sheds", "4", "Notes", "none"]
    lines = [line for _, line in order]
    assert lines[0] == lines[1] != lines[2] == lines[3] != lines[4]
    assert [line[1] for line in lines] == [0, 0, 0, 0, 1, 1]


def test_letters_without_boxes_share_the_box_of_their_line() -> None:
    words = rapidocr._words("ab c", (0.0, 0.0, 40.0, 10.0), None)
    assert words == [("ab", (0.0, 0.0, 22.0, 10.0)), ("c", (28.0, 0.0, 40.0, 10.0))]
    near = [(5.0, 0.0, 20.0, 10.0), (21.0, 0.0, 40.0, 10.0)]
    (first, _, right, _), (left, _, last, _) = rapidocr._widened(near, (4.0, 0.0, 50.0, 10.0))
    assert (first, right, left, last) == (4.0, 20.5, 20.5, 42.0)


def test_the_languages_choose_the_recogniser(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert choice.chosen(AUTOMATIC, ("eng", "deu", "chi_sim", "jpn")) == "rapidocr"
    assert choice.chosen(AUTOMATIC, ("eng", "rus")) == "tesseract"
    assert choice.chosen("tesseract", ("eng",)) == "tesseract"
    assert choice.available("rapidocr", ("eng", "rus")) == (
        "rapidocr does not read the language rus; set ocr_recogniser to auto or tesseract, which reads it "
        "where its data is installed"
    )
    monkeypatch.setenv("PATH", str(tmp_path))
    hint = choice.available(AUTOMATIC, ("rus",))
    assert hint is not None
    assert "tesseract" in hint
    monkeypatch.setattr(rapidocr, "_models", lambda: None)
    assert choice.available(AUTOMATIC, ("eng",)) == (
        "text recognition needs the package rapidocr: pip install rapidocr"
    )
