"""Logging: where lines go, what they carry, and what they must not hold.

Every module logs to `logging.getLogger(__name__)`. Only entry points call `log_to_standard_error` and
`log_to_file`. A line holds ids, kinds, counts and durations: no text of a document, question or answer, no
file's name, no password, token or key. Tracebacks are written without the errors' messages, which may quote
any of these.
"""

import contextvars
import logging
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

Level = Literal["DEBUG", "INFO", "WARNING", "ERROR"]

# Relative to the data folder.
LOG_FILE = Path("logs", "rag-app.log")
_LARGEST_BYTES = 2_000_000
_OLDER_FILES = 3

_PACKAGES = ("ingestion", "retrievers", "rag_app", "ui")
_FORMAT = "%(asctime)s %(levelname)s %(name)s [%(request)s] %(message)s"
_NO_REQUEST = "-"

_request: contextvars.ContextVar[str] = contextvars.ContextVar("request", default=_NO_REQUEST)
_logger = logging.getLogger(__name__)


def log_to_standard_error(level: Level | None) -> None:
    """Write lines from a level on to standard error; None: no lines. Replaces an earlier choice."""
    handler = logging.NullHandler() if level is None else _StandardErrorHandler()
    _install(handler, "standard error", level or "WARNING")


def log_to_file(folder: Path, level: Level | None) -> None:
    """Write lines from a level (None: INFO) on to LOG_FILE in a data folder, which only its owner can read.

    The file is rotated at 2 MB; three older files are kept. A folder that cannot be written to is reported
    to the other handlers.
    """
    file = folder / LOG_FILE
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handler = _PrivateFileHandler(
            file,
            maxBytes=_LARGEST_BYTES,
            backupCount=_OLDER_FILES,
            encoding="utf-8",
        )
    except OSError as error:
        _logger.warning("no log file is written: %s", error.strerror)
        return
    _install(handler, "file", level or "INFO")


@contextmanager
def request(identity: str | None = None) -> Iterator[str]:
    """Give the lines of a block a request's id, a new one if none is given; yield the id.

    An error that leaves the block keeps the id for `report_unexpected`.
    """
    identity = identity or uuid4().hex[:12]
    token = _request.set(identity)
    try:
        yield identity
    except Exception as error:
        error.__dict__.setdefault("request_id", identity)
        raise
    finally:
        _request.reset(token)


def report_unexpected(error: BaseException) -> str:
    """Log an error that no code foresaw; return the id of the request for the person who sees it fail."""
    known = reported_as(error) or _request.get()
    with request(None if known == _NO_REQUEST else known) as identity:
        _logger.error("unexpected error", exc_info=error)
    error.__dict__["request_id"] = identity
    return identity


def reported_as(error: BaseException) -> str | None:
    """Return the id of the request under which the log has an error; None for one that was not logged."""
    return getattr(error, "request_id", None)


def _install(handler: logging.Handler, name: str, level: Level) -> None:
    handler.name = name
    handler.setLevel(level)
    handler.setFormatter(_Formatter(_FORMAT))
    for package in _PACKAGES:
        logger = logging.getLogger(package)
        for former in [one for one in logger.handlers if one.name == name]:
            logger.removeHandler(former)
            former.close()
        logger.addHandler(handler)
        levels = [one.level for one in logger.handlers if not isinstance(one, logging.NullHandler)]
        logger.setLevel(min(levels, default=logging.WARNING))


class _Formatter(logging.Formatter):
    """Adds the request's id, and leaves errors' messages out of tracebacks."""

    def format(self, record: logging.LogRecord) -> str:
        record.request = _request.get()
        return super().format(record)

    def formatException(self, ei: Any) -> str:  # noqa: N802 (the standard library's name)
        error: BaseException | None = ei[1]
        parts = []
        while error is not None:
            parts.append("".join(traceback.format_tb(error.__traceback__)) + type(error).__qualname__)
            error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        return "\ncaused by:\n".join(parts)


class _StandardErrorHandler(logging.StreamHandler[Any]):
    """Writes to what standard error is at that moment."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> Any:
        return sys.stderr


class _PrivateFileHandler(RotatingFileHandler):
    """Opens files that only their owner can read. A line that cannot be written takes nothing along."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (the standard library's name)
        if not isinstance(sys.exc_info()[1], OSError):  # a full disk: other handlers have the line
            super().handleError(record)

    def _open(self) -> TextIOWrapper:
        def opener(path: str, flags: int) -> int:
            return os.open(path, flags, 0o600)

        return open(self.baseFilename, "a", encoding="utf-8", opener=opener)
