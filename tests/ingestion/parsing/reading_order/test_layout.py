"""Rows come out whole, and every stored character leads back to the glyph that is drawn for it."""

import os
import random
from collections.abc import Mapping
from pathlib import Path

import pypdfium2
import pypdfium2.raw
import pytest

from ingestion.documents import PageLayout, ParsedDocument
from ingestion.parsing import parse
from ingestion.parsing.reading_order.lines import Glyph, mend_rows, part_lines
from ingestion.text.cleaning import clean, clean_with_runs
from tests.helpers.layouts import indices
from tests.helpers.pdfs import broken_rows, pdf, show, stream

DATA = os.environ.get("RAG_EVAL_DATA")
BREAKS = {ord("\r"), ord("\n")}


def saved(folder: Path, data: bytes) -> Path:
    path = folder / "file.pdf"
    path.write_bytes(data)
    return path


def check_map(path: Path, document: ParsedDocument) -> int:
    """Compare every character with PDFium's at the mapped index; return how many were compared."""
    compared = 0
    with pypdfium2.PdfDocument(path) as file:
        for page in document.pages:
            assert page.layout is not None
            if page.layout.words or not page.text:
                continue
            drawn = file[page.number - 1]
            assert (page.layout.width, page.layout.height) == drawn.get_size()
            text_page = drawn.get_textpage()
            found = indices(page.layout, len(page.text))
            assert len(found) == len(page.text)
            for character, index in zip(page.text, found, strict=True):
                code = pypdfium2.raw.FPDFText_GetUnicode(text_page, index)
                if character == " ":
                    assert code in {ord(" "), *BREAKS}
                elif character == "\n":
                    assert chr(code) in " \xa0\r\n\v\f\x85\u2028\u2029"
                elif character == "-":
                    assert code in {ord("-"), 2}
                elif character == "\ufffd" or character > "\uffff":
                    assert code == ord(character) or 0xD800 <= code < 0xE000
                else:
                    assert code == ord(character), (path.name, page.number, index)
                compared += 1
            drawn.close()
    return compared


def test_a_table_broken_between_glyphs_is_rows_of_words(tmp_path: Path) -> None:
    path = saved(tmp_path, pdf([broken_rows([("Sales", "3,570"), ("ales", "7,035")])]))
    with pypdfium2.PdfDocument(path) as file:
        raw = file[0].get_textpage().get_text_range()
    assert raw.count("\n") > 5  # or the test shows nothing
    document = parse(path)
    assert document.pages[0].text == "Sales 3,570\nales 7,035"
    assert check_map(path, document) == 22


@pytest.mark.parametrize("matrix", [b"0 .24 .24 0 100 100", b"0 -.24 -.24 0 500 700"], ids=["up", "down"])
def test_a_turned_table_is_rows_of_words(tmp_path: Path, matrix: bytes) -> None:
    path = saved(tmp_path, pdf([broken_rows([("Sales", "3,570"), ("ales", "7,035")], matrix=matrix)]))
    assert parse(path).pages[0].text == "Sales 3,570\nales 7,035"


def test_a_break_between_lines_stays(tmp_path: Path) -> None:
    content = b"BT /F1 12 Tf 72 720 Td (one) Tj 0 -14 Td (two) Tj 200 14 Td (three) Tj ET"
    document = parse(saved(tmp_path, pdf([stream(content)])))
    assert document.pages[0].text == "one\ntwo\nthree"  # "three" stands above "two": another line
    assert document.pages[0].layout == PageLayout(612.0, 792.0, ((0, 0), (3, 4), (7, 9)))


def test_a_list_run_together_is_lines(tmp_path: Path) -> None:
    """Where a line is a single glyph, in a small scale, PDFium writes a space for the break before it."""
    shown = b"q .03125 0 0 .03125 0 0 cm q 1 0 0 -1 %d %d cm BT /F1 416 Tf (%s) Tj ET Q Q"
    lines = [(1024, 5408, b"we sell"), (1024, 5950, b"-"), (9536, 5950, b"sails"), (1024, 6492, b"-")]
    content = b" ".join([b"0.75 0 0 -0.75 18 770 cm", *(shown % line for line in lines)])
    path = saved(tmp_path, pdf([stream(content)]))
    with pypdfium2.PdfDocument(path) as file:
        assert file[0].get_textpage().get_text_range() == "we sell - sails -"
    document = parse(path)
    assert document.pages[0].text == "we sell\n- sails\n-"
    assert check_map(path, document) == 17


def test_line_feeds_for_spaces(tmp_path: Path) -> None:
    table = (
        b"/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /X def /CMapType 2 def "
        b"1 begincodespacerange <00> <FF> endcodespacerange 1 beginbfchar <20> <000A> endbfchar "
        b"endcmap end end"
    )
    font = b"/Type /Font /Subtype /Type1 /BaseFont /Helvetica /ToUnicode 4 0 R"
    lines = b"BT /F1 12 Tf 72 720 Td (risks to our ) Tj 0 -14 Td (good name) Tj ET"
    path = saved(tmp_path, pdf([stream(lines)], font=font, extra=[stream(table)]))
    document = parse(path)
    assert document.pages[0].text == "risks to our\ngood name"
    assert check_map(path, document) == 22


def test_hyphens_and_glyphs_without_a_letter_are_told_apart(tmp_path: Path) -> None:
    """PDFium writes U+FFFE for both."""
    table = (
        b"/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /X def /CMapType 2 def "
        b"1 begincodespacerange <00> <FF> endcodespacerange 1 beginbfchar <41> <0000> endbfchar "
        b"endcmap end end"
    )
    font = b"/Type /Font /Subtype /Type1 /BaseFont /Helvetica /ToUnicode 4 0 R"
    words = b"BT /F1 12 Tf 72 720 Td (%s Aand so on inter-) Tj 0 -14 Td (national) Tj ET" % (b"word " * 12)
    path = saved(tmp_path, pdf([stream(words)], font=font, extra=[stream(table)]))
    document = parse(path)
    assert document.pages[0].text == "word " * 12 + "and so on international"
    check_map(path, document)


def test_a_page_of_impossible_size_has_no_layout(tmp_path: Path) -> None:
    data = pdf([stream(show("one"))]).replace(b"[0 0 612 792]", b"[0 0 612 99999999]")
    document = parse(saved(tmp_path, data))
    assert (document.pages[0].text, document.pages[0].layout) == ("one", None)


def test_runs_lead_to_the_same_characters() -> None:
    """On random texts, every character of the cleaned one is the raw one's, or stands for it."""
    chance = random.Random(7)
    alphabet = "ab \t\xa0\r\n\x00\x02\x07\ufffe\ud800\u2028\x85\ufdd0é😀"
    stands_for = {"-": "\ufffe\x02", "\n": "\r\n\u2028\x85", "\ufffd": "\ud800"}
    for _ in range(500):
        raw = "".join(chance.choices(alphabet, k=chance.randrange(40)))
        text, runs = clean_with_runs(raw)
        assert text == clean(raw)
        if text:
            for character, index in zip(text, indices(PageLayout(1, 1, runs), len(text)), strict=True):
                assert raw[index] in stands_for.get(character, character)


def box(left: float, *, bottom: float = 0.0, height: float = 10.0) -> Glyph:
    return Glyph(left, bottom, left + 5, bottom + height)


class Boxes:
    def __init__(self, boxes: Mapping[int, Glyph | None], *, level: bool = True) -> None:
        self.box = boxes.get
        self._level = level

    def is_level(self, offset: int) -> bool:
        return self._level


@pytest.mark.parametrize(
    ("raw", "second", "mended"),
    [
        ("a\r\nb", box(5), "a\0\0b"),
        ("a\r\nb", box(7), "a \0b"),
        ("a \r\nb", box(7), "a \0\0b"),
        ("a\nb", box(5), "a b"),
        ("a\r\nb", box(5, bottom=8, height=5), "a\r\nb"),  # overlaps by less than half
        ("a\r\nb", box(5, bottom=5, height=6), "a\0\0b"),  # raised: 4th
        ("a\r\n1", box(5, bottom=5, height=6), "a \0001"),  # raised figure: a footnote
        ("a\r\nb", box(-20), "a\r\nb"),
        ("a\r\nb", None, "a\r\nb"),
        ("a\n\r\nb", box(0, bottom=-12), "a\r\n\0b"),
        ("\r\nb", box(5), "\r\nb"),
        ("a\r\n", box(5), "a\r\n"),
    ],
)
def test_mending(raw: str, second: Glyph | None, mended: str) -> None:
    boxes = {0: box(0), len(raw) - 1: second}
    assert mend_rows(raw, Boxes(boxes)) == mended
    assert mend_rows(raw, Boxes(boxes, level=False)).replace("\0", "") == raw.replace("\n\r\n", "\r\n")


@pytest.mark.parametrize(
    ("raw", "boxes", "parted"),
    [
        ("a b", [box(100), None, box(0, bottom=-12)], "a\nb"),
        ("a b", [box(100), None, box(0, bottom=-8)], "a\nb"),  # tight lines overlap by a fifth
        ("a b", [box(100), None, box(0, bottom=-7)], "a b"),
        ("a b", [box(100), None, box(110, bottom=-12)], "a b"),  # a cell further down: the row goes on
        ("a b", [box(0, bottom=-500), None, box(0)], "a\nb"),  # the next column
        ("a b c", [box(9), None, box(0, bottom=-12), None, box(9)], "a b c"),  # ends where it began: unseen
        ("a  b", [box(100), None, None, box(0, bottom=-12)], "a\n b"),
    ],
)
def test_parting(raw: str, boxes: list[Glyph | None], parted: str) -> None:
    known = dict(enumerate(boxes))
    assert part_lines(raw, Boxes(known)) == parted
    assert part_lines(raw, Boxes(known, level=False)) == raw


@pytest.mark.soak
@pytest.mark.skipif(not DATA, reason="RAG_EVAL_DATA is not set: it names the folder with financebench-dev")
def test_every_character_of_real_filings_leads_to_its_glyph() -> None:
    files = sorted((Path(DATA or "") / "financebench-dev" / "documents").glob("*.pdf"))
    assert sum(check_map(path, parse(path)) for path in files) > 5_000_000
