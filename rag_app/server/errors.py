"""Errors as responses: {"error": {"type", "message"}}, under /v1 in OpenAI's form, with a status."""

from collections.abc import Mapping

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from ingestion.errors import RagError
from rag_app.contract.errors import ErrorFields, ErrorResponse, OpenAiErrorFields, OpenAiErrorResponse
from rag_app.contract.requests import first_fault
from rag_app.metrics import Metrics
from rag_app.server.paths import speaks_openai

# By the name of the error's class, or of a class that it derives from.
_STATUS: Mapping[str, int] = {
    "UnknownName": 404,
    "InvalidInput": 400,
    "TooLarge": 413,
    "Forbidden": 403,
    "LibraryInUse": 409,
    "StaleRepresentation": 409,
    "TaskRunning": 409,
    "TooManyWaiting": 429,
    "DiskFull": 507,
}
# Seconds after which it makes sense to ask a busy model again.
_RETRY_AFTER = 5


class TooLarge(RagError):
    """A file or request is larger than the limit."""


def install(api: FastAPI, metrics: Metrics) -> None:
    """Have every error of the API counted, and answered in its form."""
    api.state.metrics = metrics
    api.add_exception_handler(RequestValidationError, _wrong_request)
    api.add_exception_handler(HTTPException, _no_such_path)
    api.add_exception_handler(RagError, _answered)
    api.add_exception_handler(Exception, _answered)


def status_of(error: BaseException) -> int:
    """Return the HTTP status of an error."""
    return next((_STATUS[kind.__name__] for kind in type(error).__mro__ if kind.__name__ in _STATUS), 500)


def count_error(request: Request, error: ErrorFields) -> None:
    """Count an error that a request of the API is answered with."""
    metrics: Metrics = request.app.state.metrics
    metrics.failed(error.type)


def error_response(
    path: str, status: int, error: ErrorFields, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """Return an error in the form that the clients of a path know."""
    if status == 429:
        headers = {"Retry-After": str(_RETRY_AFTER), **(headers or {})}
    body: ErrorResponse | OpenAiErrorResponse
    if speaks_openai(path):
        body = OpenAiErrorResponse(error=OpenAiErrorFields.of_error(status, error))
    else:
        body = ErrorResponse(error=error)
    return JSONResponse(body.model_dump(), status, headers)


async def _answered(request: Request, error: Exception) -> JSONResponse:
    fields = ErrorFields.of_exception(error)
    count_error(request, fields)
    return error_response(request.url.path, status_of(error), fields)


async def _wrong_request(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    # Without the values that were sent: a password may be among them.
    fields = ErrorFields(type="InvalidInput", message=first_fault(error.errors()))
    count_error(request, fields)
    return error_response(request.url.path, 400, fields)


async def _no_such_path(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    fields = ErrorFields(type="HTTP", message=str(error.detail))
    count_error(request, fields)
    return error_response(request.url.path, error.status_code, fields)
