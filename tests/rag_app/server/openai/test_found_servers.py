"""Models of servers on this machine, among the models of the API: for programs of this machine."""

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx
import openai
import pytest
from starlette.types import ASGIApp

from ingestion.library import Library
from rag_app.config.settings import load_settings
from rag_app.llm.servers.finder import ServerFinder
from rag_app.server.api import create_api
from rag_app.server.security.guard import Guard
from rag_app.service.composition import Assistant
from tests.helpers import model_servers
from tests.helpers.openai_server import StandIn, delta, end, serving

HERE, THERE = "127.0.0.1", "192.0.2.9"
TOKEN = "correct-horse-battery-staple"
CRANE = "When did the crane's cable break?"


@pytest.fixture(scope="module")
def server() -> Iterator[StandIn]:
    with serving(model_servers.llama_server()) as stand_in:
        stand_in.pieces = (delta(content="The cable broke on 9 May 1987 [1]."), *end())
        yield stand_in


@pytest.fixture(scope="module")
def app(stored: Library, server: StandIn) -> Iterator[ASGIApp]:
    assistant = Assistant(load_settings(data_dir=stored.folder), stored)
    assistant.model_pool.servers = ServerFinder([server.root], limit_s=60.0)
    yield Guard(create_api(assistant), host="0.0.0.0", port=7860, token=TOKEN, api_token=TOKEN)
    assistant.jobs.stop()
    assistant.tasks.close()
    assistant.model_pool.close()


def asked(app: ASGIApp, peer: str, call: Any) -> Any:
    """Return what the official client gets, from a program of this machine or of another."""

    async def answer() -> Any:
        http: Any = httpx.AsyncClient(transport=httpx.ASGITransport(app, client=(peer, 50_000)))
        async with openai.AsyncOpenAI(
            base_url="http://127.0.0.1:7860/v1", api_key=TOKEN, max_retries=0, http_client=http
        ) as client:
            return await call(client)

    return asyncio.run(answer())


def test_the_list_has_the_models_of_servers(app: ASGIApp, server: StandIn) -> None:
    async def listed(client: openai.AsyncOpenAI) -> dict[str, str]:
        return {model.id: model.owned_by async for model in client.models.list()}

    name = f"rag-app/{server.url}#qwen3-4b.gguf"
    here = asked(app, HERE, listed)
    assert here[name] == "llama-server"
    assert next(iter(here)) == "rag-app"
    assert name not in asked(app, THERE, listed)

    async def one(client: openai.AsyncOpenAI) -> str:
        return (await client.models.retrieve(name)).id

    assert asked(app, HERE, one) == name
    with pytest.raises(openai.NotFoundError):
        asked(app, THERE, one)


def test_a_listed_model_answers_programs_of_this_machine_alone(app: ASGIApp, server: StandIn) -> None:
    async def answer(client: openai.AsyncOpenAI) -> Any:
        return await client.chat.completions.create(
            model=f"rag-app/{server.url}#qwen3-4b.gguf", messages=[{"role": "user", "content": CRANE}]
        )

    text = asked(app, HERE, answer).choices[0].message.content
    assert text.startswith("The cable broke on 9 May 1987 [1].")
    questions = len(server.asked)
    with pytest.raises(openai.PermissionDeniedError, match="the server's own models alone"):
        asked(app, THERE, answer)
    assert len(server.asked) == questions


def test_the_application_does_not_list_itself(stored: Library) -> None:
    assistant = Assistant(load_settings(data_dir=stored.folder, find_servers=(7860, 8000)), stored)
    assistant.announce("http://127.0.0.1:8000", "a token")
    assistant.withdraw()
    assert assistant.model_pool.servers.asked == ("http://127.0.0.1:7860",)
