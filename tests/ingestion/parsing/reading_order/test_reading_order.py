"""A page's text is what a person reads: words whole, copies once, columns and scripts in their order."""

import re
from collections.abc import Sequence
from pathlib import Path

import matplotlib
import pypdfium2
import pypdfium2.raw
import pytest
from fpdf import FPDF

from ingestion.parsing import parse
from ingestion.parsing.reading_order.hyphens import join_words
from tests.helpers.layouts import indices
from tests.helpers.pdfs import pdf, stream

ARABIC = ["المسؤولة عن الطلبات هي ليلى منصور.", "لا يجوز إلغاء الطلب HR-204 بعد 15 يوما (البند 3)."]
HEBREW = ["האחראית על הבקשות היא נועה ברק.", "הטופס A-12 (נספח) עד 15/03/2024, הנחה 15%."]
LEFT = ["The lake ferry runs from May to", "September and leaves on the hour.",
        "Tickets are sold on board and cost",
        "six francs. Bicycles travel free", "of charge in the lower deck."]  # fmt: skip
RIGHT = ["Guests of the hostel get the key", "at the bakery next door. Breakfast",
         "is served until ten. Whoever wants",
         "to stay longer tells the warden", "before noon."]  # fmt: skip


def page(tmp_path: Path, shown: Sequence[tuple[float, float, str]], extra: str = "") -> str:
    """The text of a page that shows pieces at places, from a file written in this order."""
    parts = " ".join(f"1 0 0 1 {x} {y} Tm ({text}) Tj" for x, y, text in shown)
    path = tmp_path / "file.pdf"
    path.write_bytes(pdf([stream(f"BT /F1 11 Tf {extra} {parts} ET".encode("latin-1"))]))
    return parse(path).pages[0].text


@pytest.mark.parametrize(
    ("raw", "joined"),
    [
        ("the valid certifi\ufffecate is", "the valid certificate is"),
        ("the reimburse-\r\nment is", "the reimbursement is"),
        ("the long\ufffeterm loan is", "the long\ufffeterm loan is"),
        ("the well-\r\nknown shop is", "the well-\r\nknown shop is"),
        ("the years 2020-\r\n21 and e-\r\nmail", "the years 2020-\r\n21 and e-\r\nmail"),
        ("of the state-of\ufffethe-art", "of the state-of\ufffethe-art"),
        ("of the index\ufffebased", "of the index\ufffebased"),
        ("the now\ufffedeductible cost of", "the now\ufffedeductible cost of"),
        ("first\ufffeand second-rate of the", "first\ufffeand second-rate of the"),
        ("thermometers of the ther\ufffemometers", "thermometers of the thermometers"),
        ("der Erstat-\ntung und die E-\nMail", "der Erstattung und die E-\nMail"),
        ("el venci\ufffemiento es para una empresa franco\ufffealemana",
         "el vencimiento es para una empresa franco\ufffealemana"),
        ("dans les docu-\nments peut-\nêtre que", "dans les documents peut-\nêtre que"),
        ("soft\xad\nware", "software"),
        ("undang-\nundang", "undang-\nundang"),
    ],
)  # fmt: skip
def test_hyphens_at_line_ends(raw: str, joined: str) -> None:
    found = join_words(raw)
    assert found.replace("\0", "") == joined
    assert len(found) == len(raw)  # so that every character keeps its place on the page


def test_columns_written_row_by_row(tmp_path: Path) -> None:
    rows = [(x, 700 - 13 * i, column[i]) for i in range(5) for x, column in ((60, LEFT), (320, RIGHT))]
    assert page(tmp_path, rows) == "\n".join(LEFT + RIGHT)


@pytest.mark.parametrize(
    "rows",
    [
        [("Item", "Price"), ("Pencils, box of twelve", "4.20"), ("Paper, ream of 500", "6.80"), ("Ink", "1")],
        [("annual rebate", "yearly discount"), ("cold storage", "kept under ten degrees"),
         ("delivery note", "a list of what was sent"), ("down payment", "first part of a price")],
        [("Who signs the lease contract?", "The landlord and the tenant."),
         ("When does the season begin?", "In the first week of May."),
         ("Where is the key of the shed?", "It hangs behind the door."), ("What is the fee?", "None.")],
    ],
    ids=["prices", "glossary", "questions"],
)  # fmt: skip
def test_tables_stay_rows(tmp_path: Path, rows: list[tuple[str, str]]) -> None:
    shown = [
        (x, 700 - 13 * i, cell) for i, row in enumerate(rows) for x, cell in zip((60, 320), row, strict=True)
    ]
    assert page(tmp_path, shown) == "\n".join(" ".join(row) for row in rows)


def test_copies_for_boldness_are_read_once(tmp_path: Path) -> None:
    block = [(60.0, 700.0 - 13 * i, text) for i, text in enumerate(LEFT)]
    copy = [(x + 0.4, y, text) for x, y, text in block]
    assert page(tmp_path, block + copy).strip() == "\n".join(LEFT)
    assert (
        page(tmp_path, [(60, 700, "Pay 500 now"), (60.3, 700, "Pay "), (82.6, 700, "500 now")])
        == "Pay 500 now"
    )


def test_the_same_line_elsewhere_is_no_copy(tmp_path: Path) -> None:
    assert (
        page(tmp_path, [(60, 700, "ten ten 1100"), (60, 687, "ten ten 1100")]) == "ten ten 1100\nten ten 1100"
    )


@pytest.mark.parametrize(
    ("text", "step", "read"),
    [("TERMINATION", 15, "TERMINATION"), ("FRIST 14 TAGE", 9, "FRIST 14 TAGE"), ("VALVE 9", 9, "VALVE 9"),
     ("ABCDEF", 15, "A B C D E F"), ("YNNYNY", 15, "Y N N Y N Y")],
)  # fmt: skip
def test_letters_set_apart(tmp_path: Path, text: str, step: int, read: str) -> None:
    shown = [(60 + step * i, 700, letter) for i, letter in enumerate(text) if letter != " "]
    assert page(tmp_path, shown) == read


def test_letters_set_apart_by_spaces(tmp_path: Path) -> None:
    assert page(tmp_path, [(60, 700, "T E R M S   A N D   F E E S")]) == "TERMS AND FEES"


def seen(line: str) -> str:
    """A line as it stands on the page; runs of Latin letters and figures are not turned."""
    turned = line[::-1].translate(str.maketrans("()", ")("))
    return re.sub(r"[A-Z0-9][A-Z0-9/%-]*|%[0-9]+", lambda match: match.group()[::-1], turned)


def right_to_left(path: Path, lines: list[str], *, logical: bool) -> None:
    """Write lines to the right margin: as they are seen, or letter by letter in the order of speech."""
    document = FPDF()
    document.add_page()
    document.add_font("D", fname=Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf")
    document.set_font("D", size=14)
    for number, line in enumerate(lines):
        right, y = 190.0, 20.0 + 10 * number
        if not logical:
            document.text(right - document.get_string_width(seen(line)), y, seen(line))
            continue
        places = []
        for letter in reversed(seen(line)):
            right -= document.get_string_width(letter)
            places.append((right, letter))
        for word in re.findall(r"[A-Z0-9][A-Z0-9/%-]*|.", line):  # Latin words at once, as people type them
            part, places = places[: len(word)], places[len(word) :]
            document.text(part[-1][0], y, "".join(letter for _, letter in reversed(part)))
    document.output(str(path))


@pytest.mark.parametrize("logical", [False, True], ids=["visual", "logical"])
@pytest.mark.parametrize("lines", [ARABIC, HEBREW], ids=["arabic", "hebrew"])
def test_right_to_left_text_is_in_reading_order(tmp_path: Path, lines: list[str], *, logical: bool) -> None:
    path = tmp_path / "file.pdf"
    right_to_left(path, lines, logical=logical)
    found = parse(path).pages[0]
    assert found.text.split("\n") == lines
    assert found.layout is not None
    with pypdfium2.PdfDocument(path) as file:
        text_page = file[0].get_textpage()
        for character, index in zip(found.text, indices(found.layout, len(found.text)), strict=True):
            code = chr(pypdfium2.raw.FPDFText_GetUnicode(text_page, index))
            assert code == character or character in "()" or (character.isspace() and code.isspace())


def test_citations_of_reordered_columns_lead_to_their_glyphs(tmp_path: Path) -> None:
    rows = [(x, 700 - 13 * i, column[i]) for i in range(5) for x, column in ((60, LEFT), (320, RIGHT))]
    text = page(tmp_path, rows)
    found = parse(tmp_path / "file.pdf").pages[0]
    assert found.layout is not None
    places = indices(found.layout, len(text))
    with pypdfium2.PdfDocument(tmp_path / "file.pdf") as file:
        text_page = file[0].get_textpage()
        for column, left in ((LEFT, 60), (RIGHT, 320)):
            for line in column:
                index = places[text.index(line)]
                assert text_page.get_charbox(index, loose=True)[0] == pytest.approx(left, abs=1)
