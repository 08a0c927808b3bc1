"""Documents and their pages."""

from pydantic import Field

from rag_app.contract.schema import Fields, Response, source


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
    title: str | None
    language: str


class DocumentsResponse(Response):
    documents: tuple[DocumentFields, ...]


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
