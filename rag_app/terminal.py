"""What the command line shows to people: tables, passages, a progress bar."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from ingestion.pipeline import IngestResult
from ingestion.pipeline import Progress as IngestProgress
from ingestion.stores.catalogue import Document
from rag_app.answers import Answer
from rag_app.assistant import StrategyState
from rag_app.doctor import Check, State
from retrievers.search import SearchResult

_PREVIEW = 300
_UNITS = {"parsing": "pages", "encoding": "chunks", "writing": "chunks"}


@contextmanager
def ingest_bar(console: Console) -> Iterator[Callable[[IngestProgress], None]]:
    """Show a progress bar; yields the function that moves it."""
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn(),
        console=console, transient=True,
    )  # fmt: skip
    with bar:
        task = bar.add_task("starting", total=None)

        def move(progress: IngestProgress) -> None:
            unit = _UNITS[progress.stage]
            count = f" {progress.done}/{progress.total} {unit}" if progress.total else ""
            file = f"[{progress.file}/{progress.files}] {progress.name}"
            bar.update(
                task,
                description=escape(f"{file} · {progress.stage}{count}"),
                completed=progress.done,
                total=progress.total or None,
            )

        yield move


def print_ingested(console: Console, result: IngestResult) -> None:
    """Print how one file ended, in a line."""
    mark = "[green]✓[/]" if result.status.is_success else "[red]✗[/]"
    counts = f" {result.pages} pages, {result.chunks} chunks" if result.chunks else ""
    error = f": {escape(result.error)}" if result.error else ""
    console.print(f"{mark} {escape(result.name)} [bold]{result.status}[/]{counts}{error}", highlight=False)


def print_documents(console: Console, documents: Sequence[Document]) -> None:
    if not documents:
        console.print("No documents yet. Add some with: rag-app ingest PATH…")
        return
    table = Table(box=None, pad_edge=False)
    for column in ("name", "collection", "pages", "chunks", "status", "added", "id"):
        table.add_column(column, overflow="fold")
    for document in documents:
        table.add_row(
            escape(document.name), escape(document.collection), str(document.pages), str(document.chunks),
            document.status, document.added[:10], document.id,
        )  # fmt: skip
    console.print(table)


def print_hits(console: Console, result: SearchResult) -> None:
    if not result.hits:
        console.print("Nothing found. Is there a document? rag-app documents lists them.")
    for hit in result.hits:
        heading = f" · {escape(hit.chunk.heading)}" if hit.chunk.heading else ""
        console.print(
            f"[bold]{hit.rank}. {escape(hit.chunk.document)}[/], page {hit.chunk.page}{heading} "
            f"[dim]({hit.score:.3f})[/]",
            highlight=False,
        )
        console.print(f"   {escape(_preview(hit.chunk.text))}\n", highlight=False)
    how = "exact" if result.exact else "approximate"
    console.print(f"[dim]{result.strategy}, {how}, {result.timings_ms['total']:.0f} ms[/]", highlight=False)


def print_sources(console: Console, answer: Answer) -> None:
    """Print what stands below an answer: its sources, and what made it."""
    console.print()
    if answer.abstained and answer.nearest:
        console.print("Nearest passages:")
    elif answer.citations:
        console.print("Sources:")
    places = (
        [(hit.rank, hit.chunk.document, hit.chunk.page, hit.chunk.text) for hit in answer.nearest[:3]]
        if answer.abstained
        else [(c.marker, c.document, c.page, c.quote) for c in answer.citations]
    )
    for number, document, page, text in places:
        console.print(f"  \\[{number}] [bold]{escape(document)}[/], page {page}", highlight=False)
        console.print(f"      {escape(_preview(text))}", highlight=False)
    made = [answer.strategy, answer.reranker or "no reranker", answer.llm]
    made.append(f"{answer.timings_ms['total'] / 1000:.1f} s")
    console.print(f"[dim]{escape(' · '.join(made))}[/]", highlight=False)


def print_strategies(console: Console, states: Sequence[StrategyState]) -> None:
    table = Table("strategy", "what it does", "a chunk takes", "a question costs", box=None, pad_edge=False)
    for state in states:
        strategy = state.strategy
        reason = "" if state.available else f" [red](not available: {escape(state.reason or '')})[/]"
        table.add_row(strategy.name, strategy.summary + reason, strategy.storage, strategy.cost)
    console.print(table)


def print_checks(console: Console, checks: Sequence[Check]) -> None:
    colours = {State.OK: "green", State.WARNING: "yellow", State.ERROR: "red"}
    for check in checks:
        state = f"[{colours[check.state]}]{check.state:<7}[/]"
        console.print(f"{state} {escape(check.name)}: {escape(check.detail)}", highlight=False)
        if check.mend:
            console.print(f"        → {escape(check.mend)}", highlight=False)


def _preview(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _PREVIEW else line[: _PREVIEW - 1] + "…"
