"""How long a process that should give signs of life has given none."""

from contextlib import suppress
from pathlib import Path

SILENCE_LIMIT_S = 60.0
# The limit's multiple for a process that computes, or still starts: it is slow, and not frozen.
PATIENCE = 5


class Silence:
    """The seconds since a process was last heard. Where it used no processor time meanwhile, it is frozen."""

    def __init__(self, pid: int, limit_s: float) -> None:
        self._pid = pid
        self._limit_s = limit_s
        self._started = False
        self.heard(started=False)

    def heard(self, *, started: bool = True) -> None:
        """Begin anew: the process gave a sign of life, or none is expected."""
        self.seconds = 0.0
        self._started |= started
        self._ticks = processor_ticks(self._pid)

    def too_long(self, more_s: float) -> bool:
        """Add seconds without a sign; return whether the process must be given up."""
        self.seconds += more_s
        if self.seconds <= self._limit_s:
            return False
        ticks = processor_ticks(self._pid)
        frozen = self._started and ticks is not None and ticks == self._ticks
        return frozen or self.seconds > PATIENCE * self._limit_s


def processor_ticks(pid: int) -> int | None:
    """Return the processor time that a process has used, in the system's ticks; None where it is unknown."""
    with suppress(OSError, ValueError, IndexError):
        fields = Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])
    return None
