"""Requests refused to programs of other machines: those that name a file of the server's machine, or an
address.

Programs of this machine that have the token run as its user, and may name what that user may read.
"""

from collections.abc import Sequence

from fastapi import Request as HttpRequest

from ingestion.errors import RagError
from rag_app.contract.requests import (
    AskRequest,
    CompareRequest,
    IngestRequest,
    QuestionRequest,
    Request,
    SummariseRequest,
    TaskRequest,
)
from rag_app.llm.choice import AUTO, EXTRACTIVE
from rag_app.server.security.guard import IS_HERE
from rag_app.service.composition import Assistant
from rag_app.service.question_options import NO_RERANKER

# Tasks that name no file.
_WITHOUT_FILES = ("verify", "repair", "compact")


class Forbidden(RagError):
    """HTTP 403: not allowed for this caller."""


def may_name_servers(http: HttpRequest) -> bool:
    """Return whether a request may choose models of other servers: it comes from this machine."""
    return bool(http.scope.get(IS_HERE, False))


def check_request(http: HttpRequest, assistant: Assistant, request: Request | None) -> None:
    """Raise Forbidden for a request from another machine that names a file, or a model not offered."""
    if http.scope.get(IS_HERE, False):
        return
    match request:
        case IngestRequest():
            _refuse("ingesting paths")
        case TaskRequest() if request.kind not in _WITHOUT_FILES:
            _refuse(request.kind)
        case AskRequest():
            _check_models(assistant, llm=request.llm, rerankers=[request.reranker])
        case QuestionRequest():
            _check_models(assistant, rerankers=[request.reranker])
        case CompareRequest():
            _check_models(assistant, rerankers=[column.reranker for column in request.columns])
        case SummariseRequest():
            _check_models(assistant, llm=request.llm)


def _refuse(what: str) -> None:
    raise Forbidden(f"{what} names files of the server's machine, so only programs there may do it")


def _check_models(
    assistant: Assistant, *, llm: str | None = None, rerankers: Sequence[str | None] = ()
) -> None:
    settings = assistant.settings
    known = {None, NO_RERANKER, settings.reranker, *assistant.model_pool.reranker_names()}
    if llm not in (None, AUTO, EXTRACTIVE, settings.llm) or not known.issuperset(rerankers):
        raise Forbidden(
            "programs of other machines may choose the server's own models alone: llm auto or extractive, "
            f"reranker {', '.join(sorted(one for one in known if one))}"
        )
