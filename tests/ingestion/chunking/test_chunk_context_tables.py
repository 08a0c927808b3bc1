"""What a chunk that begins within a table says of the rows above it."""

from ingestion.chunking.chunk_context import table_context
from ingestion.documents import Page
from ingestion.tables.reading import tables_of

BARRED = (
    "Cash flows (in millions)\n"
    "Item | Year ended June 30, 2023 | Year ended June 30, 2022 | Change\n"
    "Receipts | 12 | 11 | 9%\n"
    "Payments | (3) | (4) | (25)%\n"
    "Total | 9 | 7 | 29%"
)
RECORDS = "Item: Rent; 2023: 80\n\nItem: Heat; 2023: 12\n\nItem: Water; 2023: 5"


def context(text: str, row: str, title: str = "") -> str:
    return table_context(tables_of([Page(1, text)]), text, text.index(row), title)


def test_a_chunk_in_a_table_has_its_title_unit_and_heads() -> None:
    heads = "in millions, year ended June 30, 2023, 2022, Change"
    assert context(BARRED, "Payments") == f"Cash flows (in millions), {heads}"
    assert context(BARRED, "Total", "Notes › Cash flows (in millions)") == heads


def test_a_chunk_that_has_the_heads_needs_none() -> None:
    assert context(BARRED, "Cash flows") == ""
    assert context(BARRED, "Receipts") == ""


def test_records_name_their_columns_themselves() -> None:
    assert context(RECORDS, "Item: Water") == ""


def test_text_outside_of_tables_has_no_head() -> None:
    assert context(BARRED + "\n\nThe end.", "The end.") == ""
