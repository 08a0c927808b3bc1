"""Tables of PDF pages: what a parsed file says of their rows, columns, units and periods."""

from pathlib import Path

import pytest

from ingestion.documents import Status
from ingestion.parsing import parse
from ingestion.parsing.pdf import pdfium
from ingestion.parsing.pdf.pdfium import PdfiumFile
from ingestion.tables.cells import period_of_cell, unit_of_cell
from ingestion.tables.reading import tables_of
from ingestion.tables.table import Table
from tests.helpers.placed_text import (
    LEFT,
    STATEMENT,
    boxes,
    centred,
    page,
    placed,
    right_aligned,
    row,
)


def tables(folder: Path, *pages: bytes) -> tuple[Table, ...]:
    path = folder / "file.pdf"
    path.write_bytes(placed(*pages))
    parsed = parse(path)
    assert (parsed.status, parsed.warnings) == (Status.OK, ())
    for each in tables_of(parsed.pages):
        text = parsed.pages[each.page - 1].text
        for one in (cell for line in each.rows for cell in (line.label, *line.cells) if cell is not None):
            assert one.text == " ".join(" ".join(text[a:b].split()) for a, b in one.spans)
    return tables_of(parsed.pages)


def grid(table: Table) -> list[list[str]]:
    return [[line.label.text, *(cell.text if cell else "" for cell in line.cells)] for line in table.rows]


def test_a_statement_has_its_rows_columns_unit_and_periods(tmp_path: Path) -> None:
    (table,) = tables(tmp_path, page(STATEMENT))
    assert (table.title, table.unit, table.currency) == ("Consolidated Balance Sheets", "million", "$")
    assert [column.period for column in table.columns] == ["December 31, 2023", "December 31, 2022"]
    assert grid(table) == [
        ["Cash and cash equivalents", "$ 1,204", "$ 977"],
        ["Receivables, less allowances for doubtful accounts", "88", "(91)"],
        ["Total current assets", "1,292", "886"],
        ["", "$ 1,292", "$ 886"],
        ["Earnings per share", "$ 3.15", "$ 2.80"],
    ]
    assert [line.section for line in table.rows[:3]] == [("Current assets",), ("Current assets",), ()]
    assert unit_of_cell(table, table.rows[1], 0) == "million"
    assert unit_of_cell(table, table.rows[4], 0) == ""


def test_the_unit_of_a_row_is_not_that_of_its_table(tmp_path: Path) -> None:
    words = [right_aligned(400, 60, "2023"), right_aligned(500, 60, "2022")]
    figures = {
        "Payment volume (in millions)": "$49,683 $35,643",
        "Net revenue": "$1,708,721 $1,267,118",
        "Costs": "7,721 9,218",
        "Result": "1,021 1,118",
    }
    for top, (label, values) in zip(range(80, 200, 14), figures.items(), strict=False):
        first, second = values.split()
        words += [(LEFT, top, label), right_aligned(400, top, first), right_aligned(500, top, second)]
    (table,) = tables(tmp_path, page(words))
    assert [unit_of_cell(table, row, 0) for row in table.rows] == ["million", "", "", ""]


def test_a_head_stands_over_the_columns_below_its_line(tmp_path: Path) -> None:
    """Two spanning heads, told apart by the lines below them; the last column has none."""
    rights = (260.0, 330.0, 400.0, 470.0, 540.0)
    words = [centred(295, 90, "Three Months Ended June 30,"), centred(435, 90, "Six Months Ended June 30,")]
    names = ("2023", "2022", "2023", "2022", "Change")
    words += [right_aligned(right, 104, name) for right, name in zip(rights, names, strict=True)]
    for top, label, figures in ((120, "Revenue", "123 110 240 215 12%"), (134, "Costs", "70 66 141 130 8%")):
        words += [(LEFT, top, label)]
        words += [right_aligned(right, top, one) for right, one in zip(rights, figures.split(), strict=True)]
    (table,) = tables(tmp_path, page(words, [(230, 101, 332, 101), (370, 101, 472, 101)]))
    assert [column.period for column in table.columns] == [
        "three months ended June 30, 2023",
        "three months ended June 30, 2022",
        "six months ended June 30, 2023",
        "six months ended June 30, 2022",
        "",
    ]
    assert table.columns[4].head == "Change"


def test_drawn_cells_keep_their_wrapped_text(tmp_path: Path) -> None:
    words = [
        (64, 64, "Threat"),
        (204, 64, "Description"),
        (64, 84, "Phishing of"),
        (64, 95, "employees"),
        (204, 84, "A letter asks a person for a password, and"),
        (204, 95, "looks like one of the company."),
        (64, 114, "Theft"),
        (204, 114, "A device is taken."),
    ]
    (table,) = tables(tmp_path, page(words, boxes((60, 200, 520), (60, 80, 110, 130))))
    assert [column.head for column in table.columns] == ["Description"]
    assert grid(table) == [
        [
            "Phishing of employees",
            "A letter asks a person for a password, and looks like one of the company.",
        ],
        ["Theft", "A device is taken."],
    ]


def test_terms_and_what_is_said_of_them_are_a_table(tmp_path: Path) -> None:
    words = [(60, 60, "Order codes of the board and its parts, as they are sold today to everyone.")]
    for place, (code, text) in enumerate(
        [
            ("BOARD-A", "commercial grade, with an internal antenna"),
            ("BOARD-B", "commercial grade, with an external antenna"),
            ("BOARD-C", "industrial grade, from -40 to 85 degrees"),
            ("BATTERY", "lithium, 1400 mAh; it is shipped by ground only"),
        ]
    ):
        words += [(60, 84 + 20 * place, code), (200, 84 + 20 * place, text)]
    (table,) = tables(tmp_path, page(words))
    assert [line.label.text for line in table.rows] == ["BOARD-A", "BOARD-B", "BOARD-C", "BATTERY"]
    assert grid(table)[3][1] == "lithium, 1400 mAh; it is shipped by ground only"


def test_a_table_goes_on_over_a_page_break(tmp_path: Path) -> None:
    rest = [*row(60, "Goodwill", "2,001", "1,950"), *row(74, "Other assets", "310", "305")]
    first, second = tables(
        tmp_path, page(STATEMENT), page([*rest, *row(88, "Total assets", "3,603", "3,141")])
    )
    assert (second.page, second.continues, second.unit) == (2, True, "million")
    assert second.columns == first.columns
    assert period_of_cell(second, second.rows[0], 1) == "December 31, 2022"


PROSE = "The board met in spring and approved the plan for the year, which the members had asked for."
CONTENTS = [("Introduction", "3"), ("Methods", "7"), ("Results and discussion", "12"), ("References", "31")]


@pytest.mark.parametrize(
    "words",
    [
        [(60, 60 + 12 * line, PROSE) for line in range(20)],
        [(x, 60 + 12 * line, PROSE[:46]) for line in range(20) for x in (60, 320)],
        [word for place, pair in enumerate(CONTENTS) for word in row(60 + 14 * place, *pair)],
        [word for n in range(6) for word in ((60, 60 + 14 * n, f"{n + 1}."), (84, 60 + 14 * n, PROSE))],
        [(60, 60, "Revenue rose to 1,204"), (60, 300, "In 2023 it fell"), (500, 760, "17")],
    ],
    ids=["prose", "two columns of prose", "contents", "a numbered list", "scattered figures"],
)
def test_what_is_no_table_is_none(tmp_path: Path, words: list[tuple[float, float, str]]) -> None:
    assert tables(tmp_path, page(words)) == ()


def test_a_fault_of_the_rules_costs_the_tables_and_not_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file.pdf"
    path.write_bytes(placed(page(STATEMENT)))

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(pdfium, "table_places", broken)
    document = PdfiumFile(path, None)
    raw = document.text(1, 10_000)
    assert "Total current assets" in raw.text
    assert raw.tables == ()
    warnings = [warning.text for warning in document.file_warnings()]
    assert warnings == ["The tables of page 1 could not be told; their text is there."]
