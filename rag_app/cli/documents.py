"""documents, fields, tables, delete."""

from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from ingestion.errors import InvalidInput
from ingestion.fields.periods import PERIOD_FORMS
from ingestion.fields.values import DocumentType
from rag_app.cli.common import (
    AddedFrom,
    AddedTo,
    Collections,
    Documents,
    Folders,
    Json,
    Types,
    narrowed,
    open_service,
    respond,
    show,
)
from rag_app.cli.terminal import lines
from rag_app.cli.terminal.tables import print_tables
from rag_app.contract.csv_export import tables_as_csv
from rag_app.contract.documents import DeletedResponse, DocumentFields, DocumentsResponse
from rag_app.contract.requests import DeleteRequest, FieldsRequest, Narrowing

if TYPE_CHECKING:
    from rag_app.service.protocol import Service

DocumentName = Annotated[str, typer.Argument(metavar="DOCUMENT", help="Name, path or id of a document.")]


def documents(
    context: typer.Context,
    collection: Collections = None,
    document: Documents = None,
    folder: Folders = None,
    kind: Types = None,
    added_from: AddedFrom = None,
    added_to: AddedTo = None,
    as_json: Json = False,
) -> None:
    """List a collection's documents."""
    request = narrowed(Narrowing, collection, document, folder, kind, added_from, added_to)
    respond(context, as_json, lambda service: service.documents(request), lines.print_documents)


def fields(
    context: typer.Context,
    name: DocumentName,
    title: Annotated[str | None, typer.Option("--title", help="What it is called.")] = None,
    organisation: Annotated[str | None, typer.Option("--organisation", help="Who issued it.")] = None,
    period: Annotated[str | None, typer.Option("--period", help=f"What it is about: {PERIOD_FORMS}.")] = None,
    kind: Annotated[str | None, typer.Option("--type", help=f"One of {', '.join(DocumentType)}.")] = None,
    restore: Annotated[
        list[str] | None,
        typer.Option("--restore", metavar="FIELD", help="Take a field back to what is recognised."),
    ] = None,
    collection: Collections = None,
    as_json: Json = False,
) -> None:
    """Show or write what a document is: its title, organisation, period and type.

    They are recognised when the document is added. What you write counts instead, also after the document is
    replaced; an empty text says that it has none. A question that names a document finds it by them.
    """
    request = FieldsRequest.of(
        title=title, organisation=organisation, period=period, type=kind, restore=restore
    )
    with open_service(context) as service:
        document = _named(service, name, collection)
        if request.written() or request.restore:
            (document,) = service.edit_fields(document.document_id, request).documents
    show(DocumentsResponse(documents=(document,)), as_json, lines.print_fields)


def tables(
    context: typer.Context,
    name: DocumentName,
    page: Annotated[int | None, typer.Option("--page", help="Only the tables of this page.")] = None,
    collection: Collections = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print one CSV file with all tables.")] = False,
    as_json: Json = False,
) -> None:
    """Show a document's tables, or print them for other programs.

    In CSV each row begins with its page and its table's number on that page, and each table with its heads. A
    text that a spreadsheet would take for a formula gets an apostrophe in front; figures stay as they are.
    """
    if as_csv and as_json:
        raise InvalidInput("--csv and --json are two formats; give one of them")
    with open_service(context) as service:
        found = service.tables(_named(service, name, collection).document_id, page)
    if not as_csv:
        show(found, as_json, partial(print_tables, page=page))
        return
    typer.echo(tables_as_csv(found), nl=False)
    console = Console(stderr=True)
    if found.tables:
        lines.print_warnings(console, found)
    else:
        print_tables(console, found, page)


def delete(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="A document's name, path or id.")],
    collection: Collections = None,
    as_json: Json = False,
) -> None:
    """Delete a document from every store. The file that it came from stays.

    A document that several files hold keeps its other names, unless it is named by its id.
    """
    request = DeleteRequest.of(name=name, collections=collection)
    respond(context, as_json, lambda service: service.delete(request), _print_deleted)


def _print_deleted(_: Console, deleted: DeletedResponse) -> None:
    (document,) = deleted.documents
    whose = f"{document.label} ({document.document_id})"
    paths = ", ".join(deleted.deleted)
    if deleted.kept:
        said = f"deleted the name {paths}; the document stays as {whose}"
    else:
        said = f"deleted {whose}" + (f", known as {paths}" if len(deleted.deleted) > 1 else "")
    typer.echo(lines.harmless(said))


def _named(service: "Service", name: str, collections: list[str] | None) -> DocumentFields:
    """Return the document that a person names. Raises InvalidInput where several have the name."""
    request = Narrowing.of(documents=[name], collections=collections)
    found = service.documents(request).documents
    if len(found) > 1:
        choices = ", ".join(f"{one.document_id} ({one.path})" for one in found)
        raise InvalidInput(f"{len(found)} documents are named {name!r}; name one by its id: {choices}")
    return found[0]
