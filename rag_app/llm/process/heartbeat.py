"""The worker's signs of life, and its limit on chat templates.

llama.cpp computes without holding Python's lock, so that this thread goes on during a long forward pass.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

BEAT_S = 1.0
# Processor time, so that a busy machine makes no template overdue; real ones take milliseconds.
TEMPLATE_LIMIT_S = 10.0


class Heartbeat:
    """Calls `beat` every second while requests are open, and `overdue` for a template that does not end."""

    def __init__(self, beat: Callable[[], None], overdue: Callable[[int], None]) -> None:
        """Start the thread.

        Args:
            beat: Gives a sign of life.
            overdue: Gets the identifier of the thread that renders; it must end the process.
        """
        self.template_limit_s = TEMPLATE_LIMIT_S
        self._beat = beat
        self._overdue = overdue
        self._changed = threading.Condition()
        self._open = 0
        self._rendering: dict[int, tuple[Callable[[], float], float]] = {}
        threading.Thread(target=self._run, daemon=True).start()

    def opened(self) -> None:
        """Note that a request has come."""
        with self._changed:
            self._open += 1
            self._changed.notify_all()

    def closed(self) -> None:
        """Note that a request was answered."""
        with self._changed:
            self._open -= 1

    @contextmanager
    def rendering(self) -> Iterator[None]:
        """Limit the block, which renders a template in this thread."""
        thread, clock = threading.get_ident(), _processor_clock()
        with self._changed:
            self._rendering[thread] = (clock, clock() + self.template_limit_s)
        try:
            yield
        finally:
            with self._changed:
                del self._rendering[thread]

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._open)
                overdue = [thread for thread, (clock, end) in self._rendering.items() if clock() > end]
            self._beat()
            for thread in overdue:
                self._overdue(thread)
            time.sleep(BEAT_S)


def _processor_clock() -> Callable[[], float]:
    """Return the clock of this thread's processor time, which other threads may read; else a plain one."""
    if not hasattr(time, "pthread_getcpuclockid"):
        return time.monotonic
    clock = time.pthread_getcpuclockid(threading.get_ident())
    return lambda: time.clock_gettime(clock)
