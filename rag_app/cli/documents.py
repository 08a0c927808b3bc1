"""documents, delete."""

from typing import Annotated

import typer

from rag_app.cli.common import AddedFrom, AddedTo, Collections, Documents, Folders, Json, Types, service, show
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
    from rag_app import terminal
    from rag_app.requests import Narrowing

    request = Narrowing.of(**narrowed(collection, document, folder, kind, None, added_from, added_to))
    with service(context) as library:
        found = library.documents(request)
    show(found, as_json, lambda console: terminal.print_documents(console, found["documents"]))


def delete(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="A document's name, path or id.")],
    collection: Collections = None,
    as_json: Json = False,
) -> None:
    """Delete a document from every store. The file that it came from stays."""
    from rag_app import terminal

    with service(context) as library:
        deleted = library.delete(name, collection or ())
    for document in deleted["documents"]:
        said = f"deleted {terminal.harmless(document['name'])} ({document['document_id']})"
    show(deleted, as_json, lambda _: typer.echo(said))
