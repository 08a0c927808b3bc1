"""How a process ended: its signal, and the last line that it wrote."""

import signal

_LONGEST_LINE = 200  # characters


def signal_name(exit_code: int) -> str | None:
    """The name of the signal that ended a process, such as "SIGABRT"; None if it ended by itself."""
    if exit_code >= 0:
        return None
    try:
        return signal.Signals(-exit_code).name
    except ValueError:
        return f"signal {-exit_code}"


def last_line(output: bytes) -> str:
    """The last line of a process's output that has text, printable and at most 200 characters long."""
    lines = output.decode("utf-8", errors="replace").split("\n")
    line = next((line.strip() for line in reversed(lines) if line.strip()), "")
    return "".join(filter(str.isprintable, line))[-_LONGEST_LINE:]
