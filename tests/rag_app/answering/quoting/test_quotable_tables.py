"""What of a page's tables is quoted as a row, and what as its text."""

from dataclasses import replace

import pytest

from ingestion.tables.table import Cell, Column, Row, Table
from rag_app.answering.answers import PassageWindow, PromptContext
from rag_app.answering.quoting.composition import compose
from rag_app.answering.quoting.quotable_tables import edges, is_row, label_of, names_columns
from rag_app.answering.quoting.statements import statements
from tests.helpers.evidence import evidence

HEADS = ("2023", "2022")


def cell(text: str, part: str) -> Cell:
    start = text.index(part)
    return Cell(part, ((start, start + len(part)),))


def table(text: str, heads: tuple[str, ...], *rows: tuple[str, ...]) -> Table:
    """Return a table of rows of a text; the first of each is its label."""
    found = tuple(
        Row(cell(text, first) if first else Cell(""), (), tuple(cell(text, one) for one in others))
        for first, *others in rows
    )
    spans = [span for row in found for one in (row.label, *row.cells) if one for span in one.spans]
    start, end = min(start for start, _ in spans), max(end for _, end in spans)
    columns = tuple(Column(head, head if head in HEADS else "") for head in heads)
    return Table(1, 1, "", "", "", "", "", columns, found, start, end)


def answer(question: str, text: str, *tables: Table) -> list[str]:
    item = evidence(1, text)
    item = replace(item, window=PassageWindow(text, 0, tables=tables))
    return [one.line for one in compose(PromptContext((item,), 1.0, question=question))]


PROSE = "1 Share of lamp one = ( 20 * 335 ) / 4550 1.47"
ROW = ("1", "Share of lamp one = ( 20", "* 335", ") / 4550", "1.47")


@pytest.mark.parametrize(
    ("head", "is_name"),
    [
        ("Year ended December 31, 2023", True),
        ("Number of securities to be issued upon exercise of outstanding options, warrants and rights", True),
        ("shares outstanding", True),
        ("Rated by U.S. agencies", True),
        ("when it reflected growth in all the local currencies", False),
        ("The lamps are lit. On the following days:", False),
        ("Given three lamps, L1, L2 and L3: " + "L1: share = 5, weight = 335 " * 4, False),
    ],
)
def test_heads_that_are_prose_name_no_columns(head: str, is_name: bool) -> None:
    assert names_columns(table(PROSE, (head, "", "", ""), ROW)) is is_name


def test_a_row_below_prose_is_quoted_as_its_text() -> None:
    heads = ("Given three lamps, L1, L2 and L3: " + "L1: share = 5, weight = 335 " * 4, "", "", "")
    assert answer("What is the share of lamp one?", PROSE, table(PROSE, heads, ROW)) == [PROSE]


def test_a_number_alone_is_no_label() -> None:
    text = "4.1 B Calls answered in time 72.4% 84.9%"
    known = table(text, ("Measure", "2023", "2022"), ("4.1 B", "Calls answered in time", "72.4%", "84.9%"))
    assert label_of(known.rows[0]) == ("4.1 B Calls answered in time", 1)
    (line,) = answer("What share of calls was answered in time in 2022?", text, known)
    assert line == "4.1 B Calls answered in time · 2022: **84.9%**"


def test_columns_with_the_same_head_are_shown_together() -> None:
    text = "Very high 96-100 10 almost certain to happen"
    heads = ("Values", "Values", "Description")
    known = table(text, heads, ("Very high", "96-100", "10", "almost certain to happen"))
    (line,) = answer("How likely is a very high threat?", text, known)
    assert line == "Very high · Values: 96-100 / 10; Description: almost certain to happen"


def test_only_so_many_values_are_shown_but_all_of_one_head() -> None:
    text = "Lamps lit 12 13 14 15 16"
    quarters = table(text, ("2023",) * 4 + ("2022",), ("Lamps lit", "12", "13", "14", "15", "16"))
    (line,) = answer("Were lamps lit?", text, quarters)
    assert line == "Lamps lit · 2023: 12 / 13 / 14 / 15"


def test_the_head_of_a_column_without_values_is_not_looked_at() -> None:
    text = "the order is made at a shop. Red lamp 1,204 977"
    known = table(text, ("the order is made at a shop. Colours", *HEADS), ("Red lamp", "1,204", "977"))
    assert names_columns(known) is False
    row = replace(known.rows[0], cells=(None, *known.rows[0].cells))
    assert names_columns(replace(known, rows=(row,)))


FORM = "Lamp: L-17 Colour: white\nHeight: 12 m Fuel: petrol oil"
FIELDS = (("Lamp:", "L-17", "Colour:", "white"), ("Height:", "12 m", "Fuel:", "petrol oil"))


def test_the_fields_of_a_form_are_statements_of_their_own() -> None:
    window = PassageWindow(FORM, 0, tables=(table(FORM, ("", "", ""), *FIELDS),))
    assert [one.text for one in statements(window)] == [
        "Lamp: L-17",
        "Colour: white",
        "Height: 12 m",
        "Fuel: petrol oil",
    ]
    assert not is_row(window, 0, FORM.index("\n"))
    assert edges(PassageWindow(FORM, 0)) == []


def test_a_statement_ends_where_a_table_of_figures_begins() -> None:
    text = "The lamps of the harbour and their\nRed lamp 1,204 977\nGreen lamp 886 771"
    known = table(text, HEADS, ("Red lamp", "1,204", "977"), ("Green lamp", "886", "771"))
    first, *_ = statements(PassageWindow(text, 0, tables=(known,)))
    assert first.text == "The lamps of the harbour and their"


WORDS = "L-1 white lamp with an iron foot L-2 red lamp with a foot of brass"
CODES = (("L-1", "white lamp with an iron foot"), ("L-2", "red lamp with a foot of brass"))


def test_each_row_of_words_is_a_statement_of_its_own() -> None:
    window = PassageWindow(WORDS, 0, tables=(table(WORDS, ("",), *CODES),))
    assert [one.text for one in statements(window)] == [" ".join(code) for code in CODES]


def test_prose_in_columns_is_not_cut_at_its_lines() -> None:
    text = "The lamp is lit and the keeper sleeps. The boat sails at noon and comes at dusk."
    columns = (
        ("The lamp is lit", "The boat sails at noon"),
        ("and the keeper sleeps.", "and comes at dusk."),
    )
    window = PassageWindow(text, 0, tables=(table(text, ("",), *columns),))
    assert [one.text for one in statements(window)] == [f"{part}." for part in text[:-1].split(". ")]


def test_rows_that_are_read_together_are_told_apart_by_their_words() -> None:
    first, *_ = answer("Which lamp has a foot of brass?", WORDS, table(WORDS, ("",), *CODES))
    assert first == " ".join(CODES[1])
