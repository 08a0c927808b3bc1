"""Finding the models of servers on this machine, in bounded time, once a minute at most."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Self
from urllib.parse import urlsplit

from rag_app.llm.choice import Server
from rag_app.llm.servers.json_requests import JsonRequests, open_client
from rag_app.llm.servers.protocols import models_of
from rag_app.llm.servers.served_model import ServedModel

LIMIT_S = 0.3  # a person notices a longer wait
EVERY_S = 60.0
# Servers get this share of the limit; the rest is for handing over what they said.
_SHARE = 0.9


class ServerFinder:
    """Asks servers for their models, in parallel, and keeps what they said. Safe to use from several threads.

    Args:
        roots: The servers' addresses without a path, such as http://127.0.0.1:11434.
        key: Sent to them as a bearer token; None: no key.
        limit_s: How long `models` takes at most, whatever the servers do.
        every_s: How long an answer is kept.
        clock: Tells the age of an answer, in seconds.
    """

    def __init__(
        self,
        roots: Sequence[str],
        *,
        key: str | None = None,
        limit_s: float = LIMIT_S,
        every_s: float = EVERY_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._roots = tuple(roots)
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._limit_s = limit_s
        self._every_s = every_s
        self._clock = clock
        self._lock = threading.Lock()
        self._asked_at: float | None = None
        self._done = threading.Event()
        self._done.set()
        self._found: dict[str, list[ServedModel]] = {}

    @classmethod
    def on_ports(cls, ports: Iterable[int]) -> Self:
        """Return a finder of servers at ports of this machine, which only 127.0.0.1 is asked for."""
        return cls([f"http://127.0.0.1:{port}" for port in ports], limit_s=LIMIT_S)

    @classmethod
    def at(cls, server: Server, key: str | None = None) -> Self:
        """Return a finder at one server; one of another machine, or without /v1, is never asked."""
        asked = server.leaves_machine is None and server.root != server.url
        return cls([server.root] if asked else [], key=key, limit_s=LIMIT_S)

    @property
    def asked(self) -> tuple[str, ...]:
        """The addresses that are asked."""
        return self._roots

    def leave_out(self, url: str) -> None:
        """Ask the server of a URL no more: it is this process."""
        port = urlsplit(url).port
        with self._lock:
            self._roots = tuple(root for root in self._roots if urlsplit(root).port != port)

    def known(self) -> list[ServedModel]:
        """Return the models that servers had when they were last asked, without asking them."""
        with self._lock:
            return [model for root in self._roots for model in self._found.get(root, ())]

    def models(self) -> list[ServedModel]:
        """Return the models of the servers, in the order of their addresses.

        It takes `limit_s` at most. What comes later is there in the next call; a server that was too slow
        keeps the models that it had.
        """
        import httpx  # noqa: F401 - loading it is no part of the time limit

        until = time.monotonic() + self._limit_s
        with self._lock:
            fresh = self._asked_at is not None and self._clock() - self._asked_at < self._every_s
            if self._roots and not fresh and self._done.is_set():
                self._asked_at = self._clock()
                self._done.clear()
                threading.Thread(target=self._ask, args=(self._roots,), daemon=True).start()
        self._done.wait(max(0.0, until - time.monotonic()))
        return self.known()

    def model(self, name: str | None) -> ServedModel | None:
        """Return the model of a name; of no name, the only model. None where there is no such model."""
        models = self.models()
        if name is None:
            return models[0] if len(models) == 1 else None
        names = (name, f"{name}:latest")  # Ollama leaves out this tag
        return next((one for one in models if one.name in names), None)

    def _ask(self, roots: Sequence[str]) -> None:
        try:
            asyncio.run(self._ask_all(roots))
        finally:
            self._done.set()

    async def _ask_all(self, roots: Sequence[str]) -> None:
        deadline = asyncio.get_running_loop().time() + self._limit_s * _SHARE

        async def ask(root: str) -> None:
            async with open_client(self._headers) as client:
                models = await models_of(JsonRequests(client, root, deadline))
            if models is not None:
                with self._lock:
                    self._found[root] = models

        await asyncio.gather(*map(ask, roots))
