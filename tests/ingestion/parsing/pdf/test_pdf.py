"""Honest PDFs: text, pages, outline, labels, title, passwords; and the pages that cannot be read."""

from pathlib import Path

import fpdf
import pytest
from fpdf.enums import EncryptionMethod

from ingestion.documents import Heading, Page, ParsedDocument, Status
from ingestion.parsing import ParseLimits, parse
from tests.helpers.pdfs import bare, dense_page, outlined, pdf, show, stream, text_pdf, without_header


def saved(folder: Path, data: bytes, name: str = "file.pdf") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def written(folder: Path, *, owner: str | None = None, user: str = "") -> Path:
    """Two pages with a section each, by fpdf2; AES-256 when there is an owner's password."""
    document = fpdf.FPDF()
    document.set_font("Helvetica", size=12)
    if owner is not None:
        document.set_encryption(owner, user, encryption_method=EncryptionMethod.AES_256)
    document.set_title("On Ships")
    for title, body in (("Sails", "Canvas and rope."), ("Oars", "Ash and patience.")):
        document.add_page()
        document.start_section(title)
        document.cell(text=title, new_x="LMARGIN", new_y="NEXT")
        document.cell(text=body)
    path = folder / "ships.pdf"
    document.output(str(path))
    return path


UNSEEING = ParseLimits(ocr_languages=())

SHIPS = ParsedDocument(
    Status.OK,
    title="On Ships",
    page_count=2,
    pages=(Page(1, "Sails\nCanvas and rope."), Page(2, "Oars\nAsh and patience.")),
    headings=(Heading("Sails", 1, 1, 0), Heading("Oars", 1, 2, 0)),
)


def test_pages_headings_and_title(tmp_path: Path) -> None:
    assert bare(parse(written(tmp_path))) == SHIPS


def test_progress_counts_every_page(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    parse(saved(tmp_path, text_pdf("a", "b", "c")), on_page=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 3), (2, 3), (3, 3)]


def test_suffix_in_capitals(tmp_path: Path) -> None:
    assert bare(parse(saved(tmp_path, text_pdf("loud"), "LOUD.PDF"))).pages == (Page(1, "loud"),)


@pytest.mark.parametrize("header", [True, False], ids=["pdfium", "pypdf"])
def test_outline_labels_and_title_from_either_library(tmp_path: Path, header: bool) -> None:
    data = outlined() if header else without_header(outlined())
    document = parse(saved(tmp_path, data))
    assert document.status is Status.OK
    assert document.title == "A Small Report"
    assert bare(document).pages == (
        Page(1, "Contents: First part, Second part", "i"),
        Page(2, "First part begins here", "ii"),
        Page(3, "see First part. Second part", "1"),
    )
    # White space and case of the outline differ from the page's.
    assert document.headings == (Heading("First part", 1, 2, 0), Heading("SECOND PART", 2, 3, 16))


def test_user_password_is_asked_for(tmp_path: Path) -> None:
    document = parse(written(tmp_path, owner="captain", user="sailor"))
    assert (document.status, bare(document).pages) == (Status.NEEDS_PASSWORD, ())
    assert document.error == "'ships.pdf' needs a password; give the one that opens it in a PDF viewer"


def test_wrong_password_is_said_to_be_wrong(tmp_path: Path) -> None:
    document = parse(written(tmp_path, owner="captain", user="sailor"), password="passenger")
    assert document.status is Status.NEEDS_PASSWORD
    assert document.error is not None
    assert "the password given does not open 'ships.pdf'" in document.error
    assert "passenger" not in document.error


@pytest.mark.parametrize("password", ["sailor", "captain"])
def test_password_opens(tmp_path: Path, password: str) -> None:
    assert bare(parse(written(tmp_path, owner="captain", user="sailor"), password=password)) == SHIPS


@pytest.mark.parametrize("password", [None, "another file's"])
def test_empty_user_password_opens_by_itself(tmp_path: Path, password: str | None) -> None:
    assert bare(parse(written(tmp_path, owner="captain"), password=password)) == SHIPS


def test_drawing_without_a_picture_has_no_text(tmp_path: Path) -> None:
    document = parse(saved(tmp_path, pdf([stream(b"0 0 100 100 re f"), stream(b"")])))
    assert (document.status, document.page_count, document.pages) == (Status.NO_TEXT, 2, ())
    assert document.failures == ()
    assert document.error == (
        "'file.pdf' has no text on any page (pages: 2) and no picture; it is blank, or a drawing: check the "
        "file"
    )


def test_blank_pages_keep_their_numbers(tmp_path: Path) -> None:
    document = parse(saved(tmp_path, text_pdf("one", "", "three")))
    assert document.status is Status.OK
    assert bare(document).pages == (Page(1, "one"), Page(2, ""), Page(3, "three"))


def test_hyphen_at_a_line_end(tmp_path: Path) -> None:
    content = b"BT /F1 12 Tf 72 720 Td (an inter-) Tj 0 -14 Td (national treaty) Tj ET"
    assert parse(saved(tmp_path, pdf([stream(content)]))).pages[0].text == "an international treaty"


def test_lines_end_in_newline(tmp_path: Path) -> None:
    content = b"BT /F1 12 Tf 72 720 Td (one) Tj 0 -14 Td (two) Tj ET"
    assert parse(saved(tmp_path, pdf([stream(content)]))).pages[0].text == "one\ntwo"


def mapped(pages: list[str], mapping: bytes) -> bytes:
    """Pages in a font whose ToUnicode table has one entry."""
    table = (
        b"/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /X def /CMapType 2 def "
        b"1 begincodespacerange <00> <FF> endcodespacerange 1 beginbfchar %s endbfchar endcmap end end"
        % mapping
    )
    font = b"/Type /Font /Subtype /Type1 /BaseFont /Helvetica /ToUnicode 4 0 R"
    return pdf([stream(show(text)) for text in pages], font=font, extra=[stream(table)])


def test_characters_beyond_the_basic_plane(tmp_path: Path) -> None:
    path = saved(tmp_path, mapped(["xAyAz"], b"<41> <D83DDE00>"))
    assert parse(path).pages[0].text == "x\N{GRINNING FACE}y\N{GRINNING FACE}z"


def test_half_a_surrogate_pair_is_replaced(tmp_path: Path) -> None:
    assert (
        parse(saved(tmp_path, mapped(["xAy"], b"<41> <D83D>"))).pages[0].text == "x\N{REPLACEMENT CHARACTER}y"
    )


def glyph_numbers(*texts: str) -> bytes:
    """Pages in a font that gives character 1 a name that means nothing, as subset fonts do."""
    font = b"/Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding << /Differences [1 /G1] >>"
    small = [show(text).replace(b" 12 Tf", b" 6 Tf") for text in texts]  # so that all of it is on the page
    return pdf([stream(content) for content in small], font=font)


def test_page_of_glyph_numbers_fails_alone(tmp_path: Path) -> None:
    document = parse(saved(tmp_path, glyph_numbers("plain words", "x\1x\1x\1x\1")), limits=UNSEEING)
    assert document.status is Status.PARTIAL
    assert bare(document).pages == (Page(1, "plain words"),)
    assert [failure.number for failure in document.failures] == [2]
    assert "50% of the characters are unreadable" in document.failures[0].reason


def test_few_stray_control_characters_are_dropped(tmp_path: Path) -> None:
    path = saved(tmp_path, glyph_numbers("a" * 98 + "\1\1", "a" * 97 + "\1\1\1"))
    document = parse(path, limits=UNSEEING)  # 2 in 100 is the limit
    assert bare(document).pages == (Page(1, "a" * 98),)
    assert [failure.number for failure in document.failures] == [2]


def test_only_glyph_numbers_is_no_text(tmp_path: Path) -> None:
    document = parse(saved(tmp_path, glyph_numbers("x\1x\1x\1x\1")), limits=UNSEEING)
    assert (document.status, bare(document).pages) == (Status.NO_TEXT, ())


def test_page_too_long_fails_alone(tmp_path: Path) -> None:
    path = saved(tmp_path, pdf([dense_page(100), stream(show("short"))]))
    document = parse(path, limits=ParseLimits(max_page_characters=1500))
    assert document.status is Status.PARTIAL
    assert bare(document).pages == (Page(2, "short"),)
    assert "the limit is 1500" in document.failures[0].reason


def test_only_a_page_too_long_is_too_large(tmp_path: Path) -> None:
    path = saved(tmp_path, pdf([dense_page(100)]))
    assert parse(path).status is Status.OK
    assert parse(path, limits=ParseLimits(max_page_characters=1500)).status is Status.TOO_LARGE


def test_page_that_is_not_there_fails_alone(tmp_path: Path) -> None:
    document = parse(saved(tmp_path, pdf([stream(show("one"))], count=3)))
    assert (document.status, document.page_count) == (Status.PARTIAL, 3)
    assert bare(document).pages == (Page(1, "one"),)
    assert [failure.number for failure in document.failures] == [2, 3]


def test_too_many_pages(tmp_path: Path) -> None:
    document = parse(saved(tmp_path, text_pdf("a", "b", "c")), limits=ParseLimits(max_pages=2))
    assert document.status is Status.TOO_LARGE
    assert document.error == "'file.pdf' has 3 pages, and the limit is 2; split it"


def test_too_much_text_keeps_the_pages_before(tmp_path: Path) -> None:
    document = parse(saved(tmp_path, text_pdf("four", "more", "less")), limits=ParseLimits(max_characters=9))
    assert document.status is Status.PARTIAL
    assert bare(document).pages == (Page(1, "four"), Page(2, "more"))
    assert "more than 9 characters" in document.failures[0].reason
