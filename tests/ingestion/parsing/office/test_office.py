"""Word documents, presentations and workbooks, made by other libraries and by hand."""

import datetime as dt
import zipfile
from collections.abc import Callable
from pathlib import Path

import docx
import openpyxl
import pptx
import pytest
from docx.enum.text import WD_BREAK
from pptx.util import Inches

from ingestion.documents import Heading, Page, Status
from ingestion.parsing import ParseLimits
from tests.helpers.office import W, word
from tests.helpers.reading import MAKERS, make_docx, make_xlsx, read, repack


def test_word_document(tmp_path: Path) -> None:
    document = docx.Document()
    document.core_properties.title = "The report"
    document.add_heading("Whole", 0)
    document.add_heading("First", 1)
    document.add_paragraph("Before the table.")
    table = document.add_table(rows=2, cols=3)
    for column, words in enumerate(("name", "one", "two")):
        table.cell(0, column).text = words
    table.cell(1, 0).text = "In\nlines"
    table.cell(1, 2).text = "4"
    for style in ("List Bullet", "List Bullet", "List Number", "List Number"):
        document.add_paragraph(style, style=style)
    paragraph = document.add_paragraph("Before the break")
    paragraph.add_run().add_break(WD_BREAK.PAGE)
    paragraph.add_run("and after.")
    document.add_heading("Second", 2)
    document.sections[0].header.paragraphs[0].text = "Header"
    path = tmp_path / "a.docx"
    document.save(str(path))
    result = read(path)
    assert result.title == "The report"
    assert result.pages == (
        Page(
            1,
            "Whole\n\nFirst\n\nBefore the table.\n\nname | one | two\nIn lines |  | 4\n\n"
            "- List Bullet\n- List Bullet\n1. List Number\n2. List Number\n\nBefore the break",
        ),
        Page(2, "and after.\n\nSecond\n\nPage header: Header"),
    )
    assert result.headings == (
        Heading("Whole", 1, 1, 0),
        Heading("First", 1, 1, 7),
        Heading("Second", 2, 2, 12),
    )


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("<w:p><w:r><w:t>a</w:t><w:tab/><w:t>b</w:t><w:br/><w:t>c</w:t></w:r></w:p>", "a\tb\nc"),
        (
            "<w:p><w:ins><w:r><w:t>in</w:t></w:r></w:ins><w:del><w:r><w:delText>out</w:delText></w:r></w:del></w:p>",
            "in",
        ),
        ("<w:p><w:hyperlink><w:r><w:t>link</w:t></w:r></w:hyperlink></w:p>", "link"),
        ("<w:sdt><w:sdtContent><w:p><w:r><w:t>control</w:t></w:r></w:p></w:sdtContent></w:sdt>", "control"),
        ("<w:p><w:r><w:fldChar/><w:instrText>PAGE</w:instrText><w:t>7</w:t></w:r></w:p>", "7"),
        (
            "<w:p><w:r><w:t>host</w:t><w:pict><w:txbxContent><w:p><w:r><w:t>box</w:t></w:r></w:p></w:txbxContent>"
            "</w:pict></w:r></w:p>",
            "host\n\nbox",
        ),
        (
            "<w:tbl><w:tr><w:tc><w:tcPr><w:vMerge w:val='restart'/></w:tcPr><w:p><w:r><w:t>a</w:t></w:r>"
            "</w:p></w:tc><w:tc><w:p><w:r><w:t>1</w:t></w:r></w:p></w:tc></w:tr><w:tr><w:tc><w:tcPr><w:vMerge/></w:tcPr><w:p/>"
            "</w:tc><w:tc><w:p><w:r><w:t>2</w:t></w:r></w:p></w:tc></w:tr></w:tbl>",
            "a | 1\na | 2",
        ),
    ],
    ids=["marks", "tracked changes", "link", "control", "field", "text box", "merged cells"],
)
def test_word_text(tmp_path: Path, body: str, text: str) -> None:
    assert read(word(tmp_path / "a.docx", body)).pages == (Page(1, text),)


def test_word_headings_in_any_language(tmp_path: Path) -> None:
    styles = (
        f"<w:styles {W}><w:style w:styleId='berschrift2'><w:name w:val='heading 2'/></w:style>"
        "<w:style w:styleId='Eigen'><w:name w:val='Eigen'/><w:basedOn w:val='berschrift2'/></w:style>"
        "<w:style w:styleId='Rund'><w:name w:val='Rund'/><w:basedOn w:val='Rund'/></w:style>"
        "<w:style w:styleId='toc1'><w:name w:val='toc 1'/></w:style></w:styles>"
    )
    body = "".join(
        f"<w:p><w:pPr>{properties}</w:pPr><w:r><w:t>{text}</w:t></w:r></w:p>"
        for properties, text in [
            ("<w:pStyle w:val='toc1'/>", "Eins ... 3"),
            ("<w:pStyle w:val='berschrift2'/>", "Eins"),
            ("<w:pStyle w:val='Eigen'/>", "Zwei"),
            ("<w:outlineLvl w:val='2'/>", "Drei"),
            ("<w:outlineLvl w:val='9'/>", "Text"),
            ("<w:pStyle w:val='Rund'/>", "Kreis"),
        ]
    )
    document = read(word(tmp_path / "a.docx", body, styles=styles))
    assert document.pages[0].text == "Eins\n\nZwei\n\nDrei\n\nText\n\nKreis"
    assert [(heading.title, heading.level) for heading in document.headings] == [
        ("Eins", 2),
        ("Zwei", 2),
        ("Drei", 3),
    ]


def test_word_numbers_of_clauses(tmp_path: Path) -> None:
    levels = "".join(
        f"<w:lvl w:ilvl='{level}'><w:start w:val='1'/><w:numFmt w:val='{kind}'/><w:lvlText w:val='{text}'/>"
        "</w:lvl>"
        for level, kind, text in [(0, "decimal", "%1."), (1, "decimal", "%1.%2"), (2, "lowerRoman", "(%3)")]
    )
    numbering = (
        f"<w:numbering {W}><w:abstractNum w:abstractNumId='5'>{levels}</w:abstractNum>"
        "<w:num w:numId='1'><w:abstractNumId w:val='5'/></w:num></w:numbering>"
    )
    body = "".join(
        f"<w:p><w:pPr><w:numPr><w:ilvl w:val='{level}'/><w:numId w:val='1'/></w:numPr></w:pPr>"
        f"<w:r><w:t>x</w:t></w:r></w:p>"
        for level in (0, 1, 1, 2, 2, 0, 1)
    )
    document = read(word(tmp_path / "a.docx", body, numbering=numbering))
    assert document.pages[0].text.split("\n") == [
        "1. x",
        "1.1 x",
        "1.2 x",
        "(i) x",
        "(ii) x",
        "2. x",
        "2.1 x",
    ]


def test_word_footnotes_follow_their_paragraph(tmp_path: Path) -> None:
    note = "<w:footnote w:id='2'><w:p><w:r><w:t>The note.</w:t></w:r></w:p></w:footnote>"
    notes = f"<w:footnotes {W}>{note}</w:footnotes>"
    body = (
        "<w:p><w:r><w:t>said</w:t><w:footnoteReference w:id='2'/></w:r></w:p>"
        "<w:p><w:r><w:t>next</w:t></w:r></w:p>"
    )
    document = read(word(tmp_path / "a.docx", body, footnotes=notes))
    assert document.pages[0].text == "said[2]\n\n[2] The note.\n\nnext"


def test_word_sections_and_breaks_begin_pages(tmp_path: Path) -> None:
    paragraph = "<w:p><w:pPr>{}</w:pPr><w:r><w:t>{}</w:t></w:r></w:p>"
    body = (
        paragraph.format("<w:sectPr><w:type w:val='continuous'/></w:sectPr>", "one")
        + paragraph.format("<w:sectPr/>", "two")
        + paragraph.format("<w:pageBreakBefore/>", "three")
        + paragraph.format("<w:pageBreakBefore/>", "four")
        + paragraph.format("<w:pageBreakBefore w:val='0'/>", "five")
    )
    document = read(word(tmp_path / "a.docx", body))
    assert [page.text for page in document.pages] == ["one\n\ntwo", "three", "four\n\nfive"]


def test_presentation(tmp_path: Path) -> None:
    deck = pptx.Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[1])
    slide.shapes.title.text = "The plan"
    body = slide.placeholders[1].text_frame
    body.text = "first"
    item = body.add_paragraph()
    item.text, item.level = "under", 1
    slide.notes_slide.notes_text_frame.text = "Say this."
    deck.slides.add_slide(deck.slide_layouts[6])  # without text
    third = deck.slides.add_slide(deck.slide_layouts[6])
    group = third.shapes.add_group_shape()
    group.shapes.add_textbox(0, 0, Inches(1), Inches(1)).text_frame.text = "in a group"
    table = third.shapes.add_table(2, 2, 0, 0, Inches(3), Inches(1)).table
    for row, line in enumerate((("name", "qty"), ("Bolt", "4"))):
        for column, words in enumerate(line):
            table.cell(row, column).text = words
    path = tmp_path / "a.pptx"
    deck.save(str(path))
    document = read(path)
    assert document.pages == (
        Page(1, "The plan\n\n- first\n  - under\n\nNotes: Say this."),
        Page(2, ""),
        Page(3, "in a group\n\nname | qty\nBolt | 4"),
    )
    assert document.headings == (Heading("The plan", 1, 1, 0),)


def test_workbook(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    first = book.active
    assert first is not None
    first.title = "Stock"
    for row in (
        ["item", "price", "since", "sold"],
        ["Bolt", 0.1 + 0.2, dt.date(2024, 3, 1), True],
        ["Nut", 2.0],
    ):
        first.append(row)
    book.create_sheet("Empty")
    book.create_sheet("Notes")["C7"] = "alone"
    path = tmp_path / "a.xlsx"
    book.save(path)
    document = read(path)
    assert document.pages == (
        Page(1, "Stock\n\nitem: Bolt; price: 0.3; since: 2024-03-01; sold: TRUE\n\nitem: Nut; price: 2"),
        Page(2, "Notes\n\n |  | alone"),
    )
    assert document.headings == (Heading("Stock", 1, 1, 0), Heading("Notes", 1, 2, 0))


CONTENT = {
    ".docx": "word/document.xml",
    ".pptx": "ppt/slides/slide1.xml",
    ".xlsx": "xl/worksheets/sheet1.xml",
    ".epub": "OEBPS/one.xhtml",
}

OFFICE = {suffix: MAKERS[suffix] for suffix in CONTENT}
each = pytest.mark.parametrize(("suffix", "make"), list(OFFICE.items()), ids=list(OFFICE))


@each
@pytest.mark.parametrize("share", [0.02, 0.5, 0.99])
def test_truncated(tmp_path: Path, suffix: str, make: Callable[[Path], None], share: float) -> None:
    path = tmp_path / f"a{suffix}"
    make(path)
    assert "words" in read(path).pages[0].text
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    assert read(path).status is Status.CORRUPT


@each
def test_wrong_content(tmp_path: Path, suffix: str, make: Callable[[Path], None]) -> None:
    path = tmp_path / f"a{suffix}"
    for data, status in (
        (b"just words", Status.CORRUPT),
        (b"%PDF-1.7", Status.UNSUPPORTED),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), Status.UNSUPPORTED),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), Status.NEEDS_PASSWORD),
    ):
        path.write_bytes(data)
        assert read(path).status is status
    for other, make_other in OFFICE.items():
        make_other(path)
        assert read(path).status is (Status.OK if other == suffix else Status.CORRUPT)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "no document")
    assert read(path).status is Status.CORRUPT


@pytest.mark.parametrize(("suffix", "make"), [(s, m) for s, m in OFFICE.items() if s != ".epub"])
def test_broken_xml(tmp_path: Path, suffix: str, make: Callable[[Path], None]) -> None:
    make(tmp_path / "made")
    for data in (b"", b"<a><b></a>", b"<a>" * 5000, b"\xff\xfe\x00"):
        path = repack(tmp_path / "made", tmp_path / f"a{suffix}", {CONTENT[suffix]: data})
        assert read(path).status is Status.CORRUPT


@each
def test_archive_that_unpacks_to_gigabytes(tmp_path: Path, suffix: str, make: Callable[[Path], None]) -> None:
    make(tmp_path / "made")
    swollen = b"<a>" + b" " * 30_000_000
    path = repack(tmp_path / "made", tmp_path / f"a{suffix}", {CONTENT[suffix]: swollen})
    assert path.stat().st_size < 200_000
    document = read(path, ParseLimits(max_bytes=20_000_000))
    assert document.status is Status.TOO_LARGE
    assert document.error is not None
    assert "unpacks to more than the limit" in document.error


@each
def test_part_that_lies_about_its_size(tmp_path: Path, suffix: str, make: Callable[[Path], None]) -> None:
    make(tmp_path / "made")
    size = 30_000_000
    path = repack(tmp_path / "made", tmp_path / f"a{suffix}", {CONTENT[suffix]: b" " * size})
    data = path.read_bytes()
    assert data.count(size.to_bytes(4, "little")) == 2  # the part's own header, and the list at the end
    path.write_bytes(data.replace(size.to_bytes(4, "little"), (100).to_bytes(4, "little")))
    assert read(path, ParseLimits(max_bytes=20_000_000)).status is Status.CORRUPT


@each
def test_entities_are_not_expanded(tmp_path: Path, suffix: str, make: Callable[[Path], None]) -> None:
    make(tmp_path / "made")
    (tmp_path / "secret").write_text("SECRET")
    with zipfile.ZipFile(tmp_path / "made") as archive:
        xml = archive.read(CONTENT[suffix]).decode()
    xml = xml[xml.index("?>") + 2 :] if xml.startswith("<?xml") else xml
    root = xml.strip()[1:].split()[0]
    bomb = '<!ENTITY a "bomb">' + "".join(
        f'<!ENTITY {after} "{("&" + before + ";") * 10}">'
        for before, after in zip("abcdefgh", "bcdefghi", strict=True)
    )
    outside = f'<!ENTITY x SYSTEM "file://{tmp_path}/secret">'
    for entity in ("&i;", "&x;"):
        hostile = f"<!DOCTYPE {root} [{bomb}{outside}]>" + xml.replace("words", "words" + entity, 1)
        if "words" not in xml:
            hostile = hostile.replace("</row>", f"</row>{entity}", 1)
        path = repack(tmp_path / "made", tmp_path / f"a{suffix}", {CONTENT[suffix]: hostile.encode()})
        document = read(path)
        assert "SECRET" not in repr(document)
        assert sum(len(page.text) for page in document.pages) < 2000


def test_external_references_are_not_followed(tmp_path: Path) -> None:
    make_docx(tmp_path / "made")
    with zipfile.ZipFile(tmp_path / "made") as archive:
        relations = archive.read("word/_rels/document.xml.rels").decode()
    relations = relations.replace(
        "</Relationships>",
        f'<Relationship Id="e" Type="x/footnotes" TargetMode="External" Target="file://{tmp_path}/secret"/>'
        f'<Relationship Id="f" Type="x/endnotes" Target="../../../..{tmp_path}/secret"/></Relationships>',
    )
    (tmp_path / "secret").write_text("<a/>")
    path = repack(
        tmp_path / "made", tmp_path / "a.docx", {"word/_rels/document.xml.rels": relations.encode()}
    )
    assert read(path).status is Status.OK


def test_a_workbook_that_claims_a_million_empty_rows(tmp_path: Path) -> None:
    make_xlsx(tmp_path / "made")
    with zipfile.ZipFile(tmp_path / "made") as archive:
        xml = archive.read(CONTENT[".xlsx"]).decode()
    assert '<dimension ref="A1:A1"' in xml
    changed = xml.replace('<dimension ref="A1:A1"', '<dimension ref="A1:XFD1048576"').encode()
    path = repack(tmp_path / "made", tmp_path / "a.xlsx", {CONTENT[".xlsx"]: changed})
    assert read(path).pages == (Page(1, "Sheet\n\nwords"),)


def test_an_archive_with_a_password(tmp_path: Path) -> None:
    make_docx(tmp_path / "a.docx")
    data = bytearray((tmp_path / "a.docx").read_bytes())
    start = 0
    while (start := data.find(b"PK\x01\x02", start)) >= 0:
        data[start + 8] |= 1
        start += 4
    (tmp_path / "a.docx").write_bytes(data)
    assert read(tmp_path / "a.docx").status is Status.NEEDS_PASSWORD
