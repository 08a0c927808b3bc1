"""The connection to an OpenAI-compatible server. Its requests can be cancelled at any moment.

They run in their own event loop: asyncio can cancel a request that waits for an answer, but nothing can
cancel a blocked thread.
"""

import asyncio
import queue
import threading
from collections.abc import Callable, Coroutine, Generator
from concurrent.futures import CancelledError as FutureCancelledError
from concurrent.futures import Future
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from ingestion.errors import ModelError
from rag_app.llm.choice import Server
from rag_app.llm.process.child import one_line
from rag_app.llm.process.supervisor import HEARTBEAT_S
from rag_app.llm.servers.json_requests import JsonRequests, open_client

if TYPE_CHECKING:
    import httpx
    from openai import AsyncOpenAI

CONNECT_TIMEOUT_S = 10.0
LIST_TIMEOUT_S = 30.0
CLOSE_TIMEOUT_S = 5.0

Event = dict[str, Any]
ALIVE: Event = {}  # no event for half a second

T = TypeVar("T")


class Connection:
    """Requests to one server. The first request opens the connection, also after `close`."""

    def __init__(self, server: Server, key: str | None, *, timeout_s: float) -> None:
        self._server = server
        self._key = key
        self._timeout_s = timeout_s
        self._lock = threading.Lock()
        self._loop: _Loop | None = None
        self._client: AsyncOpenAI | None = None
        self._beside: httpx.AsyncClient | None = None  # for the server's own API

    def chat(self, request: dict[str, Any]) -> Generator[Event]:
        """Yield the events of a streamed answer, and ALIVE for every half second without an event.

        Closing the generator closes the request. Raises ModelError.
        """
        received: queue.SimpleQueue[Event | BaseException | None] = queue.SimpleQueue()

        async def receive(client: "AsyncOpenAI") -> None:
            try:
                stream = await client.chat.completions.create(stream=True, **request)
                async with stream:
                    async for event in stream:
                        received.put(event.model_dump(warnings=False))
            except BaseException as error:
                received.put(error)
                raise
            else:
                received.put(None)

        running = self._start(receive)
        try:
            while True:
                try:
                    item = received.get(timeout=HEARTBEAT_S)
                except queue.Empty:
                    yield ALIVE
                    continue
                if item is None:
                    return
                if isinstance(item, BaseException):
                    raise self._explained(item) from item
                yield item
        finally:
            running.cancel()

    def models(self) -> list[Event]:
        """Return the server's list of models. Raises ModelError."""

        async def listed(client: "AsyncOpenAI") -> list[Event]:
            page = await client.models.list(timeout=LIST_TIMEOUT_S)
            return [model.model_dump(warnings=False) for model in page.data or []]

        try:
            return self._start(listed).result(LIST_TIMEOUT_S + CLOSE_TIMEOUT_S)
        except Exception as error:
            raise self._explained(error) from error

    def post(self, path: str, body: Event, *, limit_s: float) -> Any:
        """Return the JSON that the server's own API, beside /v1, answers in time; None: there is none."""

        async def posted(_: "AsyncOpenAI") -> Any:
            beside, deadline = self._beside, asyncio.get_running_loop().time() + limit_s
            return beside and await JsonRequests(beside, self._server.root, deadline).post(path, body)

        with suppress(FutureCancelledError, TimeoutError):
            return self._start(posted).result(limit_s + CLOSE_TIMEOUT_S)
        return None

    def close(self) -> None:
        """Cancel all requests, and close the connection."""
        with self._lock:
            loop, client, beside = self._loop, self._client, self._beside
            self._loop = self._client = self._beside = None

        async def end() -> None:
            if beside is not None:
                await beside.aclose()
            if client is not None:
                await client.close()

        if loop is not None:
            loop.close(end())

    def _start(self, work: Callable[["AsyncOpenAI"], Coroutine[Any, Any, T]]) -> "Future[T]":
        with self._lock:
            if self._loop is None or self._client is None:
                self._loop, self._client = _Loop(), self._open()
                self._beside = open_client({"Authorization": f"Bearer {self._key}"} if self._key else None)
            return asyncio.run_coroutine_threadsafe(work(self._client), self._loop.loop)

    def _open(self) -> "AsyncOpenAI":
        import openai

        # No proxy between this machine and itself, and no redirect to another host.
        http = openai.DefaultAsyncHttpxClient(
            trust_env=self._server.leaves_machine is not None, follow_redirects=False
        )
        return openai.AsyncOpenAI(
            base_url=self._server.url,
            api_key=self._key or "none",  # never a key from the environment, which belongs to another server
            http_client=http,
            max_retries=0,
            timeout=openai.Timeout(self._timeout_s, connect=CONNECT_TIMEOUT_S),
        )

    def _explained(self, error: BaseException) -> ModelError:
        """Return an error as one line for a person; raise an error that is our own fault."""
        import openai

        match error:
            case openai.AuthenticationError() | openai.PermissionDeniedError():
                what = (
                    f"refuses the key, or needs one ({error.status_code}); set RAG_APP_LLM to this server "
                    "and RAG_APP_LLM_API_KEY to its key; no other server gets it"
                )
            case openai.NotFoundError():
                what = (
                    f"does not find {self._server.model or 'the model'} ({self._said(error)}); "
                    "name a model that it lists, and check that the URL ends in /v1"
                )
            case openai.RateLimitError():
                what = f"is overloaded ({self._said(error)}); ask again later"
            case openai.APIStatusError():
                what = f"failed ({error.status_code}: {self._said(error)}); ask again, or look at its log"
            case openai.APITimeoutError() | TimeoutError():
                what = "did not answer in time; look at its log, or use a smaller model"
            case openai.APIConnectionError():
                cause = one_line(str(error.__cause__ or error))
                what = (
                    f"cannot be reached, or closed the connection ({cause}); check that it runs, and its URL"
                )
            case openai.APIError():
                what = f"failed ({self._said(error)}); ask again, or look at its log"
            case asyncio.CancelledError() | FutureCancelledError():
                what = "was closed while it answered; ask again"
            case ValueError() | TypeError() | AttributeError():
                what = (
                    f"sends no chat completion ({one_line(str(error))}); "
                    "check that it is an OpenAI-compatible server, and that the URL ends in /v1"
                )
            case _:
                raise error
        return ModelError(f"{self._server.url} {what}")

    def _said(self, error: Any) -> str:
        """Return the server's message without the key, which some servers repeat."""
        # The client's own message is "Error code: 404 - {…}" around the server's message.
        body = error.body if isinstance(error.body, dict) else {}
        text = one_line(str(body.get("message") or error.message))
        return text.replace(self._key, "…") if self._key else text


class _Loop:
    """An event loop in a thread."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self, last: Coroutine[Any, Any, None]) -> None:
        """Cancel what runs, do one last thing, and end."""

        async def end() -> None:
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)
            await last

        with suppress(TimeoutError):
            asyncio.run_coroutine_threadsafe(end(), self.loop).result(CLOSE_TIMEOUT_S)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(CLOSE_TIMEOUT_S)

    def _run(self) -> None:
        try:
            self.loop.run_forever()
        finally:
            self.loop.close()
