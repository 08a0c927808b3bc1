"""Errors as JSON, and the exceptions that a client raises for them."""

from collections.abc import Mapping
from typing import Self

from pydantic import Field

from ingestion import errors
from ingestion.errors import RagError
from rag_app.contract.schema import Fields
from rag_app.tasks import TaskRunning

_EXCEPTIONS: Mapping[str, type[RagError]] = {
    "InvalidInput": errors.InvalidInput,
    "UnknownName": errors.InvalidInput,
    "EmptyQuestion": errors.InvalidInput,
    "LibraryError": errors.LibraryError,
    "LibraryInUse": errors.LibraryInUse,
    "DiskFull": errors.DiskFull,
    "LibraryDamaged": errors.LibraryDamaged,
    "StaleRepresentation": errors.StaleRepresentation,
    "SourceChanged": errors.SourceChanged,
    "ModelError": errors.ModelError,
    "TaskRunning": TaskRunning,
}


class ErrorFields(Fields):
    """An error: its type for programs, its message for people."""

    type: str = Field(description="the name of the exception's class, such as InvalidInput")
    message: str = Field(description="the fault, and how to solve it")

    @classmethod
    def of_exception(cls, error: BaseException) -> Self:
        if isinstance(error, RagError):
            return cls(type=type(error).__name__, message=str(error))
        return cls(type="InternalError", message=f"unexpected {type(error).__name__}: {error}")

    def exception(self) -> RagError:
        """Return the exception; a RagError for a type that this version does not know."""
        return _EXCEPTIONS.get(self.type, RagError)(self.message)


class ErrorResponse(Fields):
    """The answer to a request that failed."""

    error: ErrorFields


class OpenAiErrorFields(Fields):
    """An error as OpenAI's clients know it."""

    message: str
    type: str
    param: str | None = None
    code: str = Field(description="tells one error from another")

    @classmethod
    def of_error(cls, status: int, error: ErrorFields) -> Self:
        kind = "invalid_request_error" if status < 500 else "server_error"
        code = {401: "invalid_api_key", 429: "rate_limit_exceeded"}.get(status, error.type)
        return cls(message=error.message, type=kind, code=code)


class OpenAiErrorResponse(Fields):
    """The answer to a request under /v1 that failed."""

    error: OpenAiErrorFields
