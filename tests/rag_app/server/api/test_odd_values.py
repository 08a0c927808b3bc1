"""Odd ids and numbers at every route of the API's description: refused as wrong or unknown, never a fault."""

import string
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Receive, Scope, Send

from ingestion.library import Library
from rag_app.config.settings import load_settings
from rag_app.server.api import create_api
from rag_app.server.security.guard import IS_HERE
from rag_app.service.composition import Assistant
from tests.helpers.commands import Command

# 2^63 is the first number that SQLite cannot store; Python reads no more than 4,300 digits.
INTEGERS = (0, -1, 2**31, 2**63 - 1, 2**63, 2**64, 10**30, -(10**30), 10**4000)
ODD_TEXTS = (
    "0", "-1", "1.5", "1e5", " 1", "١", "0x10", "NaN", "true", "\0", "a\0b", "%00", "..", "%2e%2e%2f",
    "'; --", "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"), "é", "🎈", "x" * 5_000,
    str(2**63), str(10**30), "9" * 5_000, "-" + "9" * 30,
)  # fmt: skip


class Here:
    """What the guard says of a program of this machine that has the token."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope[IS_HERE] = True
        await self._app(scope, receive, send)


@pytest.fixture(scope="module")
def client(stored: Library) -> Iterator[TestClient]:
    assistant = Assistant(load_settings(data_dir=stored.folder), stored)
    with TestClient(Here(create_api(assistant)), raise_server_exceptions=False) as opened:
        yield opened


def routes(client: TestClient) -> list[tuple[str, str, dict[str, Any]]]:
    """Return method, path and description of each route."""
    described = client.get("/api/v1/openapi.json").json()["paths"]
    found = [(verb, path, what) for path, verbs in described.items() for verb, what in verbs.items()]
    assert len(found) > 20
    return found


def test_odd_ids_in_any_path_are_unknown_or_wrong(client: TestClient) -> None:
    tried = 0
    for method, path, _ in routes(client):
        names = [name for _, name, _, _ in string.Formatter().parse(path) if name]
        for odd in ODD_TEXTS if names else ():
            for name in names:
                values = dict.fromkeys(names, "1") | {name: odd}
                url = path.format(**{key: quote(value, safe="") for key, value in values.items()})
                fields = {"title": "t", "name": "n"} if method == "patch" else None
                answer = client.request(method.upper(), url, json=fields)
                assert 400 <= answer.status_code < 500, (method, url[:80], answer.text[:300])
                tried += 1
    assert tried > 200


def test_odd_numbers_in_any_field_are_answered_or_refused(client: TestClient) -> None:
    """Every field that takes whole numbers, in queries and in bodies."""
    schemas = client.get("/api/v1/openapi.json").json()["components"]["schemas"]
    tried = set()
    for method, path, what in routes(client):
        if "{" in path:
            continue
        queried = [(one["name"], one["schema"]) for one in what.get("parameters", ())]
        for name in [name for name, schema in queried if _is_whole(schema)]:
            for value in INTEGERS:
                answer = client.request(method.upper(), path, params={name: value})
                assert answer.status_code < 500, (method, path, name, str(value)[:40], answer.text[:300])
            tried.add(name)
        body = what.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
        fields = schemas.get(str(body.get("$ref", "")).rpartition("/")[2], {})
        needed = {"question": "lighthouse", "llm": "extractive", "model": "extractive", "kind": "eval",
                  "columns": [{"strategy": "bm25"}, {"strategy": "cls"}], "prompt": "lighthouse",
                  "messages": [{"role": "user", "content": "lighthouse"}]}  # fmt: skip
        usual = {name: value for name, value in needed.items() if name in fields.get("properties", {})}
        for name, schema in fields.get("properties", {}).items():
            for value in INTEGERS if _is_whole(schema) else ():
                answer = client.request(method.upper(), path, json={**usual, name: value})
                assert answer.status_code < 500, (method, path, name, str(value)[:40], answer.text[:300])
                tried.add(name)
    assert {"limit", "top_k", "max_tokens", "seed"} <= tried


@pytest.mark.parametrize(
    "narrowing",
    [
        *({"pages": odd} for odd in ("0", "9" * 999, f"{2**63}", f"{10**30}-{10**31}", "7-3", "\0", "١")),
        *({"added_from": day, "added_to": day} for day in ("0001-01-01", "9999-12-31")),
        {"documents": ["\0", "9" * 1_000]},
        {"folders": ["\0", "/" * 4_000]},
        {"types": ["\0", "." * 1_000]},
        {"collections": ["\0"]},
    ],
)
def test_odd_narrowings_are_answered_or_refused(client: TestClient, narrowing: dict[str, Any]) -> None:
    for strategy in ("bm25", "mean"):
        fields = {"question": "lighthouse", "strategy": strategy, **narrowing}
        answer = client.post("/api/v1/search", json=fields)
        assert answer.status_code < 500, answer.text
    answer = client.get("/api/v1/documents", params=narrowing)
    assert answer.status_code < 500, answer.text


def _is_whole(schema: dict[str, Any]) -> bool:
    return schema.get("type") == "integer" or any(map(_is_whole, schema.get("anyOf", ())))


@pytest.mark.parametrize("odd", ["0", "-1", str(2**63), str(10**30)])
def test_odd_numbers_on_the_command_line(run: Command, own: Path, odd: str) -> None:
    library = ("--data-dir", own)
    for arguments in (
        ("jobs", "show", "--", odd),
        ("jobs", "retry", "--", odd),
        ("jobs", "cancel", "--", odd),
        ("receipts", "--limit", odd),
        ("search", "lighthouse", "--top-k", odd),
        ("search", "lighthouse", "--pages", odd),
    ):
        done = run(*library, *arguments)
        assert done.code in (0, 2), (arguments, done.err)
        assert "unexpected" not in done.err
