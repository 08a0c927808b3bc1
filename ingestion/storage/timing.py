"""Stage times of a query in milliseconds, and the present moment as it is stored."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta


class Stopwatch:
    """Adds up how long each named stage took."""

    def __init__(self) -> None:
        self.timings_ms: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Add the time that the block takes to the stage's."""
        started = time.perf_counter()
        try:
            yield
        finally:
            elapsed = 1000 * (time.perf_counter() - started)
            self.timings_ms[name] = self.timings_ms.get(name, 0.0) + elapsed


def utc_now(timespec: str = "seconds", *, ago: timedelta = timedelta()) -> str:
    """Return the present moment, or the moment that long ago: UTC in ISO 8601."""
    return (datetime.now(UTC) - ago).isoformat(timespec=timespec)
