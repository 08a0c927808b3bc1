"""The pauses between restarts of a process that keeps failing."""

from time import monotonic

from ingestion.errors import ModelError

FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 60.0


class Restarts:
    """Counts failures in a row. A restart may follow the first one at once; then pauses double."""

    def __init__(self, *, first_s: float = FIRST_PAUSE_S, longest_s: float = LONGEST_PAUSE_S) -> None:
        self._first_s = first_s
        self._longest_s = longest_s
        self._failures = 0
        self._last_at = 0.0
        self._why = ""

    def failed(self, why: str, at: float) -> None:
        """Count a failure.

        Args:
            at: Its time by `time.monotonic`.
        """
        self._failures += 1
        self._last_at = at
        self._why = why

    def succeeded(self) -> None:
        """Forget the failures."""
        self._failures = 0

    def pause_s(self, *, more: int = 0) -> float:
        """Return the seconds left to wait; with `more`, the pause after so many more failures from now."""
        failures = self._failures + more
        if failures < 2:
            return 0.0
        pause = min(self._first_s * 2.0 ** (failures - 2), self._longest_s)
        return pause if more else max(0.0, self._last_at + pause - monotonic())

    def check(self, what: str) -> None:
        """Raise ModelError during a pause; it says when to try again."""
        if (left := self.pause_s()) > 0:
            raise ModelError(
                f"{what} has failed {self._failures} times in a row and is tried again in {_seconds(left)}; "
                f"last: {self._why}"
            )

    def outlook(self) -> str:
        """Return the end of a message about a failure that is not counted yet: when a restart is possible."""
        pause = self.pause_s(more=1)
        return f"it can be started again in {_seconds(pause)}" if pause else "the next question restarts it"


def _seconds(seconds: float) -> str:
    return f"{max(1, round(seconds))} s"
