"""The API's routers as one application.

`rag_app.server.security.guard` stands before it: without the token, only requests for the page that describes
the API get here.
"""

import logging
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI
from starlette.types import ASGIApp

from rag_app.contract.errors import ErrorResponse
from rag_app.server import errors, monitoring
from rag_app.server.api import files, openapi, routes
from rag_app.server.openai import chat, vectors
from rag_app.server.security.body_limit import BodyLimit
from rag_app.server.security.guard import DESCRIPTION
from rag_app.service.composition import Assistant
from rag_app.service.local import LocalService

PREFIX = "/api/v1"

_SUMMARY = "Ask questions of your own documents, on your own machine."


def create_api(assistant: Assistant) -> ASGIApp:
    """Return the API over an open library whose jobs the assistant's own threads work on."""
    # The response tells the sender of a body what is wrong with it.
    logging.getLogger("python_multipart").setLevel(logging.CRITICAL)
    service = LocalService(assistant, serving=True)
    api = FastAPI(
        title="rag-app", version=version("rag-app"), summary=_SUMMARY, docs_url=None, redoc_url=None,
        openapi_url=f"{PREFIX}/openapi.json",
    )  # fmt: skip
    for part in (routes, files):
        failed: dict[int | str, dict[str, Any]] = {"4XX": {"model": ErrorResponse, "description": "An error"}}
        api.include_router(part.router_of(service), prefix=PREFIX, responses=failed)
    api.include_router(chat.router_of(service))
    api.include_router(vectors.router_of(service))
    api.include_router(monitoring.router_of(assistant))
    api.include_router(openapi.router_of(api, DESCRIPTION))
    openapi.describe_events(api)
    errors.install(api, assistant.metrics)
    return BodyLimit(api, uploads=f"{PREFIX}/documents")
