"""Stand-ins for Ollama, LM Studio, llama-server and vLLM, as their documents have them; and odd servers."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from tests.helpers.openai_server import StandIn

Entry = dict[str, Any]

QWEN_TEMPLATE = "{%- if enable_thinking is defined and enable_thinking is false %}<think>{% endif %}"
PLAIN_TEMPLATE = "{% for message in messages %}{{ message.content }}{% endfor %}"


def ollama() -> StandIn:
    """Ollama with a loaded model, a model with num_ctx, a small one, an embedder, and one of another host."""
    shown: dict[str, Entry] = {
        "qwen3:4b": _shown("qwen3", 40_960, ["completion", "tools", "thinking"]),
        "long:latest": _shown("llama", 131_072, ["completion"], "temperature 0.7\nnum_ctx   16384"),
        "small:1b": _shown("gemma", 2_048, ["completion"]),
        "gemma3:4b": _shown("gemma3", 131_072, ["completion", "vision"]),
        "nomic-embed-text:latest": _shown("nomic-bert", 2_048, ["embedding"]),
        "gpt-oss:120b-cloud": _shown("gptoss", 131_072, ["completion", "thinking"]),
    }
    listed = [_tag(name) for name in shown]
    listed[-1] |= {"remote_model": "gpt-oss:120b", "remote_host": "https://ollama.com:443"}
    loaded = {**_tag("qwen3:4b"), "size_vram": 0, "context_length": 8_192}
    return StandIn(
        models=[{"id": name, "object": "model", "owned_by": "library"} for name in shown],
        own={
            "/api/tags": {"models": listed},
            "/api/ps": {"models": [loaded]},
            "/api/show": lambda body: shown.get(body["model"]),
        },
    )


def _tag(name: str) -> Entry:
    return {"name": name, "model": name, "size": 1, "digest": "0" * 64, "details": {"family": "x"}}


def _shown(architecture: str, window: int, capabilities: list[str], parameters: str = "") -> Entry:
    return {
        "details": {"family": architecture},
        "parameters": parameters,
        "model_info": {
            "general.architecture": architecture,
            f"{architecture}.context_length": window,
        },
        "capabilities": capabilities,
    }


def lm_studio() -> StandIn:
    """LM Studio with a loaded model, two that are not loaded, and an embedder."""
    listed: list[Entry] = [
        {"id": "qwen3-4b", "type": "llm", "state": "loaded", "max_context_length": 40_960,
         "loaded_context_length": 12_000},
        {"id": "gemma-3-4b", "type": "vlm", "state": "not-loaded", "max_context_length": 131_072},
        {"id": "tiny", "type": "llm", "state": "not-loaded", "max_context_length": 2_048},
        {"id": "text-embedding-nomic", "type": "embeddings", "state": "loaded", "max_context_length": 2_048},
    ]  # fmt: skip
    return StandIn(
        models=[{"id": one["id"], "object": "model", "owned_by": "organization_owner"} for one in listed],
        own={"/api/v0/models": {"object": "list", "data": listed}},
    )


def llama_server(template: str = QWEN_TEMPLATE, *names: str) -> StandIn:
    """llama-server, which counts a token a word; with several names, a router in front of models."""
    models = names or ("qwen3-4b.gguf",)
    tags = [{"name": name, "model": name, "digest": "", "details": {"family": ""}} for name in models]
    return StandIn(
        models=[{"id": name, "object": "model", "owned_by": "llamacpp"} for name in models],
        own={
            "/props": {
                "default_generation_settings": {"id": 0, "n_ctx": 6_144, "params": {"temperature": 0.8}},
                "total_slots": 2,
                "model_path": f"/models/{models[0]}",
                "chat_template": template,
            },
            "/api/tags": {"models": tags},  # for programs that know only Ollama
            "/api/show": lambda _: {"capabilities": ["completion"]},
            "/tokenize": lambda body: {"tokens": list(range(len(body["content"].split())))},
        },
    )


def vllm() -> StandIn:
    """vLLM with a model, an adapter of it and an embedder; it counts two tokens a word."""

    def tokenize(body: Entry) -> Entry:
        count = 2 * len(body["prompt"].split())
        return {"count": count, "max_model_len": 32_768, "tokens": list(range(count))}

    card: Entry = {"object": "model", "owned_by": "vllm", "parent": None}
    return StandIn(
        models=[
            {**card, "id": "Qwen/Qwen3-8B", "root": "Qwen/Qwen3-8B", "max_model_len": 32_768},
            {**card, "id": "sql", "parent": "Qwen/Qwen3-8B", "max_model_len": None},
            {**card, "id": "Qwen/Qwen3-Embedding-8B", "max_model_len": 32_768},
        ],
        own={"/tokenize": tokenize},
    )


@contextmanager
def listening(talk: Callable[[socket.socket], None]) -> Iterator[str]:
    """Yield the address of a server that does to each connection what `talk` does."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve(connection: socket.socket) -> None:
            with connection, suppress(OSError):
                talk(connection)

        def accept() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    threading.Thread(target=serve, args=(connection,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)


def unused() -> str:
    """Return the address of a port at which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"
