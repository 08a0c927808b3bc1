"""The supervision of a worker: start it when needed, hand out turns, replace it when it has died."""

import queue
import threading
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ingestion.errors import Cancelled, ModelError
from rag_app.llm.child import Child, Reply, one_line

LOAD_TIMEOUT_S = 600.0  # 40 GB from a slow disk
GGUF_MAGIC = b"GGUF"
ADVICE = {
    "load": "if the file is damaged download it again, if it is new upgrade llama-cpp-python",
    "context": "use a smaller context or a smaller model",
    "install": "install llama-cpp-python",
    "too_long": "ask for less evidence, or give the model a larger context",
    "template": "use another model file, one made for chat",
    "decode": "ask again; if it fails again, use a smaller context or another model file",
}


class ModelProcess:
    """One GGUF file in one child process, started when first needed and again when it has died.

    Answers are written one at a time: a second `generate` waits for the first. Counting does not wait.
    Every failure is a ModelError of one line.
    """

    def __init__(
        self,
        path: Path,
        *,
        context_tokens: int | None = None,
        threads: int | None = None,
        gpu_layers: int = 0,
        load_timeout_s: float = LOAD_TIMEOUT_S,
    ) -> None:
        self._path = path
        self._options = {"context_tokens": context_tokens, "threads": threads, "gpu_layers": gpu_layers}
        self._load_timeout_s = load_timeout_s
        self._starting = threading.Lock()
        self._turn = threading.Lock()  # no RLock: another thread may close the generator
        self._child: Child | None = None
        self._finalizer: weakref.finalize[Any, Any] | None = None
        self._context_window = 0
        self._answering: tuple[Child, int] | None = None

    @property
    def pid(self) -> int | None:
        """Process id of the running worker, None when there is none."""
        child = self._child
        return child.pid if child and child.alive else None

    @property
    def context_window(self) -> int:
        """Tokens of prompt and answer together. Loads the model."""
        self._loaded()
        return self._context_window

    def count(self, op: str, **request: Any) -> int:
        """Return the number of tokens that the worker finds for `op`, "count" or "count_prompt"."""
        child = self._loaded()
        number, replies = child.ask(op, **request)
        try:
            return int(self._checked(child, replies.get(), "while it counted tokens")["tokens"])
        finally:
            child.forget(number)

    def generate(self, **request: Any) -> Iterator[Reply]:
        """Yield the worker's replies: "prefill", then "text" often, at last "done".

        Closing the generator makes the worker stop within one token; the worker stays for the next request.
        Raises Cancelled after `cancel`, ModelError when the worker fails or dies.
        """
        with self._turn:
            child = self._loaded()
            number, replies = child.ask("generate", **request)
            self._answering = (child, number)
            ended = False
            try:
                while not ended:
                    reply = replies.get()
                    ended = reply is None or reply["kind"] in ("done", "error")
                    checked = self._checked(child, reply, "in the middle of an answer")
                    if checked.get("finish_reason") == "cancelled":
                        raise Cancelled("the answer")
                    yield checked
            finally:
                self._answering = None
                if not ended:
                    child.stop(number, replies)
                child.forget(number)

    def cancel(self) -> bool:
        """Stop the answer being written, from any thread, also before its first token.

        Returns whether there was one. Whoever reads it gets Cancelled.
        """
        answering = self._answering
        if answering is None:
            return False
        child, number = answering
        child.send(op="cancel", id=number)
        return True

    def close(self) -> None:
        """End the worker and free the model's memory; the next use starts it again."""
        if self._finalizer is not None:
            self._finalizer()
        self._child = None

    def _loaded(self) -> Child:
        with self._starting:
            child = self._child
            if child is not None and child.loaded and child.alive:
                return child
            self.close()
            check_gguf(self._path)
            child = self._child = Child()
            self._finalizer = weakref.finalize(self, child.end)  # also when this object is lost, and at exit
            try:
                self._load(child)
            finally:
                if not child.loaded:
                    child.end()
            return child

    def _load(self, child: Child) -> None:
        number, replies = child.ask("load", path=str(self._path), **self._options)
        try:
            reply = replies.get(timeout=self._load_timeout_s)
        except queue.Empty:
            raise ModelError(
                f"{self._path} was not loaded within {self._load_timeout_s:g} s; "
                "use a smaller model file or a faster disk"
            ) from None
        finally:
            child.forget(number)
        if reply is None:
            reason = f"its process {child.epitaph()}"
            raise ModelError(f"{self._path} cannot be loaded: {reason}; {ADVICE['load']}")
        self._context_window = self._checked(child, reply, "while it was loaded")["context_window"]
        child.loaded = True

    def _checked(self, child: Child, reply: Reply | None, when: str) -> Reply:
        if reply is None:
            raise ModelError(
                f"the process of {self._path} {child.epitaph()} {when}; the next question restarts it"
            )
        if reply["kind"] == "error":
            cannot = " cannot be loaded" if reply["code"] in ("load", "context", "install") else ""
            raise ModelError(f"{self._path}{cannot}: {one_line(reply['message'])}; {ADVICE[reply['code']]}")
        return reply


def check_gguf(path: Path) -> None:
    """Raise ModelError unless `path` is a file that begins as a GGUF does."""
    try:
        with path.open("rb") as file:
            magic = file.read(len(GGUF_MAGIC))
    except FileNotFoundError:
        raise ModelError(f"{path} does not exist; download the model or correct the path") from None
    except OSError as error:
        raise ModelError(f"{path} cannot be read ({error.strerror}); give the path of a GGUF file") from error
    if magic != GGUF_MAGIC:
        raise ModelError(f"{path} is not a GGUF file (it begins with {magic!r}); llama.cpp reads GGUF only")
