"""Parses one file; checks it before a child process is started."""

import os
import stat
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

from ingestion.documents import ParsedDocument, Status
from ingestion.parsing.formats import DRAWN_SUFFIXES, READ_SUFFIXES, SUPPORTED_SUFFIXES, TEXT_SUFFIXES
from ingestion.parsing.frames import ChildRequest
from ingestion.parsing.limits import ParseLimits
from ingestion.parsing.sandbox.collector import Collector
from ingestion.parsing.sandbox.shared_child import MOST_BYTES, SharedChild
from ingestion.parsing.sandbox.supervisor import Supervisor

# The version of all parsers together. It rises when the same bytes give other text: documents that an older
# version read are read again, by the next ingestion or by `reindex`.
READER_VERSION = 5


def parse(
    path: Path,
    *,
    limits: ParseLimits = ParseLimits(),  # frozen
    password: str | None = None,
    encoding: str | None = None,
    on_page: Callable[[int, int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
    shared: SharedChild | None = None,
) -> ParsedDocument:
    """Read one file in a child process: of its own, or a small text file in one that it shares with others.

    A broken file does not raise: the result's `status` and one-line `error` say what is wrong. A page that
    crashes, hangs or exhausts memory ends only its child, and the other pages are kept (PARTIAL).

    Args:
        path: The file. Its suffix, in any case, selects the format: see `SUPPORTED_SUFFIXES`.
        limits: The time, memory and size that the file may take.
        password: Opens an encrypted PDF. The empty password is tried as well.
        encoding: The encoding of a text file (`encoding_named`); None to detect it. Other formats ignore it.
        on_page: Called with (pages done, all pages) as pages arrive; in this thread.
        cancelled: Called about every 0.05 s; once it returns true the child is killed.
        shared: The child that reads small text files one after the other.

    Returns:
        Pages with cleaned text, headings, title, and the pages that failed.

    Raises:
        Cancelled: `cancelled` turned true.
    """
    suffix = path.suffix.lower()
    if refused := _refuse(path, suffix, limits):
        return refused
    absolute = os.path.abspath(path)  # noqa: PTH100  # keeps links
    request = ChildRequest(absolute, suffix, password, os.getpid(), limits, encoding=encoding)
    if shared is not None and is_quick(path, _size(path)):
        return shared.parse(request, on_page=on_page, cancelled=cancelled)
    collector = Collector(path.name, limits)
    Supervisor(request, collector, on_page=on_page, cancelled=cancelled).run()
    return collector.finish()


def is_quick(path: Path, size: int) -> bool:
    """Whether a file of so many bytes is one of those that a `SharedChild` reads: text, and small."""
    return path.suffix.lower() in TEXT_SUFFIXES and size <= MOST_BYTES


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # it is gone by now: its own child says so
        return MOST_BYTES + 1


def _refuse(path: Path, suffix: str, limits: ParseLimits) -> ParsedDocument | None:
    """The result for a path that cannot be parsed at all; None for the others."""
    shown = repr(str(path))
    try:
        info = path.stat()
        with path.open("rb") if stat.S_ISREG(info.st_mode) else nullcontext():
            pass
    except FileNotFoundError:
        return ParsedDocument(Status.FAILED, f"there is no file {shown}; check the path")
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = getattr(error, "strerror", None) or str(error)
        return ParsedDocument(Status.FAILED, f"{shown} cannot be opened ({reason}); check its permissions")
    if stat.S_ISDIR(info.st_mode):
        return ParsedDocument(Status.FAILED, f"{shown} is a folder; choose the files in it")
    if not stat.S_ISREG(info.st_mode):
        return ParsedDocument(Status.FAILED, f"{shown} is a device or pipe; choose a file")
    return _refuse_file(path.name, suffix, info.st_size, limits)


def _refuse_file(name: str, suffix: str, size: int, limits: ParseLimits) -> ParsedDocument | None:
    if suffix not in SUPPORTED_SUFFIXES:
        kind = f"the suffix {suffix!r}" if suffix else "no suffix"
        error = f"{name!r} has {kind}; files that can be read end in {READ_SUFFIXES}"
        return ParsedDocument(Status.UNSUPPORTED, error)
    if size == 0:
        status = Status.CORRUPT if suffix in DRAWN_SUFFIXES else Status.NO_TEXT
        return ParsedDocument(status, f"{name!r} is an empty file (0 bytes); get a new copy")
    if size > limits.max_bytes:
        error = f"{name!r} has {size} bytes, and the limit is {limits.max_bytes}; split it"
        return ParsedDocument(Status.TOO_LARGE, error)
    return None
