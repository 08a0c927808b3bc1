"""Work that runs beside the handler that shows it, so that a page can always be told to stop.

A handler that waited inside the work could not be closed before the work's next sign of life, which
on a long prompt is minutes away, and Gradio holds a lock while it tries.
"""

import queue
import threading
from collections.abc import Callable, Generator
from typing import TypeVar

T = TypeVar("T")

# In seconds: how soon a handler notices Stop or a closed tab, and how often a page is redrawn at most.
_TICK = 0.1
# How long shutting down waits for work that was told to stop.
_PATIENCE = 10.0


class Job:
    """One run of some work: a person can stop it, and the page can see whether it still runs."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._ended = threading.Event()
        self._abandoned = threading.Event()

    def stop(self) -> None:
        self._stop.set()

    @property
    def stopped(self) -> bool:
        return self._stop.is_set()

    @property
    def running(self) -> bool:
        return not self._ended.is_set()

    def end(self) -> None:
        """Say that nothing waits for this job any more; its work stops if it still runs."""
        self._stop.set()
        self._ended.set()

    def abandon(self) -> None:
        """Say that the page shows something else now: the work stops, and no more of it may be shown."""
        self._abandoned.set()  # first: whoever sees that it was stopped sees this as well
        self.end()

    @property
    def abandoned(self) -> bool:
        return self._abandoned.is_set()


class Workers:
    """The threads of one page server. `close` stops them all."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: dict[threading.Thread, Job] = {}

    def run(
        self, job: Job, work: Callable[[Callable[[T], None]], None], *, to_the_end: bool = False
    ) -> Generator[list[T]]:
        """Yield what `work` hands to its argument, in batches, one every tick (maybe empty).

        Ends when the work ends, raising what it raised. The work has to look at `job.stopped`; a
        stopped job ends this at once, or with `to_the_end` when the work has noticed.
        """
        items: queue.SimpleQueue[T] = queue.SimpleQueue()
        errors: list[BaseException] = []
        ended = threading.Event()

        def target() -> None:
            try:
                work(items.put)
            except BaseException as error:  # noqa: BLE001 (raised again in the handler)
                errors.append(error)
            finally:
                ended.set()
                with self._lock:
                    del self._running[threading.current_thread()]

        thread = threading.Thread(target=target, daemon=True)
        with self._lock:
            self._running[thread] = job
        thread.start()
        try:
            while not ended.wait(_TICK) and (to_the_end or not job.stopped):
                yield _drain(items)
            yield _drain(items)
            if errors:
                raise errors[0]
        finally:
            job.end()

    def close(self) -> None:
        """Stop all work and wait until it has stopped, within reason."""
        with self._lock:
            running = dict(self._running)
        for job in running.values():
            job.stop()
        for thread in running:
            thread.join(_PATIENCE)


def _drain(items: "queue.SimpleQueue[T]") -> list[T]:
    drained: list[T] = []
    while not items.empty():
        drained.append(items.get_nowait())
    return drained
