"""collections list, create, rename, delete."""

from typing import Annotated

import typer

from rag_app.cli.common import Json, Yes, confirm, open_service, respond, show
from rag_app.cli.terminal import library, lines
from rag_app.contract.library import CollectionsResponse
from rag_app.contract.requests import NameRequest

app = typer.Typer(rich_markup_mode=None, help="List, create, rename and delete collections.")

Name = Annotated[str, typer.Argument(help="A collection's name.")]


@app.callback(invoke_without_command=True)
def _listed(context: typer.Context, as_json: Json = False) -> None:
    if context.invoked_subcommand is None:
        list_(context, as_json)


@app.command("list")
def list_(context: typer.Context, as_json: Json = False) -> None:
    """List the collections and how much is in them."""
    respond(context, as_json, lambda service: service.collections(), library.print_collections)


@app.command()
def create(context: typer.Context, name: Name, as_json: Json = False) -> None:
    """Create an empty collection."""
    request = NameRequest.of(name=name)
    respond(
        context,
        as_json,
        lambda service: service.create_collection(request),
        lambda _, created: typer.echo(f"created {_name(created)}"),
    )


@app.command()
def rename(
    context: typer.Context,
    name: Name,
    new: Annotated[str, typer.Argument(help="Its new name.")],
    as_json: Json = False,
) -> None:
    """Give a collection another name."""
    request = NameRequest.of(name=new)
    respond(
        context,
        as_json,
        lambda service: service.rename_collection(name, request),
        lambda _, renamed: typer.echo(f"renamed {name} to {_name(renamed)}"),
    )


@app.command()
def delete(context: typer.Context, name: Name, yes: Yes = False, as_json: Json = False) -> None:
    """Delete a collection with all of its documents. The files that they came from stay."""
    with open_service(context) as service:
        held = next((one for one in service.collections().collections if one.name == name), None)
        if held and held.documents and not yes:
            question = f"Delete {lines.harmless(name)} with its {lines.count(held.documents, 'document')}?"
            confirm(question, as_json, "delete a collection's documents")
        deleted = service.delete_collection(name)
    (gone,) = deleted.collections
    said = f"deleted {_name(deleted)}: {lines.count(gone.documents, 'document')}"
    show(deleted, as_json, lambda *_: typer.echo(said))


def _name(response: CollectionsResponse) -> str:
    return lines.harmless(response.collections[0].name)
