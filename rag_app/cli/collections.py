"""collections list, create, rename, delete."""

import sys
from typing import Annotated

import typer

from ingestion.errors import InvalidInput
from rag_app.cli.common import Fields, Json, Yes, service, show

app = typer.Typer(rich_markup_mode=None, help="List, create, rename and delete collections.")

Name = Annotated[str, typer.Argument(help="A collection's name.")]


@app.callback(invoke_without_command=True)
def _listed(context: typer.Context, as_json: Json = False) -> None:
    if context.invoked_subcommand is None:
        _list(context, as_json)


@app.command("list")
def list_(context: typer.Context, as_json: Json = False) -> None:
    """List the collections and what is in them."""
    _list(context, as_json)


@app.command()
def create(context: typer.Context, name: Name, as_json: Json = False) -> None:
    """Create an empty collection."""
    with service(context) as library:
        created = library.create_collection(name)
    show(created, as_json, lambda _: typer.echo(f"created {_name(created)}"))


@app.command()
def rename(
    context: typer.Context,
    name: Name,
    new: Annotated[str, typer.Argument(help="Its new name.")],
    as_json: Json = False,
) -> None:
    """Give a collection another name."""
    with service(context) as library:
        renamed = library.rename_collection(name, new)
    show(renamed, as_json, lambda _: typer.echo(f"renamed {name} to {_name(renamed)}"))


@app.command()
def delete(context: typer.Context, name: Name, yes: Yes = False, as_json: Json = False) -> None:
    """Delete a collection with all of its documents. The files that they came from stay."""
    from rag_app.cli.terminal import lines

    with service(context) as library:
        held = next((c for c in library.collections()["collections"] if c["name"] == name), None)
        if held and held["documents"] and not yes:
            if as_json or not sys.stdin.isatty():
                raise InvalidInput(
                    "nobody can be asked whether to delete a collection's documents; add --yes"
                )
            question = f"Delete {lines.harmless(name)} with its {lines.count(held['documents'], 'document')}?"
            typer.confirm(question, abort=True, err=True)
        deleted = library.delete_collection(name)
    (gone,) = deleted["collections"]
    show(
        deleted,
        as_json,
        lambda _: typer.echo(f"deleted {_name(deleted)}: {lines.count(gone['documents'], 'document')}"),
    )


def _list(context: typer.Context, as_json: bool) -> None:
    from rag_app.cli.terminal import lines

    with service(context) as library:
        listed = library.collections()
    show(listed, as_json, lambda console: lines.print_collections(console, listed["collections"]))


def _name(fields: Fields) -> str:
    from rag_app.cli.terminal import lines

    return lines.harmless(fields["collections"][0]["name"])
