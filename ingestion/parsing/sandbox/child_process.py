"""The parent's handle on a child process that reads a file, or small files one after the other.

It is a plain subprocess because `multiprocessing` pools handle an aborted child badly. Two threads empty the
child's pipes: frames into a short queue, so that a fast child waits for a slow parent, and stderr into a tail
of fixed size, because native libraries can print without end.
"""

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType

from ingestion.errors import Cancelled
from ingestion.parsing.frames import ChildRequest, Frame, FrameError, max_frame_bytes, read_frame
from ingestion.parsing.process_exit import last_line

POLL_SECONDS = 0.05  # how soon a cancel or a time limit is noticed
STDERR_TAIL_BYTES = 4096
QUEUE_FRAMES = 8  # of at most max_frame_bytes each
JOIN_SECONDS = 5.0  # for a thread whose pipe has ended
EXIT_SECONDS = 1.0  # for a child that has closed its output
EXIT_POLL_SECONDS = 0.01

# The child imports this very `ingestion` wherever the parent was started, and nothing else from its folder.
# With -P it imports nothing from the current folder, which may hold a hostile json.py.
_BOOT = (
    "import sys; sys.path.insert(0, sys.argv.pop(1)); import ingestion; sys.path.append(sys.path.pop(0)); "
    "from ingestion.parsing.sandbox.worker import main; main()"
)
_ROOT = Path(__file__).absolute().parents[3]


class ChildEnded:
    """The child will send no more frames."""


class ChildProcess:
    """A running child; leaving the `with` block kills it."""

    def __init__(self, request: ChildRequest) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-W", "ignore", "-c", _BOOT, str(_ROOT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
        self._frames: queue.Queue[Frame | FrameError | ChildEnded] = queue.Queue(QUEUE_FRAMES)
        self._stderr = bytearray()
        self.cpu_seconds = 0.0  # once it has ended; includes the processes that it waited for
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._pump_frames, args=(max_frame_bytes(request),), daemon=True),
            threading.Thread(target=self._pump_stderr, daemon=True),
        ]
        for thread in self._threads:
            thread.start()
        self.ask(request)

    def ask(self, request: ChildRequest) -> None:
        """Send a request. The former one must have been answered."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):  # a child that is dead already is noticed by its exit code
            self._process.stdin.write(request.encode())
            self._process.stdin.flush()  # and stays open: its end tells the child that we are gone

    def __enter__(self) -> "ChildProcess":
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Kill the child and close its pipes."""
        self.kill()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()

    def receive(self, timeout: float) -> Frame | FrameError | ChildEnded | None:
        """The next frame, or why there is none; None if `timeout` seconds brought nothing."""
        try:
            return self._frames.get(timeout > 0, timeout)
        except queue.Empty:
            return None

    def results(
        self, seconds: float, cancelled: Callable[[], bool] | None, what: str
    ) -> Iterator[Frame | FrameError | ChildEnded]:
        """Yield what the child sends, for at most `seconds`.

        Raises:
            Cancelled: `cancelled` returned true; the message names the work, `what`.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if cancelled is not None and cancelled():
                raise Cancelled(what)
            if (received := self.receive(POLL_SECONDS)) is not None:
                yield received

    def kill(self) -> None:
        """Stop the child and its own children at once; no-op for a child that has ended."""
        if self._process.returncode is None and not self._reap(block=False):
            if sys.platform == "win32":
                self._process.kill()
            else:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self._process.pid, signal.SIGKILL)
            self._reap(block=True)
        self._stopping.set()
        for thread in self._threads:
            thread.join(JOIN_SECONDS)

    def exit_code(self) -> int:
        """The child's exit code, or minus the signal's number. Call after `ChildEnded`."""
        deadline = time.monotonic() + EXIT_SECONDS
        while not self._reap(block=False):
            if time.monotonic() > deadline:  # it closed its stdout and went on
                self.kill()
                break
            time.sleep(EXIT_POLL_SECONDS)
        assert self._process.returncode is not None
        return self._process.returncode

    def _reap(self, *, block: bool) -> bool:
        """Whether the child has ended. `wait4` is the only source of its processor time."""
        if self._process.returncode is None:
            if sys.platform == "win32":
                return (self._process.wait() if block else self._process.poll()) is not None
            process, status, usage = os.wait4(self._process.pid, 0 if block else os.WNOHANG)
            if process == 0:
                return False
            self._process.returncode = os.waitstatus_to_exitcode(status)
            self.cpu_seconds = usage.ru_utime + usage.ru_stime
        return True

    def last_words(self) -> str:
        """The last line of the child's stderr, printable and at most 200 characters long."""
        self._threads[1].join(JOIN_SECONDS)
        return last_line(bytes(self._stderr))

    def _pump_frames(self, max_bytes: int) -> None:
        stream = self._process.stdout
        assert stream is not None
        try:
            while (frame := read_frame(stream, max_bytes)) is not None:  # type: ignore[arg-type]
                if not self._put(frame):
                    return
        except FrameError as error:
            self._put(error)
        self._put(ChildEnded())

    def _put(self, item: Frame | FrameError | ChildEnded) -> bool:
        while not self._stopping.is_set():
            try:
                self._frames.put(item, timeout=0.1)
                return True
            except queue.Full:
                continue
        return False

    def _pump_stderr(self) -> None:
        stream = self._process.stderr
        assert stream is not None
        while data := stream.read1(STDERR_TAIL_BYTES):  # type: ignore[attr-defined]
            self._stderr += data
            del self._stderr[:-STDERR_TAIL_BYTES]
