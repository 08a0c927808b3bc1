"""The commands, and how their errors are printed."""

import os
import sys
from importlib.metadata import version
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from ingestion.errors import InvalidInput, RagError
from rag_app.cli import (
    collections,
    conversations,
    documents,
    evaluation,
    ingestion,
    jobs,
    maintenance,
    models,
    questions,
    server,
    summaries,
)
from rag_app.cli.common import (
    EXIT_FAILED,
    EXIT_INTERRUPTED,
    EXIT_WRONG_USE,
    STOPPED,
    Globals,
    Interrupted,
)
from rag_app.config.environment import stay_offline

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    help="Ask questions of your own documents, on your own machine.",
)


@app.callback(invoke_without_command=True)
def _globals(
    context: typer.Context,
    data_dir: Annotated[
        Path | None, typer.Option("--data-dir", envvar="RAG_APP_DATA_DIR", help="The folder of the library.")
    ] = None,
    device: Annotated[
        str | None,
        typer.Option(
            "--device",
            help="Where encoders run: auto, cpu, cuda, mps or xpu. A running server keeps its own.",
        ),
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", help="Log to standard error.")] = False,
    show_version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if show_version:
        typer.echo(f"rag-app {version('rag-app')}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help(), err=True)
        raise typer.Exit(EXIT_WRONG_USE)
    folder = data_dir.expanduser().absolute() if data_dir else None
    context.obj = Globals(folder, device, debug, verbose)


app.command()(ingestion.ingest)
app.command()(documents.documents)
app.command()(documents.fields)
app.command()(documents.tables)
app.command()(documents.delete)
app.command()(questions.search)
app.command()(questions.compare)
app.command()(questions.ask)
app.command()(summaries.summarise)
app.command()(questions.strategies)
app.command("eval")(evaluation.evaluate)
app.add_typer(evaluation.app, name="judge")
app.add_typer(conversations.app, name="conversations")
app.command()(conversations.receipts)
app.command()(conversations.replay)
app.add_typer(collections.app, name="collections")
app.add_typer(jobs.app, name="jobs")
app.add_typer(models.app, name="models")
app.command()(server.serve)
app.command("open")(server.open_)
app.command()(server.mcp)
app.command()(server.token)
app.command()(server.doctor)
app.command()(maintenance.stats)
app.command()(maintenance.verify)
app.command()(maintenance.repair)
app.command()(maintenance.compact)
app.command()(maintenance.reindex)
app.command()(maintenance.export)
app.command("import")(maintenance.import_)


def main() -> None:
    """Run the command line; an error that a person can solve is one line on standard error."""
    stay_offline()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a file's name may hold bytes that are no text
            stream.reconfigure(errors="backslashreplace")
    debug = "--debug" in sys.argv
    try:
        code = app(standalone_mode=False)
        if code == EXIT_INTERRUPTED:  # typer's exit code for Ctrl-C
            _fail(STOPPED, EXIT_INTERRUPTED)
    except typer.TyperException as error:  # wrong use, found by the parser
        _fail(f"{error.format_message().rstrip('.')}; rag-app --help shows the use", EXIT_WRONG_USE)
    except Interrupted as error:
        _fail(str(error), EXIT_INTERRUPTED)
    except (KeyboardInterrupt, typer.Abort):
        _fail(STOPPED, EXIT_INTERRUPTED)
    except RagError as error:
        if debug:
            raise
        _fail(str(error), EXIT_WRONG_USE if isinstance(error, InvalidInput) else EXIT_FAILED)
    except BrokenPipeError:  # the reader has left, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = EXIT_FAILED
    except Exception as error:
        if isinstance(error.__cause__, KeyboardInterrupt):  # as a class being made, in an import, wraps it
            _fail(STOPPED, EXIT_INTERRUPTED)
        if debug:
            raise
        _fail(
            f"unexpected {type(error).__name__}: {error}; what was finished before is kept. "
            "rag-app --debug COMMAND shows where it came from",
            EXIT_FAILED,
        )
    sys.exit(code if isinstance(code, int) else 0)


def _fail(message: str, code: int) -> NoReturn:
    from rag_app.cli.terminal.lines import harmless

    sys.stderr.write(f"rag-app: {' '.join(harmless(message).split())}\n")
    sys.exit(code)
