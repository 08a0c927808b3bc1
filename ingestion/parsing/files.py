"""One file to one `ParsedDocument`: what is checked before a child is started, and how it is watched."""

import os
import stat
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

from ingestion.documents import ParsedDocument, Status
from ingestion.errors import Cancelled
from ingestion.parsing.collect import Collector
from ingestion.parsing.frames import FrameError, Request
from ingestion.parsing.isolation import ChildProcess, Ended, signal_name
from ingestion.parsing.limits import ParseLimits

SUPPORTED_SUFFIXES: frozenset[str] = frozenset({".pdf", ".txt", ".md", ".markdown"})

POLL_SECONDS = 0.05  # how soon a cancel or a time limit is noticed
MEBIBYTE = 1024**2


def parse(
    path: Path,
    *,
    limits: ParseLimits = ParseLimits(),  # frozen
    password: str | None = None,
    on_page: Callable[[int, int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> ParsedDocument:
    """Read one file in a child process of its own.

    Whatever is wrong with the file becomes the result's `status` and a one-line `error`; a file that
    crashes, hangs or swells takes only the child with it, and the pages that came before are kept (PARTIAL).

    Args:
        path: The file. Its suffix, in any case, decides how it is read: see `SUPPORTED_SUFFIXES`.
        limits: What the file may take of the machine.
        password: Opens an encrypted PDF. The empty password is tried as well.
        on_page: Called with (pages done, pages in all) as pages arrive; in this thread.
        cancelled: Asked about every 0.05 s; when it turns true the child is killed.

    Returns:
        Pages with cleaned text, headings, title, and the pages that failed.

    Raises:
        Cancelled: `cancelled` turned true.
    """
    suffix = path.suffix.lower()
    if refused := _refuse(path, suffix, limits):
        return refused
    request = Request(os.path.abspath(path), suffix, password, os.getpid(), limits)  # noqa: PTH100  # keeps links
    collector = Collector(path.name, limits)
    with ChildProcess(request) as child:
        _watch(child, collector, name=path.name, limits=limits, on_page=on_page, cancelled=cancelled)
    return collector.finish()


def _refuse(path: Path, suffix: str, limits: ParseLimits) -> ParsedDocument | None:
    """The result for a path that is not worth a child; None for the others."""
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
        known = ", ".join(sorted(SUPPORTED_SUFFIXES))
        kind = f"the suffix {suffix!r}" if suffix else "no suffix"
        error = f"{name!r} has {kind}; files that can be read end in {known}"
        return ParsedDocument(Status.UNSUPPORTED, error)
    if size == 0:
        status = Status.CORRUPT if suffix == ".pdf" else Status.NO_TEXT
        return ParsedDocument(status, f"{name!r} is an empty file (0 bytes); get a new copy")
    if size > limits.max_bytes:
        error = f"{name!r} has {size} bytes, and the limit is {limits.max_bytes}; split it"
        return ParsedDocument(Status.TOO_LARGE, error)
    return None


def _watch(
    child: ChildProcess,
    collector: Collector,
    *,
    name: str,
    limits: ParseLimits,
    on_page: Callable[[int, int], None] | None,
    cancelled: Callable[[], bool] | None,
) -> None:
    """Feed the collector until the child has ended, or there is a reason to end it."""
    deadline = time.monotonic() + limits.wall_seconds
    while True:
        if cancelled is not None and cancelled():
            raise Cancelled(f"reading {name!r}")
        remaining = deadline - time.monotonic()
        if remaining <= 0:
            collector.stop(Status.TIMED_OUT, _timed_out(name, f"{limits.wall_seconds:g} s"))
            return
        received = child.receive(min(POLL_SECONDS, remaining))
        if received is None:
            continue
        if isinstance(received, Ended):
            if not collector.settled:
                collector.stop(*_explain_exit(child, name, limits))
            return
        had_text, had_pages = collector.text_done, collector.pages_done
        try:
            if isinstance(received, FrameError):
                raise received
            collector.take(received)
        except FrameError as error:
            collector.stop(
                Status.FAILED, f"the parser sent {error} while reading {name!r}; do not trust this file"
            )
            return
        if collector.text_done and not had_text:
            deadline = min(deadline, time.monotonic() + limits.outline_seconds)
        elif collector.settled and not collector.text_done:
            return
        if on_page is not None and collector.pages_done > had_pages:
            on_page(collector.pages_done, collector.page_count)


def _explain_exit(child: ChildProcess, name: str, limits: ParseLimits) -> tuple[Status, str]:
    """Why a child ended before it had sent everything: status and message."""
    code = child.exit_code()
    cause = signal_name(code)
    if cause == "SIGXCPU":
        return Status.TIMED_OUT, _timed_out(name, f"{limits.cpu_seconds} s of processor time")
    words = child.last_words()
    said = f": {words}" if words else ""
    if cause is None:
        return (
            Status.FAILED,
            f"the parser ended with code {code} while reading {name!r}{said}; report this file",
        )
    return (
        Status.FAILED,
        f"the parser crashed ({cause}) while reading {name!r}{said}; it is damaged, or needs more than the "
        f"{limits.memory_bytes // MEBIBYTE} MiB of memory that a file may take",
    )


def _timed_out(name: str, limit: str) -> str:
    return f"reading {name!r} took more than the limit of {limit}; split the file, or raise the limit"
