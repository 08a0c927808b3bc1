"""The library for a program that runs long and asks seldom: held while it is asked, and a little longer.

Such a program must not keep others from the library: while nobody asks, `rag-app serve` can begin and
`rag-app ingest` run. Held a little longer, because questions come in a row and a language model takes seconds
to load.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ingestion.errors import LibraryInUse
from rag_app.service.protocol import Service

# Seconds that the library is held after the last question.
IDLE = 10.0
# Seconds that a question waits for a library that another process has and does not serve: a server that
# begins or ends has it so for moments.
PATIENCE = 5.0
_TRY_AGAIN = 0.2


class Lending:
    """One library, lent out to as many as ask at a time. `close` gives it back, at the latest."""

    def __init__(
        self, connect: Callable[[], Service], *, idle: float = IDLE, patience: float = PATIENCE
    ) -> None:
        self._connect = connect
        self._idle = idle
        self._patience = patience
        self._lock = threading.Lock()
        self._held: Service | None = None
        self._users = 0
        self._timer: threading.Timer | None = None

    @contextmanager
    def library(self) -> Iterator[Service]:
        """Yield the library, opened here or served by another process.

        Raises LibraryInUse where another process has it, serves it not, and does not let go of it soon.
        """
        service = self._take()
        try:
            yield service
        finally:
            self._give_back(service)

    def close(self) -> None:
        """Let go of the library, also of one that somebody still uses."""
        with self._lock:
            self._stop_timer()
            held, self._held = self._held, None
        if held is not None:
            held.__exit__(None, None, None)

    def _take(self) -> Service:
        with self._lock:
            self._stop_timer()
            if self._held is None:
                service = self._connected()
                if (
                    service.works_on
                ):  # another process's: nothing to hold, and it may be gone by the next time
                    return service
                self._held = service.__enter__()
            self._users += 1
            return self._held

    def _connected(self) -> Service:
        deadline = time.monotonic() + self._patience
        while True:
            try:
                return self._connect()
            except LibraryInUse:
                if time.monotonic() > deadline:
                    raise
                time.sleep(_TRY_AGAIN)

    def _give_back(self, service: Service) -> None:
        with self._lock:
            if service is not self._held:
                return
            self._users -= 1
            if not self._users:
                self._timer = threading.Timer(self._idle, self._let_go)
                self._timer.daemon = True
                self._timer.start()

    def _let_go(self) -> None:
        with self._lock:
            if self._users or self._held is None or self._timer is not threading.current_thread():
                return
            held, self._held = self._held, None
            held.__exit__(None, None, None)  # within the lock: whoever comes now opens it again after this

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
