"""What all commands share: options, exit codes, the library they talk to."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from ingestion.errors import RagError
from rag_app.config.logging import log_to_standard_error

if TYPE_CHECKING:
    from rag_app.config.settings import Settings
    from rag_app.service.protocol import Service

EXIT_FAILED = 1
EXIT_WRONG_USE = 2
EXIT_SOME_FILES_FAILED = 3
EXIT_INTERRUPTED = 130

STOPPED = "stopped; what was finished before is kept"

Fields = dict[str, Any]


class Interrupted(RagError):
    """A person pressed Ctrl-C; the message says what is left and how to go on."""


@dataclass(frozen=True, slots=True)
class Globals:
    """The options before the subcommand."""

    data_dir: Path | None
    debug: bool
    verbose: bool

    def settings(self, **flags: Any) -> "Settings":
        from rag_app.config.settings import load_settings

        settings = load_settings(data_dir=self.data_dir, **flags)
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
def service(context: typer.Context) -> "Iterator[Service]":
    """Yield the library, opened here or served by another process."""
    from rag_app.service.protocol import open_service

    with open_service(context.obj.settings()) as opened:
        yield opened


def show(fields: Mapping[str, Any], as_json: bool, people: Callable[[Console], None]) -> None:
    """Print fields as the contract has them, or as people read them."""
    from rag_app.contract import output

    if as_json:
        typer.echo(output.dump(fields))
    else:
        people(Console())
