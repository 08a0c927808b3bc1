"""Stage times of a query, in milliseconds."""

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Stopwatch:
    """Adds up how long each named stage took."""

    def __init__(self) -> None:
        self.timings_ms: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        started = time.perf_counter()
        try:
            yield
        finally:
            elapsed = 1000 * (time.perf_counter() - started)
            self.timings_ms[name] = self.timings_ms.get(name, 0.0) + elapsed
