"""The documents of a library by name: listed, described, deleted, and their original files."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ingestion.errors import InvalidInput, UnknownName
from ingestion.fields.values import DocumentFields, FieldName
from ingestion.library import Library
from ingestion.storage.catalogue.filters import Filters, resolve
from ingestion.storage.catalogue.records import Document


@dataclass(frozen=True, slots=True)
class DeletedDocument:
    """The outcome of a deletion.

    Attributes:
        paths: The paths that were deleted.
        kept: The paths under which the document stays; none where all of it was deleted.
    """

    document: Document
    fields: DocumentFields
    paths: tuple[str, ...]
    kept: tuple[str, ...]


def documents_in(
    library: Library, collections: Sequence[str], filters: Filters | None = None
) -> list[Document]:
    """Return the documents of the named collections that meet the filters.

    Raises:
        UnknownName: A collection or document does not exist.
    """
    catalogue = library.catalogue
    scope = resolve(catalogue, collections, filters or Filters())
    return [
        document
        for document in catalogue.documents(scope.collections)
        if scope.documents is None or document.id in scope.documents
    ]


def delete_document(library: Library, name: str, collections: Sequence[str]) -> DeletedDocument:
    """Delete one document: by name or path within the collections, or by id anywhere.

    A document may lie under several paths. Only the paths that have the name are deleted; the document goes
    with the last of them, or where `name` is its id.

    Raises:
        UnknownName: No document has the name.
        InvalidInput: Several documents have the name.
    """
    catalogue = library.catalogue
    found = [document for document in catalogue.documents() if document.id == name]
    scope = catalogue.scope(collections)
    found = found or catalogue.find(name, scope.collections)
    if len(found) > 1:
        choices = ", ".join(f"{document.id} ({document.path})" for document in found)
        raise InvalidInput(f"{len(found)} documents are named {name!r}; delete one by its id: {choices}")
    document = found[0]
    fields = library.fields.of([document])[document.id]
    gone = () if name == document.id else document.called(name)
    kept = tuple(path for path in document.paths if gone and path not in gone)
    if not kept:
        library.delete(document)
        return DeletedDocument(document, fields, document.paths, ())
    library.unlink(document.collection_id, *gone)
    return DeletedDocument(catalogue.document(document.id) or document, fields, gone, kept)


def edit_fields(
    library: Library, document_id: str, written: Mapping[FieldName, str], restored: Collection[FieldName]
) -> Document:
    """Keep what a person writes of a document's fields; see `DocumentFieldTable.edit`.

    Raises:
        UnknownName: There is no such document.
        InvalidInput: A value cannot be kept, or a field is both written and restored.
    """
    if both := [name for name in restored if name in written]:
        raise InvalidInput(f"the {both[0]} cannot be written and restored at once; do one of them")
    with library.changing:
        document = library.catalogue.document(document_id)
        if document is None:
            raise UnknownName("document", document_id, (), advice="rag-app documents lists the ids")
        library.fields.edit(document_id, written, restored)
    return document


def original_file(library: Library, document_id: str) -> tuple[Document, Path]:
    """Return a document and the file that holds its original bytes.

    Raises:
        UnknownName: The document does not exist, or the library has no original of it.
    """
    document = library.catalogue.document(document_id)
    if document is None:
        raise UnknownName("document", document_id, (), advice="rag-app documents lists the ids")
    file = library.original(document.sha256)
    if not file.is_file():
        raise UnknownName(
            "original", document.name, (), advice="It came without its bytes; ingest the file itself"
        )
    return document, file
