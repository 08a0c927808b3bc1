"""A model that a server on this machine offers, and what may be believed of its description."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ingestion.errors import InvalidInput
from rag_app.llm.choice import Server

MOST_MODELS = 100  # of one server; a selector with more helps nobody
LONGEST_NAME = 200
LEAST_CONTEXT = 256  # tokens; no prompt with evidence fits into less

# Names of models that give vectors or scores, where the server does not tell the kind of a model.
_NO_WRITER = re.compile(r"(?:^|[^a-z])(?:embed(?:ding|dings|der)?|rerank(?:er|ing)?)(?:[^a-z]|$)", re.I)


class ServerKind(StrEnum):
    """The programs that are told apart, by the names that people know."""

    OLLAMA = "Ollama"
    LM_STUDIO = "LM Studio"
    LLAMA_SERVER = "llama-server"
    VLLM = "vLLM"


@dataclass(frozen=True, slots=True)
class ServedModel:
    """A language model at a server.

    Attributes:
        server: The server and the model's name there.
        kind: The program that serves it.
        context_tokens: The context window that a request gets, in tokens; None: the server does not say.
        thinks: Whether it can reason before it answers; None: the server does not say.
    """

    server: Server
    kind: ServerKind
    context_tokens: int | None = None
    thinks: bool | None = None

    @property
    def name(self) -> str:
        """The model's name at its server."""
        return self.server.model or ""

    @property
    def url(self) -> str:
        """The text that chooses it: http://HOST:PORT/v1#MODEL."""
        return self.server.text


def server_of(root: str, name: Any) -> Server | None:
    """Return the server and model of a name that a server gave; None for a name that cannot be used.

    Args:
        root: The server's address without a path.
    """
    if not isinstance(name, str) or not 0 < len(name) <= LONGEST_NAME:
        return None
    if not name.isprintable() or name != name.strip():
        return None
    server = Server(f"{root}/v1", name)
    try:
        return server if Server.parse(server.text) == server else None
    except InvalidInput:
        return None


def named_writer(name: Any) -> bool:
    """Return whether a model's name is not that of an embedding model or a reranker."""
    return isinstance(name, str) and _NO_WRITER.search(name) is None


def tokens(number: Any) -> int | None:
    """Return a context window that a server states; None for what cannot be one."""
    if isinstance(number, bool) or not isinstance(number, int) or number < LEAST_CONTEXT:
        return None
    return number


def entries(answer: Any, key: str) -> list[dict[str, Any]] | None:
    """Return the objects in a list of an answer, at most MOST_MODELS; None where there is no such list."""
    listed = answer.get(key) if isinstance(answer, dict) else None
    if not isinstance(listed, list):
        return None
    return [one for one in listed if isinstance(one, dict)][:MOST_MODELS]
