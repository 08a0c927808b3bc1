"""Pages as pictures, with boxes around stretches of their text; what stands in a box is asked of PDFium."""

import io
import os
import random
from collections.abc import Callable, Sequence
from pathlib import Path

import pypdfium2
import pytest
from PIL import Image

from ingestion.documents import PageLayout
from ingestion.errors import Cancelled
from ingestion.parsing import Box, PageLocked, PageNotDrawn, PagePicture, ParseLimits, draw_page, parse
from ingestion.parsing.frames import ChildRequest, DrawingRequest, DrawnPage, FrameError, max_frame_bytes
from ingestion.parsing.geometry.layout import page_of
from ingestion.parsing.pdf.drawing import draw
from ingestion.parsing.pdf.pdfium import PdfiumFile
from ingestion.parsing.pictures import stretches_of
from ingestion.parsing.sandbox.collector import Collector
from ingestion.text.sentences import sentence_spans
from tests.helpers.pdfs import pdf, show, stream

pytestmark = pytest.mark.slow

TEXT = "The heron waits. The otter swims far out.\n\nNobody sees the kestrel over there."


def drawn(file: Path, wanted: str, **options: object) -> tuple[PagePicture, str]:
    """Draw the first page with a box around `wanted`; return what PDFium finds within the boxes as well."""
    page = parse(file).pages[0]
    start = page.text.index(wanted)
    picture = draw_page(file, 1, page.layout, spans=[(start, start + len(wanted))], **options)  # type: ignore[arg-type]
    return picture, within(file, 1, picture.boxes[0])


def within(file: Path, number: int, boxes: Sequence[Box]) -> str:
    """Return the letters whose middle lies in one of the boxes, without white space."""
    document = pypdfium2.PdfDocument(file)
    page = document[number - 1]
    text_page = page.get_textpage()
    height = page.get_size()[1]
    letters = []
    for index in range(text_page.count_chars()):
        letter = text_page.get_text_range(index, 1)
        if not letter.strip():
            continue
        left, bottom, right, top = text_page.get_charbox(index, loose=True)
        x, y = (left + right) / 2, height - (bottom + top) / 2
        if any(box.left <= x <= box.right and box.top <= y <= box.bottom for box in boxes):
            letters.append(letter)
    text_page.close()
    page.close()
    document.close()
    return "".join(letters)


def test_the_box_holds_the_words_and_no_others(write_pdf: Callable[..., Path]) -> None:
    picture, found = drawn(write_pdf("a.pdf", TEXT), "The otter swims far out.")
    assert found == "Theotterswimsfarout."
    assert picture.media_type == "image/png"
    image = Image.open(io.BytesIO(picture.image))
    assert image.width == 1000
    assert image.width / image.height == pytest.approx(picture.width / picture.height, abs=0.002)
    (box,) = picture.boxes[0]
    scale = image.width / picture.width
    inside = image.convert("L").crop(
        (int(box.left * scale), int(box.top * scale), int(box.right * scale), int(box.bottom * scale))
    )
    dark = sum(inside.histogram()[:128])
    assert dark > 200  # there is ink where the words are said to be


def test_a_stretch_over_two_lines_has_a_box_for_each(write_pdf: Callable[..., Path]) -> None:
    file = write_pdf("a.pdf", TEXT)
    picture, found = drawn(file, "far out.\nNobody sees")
    assert len(picture.boxes[0]) == 2
    assert found == "farout.Nobodysees"


def test_a_turned_page_is_seen_as_people_see_it(tmp_path: Path) -> None:
    from pypdf import PdfReader, PdfWriter

    straight, turned = tmp_path / "straight.pdf", tmp_path / "turned.pdf"
    straight.write_bytes(pdf([stream(show("Kestrels hover over the field."))]))
    writer = PdfWriter()
    writer.add_page(PdfReader(straight).pages[0]).rotate(90)
    writer.write(turned)
    before, _ = drawn(straight, "hover")
    after, _ = drawn(turned, "hover")
    assert (after.width, after.height) == (before.height, before.width)
    ((upright,), (lying,)) = before.boxes[0], after.boxes[0]
    # Turned by 90° to the right: what was the distance from the bottom is the one from the left.
    assert lying.left == pytest.approx(before.height - upright.bottom, abs=0.2)
    assert lying.top == pytest.approx(upright.left, abs=0.2)
    assert lying.bottom - lying.top == pytest.approx(upright.right - upright.left, abs=0.2)


def test_a_recognised_page_has_the_boxes_of_its_words(write_pdf: Callable[..., Path]) -> None:
    file = write_pdf("a.pdf", TEXT)
    layout = PageLayout(595, 842, words=((0, 3, 10, 20, 30, 32), (4, 9, 34, 20, 60, 32)))
    picture = draw_page(file, 1, layout, spans=[(5, 7), (20, 30)])
    assert picture.boxes == ((Box(34, 20, 60, 32),), ())


def test_a_page_of_unknown_layout_is_drawn_without_boxes(write_pdf: Callable[..., Path]) -> None:
    assert draw_page(write_pdf("a.pdf", TEXT), 1, None, spans=[(0, 5)]).boxes == ((),)


def test_what_cannot_be_drawn_says_why(write_pdf: Callable[..., Path], tmp_path: Path) -> None:
    file = write_pdf("a.pdf", TEXT)
    with pytest.raises(PageNotDrawn, match="has 1 pages and no 7"):
        draw_page(file, 7, None)
    broken = tmp_path / "broken.pdf"
    broken.write_bytes(b"%PDF-1.7\nnothing")
    with pytest.raises(PageNotDrawn, match="cannot be drawn"):
        draw_page(broken, 1, None)
    with pytest.raises(PageNotDrawn, match="cannot be drawn"):
        draw_page(tmp_path / "gone.pdf", 1, None)
    from pypdf import PdfReader, PdfWriter

    writer = PdfWriter(clone_from=PdfReader(file))
    writer.encrypt("secret")
    locked = tmp_path / "locked.pdf"
    writer.write(locked)
    with pytest.raises(PageLocked, match="locked with a password"):
        draw_page(locked, 1, None)
    with pytest.raises(PageLocked, match="not the right one"):
        draw_page(locked, 1, None, password="another")
    assert draw_page(locked, 1, None, password="secret").image == draw_page(file, 1, None).image
    with pytest.raises(Cancelled):
        draw_page(file, 1, None, cancelled=lambda: True)
    with pytest.raises(PageNotDrawn, match=r"more than 0\.01 s"):
        draw_page(file, 1, None, limits=ParseLimits(page_seconds=0.01))


def test_a_huge_page_is_drawn_small(tmp_path: Path) -> None:
    file = tmp_path / "long.pdf"
    content = stream(show("far"))
    file.write_bytes(pdf([content]).replace(b"[0 0 612 792]", b"[0 0 9 14400]"))
    assert b"14400" in file.read_bytes()
    image = Image.open(io.BytesIO(draw_page(file, 1, None).image))
    assert image.width * image.height <= 20_000_000


def test_a_drawing_travels_to_the_child_and_bounds_what_comes_back() -> None:
    limits = ParseLimits()
    plain = ChildRequest("/a.pdf", ".pdf", None, os.getpid(), limits)
    asked = ChildRequest(
        "/a.pdf", ".pdf", None, os.getpid(), limits, drawing=DrawingRequest(3, 800, ((1, 5), (9, 11)))
    )
    assert ChildRequest.decode(asked.encode()) == asked
    assert ChildRequest.decode(plain.encode()) == plain
    assert max_frame_bytes(plain) < max_frame_bytes(asked)


@pytest.mark.parametrize(("every", "most"), [(4, 1), pytest.param(1, 2, marks=pytest.mark.soak)])
def test_boxes_of_filings_hold_the_cited_words(eval_data: Path, every: int, most: int) -> None:
    """10 sentences of each filing: the letters within the boxes are the sentence's, in all but a few.

    Drawn in this process: a child for each would take a minute, and tells nothing more.
    """
    choose = random.Random(7)
    wrong: list[str] = []
    files = sorted((eval_data / "financebench-dev" / "documents").glob("*.pdf"))[::every]
    assert len(files) >= 5
    for file in files:
        opened = PdfiumFile(file, None)
        found = 0
        while found < 10:
            number = choose.randint(1, opened.page_count)
            page = page_of(number, opened.text(number, 1_000_000))
            spans = [(one.start, one.end) for one in sentence_spans(page.text) if one.end - one.start > 40]
            if not spans:
                continue
            found += 1
            start, end = choose.choice(spans)
            stretches, _ = stretches_of(page.layout, [(start, end)])
            (picture,) = draw(file, DrawingRequest(number, 40, stretches))
            assert isinstance(picture, DrawnPage)
            assert picture.layout is not None
            inside = within(file, number, [Box(*word[2:]) for word in picture.layout.words])
            wanted = "".join(page.text[start:end].split())
            if sorted(wanted) != sorted(inside):
                wrong.append(f"{file.name} {number}: {wanted[:80]!r} {inside[:80]!r}")
    assert len(wrong) <= most, "\n".join(wrong)


def test_a_picture_that_nobody_asked_for_is_not_believed() -> None:
    with pytest.raises(FrameError, match="not requested"):
        Collector("a.pdf", ParseLimits()).take(DrawnPage("", None))
