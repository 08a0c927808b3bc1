"""Errors as answers: {"error": {"type", "message"}}, under /v1 in OpenAI's form, with a status that fits."""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from ingestion.errors import RagError
from rag_app.contract import output
from rag_app.contract.requests import first_fault
from rag_app.server.paths import speaks_openai

# By the name of the error's class, or of one that it is a kind of.
_STATUS: Mapping[str, int] = {
    "UnknownName": 404,
    "InvalidInput": 400,
    "TooLarge": 413,
    "Forbidden": 403,
    "LibraryInUse": 409,
    "StaleRepresentation": 409,
    "TaskRunning": 409,
    "TooManyWaiting": 429,
}
# Seconds after which it makes sense to ask a busy model again.
_RETRY_AFTER = 5


class TooLarge(RagError):
    """A file or request is larger than what is taken."""


def install(api: FastAPI) -> None:
    """Have every error of the API answered in its form."""
    api.add_exception_handler(RequestValidationError, _wrong_request)
    api.add_exception_handler(HTTPException, _no_such_path)
    api.add_exception_handler(RagError, answered)
    api.add_exception_handler(Exception, answered)


def status_of(error: BaseException) -> int:
    """Return the HTTP status that an error is answered with."""
    return next((_STATUS[kind.__name__] for kind in type(error).__mro__ if kind.__name__ in _STATUS), 500)


async def answered(request: Request, error: Exception) -> JSONResponse:
    """Return the answer to a request that raised an error."""
    return error_response(request.url.path, status_of(error), output.error_fields(error))


def error_response(path: str, status: int, fields: Mapping[str, Any]) -> JSONResponse:
    """Return an error's fields (type, message) as the clients of that path know errors."""
    headers = {"Retry-After": str(_RETRY_AFTER)} if status == 429 else None
    known = output.openai_error_fields(status, fields) if speaks_openai(path) else fields
    return JSONResponse({"error": dict(known)}, status, headers)


async def _wrong_request(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    # Without the values that were sent: a password may be among them.
    fields = {"type": "InvalidInput", "message": first_fault(error.errors())}
    return error_response(request.url.path, 400, fields)


async def _no_such_path(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    fields = {"type": "HTTP", "message": str(error.detail)}
    return error_response(request.url.path, error.status_code, fields)
