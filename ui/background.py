"""Work that runs beside the handler that shows it, so that a page can always be told to stop.

A handler that waited inside the work could not be closed before the work's next sign of life, which
on a long prompt is minutes away, and Gradio holds a lock while it tries.
"""

import queue
import threading
from collections.abc import Callable, Generator
from typing import TypeVar

from rag_app.config.logging import request

T = TypeVar("T")

# Seconds until a handler notices Stop or a closed tab, and between two redraws of a page.
_TICK = 0.1
# Seconds that shutting down waits for stopped work to end.
_PATIENCE = 10.0


class BackgroundJob:
    """One run of work: a person can stop it, and the page can see whether it still runs."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._ended = threading.Event()
        self._abandoned = threading.Event()
        self._taken = threading.Lock()

    def take(self) -> bool:
        """Return whether the caller is the first, and so the one that runs it."""
        return self._taken.acquire(blocking=False)

    def stop(self) -> None:
        self._stop.set()

    @property
    def stopped(self) -> bool:
        return self._stop.is_set()

    @property
    def running(self) -> bool:
        return not self._ended.is_set()

    def end(self) -> None:
        """Stop the work if it still runs; nothing waits for it any more."""
        self._stop.set()
        self._ended.set()

    def abandon(self) -> None:
        """Stop the work because the page shows something else now: nothing more of it may be shown."""
        self._abandoned.set()  # first, so that a thread that sees it stopped sees this too
        self.end()

    @property
    def abandoned(self) -> bool:
        return self._abandoned.is_set()


class Workers:
    """The threads of one page server. `close` stops them all."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: dict[threading.Thread, BackgroundJob] = {}

    def run(self, job: BackgroundJob, work: Callable[[Callable[[T], None]], None]) -> Generator[list[T]]:
        """Run `work` in a thread; yield the items that it puts, a batch every tick (maybe empty).

        Ends when the work ends, and raises its error, or as soon as the job is stopped.

        Args:
            work: Gets a function that takes an item. It has to end when it sees `job.stopped`.
        """
        items: queue.SimpleQueue[T] = queue.SimpleQueue()
        errors: list[BaseException] = []
        ended = threading.Event()

        def target() -> None:
            try:
                with request():
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
            while not ended.wait(_TICK) and not job.stopped:
                yield _drain(items)
            yield _drain(items)
            if errors:
                raise errors[0]
        finally:
            job.end()

    def close(self) -> None:
        """Stop all work and wait up to ten seconds for each thread to end."""
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
