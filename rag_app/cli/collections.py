"""collections list, create, rename, instructions, delete."""

from pathlib import Path
from typing import Annotated

import typer

from ingestion.errors import InvalidInput, UnknownName
from ingestion.regular_files import read_regular
from rag_app.cli.common import Json, Yes, confirm, open_service, respond, show
from rag_app.cli.terminal import library, lines
from rag_app.contract.library import CollectionsResponse
from rag_app.contract.requests import InstructionsRequest, NameRequest

app = typer.Typer(
    rich_markup_mode=None,
    help="List, create, rename, instruct and delete collections.",
)

# Bytes that are read of a file: more than any instructions that are kept.
_LARGEST_FILE = 16_384

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
def instructions(
    context: typer.Context,
    name: Name,
    text: Annotated[str | None, typer.Argument(help="The instructions; none shows those it has.")] = None,
    file: Annotated[Path | None, typer.Option("--file", help="Read them from a text file.")] = None,
    clear: Annotated[bool, typer.Option("--clear", help="Remove the instructions.")] = False,
    as_json: Json = False,
) -> None:
    """Show or set what a collection asks of a language model about the form of its answers.

    At most 1,000 characters, such as "Answer in German, as a table." The rules about sources stay, whatever
    they say. Quotations and summaries do not use them.
    """
    if sum((text is not None, file is not None, clear)) > 1:
        raise InvalidInput("a text, --file and --clear exclude each other; give one of them")
    if file is not None:
        text = _read(file)
    if text is None and not clear:
        show_ = library.print_instructions
        respond(context, as_json, lambda service: _found(service.collections(), name), show_)
        return
    request = InstructionsRequest.of(text=text or "")
    respond(
        context,
        as_json,
        lambda service: service.instruct_collection(name, request),
        lambda _, changed: typer.echo(_said(changed)),
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


def _found(response: CollectionsResponse, name: str) -> CollectionsResponse:
    """Return the one collection of a name. Raises UnknownName."""
    found = tuple(one for one in response.collections if one.name == name)
    if not found:
        raise UnknownName("collection", name, (one.name for one in response.collections))
    return response.model_copy(update={"collections": found})


def _read(file: Path) -> str:
    try:
        return read_regular(file.expanduser(), _LARGEST_FILE).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{file} is no text in UTF-8; save it as such") from error
    except OSError as error:
        raise InvalidInput(f"{file} cannot be read: {error.strerror or error}; name another file") from error


def _said(changed: CollectionsResponse) -> str:
    size = len(changed.collections[0].instructions)
    held = f"instructions of {lines.count(size, 'character')}" if size else "no instructions"
    return f"{_name(changed)} has {held}"


def _name(response: CollectionsResponse) -> str:
    return lines.harmless(response.collections[0].name)
