"""An answer's events on the wire: server-sent events and lines of JSON."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from httpx_sse import connect_sse

from tests.helpers.served_library import Served, serving_copy

pytestmark = pytest.mark.slow

CRANE = "When did the crane's cable break?"


@pytest.fixture(scope="module")
def served(stock_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving_copy(stock_template, tmp_path_factory.mktemp("served")) as running:
        yield running


@pytest.fixture
def client(served: Served) -> Iterator[httpx.Client]:
    with served.client() as client:
        yield client


@pytest.mark.parametrize(
    ("stream", "accept"), [("sse", "*/*"), (False, "text/event-stream"), (True, "text/event-stream, */*")]
)
def test_events_are_sent_under_their_names(client: httpx.Client, stream: object, accept: str) -> None:
    asked = {"question": CRANE, "stream": stream}
    with connect_sse(client, "POST", "/api/v1/ask", json=asked, headers={"Accept": accept}) as source:
        assert source.response.headers["cache-control"] == "no-store"
        events = [(event.event, json.loads(event.data)) for event in source.iter_sse()]
    assert all(name == fields["event"] for name, fields in events)
    names = [name for name, _ in events]
    assert (names[0], set(names[1:-1]), names[-1]) == ("found", {"delta"}, "answer")
    whole = client.post("/api/v1/ask", json={"question": CRANE}).json()
    assert events[-1][1]["answer"] == whole["answer"]
    assert "event" not in whole


def test_an_error_before_the_first_event_has_a_status(client: httpx.Client) -> None:
    asked = {"question": CRANE, "collections": ["taxes"], "stream": "sse"}
    answer = client.post("/api/v1/ask", json=asked)
    assert (answer.status_code, answer.json()["error"]["type"]) == (404, "UnknownName")
    answer = client.post("/api/v1/ask", json={"question": CRANE, "stream": "xml"})
    assert answer.status_code == 400


def test_an_error_on_the_way_is_the_last_event(stock_template: Path, gguf: Path, tmp_path: Path) -> None:
    """Of a model whose window has no room for any evidence."""
    small = {"RAG_APP_LLM": str(gguf), "RAG_APP_LLM_CONTEXT_TOKENS": "256"}
    with serving_copy(stock_template, tmp_path, **small) as served, served.client() as client:
        asked = {"question": CRANE, "stream": "sse"}
        with connect_sse(client, "POST", "/api/v1/ask", json=asked) as source:
            events = [(event.event, json.loads(event.data)) for event in source.iter_sse()]
        assert [events[0][0], events[-1][0]] == ["found", "error"]
        assert events[-1][1]["error"]["type"] == "ModelError"
        assert "context window 256" in events[-1][1]["error"]["message"]
        lines = client.post("/api/v1/ask", json={**asked, "stream": True}).text.splitlines()
        assert json.loads(lines[-1])["error"]["type"] == "ModelError"


def test_what_was_said_before_and_how_words_are_chosen_can_be_sent(client: httpx.Client) -> None:
    asked = {
        "question": CRANE, "history": [{"question": "Which crane?", "answer": "The one at the pier."}],
        "temperature": 0.5, "seed": 3, "max_tokens": 20,
    }  # fmt: skip
    assert "9 May 1987" in client.post("/api/v1/ask", json=asked).json()["answer"]
    for wrong in ({"temperature": 3}, {"seed": -1}, {"max_tokens": 0}, {"history": [{"question": "x"}]}):
        assert client.post("/api/v1/ask", json={**asked, **wrong}).status_code == 400


def test_two_strategies_are_compared(client: httpx.Client) -> None:
    columns = [{"strategy": "mean"}, {"strategy": "colbert"}]
    answer = client.post("/api/v1/compare", json={"question": CRANE, "columns": columns, "top_k": 2})
    found = answer.json()
    assert [column["strategy"] for column in found["columns"]] == ["mean", "colbert"]
    assert found["overlaps"][0]["either"] >= found["overlaps"][0]["shared"] >= 1
    for place, column in enumerate(found["columns"]):
        ranks = {row["chunk_id"]: row["ranks"][place] for row in found["rows"]}
        assert all(ranks[hit["chunk_id"]] == hit["rank"] for hit in column["hits"])
    for wrong in (columns[:1], columns * 3, [columns[0]] * 2):
        refused = client.post("/api/v1/compare", json={"question": CRANE, "columns": wrong})
        assert refused.status_code == 400


def test_pages_of_this_machines_other_sites_get_nothing(served: Served, client: httpx.Client) -> None:
    """Gradio answers their preflights; what they ask then is refused, with the token as well."""
    for path in ("/v1/models", "/api/v1/documents"):
        for origin in ("http://localhost:3000", "http://evil.example"):
            answer = client.get(path, headers={"Origin": origin})
            assert answer.status_code == 403
            assert "may not use" in answer.json()["error"]["message"]
