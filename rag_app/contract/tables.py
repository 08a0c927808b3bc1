"""The tables of a document."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from ingestion.tables.table import Cell
from rag_app.contract.schema import Fields, Response, source


def _text(value: Any) -> Any:
    return value.text if isinstance(value, Cell) else value


CellText = Annotated[str, BeforeValidator(_text)]


class TableColumnFields(Fields):
    """A column of values."""

    head: str = Field(description="all levels of its head, from the top; empty: it has none")
    period: str = Field(description="the date or time that its values are for, as the table says it")


class TableRowFields(Fields):
    """A row of values."""

    label: CellText
    section: tuple[str, ...] = Field(description="the labels that it stands under, outermost first")
    values: tuple[CellText | None, ...] = Field(
        validation_alias="cells", description="as the table has them, one a column; null: nothing"
    )


class TableFields(Fields):
    """A table of one page."""

    page: int = Field(description="from 1")
    number: int = Field(description="among the tables of its page, from 1")
    title: str
    unit: str = Field(description="the scale of its amounts: thousand, million, billion, or empty")
    exempt: str = Field(description="what the unit is not for, as the table says it")
    currency: str = Field(description="the sign of its amounts, such as $, or empty")
    label_head: str = Field(description="the head of the rows' labels")
    columns: tuple[TableColumnFields, ...]
    rows: tuple[TableRowFields, ...]
    continues: bool = Field(description="whether it goes on with the table before it")


class TablesResponse(Response):
    """The tables of a document, or of one of its pages, in the order of the pages."""

    document_id: str = source("document", "id")
    document: str = source("document", "label")
    tables: tuple[TableFields, ...]
    warnings: tuple[str, ...] = Field(description="what may be missing, and how to get it")
