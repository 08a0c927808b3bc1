"""Responses as people read them in a terminal."""

import re
from collections.abc import Iterator, Sequence

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ingestion.text.leftovers import summary
from ingestion.text.line_numbers import first_line
from rag_app.contract.answers import AskResponse
from rag_app.contract.documents import DocumentFields, DocumentsResponse
from rag_app.contract.jobs import JobFields, JobFileFields, UnreadableFields
from rag_app.contract.search import (
    CompareResponse,
    ExplainedHitFields,
    ExplanationFields,
    SearchResponse,
    StrategiesResponse,
)
from rag_app.contract.status import DoctorResponse
from rag_app.contract.tables import TablesResponse

_PREVIEW = 300
_WIDE = 110  # columns of a terminal
_WARNINGS = 20  # printed below a list of documents
_NOTHING = "Nothing found. Is there a document? rag-app documents lists them."
_SUCCESS = ("ok", "unchanged", "duplicate", "removed")
_COLOURS = {"ok": "green", "warning": "yellow", "error": "red"}
# Control characters but for tab and line feed, and lone surrogates.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")

_BOLD = re.compile(r"\*\*(?=\S)([^*\n]+?)(?<=\S)\*\*")


def harmless(text: str) -> str:
    """Return text without the control characters that a terminal would obey."""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)


def print_ingested(console: Console, file: JobFileFields) -> None:
    """Print how one file ended, in a line."""
    mark = "[green]✓[/]" if succeeded(file) else "[red]✗[/]"
    chunks = file.chunks
    counts = f" {count(file.pages, 'page')}, {count(chunks, 'chunk')}" if chunks else ""
    error = f": {shown(file.error)}" if file.error else ""
    line(console, f"{mark} {shown(file.label)} [bold]{file.status}[/]{counts}{error}")
    if file.status != "unchanged":
        for warning in file.warnings:
            line(console, f"  [yellow]![/] {shown(warning)}")


def succeeded(file: JobFileFields) -> bool:
    """Return whether a file of a job ended well."""
    return file.status in _SUCCESS


def print_documents(console: Console, response: DocumentsResponse) -> None:
    documents = response.documents
    if not documents:
        console.print("No documents here yet. Add some with: rag-app ingest PATH…")
        return
    table = table_of("name", "collection", "pages", "chunks", "status", "added", "id")
    for document in documents:
        table.add_row(
            _described(document, console.width), shown(document.collection), str(document.pages),
            str(document.chunks), document.status, document.added[:10], document.document_id,
        )  # fmt: skip
    console.print(table)
    _print_warnings(console, documents)


def _described(document: DocumentFields, width: int) -> str:
    """Return a document's names and, where there is room, who issued what for which period."""
    fields = document.fields
    if width < _WIDE:
        return shown("\n".join(_names(document)))
    told = " · ".join(filter(None, (fields.organisation.value, fields.type.value, fields.period.value)))
    return shown("\n".join(_names(document))) + (f"\n[dim]{shown(told)}[/]" if told else "")


def print_fields(console: Console, response: DocumentsResponse) -> None:
    """Print a document's title, organisation, period and type, and what was recognised where that differs."""
    (document,) = response.documents
    line(console, f"[bold]{shown(document.label)}[/]")
    for name, field in document.fields:
        written = ""
        if field.edited and field.value != field.recognised:
            written = f" [dim](recognised: {shown(field.recognised or '–')})[/]"
        line(console, f"{name:<14}{shown(field.value or '–')}{written}")


def _print_warnings(console: Console, documents: Sequence[DocumentFields]) -> None:
    """Print the warnings of the documents, a line each."""
    lines = [(document.name, warning) for document in documents for warning in document.warnings]
    for name, warning in lines[:_WARNINGS]:
        line(console, f"[yellow]![/] {shown(name)}: {shown(warning)}")
    if len(lines) > _WARNINGS:
        line(console, f"and {count(len(lines) - _WARNINGS, 'warning')} more; --json has them all")


def _names(document: DocumentFields) -> list[str]:
    """Return a document's label, and the names of other files with the same bytes."""
    return [document.label, *(f"= {name}" for name in document.names[1:])]


def print_hits(console: Console, result: SearchResponse) -> None:
    if not result.hits:
        console.print(_NOTHING)
    for hit in result.hits:
        heading = f" · {shown(hit.heading)}" if hit.heading else ""
        line(
            console,
            f"[bold]{hit.rank}. {shown(hit.document)}[/], page {hit.page}{heading} [dim]({hit.score:.3f})[/]",
        )
        line(console, f"   {shown(_preview(hit.text))}")
        if isinstance(hit, ExplainedHitFields) and hit.explanation:
            line(console, f"   [dim]{shown(_reasons(hit.explanation))}[/]")
        console.print()
    print_warnings(console, result)
    for said in _looked(result):
        line(console, f"[dim]{shown(said)}[/]")
    how = "exact" if result.exact else "approximate"
    line(console, f"[dim]{shown(result.strategy)}, {how}, {result.timings_ms['total']:.0f} ms[/]")


def _looked(result: SearchResponse) -> Iterator[str]:
    if result.looked_first:
        yield f"looked first in {', '.join(one.document for one in result.looked_first)}"
    if result.looked_for:
        terms = "; ".join(f"{one.term}: {', '.join(one.also)}" for one in result.looked_for)
        yield f"also looked for {terms}"


def _reasons(explanation: ExplanationFields) -> str:
    """Return the question's tokens with their similarities, and the words they matched where these differ."""
    parts = []
    for token in explanation.tokens:
        found = token.matches[0].text if token.matches else "title or heading"
        same = token.matches and found.casefold() == token.text.casefold()
        parts.append(f"{token.text} {token.similarity:.2f}" + ("" if same else f" “{found}”"))
    return " · ".join(parts)


def with_bold(text: str) -> str:
    """Return an answer's text with **bold** parts as a terminal shows them; elsewhere they are plain."""
    return _BOLD.sub(lambda match: typer.style(match[1], bold=True), text)


def print_warnings(
    console: Console, response: SearchResponse | CompareResponse | AskResponse | TablesResponse
) -> None:
    for warning in response.warnings:
        line(console, f"[yellow]warning:[/] {shown(warning)}")


def print_sources(console: Console, answer: AskResponse) -> None:
    """Print an answer's sources, and the strategy and models that made it."""
    console.print()
    places: list[tuple[int, str, str, str]] = []
    if not answer.abstained:
        places = [
            (one.marker, one.document, _where(one.page, one.lines), one.quote) for one in answer.citations
        ]
    elif answer.outcome == "related" and not answer.citations:  # else the text names the closest passages
        nearest = answer.nearest[:3]
        places = [(hit.rank, hit.document, _where(hit.page, hit.heading), hit.text) for hit in nearest]
    if not answer.nearest and answer.abstained:
        console.print(_NOTHING)
    elif places:
        console.print("Nearest passages:" if answer.abstained else "Sources:")
    for number, document, place, text in places:
        line(console, f"  \\[{number}] [bold]{shown(document)}[/], {place}")
        line(console, f"      {shown(_preview(text))}")
    print_warnings(console, answer)
    for flag in answer.flags:
        line(console, f"[yellow]note:[/] {shown(flag)}")
    if answer.standalone_question:
        line(console, f"[dim]understood as: {shown(answer.standalone_question)}[/]")
    if answer.conversation_id:
        line(console, f"[dim]go on with --conversation {answer.conversation_id}[/]")
    made = [answer.strategy, answer.reranker or "no reranker", answer.llm]
    if answer.instructions and not answer.abstained:
        made.append("with instructions")
    made.append(f"{answer.timings_ms['total'] / 1000:.1f} s")
    line(console, f"[dim]{shown(' · '.join(made))}[/]")


def print_strategies(console: Console, response: StrategiesResponse) -> None:
    table = table_of("strategy", "what it does", "a chunk takes", "a question costs")
    for each in response.strategies:
        reason = "" if each.available else f" [red](not available: {shown(each.reason or '')})[/]"
        table.add_row(shown(each.name), each.summary + reason, each.storage, each.cost)
    console.print(table)


def print_checks(console: Console, response: DoctorResponse) -> None:
    for check in response.checks:
        state = f"[{_COLOURS[check.state]}]{check.state:<7}[/]"
        line(console, f"{state} {shown(check.name)}: {shown(check.detail)}")
        if check.mend:
            line(console, f"        → {shown(check.mend)}")


def print_jobs(console: Console, jobs: Sequence[JobFields], warnings: Sequence[str] = ()) -> None:
    for warning in warnings:
        line(console, f"[yellow]![/] {shown(warning)}")
    if not jobs:
        console.print("No jobs. rag-app ingest PATH… begins one.")
        return
    table = table_of("id", "kind", "collection", "state", "files", "failed", "created")
    for job in jobs:
        files = job.files
        failed = sum(file.status is not None and not succeeded(file) for file in files)
        ended = sum(file.status is not None for file in files)
        table.add_row(
            str(job.job_id), job.kind, shown(job.collection), job.state, f"{ended}/{len(files)}",
            str(failed), job.created[:19].replace("T", " "),
        )  # fmt: skip
    console.print(table)


def print_job(console: Console, job: JobFields) -> None:
    """Print one job with its files."""
    print_jobs(console, [job])
    for file in job.files:
        if file.status is not None:
            print_ingested(console, file)
        else:
            line(console, f"  {shown(file.label)} {file.stage}")
    print_unreadable(console, job.unreadable)
    if job.passed_over:
        line(console, shown(summary([(file.name, file.kind) for file in job.passed_over])))
    if job.error:
        line(console, f"[red]{shown(job.error)}[/]")


def print_unreadable(console: Console, folders: Sequence[UnreadableFields]) -> None:
    """Print the folders that could not be searched."""
    for folder in folders:
        line(
            console, f"[red]✗[/] {shown(folder.path)} [bold]could not be searched[/]: {shown(folder.reason)}"
        )


def table_of(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold", no_wrap=column == "id")
    return table


def count(number: int, what: str) -> str:
    """Return 1 page, 2 pages."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def line(console: Console, markup: str) -> None:
    """Print one line; the terminal alone breaks it."""
    console.print(markup, highlight=False, soft_wrap=True)


def shown(text: str) -> str:
    """Return text as rich shows it literally."""
    return escape(harmless(text))


def _where(page: int, heading: str | None) -> str:
    """Return the page, and the lines where a heading names those of source code."""
    return f"page {page}" if first_line(heading) is None else f"page {page}, {heading}"


def _preview(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _PREVIEW else line[: _PREVIEW - 1] + "…"
