"""search, compare, ask."""

from typing import Any, Literal

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from starlette.responses import Response

from rag_app.contract.requests import AskRequest, CompareRequest, SearchRequest, SummariseRequest
from rag_app.server.background_generator import Left
from rag_app.server.security.remote_access import check_models
from rag_app.server.streaming import NDJSON, SSE, Events, as_lines, as_sse, gone, streamed
from rag_app.service.local import LocalService

Fields = dict[str, Any]

_ASK = """Answer a question, with citations.

Without `stream` the answer comes whole. With `stream: true` its events come as lines of JSON, with
`stream: "sse"` or `Accept: text/event-stream` as server-sent events, named by their field `event`: found
(the passages), waiting (for what, and how far it is), delta (more of the text), answer (all of it, with
citations), error. Kinds that a client does not know are to be skipped. Closing the connection stops the
model.
"""
_SUMMARISE = """Summarise documents, or a whole collection, with citations.

Answers as /ask does. Of the events, waiting with the stage "read" says how many of the passages have been
read.
"""
_STREAMS: dict[int | str, dict[str, Any]] = {
    200: {"content": {NDJSON: {}, SSE: {}}, "description": "The answer, or its events"}
}


def router_of(service: LocalService) -> APIRouter:
    router = APIRouter(tags=["questions"])

    @router.get("/strategies", summary="List the retrieval strategies: what each does, stores and costs")
    def strategies() -> Fields:
        return service.strategies()

    @router.post("/search", summary="Find passages")
    def search(request: SearchRequest, http: Request) -> Fields:
        check_models(http, service.assistant, rerankers=[request.reranker])
        return service.search(request)

    @router.post("/compare", summary="Find passages by two to four strategies, side by side")
    def compare(request: CompareRequest, http: Request) -> Fields:
        check_models(http, service.assistant, rerankers=[column.reranker for column in request.columns])
        return service.compare(request)

    @router.post(
        "/ask", response_model=None, summary="Answer a question", description=_ASK, responses=_STREAMS
    )
    async def ask(request: AskRequest, http: Request) -> Response:
        check_models(http, service.assistant, llm=request.llm, rerankers=[request.reranker])
        return await _answer(Events(service.ask(request), http), http, request.stream)

    @router.post(
        "/summarise",
        response_model=None,
        summary="Say what documents are about",
        description=_SUMMARISE,
        responses=_STREAMS,
    )
    async def summarise(request: SummariseRequest, http: Request) -> Response:
        check_models(http, service.assistant, llm=request.llm)
        return await _answer(Events(service.summarise(request), http), http, request.stream)

    return router


async def _answer(events: Events, http: Request, stream: bool | Literal["sse"]) -> Response:
    try:
        first = await events.next()  # what is wrong with the question shows here, and sets the status
        assert first is not None
        if stream == "sse" or SSE in http.headers.get("accept", ""):
            return streamed(as_sse(first, events), SSE)
        if stream:
            return streamed(as_lines(first, events), NDJSON)
        answer = await events.last(first)
    except Left:
        return gone()
    return JSONResponse({name: value for name, value in answer.items() if name != "event"})
