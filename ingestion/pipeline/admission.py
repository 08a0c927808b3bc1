"""The first stage: a file is hashed, and sent to be parsed unless its bytes are known or on their way."""

import errno
import stat
from dataclasses import dataclass, replace
from pathlib import Path

from ingestion.documents import Status
from ingestion.errors import InvalidInput
from ingestion.parsing import ParseLimits, encoding_named, is_quick, known_names
from ingestion.pipeline.context import IngestContext, IngestTask
from ingestion.pipeline.progress import IngestResult
from ingestion.storage.originals import Source, hash_file, readable
from ingestion.text.leftovers import is_apple_double, why_unreadable
from ingestion.text.names import composed


@dataclass(frozen=True, slots=True)
class AdmittedFile:
    """A file to parse. `known` is the result for the same bytes, of which only a part was read before."""

    number: int
    task: IngestTask
    file: Path
    source: Source
    known: IngestResult | None

    @property
    def is_quick(self) -> bool:
        """Whether it is one of the small text files that one child reads one after the other."""
        return is_quick(self.file, self.source.bytes)


class Admission:
    """Admits files in order. Files with the same bytes or path go one after the other."""

    def __init__(self, context: IngestContext) -> None:
        self._context = context
        self._claimed: dict[int, set[str]] = {}  # bytes and paths that are on their way
        self._held: list[tuple[int, IngestTask]] = []
        self._released = False

    @property
    def is_holding(self) -> bool:
        """Whether files are held back."""
        return bool(self._held)

    def admit(self, number: int, task: IngestTask) -> AdmittedFile | IngestResult | None:
        """Return a file to parse, or the result of one that needs no parsing or cannot be read.

        None: the file is held back while another one with its bytes or path is on its way.
        """
        name = composed(readable(task.file.name))
        result = IngestResult(readable(task.source), name, Status.FAILED, file=number)
        try:
            file = task.file.resolve()
            source = _source(file, result.path, name, self._context.limits)
            if is_apple_double(file):
                return replace(result, status=Status.UNSUPPORTED, error=why_unreadable(task.file))
        except _TooLargeError as error:
            return replace(result, status=Status.TOO_LARGE, error=str(error))
        except (OSError, RuntimeError, ValueError) as error:  # a loop of links, a NUL in the name
            code = getattr(error, "errno", None)
            if code in (errno.EMFILE, errno.ENFILE) or isinstance(error, RecursionError):
                raise  # it is this process's, not the file's
            reason = getattr(error, "strerror", None) or str(error)
            return replace(result, error=f"{result.path} cannot be read: {reason}; check its name and rights")
        keys = {source.sha256, composed(source.path)}
        if any(keys & claimed for claimed in self._claimed.values()):
            self._held.append((number, task))
            return None
        self._context.library.respell(self._context.collection_id, source.path)
        known = self._context.known_result(source, number, task)
        if known and known.status != Status.PARTIAL:
            return known
        self._claimed[number] = keys
        return AdmittedFile(number, task, file, source, known)

    def release(self, number: int) -> None:
        """Let files pass that were held back for this one, which has come to its end."""
        self._claimed.pop(number, None)
        self._released = True

    def released(self) -> list[tuple[int, IngestTask]]:
        """Return the files that were held back, to be admitted anew, when another has come to its end."""
        if not self._released:
            return []
        self._released = False
        held, self._held = self._held, []
        return held


class _TooLargeError(Exception):
    """A file that is larger than may be read."""


def _source(file: Path, path: str, name: str, limits: ParseLimits) -> Source:
    state = file.stat()
    if not stat.S_ISREG(state.st_mode):
        raise OSError("it is a device or pipe, or a folder")
    if state.st_size > limits.max_bytes:
        raise _TooLargeError(
            f"{name!r} has {state.st_size} bytes, and the limit is {limits.max_bytes}; split it"
        )
    sha256, size = hash_file(file)
    return Source(path=path, name=name, sha256=sha256, bytes=size, file=file)


def encoding_given(name: str | None) -> str | None:
    """Return Python's name of the encoding that a person gives. Raises InvalidInput for an unknown one."""
    if name is None or not name.strip():
        return None
    if (known := encoding_named(name)) is None:
        raise InvalidInput(f"{name[:40]!r} is no known encoding; choose one of: {known_names()}")
    return known
