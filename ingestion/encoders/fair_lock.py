"""A lock for encoders, which questions and ingestion use at the same time."""

import threading
from collections import deque
from types import TracebackType


class FairLock:
    """A lock that threads get in the order in which they asked for it.

    `threading.Lock` most often goes back to the thread that just released it: a question would wait for many
    batches of an ingestion instead of one.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._held = False
        self._waiting: deque[threading.Event] = deque()

    def __enter__(self) -> None:
        with self._guard:
            if not self._held:
                self._held = True
                return
            turn = threading.Event()
            self._waiting.append(turn)
        try:
            turn.wait()
        except BaseException:  # an interrupt: the next thread gets the turn
            with self._guard:
                if turn in self._waiting:
                    self._waiting.remove(turn)
                    raise
            self._pass_on()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pass_on()

    def _pass_on(self) -> None:
        with self._guard:
            if self._waiting:
                self._waiting.popleft().set()  # it stays held, by that thread
            else:
                self._held = False
