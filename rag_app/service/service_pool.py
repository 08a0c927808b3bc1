"""The service for a program that runs long and asks seldom, such as the MCP server.

It opens the library for a question and closes it after a pause, so that `rag-app serve` and `rag-app ingest`
can have it in between. Questions come in a row and a language model takes seconds to load: hence the pause.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ingestion.errors import LibraryInUse
from rag_app.service.protocol import Service

# Seconds from the last question until the library is closed.
IDLE = 10.0
# Seconds that a question waits for a library that another process has and does not serve. A server does so
# for moments when it begins and ends.
PATIENCE = 5.0
_TRY_AGAIN = 0.2


class ServicePool:
    """One service for all callers; `close` closes it."""

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
    def service(self) -> Iterator[Service]:
        """Yield the service, opened here or of another process.

        Raises:
            LibraryInUse: Another process has the library, does not serve it, and does not close it soon.
        """
        service = self._take()
        try:
            yield service
        finally:
            self._release(service)

    def close(self) -> None:
        """Close the service, even while it is used."""
        with self._lock:
            self._stop_timer()
            held, self._held = self._held, None
        if held is not None:
            held.__exit__(None, None, None)

    def _take(self) -> Service:
        with self._lock:
            self._stop_timer()
            if self._held is None:
                service = self._opened()
                if service.works_on:  # another process's, which may be gone by the next question
                    return service
                self._held = service.__enter__()
            self._users += 1
            return self._held

    def _opened(self) -> Service:
        deadline = time.monotonic() + self._patience
        while True:
            try:
                return self._connect()
            except LibraryInUse:
                if time.monotonic() > deadline:
                    raise
                time.sleep(_TRY_AGAIN)

    def _release(self, service: Service) -> None:
        with self._lock:
            if service is not self._held:
                return
            self._users -= 1
            if not self._users:
                self._timer = threading.Timer(self._idle, self._close_idle)
                self._timer.daemon = True
                self._timer.start()

    def _close_idle(self) -> None:
        with self._lock:
            if self._users or self._held is None or self._timer is not threading.current_thread():
                return
            held, self._held = self._held, None
            held.__exit__(None, None, None)  # within the lock: the next question opens it again after this

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
