"""conversations list, show, rename, delete, export; receipts; replay."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ingestion.errors import InvalidInput
from ingestion.regular_files import private_file
from rag_app.cli.common import EXIT_FAILED, Json, Yes, confirm, open_service, respond
from rag_app.cli.terminal import conversations
from rag_app.contract.requests import ConversationsRequest, ReceiptsRequest, TitleRequest
from rag_app.contract.schema import to_json

app = typer.Typer(rich_markup_mode=None, help="List, show, rename, delete and export conversations.")

Identity = Annotated[str, typer.Argument(metavar="ID", help="A conversation's id.")]


class Format(StrEnum):
    MARKDOWN = "md"
    HTML = "html"
    JSON = "json"


Search = Annotated[
    str | None,
    typer.Option(
        "--search", metavar="WORDS", help="Only those that have these words, in a title, question or answer."
    ),
]


@app.callback(invoke_without_command=True)
def _listed(context: typer.Context, search: Search = None, as_json: Json = False) -> None:
    if context.invoked_subcommand is None:
        list_(context, search, as_json)


@app.command("list")
def list_(context: typer.Context, search: Search = None, as_json: Json = False) -> None:
    """List the conversations, the one used last first."""
    request = ConversationsRequest.of(search=search)
    printed = conversations.print_found if request.search.strip() else conversations.print_conversations
    respond(context, as_json, lambda service: service.conversations(request), printed)


@app.command("show")
def show_(context: typer.Context, identity: Identity, as_json: Json = False) -> None:
    """Show a conversation's questions and answers."""
    respond(
        context, as_json, lambda service: service.conversation(identity), conversations.print_conversation
    )


@app.command()
def rename(
    context: typer.Context,
    identity: Identity,
    title: Annotated[str, typer.Argument(help="Its new title.")],
    as_json: Json = False,
) -> None:
    """Give a conversation another title."""
    request = TitleRequest.of(title=title)
    respond(
        context,
        as_json,
        lambda service: service.rename_conversation(identity, request),
        lambda *_: typer.echo(f"renamed {identity}"),
    )


@app.command()
def delete(context: typer.Context, identity: Identity, yes: Yes = False, as_json: Json = False) -> None:
    """Forget a conversation, its answers and their receipts."""
    if not yes:
        confirm("Forget this conversation?", as_json, "delete a conversation")
    respond(
        context,
        as_json,
        lambda service: service.delete_conversation(identity),
        lambda *_: typer.echo(f"deleted {identity}"),
    )


@app.command()
def export(
    context: typer.Context,
    identity: Identity,
    form: Annotated[Format, typer.Option("--format", help="md, html or json.")] = Format.MARKDOWN,
    file: Annotated[Path | None, typer.Option("--to", help="A file; without it, standard output.")] = None,
) -> None:
    """Write a conversation as Markdown, as one page of HTML, or as JSON."""
    from rag_app.contract.html_export import as_html
    from rag_app.contract.markdown_export import as_markdown

    with open_service(context) as service:
        found = service.conversation(identity)
    match form:
        case Format.MARKDOWN:
            text = as_markdown(found)
        case Format.HTML:
            text = as_html(found)
        case Format.JSON:
            text = to_json(found) + "\n"
    if file is None:
        typer.echo(text, nl=False)
        return
    try:
        with private_file(file.expanduser()) as stream:
            stream.write(text)
    except OSError as error:
        raise InvalidInput(f"{file} cannot be written: {error.strerror}; name another file") from error


def receipts(
    context: typer.Context,
    identity: Annotated[str | None, typer.Argument(metavar="[ID]", help="Show this one whole.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="How many to list.")] = 50,
    as_json: Json = False,
) -> None:
    """List the receipts of the last answers, or show one receipt."""
    if identity is not None:
        respond(
            context,
            as_json,
            lambda service: service.receipt(identity),
            lambda _, receipt: typer.echo(to_json(receipt)),
        )
    else:
        request = ReceiptsRequest(limit=limit)
        respond(context, as_json, lambda service: service.receipts(request), conversations.print_receipts)


def replay(
    context: typer.Context,
    identity: Annotated[str, typer.Argument(metavar="ID", help="A receipt's id.")],
    as_json: Json = False,
) -> None:
    """Answer again as a receipt says, and list the differences. Exit code 1 where there are some."""
    found = respond(context, as_json, lambda service: service.replay(identity), conversations.print_replay)
    if not found.same:
        raise typer.Exit(EXIT_FAILED)
