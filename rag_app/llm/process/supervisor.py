"""The supervision of a worker: starts it when needed, serves one request at a time, replaces a dead one."""

import logging
import queue
import threading
import weakref
from collections.abc import Generator
from pathlib import Path
from time import monotonic
from typing import Any

from ingestion.errors import Cancelled, ModelError
from rag_app.llm.adapter import check_adapter
from rag_app.llm.gguf_head import check_gguf
from rag_app.llm.process.child import Reply, WorkerProcess
from rag_app.llm.process.heartbeat import TEMPLATE_LIMIT_S
from rag_app.llm.process.loading import Loading, explained
from rag_app.llm.process.processors import default_threads
from rag_app.llm.process.request_queue import RequestQueue
from rag_app.llm.process.restarts import Restarts
from rag_app.llm.process.silence import SILENCE_LIMIT_S
from rag_app.llm.speed import PrefillSpeed, PrefillSpeeds, ReadingSetup

LOAD_TIMEOUT_S = 600.0  # 40 GB from a slow disk
SILENCE_S = 600.0  # of one block or token; a longer silence means that the worker is stuck
# A waiting caller hears this often that it waits, so that it notices Stop or a closed page.
HEARTBEAT_S = 0.5
MOST_WAITING = 16
ALIVE: Reply = {"kind": "alive"}

_logger = logging.getLogger(__name__)


class ModelProcess:
    """One GGUF file in one child process. The first request starts it, and the next one after its death.

    One answer is written at a time: a second `generate` waits for the first; counting does not wait. Every
    failure is a ModelError of one line.
    """

    def __init__(
        self,
        path: Path,
        *,
        context_tokens: int | None = None,
        threads: int | None = None,
        gpu_layers: int | None = None,
        adapter: Path | None = None,
        max_waiting: int = MOST_WAITING,
        speeds: PrefillSpeeds | None = None,
        load_timeout_s: float = LOAD_TIMEOUT_S,
        silence_s: float = SILENCE_LIMIT_S,
        template_limit_s: float = TEMPLATE_LIMIT_S,
        restarts: Restarts | None = None,
    ) -> None:
        self._path = path
        threads = threads or default_threads()
        self._reader = ReadingSetup(path, threads, gpu_layers)
        self._options = {
            "context_tokens": context_tokens,
            "threads": threads,
            "gpu_layers": gpu_layers,
            "template_limit_s": template_limit_s,
            "adapter": None if adapter is None else str(adapter),
        }
        self._adapter = adapter
        self._load_timeout_s = load_timeout_s
        self._silence_s = silence_s
        self._speeds = speeds or PrefillSpeeds(None)
        self._turns = RequestQueue(max_waiting)
        self._starting = threading.Lock()
        self._restarts = restarts or Restarts()
        self._tried: str | None = None  # the key of the file that was loaded last
        self._loading: Loading | None = None
        self._finalizer: weakref.finalize[Any, Any] | None = None
        self._answering: tuple[WorkerProcess, int] | None = None

    @property
    def pid(self) -> int | None:
        """Process id of the running worker; None while none runs."""
        loading = self._loading
        return loading.child.pid if loading and loading.child.alive else None

    @property
    def context_window(self) -> int:
        """The context window in tokens. Reads the file's head."""
        loading = self._begun()
        loading.wait_to_count()
        return loading.context_window

    @property
    def completes(self) -> bool:
        """Whether the model completes plain text, and has no form of a chat. Reads the file's head."""
        loading = self._begun()
        loading.wait_to_count()
        return loading.completes

    @property
    def speed(self) -> PrefillSpeed:
        """How fast the model reads here. Loads the model where no speed is known."""
        known = self._speeds.get(self._reader)
        if known is None:
            loading = self._begun()
            loading.wait_to_write()
            self._speeds.note(self._reader, *loading.measured)
            known = self._speeds.get(self._reader)
        if known is None:
            raise ModelError(f"{self._path} was removed while it was loaded; put it back")
        return known

    def count(self, op: str, **request: Any) -> int:
        """Return the number of tokens that the worker counts.

        Args:
            op: "count" or "count_prompt"; the worker's docstring describes the requests.
        """
        loading = self._begun()
        loading.wait_to_count()
        number, replies = loading.child.ask(op, **request)
        try:
            return int(self._checked(loading, replies.get(), "while it counted tokens")["tokens"])
        finally:
            loading.child.forget(number)

    def generate(self, **request: Any) -> Generator[Reply]:
        """Yield the replies to one request.

        They are {"kind": "queue", "before"} while others are served, {"kind": "load"} while the model is
        loaded, then the worker's replies: "prefill", then many "text", then "done". After half a second of
        silence the last "prefill" comes again, or {"kind": "alive"}. Closing the generator gives up the place
        in the queue, or stops the worker within one step of a forward pass; the worker stays for the next
        request.

        Raises:
            TooManyWaiting: The queue is full.
            Cancelled: `cancel` was called.
            ModelError: The worker failed or died.
        """
        with self._turns.join() as turn:
            while before := turn.wait(HEARTBEAT_S):
                yield {"kind": "queue", "before": before}
            loading = self._begun()
            while not loading.wait_to_write(HEARTBEAT_S):
                yield {"kind": "load"}
            self._speeds.note(self._reader, *loading.measured)
            yield from self._answer(loading, request)

    def cancel(self) -> bool:
        """Stop the running answer, from any thread, also before its first token. Its reader gets Cancelled.

        Returns:
            Whether there was an answer to stop.
        """
        answering = self._answering
        if answering is None:
            return False
        child, number = answering
        child.send(op="cancel", id=number)
        return True

    def close(self) -> None:
        """End the worker and free the model's memory. The next request starts it again."""
        if self._finalizer is not None and self._finalizer.alive:
            self._finalizer()
            _logger.info("model unloaded")
        self._loading = None

    def _answer(self, loading: Loading, request: dict[str, Any]) -> Generator[Reply]:
        child = loading.child
        number, replies = child.ask("generate", **request)
        self._answering = (child, number)
        ended = False
        last, heard = ALIVE, monotonic()
        try:
            while not ended:
                try:
                    reply = replies.get(timeout=HEARTBEAT_S)
                except queue.Empty:
                    if monotonic() - heard > SILENCE_S:
                        child.end()  # which ends the replies too
                    yield last
                    continue
                heard = monotonic()
                ended = reply is None or reply["kind"] in ("done", "error")
                checked = self._checked(loading, reply, "in the middle of an answer")
                if checked.get("finish_reason") == "cancelled":
                    raise Cancelled("the answer")
                if ended:
                    self._note(checked)
                last = checked if checked["kind"] == "prefill" else ALIVE
                yield checked
        finally:
            self._answering = None
            if not ended:
                child.stop(number, replies)
            child.forget(number)

    def _note(self, done: Reply) -> None:
        """Keep the reading speed of a finished answer, and forget earlier failures."""
        self._restarts.succeeded()
        self._speeds.note(self._reader, done["prompt_tokens"] - done["cached_tokens"], done["read_s"])

    def _begun(self) -> Loading:
        """Return the running worker, or start one. Raises ModelError during a pause between restarts."""
        with self._starting:
            loading = self._loading
            if loading is not None and loading.usable:
                return loading
            if loading is not None:
                self.close()
                why = loading.failure or f"it {loading.child.epitaph()}"
                _logger.warning("model process %d failed; it is started again", loading.child.pid)
                self._restarts.failed(why, loading.child.ended_at)
            if (key := self._reader.key) != self._tried:  # another file has this name now
                self._restarts.succeeded()
                self._tried = key
            self._restarts.check(f"the process of {self._path}")
            check_gguf(self._path)
            if self._adapter is not None:
                check_adapter(self._adapter, self._path)
            measure = self._speeds.get(self._reader) is None
            loading = self._loading = Loading(
                self._path,
                timeout_s=self._load_timeout_s,
                silence_s=self._silence_s,
                measure=measure,
                **self._options,
            )
            _logger.info("model process %d loads a model", loading.child.pid)
            # Ends the worker also when this object is collected, and at exit.
            self._finalizer = weakref.finalize(self, loading.child.end)
            return loading

    def _checked(self, loading: Loading, reply: Reply | None, when: str) -> Reply:
        if reply is None:
            raise ModelError(
                f"the process of {self._path} {loading.child.epitaph()} {when}; {self._restarts.outlook()}"
            )
        if reply["kind"] == "error":
            raise ModelError(explained(self._path, reply))
        return reply
