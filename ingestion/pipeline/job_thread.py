"""The thread that works on jobs, and another one that starts it again where it ends by a fault."""

import logging
import threading
from collections.abc import Callable

from ingestion.storage.timing import utc_now

# Seconds before the thread is started again; twice as many after each further end.
_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 30.0

_logger = logging.getLogger(__name__)


class JobThread:
    """Calls `work` in a thread until it returns, and again where it raises anything at all."""

    def __init__(self, work: Callable[[], None]) -> None:
        self._work = work
        self._stopping = threading.Event()
        self._fault = ""
        self.restarts: list[str] = []  # when the thread was started again, and why
        self._supervisor = threading.Thread(target=self._supervise, name="jobs supervisor", daemon=True)
        self._supervisor.start()

    def stop(self, timeout: float | None = None) -> None:
        """Start the thread no more, and wait until it has ended. `work` must be told by other means."""
        self._stopping.set()
        self._supervisor.join(timeout)

    def _supervise(self) -> None:
        pause = _FIRST_PAUSE
        while True:
            self._fault = ""
            try:
                worker = threading.Thread(target=self._guarded, name="jobs", daemon=True)
                worker.start()
                worker.join()
            except RuntimeError:  # no further thread can be started now
                self._fault = "RuntimeError"
                _logger.exception("the thread for jobs could not be started; it is tried again")
            if not self._fault or self._stopping.wait(pause):
                return
            pause = min(2 * pause, _LONGEST_PAUSE)
            self.restarts.append(
                f"The thread that works on jobs ended by a fault ({self._fault}) and was started again "
                f"at {utc_now()}; the log file has the details."
            )
            _logger.warning("the thread for jobs is started again")

    def _guarded(self) -> None:
        self._fault = "unknown"  # stays where not even the lines below can be carried out
        try:
            self._work()
        except BaseException as fault:  # whatever it is, the queue goes on
            self._fault = type(fault).__name__
            _logger.exception("the thread for jobs ended by a fault")
        else:
            self._fault = ""
