"""Embeddings for the official openai client, and reranking as Cohere's and Jina's clients ask for it."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import openai
import pytest
from starlette.testclient import TestClient

from ingestion.encoders import Encoder
from ingestion.errors import InvalidInput
from ingestion.library import Library
from rag_app.config.settings import load_settings
from rag_app.server.api import create_api
from rag_app.server.openai.vectors import MOST_DOCUMENTS, MOST_INPUTS
from rag_app.service.composition import Assistant
from rag_app.service.text_vectors import ranked_texts, text_vectors
from retrievers.reader import BuiltinReader
from tests.helpers.served_library import Served, serving_copy

APPLE = "When was the apple tree planted?"
TEXTS = (
    "The lighthouse at Hook Point was lit in 1172.",
    "The Bramley apple tree was planted in 1921 by Ada Finch.",
    "The ferry sailed at noon.",
)


@pytest.fixture(scope="module")
def api(stored: Library) -> Iterator[TestClient]:
    assistant = Assistant(load_settings(data_dir=stored.folder), stored)
    with TestClient(create_api(assistant)) as client:
        yield client


@pytest.fixture(scope="module")
def served(stock_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving_copy(stock_template, tmp_path_factory.mktemp("served")) as running:
        yield running


@pytest.mark.slow
def test_the_openai_client_gets_the_encoders_vectors(served: Served, encoder: Encoder) -> None:
    with openai.OpenAI(base_url=f"{served.url}/v1", api_key=served.token, max_retries=0) as client:
        # By default the client asks for base64, and decodes it.
        found = client.embeddings.create(model="rag-app", input=list(TEXTS))
        plain = client.embeddings.create(model=encoder.name, input=TEXTS[0], encoding_format="float")
        with pytest.raises(openai.NotFoundError, match=r"text-embedding-3-small.*rag-app"):
            client.embeddings.create(model="text-embedding-3-small", input="x")
        with pytest.raises(openai.BadRequestError, match="tokens as numbers"):
            client.embeddings.create(model="rag-app", input=[1, 2, 3])
    vectors = np.array([one.embedding for one in found.data])
    assert np.allclose(vectors, encoder.encode(TEXTS).mean, atol=1e-6)
    assert np.allclose(plain.data[0].embedding, vectors[0], atol=1e-6)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert ([one.index for one in found.data], found.object, found.model) == ([0, 1, 2], "list", encoder.name)


def test_tokens_are_counted_with_the_special_ones(api: TestClient, encoder: Encoder) -> None:
    answer = api.post("/v1/embeddings", json={"model": "rag-app", "input": ["ferry", "the ferry"]}).json()
    assert answer["usage"] == {"prompt_tokens": 3 + 4, "total_tokens": 7}
    assert len(answer["data"][0]["embedding"]) == encoder.dimension == 384


def test_base64_holds_the_same_numbers(api: TestClient) -> None:
    asked = {"model": "rag-app", "input": TEXTS[0]}
    numbers = api.post("/v1/embeddings", json=asked).json()["data"][0]["embedding"]
    coded = api.post("/v1/embeddings", json={**asked, "encoding_format": "base64"}).json()
    read = np.frombuffer(base64.b64decode(coded["data"][0]["embedding"]), "<f4")
    assert read.tolist() == numbers


@pytest.mark.parametrize(
    ("fields", "status", "said"),
    [
        ({}, 400, "input: "),
        ({"input": []}, 400, "at least 1 item"),
        ({"input": [""]}, 400, "text 1 of 1 is empty"),
        ({"input": ["ferry", " \n"]}, 400, "text 2 of 2 is empty"),
        ({"input": ["x"] * (MOST_INPUTS + 1)}, 400, f"at most {MOST_INPUTS} items"),
        ({"input": "x" * 100_001}, 400, "at most 100000 characters"),
        ({"input": ["ferry", 3]}, 400, "valid string"),
        ({"input": [[1, 2], [3]]}, 400, "tokens as numbers belong to another model; send text"),
        ({"input": "word " * 300}, 400, "has 302 tokens, and all-MiniLM-L6-v2 reads 256; send shorter texts"),
        ({"input": "ferry", "encoding_format": "int8"}, 400, "'float' or 'base64'"),
        ({"input": "ferry", "dimensions": 64}, 400, "dimensions is 64, and all-MiniLM-L6-v2 gives 384"),
        ({"input": "ferry", "model": "ada"}, 404, "no model of embeddings named 'ada'"),
    ],
)
def test_a_wrong_request_is_told_in_openais_form(
    api: TestClient, fields: dict[str, Any], status: int, said: str
) -> None:
    answer = api.post("/v1/embeddings", json=fields)
    error = answer.json()["error"]
    assert (answer.status_code, error["type"]) == (status, "invalid_request_error")
    assert said in error["message"]


def test_text_that_is_no_unicode_is_refused(api: TestClient) -> None:
    body = json.dumps({"input": "\ud800"}).encode()
    assert api.post("/v1/embeddings", content=body).status_code == 400


def test_what_clients_send_besides_is_ignored(api: TestClient) -> None:
    fields = {"input": "ferry", "dimensions": 384, "user": "me", "priority": 3}
    assert api.post("/v1/embeddings", json=fields).status_code == 200


def test_a_long_text_is_cut_where_the_request_says_so(api: TestClient, encoder: Encoder) -> None:
    long = "The ferry sailed at noon. " * 100
    answer = api.post("/v1/embeddings", json={"input": long, "truncate": True}).json()
    assert answer["usage"]["total_tokens"] == encoder.max_tokens
    assert answer["data"][0]["embedding"] == pytest.approx(encoder.encode([long]).mean[0].tolist())


def rerank(api: TestClient, **fields: Any) -> Any:
    return api.post("/v1/rerank", json={"query": APPLE, "documents": list(TEXTS), **fields})


def test_the_text_that_answers_comes_first(api: TestClient) -> None:
    found = rerank(api).json()
    scores = [one["relevance_score"] for one in found["results"]]
    assert found["results"][0]["index"] == 1
    assert sorted(one["index"] for one in found["results"]) == [0, 1, 2]
    assert scores == sorted(scores, reverse=True)
    assert 0 <= min(scores) < max(scores) <= 1
    assert found["results"][0].keys() == {"index", "relevance_score"}
    assert found["model"] == "builtin"


def test_documents_may_be_objects_and_come_back_where_asked(api: TestClient) -> None:
    objects = [{"text": text, "title": "ignored"} for text in TEXTS]
    asked = {"documents": objects, "top_n": 1, "return_documents": True, "model": "builtin"}
    (best,) = rerank(api, **asked).json()["results"]
    assert (best["index"], best["document"]) == (1, {"text": TEXTS[1]})


def test_lines_of_a_document_are_all_read(encoder: Encoder) -> None:
    reader = BuiltinReader()
    one, two = ranked_texts(encoder, reader, APPLE, [TEXTS[2], f"A note\n{TEXTS[1]}"])
    assert (one.place, two.place) == (1, 0)


def test_equal_texts_keep_their_order(encoder: Encoder) -> None:
    assert [one.place for one in ranked_texts(encoder, BuiltinReader(), APPLE, [TEXTS[1]] * 3)] == [0, 1, 2]


@pytest.mark.parametrize(
    ("fields", "status", "said"),
    [
        ({"query": "?"}, 400, "the question is empty"),
        ({"query": "x" * 20_001}, 400, "query: "),
        ({"documents": []}, 400, "at least 1 item"),
        ({"documents": ["x"] * (MOST_DOCUMENTS + 1)}, 400, f"at most {MOST_DOCUMENTS} items"),
        ({"documents": [{"title": "no text"}]}, 400, "documents"),
        ({"top_n": 0}, 400, "top_n"),
        ({"model": "rerank-v3.5"}, 404, "there are: builtin, rag-app"),
        ({"model": "/etc"}, 404, "no reranker named '/etc'"),
    ],
)
def test_a_wrong_reranking_is_told(api: TestClient, fields: dict[str, Any], status: int, said: str) -> None:
    answer = rerank(api, **fields)
    assert answer.status_code == status
    assert said in answer.json()["error"]["message"]


def test_empty_documents_are_ranked_too(api: TestClient) -> None:
    results = rerank(api, documents=["", TEXTS[1]]).json()["results"]
    assert [one["index"] for one in results] == [1, 0]


def test_no_text_has_no_vector(encoder: Encoder) -> None:
    with pytest.raises(InvalidInput, match="text 2 of 3 is empty"):
        text_vectors(encoder, ["a", "", "b"])
