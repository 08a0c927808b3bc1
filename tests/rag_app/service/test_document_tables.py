"""The tables of stored documents, and what may be missing among them."""

from pathlib import Path

import pytest

from ingestion.errors import InvalidInput, UnknownName
from ingestion.library import Library
from ingestion.pipeline.ingest import ingest
from ingestion.storage.catalogue.records import Document
from ingestion.tables.reading import tables_of
from rag_app.service.document_tables import document_tables

COSTS = "# Costs\n\n| Item | 2023 |\n|---|---|\n| Wages | 1,200 |\n| Rent | 90 |\n"


@pytest.fixture
def costs(stocked: Library, tmp_path: Path) -> Document:
    """A document with a table."""
    (tmp_path / "costs.md").write_text(COSTS, "utf-8")
    (result,) = ingest(stocked, [tmp_path / "costs.md"])
    found = stocked.catalogue.document(result.document_id or "")
    assert found is not None
    return found


def change(library: Library, sql: str, *values: object) -> None:
    with library.catalogue.transaction() as connection:
        connection.execute(sql, values)


def test_tables_are_those_of_the_pages(stocked: Library, costs: Document) -> None:
    found = document_tables(stocked, costs.id)
    assert found.document == costs
    assert found.tables == tables_of(stocked.catalogue.parsed(costs).pages)
    assert found.warnings == ()
    (table,) = found.tables
    assert [(row.label.text, [cell and cell.text for cell in row.cells]) for row in table.rows] == [
        ("Wages", ["1,200"]), ("Rent", ["90"]),
    ]  # fmt: skip
    assert document_tables(stocked, costs.id, 1) == found


def test_an_unknown_document_or_page_is_named(stocked: Library, costs: Document) -> None:
    with pytest.raises(UnknownName, match=r"no document named 'nobody'.*rag-app documents lists the ids"):
        document_tables(stocked, "nobody")
    for page in (0, -1, 2, 2**64):
        with pytest.raises(InvalidInput, match=rf"costs.md has no page {page}; name a page from 1 to 1"):
            document_tables(stocked, costs.id, page)


def test_pages_that_could_not_be_read_are_named(stocked: Library, costs: Document) -> None:
    change(stocked, "UPDATE documents SET page_count = 3 WHERE id = ?", costs.id)
    change(
        stocked,
        "INSERT INTO page_failures (document_id, number, reason) VALUES (?, 2, 'it is torn')",
        costs.id,
    )
    assert document_tables(stocked, costs.id).warnings == (
        "1 of the 3 pages of costs.md could not be read, so their tables are missing",
    )
    assert document_tables(stocked, costs.id, 1).warnings == ()
    with pytest.raises(InvalidInput, match=r"page 2 of costs.md could not be read \(it is torn\)"):
        document_tables(stocked, costs.id, 2)
    assert document_tables(stocked, costs.id, 3).tables == ()
