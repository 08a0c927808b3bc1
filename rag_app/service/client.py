"""The service of another process, called through its loopback API."""

import json
import socket
import threading
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import httpx
from pydantic import TypeAdapter, ValidationError

from ingestion.errors import InvalidInput, LibraryInUse, RagError
from ingestion.storage.lock import Holder, is_held, read_holder
from rag_app.contract.answers import AnsweredEvent, AskEvent, ErrorEvent, StreamEvent
from rag_app.contract.errors import ErrorResponse
from rag_app.contract.requests import IngestRequest
from rag_app.service.protocol import Service
from rag_app.service.verbs import Verb, verbs_of

if TYPE_CHECKING:
    from rag_app.config.settings import Settings

# Seconds. A question may wait behind others, and for a model to be loaded.
_TIMEOUT = httpx.Timeout(3600.0, connect=10.0)
# Seconds without an answer after which the server is asked, and for which it may think about that.
QUIET_S = 10.0
PROBE_S = 20.0
# Questions in a row that must stay without an answer.
_TRIES = 2
# A connection ends with its answer, so that nothing is left open where the service is not closed.
_LIMITS = httpx.Limits(max_keepalive_connections=0)

_EVENTS: TypeAdapter[AskEvent | ErrorEvent] = TypeAdapter(StreamEvent)


class NotAnswering(LibraryInUse):
    """The process that has the library is there, and answers nothing."""


class Watch:
    """Watches one call, from the beginning to the end of the block.

    An answer may take an hour, and nothing may come meanwhile. So where a call is silent, the server is asked
    something that its event loop answers at once, however busy its threads are. A process that is stopped
    (SIGSTOP) answers nothing; then the call's connection is closed.

    Attributes:
        gave_up: Whether the server answered nothing, and the call was broken off.
    """

    def __init__(self, url: str) -> None:
        self.gave_up = False
        self._url = url
        self._ended = threading.Event()
        self._socket: socket.socket | None = None
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()

    def trace(self, event: str, info: dict[str, Any]) -> None:
        """Note the call's connection. httpx calls it, as the extension "trace"."""
        if event == "connection.connect_tcp.complete":
            self._socket = info["return_value"].get_extra_info("socket")

    def _run(self) -> None:
        unanswered = 0
        while not self._ended.wait(QUIET_S if not unanswered else 0.0):
            unanswered = 0 if self._answers() else unanswered + 1
            if unanswered >= _TRIES and not self._ended.is_set():
                self.gave_up = True
                self._break_off()
                return

    def _answers(self) -> bool:
        """Return whether the server says anything; without a token it refuses, which is enough."""
        try:
            httpx.get(self._url, timeout=PROBE_S, trust_env=False)
        except httpx.TimeoutException:
            return False
        except httpx.HTTPError:
            return True  # it is gone: the call itself ends with that error
        return True

    def _break_off(self) -> None:
        if self._socket is not None:
            try:
                self._socket.shutdown(socket.SHUT_RDWR)
            except OSError:  # it has ended
                return


class RemoteService(Service):
    """The service of the process that holds a library. Its methods follow from the verbs of `Service`."""

    works_on = True

    def __init__(self, holder: Holder, folder: Path) -> None:
        self.url = holder.url or ""
        self.token = holder.token
        self._pid = holder.pid
        self._folder = folder
        self._client = httpx.Client(
            base_url=f"{self.url}/api/v1",
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"},
            timeout=_TIMEOUT,
            limits=_LIMITS,
            trust_env=False,  # no proxy: requests for this machine stay on it
        )

    @classmethod
    def of(cls, settings: "Settings") -> Self | None:
        """Return the service of the process that holds the library; None where it serves none."""
        holder = read_holder(settings.data_dir)
        # The note of a server that was killed stays, and another account may listen on its port by now.
        if holder is None or not holder.url or not holder.token or not is_held(settings.data_dir):
            return None
        service = cls(holder, settings.data_dir)
        try:
            return service if service.health().pid == holder.pid else None
        except NotAnswering:
            raise
        except LibraryInUse:  # the note is of a process that is gone, or going
            return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def call(self, verb: Verb, arguments: Mapping[str, Any]) -> Any:
        """Return a verb's response. Raises the error that the server tells."""
        with self._response(verb, arguments) as response:
            return verb.response.model_validate_json(response.read())

    def stream(self, verb: Verb, arguments: Mapping[str, Any]) -> Generator[AskEvent]:
        """Yield the events of a verb, the answer last. Closing the generator stops the server's work."""
        event: AskEvent | None = None
        with self._response(verb, arguments, stream=True) as response:
            for line in response.iter_lines():
                received = _EVENTS.validate_json(line)
                if isinstance(received, ErrorEvent):
                    raise received.error.exception()
                event = received
                yield event
        if not isinstance(event, AnsweredEvent):
            raise RagError("the process that has the library ended before the answer did; ask again")

    @contextmanager
    def _response(self, verb: Verb, arguments: Mapping[str, Any], **more: bool) -> Iterator[httpx.Response]:
        """Yield a successful response. Raises the server's error, or LibraryInUse without a server."""
        _check_paths(arguments)
        body = verb.body(arguments)
        content = None if body is None else json.dumps({**body, **more})
        watch = Watch(f"{self.url}/api/v1/health")
        extensions = {"trace": watch.trace}
        try:
            with (
                watch,
                self._client.stream(
                    verb.method, verb.url(arguments), content=content, extensions=extensions
                ) as response,
            ):
                if response.is_error:
                    raise ErrorResponse.model_validate_json(response.read()).error.exception()
                yield response
        except (httpx.HTTPError, ValidationError) as error:
            if watch.gave_up:
                raise NotAnswering(
                    f"the library {self._folder} is open in process {self._pid}, which answers nothing at "
                    f"all: it is stopped, or the machine is too busy; let it go on (kill -CONT {self._pid}), "
                    "or close it and try again"
                ) from error
            raise LibraryInUse(
                f"the library {self._folder} is open in process {self._pid}, which does not answer on "
                f"{self.url} ({type(error).__name__}: {error}); close that process and try again"
            ) from error


def _method(verb: Verb) -> Callable[..., Any]:
    """Return the method of `RemoteService` that calls a verb."""
    names = [parameter.name for parameter in verb.parameters]

    def method(self: RemoteService, *values: Any, **named: Any) -> Any:
        arguments = {**dict(zip(names, values, strict=False)), **named}
        return (self.stream if verb.streams else self.call)(verb, arguments)

    return method


for _verb in verbs_of(Service):
    setattr(RemoteService, _verb.name, _method(_verb))


def _check_paths(arguments: Mapping[str, Any]) -> None:
    request = arguments.get("request")
    try:
        if isinstance(request, IngestRequest):
            "".join(request.paths).encode()
    except UnicodeEncodeError as error:
        raise InvalidInput(
            "a file's name holds bytes that are no text, which cannot be sent to the process that serves the "
            "library; rename the file, or stop that process and ingest again"
        ) from error
