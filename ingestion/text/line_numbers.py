"""Line numbers of source code, as citations show them.

A page of source code has the lines that it holds for a label, and a chunk has those that it holds for a
heading: "lines 12–40", or "line 7".
"""

import re

_LINES = re.compile(r"lines? (\d{1,9})(?:–\d{1,9})?\Z")


def lines_label(first: int, last: int) -> str:
    """Return the name of the lines `first` to `last`, counted from 1."""
    return f"line {first}" if first == last else f"lines {first}–{last}"


def first_line(label: str | None) -> int | None:
    """Return the number of the first line that a label names; None for other labels."""
    found = _LINES.match(label or "")
    return int(found.group(1)) if found else None


def lines_between(label: str | None, text: str, start: int, end: int) -> str | None:
    """Return the name of the lines that characters `start` to `end` of a text touch.

    Args:
        label: The name of the text's own lines.
        text: A page or a chunk.
        start: The first character; not white space.
        end: Behind the last one, which is not white space either.

    Returns:
        None where the label names no lines.
    """
    first = first_line(label)
    if first is None:
        return None
    first += text.count("\n", 0, start)
    return lines_label(first, first + text.count("\n", start, end))
