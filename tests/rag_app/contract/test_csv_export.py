"""Tables as CSV: one valid file, in which no spreadsheet evaluates a text."""

import csv
import io

import pytest

from rag_app.contract.csv_export import tables_as_csv
from rag_app.contract.tables import TableColumnFields, TableFields, TableRowFields, TablesResponse


def table(number: int, heads: tuple[str, ...], *rows: TableRowFields) -> TableFields:
    columns = tuple(TableColumnFields(head=head, period="2023") for head in heads)
    return TableFields(
        page=7, number=number, title="", unit="", exempt="", currency="", label_head="Item",
        columns=columns, rows=rows, continues=False,
    )  # fmt: skip


def exported(*tables: TableFields) -> str:
    return tables_as_csv(TablesResponse(document_id="a1", document="report.pdf", tables=tables, warnings=()))


def read(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline=""), strict=True))


def test_no_table_is_an_empty_file() -> None:
    assert exported() == ""


def test_sections_stand_in_front_of_labels_and_rows_end_as_rfc_4180_says() -> None:
    cash = TableRowFields(label="Cash", section=("Assets", "Current assets"), values=("1,234", None))
    assert exported(table(1, ("Amount", ""), cash)) == (
        'page,table,Item,Amount,2023\r\n7,1,Assets › Current assets › Cash,"1,234",\r\n'
    )


def test_all_rows_are_as_wide_as_the_widest() -> None:
    one = table(1, ("A",), TableRowFields(label="x", section=(), values=("1",)))
    other = table(2, ("A", "B", "C"), TableRowFields(label="y", section=(), values=("1", "2", "3")))
    assert read(exported(one, other)) == [
        ["page", "table", "Item", "A", "", ""],
        ["7", "1", "x", "1", "", ""],
        ["page", "table", "Item", "A", "B", "C"],
        ["7", "2", "y", "1", "2", "3"],
    ]


def test_quotes_commas_and_line_breaks_come_back() -> None:
    odd = 'a "b", c\nd'
    row = TableRowFields(label="x", section=(), values=(odd,))
    assert read(exported(table(1, ("A",), row)))[1] == ["7", "1", "x", odd]


@pytest.mark.parametrize(
    "text", ["-5", "-1,234.5", "+3.2%", "- 5", "-$5", "-", "−5", "(5)", "5-6", "a=b", "1 234"]
)
def test_figures_and_harmless_texts_stay(text: str) -> None:
    row = TableRowFields(label="x", section=(), values=(text,))
    assert read(exported(table(1, ("A",), row)))[1][3] == text


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+1+1", "-1-1", "-2+cmd|' /C calc'!A0", "@SUM(A1)", " =1", "\t=1", "＝1", "-A1", "+", "--5"],
)
def test_formulas_become_texts(text: str) -> None:
    row = TableRowFields(label=text, section=(), values=(text,))
    found = read(exported(table(1, (text,), row)))
    assert found[0][3] == found[1][2] == found[1][3] == f"'{text}"
