"""The tables of a stored document, and what may be missing among them."""

from dataclasses import dataclass
from pathlib import PurePath

from ingestion.documents import PageFailure
from ingestion.errors import InvalidInput, UnknownName
from ingestion.library import Library
from ingestion.parsing import READER_VERSION
from ingestion.storage.catalogue.records import Document
from ingestion.tables.reading import tables_of
from ingestion.tables.table import Table


@dataclass(frozen=True, slots=True)
class DocumentTables:
    """The tables of a document, or of one of its pages.

    Attributes:
        warnings: Sentences on what may be missing, and how to get it.
    """

    document: Document
    tables: tuple[Table, ...]
    warnings: tuple[str, ...]


def document_tables(library: Library, document_id: str, page: int | None = None) -> DocumentTables:
    """Return a document's tables.

    Args:
        page: The one page whose tables are wanted, counted from 1; None: all pages.

    Raises:
        UnknownName: The document does not exist.
        InvalidInput: The document has no such page, or the page could not be read.
    """
    document = library.catalogue.document(document_id)
    if document is None:
        raise UnknownName("document", document_id, (), advice="rag-app documents lists the ids")
    parsed = library.catalogue.parsed(document)
    if page is not None:
        _check_page(document, parsed.failures, page)
    # A table may go on from the page before, so one page alone does not tell its tables.
    tables = tuple(table for table in tables_of(parsed.pages) if page in (None, table.page))
    warnings = []
    if PurePath(document.path).suffix.lower() == ".pdf" and document.reader < READER_VERSION:
        warnings.append(_outdated(library, document))
    if parsed.failures and page is None:
        warnings.append(
            f"{len(parsed.failures)} of the {document.pages} pages of {document.label} could not be read, "
            "so their tables are missing"
        )
    return DocumentTables(document, tables, tuple(warnings))


def _check_page(document: Document, failures: tuple[PageFailure, ...], page: int) -> None:
    if not 1 <= page <= document.pages:
        raise InvalidInput(f"{document.label} has no page {page}; name a page from 1 to {document.pages}")
    reason = next((failure.reason for failure in failures if failure.number == page), None)
    if reason is not None:
        raise InvalidInput(
            f"page {page} of {document.label} could not be read ({reason}), so its tables are not known; "
            "name another page"
        )


def _outdated(library: Library, document: Document) -> str:
    """Return that an earlier version read a PDF, and what reads it again."""
    if library.original(document.sha256).is_file():
        again = "after rag-app reindex; of a file with a password, after rag-app ingest"
    else:
        again = "when rag-app ingest has read the file again"
    return f"an earlier version read {document.label}: its tables are known {again}"
