"""A queue before a model that serves one request at a time, in order of arrival."""

import threading
from types import TracebackType
from typing import Self

from ingestion.errors import ModelError


class TooManyWaiting(ModelError):
    """The queue is full; ask again later."""


class RequestQueue:
    """Places for the served request, and for `most_waiting` more."""

    def __init__(self, most_waiting: int) -> None:
        self._most_waiting = most_waiting
        self._changed = threading.Condition()
        self._queue: list[QueuePlace] = []

    def join(self) -> "QueuePlace":
        """Return a place at the end of the queue. Raises TooManyWaiting for a full queue."""
        with self._changed:
            if self._queue and len(self._queue) > self._most_waiting:
                waiting = len(self._queue) - 1
                raise TooManyWaiting(
                    f"too many questions are waiting for the language model ({waiting}); ask again later"
                )
            turn = QueuePlace(self)
            self._queue.append(turn)
            return turn

    def _before(self, turn: "QueuePlace") -> int:
        return self._queue.index(turn)

    def _leave(self, turn: "QueuePlace") -> None:
        with self._changed:
            self._queue.remove(turn)
            self._changed.notify_all()


class QueuePlace:
    """One caller's place in the queue. Leaving the `with` block gives it up."""

    def __init__(self, turns: RequestQueue) -> None:
        self._turns = turns
        self._told: int | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._turns._leave(self)

    def wait(self, timeout_s: float) -> int:
        """Return how many requests come before this one; 0: it is served.

        The first call returns at once, later calls on a change or after `timeout_s`.
        """
        turns = self._turns
        with turns._changed:
            turns._changed.wait_for(lambda: turns._before(self) != self._told, timeout_s)
            self._told = turns._before(self)
            return self._told
