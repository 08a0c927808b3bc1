"""The routes of the service's verbs."""

import inspect
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi import Request as HttpRequest
from fastapi.responses import JSONResponse
from starlette.responses import Response

from rag_app.contract.answers import AnsweredEvent, AskEvent
from rag_app.contract.requests import AskRequest, Request, SummariseRequest
from rag_app.server.background_generator import ClientGone
from rag_app.server.security.remote_access import check_request
from rag_app.server.streaming import NDJSON, SSE, Events, as_lines, as_sse, gone, streamed
from rag_app.service.local import LocalService
from rag_app.service.protocol import Service
from rag_app.service.verbs import Verb, verbs_of

_STREAMS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The answer, or its events",
        "content": {kind: {"schema": {"$ref": "#/components/schemas/StreamEvent"}} for kind in (NDJSON, SSE)},
    }
}


def router_of(service: LocalService) -> APIRouter:
    router = APIRouter()
    for verb in verbs_of(Service):
        router.add_api_route(
            verb.path,
            _streaming(verb, service) if verb.streams else _plain(verb, service),
            methods=[verb.method],
            tags=[verb.tag],
            summary=verb.summary,
            description=verb.description,
            response_model=verb.response,
            responses=_STREAMS if verb.streams else None,
            name=verb.name,
        )
    return router


def _plain(verb: Verb, service: LocalService) -> Callable[..., Any]:
    call = getattr(service, verb.name)

    def endpoint(http: HttpRequest, **arguments: Any) -> Any:
        check_request(http, service.assistant, arguments.get("request"))
        return call(**arguments)

    return _with_parameters(endpoint, verb)


def _streaming(verb: Verb, service: LocalService) -> Callable[..., Awaitable[Response]]:
    call = getattr(service, verb.name)

    async def endpoint(http: HttpRequest, request: AskRequest | SummariseRequest) -> Response:
        check_request(http, service.assistant, request)
        events: Events[AskEvent] = Events(call(request), http)
        try:
            first = await events.next()  # a fault of the question shows here, and sets the status
            assert first is not None
            if request.stream == "sse" or SSE in http.headers.get("accept", ""):
                return streamed(as_sse(first, events), SSE)
            if request.stream:
                return streamed(as_lines(first, events), NDJSON)
            answer = await events.last(first)
        except ClientGone:
            return gone()
        assert isinstance(answer, AnsweredEvent)
        return JSONResponse(answer.model_dump(exclude={"event"}))

    return _with_parameters(endpoint, verb)


def _with_parameters(endpoint: Callable[..., Any], verb: Verb) -> Callable[..., Any]:
    """Return the endpoint with the parameters of the verb, which FastAPI reads."""
    http = inspect.Parameter("http", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=HttpRequest)
    parameters = [http, *(_parameter(one, verb) for one in verb.parameters)]
    endpoint.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return endpoint


def _parameter(parameter: inspect.Parameter, verb: Verb) -> inspect.Parameter:
    kind = parameter.annotation
    if not verb.sends_body and isinstance(kind, type) and issubclass(kind, Request):
        return parameter.replace(annotation=Annotated[kind, Query()])
    return parameter
