"""search, compare, ask, strategies."""

from collections.abc import Iterator
from contextlib import closing
from typing import Annotated

import typer
from rich.console import Console

from ingestion.errors import InvalidInput
from rag_app.cli.common import (
    AddedFrom,
    AddedTo,
    Collections,
    Documents,
    Folders,
    Json,
    Pages,
    Types,
    narrowed,
    open_service,
    respond,
)
from rag_app.cli.terminal import comparison, lines
from rag_app.contract.answers import AnsweredEvent, AskEvent, DeltaEvent
from rag_app.contract.requests import AskRequest, ColumnRequest, CompareRequest, SearchRequest
from rag_app.contract.schema import to_json

StrategyName = Annotated[str | None, typer.Option("--strategy", help="How passages are found.")]
Rerank = Annotated[str | None, typer.Option("--rerank", help="A cross-encoder: folder or hub name.")]
NoRerank = Annotated[bool, typer.Option("--no-rerank", help="No reranker, whatever the settings say.")]
TopK = Annotated[int | None, typer.Option("--top-k", help="Passages to find.")]


def search(
    context: typer.Context,
    query: Annotated[str, typer.Argument(help="What to look for.")],
    collection: Collections = None,
    document: Documents = None,
    folder: Folders = None,
    kind: Types = None,
    pages: Pages = None,
    added_from: AddedFrom = None,
    added_to: AddedTo = None,
    strategy: StrategyName = None,
    rerank: Rerank = None,
    no_rerank: NoRerank = False,
    top_k: TopK = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Say what each word of the query found in a passage.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Find passages."""
    request = narrowed(
        SearchRequest,
        collection,
        document,
        folder,
        kind,
        added_from,
        added_to,
        pages,
        question=lines.harmless(query),
        strategy=strategy,
        reranker=_reranker(rerank, no_rerank),
        top_k=top_k,
        explain=explain,
    )
    respond(context, as_json, lambda service: service.search(request), lines.print_hits)


def compare(
    context: typer.Context,
    question: Annotated[str, typer.Argument(help="What to look for.")],
    strategies: Annotated[
        str, typer.Option("--strategies", help="Two to four names with commas between.")
    ] = "mean,colbert,bm25,fusion",
    rerank: Annotated[
        str | None, typer.Option("--rerank", help="Each of them also with this cross-encoder.")
    ] = None,
    collection: Collections = None,
    document: Documents = None,
    folder: Folders = None,
    kind: Types = None,
    pages: Pages = None,
    added_from: AddedFrom = None,
    added_to: AddedTo = None,
    top_k: TopK = None,
    as_json: Json = False,
) -> None:
    """Find passages by several strategies, side by side."""
    names = [name.strip() for name in strategies.split(",") if name.strip()]
    ways = [(name, one) for name in names for one in ((None,) if rerank is None else (None, rerank))]
    request = narrowed(
        CompareRequest,
        collection,
        document,
        folder,
        kind,
        added_from,
        added_to,
        pages,
        question=lines.harmless(question),
        top_k=top_k,
        columns=tuple(ColumnRequest.of(strategy=name, reranker=one) for name, one in ways),
    )
    respond(context, as_json, lambda service: service.compare(request), comparison.print_comparison)


def ask(
    context: typer.Context,
    question: Annotated[str, typer.Argument(help="What to answer.")],
    collection: Collections = None,
    document: Documents = None,
    folder: Folders = None,
    kind: Types = None,
    pages: Pages = None,
    added_from: AddedFrom = None,
    added_to: AddedTo = None,
    strategy: StrategyName = None,
    rerank: Rerank = None,
    no_rerank: NoRerank = False,
    top_k: TopK = None,
    conversation: Annotated[
        str | None, typer.Option("--conversation", metavar="ID", help="Go on with this one; new begins one.")
    ] = None,
    standalone: Annotated[
        str | None, typer.Option("--standalone", help="What a follow-up question means; else rag-app says.")
    ] = None,
    llm: Annotated[
        str | None, typer.Option("--llm", help="auto, extractive, a GGUF file, or URL#MODEL.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Answer a question, with citations."""
    request = narrowed(
        AskRequest,
        collection,
        document,
        folder,
        kind,
        added_from,
        added_to,
        pages,
        question=lines.harmless(question),
        strategy=strategy,
        reranker=_reranker(rerank, no_rerank),
        top_k=top_k,
        llm=llm,
        conversation=conversation,
        standalone=None if standalone is None else lines.harmless(standalone),
    )
    with open_service(context) as service, closing(service.ask(request)) as events:
        show_answer(events, as_json)


def show_answer(events: Iterator[AskEvent], as_json: bool) -> None:
    """Print an answer as its events come, and then its sources; or the whole answer as JSON."""
    for event in events:
        if isinstance(event, DeltaEvent) and not as_json:
            typer.echo(lines.with_bold(lines.harmless(event.text)), nl=False)
        elif isinstance(event, AnsweredEvent) and as_json:
            typer.echo(to_json(event, without={"event"}))
        elif isinstance(event, AnsweredEvent):
            typer.echo()
            lines.print_sources(Console(), event)


def strategies(context: typer.Context, as_json: Json = False) -> None:
    """List the retrieval strategies: what each does, stores and costs."""
    respond(context, as_json, lambda service: service.strategies(), lines.print_strategies)


def _reranker(rerank: str | None, no_rerank: bool) -> str | None:
    if rerank is not None and no_rerank:
        raise InvalidInput("--rerank and --no-rerank exclude each other; give one of them")
    return "none" if no_rerank else rerank
