"""Servers of models that commands find, list, name in their checks, and have answer."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from rag_app.llm import openai
from rag_app.llm.servers import finder, token_counts
from tests.helpers import model_servers
from tests.helpers.commands import Command
from tests.helpers.openai_server import StandIn, delta, end, serving

PATIENCE_S = 60.0  # only a failing test waits so long
CRANE = "When did the crane's cable break?"

pytestmark = pytest.mark.slow


@pytest.fixture
def servers(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[StandIn, StandIn]]:
    """Ollama and llama-server at the ports that the settings name; they have time on a busy machine."""
    monkeypatch.setattr(finder, "LIMIT_S", PATIENCE_S)
    monkeypatch.setattr(openai, "COUNT_LIMIT_S", PATIENCE_S)
    monkeypatch.setattr(token_counts, "SPEND_S", PATIENCE_S)
    with serving(model_servers.ollama()) as ollama, serving(model_servers.llama_server()) as llama_server:
        ports = ",".join(one.root.rpartition(":")[2] for one in (ollama, llama_server))
        monkeypatch.setenv("RAG_APP_FIND_SERVERS", ports)
        yield ollama, llama_server


def test_models_list(run: Command, data: Path, servers: tuple[StandIn, StandIn]) -> None:
    ollama, llama_server = servers
    served = run("--data-dir", data, "models", "list", "--json").json["served"]
    assert served[0] == {
        "name": "qwen3:4b", "url": f"{ollama.url}#qwen3:4b", "kind": "Ollama", "context_tokens": 8_192,
        "thinks": True,
    }  # fmt: skip
    assert [one["name"] for one in served] == [
        "qwen3:4b", "long:latest", "small:1b", "gemma3:4b", "qwen3-4b.gguf",
    ]  # fmt: skip
    out = run("--data-dir", data, "models", "list").out
    assert f"  {llama_server.url}#qwen3-4b.gguf  (llama-server, 6,144 tokens, can reason first)\n" in out


def test_models_list_where_nothing_is_looked_for(run: Command, data: Path) -> None:
    assert run("--data-dir", data, "models", "list", "--json").json["served"] == []
    assert "Servers on" not in run("--data-dir", data, "models", "list").out


def test_doctor(run: Command, data: Path, servers: tuple[StandIn, StandIn]) -> None:
    ollama, llama_server = servers
    checks = run("--data-dir", data, "doctor", "--json").json["checks"]
    found = [check["detail"] for check in checks if check["name"] == "model servers"]
    assert found == [
        f"Ollama at {ollama.url}: qwen3:4b, long:latest, small:1b, gemma3:4b",
        f"llama-server at {llama_server.url}: qwen3-4b.gguf",
    ]
    # auto stays with quotations: a person chooses a server.
    (llm,) = (check for check in checks if check["name"] == "language model")
    assert llm["detail"] == "none: answers are quotations"
    assert "RAG_APP_LLM" in llm["mend"]


@pytest.mark.parametrize(
    ("place", "counted"), [(0, "tokens of evidence: estimated"), (1, "its own tokenizer counts")]
)
def test_doctor_says_how_tokens_are_counted(
    run: Command, data: Path, servers: tuple[StandIn, StandIn], place: int, counted: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("RAG_APP_LLM", f"{servers[place].url}#{('qwen3:4b', 'qwen3-4b.gguf')[place]}")
    checks = run("--data-dir", data, "doctor", "--json").json["checks"]
    (llm,) = (check for check in checks if check["name"] == "language model")
    assert llm["state"] == "ok"
    assert counted in llm["detail"]


def test_doctor_where_nothing_is_looked_for_or_found(
    run: Command, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def detail() -> list[str]:
        checks = run("--data-dir", data, "doctor", "--json").json["checks"]
        return [check["detail"] for check in checks if check["name"] == "model servers"]

    assert detail() == ["not looked for (find_servers is none)"]
    port = model_servers.unused().rpartition(":")[2]
    monkeypatch.setenv("RAG_APP_FIND_SERVERS", port)
    assert detail() == [f"none on this machine at the ports {port}"]


@pytest.mark.parametrize("place", [0, 1])
def test_what_is_listed_can_be_asked(
    run: Command, data: Path, servers: tuple[StandIn, StandIn], place: int
) -> None:
    server = servers[place]
    server.pieces = (delta(content="The cable broke on 9 May 1987 [1]."), *end())
    listed = run("--data-dir", data, "models", "list", "--json").json["served"]
    url = next(one["url"] for one in listed if one["url"].startswith(server.root))
    answered = run("--data-dir", data, "ask", CRANE, "--llm", url, "--json")
    assert answered.code == 0, answered.err
    assert answered.json["answer"] == "The cable broke on 9 May 1987 [1]."
    assert answered.json["citations"]
    assert ("/tokenize" in server.seen) is (place == 1)
