"""What a person sees in a Word document beside its paragraphs, and what nobody sees."""

# ruff: noqa: E501 (XML is read better in one piece)

from pathlib import Path

import docx
import pytest
from docx.shared import Cm
from PIL import Image

from ingestion.documents import Page
from tests.helpers.office import W, word
from tests.helpers.reading import read

M = 'xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math"'
C = (
    'xmlns:c="http://schemas.openxmlformats.org/drawingml/2006/chart" '
    'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
)
R = 'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'


def p(*runs: str) -> str:
    return f"<w:p>{''.join(runs)}</w:p>"


def r(text: str, properties: str = "") -> str:
    return f"<w:r><w:rPr>{properties}</w:rPr><w:t xml:space='preserve'>{text}</w:t></w:r>"


def field(data: str, code: str, result: str = "") -> str:
    return (
        f"<w:r><w:fldChar w:fldCharType='begin'>{data}</w:fldChar></w:r><w:r><w:instrText>{code}</w:instrText></w:r>"
        f"<w:r><w:fldChar w:fldCharType='separate'/></w:r>{result}<w:r><w:fldChar w:fldCharType='end'/></w:r>"
    )


def shown(folder: Path, body: str, **parts: str) -> str:
    document = read(word(folder / "a.docx", body, **parts))
    assert all("of hidden text" in warning for warning in document.warnings)
    return "\n\n".join(page.text for page in document.pages)


CHOICES = "<w:listEntry w:val='Quay'/><w:listEntry w:val='Mill'/>"
SDT = "<w:sdt><w:sdtPr>{}</w:sdtPr><w:sdtContent><w:r><w:t>{}</w:t></w:r></w:sdtContent></w:sdt>"


@pytest.mark.parametrize(
    ("runs", "text"),
    [
        (field(f"<w:ffData><w:ddList><w:result w:val='1'/>{CHOICES}</w:ddList></w:ffData>", "FORMDROPDOWN"), "Mill"),
        (field(f"<w:ffData><w:ddList>{CHOICES}</w:ddList></w:ffData>", "FORMDROPDOWN", r("Quay")), "Quay"),
        (field("<w:ffData><w:checkBox><w:checked/></w:checkBox></w:ffData>", "FORMCHECKBOX") + r(" yes"), "[x] yes"),
        (field("<w:ffData><w:checkBox><w:default w:val='0'/></w:checkBox></w:ffData>", "x") + r(" no"), "[ ] no"),
        (field("<w:ffData><w:textInput/></w:ffData>", "FORMTEXT", r("GT-90211")), "GT-90211"),
        (SDT.format("<w:dropDownList><w:listItem w:displayText='Mill' w:value='2'/></w:dropDownList>", "Mill"), "Mill"),
        (
            SDT.format(
                "<w:dropDownList w:lastValue='2'><w:listItem w:displayText='Mill' w:value='2'/></w:dropDownList>", ""
            ),
            "Mill",
        ),
        (SDT.format("<x:checkbox xmlns:x='x'><x:checked x:val='1'/></x:checkbox>", "☒") + r(" paid"), "[x] paid"),
        (SDT.format("<x:checkbox xmlns:x='x'><x:checked x:val='0'/></x:checkbox>", "☐") + r(" due"), "[ ] due"),
        (SDT.format("<w:date w:fullDate='2025-03-01T00:00:00Z'/>", ""), "2025-03-01"),
        (SDT.format("<w:date w:fullDate='2025-03-01T00:00:00Z'/>", "1. März 2025"), "1. März 2025"),
        (field("", "PAGEREF _x " + "</w:instrText><w:t>code</w:t><w:instrText>", r("7")), "7"),
        (field("", "IF " + "</w:instrText><w:t>no</w:t><w:instrText>", r("yes")), "yes"),
        ("<w:r><w:fldChar w:fldCharType='begin'/></w:r>" + r("never closed"), "never closed"),
        ("<w:r><w:fldChar w:fldCharType='begin'/><w:instrText> EQ \\f(3;8) </w:instrText>"
         "<w:fldChar w:fldCharType='end'/></w:r>", "3/8"),
        (r("seen ") + r("unseen", "<w:vanish/>") + r("again", "<w:vanish w:val='0'/>"), "seen again"),
        (r("10") + r("3", "<w:vertAlign w:val='superscript'/>") + r(" H") + r("2", "<w:vertAlign w:val='subscript'/>")
         + r("O"), "10^3 H2O"),
        (r("3") + r("1", "<w:vertAlign w:val='superscript'/>") + r("/2"), "3 1/2"),
        ("<w:r><w:sym w:font='Symbol' w:char='F061'/><w:sym w:font='Wingdings' w:char='F0FE'/></w:r>", "α☑"),
        (r("\uf0b0C", "<w:rFonts w:ascii='Symbol'/>"), "°C"),
        ("<w:r><w:t>co</w:t><w:noBreakHyphen/><w:t>op</w:t><w:softHyphen/><w:t>era</w:t></w:r>", "co-opera"),
        ("<w:r><w:ruby><w:rt><w:r><w:t>かんじ</w:t></w:r></w:rt><w:rubyBase><w:r><w:t>漢字</w:t></w:r></w:rubyBase>"
         "</w:ruby></w:r>", "漢字(かんじ)"),
        (r("a") + "<w:moveFrom>" + r("b") + "</w:moveFrom><w:moveTo>" + r("c") + "</w:moveTo>", "ac"),
    ],
)  # fmt: skip
def test_what_stands_in_a_line(tmp_path: Path, runs: str, text: str) -> None:
    assert shown(tmp_path, p(runs)) == text


def m(text: str) -> str:
    return f"<m:r><m:t>{text}</m:t></m:r>"


@pytest.mark.parametrize(
    ("formula", "text"),
    [
        (f"<m:f><m:num>{m('a+b')}</m:num><m:den>{m('2')}</m:den></m:f>", "(a+b)/2"),
        (f"<m:sSup><m:e>{m('x')}</m:e><m:sup>{m('n+1')}</m:sup></m:sSup>", "x^(n+1)"),
        (f"<m:sSubSup><m:e>{m('x')}</m:e><m:sub>{m('i')}</m:sub><m:sup>{m('2')}</m:sup></m:sSubSup>", "x_i^2"),
        (f"<m:rad><m:deg/><m:e>{m('𝑏')}</m:e></m:rad>", "√(b)"),
        (f"<m:rad><m:deg>{m('3')}</m:deg><m:e>{m('8')}</m:e></m:rad>", "∛(8)"),
        (f"<m:nary><m:naryPr><m:chr m:val='∑'/></m:naryPr><m:sub>{m('i=1')}</m:sub><m:sup>{m('n')}</m:sup><m:e>{m('i')}"
         "</m:e></m:nary>", "∑_(i=1)^n i"),
        (f"<m:d><m:dPr><m:begChr m:val='['/><m:endChr m:val=']'/></m:dPr><m:e>{m('a')}</m:e><m:e>{m('b')}</m:e></m:d>",
         "[a|b]"),
        (f"<m:func><m:fName>{m('sin')}</m:fName><m:e>{m('x')}</m:e></m:func>", "sin x"),
        (f"<m:m><m:mr><m:e>{m('1')}</m:e><m:e>{m('0')}</m:e></m:mr><m:mr><m:e>{m('0')}</m:e><m:e>{m('1')}</m:e></m:mr>"
         "</m:m>", "[1, 0; 0, 1]"),
    ],
)  # fmt: skip
def test_formulas(tmp_path: Path, formula: str, text: str) -> None:
    body = p(r("is"), f"<m:oMath {M}>{formula}</m:oMath>")
    assert " ".join(shown(tmp_path, body).split()) == f"is {text}"


def test_formulas_in_each_other_take_no_time(tmp_path: Path) -> None:
    nested = "<m:d><m:e>" * 100 + m("x") + "</m:e></m:d>" * 100
    assert "x" in shown(tmp_path, p(f"<m:oMath {M}>{nested}</m:oMath>"))


def test_comments_stand_under_their_paragraph(tmp_path: Path) -> None:
    document = docx.Document()
    paragraph = document.add_paragraph("The total is ")
    run = paragraph.add_run("4,200 kg")
    document.add_comment(run, text="Check with the scale.", author="Ann Lee")
    document.add_paragraph("After.")
    table = document.add_table(rows=1, cols=2)
    cell = table.cell(0, 0).paragraphs[0].add_run("cell")
    document.add_comment(cell, text="In a table.", author="Bo")
    document.save(str(tmp_path / "a.docx"))
    text = read(tmp_path / "a.docx").pages[0].text
    assert text.split("\n\n") == [
        "The total is 4,200 kg",
        "Comment by Ann Lee on “4,200 kg”: Check with the scale.",
        "After.",
        "cell Comment by Bo on “cell”: In a table.",
    ]


def test_comments_over_paragraphs_and_without_a_place(tmp_path: Path) -> None:
    comments = "".join(
        f"<w:comment w:id='{n}' w:author='Eva'>{p(r(text))}</w:comment>"
        for n, text in ((1, "Long."), (2, "Lost."))
    )
    body = p("<w:commentRangeStart w:id='1'/>", r("one")) + p(
        r("two"), "<w:commentRangeEnd w:id='1'/><w:r><w:commentReference w:id='1'/></w:r>", r(" three")
    )
    assert shown(tmp_path, body, comments=f"<w:comments {W}>{comments}</w:comments>").split("\n\n") == [
        "one",
        "two three",
        "Comment by Eva on “one two”: Long.",
        "Comment by Eva: Lost.",
    ]


def test_headers_and_footers_once(tmp_path: Path) -> None:
    document = docx.Document()
    for number in range(3):
        section = document.sections[0] if not number else document.add_section()
        section.header.is_linked_to_previous = False
        section.header.paragraphs[0].text = "Gate manual, issue C" if number < 2 else "Annex"
        document.add_paragraph(f"Part {number}")
    document.sections[0].footer.paragraphs[0].text = "Internal"
    document.save(str(tmp_path / "a.docx"))
    pages = [page.text for page in read(tmp_path / "a.docx").pages]
    assert pages == [
        "Part 0\n\nPage header: Gate manual, issue C\n\nPage footer: Internal",
        "Part 1",
        "Part 2\n\nPage header: Annex",
    ]


@pytest.mark.parametrize(
    ("footer", "text"), [("Page ", "x"), ("Order 4711, page ", "x\n\nPage footer: Order 4711, page 3")]
)
def test_a_page_number_alone_is_no_footer(tmp_path: Path, footer: str, text: str) -> None:
    part = f"<w:ftr {W}>{p(r(footer), field('', 'PAGE', r('3')))}</w:ftr>"
    body = p(r("x")) + f"<w:sectPr {R}><w:footerReference w:type='default' r:id='xfooter1'/></w:sectPr>"
    assert shown(tmp_path, body, footer1=part) == text


def test_hidden_by_styles(tmp_path: Path) -> None:
    styles = (
        f"<w:styles {W}><w:style w:styleId='Secret'><w:rPr><w:vanish/></w:rPr></w:style>"
        "<w:style w:styleId='Deeper'><w:basedOn w:val='Secret'/></w:style></w:styles>"
    )
    body = (
        p(r("seen"), r("hidden", "<w:rStyle w:val='Deeper'/>"))
        + p("<w:pPr><w:pStyle w:val='Secret'/></w:pPr>", r("hidden"), r("shown", "<w:vanish w:val='false'/>"))
        + "<w:tbl><w:tr><w:trPr><w:hidden/></w:trPr><w:tc><w:p><w:r><w:t>hidden</w:t></w:r></w:p></w:tc></w:tr>"
        "<w:tr><w:trPr><w:del/></w:trPr><w:tc><w:p><w:r><w:t>deleted</w:t></w:r></w:p></w:tc></w:tr>"
        "<w:tr><w:tc><w:p><w:r><w:t>row</w:t></w:r></w:p></w:tc></w:tr></w:tbl>"
    )
    assert shown(tmp_path, body, styles=styles) == "seen\n\nshown\n\nrow"


def test_notes_lack_what_is_hidden(tmp_path: Path) -> None:
    notes = f"<w:endnotes {W}><w:endnote w:id='1'>{p(r('One.'), r('no', '<w:vanish/>'))}{p(r('Two.'))}</w:endnote></w:endnotes>"
    body = p(r("said"), "<w:r><w:endnoteReference w:id='1'/></w:r>")
    assert shown(tmp_path, body, endnotes=notes) == "said[e1]\n\n[e1] One. Two."


CHART = (
    f"<c:chartSpace {C}><c:chart><c:title><c:tx><c:rich><a:p><a:r><a:t>Yield</a:t></a:r></a:p></c:rich></c:tx></c:title>"
    "<c:plotArea><c:barChart><c:ser><c:tx><c:strRef><c:f>S!B1</c:f><c:strCache><c:pt idx='0'><c:v>2024</c:v></c:pt>"
    "</c:strCache></c:strRef></c:tx><c:cat><c:strRef><c:strCache><c:pt idx='0'><c:v>North</c:v></c:pt>"
    "<c:pt idx='1'><c:v>South</c:v></c:pt></c:strCache></c:strRef></c:cat><c:val><c:numRef><c:numCache>"
    "<c:formatCode>0%</c:formatCode><c:pt idx='0'><c:v>0.25</c:v></c:pt><c:pt idx='1'><c:v>0.5</c:v></c:pt></c:numCache>"
    "</c:numRef></c:val></c:ser></c:barChart></c:plotArea></c:chart></c:chartSpace>"
)
DRAWING = f"<w:r><w:drawing {C} {R}><c:chart r:id='xchart1'/></w:drawing></w:r>"


def test_charts(tmp_path: Path) -> None:
    assert shown(tmp_path, p(DRAWING), chart1=CHART) == "Chart: Yield\n | 2024\nNorth | 25%\nSouth | 50%"


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    Image.new("RGB", (40, 30)).save(tmp_path / "a.png")
    document = docx.Document()
    document.add_paragraph("x")
    document.add_picture(str(tmp_path / "a.png"), width=Cm(12))
    document.add_picture(str(tmp_path / "a.png"), width=Cm(1))
    document.save(str(tmp_path / "a.docx"))
    assert [warning.split(" on ")[0] for warning in read(tmp_path / "a.docx").warnings] == [
        "Not read: 1 large pictures"
    ]
    body = p(
        r("x"), DRAWING, "<w:r><w:object><o:OLEObject xmlns:o='o' ProgID='Excel.Sheet.12'/></w:object></w:r>"
    )
    result = read(
        word(tmp_path / "b.docx", body, chart1=CHART.replace("c:pt ", "c:no ").replace("c:pt>", "c:no>"))
    )
    assert result.pages == (Page(1, "x"),)
    assert [warning.split(" on ")[0] for warning in result.warnings] == [
        "Not read: 1 charts without values",
        "Not read: 1 embedded objects (Excel.Sheet.12)",
    ]
