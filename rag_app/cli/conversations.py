"""conversations list, show, rename, delete, export; receipts; replay."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ingestion.errors import InvalidInput
from rag_app.cli.common import EXIT_FAILED, Fields, Json, Yes, service, show

app = typer.Typer(rich_markup_mode=None, help="List, show, rename, delete and export conversations.")

Identity = Annotated[str, typer.Argument(metavar="ID", help="A conversation's id.")]


class Format(StrEnum):
    MARKDOWN = "md"
    JSON = "json"


@app.callback(invoke_without_command=True)
def _listed(context: typer.Context, as_json: Json = False) -> None:
    if context.invoked_subcommand is None:
        _list(context, as_json)


@app.command("list")
def list_(context: typer.Context, as_json: Json = False) -> None:
    """List the conversations, the one used last first."""
    _list(context, as_json)


@app.command("show")
def show_(context: typer.Context, identity: Identity, as_json: Json = False) -> None:
    """Show a conversation's questions and answers."""
    from rag_app.cli.terminal import conversations

    with service(context) as library:
        found = library.conversation(identity)
    show(found, as_json, lambda console: conversations.print_conversation(console, found))


@app.command()
def rename(
    context: typer.Context,
    identity: Identity,
    title: Annotated[str, typer.Argument(help="Its new title.")],
    as_json: Json = False,
) -> None:
    """Give a conversation another title."""
    with service(context) as library:
        renamed = library.rename_conversation(identity, title)
    show(renamed, as_json, lambda _: typer.echo(f"renamed {identity}"))


@app.command()
def delete(context: typer.Context, identity: Identity, yes: Yes = False, as_json: Json = False) -> None:
    """Forget a conversation, its answers and their receipts."""
    if not yes:
        if as_json or not sys.stdin.isatty():
            raise InvalidInput("nobody can be asked whether to delete a conversation; add --yes")
        typer.confirm("Forget this conversation?", abort=True, err=True)
    with service(context) as library:
        deleted = library.delete_conversation(identity)
    show(deleted, as_json, lambda _: typer.echo(f"deleted {identity}"))


@app.command()
def export(
    context: typer.Context,
    identity: Identity,
    form: Annotated[Format, typer.Option("--format", help="md or json.")] = Format.MARKDOWN,
    file: Annotated[Path | None, typer.Option("--to", help="A file; without it, standard output.")] = None,
) -> None:
    """Write a conversation as Markdown or JSON."""
    from rag_app.contract import output
    from rag_app.history.markdown_export import as_markdown

    with service(context) as library:
        found = library.conversation(identity)
    text = as_markdown(found) if form is Format.MARKDOWN else output.dump(found) + "\n"
    if file is None:
        typer.echo(text, nl=False)
        return
    try:
        file.expanduser().write_text(text, "utf-8")
    except OSError as error:
        raise InvalidInput(f"{file} cannot be written: {error.strerror}; name another file") from error


def receipts(
    context: typer.Context,
    identity: Annotated[str | None, typer.Argument(metavar="[ID]", help="Show this one whole.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="How many to list.")] = 50,
    as_json: Json = False,
) -> None:
    """List what the last answers were made of, or show one receipt."""
    from rag_app.cli.terminal import conversations
    from rag_app.contract import output

    with service(context) as library:
        found = library.receipts(limit) if identity is None else library.receipt(identity)
    if identity is None:
        show(found, as_json, lambda console: conversations.print_receipts(console, found))
    else:
        typer.echo(output.dump(found))


def replay(
    context: typer.Context,
    identity: Annotated[str, typer.Argument(metavar="ID", help="A receipt's id.")],
    as_json: Json = False,
) -> None:
    """Answer again as a receipt says, and say what is not the same. Exits 1 where something is not."""
    from rag_app.cli.terminal import conversations

    with service(context) as library:
        found = library.replay(identity)
    show(found, as_json, lambda console: conversations.print_replay(console, found))
    if not found["same"]:
        raise typer.Exit(EXIT_FAILED)


def _list(context: typer.Context, as_json: bool) -> None:
    from rag_app.cli.terminal import conversations

    with service(context) as library:
        found: Fields = library.conversations()
    show(found, as_json, lambda console: conversations.print_conversations(console, found))
