"""Workbooks as their sheets show them."""

import datetime as dt
import zipfile
from pathlib import Path

import openpyxl
import pytest
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.comments import Comment
from openpyxl.worksheet.worksheet import Worksheet

from ingestion.documents import ParsedDocument, Status
from tests.helpers.reading import read, repack


def sheet(title: str = "Data") -> tuple[openpyxl.Workbook, Worksheet]:
    book = openpyxl.Workbook()
    first = book.worksheets[0]
    first.title = title
    return book, first


def saved(book: openpyxl.Workbook, folder: Path) -> ParsedDocument:
    path = folder / "a.xlsx"
    book.save(path)
    document = read(path)
    assert document.status is Status.OK
    return document


def lines(document: ParsedDocument) -> list[str]:
    return [line for page in document.pages for line in page.text.split("\n") if line]


def test_cells_are_shown_in_their_formats(tmp_path: Path) -> None:
    book, first = sheet()
    first.append(["Item", "Code", "Rate", "Cost", "Long", "On", "Lasts", "Fits"])
    first.append(
        ["Bolt", 42, 0.125, 1234.5, 987654321098765, dt.date(2025, 2, 1), dt.timedelta(hours=49), True]
    )
    formats = (None, "00000", "0.0%", "#,##0.00 [$€-407]", "0", "d mmm yyyy", "[h]:mm", None)
    for cell, number_format in zip(first[2], formats, strict=True):
        if number_format:
            cell.number_format = number_format
    assert lines(saved(book, tmp_path)) == [
        "Data",
        "Item: Bolt; Code: 00042; Rate: 12.5%; Cost: 1,234.50 €; Long: 987654321098765; On: 1 Feb 2025; "
        "Lasts: 49:00; Fits: TRUE",
    ]


def test_merged_cells_count_for_each_row_and_column(tmp_path: Path) -> None:
    book, first = sheet()
    for row in (["Town", "Month", "Sold"], ["Lund", "May", 3], [None, "June", 4], ["Ystad", None, 5]):
        first.append(row)
    first.merge_cells("A2:A3")
    first.merge_cells("A4:B4")
    assert lines(saved(book, tmp_path))[1:] == [
        "Town: Lund; Month: May; Sold: 3", "Town: Lund; Month: June; Sold: 4",
        "Town: Ystad; Month: Ystad; Sold: 5",
    ]  # fmt: skip


def test_a_title_over_all_columns_stays_one_and_names_over_columns_are_joined(tmp_path: Path) -> None:
    book, first = sheet()
    for row in (
        ["Sales of the year"], ["Town", "2024", None, "2025", None],
        [None, "Spring", "Autumn", "Spring", "Autumn"],
        ["Lund", 1, 2, 3, 4],
    ):  # fmt: skip
        first.append(row)
    for reference in ("A1:E1", "B2:C2", "D2:E2", "A2:A3"):
        first.merge_cells(reference)
    assert lines(saved(book, tmp_path))[1:] == [
        "Sales of the year",
        "Town: Lund; 2024 Spring: 1; 2024 Autumn: 2; 2025 Spring: 3; 2025 Autumn: 4",
    ]


def test_comments_and_links(tmp_path: Path) -> None:
    book, first = sheet()
    first.append(["Supplier", "Site"])
    first.append(["Harrow", "home page"])
    first["A1"].comment = Comment("Those of this year.", "R. Vale")
    first["A2"].comment = Comment("Pays late.", "R. Vale")
    first["B2"].hyperlink = "https://harrow.example/terms"
    assert lines(saved(book, tmp_path))[1:] == [
        "Supplier: Harrow [comment by R. Vale: Pays late.]; Site: home page [https://harrow.example/terms]",
        "A1 (Supplier): comment by R. Vale: Those of this year.",
    ]


def test_threaded_comments(tmp_path: Path) -> None:
    book, first = sheet()
    first.append(["Supplier", "Site"])
    first.append(["Harrow", "north"])
    first["A2"].comment = Comment("[Threaded comment]\n\nYour version allows you to read it.", "tc={1}")
    book.save(tmp_path / "made.xlsx")
    space = 'xmlns="http://schemas.microsoft.com/office/spreadsheetml/2018/threadedcomments"'
    thread = f'<ThreadedComments {space}><threadedComment ref="A2"><text>Call first.</text></threadedComment>'
    thread += '<threadedComment ref="A2"><text>Done.</text></threadedComment></ThreadedComments>'
    relation = (
        '<Relationship Id="t1" '
        'Type="http://schemas.microsoft.com/office/2017/10/relationships/threadedComment" '
        'Target="../threadedComments/threadedComment1.xml"/></Relationships>'
    )
    name = "xl/worksheets/_rels/sheet1.xml.rels"
    with zipfile.ZipFile(tmp_path / "made.xlsx") as archive:
        relations = archive.read(name).decode().replace("</Relationships>", relation)
    path = repack(
        tmp_path / "made.xlsx",
        tmp_path / "a.xlsx",
        {name: relations.encode(), "xl/threadedComments/threadedComment1.xml": thread.encode()},
    )
    assert lines(read(path))[1:] == ["Supplier: Harrow [comment: Call first.; comment: Done.]; Site: north"]


def test_what_is_hidden_or_not_computed_is_said(tmp_path: Path) -> None:
    book, first = sheet()
    for row in (["Name", "Sum"], ["a", "=1+1"], ["b", "=B2*2"]):
        first.append(row)
    first.row_dimensions[3].hidden = True
    first.column_dimensions["B"].hidden = True
    other = book.create_sheet("Plan")
    other.append(["Key", "Value"])
    other.append(["Growth", 0.02])
    other.sheet_state = "veryHidden"
    document = saved(book, tmp_path)
    assert lines(document) == [
        "Data", "Name: a; Sum: =1+1", "Name: b; Sum: =B2*2", "Plan (hidden sheet)",
        "Key: Growth; Value: 0.02",
    ]  # fmt: skip
    formulas, rows, columns, hidden = document.warnings
    assert "'Data' has formulas whose values the file does not hold, in B2, B3" in formulas
    assert "hidden rows (3)" in rows
    assert "hidden columns (B)" in columns
    assert "'Plan' is hidden" in hidden


def test_errors_and_rich_text_are_text(tmp_path: Path) -> None:
    book, first = sheet()
    first.append(["Name", "Note"])
    first.append(["a", "#DIV/0!"])
    first.append(["b", CellRichText("plain ", TextBlock(InlineFont(b=True), "bold"))])
    assert lines(saved(book, tmp_path))[1:] == ["Name: a; Note: #DIV/0!", "Name: b; Note: plain bold"]


@pytest.mark.parametrize("reference", ["A1:XFD1048576", "A1"])
def test_a_merge_that_cannot_be_costs_nothing(tmp_path: Path, reference: str) -> None:
    book, first = sheet()
    first.append(["Name", "Note"])
    first.append(["a", "b"])
    first.merge_cells("A4:B4")
    book.save(tmp_path / "made.xlsx")
    name = "xl/worksheets/sheet1.xml"
    with zipfile.ZipFile(tmp_path / "made.xlsx") as archive:
        changed = archive.read(name).replace(b'ref="A4:B4"', f'ref="{reference}"'.encode())
    path = repack(tmp_path / "made.xlsx", tmp_path / "a.xlsx", {name: changed})
    assert lines(read(path)) == ["Data", "Name: a; Note: b"]
