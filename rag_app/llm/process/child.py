"""A running worker as the parent sees it: pipes, replies, end."""

import json
import logging
import os
import queue
import signal
import site
import subprocess
import sys
import threading
from collections import deque
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import IO, Any

from ingestion.errors import ModelError
from rag_app.llm.process.silence import SILENCE_LIMIT_S, Silence

CANCEL_GRACE_S = 10.0  # then a worker that has not stopped is killed; stopping takes milliseconds
END_TIMEOUT_S = 10.0  # after SIGKILL, while the kernel frees a large model's memory
STDERR_LINES_KEPT = 40
LINE_BYTES_KEPT = 2000
WATCH_S = 1.0
LAST_REPLIES = ("ready", "count", "done", "error")  # the kinds that end a request

# llama.cpp's threads wait for each other hundreds of times a token. By default they spin for milliseconds. On
# a busy machine that takes the processor from the very thread that they wait for: 200 tokens were read in
# 59 s instead of 5. With this they spin for some microseconds, then sleep.
OPENMP = {"GOMP_SPINCOUNT": "1000"}

_logger = logging.getLogger(__name__)

Reply = dict[str, Any]
Replies = queue.SimpleQueue[Reply | None]  # None: the worker has ended


class WorkerProcess:
    """A running worker and the threads that listen to it. A new one replaces it; it never restarts."""

    def __init__(self, *, silence_s: float = SILENCE_LIMIT_S) -> None:
        """Start it. Raises ModelError where no process can be started.

        Args:
            silence_s: Seconds without a sign of life after which it is ended, while it owes an answer.
        """
        self.ended_at = 0.0  # time.monotonic
        self._lock = threading.Lock()
        self._asked = threading.Condition(self._lock)
        self._writing = threading.Lock()  # apart, because a write may block while replies arrive
        self._waiting: dict[int, Replies] = {}
        self._open: set[int] = set()  # the requests that it has not answered
        self._heard = False  # since the watcher last looked
        self._silent_s = 0.0
        self._over = threading.Event()
        self._last_number = -1
        self._ended = False
        self._errors: deque[str] = deque(maxlen=STDERR_LINES_KEPT)
        started: queue.SimpleQueue[subprocess.Popen[bytes] | OSError] = queue.SimpleQueue()
        self._listener = threading.Thread(target=self._listen, args=(started,), daemon=True)
        self._listener.start()
        process = started.get()
        if isinstance(process, OSError):
            raise ModelError(f"a model's process cannot be started ({process}); free memory") from process
        self._process = process
        threading.Thread(target=self._watch, args=(silence_s,), daemon=True).start()

    @property
    def fell_silent(self) -> bool:
        """Whether it was ended because it gave no sign of life."""
        return self._silent_s > 0

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return not self._ended and self._process.poll() is None

    def ask(self, op: str, **request: Any) -> tuple[int, Replies]:
        """Send a request; return its number and the queue of its replies."""
        replies: Replies = queue.SimpleQueue()
        with self._lock:
            self._last_number += 1
            number = self._last_number
            self._waiting[number] = replies
            self._open.add(number)
            self._asked.notify_all()
            if self._ended:
                replies.put(None)
        self.send(op=op, id=number, **request)
        return number, replies

    def send(self, **request: Any) -> None:
        """Write one line. An ended worker loses it; the queues of replies report the end."""
        line = json.dumps(request).encode() + b"\n"
        with self._writing, suppress(BrokenPipeError):
            if self._process.stdin and not self._process.stdin.closed:
                self._process.stdin.write(line)
                self._process.stdin.flush()

    def forget(self, number: int) -> None:
        with self._lock:
            self._waiting.pop(number, None)
            self._open.discard(number)

    def stop(self, number: int, replies: Replies) -> None:
        """Cancel an answer, and wait until the worker has stopped it; kill a worker that does not stop."""
        self.send(op="cancel", id=number)
        deadline = monotonic() + CANCEL_GRACE_S
        try:
            while (reply := replies.get(timeout=max(0.0, deadline - monotonic()))) is not None:
                if reply["kind"] in ("done", "error"):
                    return
        except queue.Empty:
            self.end()

    def end(self) -> None:
        """Kill the worker, which holds no state worth saving, and wait for its end."""
        self._process.kill()
        if threading.current_thread() is not self._listener:
            self._listener.join(END_TIMEOUT_S)

    def epitaph(self) -> str:
        """Return how the worker ended, as text to follow "the process"."""
        code = self._process.wait()
        if self.fell_silent:
            return f"gave no sign of life for {self._silent_s:.0f} s and was ended"
        if code < 0:
            name = signal.Signals(-code).name
            return f"was killed by {name}" + (" (out of memory?)" if name == "SIGKILL" else "")
        last = f" ({one_line(self._errors[-1])})" if self._errors else ""
        return f"ended with code {code}{last}"

    def _listen(self, started: "queue.SimpleQueue[subprocess.Popen[bytes] | OSError]") -> None:
        # The thread that starts the worker must outlive it: PR_SET_PDEATHSIG fires when that *thread* ends.
        try:
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "rag_app.llm.process.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=environment(),
            )
        except OSError as error:
            started.put(error)
            return
        started.put(process)
        with process:  # closes the pipes and waits
            assert process.stdin
            assert process.stdout
            assert process.stderr
            errors = threading.Thread(target=self._collect, args=(process.stderr,), daemon=True)
            errors.start()
            for line in process.stdout:
                try:
                    reply = json.loads(line)
                except ValueError:  # half a line of a killed worker, or no JSON
                    process.kill()
                    break
                self._deliver(reply)
            errors.join()
            process.wait()
            with self._writing, suppress(BrokenPipeError):
                process.stdin.close()
            with self._lock:
                self.ended_at = monotonic()
                self._ended = True
                self._over.set()
                self._asked.notify_all()
                waiting = list(self._waiting.values())
        for replies in waiting:
            replies.put(None)

    def _deliver(self, reply: Reply) -> None:
        with self._lock:
            self._heard = True
            if reply["kind"] in LAST_REPLIES:
                self._open.discard(reply["id"])
            replies = self._waiting.get(reply["id"])
        if replies is not None:
            replies.put(reply)

    def _watch(self, silence_s: float) -> None:
        """End the worker when it owes an answer and falls silent. The seconds are those of this thread's own
        waits, so that a pause of this whole process counts for nothing."""
        silence = Silence(self._process.pid, silence_s)
        while not self._ended:
            with self._lock:
                if not self._open:
                    self._asked.wait_for(lambda: self._open or self._ended)
                    silence.heard(started=False)
                heard, self._heard = self._heard, False
            if heard:
                silence.heard()
            began = monotonic()
            self._over.wait(WATCH_S)
            if not self._heard and silence.too_long(min(monotonic() - began, 2 * WATCH_S)):
                self._silent_s = silence.seconds
                _logger.warning("model process %d gave no sign of life; it is ended", self._process.pid)
                self._process.kill()
                return

    def _collect(self, stderr: IO[bytes]) -> None:
        while line := stderr.readline(LINE_BYTES_KEPT):
            if text := line.decode("utf-8", "replace").strip():
                self._errors.append(text)


def environment() -> dict[str, str]:
    """Return this process's environment, in which a child finds this package and its threads wait asleep."""
    root = str(Path(__file__).resolve().parents[3])
    own = {**OPENMP, **os.environ}
    if root in site.getsitepackages():  # installed: found anyway, and never before the standard library
        return own
    paths = [root, os.environ.get("PYTHONPATH", "")]
    return {**own, "PYTHONPATH": os.pathsep.join(filter(None, paths))}


def one_line(text: str) -> str:
    return " ".join(text.split())[:300]
