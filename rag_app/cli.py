"""The command line. What each command prints as JSON is a contract: see `rag_app.output`."""

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import entry_points, version
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from ingestion.errors import InvalidInput, RagError
from rag_app.environment import stay_offline

if TYPE_CHECKING:
    from rag_app.answers import AskOptions
    from rag_app.assistant import Assistant
    from rag_app.settings import Settings

EXIT_FAILED = 1
EXIT_WRONG_USE = 2
EXIT_SOME_FILES_FAILED = 3
EXIT_INTERRUPTED = 130

_STOPPED = "stopped; what was finished before is kept"

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    help="Ask questions of your own documents, on your own machine.",
)


@dataclass(frozen=True, slots=True)
class Globals:
    """The options before the subcommand."""

    data_dir: Path | None
    debug: bool

    def settings(self, **flags: Any) -> "Settings":
        from rag_app.settings import load_settings

        return load_settings(data_dir=self.data_dir, **flags)


Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Collection = Annotated[str | None, typer.Option("--collection", help="Collection; default: default.")]
Collections = Annotated[list[str] | None, typer.Option("--collection", help="Collection; may be repeated.")]
Documents = Annotated[
    list[str] | None, typer.Option("--document", help="Only this document; may be repeated.")
]
StrategyName = Annotated[str | None, typer.Option("--strategy", help="How passages are found.")]
Rerank = Annotated[str | None, typer.Option("--rerank", help="A cross-encoder: folder or hub name.")]
NoRerank = Annotated[bool, typer.Option("--no-rerank", help="No reranker, whatever the settings say.")]
TopK = Annotated[int | None, typer.Option("--top-k", help="Passages to find.")]


@app.callback(invoke_without_command=True)
def _globals(
    context: typer.Context,
    data_dir: Annotated[
        Path | None, typer.Option("--data-dir", envvar="RAG_APP_DATA_DIR", help="Where the library lies.")
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
    show_version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if show_version:
        typer.echo(f"rag-app {version('rag-app')}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help(), err=True)
        raise typer.Exit(EXIT_WRONG_USE)
    context.obj = Globals(data_dir.expanduser().absolute() if data_dir else None, debug)


@app.command()
def ingest(
    context: typer.Context,
    paths: Annotated[list[Path], typer.Argument(help="Files and folders.")],
    collection: Collection = None,
    as_json: Json = False,
) -> None:
    """Add documents; replace those whose files have changed."""
    from rag_app import output, terminal

    console = Console(stderr=as_json)
    started = time.perf_counter()
    results = []
    with _assistant(context) as assistant, terminal.ingest_bar(console) as move:
        for result in assistant.ingest(paths, collection=collection, on_progress=move):
            results.append(result)
            if not as_json:
                terminal.print_ingested(console, result)
    if as_json:
        typer.echo(output.dump(output.ingest_fields(results, 1000 * (time.perf_counter() - started))))
    if not all(result.status.is_success for result in results):
        raise typer.Exit(EXIT_SOME_FILES_FAILED)


@app.command()
def documents(context: typer.Context, collection: Collections = None, as_json: Json = False) -> None:
    """List a collection's documents."""
    from rag_app import output, terminal

    with _assistant(context) as assistant:
        found = assistant.documents(collection or ())
    if as_json:
        typer.echo(output.dump(output.document_fields(found)))
    else:
        terminal.print_documents(Console(), found)


@app.command()
def delete(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="A document's name, path or id.")],
    collection: Collections = None,
    as_json: Json = False,
) -> None:
    """Delete a document from every store. The file that it came from stays."""
    from rag_app import output

    with _assistant(context) as assistant:
        deleted = assistant.delete(name, collection or ())
    if as_json:
        typer.echo(output.dump(output.document_fields([deleted])))
    else:
        typer.echo(f"deleted {deleted.name} ({deleted.id})")


@app.command()
def search(
    context: typer.Context,
    query: Annotated[str, typer.Argument(help="What to look for.")],
    collection: Collections = None,
    document: Documents = None,
    strategy: StrategyName = None,
    rerank: Rerank = None,
    no_rerank: NoRerank = False,
    top_k: TopK = None,
    as_json: Json = False,
) -> None:
    """Find passages."""
    from rag_app import output, terminal

    with _assistant(context) as assistant:
        options = _options(assistant, collection, document, strategy, rerank, no_rerank, top_k)
        result = assistant.search(terminal.harmless(query), options)
    if as_json:
        typer.echo(output.dump(output.search_fields(result)))
    else:
        terminal.print_hits(Console(), result)


@app.command()
def ask(
    context: typer.Context,
    question: Annotated[str, typer.Argument(help="What to answer.")],
    collection: Collections = None,
    document: Documents = None,
    strategy: StrategyName = None,
    rerank: Rerank = None,
    no_rerank: NoRerank = False,
    top_k: TopK = None,
    llm: Annotated[str | None, typer.Option("--llm", help="auto, extractive, or a GGUF file.")] = None,
    as_json: Json = False,
) -> None:
    """Answer a question, with citations."""
    from rag_app import output, terminal
    from rag_app.answers import Answer, Delta

    with _assistant(context) as assistant:
        options = _options(assistant, collection, document, strategy, rerank, no_rerank, top_k, llm)
        with closing(assistant.stream(terminal.harmless(question), options)) as events:
            for event in events:
                if isinstance(event, Delta) and not as_json:
                    typer.echo(terminal.harmless(event.text), nl=False)
                elif isinstance(event, Answer):
                    answer = event
    if as_json:
        typer.echo(output.dump(output.answer_fields(answer)))
    else:
        typer.echo()
        terminal.print_sources(Console(), answer)


@app.command()
def strategies(context: typer.Context, as_json: Json = False) -> None:
    """List the retrieval strategies: what each does, stores and costs."""
    from rag_app import output, terminal

    with _assistant(context) as assistant:
        states = assistant.strategies()
    if as_json:
        typer.echo(output.dump(output.strategy_fields(states)))
    else:
        terminal.print_strategies(Console(), states)


@app.command()
def doctor(context: typer.Context, as_json: Json = False) -> None:
    """Say what is installed, where data lies, what is wrong and what mends it."""
    from rag_app import output, terminal
    from rag_app.doctor import State, examine

    settings = context.obj.settings()
    checks = examine(settings)
    if as_json:
        typer.echo(output.dump(output.doctor_fields(settings, checks)))
    else:
        terminal.print_checks(Console(), checks)
    if any(check.state is State.ERROR for check in checks):
        raise typer.Exit(EXIT_FAILED)


@app.command()
def serve(
    context: typer.Context,
    host: Annotated[str | None, typer.Option("--host", help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option("--port", help="Port; the next free one if taken.")] = None,
) -> None:
    """Serve the chat page."""
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
    with _assistant(context) as assistant:
        # A fault of the model shows with the first question, which waits for this or meets it again.
        threading.Thread(target=lambda: _quietly(assistant.warm_up), daemon=True).start()
        pages[0].load()(
            assistant, host=settings.host, port=chosen, on_ready=lambda url: typer.echo(f"serving {url}")
        )


def _quietly(work: Callable[[], None]) -> None:
    with suppress(RagError):
        work()


@contextmanager
def _assistant(context: typer.Context) -> "Iterator[Assistant]":
    from rag_app.assistant import Assistant

    with Assistant.open(context.obj.settings()) as assistant:
        yield assistant


def _options(
    assistant: "Assistant",
    collections: list[str] | None,
    documents: list[str] | None,
    strategy: str | None,
    rerank: str | None,
    no_rerank: bool,
    top_k: int | None,
    llm: str | None = None,
) -> "AskOptions":
    from dataclasses import replace

    if rerank is not None and no_rerank:
        raise InvalidInput("--rerank and --no-rerank exclude each other; give one of them")
    given: dict[str, Any] = {
        "collections": tuple(collections) if collections else None,
        "documents": tuple(documents) if documents else None,
        "strategy": strategy,
        "reranker": rerank,
        "top_k": top_k,
        "llm": llm,
    }
    options = replace(
        assistant.options(), **{name: value for name, value in given.items() if value is not None}
    )
    return replace(options, reranker=None) if no_rerank else options


def main() -> None:
    """Run the command line; every error that people can mend is one line on standard error."""
    stay_offline()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a file's name may hold bytes that are no text
            stream.reconfigure(errors="backslashreplace")
    debug = "--debug" in sys.argv
    try:
        code = app(standalone_mode=False)
        if code == EXIT_INTERRUPTED:  # what typer makes of Ctrl-C
            _fail(_STOPPED, EXIT_INTERRUPTED)
    except typer.TyperException as error:  # wrong use, found by the parser
        _fail(f"{error.format_message().rstrip('.')}; rag-app --help shows the use", EXIT_WRONG_USE)
    except (KeyboardInterrupt, typer.Abort):
        _fail(_STOPPED, EXIT_INTERRUPTED)
    except RagError as error:
        if debug:
            raise
        _fail(str(error), EXIT_WRONG_USE if isinstance(error, InvalidInput) else EXIT_FAILED)
    except BrokenPipeError:  # the reader has left, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = EXIT_FAILED
    except Exception as error:
        if isinstance(error.__cause__, KeyboardInterrupt):  # as a class being made, in an import, wraps it
            _fail(_STOPPED, EXIT_INTERRUPTED)
        if debug:
            raise
        _fail(
            f"unexpected {type(error).__name__}: {error}; what was finished before is kept. "
            "rag-app --debug COMMAND shows where it came from",
            EXIT_FAILED,
        )
    sys.exit(code if isinstance(code, int) else 0)


def _fail(message: str, code: int) -> None:
    from rag_app.terminal import harmless

    sys.stderr.write(f"rag-app: {' '.join(harmless(message).split())}\n")
    sys.exit(code)
