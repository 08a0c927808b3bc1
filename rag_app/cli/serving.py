"""serve, doctor."""

import threading
from collections.abc import Callable
from contextlib import suppress
from importlib.metadata import entry_points
from typing import Annotated

import typer

from ingestion.errors import RagError
from rag_app.cli.common import EXIT_FAILED, Json, show


def serve(
    context: typer.Context,
    host: Annotated[str | None, typer.Option("--host", help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option("--port", help="Port; the next free one if taken.")] = None,
) -> None:
    """Serve the chat page, and the API through which the other commands reach the library meanwhile."""
    from rag_app.assistant import Assistant
    from rag_app.ports import free_port, is_loopback

    settings = context.obj.settings(host=host, port=port)
    pages = list(entry_points(group="rag_app.ui"))
    if not pages:
        raise RagError("the package's pages are not installed; run: pip install --force-reinstall rag-app")
    chosen = free_port(settings.host, settings.port)
    if settings.port and chosen != settings.port:
        typer.echo(f"port {settings.port} is in use; taking {chosen}", err=True)
    if not is_loopback(settings.host):
        typer.echo(
            f"{settings.host} can be reached from other machines: whoever reaches it can read your documents",
            err=True,
        )
    with Assistant.open(settings) as assistant:
        # A fault of the model shows with the first question, which waits for this or meets it again.
        threading.Thread(target=lambda: _quietly(assistant.warm_up), daemon=True).start()
        assistant.jobs.start()
        pages[0].load()(
            assistant, host=settings.host, port=chosen, on_ready=lambda url: typer.echo(f"serving {url}")
        )


def doctor(context: typer.Context, as_json: Json = False) -> None:
    """Say what is installed, where data lies, what is wrong and what mends it."""
    from rag_app import output, terminal
    from rag_app.doctor import State, examine

    settings = context.obj.settings()
    checks = examine(settings)
    fields = output.doctor_fields(settings, checks)
    show(fields, as_json, lambda console: terminal.print_checks(console, fields["checks"]))
    if any(check.state is State.ERROR for check in checks):
        raise typer.Exit(EXIT_FAILED)


def _quietly(work: Callable[[], None]) -> None:
    with suppress(RagError):
        work()
