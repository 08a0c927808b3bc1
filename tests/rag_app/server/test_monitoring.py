"""/healthz, /readyz and /metrics: who may ask, and what they say."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from ingestion.encoders import Encoder, Encodings
from ingestion.errors import ModelError
from ingestion.library import Library
from rag_app.config.settings import load_settings
from rag_app.server.api import create_api
from rag_app.service.composition import Assistant
from tests.helpers.figures import figures
from tests.helpers.modelless_encoder import ModellessEncoder
from tests.helpers.served_library import Served, serving_copy

APPLE = "When was the Bramley apple tree planted?"


@pytest.fixture(scope="module")
def served(stock_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving_copy(stock_template, tmp_path_factory.mktemp("served")) as running:
        yield running


@pytest.mark.slow
def test_probes_need_no_token_and_figures_do(served: Served) -> None:
    nobody = {"Authorization": ""}
    assert served.ask("GET", "/healthz", headers=nobody) == (200, {"status": "ok"})
    assert served.ask("GET", "/readyz", headers=nobody)[1].keys() <= {"status", "reason"}
    status, refused = served.ask("GET", "/metrics", headers=nobody)
    assert (status, refused["error"]["type"]) == (401, "Unauthorized")
    for path in ("/healthz", "/readyz", "/metrics"):
        assert served.ask("GET", path, headers={"Host": "evil.example", **nobody})[0] == 403
        assert served.ask("POST", path, {}, headers=nobody)[0] == 401
        assert served.ask("POST", path, {})[0] == 405
    assert served.ask("GET", "/healthz/x", headers=nobody)[0] == 401  # a path of the page


@pytest.mark.slow
def test_a_served_library_counts_what_it_is_asked(served: Served) -> None:
    assert served.ask("POST", "/api/v1/ask", {"question": APPLE, "strategy": "bm25"})[0] == 200
    body = {"model": "rag-app/bm25/extractive", "messages": [{"role": "user", "content": APPLE}]}
    assert served.ask("POST", "/v1/chat/completions", body)[0] == 200
    assert served.ask("POST", "/api/v1/ask", {"question": APPLE, "strategy": "private"})[0] == 404
    assert served.ask("POST", "/api/v1/ask", {"question": APPLE, "private": 1})[0] == 400
    streamed = {"question": APPLE, "llm": "private.gguf", "stream": True}
    assert served.ask("POST", "/api/v1/ask", streamed)[0] == 500
    with served.client() as client:
        answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    found = figures(answer.text)
    assert found["rag_app_questions_total", ("answered", "bm25")] == 2
    assert found["rag_app_questions_total", ("failed", "")] == 2
    assert found["rag_app_errors_total", ("UnknownName",)] == 1
    assert found["rag_app_errors_total", ("InvalidInput",)] == 1
    assert found["rag_app_errors_total", ("ModelError",)] == 1
    assert found["rag_app_answer_seconds_count", ()] == 2
    assert not [
        word for word in ("private", "Bramley", "orchard", "harbour", str(served.data)) if word in answer.text
    ]


def test_it_is_ready_once_the_encoder_is_loaded(stored: Library) -> None:
    assistant = Assistant(load_settings(data_dir=stored.folder), stored)
    with TestClient(create_api(assistant)) as client:
        before = client.get("/readyz")
        assert (before.status_code, before.json()["reason"]) == (503, "the encoder is being loaded")
        assert client.get("/healthz").status_code == 200
        assistant.warm_up()
        assert (client.get("/readyz").status_code, client.get("/readyz").json()) == (200, {"status": "ok"})


def test_a_library_that_is_being_closed_is_not_ready(own: Path) -> None:
    assistant = Assistant.open(load_settings(data_dir=own))
    with TestClient(create_api(assistant)) as client:
        assistant.warm_up()
        assistant.close()
        assert client.get("/readyz").json()["reason"] == "the library is being closed"
        assert client.get("/healthz").status_code == 200


class WithoutFiles(ModellessEncoder):
    """An encoder whose weights have gone."""

    def encode_query(self, text: str) -> Encodings:
        raise ModelError("the encoder's file /private/model.safetensors is missing; install the model again")


def test_an_encoder_that_cannot_be_loaded_is_told(tmp_path: Path, encoder: Encoder) -> None:
    with Library.open(tmp_path / "library", WithoutFiles(encoder)) as library:
        assistant = Assistant(load_settings(data_dir=tmp_path / "library"), library)
        with pytest.raises(ModelError):
            assistant.warm_up()
        with TestClient(create_api(assistant)) as client:
            answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["reason"] == "the encoder cannot be loaded; rag-app doctor says why"
