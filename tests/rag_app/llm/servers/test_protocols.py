"""The models of four servers, as their own APIs describe them, and what is not believed."""

from typing import Any

import pytest

from rag_app.llm.choice import Server
from rag_app.llm.servers.finder import ServerFinder
from rag_app.llm.servers.served_model import LONGEST_NAME, MOST_MODELS, ServedModel, ServerKind
from tests.helpers import model_servers
from tests.helpers.openai_server import StandIn, serving

PATIENCE_S = 60.0  # only a failing test waits so long


def found(*stand_ins: StandIn) -> list[ServedModel]:
    return ServerFinder([one.root for one in stand_ins], limit_s=PATIENCE_S).models()


def facts(models: list[ServedModel]) -> dict[str, tuple[int | None, bool | None]]:
    return {one.name: (one.context_tokens, one.thinks) for one in models}


def test_ollama() -> None:
    with serving(model_servers.ollama()) as ollama:
        models = found(ollama)
        assert models[0] == ServedModel(Server(ollama.url, "qwen3:4b"), ServerKind.OLLAMA, 8_192, True)
        assert models[0].url == f"{ollama.url}#qwen3:4b"
    assert facts(models) == {
        "qwen3:4b": (8_192, True),  # it is loaded
        "long:latest": (16_384, False),  # its Modelfile says so
        "small:1b": (2_048, False),
        "gemma3:4b": (4_096, False),  # Ollama gives no more before somebody asks for it
    }


def test_ollama_that_describes_nothing() -> None:
    stand_in = model_servers.ollama()
    stand_in.own["/api/show"] = lambda _: None
    del stand_in.own["/api/ps"]
    with serving(stand_in) as ollama:
        assert facts(found(ollama)) == dict.fromkeys(
            ("qwen3:4b", "long:latest", "small:1b", "gemma3:4b"), (4_096, None)
        )


def test_lm_studio() -> None:
    with serving(model_servers.lm_studio()) as lm_studio:
        models = found(lm_studio)
    assert {one.kind for one in models} == {ServerKind.LM_STUDIO}
    assert facts(models) == {"qwen3-4b": (12_000, None), "gemma-3-4b": (4_096, None), "tiny": (2_048, None)}


@pytest.mark.parametrize(
    ("template", "thinks"),
    [(model_servers.QWEN_TEMPLATE, True), (model_servers.PLAIN_TEMPLATE, False), (None, None)],
)
def test_llama_server(template: Any, thinks: bool | None) -> None:
    with serving(model_servers.llama_server(template)) as llama_server:
        (model,) = found(llama_server)
    # It answers Ollama's requests too.
    assert (model.kind, model.name) == (ServerKind.LLAMA_SERVER, "qwen3-4b.gguf")
    assert (model.context_tokens, model.thinks) == (6_144, thinks)


def test_llama_server_with_several_models() -> None:
    names = ("a", "b", "nomic-embed-text")
    with serving(model_servers.llama_server(model_servers.PLAIN_TEMPLATE, *names)) as router:
        assert facts(found(router)) == {"a": (None, None), "b": (None, None)}


def test_vllm() -> None:
    with serving(model_servers.vllm()) as vllm:
        models = found(vllm)
    assert {one.kind for one in models} == {ServerKind.VLLM}
    assert facts(models) == {"Qwen/Qwen3-8B": (32_768, None), "sql": (32_768, None)}


def test_four_servers_at_once_in_the_order_of_their_addresses() -> None:
    with (
        serving(model_servers.vllm()) as vllm,
        serving(model_servers.ollama()) as ollama,
        serving(model_servers.llama_server()) as llama_server,
        serving(model_servers.lm_studio()) as lm_studio,
    ):
        models = found(vllm, ollama, llama_server, lm_studio)
    assert list(dict.fromkeys(one.kind for one in models)) == [
        ServerKind.VLLM, ServerKind.OLLAMA, ServerKind.LLAMA_SERVER, ServerKind.LM_STUDIO,
    ]  # fmt: skip


@pytest.mark.parametrize("owner", ["rag-app", "openai", "sglang"])
def test_a_server_that_is_none_of_them_offers_nothing(owner: str) -> None:
    with serving(StandIn(models=[{"id": "rag-app", "owned_by": owner}])) as other:
        assert found(other) == []
        assert set(other.seen) == {"/v1/models", "/props", "/api/v0/models", "/api/tags"}


def test_a_server_without_a_list_of_models_is_asked_nothing_else() -> None:
    with serving(StandIn(status=401)) as other:
        assert found(other) == []
        assert other.seen == ["/v1/models"]


@pytest.mark.parametrize(
    "name",
    [
        "", " ", "a\nb", "a\x1b[31mb", "a\u202eb", "a\x00b", "a\tb", "a ", "\ud800", "x" * (LONGEST_NAME + 1),
        7, None, ["a"], {"a": 1}, True,
    ],
)  # fmt: skip
def test_odd_names_are_left_out(name: Any) -> None:
    for stand_in in (model_servers.llama_server(), model_servers.vllm()):
        first, *others = stand_in.models
        stand_in.models = [{**first, "id": name}, {**first, "id": "kept"}, *others]
        with serving(stand_in) as server:
            assert "kept" in facts(found(server))
            assert not {one.name for one in found(server)} - {"kept", "Qwen/Qwen3-8B", "sql"}
    ollama = model_servers.ollama()
    ollama.own["/api/tags"]["models"][0]["name"] = name
    studio = model_servers.lm_studio()
    studio.own["/api/v0/models"]["data"][0]["id"] = name
    with serving(ollama), serving(studio):
        names = {one.name for one in found(ollama, studio)}
    assert names <= {"long:latest", "small:1b", "gemma3:4b", "gemma-3-4b", "tiny"}


@pytest.mark.parametrize(
    "name", ["a b", "a#b", "a?b=c", "org/model@q4", "Bücher", "模型:7b", "a%20b", "a&b<c>"]
)
def test_names_that_can_be_chosen_choose_the_same_model(name: str) -> None:
    stand_in = model_servers.llama_server(model_servers.PLAIN_TEMPLATE, name)
    with serving(stand_in) as server:
        (model,) = found(server)
    assert Server.parse(model.url) == model.server == Server(server.url, name)


def test_no_more_than_a_hundred_models_and_none_twice() -> None:
    stand_in = model_servers.vllm()
    stand_in.models = [{**stand_in.models[0], "id": f"m{number % 150}"} for number in range(1_000)]
    with serving(stand_in) as server:
        models = found(server)
    assert len(models) == len(set(models)) == MOST_MODELS
    stand_in = model_servers.vllm()
    stand_in.models = [stand_in.models[0]] * 5
    with serving(stand_in) as server:
        assert len(found(server)) == 1


@pytest.mark.parametrize("window", [0, -1, 7, "8192", None, True, 8192.5, [8192]])
def test_windows_that_cannot_be_are_not_believed(window: Any) -> None:
    stand_in = model_servers.llama_server()
    stand_in.own["/props"]["default_generation_settings"]["n_ctx"] = window
    with serving(stand_in) as server:
        (model,) = found(server)
    assert model.context_tokens is None


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/api/tags", {"models": [{"name": "a", "digest": ["x"]}]}),
        ("/api/tags", {"models": [7, "a", None]}),
        ("/api/tags", []),
        ("/api/ps", {"models": [{"name": ["a"], "context_length": 9_000}]}),
        ("/api/v0/models", {"data": [{"id": "a", "type": 7, "state": "loaded"}]}),
        ("/props", {"default_generation_settings": [], "total_slots": 1}),
        ("/props", {"default_generation_settings": {}, "total_slots": "many"}),
        ("/props", "props"),
    ],
)
def test_answers_of_other_shapes_do_no_harm(path: str, answer: Any) -> None:
    stand_in = model_servers.ollama()
    stand_in.own[path] = answer
    with serving(stand_in) as server:
        kinds = {one.kind for one in found(server)}
    assert kinds <= {ServerKind.OLLAMA}


@pytest.mark.parametrize(
    "shown", [7, [], {"capabilities": 7}, {"capabilities": ["completion"], "model_info": [], "parameters": 7}]
)
def test_descriptions_of_other_shapes_do_no_harm(shown: Any) -> None:
    stand_in = model_servers.ollama()
    stand_in.own["/api/show"] = lambda _: shown
    with serving(stand_in) as server:
        assert "gemma3:4b" in facts(found(server))
