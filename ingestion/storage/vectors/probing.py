"""Starts and reads the child process that opens Chroma and searches its indexes (see `probe`)."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryFile
from time import monotonic
from typing import IO, Any

PROBE_LIMIT_S = 1200.0  # a sound index of a million vectors is read in a minute
_POLL_SECONDS = 0.2
# The child imports this very `ingestion`, and nothing from the folder that it is started in.
_BOOT = (
    "import sys; sys.path.insert(0, sys.argv.pop(1)); import ingestion; sys.path.append(sys.path.pop(0)); "
    "from ingestion.storage.vectors.probe import main; main()"
)
_ROOT = Path(__file__).absolute().parents[3]

Lines = list[dict[str, Any]]


def run_probe(
    plan: Mapping[str, Any], check: Callable[[], None] = lambda: None, *, limit_s: float = PROBE_LIMIT_S
) -> tuple[Lines, int]:
    """Start the child, and wait for its end.

    Args:
        plan: See `probe`.
        check: Asked often; what it raises ends the child.
        limit_s: Seconds after which the child is killed.

    Returns:
        What the child printed, and its exit code.
    """
    # A file, because `communicate` does not go on with its input after a timeout.
    with TemporaryFile("w+", encoding="utf-8") as request:
        json.dump(plan, request)
        request.seek(0)
        with _started(request) as child:
            deadline = monotonic() + limit_s
            while True:
                try:
                    check()
                    output, _ = child.communicate(timeout=_POLL_SECONDS)
                    break
                except subprocess.TimeoutExpired:
                    if monotonic() > deadline:
                        child.kill()
                except BaseException:
                    child.kill()
                    raise
    complete = output[: output.rfind("\n") + 1]
    return [json.loads(line) for line in complete.splitlines()], child.returncode


def _started(request: IO[str]) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-P", "-W", "ignore", "-c", _BOOT, str(_ROOT)],
        stdin=request,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        encoding="utf-8",
    )


def probe_fault(lines: Sequence[Mapping[str, Any]], ended: int) -> str | None:
    """Return why Chroma cannot be read, by what the child printed and its exit code, or None."""
    for line in lines:
        if "error" in line:
            return str(line["error"])
    if lines and "end" in lines[-1]:
        return None
    reading = [line["begin"] for line in lines if "begin" in line]
    where = f"reading {reading[-1]}" if reading else "opening its folder"
    how = signal.Signals(-ended).name if ended < 0 else f"exit code {ended}"
    return f"{where} ends the process ({how})"
