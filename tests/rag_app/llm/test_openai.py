"""A model behind an OpenAI-compatible server: what is sent, what comes back, and what goes wrong."""

import gc
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from langchain_core.messages import AIMessageChunk, HumanMessage, SystemMessage
from pydantic import SecretStr

from ingestion.errors import InvalidInput, ModelError
from rag_app.llm import openai
from rag_app.llm.choice import Server
from rag_app.llm.openai import ServerModel
from rag_app.llm.servers import finder, token_counts
from rag_app.llm.servers.served_model import ServedModel, ServerKind
from rag_app.llm.servers.token_counts import TokenCounter
from rag_app.llm.stream_chunks import ModelProgress, progress_of, reasoning_of
from tests.helpers import model_servers
from tests.helpers.openai_server import StandIn, delta, end, serving
from tests.helpers.streams import generator

QUESTION = "where is the king?"
HELLO = (delta(role="assistant", content=""), delta(content="In 19"), delta(content="21."), *end())
Eventually = Callable[[Callable[[], bool]], bool]


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Servers have time on a busy machine."""
    monkeypatch.setattr(finder, "LIMIT_S", 60.0)
    monkeypatch.setattr(openai, "COUNT_LIMIT_S", 60.0)
    monkeypatch.setattr(token_counts, "SPEND_S", 600.0)


@pytest.fixture
def stand_in() -> Iterator[StandIn]:
    with serving(StandIn()) as stand_in:
        yield stand_in


@pytest.fixture
def model(stand_in: StandIn) -> Iterator[ServerModel]:
    model = ServerModel(server=Server(stand_in.url, "small"), api_key=SecretStr("sesame"), max_tokens=20)
    yield model
    model.close()


def failure(model: ServerModel) -> str:
    with pytest.raises(ModelError) as caught:
        model.invoke(QUESTION)
    message = str(caught.value)
    assert "\n" not in message
    assert "sesame" not in message
    assert model.server.url in message
    return message


def test_a_stream_and_an_answer(stand_in: StandIn, model: ServerModel) -> None:
    stand_in.pieces = HELLO
    chunks = list(model.stream([SystemMessage("Be brief."), HumanMessage(QUESTION)], stop=["\n"], seed=7))
    assert [chunk.text for chunk in chunks if chunk.text] == ["In 19", "21."]
    answer = model.invoke(QUESTION)
    assert answer.text == "In 1921."
    assert answer.usage_metadata == {
        "input_tokens": 12, "output_tokens": 3, "total_tokens": 15, "input_token_details": {"cache_read": 0},
    }  # fmt: skip
    assert answer.response_metadata == {"finish_reason": "stop", "model_name": "small"}
    assert stand_in.keys == ["Bearer sesame"] * 2
    asked = stand_in.asked[0]
    assert asked["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": QUESTION},
    ]
    assert (asked["model"], asked["stream"], asked["stop"]) == ("small", True, ["\n"])
    assert (asked["max_tokens"], asked["temperature"], asked["seed"]) == (20, 0.0, 7)
    # It is on this machine: what OpenAI's API does not have is sent too.
    assert (asked["top_k"], asked["min_p"]) == (40, 0.05)
    assert asked["chat_template_kwargs"] == {"enable_thinking": False}


def test_without_a_key_none_is_taken_from_the_environment(
    stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "meant for others")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://203.0.113.7/v1")
    monkeypatch.setenv("HTTP_PROXY", "http://203.0.113.7:3128")
    monkeypatch.setenv("ALL_PROXY", "http://203.0.113.7:3128")
    stand_in.pieces = HELLO
    model = ServerModel(server=Server(stand_in.url, "small"))
    assert model.invoke(QUESTION).text == "In 1921."
    assert stand_in.keys == ["Bearer none"]
    model.close()
    assert model.invoke(QUESTION).text == "In 1921."  # opened again
    model.close()
    model.close()


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
def test_a_thought_is_told_apart_as_servers_tell_it(stand_in: StandIn, model: ServerModel, name: str) -> None:
    stand_in.pieces = (delta(**{name: "Hm"}), delta(**{name: "m."}), delta(content="Yes."), *end())
    chunks = list(model.stream(QUESTION))
    assert "".join(reasoning_of(chunk) for chunk in chunks) == "Hmm."
    answer = model.invoke(QUESTION)
    assert (answer.text, answer.additional_kwargs) == ("Yes.", {"reasoning_content": "Hmm."})


def test_a_thought_is_told_apart_within_the_text(stand_in: StandIn, model: ServerModel) -> None:
    stand_in.pieces = (delta(content="<thi"), delta(content="nk>Hm.</think>\n\nYes."), *end())
    answer = model.invoke(QUESTION)
    assert (answer.text, answer.additional_kwargs) == ("Yes.", {"reasoning_content": "Hm."})


@pytest.mark.parametrize(
    ("entry", "window"),
    [
        ({"max_model_len": 32768}, 32768),
        ({"context_length": 1024}, 1024),
        ({}, 4096),
        ({"max_model_len": "many"}, 4096),
    ],
)
def test_the_window_is_what_the_server_says(stand_in: StandIn, entry: dict[str, Any], window: int) -> None:
    stand_in.models = ({"id": "other", "max_model_len": 99}, {"id": "small", **entry})
    model = ServerModel(server=Server(stand_in.url, "small"))
    assert model.context_window == window
    assert model.evidence_tokens() == min(3000, window // 2)
    assert ServerModel(server=Server(stand_in.url, "small"), context_tokens=512).context_window == 512
    model.close()


def test_a_model_need_not_be_named_where_there_is_one(stand_in: StandIn) -> None:
    stand_in.pieces = HELLO
    model = ServerModel(server=Server(stand_in.url))
    assert model.invoke(QUESTION).response_metadata["model_name"] == "small"
    assert stand_in.asked[0]["model"] == "small"
    model.close()
    stand_in.models = ({"id": "b"}, {"id": "a"})
    model = ServerModel(server=Server(stand_in.url))
    with pytest.raises(InvalidInput, match=r"has these models: a, b; name one, like .*/v1#MODEL"):
        model.invoke(QUESTION)
    model.close()


def test_tokens_are_estimated_rather_too_many_than_too_few() -> None:
    model = ServerModel(server=Server("http://127.0.0.1:9/v1", "small"))
    assert model.count_tokens("") == 0
    assert model.count_tokens("the king") == 2
    assert model.count_tokens("1,234.5") == 7
    assert model.count_tokens("日本") == 4
    assert model.count_tokens("a\ud800b") >= 2
    prompt = [SystemMessage("the king"), HumanMessage("the king")]
    assert model.count_prompt_tokens(prompt) == 2 * (2 + 8)


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (401, "refuses the key, or needs one (401); set RAG_APP_LLM"),
        (403, "refuses the key, or needs one (403); set RAG_APP_LLM"),
        (404, "does not find small (model … not found"),
        (400, "failed (400: model … not found)"),
        (429, "is overloaded (model … not found)"),
        (500, "failed (500: model … not found)"),
        (503, "failed (503: model … not found)"),
        (302, "failed (302"),
    ],
)
def test_what_a_server_refuses_is_one_line(
    stand_in: StandIn, model: ServerModel, status: int, said: str
) -> None:
    stand_in.status, stand_in.error = status, "model sesame\nnot found"
    stand_in.headers = {"Location": "http://203.0.113.7/v1"} if status == 302 else {}
    assert said in failure(model)
    assert len(stand_in.asked) == 1  # asked once, and followed nowhere
    stand_in.status, stand_in.pieces = 200, HELLO
    assert model.invoke(QUESTION).text


def test_a_server_that_is_not_there(model: ServerModel) -> None:
    gone = ServerModel(server=Server("http://127.0.0.1:9/v1", "small"))
    assert "cannot be reached, or closed the connection" in failure(gone)
    with pytest.raises(ModelError, match="cannot be reached"):
        _ = gone.context_window
    gone.close()


def test_a_stream_that_is_cut(stand_in: StandIn, model: ServerModel) -> None:
    stand_in.pieces, stand_in.cut = (delta(content="In 19"),), True
    stream = model.stream(QUESTION)
    assert next(stream).text == "In 19"
    with pytest.raises(ModelError, match="cannot be reached, or closed the connection"):
        list(stream)


def test_a_stream_that_ends_too_early(stand_in: StandIn, model: ServerModel) -> None:
    stand_in.pieces = (delta(content="In 19"),)
    assert "ended before the answer did" in failure(model)


@pytest.mark.parametrize(
    "garbage",
    [
        b"data: {not json\n\n",
        b"data: []\n\n",
        b'data: "text"\n\n',
        b'data: {"choices": 7}\n\n',
        b'data: {"choices": [7]}\n\n',
        b'data: {"choices": [{"delta": {"content": 7}}]}\n\n',
        b"<html>\n\n",
        b'data: {"error": {"message": "out of memory"}}\n\n',
        b"\xff\xfe data\n\n",
    ],
)
def test_garbage_is_an_error(stand_in: StandIn, model: ServerModel, garbage: bytes) -> None:
    stand_in.pieces = (garbage,)
    failure(model)


def test_a_server_that_falls_silent(stand_in: StandIn) -> None:
    resume = threading.Event()
    stand_in.pieces = (delta(content="In 19"), resume.wait)
    model = ServerModel(server=Server(stand_in.url, "small"), timeout_s=0.3)
    assert "did not answer in time" in failure(model)
    resume.set()
    model.close()


def test_whoever_waits_hears_that_it_waits_and_may_leave(
    stand_in: StandIn, model: ServerModel, eventually: Eventually
) -> None:
    resume = threading.Event()
    flood = tuple(delta(content="x" * 1000) for _ in range(1000))
    stand_in.pieces = (resume.wait, *flood, *end())
    stream = generator(model.stream(QUESTION, progress=True))
    first = next(stream)
    assert isinstance(first, AIMessageChunk)
    assert progress_of(first) == ModelProgress("prefill")
    stream.close()  # it waits for nothing: the server goes on only after this
    resume.set()
    assert eventually(stand_in.left.is_set)
    stand_in.pieces = HELLO
    assert model.invoke(QUESTION).text == "In 1921."


def test_close_ends_what_runs(stand_in: StandIn, model: ServerModel) -> None:
    resume = threading.Event()
    stand_in.pieces = (delta(content="In 19"), resume.wait)
    stream = model.stream(QUESTION)
    assert next(stream).text == "In 19"
    model.close()
    with pytest.raises(ModelError, match="was closed while it answered"):
        list(stream)
    resume.set()


def test_no_thread_stays_behind(stand_in: StandIn, eventually: Eventually) -> None:
    stand_in.pieces = HELLO
    before = threading.active_count()
    for _ in range(3):
        model = ServerModel(server=Server(stand_in.url, "small"))
        assert model.invoke(QUESTION).text
        del model
        gc.collect()
    assert eventually(lambda: threading.active_count() <= before)


def test_nothing_of_a_key_is_printed(model: ServerModel) -> None:
    assert "sesame" not in repr(model) + str(model) + str(model.asdict())


@pytest.mark.parametrize(
    ("made", "name", "window"),
    [
        (model_servers.ollama, "qwen3:4b", 8_192),
        (model_servers.ollama, "long", 16_384),
        (model_servers.lm_studio, "qwen3-4b", 12_000),
        (model_servers.llama_server, None, 6_144),
        (model_servers.vllm, "sql", 32_768),
    ],
)
def test_the_window_is_what_the_own_api_of_a_server_here_says(
    made: Callable[[], StandIn], name: str | None, window: int
) -> None:
    with serving(made()) as server:
        model = ServerModel(server=Server(server.url, name))
        assert model.context_window == window
        assert ServerModel(server=Server(server.url, name), context_tokens=512).context_window == 512
        server.pieces = HELLO
        assert model.invoke(QUESTION).text == "In 1921."
        model.close()


@pytest.mark.parametrize(
    ("made", "name", "count"),
    [(model_servers.llama_server, "qwen3-4b.gguf", 4), (model_servers.vllm, "Qwen/Qwen3-8B", 8)],
)
def test_tokens_are_counted_by_the_server_where_it_can(
    made: Callable[[], StandIn], name: str, count: int
) -> None:
    with serving(made()) as server:
        model = ServerModel(server=Server(server.url, name))
        assert model.counts_exactly
        assert model.count_tokens("antidisestablishmentarianism is one word") == count
        assert model.count_tokens("") == 0
        assert model.count_prompt_tokens([HumanMessage("a b c d")]) == count + 8
        model.close()
        assert model.count_tokens("opened again at once") == count
        model.close()


@pytest.mark.parametrize(
    "answer",
    [None, [], {}, {"tokens": 7}, {"tokens": []}, {"count": -1}, {"count": 10**9}, {"tokens": [1] * 100}],
)
def test_a_tokenizer_that_answers_rubbish_is_left_alone_for_a_minute(answer: Any) -> None:
    stand_in = model_servers.llama_server()
    asked = []

    def tokenize(body: Any) -> Any:
        asked.append(body)
        return answer

    stand_in.own["/tokenize"] = tokenize
    with serving(stand_in) as server:
        model = ServerModel(server=Server(server.url))
        assert [model.count_tokens("the king") for _ in range(3)] == [2, 2, 2]
        assert len(asked) == 1
        now = [0.0]
        model._counter = TokenCounter(tokenize, lambda: now[0])
        model.count_tokens("the king")
        now[0] = 59.9
        model.count_tokens("the king")
        assert len(asked) == 2
        now[0] = 60.0
        model.count_tokens("the king")
        assert len(asked) == 3
        model.close()


def test_a_tokenizer_that_takes_long_is_left_alone_for_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(token_counts, "SPEND_S", 1.0)
    now, asked = [100.0], []

    def tokenize(body: Any) -> Any:
        now[0] += 0.4
        asked.append(body)
        return {"tokens": [1, 2, 3]}

    counter = TokenCounter(tokenize, lambda: now[0])
    model = ServedModel(Server("http://127.0.0.1:9/v1", "a"), ServerKind.LLAMA_SERVER)
    assert [counter.count("the king", model) for _ in range(5)] == [3, 3, 3, None, None]
    now[0] += 59.9
    assert counter.count("the king", model) is None
    now[0] += 0.1
    assert [counter.count("the king", model) for _ in range(4)] == [3, 3, 3, None]
    assert len(asked) == 6


def test_a_tokenizer_that_never_answers_holds_up_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openai, "COUNT_LIMIT_S", 0.2)
    stand_in, resume = model_servers.llama_server(), threading.Event()

    def tokenize(_: Any) -> None:
        resume.wait()

    stand_in.own["/tokenize"] = tokenize
    with serving(stand_in) as server:
        model = ServerModel(server=Server(server.url))
        assert model.count_tokens("the king") == 2
        assert not resume.is_set()
        resume.set()
        model.close()


def test_ollama_is_told_not_to_think_where_the_model_could() -> None:
    with serving(model_servers.ollama()) as server:
        server.pieces = HELLO
        for name in ("qwen3:4b", "gemma3:4b"):
            model = ServerModel(server=Server(server.url, name))
            model.invoke(QUESTION)
            model.invoke(QUESTION, thinking=True)
            model.close()
    efforts = [asked.get("reasoning_effort") for asked in server.asked]
    assert efforts == ["none", None, None, None]


def test_the_key_of_a_server_is_sent_to_its_own_api_too() -> None:
    """Only the pool gives a model a key, and only for the server of the settings."""
    with serving(model_servers.vllm()) as server:
        model = ServerModel(server=Server(server.url, "sql"), api_key=SecretStr("sesame"))
        assert model.count_tokens("the king") == 4
        assert set(server.api_keys) == {"Bearer sesame"}
        model.close()
        other = ServerModel(server=Server(server.url, "sql"))
        server.api_keys.clear()
        assert other.count_tokens("the king") == 4
        assert set(server.api_keys) == {None}
        other.close()
