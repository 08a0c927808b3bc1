"""The own APIs of four servers, which tell them apart and describe their models.

All four list models at /v1/models, as OpenAI does, but say little there. Each function returns the models
that write, or None where the server is another program. Sources: docs.ollama.com/api, lmstudio.ai/docs
(REST API v0), tools/server/README.md of llama.cpp, and the OpenAI-compatible server of docs.vllm.ai.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Any

from rag_app.llm.servers.json_requests import JsonRequests
from rag_app.llm.servers.served_model import (
    ServedModel,
    ServerKind,
    entries,
    named_writer,
    server_of,
    tokens,
)

Entry = dict[str, Any]
Listed = list[Entry]
Models = list[ServedModel] | None

# What Ollama and LM Studio give a model that is not loaded, unless a person has set more. Neither tells
# before it is loaded, and Ollama drops what exceeds it.
UNLOADED_CONTEXT = 4096
_WRITING_TYPES = ("llm", "vlm")  # of LM Studio; the third is embeddings
_NUM_CTX = re.compile(r"^num_ctx\s+(\d{1,9})\s*$", re.MULTILINE)


async def ollama(ask: JsonRequests, _: Listed) -> Models:
    """Ollama: /api/tags lists, /api/show describes a model, /api/ps has the windows of loaded models.

    Models that Ollama only passes on to another host are left out: questions would leave this machine.
    """
    listed = entries(await ask.get("/api/tags"), "models")
    if listed is None or not all(_is_text(one.get("name")) and _is_text(one.get("digest")) for one in listed):
        return None
    running, *shown = await asyncio.gather(
        ask.get("/api/ps"), *(ask.post("/api/show", {"model": one["name"]}) for one in listed)
    )
    loaded = {one["name"]: one for one in entries(running, "models") or [] if _is_text(one.get("name"))}
    models = []
    for one, shows in zip(listed, shown, strict=True):
        description = shows if isinstance(shows, dict) else {}
        server = server_of(ask.root, one["name"])
        if server is None or _elsewhere(one) or _elsewhere(description):
            continue
        able = description.get("capabilities")
        if not ("completion" in able if isinstance(able, list) else named_writer(one["name"])):
            continue
        thinks = "thinking" in able if isinstance(able, list) else None
        window = _ollama_window(description, loaded.get(one["name"], {}))
        models.append(ServedModel(server, ServerKind.OLLAMA, window, thinks))
    return models


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def _elsewhere(entry: Entry) -> bool:
    name = str(entry.get("name") or "")
    return bool(entry.get("remote_host") or entry.get("remote_model")) or name.endswith(("-cloud", ":cloud"))


def _ollama_window(description: Entry, loaded: Entry) -> int:
    """Return the window of a loaded model, the one of its Modelfile, or what an unloaded model gets."""
    if window := tokens(loaded.get("context_length")):
        return window
    found = _NUM_CTX.search(str(description.get("parameters") or ""))
    if found and (window := tokens(int(found[1]))):
        return window
    about = description.get("model_info")
    about = about if isinstance(about, dict) else {}
    most = tokens(about.get(f"{about.get('general.architecture')}.context_length"))
    return min(UNLOADED_CONTEXT, most or UNLOADED_CONTEXT)


async def lm_studio(ask: JsonRequests, _: Listed) -> Models:
    """LM Studio: /api/v0/models has type, state and windows of each model."""
    listed = entries(await ask.get("/api/v0/models"), "data")
    if not listed or not all(
        isinstance(one.get("type"), str) and isinstance(one.get("state"), str) for one in listed
    ):
        return None
    models = []
    for one in listed:
        server = server_of(ask.root, one.get("id"))
        if server is None or one["type"] not in _WRITING_TYPES:
            continue
        most = tokens(one.get("max_context_length")) or UNLOADED_CONTEXT
        window = tokens(one.get("loaded_context_length")) or min(UNLOADED_CONTEXT, most)
        models.append(ServedModel(server, ServerKind.LM_STUDIO, window))
    return models


async def llama_server(ask: JsonRequests, listed: Listed) -> Models:
    """llama-server: /props has the window of a request, and the chat template."""
    props = await ask.get("/props")
    usual = props.get("default_generation_settings") if isinstance(props, dict) else None
    if not isinstance(usual, dict) or not isinstance(props.get("total_slots"), int):
        return None
    template = props.get("chat_template")
    thinks = ("enable_thinking" in template or "<think>" in template) if isinstance(template, str) else None
    window = tokens(usual.get("n_ctx"))
    if len(listed) != 1:  # a router in front of several models, of none of which this is said
        window = thinks = None
    servers = [server_of(ask.root, one.get("id")) for one in listed if named_writer(one.get("id"))]
    return [ServedModel(server, ServerKind.LLAMA_SERVER, window, thinks) for server in servers if server]


async def vllm(ask: JsonRequests, listed: Listed) -> Models:
    """vLLM: /v1/models has the window of each model; that of an adapter is its parent's."""
    if not listed or not all(one.get("owned_by") == "vllm" for one in listed):
        return None
    windows = {one["id"]: tokens(one.get("max_model_len")) for one in listed if _is_text(one.get("id"))}
    if not any(windows.values()):
        return None
    models = []
    for one in listed:
        server = server_of(ask.root, one.get("id"))
        if server is None or not named_writer(one.get("id")):
            continue
        parent = one.get("parent")
        window = windows[server.model] or (windows.get(parent) if isinstance(parent, str) else None)
        models.append(ServedModel(server, ServerKind.VLLM, window))
    return models


# llama-server answers some of Ollama's requests too, so it comes first.
PROTOCOLS: tuple[Callable[[JsonRequests, Listed], Awaitable[Models]], ...] = (
    llama_server,
    lm_studio,
    ollama,
    vllm,
)


async def models_of(ask: JsonRequests) -> list[ServedModel] | None:
    """Return the models that write at a server, none where it is no server that is known.

    None: it did not answer in time, so nothing is known.
    """
    listed = entries(await ask.get("/v1/models"), "data")
    if listed is None:
        return None if ask.late else []
    found = await asyncio.gather(*(protocol(ask, listed) for protocol in PROTOCOLS))
    for models in found:
        if models is not None:
            return list(dict.fromkeys(models))
    return None if ask.late else []
