"""Recognition by the real tesseract: known words come back, where they were drawn, within its bounds."""

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from ingestion.documents import Page, Status
from ingestion.parsing import parse
from ingestion.parsing.limits import ParseLimits
from ingestion.parsing.ocr import tesseract
from ingestion.parsing.ocr.recogniser import OcrError, page_of_words
from ingestion.parsing.ocr.tesseract import TesseractRecogniser, available
from tests.helpers.drawn_page import DPI, POINTS, TEXT, drawn, turned, words_of

# Processes of their own, Chroma in most tests: minutes in all.
pytestmark = pytest.mark.slow

HINT = available(("eng",))
needs_tesseract = pytest.mark.skipif(HINT is not None, reason=HINT or "")


def recognised(image: Image.Image, size: tuple[float, float] = POINTS, seconds: float = 60.0) -> Page:
    return TesseractRecogniser(("eng",), seconds).page(image, *size, 7)


@needs_tesseract
def test_lines_paragraphs_and_the_place_of_every_word() -> None:
    image, drawn_boxes = drawn()
    page = recognised(image)
    assert page.number == 7
    assert page.text == TEXT
    assert page.layout is not None
    assert (page.layout.width, page.layout.height, page.layout.runs) == (*POINTS, ())
    found = words_of(page)
    assert [word for word, _ in found] == page.text.split()
    first = dict(reversed(found))
    for word, box in drawn_boxes.items():
        assert first[word] == pytest.approx(box, abs=3), word


@needs_tesseract
@pytest.mark.parametrize(
    "degrees", [90, *(pytest.param(degrees, marks=pytest.mark.soak) for degrees in (180, 270))]
)
def test_a_turned_scan_is_read_and_its_boxes_lie_on_the_scan(degrees: int) -> None:
    image, boxes = drawn()
    size = POINTS if degrees == 180 else POINTS[::-1]
    found = dict(words_of(recognised(image.rotate(degrees, expand=True), size)))
    assert {"harbour", "replaced", "ferry", "metres"} <= set(found)
    assert found["replaced"] == pytest.approx(turned(boxes["replaced"], degrees), abs=4)


@needs_tesseract
def test_a_picture_without_letters_gives_a_page_without_text() -> None:
    noise = Image.frombytes("L", (600, 800), random.Random(0).randbytes(600 * 800))
    assert recognised(noise, (216.0, 288.0)).text == ""
    assert recognised(Image.new("RGB", (300, 300), "white")).text == ""


def test_what_is_uncertain_is_left_out() -> None:
    """A line whose only word is rubbish leaves no empty line; a paragraph that goes leaves none either."""
    header = "level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf\ttext"
    rows = [
        "1\t1\t0\t0\t0\t0\t0\t0\t100\t200\t-1\t",
        "5\t1\t1\t1\t1\t1\t10\t10\t20\t5\t95.5\tHigh",
        "5\t1\t1\t1\t1\t2\t40\t10\t20\t5\t29.9\t~~",
        "5\t1\t1\t1\t1\t3\t70\t10\t20\t5\t30\twater",
        "5\t1\t1\t1\t2\t1\t10\t20\t20\t5\t3\t|||",
        "5\t1\t1\t1\t3\t1\t10\t30\t20\t5\t95\t ",
        "5\t1\t1\t1\t4\t1\t10\t40\t20\t5\t95\tat\x0c",
        "5\t1\t2\t1\t1\t1\t10\t60\t20\t5\t0\t?",
        "5\t1\t3\t1\t1\t1\t-10\t80\t200\t500\t80\tnoon",
    ]
    words = list(tesseract._parse("\n".join([header, *rows, ""])))
    page = page_of_words(tesseract._certain(words), (100, 200), (50.0, 100.0), 3)
    assert page.text == "High water\nat\n\nnoon"
    assert words_of(page) == [
        ("High", (5.0, 5.0, 15.0, 7.5)),
        ("water", (35.0, 5.0, 45.0, 7.5)),
        ("at", (5.0, 20.0, 15.0, 22.5)),
        ("noon", (0.0, 40.0, 50.0, 100.0)),
    ]


def test_what_is_missing_and_how_to_install_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert available(("eng", "chi_sim")) == (
        "text recognition needs the program tesseract: "
        "apt install tesseract-ocr tesseract-ocr-eng tesseract-ocr-chi-sim"
    )
    monkeypatch.setattr(sys, "platform", "darwin")
    assert available(("eng",)) == (
        "text recognition needs the program tesseract: brew install tesseract tesseract-lang"
    )
    with pytest.raises(OcrError, match="not installed"):
        TesseractRecogniser(("eng",), 1.0)


@needs_tesseract
def test_missing_language_data_is_named() -> None:
    hint = available(("eng", "tlh", "xx_yy"))
    assert hint is not None
    assert hint.startswith("tesseract has no data for the language tlh, xx_yy: ")
    with pytest.raises(OcrError, match=r"^tesseract ended with code 1: "):
        TesseractRecogniser(("tlh",), 60.0).page(drawn()[0], *POINTS, 1)


@pytest.fixture
def sham(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Return a function that puts a shell script in tesseract's place; it leaves its process id in a file."""
    if sys.platform == "win32":
        pytest.skip("shell scripts are no programs on Windows")

    def install(body: str) -> Path:
        program = tmp_path / "tesseract"
        listing = 'if [ "$1" = --list-langs ]; then echo List; echo eng; exit 0; fi'
        program.write_text(f'#!/bin/sh\n{listing}\necho $$ > "{tmp_path}/pid"\n{body}\n')
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
        return tmp_path / "pid"

    return install


def has_ended(process: int, within: float = 60.0) -> bool:
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return True
        status = Path(f"/proc/{process}/stat")
        if status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z":
            return True  # dead, and nobody has asked for its exit code
        time.sleep(0.02)
    return False


def test_the_limit_of_time_ends_tesseract(sham: Callable[[str], Path]) -> None:
    pid = sham("exec sleep 60")
    began = time.monotonic()
    with pytest.raises(OcrError, match="took longer than the limit of time"):
        recognised(Image.new("L", (10, 10)), seconds=0.5)
    assert time.monotonic() - began < 50  # not the sham's 60
    assert has_ended(int(pid.read_text()))


def test_a_crash_is_told_with_its_last_words(sham: Callable[[str], Path]) -> None:
    sham("echo 'bad luck' >&2; kill -ABRT $$")
    with pytest.raises(OcrError, match=r"^tesseract ended with SIGABRT: bad luck$"):
        recognised(Image.new("L", (10, 10)))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a process with its parent")
def test_tesseract_dies_with_the_process_that_called_it(sham: Callable[[str], Path], tmp_path: Path) -> None:
    pid = sham("exec sleep 60")
    code = (
        "from PIL import Image; from ingestion.parsing.ocr.tesseract import TesseractRecogniser; "
        "TesseractRecogniser(('eng',), 60.0).page(Image.new('L', (10, 10)), 9.0, 9.0, 1)"
    )
    root = str(Path(tesseract.__file__).parents[3])
    caller = subprocess.Popen([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": root})
    try:
        deadline = time.monotonic() + 60
        while not (pid.exists() and pid.read_text().strip()):
            assert time.monotonic() < deadline
            time.sleep(0.02)
    finally:
        caller.send_signal(signal.SIGKILL)
        caller.wait()
    assert has_ended(int(pid.read_text()))


@needs_tesseract
@pytest.mark.parametrize("mebibytes", [1024, 2048])
def test_a_scanned_file_is_read_within_the_limits(tmp_path: Path, mebibytes: int) -> None:
    path = tmp_path / "scan.pdf"
    image, boxes = drawn()
    image.save(path, resolution=DPI)
    document = parse(path, limits=ParseLimits(memory_bytes=mebibytes * 1024**2, ocr_recogniser="tesseract"))
    assert (document.status, document.error) == (Status.OK, None)
    (page,) = document.pages
    assert page.text == TEXT
    assert dict(words_of(page))["replaced"] == pytest.approx(boxes["replaced"], abs=3)


@needs_tesseract
@pytest.mark.slow
def test_a_real_scan(eval_data: Path) -> None:
    """A certificate in Russian and English, of which no extractor found a character."""
    name = "issue7229.pdf"
    manifest = json.loads((eval_data / "pdf-torture" / "manifest.json").read_text("utf-8"))
    entry = next(item for item in manifest if item["file"] == name)
    assert {tool["chars"] for tool in entry.values() if isinstance(tool, dict)} == {0}
    document = parse(
        eval_data / "pdf-torture" / "files" / name, limits=ParseLimits(ocr_recogniser="tesseract")
    )
    assert document.status is Status.OK
    text = re.sub(r"\s+", " ", document.pages[0].text)
    assert "Certificate of periodic technical inspection" in text
