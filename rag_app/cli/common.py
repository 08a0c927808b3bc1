"""Options, exit codes and the service, which all commands share."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from rich.console import Console

from ingestion.errors import InvalidInput, RagError
from rag_app.config.logging import log_to_standard_error
from rag_app.contract.requests import Narrowing
from rag_app.contract.schema import Fields, to_json

if TYPE_CHECKING:
    from rag_app.config.settings import Settings
    from rag_app.service.protocol import Service

EXIT_FAILED = 1
EXIT_WRONG_USE = 2
EXIT_SOME_FILES_FAILED = 3
EXIT_INTERRUPTED = 130
# Of lines for another program: a name that is cut at 80 columns is found by no grep.
_PIPE_WIDTH = 240

STOPPED = "stopped; what was finished before is kept"

F = TypeVar("F", bound=Fields)
N = TypeVar("N", bound=Narrowing)


class Interrupted(RagError):
    """Ctrl-C was pressed; the message says how much is left and how to go on."""


@dataclass(frozen=True, slots=True)
class Globals:
    """The options before the subcommand."""

    data_dir: Path | None
    device: str | None
    debug: bool
    verbose: bool

    def settings(self, **flags: Any) -> "Settings":
        from rag_app.config.settings import load_settings

        settings = load_settings(data_dir=self.data_dir, device=self.device, **flags)
        log_to_standard_error(settings.log_level or ("INFO" if self.verbose else None))
        return settings


Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")]
Collection = Annotated[str | None, typer.Option("--collection", help="Collection; default: default.")]
Collections = Annotated[list[str] | None, typer.Option("--collection", help="Collection; may be repeated.")]
Documents = Annotated[
    list[str] | None, typer.Option("--document", help="Only this document; may be repeated.")
]
Folders = Annotated[
    list[str] | None, typer.Option("--folder", help="Only documents from this folder; may be repeated.")
]
Types = Annotated[list[str] | None, typer.Option("--type", help="Only files like pdf; may be repeated.")]
Pages = Annotated[str | None, typer.Option("--pages", help="Only these pages: 7, 3-7 or 3-.")]
AddedFrom = Annotated[
    str | None, typer.Option("--added-from", metavar="DATE", help="Only documents added since: 2026-01-31.")
]
AddedTo = Annotated[
    str | None, typer.Option("--added-to", metavar="DATE", help="Only documents added until: 2026-01-31.")
]


@contextmanager
def open_service(context: typer.Context) -> "Iterator[Service]":
    """Yield the service of the library, opened here or by another process."""
    from rag_app.service import connection  # imports torch and chromadb

    with connection.open_service(context.obj.settings()) as service:
        yield service


def respond(
    context: typer.Context,
    as_json: bool,
    call: "Callable[[Service], F]",
    people: Callable[[Console, F], None],
) -> F:
    """Call the service, and print its response as JSON or as people read it."""
    with open_service(context) as service:
        response = call(service)
    show(response, as_json, people)
    return response


def show(document: F, as_json: bool, people: Callable[[Console, F], None]) -> None:
    """Print a document as JSON or as people read it."""
    if as_json:
        typer.echo(to_json(document))
    else:
        is_chosen = sys.stdout.isatty() or "COLUMNS" in os.environ
        people(Console(width=None if is_chosen else _PIPE_WIDTH), document)


def confirm(question: str, as_json: bool, what: str) -> None:
    """Ask before something is lost. Raises InvalidInput where nobody can answer."""
    if as_json or not sys.stdin.isatty():
        raise InvalidInput(f"nobody can be asked whether to {what}; add --yes")
    typer.confirm(question, abort=True, err=True)


def narrowed(
    request: type[N],
    collection: list[str] | None,
    document: list[str] | None,
    folder: list[str] | None,
    kind: list[str] | None,
    added_from: str | None,
    added_to: str | None,
    pages: str | None = None,
    **more: Any,
) -> N:
    """Return a request from the options that narrow it, and `more` fields."""
    return request.of(
        collections=collection,
        documents=document,
        folders=folder,
        types=kind,
        added_from=added_from,
        added_to=added_to,
        pages=pages,
        **more,
    )
