"""OpenDocument: what LibreOffice shows of texts, spreadsheets and presentations."""

import zipfile
from pathlib import Path

import pytest

from ingestion.documents import FileProperties, Heading, ParsedDocument, Status
from ingestion.parsing import ParseLimits, parse
from tests.helpers.odf import write_odf
from tests.helpers.reading import read


def text(folder: Path, body: str, styles: str = "", **parts: str) -> ParsedDocument:
    return read(write_odf(folder / "a.odt", body, styles=styles, **parts))


def hidden(name: str) -> str:
    return f'<style:style style:name="{name}"><style:text-properties text:display="none"/></style:style>'


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ("<text:p>one<text:s text:c='2'/>two<text:tab/>x<text:line-break/>y</text:p>", "one  two\tx\ny"),
        ("<text:p>a <text:span>b</text:span> c</text:p><text:p/>", "a b c"),
        ("<text:section><text:p>a</text:p></text:section><text:p>b</text:p>", "a\n\nb"),
        (
            "<text:list><text:list-item><text:p>a</text:p><text:list><text:list-item><text:p>b</text:p>"
            "</text:list-item></text:list></text:list-item></text:list>",
            "- a\n  - b",
        ),
        (
            "<text:p>fee<text:note><text:note-citation>1</text:note-citation><text:note-body>"
            "<text:p>a day</text:p></text:note-body></text:note> here</text:p>",
            "fee[1] here\n\n[1] a day",
        ),
        (
            "<text:p>fee<office:annotation><dc:creator>Ada</dc:creator><text:p>Why?</text:p>"
            "</office:annotation></text:p>",
            "fee\n\nComment by Ada: Why?",
        ),
        (
            "<text:p>on <draw:frame><draw:text-box><text:p>in a box</text:p></draw:text-box></draw:frame>"
            "</text:p>",
            "on\n\nin a box",
        ),
        (
            "<text:p><draw:frame><draw:image/><svg:desc>A crane</svg:desc></draw:frame></text:p>",
            "A crane",
        ),
        ("<text:table-of-content><text:p>Rules 3</text:p></text:table-of-content><text:p>a</text:p>", "a"),
    ],
)
def test_text_as_it_is_shown(tmp_path: Path, body: str, shown: str) -> None:
    document = text(tmp_path, body)
    assert document.status is Status.OK
    assert (document.pages[0].text, document.warnings) == (shown, ())


def test_headings_and_page_breaks(tmp_path: Path) -> None:
    styles = (
        '<style:style style:name="B"><style:paragraph-properties fo:break-before="page"/></style:style>'
        '<text:list-style style:name="L"><text:list-level-style-number text:level="1" style:num-format="1"/>'
        "</text:list-style>"
    )
    document = text(
        tmp_path,
        "<text:h text:outline-level='1'>Rules</text:h><text:p>a</text:p>"
        "<text:h text:outline-level='2' text:style-name='B'>Fees</text:h><text:list text:style-name='L'>"
        "<text:list-item><text:p>x</text:p></text:list-item><text:list-item><text:p>y</text:p></text:list-item>"
        "</text:list>",
        styles,
    )
    assert [page.text for page in document.pages] == ["Rules\n\na", "Fees\n\n1. x\n2. y"]
    assert document.headings == (Heading("Rules", 1, 1, 0), Heading("Fees", 2, 2, 0))


TABLE = """<table:table><table:table-header-rows><table:table-row>
<table:table-cell table:number-columns-spanned="2"><text:p>Fees</text:p></table:table-cell>
<table:covered-table-cell/>
</table:table-row></table:table-header-rows><table:table-row>
<table:table-cell table:number-rows-spanned="2"><text:p>small</text:p></table:table-cell>
<table:table-cell><text:p>12</text:p><text:p>a day</text:p></table:table-cell></table:table-row>
<table:table-row><table:covered-table-cell/>
<table:table-cell table:number-columns-repeated="2"><text:p>24</text:p></table:table-cell>
</table:table-row></table:table>"""


def test_tables_are_lines_of_cells(tmp_path: Path) -> None:
    assert text(tmp_path, TABLE).pages[0].text == "Fees\nsmall | 12 a day\nsmall | 24 | 24"


def test_hidden_and_deleted_text_is_left_out_and_counted(tmp_path: Path) -> None:
    document = text(
        tmp_path,
        "<text:tracked-changes><text:changed-region><text:deletion><text:p>gone</text:p></text:deletion>"
        "</text:changed-region></text:tracked-changes>"
        "<text:p>seen <text:span text:style-name='H'>unseen</text:span></text:p>"
        "<text:p text:style-name='H'>unseen</text:p>",
        hidden("H"),
    )
    assert document.pages[0].text == "seen"
    assert document.warnings == (
        "3 passages of hidden text, which a reader does not see, were left out (page 1): "
        "1 deleted in a tracked change, 2 of hidden text.",
    )


def test_what_the_file_says_of_itself_and_its_margins(tmp_path: Path) -> None:
    document = text(
        tmp_path,
        "<text:p>a</text:p>",
        meta_xml="<dc:title>Harbour rules</dc:title><meta:initial-creator>Ada</meta:initial-creator>",
        styles_xml="<style:header><text:p>Port of Kiel</text:p></style:header>"
        "<style:footer><text:p>3</text:p></style:footer>",
    )
    assert document.pages[0].text == "a\n\nPage header: Port of Kiel"
    assert (document.title, document.properties) == ("Harbour rules", FileProperties(author="Ada"))


def test_objects_give_their_values_or_a_warning(tmp_path: Path) -> None:
    frame = '<draw:frame svg:width="10cm" svg:height="8cm">{}</draw:frame>'
    chart = frame.format('<draw:object xlink:href="./Object 1"/><draw:image/>')
    document = text(
        tmp_path,
        f"<text:p>{chart}{frame.format('<draw:image/>')}{frame.format('<draw:object-ole/>')}a</text:p>",
        **{"Object 1__content_xml": TABLE},
    )
    assert document.pages[0].text == "a\n\nFees\nsmall | 12 a day\nsmall | 24 | 24"
    assert document.warnings == (
        "Not read: 1 large pictures on page 1. Text in them cannot be found.",
        "Not read: 1 embedded objects on page 1. Text in them cannot be found.",
    )


def row(*cells: str, more: str = "") -> str:
    return f"<table:table-row {more}>" + "".join(cells) + "</table:table-row>"


def cell(words: str = "", more: str = "") -> str:
    shown = f"<text:p>{words}</text:p>" if words else ""
    return f"<table:table-cell {more}>{shown}</table:table-cell>"


def test_sheets_are_pages_of_records(tmp_path: Path) -> None:
    rows = row(cell("Item"), cell("Price"), cell(more='table:number-columns-repeated="16382"'))
    rows += row(cell("Rope"), cell("4.50 €", 'office:value="4.5"'))
    rows += row(cell("Lamp"), cell(more='office:value="19.9"'))
    rows += row(cell("Sum"), cell(more='table:formula="of:=SUM([.B2:.B3])"'))
    rows += row(cell(), more='table:number-rows-repeated="1048570"')
    style = '<style:style style:name="H"><style:table-properties table:display="false"/></style:style>'
    sheets = f'<table:table table:name="Stock">{rows}</table:table>'
    sheets += f'<table:table table:name="Old" table:style-name="H">{row(cell("x"))}</table:table>'
    document = read(write_odf(tmp_path / "a.ods", sheets, styles=style))
    assert [page.text for page in document.pages] == [
        "Stock\n\nItem: Rope; Price: 4.50 €\n\nItem: Lamp; Price: 19.9\n\nItem: Sum; Price: =SUM([.B2:.B3])",
        "Old (hidden sheet)\n\nx",
    ]
    assert document.warnings == ("The sheet 'Old' is hidden in the spreadsheet; its text is here.",)


def test_a_slide_is_a_page_with_its_notes(tmp_path: Path) -> None:
    def box(words: str, more: str = "") -> str:
        return f"<draw:frame {more}><draw:text-box><text:p>{words}</text:p></draw:text-box></draw:frame>"

    title = box("The pier", 'presentation:class="title"')
    group = "<draw:g><draw:custom-shape><text:p>in a group</text:p></draw:custom-shape></draw:g>"
    notes = f"<presentation:notes>{box('Thank Ada.')}</presentation:notes>"
    slides = f"<draw:page>{box('It opens in spring.')}{title}{group}{notes}</draw:page><draw:page/>"
    document = read(write_odf(tmp_path / "a.odp", slides))
    assert [page.text for page in document.pages] == [
        "The pier\n\nIt opens in spring.\n\nin a group\n\nNotes: Thank Ada.",
        "",
    ]
    assert document.headings == (Heading("The pier", 1, 1, 0),)


def test_a_file_of_another_kind_says_so(tmp_path: Path) -> None:
    document = read(write_odf(tmp_path / "a.odt", "<text:p>a</text:p>").rename(tmp_path / "a.ods"))
    assert document.status is Status.CORRUPT
    assert document.error is not None
    assert "it holds 'text', not 'spreadsheet'" in document.error


def test_a_password_is_asked_for(tmp_path: Path) -> None:
    document = text(tmp_path, "", **{"META-INF__manifest_xml": "<manifest:encryption-data/>"})
    assert document.status is Status.NEEDS_PASSWORD


DEEP = "<text:section>" * 300 + "<text:p>a</text:p>" + "</text:section>" * 300
ROWS = row(cell("x" * 1000), more='table:number-rows-repeated="900000000"')
CELLS = row(cell("x" * 90_000, 'table:number-columns-repeated="900000000"'))


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (DEEP, Status.CORRUPT, "depth"),
        (f"<table:table>{ROWS}</table:table>", Status.TOO_LARGE, "more text than the limit"),
        (f"<table:table>{CELLS}</table:table>", Status.TOO_LARGE, "more text than the limit"),
        ("<text:p>&undefined;</text:p>", Status.CORRUPT, "undefined"),
        ("<text:p>", Status.CORRUPT, "mismatch"),
    ],
    ids=["deep", "rows", "columns", "entity", "no XML"],
)
def test_hostile_files_have_a_status(tmp_path: Path, body: str, status: Status, words: str) -> None:
    path = write_odf(tmp_path / "a.odt", body)
    document = parse(path, limits=ParseLimits(max_characters=900_000))
    assert (document.status, document.pages) == (status, ())
    assert document.error is not None
    assert words in document.error


def test_truncated_files_and_bombs_have_a_status(tmp_path: Path) -> None:
    path = write_odf(tmp_path / "a.odt", "<text:p>" + "a" * 3_000_000 + "</text:p>")
    assert read(path, ParseLimits(max_bytes=1_000_000)).status is Status.TOO_LARGE
    path.write_bytes(path.read_bytes()[:-30])
    assert read(path).status is Status.CORRUPT
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "x")
    assert read(path).status is Status.CORRUPT
