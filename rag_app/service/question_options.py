"""Requests as the options that a question is asked with; the settings decide what a request leaves open."""

from dataclasses import replace

from ingestion.storage.catalogue.filters import Filters, parse_pages
from rag_app.answering.answers import AskOptions, Exchange
from rag_app.contract.requests import (
    AskRequest,
    CompareRequest,
    Narrowing,
    QuestionRequest,
    SummariseRequest,
)

NO_RERANKER = "none"


def filters_of(request: Narrowing) -> Filters:
    """Return the filters of a request. Raises InvalidInput for pages that are no range."""
    return Filters(
        documents=request.documents,
        folders=request.folders,
        types=request.types,
        added_from=request.added_from,
        added_to=request.added_to,
        pages=None if request.pages is None else parse_pages(request.pages),
    )


def search_options(request: QuestionRequest, usual: AskOptions) -> AskOptions:
    reranker = request.reranker or usual.reranker
    return replace(
        _narrowed(request, usual),
        strategy=usual.strategy if request.strategy is None else request.strategy,
        reranker=None if reranker == NO_RERANKER else reranker,
        top_k=usual.top_k if request.top_k is None else request.top_k,
    )


def compare_options(request: CompareRequest, usual: AskOptions) -> list[AskOptions]:
    """Return the options of each column; one without a reranker has none, whatever is usual."""
    return [
        replace(
            _narrowed(request, usual),
            strategy=column.strategy,
            reranker=None if column.reranker == NO_RERANKER else column.reranker,
            top_k=usual.top_k if request.top_k is None else request.top_k,
        )
        for column in request.columns
    ]


def ask_options(request: AskRequest, usual: AskOptions) -> AskOptions:
    return replace(
        search_options(request, usual),
        llm=request.llm or usual.llm,
        history=tuple(Exchange(one.question, one.answer) for one in request.history),
        conversation=request.conversation,
        standalone=request.standalone,
        instructions=request.instructions,
    )


def summary_options(request: SummariseRequest, usual: AskOptions) -> AskOptions:
    return replace(_narrowed(request, usual), llm=request.llm or usual.llm)


def _narrowed(request: Narrowing, usual: AskOptions) -> AskOptions:
    collections = request.collections or usual.collections
    return replace(usual, collections=collections, filters=filters_of(request))
