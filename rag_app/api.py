"""The HTTP API of a process that serves: `rag_app.service` under /api/v1, in the contract's JSON.

`rag_app.guard` stands before it: nothing gets here without the token. An error is
{"error": {"type", "message"}} with a status that fits.
"""

import asyncio
import json
import threading
import traceback
from collections.abc import AsyncIterator, Generator, Sequence
from contextlib import closing
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, StreamingResponse
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from ingestion.errors import InvalidInput, LibraryInUse, RagError, StaleRepresentation, UnknownName
from rag_app import output
from rag_app.assistant import Assistant
from rag_app.local import LocalService
from rag_app.requests import (
    AskRequest,
    IngestRequest,
    Name,
    Narrowing,
    SearchRequest,
    TaskRequest,
    first_fault,
)
from rag_app.requests import Request as Fields
from rag_app.tasks import TaskRunning

PREFIX = "/api/v1"

# Bytes of a request: ten thousand paths of a usual length, and nothing that fills the memory.
_LARGEST_REQUEST = 4_000_000

_STATUS: Sequence[tuple[type[Exception], int]] = (
    (UnknownName, 404),
    (InvalidInput, 400),
    (LibraryInUse, 409),
    (StaleRepresentation, 409),
    (TaskRunning, 409),
)


class NameRequest(Fields):
    """A collection's name."""

    name: Name


def create_api(assistant: Assistant) -> ASGIApp:
    """Return the API over an open library whose jobs the assistant's own threads work on."""
    assistant.tasks.on_fault = traceback.print_exception
    service = LocalService(assistant, serving=True)
    api = FastAPI(title="rag-app", docs_url=None, redoc_url=None, openapi_url=f"{PREFIX}/openapi.json")
    for router in (
        _documents(service),
        _questions(service),
        _jobs(service),
        _collections(service),
        _tasks(service),
    ):
        api.include_router(router, prefix=PREFIX)
    api.add_exception_handler(RequestValidationError, _wrong_request)
    api.add_exception_handler(HTTPException, _no_such_path)
    api.add_exception_handler(RagError, _error)
    api.add_exception_handler(Exception, _error)
    return _Bounded(api)


def _documents(service: LocalService) -> APIRouter:
    router = APIRouter()

    @router.get("/health")
    def health() -> dict[str, Any]:
        return service.health()

    @router.get("/documents")
    def documents(request: Annotated[Narrowing, Query()]) -> dict[str, Any]:
        return service.documents(request)

    @router.delete("/documents")
    def delete(name: str, collections: Annotated[list[str], Query()] = []) -> dict[str, Any]:  # noqa: B006
        return service.delete(name, collections)

    @router.get("/documents/{document_id}/pages/{number}")
    def page(document_id: str, number: int) -> dict[str, Any]:
        return service.page(document_id, number)

    return router


def _questions(service: LocalService) -> APIRouter:
    router = APIRouter()

    @router.get("/strategies")
    def strategies() -> dict[str, Any]:
        return service.strategies()

    @router.post("/search")
    def search(request: SearchRequest) -> dict[str, Any]:
        return service.search(request)

    @router.post("/ask", response_model=None)
    async def ask(request: AskRequest) -> Response:
        events = _events(service.ask(request))
        first = await anext(events)  # what is wrong with the question shows here, and sets the status
        if request.stream:
            return StreamingResponse(_lines(first, events), media_type="application/x-ndjson")
        answer = first
        async for event in events:
            answer = event
        return JSONResponse({name: value for name, value in answer.items() if name != "event"})

    return router


def _jobs(service: LocalService) -> APIRouter:
    router = APIRouter(prefix="/jobs")

    @router.get("")
    def jobs() -> dict[str, Any]:
        return service.jobs()

    @router.post("")
    def submit(request: IngestRequest) -> dict[str, Any]:
        return service.submit(request)

    @router.delete("")
    def clear() -> dict[str, Any]:
        return service.clear()

    @router.get("/{identity}")
    def job(identity: int) -> dict[str, Any]:
        return service.job(identity)

    @router.post("/{identity}/resume")
    def resume(identity: int) -> dict[str, Any]:
        return service.resume(identity)

    @router.post("/{identity}/retry")
    def retry(identity: int) -> dict[str, Any]:
        return service.retry(identity)

    @router.post("/{identity}/cancel")
    def cancel(identity: int) -> dict[str, Any]:
        return service.cancel(identity)

    return router


def _collections(service: LocalService) -> APIRouter:
    router = APIRouter(prefix="/collections")

    @router.get("")
    def collections() -> dict[str, Any]:
        return service.collections()

    @router.post("")
    def create(request: NameRequest) -> dict[str, Any]:
        return service.create_collection(request.name)

    @router.patch("")
    def rename(name: str, request: NameRequest) -> dict[str, Any]:
        return service.rename_collection(name, request.name)

    @router.delete("")
    def delete(name: str) -> dict[str, Any]:
        return service.delete_collection(name)

    return router


def _tasks(service: LocalService) -> APIRouter:
    router = APIRouter()

    @router.get("/stats")
    def stats() -> dict[str, Any]:
        return service.stats()

    @router.get("/tasks")
    def tasks() -> dict[str, Any]:
        return service.tasks()

    @router.post("/tasks")
    def start(request: TaskRequest) -> dict[str, Any]:
        return service.start(request)

    @router.get("/tasks/{identity}")
    def task(identity: str) -> dict[str, Any]:
        return service.task(identity)

    @router.post("/tasks/{identity}/cancel")
    def cancel_task(identity: str) -> dict[str, Any]:
        return service.cancel_task(identity)

    return router


async def _events(asked: Generator[dict[str, Any]]) -> AsyncIterator[dict[str, Any]]:
    """Yield what a question's generator yields, which works in a thread of its own from begin to end.

    Leaving this early stops it, and with it the model, at its next sign of life.
    """
    loop = asyncio.get_running_loop()
    events: asyncio.Queue[dict[str, Any] | BaseException | None] = asyncio.Queue()
    left = threading.Event()

    def put(item: dict[str, Any] | BaseException | None) -> None:
        if not left.is_set():
            loop.call_soon_threadsafe(events.put_nowait, item)

    def work() -> None:
        try:
            with closing(asked):
                for event in asked:
                    put(event)
                    if left.is_set():
                        return
            put(None)
        except BaseException as error:  # noqa: BLE001  # raised again in the request
            put(error)

    threading.Thread(target=work, daemon=True).start()
    try:
        while (item := await events.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        left.set()


async def _lines(first: dict[str, Any], events: AsyncIterator[dict[str, Any]]) -> AsyncIterator[str]:
    """Yield events as lines; an error on the way is the last one."""
    yield json.dumps(first) + "\n"
    try:
        async for event in events:
            yield json.dumps(event) + "\n"
    except Exception as error:  # noqa: BLE001  # the status has been sent: it is told in the stream
        if not isinstance(error, RagError):
            traceback.print_exception(error)
        yield json.dumps({"event": "error", "error": output.error_fields(error)}) + "\n"


async def _error(_: Request, error: Exception) -> JSONResponse:
    status = next((status for kind, status in _STATUS if isinstance(error, kind)), 500)
    return JSONResponse({"error": output.error_fields(error)}, status)


async def _wrong_request(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    # Without the values that were sent: a password may be among them.
    return JSONResponse({"error": {"type": "InvalidInput", "message": first_fault(error.errors())}}, 400)


async def _no_such_path(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return JSONResponse({"error": {"type": "HTTP", "message": str(error.detail)}}, error.status_code)


class _Bounded:
    """ASGI middleware that refuses bodies of an unknown or too large size before reading them."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope.get("headers", ()))
        length = headers.get(b"content-length", b"0")
        message = None
        if b"transfer-encoding" in headers or not length.isdigit():
            message, status = "say how long the body is, with Content-Length", 411
        elif int(length) > _LARGEST_REQUEST:
            message, status = f"the request is longer than {_LARGEST_REQUEST} bytes", 413
        if message:
            response = JSONResponse({"error": {"type": "InvalidInput", "message": message}}, status)
            await response(scope, receive, send)
        else:
            await self._app(scope, receive, send)
