"""Tables in a terminal: grids that fit, with whole figures and their sections."""

import io

from rich.console import Console

from rag_app.cli.terminal.tables import print_tables
from rag_app.contract.tables import TableColumnFields, TableFields, TableRowFields, TablesResponse


def row(label: str, *values: str | None, section: tuple[str, ...] = ()) -> TableRowFields:
    return TableRowFields(label=label, section=section, values=values)


def table(
    heads: tuple[str, ...], rows: tuple[TableRowFields, ...], *, continues: bool = False, **texts: str
) -> TableFields:
    given = {"title": "", "unit": "", "exempt": "", "currency": "", "label_head": "", **texts}
    columns = tuple(TableColumnFields(head=head, period="") for head in heads)
    return TableFields(page=3, number=1, columns=columns, rows=rows, continues=continues, **given)


def printed(one: TableFields, width: int = 80) -> list[str]:
    """Return the lines that a terminal of some width shows."""
    console = Console(file=io.StringIO(), width=width)
    found = TablesResponse(document_id="a1", document="report.pdf", tables=(one,), warnings=())
    print_tables(console, found)
    assert isinstance(console.file, io.StringIO)
    lines = console.file.getvalue().splitlines()
    assert all(len(line) <= width for line in lines[1:])
    return [line.rstrip() for line in lines]


def test_sections_are_indented_and_said_once() -> None:
    current, fixed = ("Assets", "Current assets"), ("Assets",)
    rows = (
        row("Cash", "1,234", "9", section=current),
        row("Debtors", "10", None, section=current),
        row("Land", "5", "5", section=fixed),
        row("Total", "1,249", "14"),
    )
    assert printed(table(("2023", "2022"), rows, title="Balance sheet", unit="million", currency="$")) == [
        "page 3, table 1: Balance sheet in $ million",
        "                   2023  2022",
        "Assets",
        "  Current assets",
        "    Cash          1,234     9",
        "    Debtors          10",
        "  Land                5     5",
        "Total             1,249    14",
        "",
    ]


def test_what_the_unit_is_not_for_and_a_continuation_are_said() -> None:
    one = table(("2023",), (row("Cash", "1"),), unit="thousand", exempt="except per share", continues=True)
    assert printed(one)[0] == "page 3, table 1 in thousand, except per share, continued"


def test_long_labels_are_cut() -> None:
    rows = (row("Cash, cash equivalents and marketable securities", "1,234", "1,100"), row("Debt", "5", "6"))
    assert printed(table(("2023", "2022"), rows), width=40)[1:4] == [
        "                             2023   2022",
        "Cash, cash equivalents an…  1,234  1,100",
        "Debt                            5      6",
    ]


def test_columns_that_do_not_fit_come_below() -> None:
    rows = (row("Boats", "1,000,000", "2,000,000", "3,000,000"),)
    assert printed(table(("May", "June", "July"), rows), width=30)[1:] == [
        "             May       June",
        "Boats  1,000,000  2,000,000",
        "",
        "            July",
        "Boats  3,000,000",
        "",
    ]


def test_long_texts_are_wrapped_and_markup_is_shown() -> None:
    rows = (row("[bold]x[/]", "a long story that does not fit into the line"),)
    lines = printed(table(("What",), rows, label_head="Name"), width=40)
    assert lines[1:] == [
        "Name        What",
        "[bold]x[/]  a long story that does not",
        "            fit into the line",
        "",
    ]


def test_a_column_without_a_head_shows_its_period() -> None:
    one = table(("",), (row("Cash", "1"),))
    period = TableColumnFields(head="", period="2023")
    assert printed(one.model_copy(update={"columns": (period,)}))[1] == "      2023"


def test_a_table_without_heads_has_no_line_for_them() -> None:
    assert printed(table(("",), (row("Cash", "1"),))) == ["page 3, table 1", "Cash  1", ""]
