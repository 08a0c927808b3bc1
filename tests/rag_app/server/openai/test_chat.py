"""The official openai client talks to a served library, and to a model that llama.cpp really loads."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from langchain_core.messages.ai import UsageMetadata

from ingestion.errors import InvalidInput, ModelError, UnknownName
from rag_app.contract.answers import AnswerFields, UsageFields
from rag_app.llm.process.request_queue import TooManyWaiting
from rag_app.llm.servers.finder import ServerFinder
from rag_app.llm.usage import CallOptions, UsageTracker, call_config, model_options
from rag_app.server.errors import status_of
from rag_app.server.openai.chat_values import ChatRequest, ask_request, below, chosen, notes, without_sources
from tests.helpers.served_library import Served, serving_copy
from tests.helpers.tiny_gguf import WORDY, write_tiny_gguf

APPLE = "When was the Bramley apple tree planted?"
CRANE = "When did the crane's cable break?"
OFF_TOPIC = "Who won the football world cup in Brazil?"


@pytest.fixture(scope="module")
def served(stock_template: Path, gguf: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A library, served with a language model that writes nonsense."""
    with serving_copy(
        stock_template, tmp_path_factory.mktemp("served"),
        RAG_APP_LLM=str(gguf), RAG_APP_LLM_MAX_TOKENS="24", RAG_APP_EVIDENCE_TOKENS="300",
    ) as running:  # fmt: skip
        yield running


@pytest.fixture
def client(served: Served) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{served.url}/v1", api_key=served.token, max_retries=0) as client:
        yield client


NOTHING_CITED = AnswerFields(
    question="", answer="An answer.", abstained=False, outcome="answered", strategy="bm25", reranker=None,
    llm="extractive", citations=(), sentences=(), nearest=(), flags=(), standalone_question=None,
    conversation_id=None, receipt_id=None, timings_ms={},
)  # fmt: skip


def user(text: str) -> Any:
    return {"role": "user", "content": text}


@pytest.mark.slow
def test_the_models_are_the_strategies(client: openai.OpenAI) -> None:
    names = [model.id for model in client.models.list()]
    assert names[0] == "rag-app"
    assert {"rag-app/colbert", "rag-app/bm25", "rag-app/extractive"} < set(names)
    assert client.models.retrieve("rag-app/colbert").id == "rag-app/colbert"
    with pytest.raises(openai.NotFoundError, match="rag-app/colbert"):
        client.models.retrieve("rag-app/splade")


@pytest.mark.slow
@pytest.mark.parametrize("with_token", [False, True])
def test_the_application_is_no_server_of_language_models(served: Served, with_token: bool) -> None:
    key = served.token if with_token else None
    assert ServerFinder([served.url], key=key, limit_s=60.0).models() == []


@pytest.mark.slow
def test_an_answer_comes_whole_with_its_sources(client: openai.OpenAI) -> None:
    done = client.chat.completions.create(model="rag-app/colbert/extractive", messages=[user(CRANE)])
    (choice,) = done.choices
    assert choice.finish_reason == "stop"
    assert choice.message.role == "assistant"
    text = choice.message.content or ""
    assert "9 May 1987" in text
    assert text.endswith("\n\nSources:\n[1] harbour.pdf, page 2")
    assert choice.message.model_extra
    assert done.model_extra
    (citation, *_) = choice.message.model_extra["citations"]
    assert (citation["document"], citation["page"]) == ("harbour.pdf", 2)
    about = done.model_extra["rag_app"]
    assert (about["strategy"], about["llm"], about["abstained"]) == ("colbert", "extractive", False)
    assert about["sentences"][0]["verdict"] == "supported"
    assert done.usage == openai.types.CompletionUsage(prompt_tokens=0, completion_tokens=0, total_tokens=0)


@pytest.mark.slow
def test_a_language_model_writes_and_its_tokens_are_counted(client: openai.OpenAI) -> None:
    def ask(**more: Any) -> Any:
        return client.chat.completions.create(model="rag-app", messages=[user(APPLE)], **more)

    done = ask()
    assert done.choices[0].finish_reason == "length"  # this one never ends by itself
    assert done.usage.completion_tokens == 24
    assert done.usage.prompt_tokens > 100
    assert done.usage.total_tokens == done.usage.prompt_tokens + 24
    assert done.model_extra["rag_app"]["llm"] == "tiny.gguf"
    assert ask(max_tokens=5).usage.completion_tokens == 5
    assert ask(max_completion_tokens=6).usage.completion_tokens == 6
    # What is written differs from call to call, as the marks around the evidence do.
    assert ask(temperature=1.5, seed=-1).usage.completion_tokens == 24


@pytest.mark.slow
@pytest.mark.parametrize("model", ["rag-app", "rag-app/colbert/extractive"])
def test_an_answer_streams(client: openai.OpenAI, model: str) -> None:
    def ask(**more: Any) -> Any:
        return client.chat.completions.create(
            model=model, messages=[user(APPLE)], extra_body={"rag_app": {"top_k": 3}}, **more
        )

    chunks = list(ask(stream=True, stream_options={"include_usage": True}))
    assert {chunk.object for chunk in chunks} == {"chat.completion.chunk"}
    assert len({chunk.id for chunk in chunks}) == 1
    *told, usage = chunks
    assert chunks[0].choices[0].delta.role == "assistant"
    assert [chunk.choices[0].finish_reason for chunk in told[:-1]] == [None] * (len(told) - 1)
    whole = ask()
    assert told[-1].choices[0].finish_reason == whole.choices[0].finish_reason
    assert usage.choices == []
    assert usage.usage
    assert usage.usage.completion_tokens == whole.usage.completion_tokens
    text = "".join(chunk.choices[0].delta.content or "" for chunk in told)
    answer = told[-1].model_extra["rag_app"]["answer"]
    assert answer in text  # a model's nonsense, which cannot be taken back, comes before quotations
    assert text.startswith(answer) or not model.endswith("/extractive")
    (cited,) = [
        chunk.choices[0].delta.model_extra["citations"]
        for chunk in told
        if "citations" in (chunk.choices[0].delta.model_extra or {})
    ]
    if model.endswith("/extractive"):
        assert text == whole.choices[0].message.content
        assert cited == whole.choices[0].message.model_extra["citations"] != []
    assert all(chunk.usage is None for chunk in ask(stream=True))


@pytest.mark.slow
def test_what_the_documents_do_not_answer(client: openai.OpenAI) -> None:
    done = client.chat.completions.create(model="rag-app", messages=[user(OFF_TOPIC)])
    text = done.choices[0].message.content or ""
    assert text == "Nothing in your documents is about this."
    assert done.model_extra
    assert done.model_extra["rag_app"]["abstained"] is True
    assert done.model_extra["rag_app"]["outcome"] == "nothing"


@pytest.mark.slow
def test_the_search_can_be_narrowed_and_other_fields_are_ignored(client: openai.OpenAI) -> None:
    parts = [{"type": "text", "text": "When did the crane's"}, {"type": "text", "text": "cable break?"}]
    messages: Any = [{"role": "system", "content": "In French."}, {"role": "user", "content": parts}]

    def ask(**narrowed: Any) -> str:
        done = client.chat.completions.create(
            model="rag-app/extractive", messages=messages, frequency_penalty=0.5, user="ada", stop=["."],
            extra_body={"rag_app": narrowed},
        )  # fmt: skip
        return done.choices[0].message.content or ""

    assert "9 May 1987" in ask(documents=["harbour.pdf"], pages="2")
    assert "9 May 1987" not in ask(documents=["orchard.md"])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fields", "error", "code"),
    [
        ({"model": "gpt-5"}, openai.NotFoundError, "UnknownName"),
        ({"model": "rag-app/cosine"}, openai.NotFoundError, "UnknownName"),
        ({"messages": []}, openai.BadRequestError, "InvalidInput"),
        ({"messages": [user("  ")]}, openai.BadRequestError, "EmptyQuestion"),
        ({"messages": [{"role": "system", "content": "x"}]}, openai.BadRequestError, "InvalidInput"),
        ({"messages": [{"role": "poet", "content": "x"}]}, openai.BadRequestError, "InvalidInput"),
        (
            {"messages": [user("x"), {"role": "assistant", "content": "y"}]},
            openai.BadRequestError, "InvalidInput",
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]},
            openai.BadRequestError, "InvalidInput",
        ),
        ({"n": 2}, openai.BadRequestError, "InvalidInput"),
        ({"temperature": 9}, openai.BadRequestError, "InvalidInput"),
        ({"max_tokens": 0}, openai.BadRequestError, "InvalidInput"),
        ({"response_format": {"type": "json_object"}}, openai.BadRequestError, "InvalidInput"),
        ({"messages": [user("x" * 30_000)]}, openai.BadRequestError, "InvalidInput"),
        ({"extra_body": {"rag_app": {"surprise": 1}}}, openai.BadRequestError, "InvalidInput"),
        ({"extra_body": {"rag_app": {"collections": ["taxes"]}}}, openai.NotFoundError, "UnknownName"),
        ({"extra_body": {"rag_app": {"llm": "missing.gguf"}}}, openai.InternalServerError, "ModelError"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("stream", [False, True])
def test_errors_are_the_clients_own(
    client: openai.OpenAI, fields: dict[str, Any], error: type[openai.APIStatusError], code: str, stream: bool
) -> None:
    asked = {"model": "rag-app", "messages": [user(APPLE)], "stream": stream, **fields}
    with pytest.raises(error) as raised:
        client.chat.completions.create(**asked)
    assert raised.value.code == code
    assert raised.value.type in ("invalid_request_error", "server_error")


@pytest.mark.slow
def test_a_wrong_key_and_a_path_that_is_not_there(served: Served) -> None:
    with (
        openai.OpenAI(base_url=f"{served.url}/v1", api_key="wrong", max_retries=0) as client,
        pytest.raises(openai.AuthenticationError) as raised,
    ):
        client.models.list()
    assert raised.value.code == "invalid_api_key"
    with (
        openai.OpenAI(base_url=f"{served.url}/v1", api_key=served.token, max_retries=0) as client,
        pytest.raises(openai.NotFoundError),
    ):
        client.moderations.create(input="x")


@pytest.mark.slow
@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe", b'{"model": 1, "messages": "x"}',
        b'{"model": "rag-app"}', b'{"messages": [{"role": "user"}]}',
        b'{"model": "rag-app", "messages": [{"role": "user", "content": 7}]}',
        b'{"model": "rag-app", "messages": {"role": "user", "content": "x"}}',
        b'{"model": "rag-app", "messages": [[[[]]]]}',
        b'{"model": "rag-app", "messages": [{"role": "user", "content": "\\ud800"}]}',
        b'{"model": "rag-app", "messages": [{"role": "user", "content": null}]}',
        b'{"model": "\\u0000", "messages": [{"role": "user", "content": "x"}]}',
        b"[" * 100_000,
    ],
)  # fmt: skip
def test_malformed_bodies_are_refused(served: Served, body: bytes) -> None:
    for path in ("/v1/chat/completions", "/api/v1/ask", "/api/v1/compare", "/api/v1/search"):
        status, answer = served.ask("POST", path, body)
        assert 400 <= status < 500, (path, answer)
        assert answer["error"]["message"]
        assert "Traceback" not in json.dumps(answer)


@pytest.mark.slow
def test_a_client_that_leaves_stops_the_model(stock_template: Path, tmp_path: Path) -> None:
    """Of a model that would write for minutes, whose next answer has to wait for this one's end."""
    slow = write_tiny_gguf(tmp_path / "slow.gguf", WORDY)
    with (
        serving_copy(
            stock_template, tmp_path, RAG_APP_LLM=str(slow), RAG_APP_LLM_CONTEXT_TOKENS="16384",
            RAG_APP_LLM_MAX_TOKENS="15000", RAG_APP_LLM_TEMPERATURE="2",
        ) as served,
        openai.OpenAI(base_url=f"{served.url}/v1", api_key=served.token, max_retries=0, timeout=90) as client,
    ):  # fmt: skip

        def next_one_is_answered() -> None:
            done = client.chat.completions.create(model="rag-app", messages=[user(APPLE)], max_tokens=2)
            assert done.usage
            assert done.usage.completion_tokens == 2

        next_one_is_answered()
        with client.chat.completions.create(model="rag-app", messages=[user(APPLE)], stream=True) as stream:
            for _ in range(4):
                next(stream)
        next_one_is_answered()
        # Also one that waits for the whole answer: it gives up while the model writes.
        with pytest.raises(openai.APITimeoutError):
            client.with_options(timeout=2).chat.completions.create(model="rag-app", messages=[user(APPLE)])
        next_one_is_answered()
        with served.client().stream("POST", "/api/v1/ask", json={"question": APPLE, "stream": "sse"}) as sse:
            lines = sse.iter_lines()
            while next(lines) != "event: delta":
                pass
        next_one_is_answered()


@pytest.mark.soak
@pytest.mark.slow
def test_a_full_queue_is_told_before_anything_is_sent(stock_template: Path, tmp_path: Path) -> None:
    slow = write_tiny_gguf(tmp_path / "slow.gguf", WORDY)
    with (
        serving_copy(
            stock_template, tmp_path, RAG_APP_LLM=str(slow), RAG_APP_LLM_CONTEXT_TOKENS="16384",
            RAG_APP_LLM_MAX_TOKENS="15000", RAG_APP_LLM_TEMPERATURE="2", RAG_APP_LLM_MAX_WAITING="0",
        ) as served,
        openai.OpenAI(base_url=f"{served.url}/v1", api_key=served.token, max_retries=0, timeout=90) as client,
        client.chat.completions.create(model="rag-app", messages=[user(APPLE)], stream=True) as writing,
    ):  # fmt: skip
        for _ in range(4):
            next(writing)
        for stream in (False, True):
            with pytest.raises(openai.RateLimitError) as raised:
                client.chat.completions.create(model="rag-app", messages=[user(APPLE)], stream=stream)
            assert raised.value.response.headers["retry-after"] == "5"
            assert raised.value.code == "rate_limit_exceeded"
        quoted = client.chat.completions.create(model="rag-app/extractive", messages=[user(CRANE)])
        assert "9 May 1987" in (quoted.choices[0].message.content or "")


# Without a server


def asked(*messages: tuple[str, str], **more: Any) -> Any:
    said = [{"role": role, "content": content} for role, content in messages]
    return ask_request(
        ChatRequest.model_validate({"model": "rag-app", "messages": said, **more}), ["colbert"]
    )


def test_a_conversation_becomes_a_question_and_what_was_before() -> None:
    request = asked(
        ("system", "Be brief."), ("user", "Who planted it?"),
        ("assistant", "Ada Finch. [1]\n\nSources:\n[1] orchard.md, page 1"),
        ("user", "unanswered"), ("user", "And where?"), ("assistant", "By the wall."), ("tool", "x"),
        ("user", "When?"),
    )  # fmt: skip
    assert request.question == "When?"
    assert [(one.question, one.answer) for one in request.history] == [
        ("Who planted it?", "Ada Finch. [1]"), ("And where?", "By the wall."),
    ]  # fmt: skip


def test_options_go_where_they_belong() -> None:
    request = asked(
        ("user", "When?"), model="rag-app/colbert/extractive", max_tokens=7, max_completion_tokens=9,
        temperature=0.5, seed=2**40 + 3, rag_app={"collections": ["a"], "top_k": 2, "reranker": "none"},
    )  # fmt: skip
    assert (request.strategy, request.llm, request.max_tokens) == ("colbert", "extractive", 9)
    assert (request.temperature, request.seed, request.collections) == (0.5, 3, ("a",))
    assert (request.top_k, request.reranker) == (2, "none")


@pytest.mark.parametrize(
    ("model", "means"),
    [
        ("rag-app", (None, None)),
        ("rag-app/colbert", ("colbert", None)),
        ("rag-app/extractive", (None, "extractive")),
        ("rag-app/mean@large/extractive", ("mean@large", "extractive")),
    ],
)
def test_a_models_name_chooses_strategy_and_answerer(
    model: str, means: tuple[str | None, str | None]
) -> None:
    assert chosen(model, ["colbert", "mean@large"]) == means


@pytest.mark.parametrize("model", ["", "gpt-5", "rag-app/", "rag-app/x", "rag-app/colbert/x", "extractive"])
def test_other_names_are_none(model: str) -> None:
    with pytest.raises(UnknownName, match="there are: rag-app, rag-app/colbert"):
        chosen(model, ["colbert"])


def test_a_list_of_sources_is_no_part_of_what_was_answered() -> None:
    assert without_sources("A. [1]\n\nSources:\n[1] a, page 1") == "A. [1]"
    assert without_sources("None.\n\nNearest passages:\n- a, page 1") == "None."
    assert without_sources("Sources: a") == "Sources: a"


def test_how_words_are_chosen_reaches_the_model_and_what_it_took_comes_back() -> None:
    meter = UsageTracker()
    model = GenericFakeChatModel(messages=iter([AIMessage("x")] * 3))
    config = call_config(meter, CallOptions(max_tokens=5, temperature=0.5))
    assert model_options(config) == {"max_tokens": 5, "temperature": 0.5}
    assert model_options(call_config(meter, CallOptions(seed=0))) == {"seed": 0}
    assert model_options(None) == model_options({}) == {}

    model.invoke("?", config)
    assert (meter.total_tokens, meter.finish_reason) == (0, "stop")  # one that does not count
    usage = UsageMetadata(input_tokens=30, output_tokens=4, total_tokens=34)
    said = AIMessage("x", usage_metadata=usage, response_metadata={"finish_reason": "length"})
    for _ in range(2):  # a question that is condensed first takes a model twice
        GenericFakeChatModel(messages=iter([said])).invoke("?", config)
    assert UsageFields.of(meter) == UsageFields(prompt_tokens=60, completion_tokens=8, total_tokens=68)
    assert meter.finish_reason == "length"


def test_a_full_queue_is_told_as_one() -> None:
    errors = (TooManyWaiting("x"), ModelError("x"), InvalidInput("x"))
    assert [status_of(error) for error in errors] == [429, 500, 400]


def picture(text: str = "") -> list[dict[str, Any]]:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    return [{"type": "text", "text": text}, image] if text else [image]


def requested(*said: tuple[str, Any], **more: Any) -> ChatRequest:
    messages = [{"role": role, "content": content} for role, content in said]
    return ChatRequest.model_validate({"model": "rag-app", "messages": messages, **more})


def test_what_is_no_text_is_left_out_with_a_note() -> None:
    request = requested(
        ("user", picture("What is this?")), ("assistant", "A crane."),
        ("user", picture()), ("assistant", "?"),
        ("user", [{"type": "input_audio"}, {"type": "text", "text": "When did it break?"}]),
    )  # fmt: skip
    asked = ask_request(request, [])
    assert asked.question == "When did it break?"
    assert [one.question for one in asked.history] == ["What is this?", ""]
    assert notes(request) == [
        "this message holds a sound recording; only its text is read",
        "an earlier message holds an image; only text is read",
    ]
    text = "An answer." + below(NOTHING_CITED, notes(request))
    assert text == "An answer.\n\nNote: this message holds a sound recording; only its text is read."
    assert without_sources(text) == "An answer."
    with pytest.raises(InvalidInput, match="holds an image and no text"):
        ask_request(requested(("user", picture())), [])


def test_of_a_long_conversation_the_end_is_read() -> None:
    said = [("user" if number % 2 == 0 else "assistant", f"Message {number}") for number in range(1501)]
    request = requested(("system", "Be brief."), *said)
    asked = ask_request(request, [])
    assert asked.question == "Message 1500"
    assert asked.history[0].question == "Message 502"
    assert notes(request) == ["the first 501 messages are left out; the last 1,000 are read"]
    long = requested(("user", "x" * 30_000), ("assistant", "y" * 200_000), ("user", "When?"))
    assert len(ask_request(long, []).history[0].question) == 20_000
    assert notes(long) == ["of a long earlier message only the beginning is read"]


@pytest.mark.slow
def test_a_chat_programs_own_requests_and_small_talk_cite_nothing(client: openai.OpenAI) -> None:
    def ask(*said: tuple[str, Any], **more: Any) -> tuple[str, dict[str, Any]]:
        messages: Any = [{"role": role, "content": content} for role, content in said]
        done = client.chat.completions.create(model="rag-app", messages=messages, **more)
        message = done.choices[0].message
        assert message.model_extra is not None
        assert message.model_extra["citations"] == []
        assert done.model_extra is not None
        return message.content or "", done.model_extra["rag_app"]

    title = "### Task:\nGenerate a concise title summarizing the chat history.\n### Output:\n" \
        'JSON format: { "title": "…" }\n<chat_history>\nUSER: ' + APPLE + "\n</chat_history>"  # fmt: skip
    for more in ({}, {"response_format": {"type": "json_object"}}):
        assert json.loads(ask(("user", title), **more)[0]) == {"title": "Bramley apple tree planted"}
    text, about = ask(("user", picture(APPLE)), ("assistant", "In 1921."), ("user", "Thanks!"))
    assert text.startswith("You're welcome.")
    assert about["flags"] == ["an earlier message holds an image; only text is read"]
    assert "- harbour.pdf\n- orchard.md" in ask(("user", "What documents do you have?"))[0]
    stream = client.chat.completions.create(model="rag-app", messages=[user("Danke!")], stream=True)
    said = "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)
    assert said.startswith("Gern geschehen.")
    assert "Sources" not in said
