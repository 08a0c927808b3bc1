"""The API's routers as one application.

`rag_app.server.security.guard` stands before it: nothing gets here without the token, but for the
page that describes it.
"""

import logging
from importlib.metadata import version

from fastapi import FastAPI
from starlette.types import ASGIApp

from rag_app.server import errors
from rag_app.server.api import conversations, documents, jobs, openapi, questions, tasks
from rag_app.server.openai import chat
from rag_app.server.security.body_limit import Bounded
from rag_app.server.security.guard import DESCRIPTION
from rag_app.service.composition import Assistant
from rag_app.service.local import LocalService

PREFIX = "/api/v1"

_SUMMARY = "Ask questions of your own documents, on your own machine."


def create_api(assistant: Assistant) -> ASGIApp:
    """Return the API over an open library whose jobs the assistant's own threads work on."""
    # What is wrong with a body is told to who sent it.
    logging.getLogger("python_multipart").setLevel(logging.CRITICAL)
    service = LocalService(assistant, serving=True)
    api = FastAPI(
        title="rag-app", version=version("rag-app"), summary=_SUMMARY, docs_url=None, redoc_url=None,
        openapi_url=f"{PREFIX}/openapi.json",
    )  # fmt: skip
    for part in (documents, questions, conversations, jobs, tasks):
        api.include_router(part.router_of(service), prefix=PREFIX)
    api.include_router(chat.router_of(service))
    api.include_router(openapi.router_of(api, DESCRIPTION))
    errors.install(api)
    return Bounded(api, uploads=f"{PREFIX}/documents")
