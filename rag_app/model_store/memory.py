"""Whether a model fits into this machine's memory. Sizes are in bytes."""

import os
import sys
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

# The system needs the rest: a model above this share makes the machine swap.
_USABLE_SHARE = 0.9
_NO_LIMIT = 2**60  # cgroup v1 writes a number near 2**63 for "none"
_CGROUP_FILES = (("memory.max", "memory.current"), ("memory.limit_in_bytes", "memory.usage_in_bytes"))
_CGROUPS = (Path("/sys/fs/cgroup"), Path("/sys/fs/cgroup/memory"))
_MEMINFO = Path("/proc/meminfo")


class Fit(StrEnum):
    """How a model fits. `TIGHT`: other programs would have to give memory back."""

    FITS = "fits"
    TIGHT = "tight"
    TOO_LARGE = "too large"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Memory:
    """The memory that this process may use, and the part that is free now; None: unknown."""

    total: int | None
    available: int | None

    def fit(self, needed: int) -> Fit:
        """Return how a model of `needed` bytes fits."""
        if self.total is None:
            return Fit.UNKNOWN
        if needed > self.total * _USABLE_SHARE:
            return Fit.TOO_LARGE
        return Fit.FITS if self.available is None or needed <= self.available else Fit.TIGHT


def memory_here(meminfo: Path = _MEMINFO, cgroups: tuple[Path, ...] = _CGROUPS) -> Memory:
    """Return this machine's memory, or the container's where it is smaller."""
    total, available = _machine(meminfo)
    for folder in cgroups:
        for limit_file, used_file in _CGROUP_FILES:
            limit, used = _number(folder / limit_file), _number(folder / used_file)
            if limit is None or limit >= _NO_LIMIT:
                continue
            total = limit if total is None else min(total, limit)
            if used is not None:
                left = max(0, limit - used + _reclaimable(folder))
                available = left if available is None else min(available, left)
    return Memory(total, available)


def _machine(meminfo: Path) -> tuple[int | None, int | None]:
    if meminfo.is_file():
        lines = (line.split() for line in meminfo.read_text(encoding="ascii", errors="replace").splitlines())
        sizes = {words[0]: int(words[1]) * 1024 for words in lines if len(words) > 1 and words[1].isdigit()}
        return sizes.get("MemTotal:"), sizes.get("MemAvailable:")
    if sys.platform == "win32":
        return _windows()
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"), None
    except (ValueError, OSError):
        return None, None


def _windows() -> tuple[int | None, int | None]:
    import ctypes

    class MemoryStatus(ctypes.Structure):
        """MEMORYSTATUSEX of the Windows API."""

        _fields_ = (
            ("length", ctypes.c_ulong),
            ("load", ctypes.c_ulong),
            *((name, ctypes.c_ulonglong) for name in ("total", "available", "c", "d", "e", "f", "g")),
        )

    status = MemoryStatus()
    status.length = ctypes.sizeof(MemoryStatus)
    if not ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status)):  # type: ignore[attr-defined]
        return None, None
    return int(status.total), int(status.available)


def _reclaimable(folder: Path) -> int:
    """Return the bytes of the group's file cache, which the system frees on demand."""
    try:
        lines = (folder / "memory.stat").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    sizes = dict(line.split(maxsplit=1) for line in lines if " " in line)
    return int(sizes.get("inactive_file", sizes.get("total_inactive_file", "0")))


def _number(path: Path) -> int | None:
    """Return the number in a file; None without a file, or for the word "max"."""
    try:
        text = path.read_text(encoding="ascii").strip()
    except OSError:
        return None
    return int(text) if text.isdigit() else None
