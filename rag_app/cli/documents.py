"""documents, delete."""

from typing import Annotated

import typer

from rag_app.cli.common import (
    AddedFrom,
    AddedTo,
    Collections,
    Documents,
    Fields,
    Folders,
    Json,
    Types,
    service,
    show,
)
from rag_app.cli.questions import narrowed


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
    from rag_app.cli.terminal import lines
    from rag_app.contract.requests import Narrowing

    request = Narrowing.of(**narrowed(collection, document, folder, kind, None, added_from, added_to))
    with service(context) as library:
        found = library.documents(request)
    show(found, as_json, lambda console: lines.print_documents(console, found["documents"]))


def delete(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="A document's name, path or id.")],
    collection: Collections = None,
    as_json: Json = False,
) -> None:
    """Delete a document from every store. The file that it came from stays.

    A document that several files hold keeps its other names, unless it is named by its id.
    """
    from rag_app.cli.terminal import lines

    with service(context) as library:
        deleted = library.delete(name, collection or ())
    show(deleted, as_json, lambda _: typer.echo(lines.harmless(_said(deleted))))


def _said(deleted: Fields) -> str:
    """Return what was deleted: a document with all its names, or some names of one that stays."""
    (document,) = deleted["documents"]
    whose = f"{document['label']} ({document['document_id']})"
    paths = ", ".join(deleted["deleted"])
    if deleted["kept"]:
        return f"deleted the name {paths}; the document stays as {whose}"
    return f"deleted {whose}" + (f", known as {paths}" if len(deleted["deleted"]) > 1 else "")
