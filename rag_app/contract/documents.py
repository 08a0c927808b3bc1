"""Documents and their pages."""

from collections.abc import Iterable, Mapping
from typing import Self

from pydantic import Field

from ingestion.fields.values import FIELD_NAMES, DocumentType
from ingestion.fields.values import DocumentFields as Described
from ingestion.storage.catalogue.records import Document
from rag_app.contract.schema import Fields, Response, source


class FieldFields(Fields):
    """One of a document's fields."""

    value: str = Field(description="what counts; empty: the document has none, or none is recognised")
    recognised: str = Field(description="what the rules recognise")
    edited: bool = Field(description="whether a person wrote the value")


class DescriptionFields(Fields):
    """What a document is, as the rules recognise it or a person wrote it."""

    title: FieldFields
    organisation: FieldFields = Field(description="who issued it")
    period: FieldFields = Field(
        description="2024, FY2024 (a fiscal year), 2024-Q2, FY2024-Q2, 2024-H1, 2024-05 or 2024-05-31"
    )
    type: FieldFields = Field(description=f"one of {', '.join(DocumentType)}, or empty")

    @classmethod
    def of_fields(cls, found: Described) -> Self:
        return cls(
            **{
                name: FieldFields(
                    value=found.of(name), recognised=found.recognised.of(name), edited=name in found.edits
                )
                for name in FIELD_NAMES
            }
        )


class DocumentFields(Fields):
    """A document of a collection."""

    document_id: str = source("id")
    name: str
    label: str = Field(description="the name in answers: its own, after the folders that tell it from others")
    names: tuple[str, ...] = Field(description="its own name and those of files with the same bytes")
    path: str
    paths: tuple[str, ...] = Field(description="its own path and those of files with the same bytes")
    sha256: str
    status: str
    pages: int
    pages_failed: int
    chunks: int
    error: str | None
    warnings: tuple[str, ...] = Field(description="parts of the document that could not be read")
    added: str = Field(description="UTC, ISO 8601")
    collection: str
    bytes: int
    title: str | None = Field(description="the title that the file gives itself; see `fields`")
    language: str
    fields: DescriptionFields = Field(description="what it is: title, organisation, period, type")


class DocumentsResponse(Response):
    documents: tuple[DocumentFields, ...]

    @classmethod
    def of_documents(
        cls, documents: Iterable[Document], fields: Mapping[str, Described], **more: object
    ) -> Self:
        """Return the response for documents, given their fields by id."""
        listed = [
            DocumentFields.of(one, fields=DescriptionFields.of_fields(fields[one.id])) for one in documents
        ]
        return cls.of(documents=listed, **more)


class DeletedResponse(DocumentsResponse):
    """A document that was deleted, or that stays under the paths in `kept`."""

    deleted: tuple[str, ...] = Field(description="the paths that are forgotten")
    kept: tuple[str, ...]


class PageFields(Fields):
    """The text of one page."""

    document_id: str
    page: int = Field(validation_alias="number", description="from 1")
    label: str | None = Field(description="the page's number as printed, where the document says it")
    text: str


class PageResponse(PageFields, Response):
    pass
