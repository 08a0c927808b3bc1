"""The language models that `--llm` and the setting `llm` can name: a file, a server, or quotations."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit, urlunsplit

from ingestion.errors import InvalidInput
from rag_app.config.ports import is_loopback

SCHEMES = ("http", "https")
EXAMPLE = "http://127.0.0.1:11434/v1#MODEL"

AUTO = "auto"  # the name of the configured language model
EXTRACTIVE = "extractive"  # the name of answering by quotation, without a language model


@dataclass(frozen=True, slots=True)
class Server:
    """An OpenAI-compatible server, and the name of a model there; None: the only model that it has."""

    url: str
    model: str | None = None

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Return the server that a text like http://127.0.0.1:11434/v1#MODEL names; None for no URL.

        Raises:
            InvalidInput: The URL has no host, or has a user, a password or a query.
        """
        scheme, separator, _ = text.partition("://")
        if not separator or scheme.lower() not in SCHEMES:
            return None
        try:
            parts = urlsplit(text)
            usable = bool(parts.hostname) and (parts.port is None or parts.port > 0)
        except ValueError:
            usable = False
        if not usable or parts.query or parts.username is not None or parts.password is not None:
            # The message does not repeat the URL: it may hold a password.
            raise InvalidInput(
                f"a server's URL needs a host, and may have no user, password or query, like {EXAMPLE}; "
                "put a key into RAG_APP_LLM_API_KEY"
            )
        url = urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/"), "", ""))
        return cls(url, parts.fragment or None)

    @property
    def text(self) -> str:
        """The text that names it, which `parse` reads."""
        return self.url if self.model is None else f"{self.url}#{self.model}"

    @property
    def root(self) -> str:
        """The address of the server's own API, which stands beside /v1."""
        return self.url.removesuffix("/v1")

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""

    @property
    def origin(self) -> str:
        """Scheme, host and port. A key is valid for one origin."""
        return "://".join(urlsplit(self.url)[:2]).lower()

    @property
    def leaves_machine(self) -> str | None:
        """The remote host that it runs on; None: this machine."""
        return None if is_loopback(self.host) else self.host


@dataclass(frozen=True, slots=True)
class Llm:
    """What writes answers: a GGUF file's model, a server's model, or neither; then answers are quotations."""

    file: Path | None = None
    server: Server | None = None
    note: str | None = None
    """Why answers are quotations although a file was chosen."""

    @property
    def quotes(self) -> bool:
        return self.file is None and self.server is None

    @property
    def name(self) -> str:
        if self.server is not None:
            return f"{self.server.model or 'the model'} at {self.server.url}"
        return self.file.name if self.file is not None else EXTRACTIVE

    @property
    def leaves_machine(self) -> str | None:
        """The remote host that receives questions and evidence; None: they stay on this machine."""
        return self.server.leaves_machine if self.server is not None else None
