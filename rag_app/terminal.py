"""What the command line shows to people: tables, passages, a progress bar."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

if TYPE_CHECKING:
    from ingestion.pipeline import IngestResult
    from ingestion.pipeline import Progress as IngestProgress
    from ingestion.stores.records import Document
    from rag_app.answers import Answer
    from rag_app.assistant import StrategyState
    from rag_app.doctor import Check
    from retrievers.search import SearchResult

_PREVIEW = 300
_NOTHING = "Nothing found. Is there a document? rag-app documents lists them."
_UNITS = {"parsing": "pages", "encoding": "chunks", "writing": "chunks"}
_COLOURS = {"ok": "green", "warning": "yellow", "error": "red"}
# What a terminal obeys instead of showing it, but for tab and line feed; and halves of characters.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def harmless(text: str) -> str:
    """Return text of a document, a file's name or a model, without what would command the terminal."""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)


@contextmanager
def ingest_bar(console: Console) -> Iterator[Callable[["IngestProgress"], None]]:
    """Show a progress bar; yields the function that moves it."""
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn(),
        console=console, transient=True, disable=not console.is_terminal,
    )  # fmt: skip
    with bar:
        task = bar.add_task("starting", total=None)

        def move(progress: "IngestProgress") -> None:
            unit = _UNITS[progress.stage]
            count = f" {progress.done}/{progress.total} {unit}" if progress.total else ""
            file = f"[{progress.file}/{progress.files}] {progress.name}"
            bar.update(
                task,
                description=_shown(f"{file} · {progress.stage}{count}"),
                completed=progress.done,
                total=progress.total or None,
            )

        yield move


def print_ingested(console: Console, result: "IngestResult") -> None:
    """Print how one file ended, in a line."""
    mark = "[green]✓[/]" if result.status.is_success else "[red]✗[/]"
    counts = f" {_count(result.pages, 'page')}, {_count(result.chunks, 'chunk')}" if result.chunks else ""
    error = f": {_shown(result.error)}" if result.error else ""
    _line(console, f"{mark} {_shown(result.name)} [bold]{result.status}[/]{counts}{error}")


def print_documents(console: Console, documents: Sequence["Document"]) -> None:
    if not documents:
        console.print("No documents here yet. Add some with: rag-app ingest PATH…")
        return
    table = Table(box=None, pad_edge=False)
    for column in ("name", "collection", "pages", "chunks", "status", "added", "id"):
        table.add_column(column, overflow="fold", no_wrap=column == "id")
    for document in documents:
        table.add_row(
            _shown(document.name), _shown(document.collection), str(document.pages), str(document.chunks),
            document.status, document.added[:10], document.id,
        )  # fmt: skip
    console.print(table)


def print_hits(console: Console, result: "SearchResult") -> None:
    if not result.hits:
        console.print(_NOTHING)
    for hit in result.hits:
        heading = f" · {_shown(hit.chunk.heading)}" if hit.chunk.heading else ""
        _line(
            console,
            f"[bold]{hit.rank}. {_shown(hit.chunk.document)}[/], page {hit.chunk.page}{heading} "
            f"[dim]({hit.score:.3f})[/]",
        )
        _line(console, f"   {_shown(_preview(hit.chunk.text))}\n")
    how = "exact" if result.exact else "approximate"
    _line(console, f"[dim]{result.strategy}, {how}, {result.timings_ms['total']:.0f} ms[/]")


def print_sources(console: Console, answer: "Answer") -> None:
    """Print what stands below an answer: its sources, and what made it."""
    console.print()
    if not answer.nearest:
        console.print(_NOTHING)
    elif answer.abstained:
        console.print("Nearest passages:")
    elif answer.citations:
        console.print("Sources:")
    places = (
        [(hit.rank, hit.chunk.document, hit.chunk.page, hit.chunk.text) for hit in answer.nearest[:3]]
        if answer.abstained
        else [(c.marker, c.document, c.page, c.quote) for c in answer.citations]
    )
    for number, document, page, text in places:
        _line(console, f"  \\[{number}] [bold]{_shown(document)}[/], page {page}")
        _line(console, f"      {_shown(_preview(text))}")
    made = [answer.strategy, answer.reranker or "no reranker", answer.llm]
    made.append(f"{answer.timings_ms['total'] / 1000:.1f} s")
    _line(console, f"[dim]{_shown(' · '.join(made))}[/]")


def print_strategies(console: Console, states: Sequence["StrategyState"]) -> None:
    table = Table("strategy", "what it does", "a chunk takes", "a question costs", box=None, pad_edge=False)
    for state in states:
        strategy = state.strategy
        reason = "" if state.available else f" [red](not available: {_shown(state.reason or '')})[/]"
        table.add_row(strategy.name, strategy.summary + reason, strategy.storage, strategy.cost)
    console.print(table)


def print_checks(console: Console, checks: Sequence["Check"]) -> None:
    for check in checks:
        state = f"[{_COLOURS[check.state]}]{check.state:<7}[/]"
        _line(console, f"{state} {_shown(check.name)}: {_shown(check.detail)}")
        if check.mend:
            _line(console, f"        → {_shown(check.mend)}")


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _line(console: Console, markup: str) -> None:
    """Print one line, which the terminal breaks and nobody else."""
    console.print(markup, highlight=False, soft_wrap=True)


def _shown(text: str) -> str:
    """Return text as rich shows it literally."""
    return escape(harmless(text))


def _preview(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _PREVIEW else line[: _PREVIEW - 1] + "…"
