"""A worker that loads a model. A thread follows the load, so that a waiting caller may leave."""

import logging
import queue
import threading
from pathlib import Path
from time import monotonic
from typing import Any

from ingestion.errors import ModelError
from rag_app.llm.adapter import GIVE_ANOTHER
from rag_app.llm.installation import INSTALL_LLAMA
from rag_app.llm.process.child import Replies, Reply, WorkerProcess, one_line

ADVICE = {
    "load": "if the file is damaged download it again, if it is new upgrade llama-cpp-python",
    "context": "use a smaller context or a smaller model",
    "adapter": GIVE_ANOTHER,
    "missing": f"install it with: {INSTALL_LLAMA}",
    "install": "install it again: pip install --force-reinstall llama-cpp-python",
    "too_long": "ask for less evidence, or give the model a larger context",
    "template": "use another model file, one made for chat",
    "silent": "ask again; if it happens again, use a smaller model or close other programs",
    "decode": "ask again; if it fails again, use a smaller context or another model file",
}
REFUSED = ("load", "context", "adapter", "missing", "install")  # the errors of a model that cannot be loaded

_logger = logging.getLogger(__name__)


class Loading:
    """A worker that loads the file at `path`, has loaded it, or has failed."""

    def __init__(self, path: Path, *, timeout_s: float, silence_s: float, **options: Any) -> None:
        """Start the worker. Raises ModelError where no process can be started."""
        self.child = WorkerProcess(silence_s=silence_s)
        self.context_window = 0
        self.completes = False
        self.measured = (0, 0.0)  # tokens read, and the seconds
        self.failure: str | None = None
        self._path = path
        self._began = monotonic()
        self._counts = threading.Event()
        self._writes = threading.Event()
        number, replies = self.child.ask("load", path=str(path), **options)
        threading.Thread(target=self._follow, args=(number, replies, timeout_s), daemon=True).start()

    @property
    def usable(self) -> bool:
        """Whether the worker loads or has loaded the model."""
        return self.failure is None and self.child.alive

    def wait_to_count(self) -> None:
        """Wait until the worker can count tokens. Raises ModelError for a failed load."""
        self._counts.wait()
        self._check()

    def wait_to_write(self, timeout_s: float | None = None) -> bool:
        """Wait until the worker can answer; return whether it can. Raises ModelError for a failed load."""
        loaded = self._writes.wait(timeout_s)
        self._check()
        return loaded

    def _check(self) -> None:
        if self.failure is not None:
            raise ModelError(self.failure)  # a new error each time, because tracebacks grow

    def _follow(self, number: int, replies: Replies, timeout_s: float) -> None:
        deadline = monotonic() + timeout_s
        try:
            while not self._writes.is_set():
                try:
                    reply = replies.get(timeout=max(0.0, deadline - monotonic()))
                except queue.Empty:
                    self._fail(
                        f"{self._path} was not loaded within {timeout_s:g} s; "
                        "use a smaller model file or a faster disk"
                    )
                else:
                    self._take(reply)
        finally:
            self.child.forget(number)

    def _take(self, reply: Reply | None) -> None:
        if reply is None:
            reason = f"its process {self.child.epitaph()}"
            advice = ADVICE["silent" if self.child.fell_silent else "load"]
            self._fail(f"{self._path} cannot be loaded: {reason}; {advice}")
        elif reply["kind"] == "error":
            self._fail(explained(self._path, reply))
        elif reply["kind"] == "vocabulary":
            self.context_window, self.completes = reply["context_window"], reply["completes"]
            self._counts.set()
        else:
            self.measured = (reply["read_tokens"], reply["read_s"])
            _logger.info(
                "model process %d loaded its model in %.1f s", self.child.pid, monotonic() - self._began
            )
            self._writes.set()

    def _fail(self, why: str) -> None:
        self.child.end()
        self.failure = why
        self._counts.set()
        self._writes.set()


def explained(path: Path, error: Reply) -> str:
    """Return a worker's error as one line for a person, with advice."""
    cannot = " cannot be loaded" if error["code"] in REFUSED else ""
    return f"{path}{cannot}: {one_line(error['message'])}; {ADVICE[error['code']]}"
