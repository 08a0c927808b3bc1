"""The lock of a library: one process opens it. The lock ends with the process, however that ends.

A note beside the lock names the process and, while it serves, the address and token of its API. Only this
user can read the note.
"""

import errno
import json
import os
import re
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from filelock import FileLock, Timeout

from ingestion.errors import DiskFull, LibraryError, LibraryInUse

_OPTION = re.compile(r"--?[A-Za-z][A-Za-z-]*")
_NAME = re.compile(r"[a-z][a-z-]{1,20}")
# Options before a command's name that take no value.
_FLAGS = ("--verbose", "--debug")
_MOST_NAMES = 2  # as in `jobs show`
_HIDDEN = "…"


@dataclass(frozen=True, slots=True)
class Holder:
    """The process that has a library open; `url` and `token` when it serves an API.

    The note of a process that was killed stays: it says something only while the lock is held.
    """

    pid: int
    command: str
    url: str | None = None
    token: str | None = None


class LibraryLock:
    """A lock on a library's folder, which it creates, and the note about its holder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        # Not thread_local: a server's shutdown closes the library in another thread than opened it.
        self._lock = FileLock(folder / "library.lock", thread_local=False)

    def acquire(self) -> None:
        """Take the lock, or raise LibraryInUse naming its holder, at once."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock.acquire(timeout=0)
            _write(self._folder, Holder(os.getpid(), _command()))
        except Timeout as error:
            holder = read_holder(self._folder)
            who = f"process {holder.pid}: {holder.command}" if holder else "which left no note of itself"
            raise LibraryInUse(
                f"the library {self._folder} is open in another process ({who}); "
                "use that one, or close it and try again"
            ) from error
        except OSError as error:
            self._lock.release()
            kind: type[LibraryError] = LibraryError
            full = ""
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                kind, full = DiskFull, "free some space on its disk, or "
            raise kind(
                f"the data folder {self._folder} cannot be used: {error.strerror or error}; "
                f"{full}choose another with --data-dir or RAG_APP_DATA_DIR"
            ) from error

    def release(self) -> None:
        if self._lock.is_locked:
            _note(self._folder).unlink(missing_ok=True)
        self._lock.release()


def read_holder(folder: Path) -> Holder | None:
    """Return the library's holder according to the note, or None where no note can be read."""
    try:
        fields = json.loads(_note(folder).read_text("utf-8"))
        command = redacted(str(fields["command"]).split())
        return Holder(int(fields["pid"]), command, fields.get("url"), fields.get("token"))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def is_held(folder: Path) -> bool:
    """Return whether a process has the library of a folder open."""
    try:
        with FileLock(folder / "library.lock", timeout=0):
            return False
    except Timeout:
        return True
    except OSError:  # no such folder, or none that this user may enter
        return False


def announce(folder: Path, *, url: str, token: str) -> None:
    """Note the address and token at which this process serves the library that it has open.

    Raises:
        LibraryError: The note cannot be written.
    """
    try:
        _write(folder, Holder(os.getpid(), _command(), url, token))
    except OSError as error:
        raise LibraryError(
            f"the data folder {folder} cannot be written: {error.strerror or error}; "
            "check its rights and the disk's space"
        ) from error


def withdraw(folder: Path) -> None:
    """Remove the address from the note: this process no longer serves the library."""
    holder = read_holder(folder)
    if holder and holder.pid == os.getpid():
        with suppress(OSError):  # then the note names a server that does not answer, as after a crash
            _write(folder, replace(holder, url=None, token=None))


def _note(folder: Path) -> Path:
    return folder / "library.holder"


def _write(folder: Path, holder: Holder) -> None:
    """Write the note as a whole, readable by this user alone."""
    new = folder / "library.holder.new"
    new.unlink(missing_ok=True)
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:  # noqa: PTH123
        json.dump(asdict(holder), file)
    new.replace(_note(folder))


def _command() -> str:
    return redacted([Path(sys.argv[0]).name, *sys.argv[1:]])


def redacted(words: Sequence[str]) -> str:
    """Return a command without the values of its options and arguments: passwords and questions are among
    them. The names of options and commands stay."""
    shown: list[str] = list(words[:1])
    names = 0
    follows_option = False
    for word in words[1:]:
        option, given, _ = word.partition("=")
        if _OPTION.fullmatch(option):
            shown.append(f"{option}={_HIDDEN}" if given else option)
            follows_option = not given and option not in _FLAGS
            continue
        is_name = not follows_option and names < _MOST_NAMES and _NAME.fullmatch(word)
        if not follows_option:  # nothing that follows an argument is a command's name
            names = names + 1 if is_name else _MOST_NAMES
        if is_name or shown[-1] != _HIDDEN:
            shown.append(word if is_name else _HIDDEN)
        follows_option = False
    return " ".join(shown)[:200]
