"""documents, delete."""

from typing import Annotated

import typer
from rich.console import Console

from rag_app.cli.common import (
    AddedFrom,
    AddedTo,
    Collections,
    Documents,
    Folders,
    Json,
    Types,
    narrowed,
    respond,
)
from rag_app.cli.terminal import lines
from rag_app.contract.documents import DeletedResponse
from rag_app.contract.requests import DeleteRequest, Narrowing


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
