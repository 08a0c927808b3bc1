"""search, compare, ask, strategies."""

from collections.abc import Iterator
from contextlib import closing
from typing import Annotated, Any

import typer
from rich.console import Console

from ingestion.errors import InvalidInput
from rag_app.cli.common import (
    AddedFrom,
    AddedTo,
    Collections,
    Documents,
    Fields,
    Folders,
    Json,
    Pages,
    Types,
    service,
    show,
)

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
    from rag_app.cli.terminal import lines
    from rag_app.contract.requests import SearchRequest

    request = SearchRequest.of(
        question=lines.harmless(query), strategy=strategy,
        reranker=_reranker(rerank, no_rerank), top_k=top_k, explain=explain,
        **narrowed(collection, document, folder, kind, pages, added_from, added_to),
    )  # fmt: skip
    with service(context) as library:
        found = library.search(request)
    show(found, as_json, lambda console: lines.print_hits(console, found))


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
    from rag_app.cli.terminal import comparison, lines
    from rag_app.contract.requests import ColumnRequest, CompareRequest

    names = [name.strip() for name in strategies.split(",") if name.strip()]
    ways = [(name, one) for name in names for one in ((None,) if rerank is None else (None, rerank))]
    request = CompareRequest.of(
        question=lines.harmless(question), top_k=top_k,
        columns=tuple(ColumnRequest.of(strategy=name, reranker=one) for name, one in ways),
        **narrowed(collection, document, folder, kind, pages, added_from, added_to),
    )  # fmt: skip
    with service(context) as library:
        found = library.compare(request)
    show(found, as_json, lambda console: comparison.print_comparison(console, found))


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
    from rag_app.cli.terminal import lines
    from rag_app.contract.requests import AskRequest

    request = AskRequest.of(
        question=lines.harmless(question), strategy=strategy, reranker=_reranker(rerank, no_rerank),
        top_k=top_k, llm=llm, conversation=conversation,
        standalone=None if standalone is None else lines.harmless(standalone),
        **narrowed(collection, document, folder, kind, pages, added_from, added_to),
    )  # fmt: skip
    with service(context) as library, closing(library.ask(request)) as events:
        show_answer(events, as_json)


def show_answer(events: Iterator[Fields], as_json: bool) -> None:
    """Print an answer as its events come, and at last its sources; or at last all of it as JSON."""
    from rag_app.cli.terminal import lines
    from rag_app.contract import output

    for event in events:
        if event["event"] == "delta" and not as_json:
            typer.echo(lines.harmless(event["text"]), nl=False)
        answer = event
    if as_json:
        typer.echo(output.dump({name: value for name, value in answer.items() if name != "event"}))
    else:
        typer.echo()
        lines.print_sources(Console(), answer)


def strategies(context: typer.Context, as_json: Json = False) -> None:
    """List the retrieval strategies: what each does, stores and costs."""
    from rag_app.cli.terminal import lines

    with service(context) as library:
        listed = library.strategies()
    show(listed, as_json, lambda console: lines.print_strategies(console, listed["strategies"]))


def narrowed(
    collections: list[str] | None,
    documents: list[str] | None,
    folders: list[str] | None,
    types: list[str] | None,
    pages: str | None,
    added_from: str | None,
    added_to: str | None,
) -> dict[str, Any]:
    """Return the options that narrow a search as a request has them."""
    return {
        "collections": collections,
        "documents": documents,
        "folders": folders,
        "types": types,
        "pages": pages,
        "added_from": added_from,
        "added_to": added_to,
    }


def _reranker(rerank: str | None, no_rerank: bool) -> str | None:
    if rerank is not None and no_rerank:
        raise InvalidInput("--rerank and --no-rerank exclude each other; give one of them")
    return "none" if no_rerank else rerank
