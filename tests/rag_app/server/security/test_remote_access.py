"""What the API does for programs of other machines, and what not: past the network, through the guard."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from starlette.types import ASGIApp

from ingestion.library import Library
from rag_app.config.settings import load_settings
from rag_app.server.api import create_api
from rag_app.server.security.guard import Guard
from rag_app.service.composition import Assistant

HERE, THERE = "127.0.0.1", "192.0.2.9"
LASTING = "correct-horse-battery-staple"
CRANE = "When did the crane's cable break?"


@pytest.fixture(scope="module")
def app(stored: Library) -> Iterator[ASGIApp]:
    assistant = Assistant(load_settings(data_dir=stored.folder), stored)
    api = create_api(assistant)
    yield Guard(api, host="0.0.0.0", port=7860, token="this run's token", api_token=LASTING)
    assistant.jobs.stop()
    assistant.tasks.close()


def ask(app: ASGIApp, peer: str, method: str, path: str, fields: Any = None) -> tuple[int, Any]:
    async def answer() -> httpx.Response:
        transport = httpx.ASGITransport(app, client=(peer, 50_000))
        headers = {"Authorization": f"Bearer {LASTING}"}
        async with httpx.AsyncClient(
            transport=transport, base_url="http://127.0.0.1:7860", headers=headers
        ) as client:
            return await client.request(method, path, json=fields)

    answered = asyncio.run(answer())
    return answered.status_code, json.loads(answered.content)


COLUMNS = [{"strategy": "mean"}, {"strategy": "bm25", "reranker": "/srv/model"}]


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/api/v1/jobs", {"paths": ["/no/such/file"]}),
        ("/api/v1/tasks", {"kind": "export", "file": "/no/such/folder/x.zip"}),
        ("/api/v1/tasks", {"kind": "import", "file": "/no/such/file"}),
        ("/api/v1/tasks", {"kind": "reindex", "model": "/no/such/model"}),
        ("/api/v1/search", {"question": CRANE, "reranker": "/no/such/model"}),
        ("/api/v1/compare", {"question": CRANE, "columns": COLUMNS}),
        ("/api/v1/ask", {"question": CRANE, "llm": "/etc/passwd"}),
        (
            "/v1/chat/completions",
            {
                "model": "rag-app", "messages": [{"role": "user", "content": CRANE}],
                "rag_app": {"llm": "/etc/passwd"},
            },
        ),
    ],
)  # fmt: skip
def test_files_of_the_server_are_named_by_its_own_programs_alone(
    app: ASGIApp, path: str, fields: dict[str, Any]
) -> None:
    status, body = ask(app, THERE, "POST", path, fields)
    assert status == 403, body
    assert "Forbidden" in (body["error"].get("type"), body["error"].get("code"))
    assert ask(app, HERE, "POST", path, fields)[0] in (200, 400, 409, 500)  # as it would be alone


def test_all_else_is_for_both(app: ASGIApp) -> None:
    for peer in (HERE, THERE):
        for method, path, fields in [
            ("GET", "/api/v1/documents", None),
            ("GET", "/v1/models", None),
            ("POST", "/api/v1/search", {"question": CRANE, "reranker": "none"}),
            ("POST", "/api/v1/compare", {"question": CRANE, "columns": [COLUMNS[0], {"strategy": "bm25"}]}),
            ("POST", "/api/v1/ask", {"question": CRANE, "llm": "extractive"}),
            (
                "POST",
                "/v1/chat/completions",
                {"model": "rag-app/extractive", "messages": [{"role": "user", "content": CRANE}]},
            ),
        ]:
            assert ask(app, peer, method, path, fields)[0] == 200, (peer, path)
