"""A clock for limits of time that does not mind a busy machine."""

import contextlib
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.helpers.processes import children


@pytest.fixture
def clock_of_children(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits of time count the processor time of the children, which a busy machine does not change."""
    used: dict[int, float] = {}

    def seconds() -> float:
        for child in children(os.getpid()):
            with contextlib.suppress(OSError):  # it ended meanwhile
                fields = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()
                used[child] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        return sum(used.values())

    monkeypatch.setattr("ingestion.parsing.sandbox.supervisor.time", SimpleNamespace(monotonic=seconds))
