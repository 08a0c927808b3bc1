"""Room on the disk: how a full disk is recognised, and a reserve that deleting documents can spend.

reserve    a file in the data folder with nothing in it. It gives its room to a change that frees more,
           and to the states of jobs, where the disk is full; it is made again when there is room
"""

import errno
import os
import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from rich.filesize import decimal

from ingestion.errors import DiskFull, LibraryError

RESERVE = "reserve"
RESERVE_BYTES = 4 << 20
# Of the reserve, for a row in the catalogue: a few pages of SQLite's and their log.
SMALL_BYTES = 256 << 10
# Below this, work that fills the disk does not begin: logs, history and states need some room as well.
_LEAST_BYTES = 1 << 20
# Below this, SQLite's and Chroma's errors of input and output are taken for those of a full disk.
_NOTHING_BYTES = SMALL_BYTES
# What people are told to free: enough to go on with a document of usual size.
_ADVISED_MB = 20
_ERRNOS = (errno.ENOSPC, errno.EDQUOT)
_WORDS = ("disk is full", "no space left", "quota exceeded")

T = TypeVar("T")


def free_bytes(folder: Path) -> int:
    """Return what this user may still write on the folder's disk."""
    return shutil.disk_usage(folder).free


def is_disk_full(error: BaseException, folder: Path) -> bool:
    """Whether an error, or one that caused it, says that the folder's disk has no room."""
    return any(_says_full(one, folder) for one in _chain(error))


def no_space(folder: Path, what: str = "", *, again: str = "try again") -> DiskFull:
    """Return the error for a full disk; `what` could not be done, and `again` is done once there is room."""
    with suppress(OSError):
        free = f" ({decimal(free_bytes(folder))} free)"
        return DiskFull(
            f"{what + ': ' if what else ''}No space left on the disk of {folder}{free}; delete documents "
            f"that are no longer wanted, or free {_ADVISED_MB} MB there, then {again}"
        )
    return DiskFull(f"{what + ': ' if what else ''}No space left on the disk of {folder}; then {again}")


@contextmanager
def explained(folder: Path) -> Iterator[None]:
    """Raise DiskFull for an error of the system that says that the folder's disk has no room."""
    try:
        yield
    except OSError as error:
        if not is_disk_full(error, folder):
            raise
        raise no_space(folder) from error


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _says_full(error: BaseException, folder: Path) -> bool:
    if isinstance(error, DiskFull) or (isinstance(error, OSError) and error.errno in _ERRNOS):
        return True
    if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL:
        return True
    words = str(error).lower()
    if any(known in words for known in _WORDS):
        return True
    # SQLite cannot make its shared memory, and says only "disk I/O error"; Chroma passes that on.
    if "disk i/o error" in words or "unable to open database file" in words:
        with suppress(OSError):
            return free_bytes(folder) < _NOTHING_BYTES
    return False


class SpaceReserve:
    """The reserve of one data folder. Safe to use from several threads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = folder / RESERVE
        self._lock = threading.Lock()

    @property
    def held(self) -> int:
        """The bytes that the reserve holds."""
        try:
            return self._file.stat().st_size
        except OSError:
            return 0

    def restore(self) -> bool:
        """Make the reserve whole where that leaves as much room again; return whether it is whole."""
        with self._lock:
            held = self.held
            if held >= RESERVE_BYTES:
                return True
            try:
                if free_bytes(self._folder) < 2 * RESERVE_BYTES - held:
                    return False
                descriptor = os.open(self._file, os.O_RDWR | os.O_CREAT, 0o600)
            except OSError:
                return False
            try:
                os.posix_fallocate(descriptor, 0, RESERVE_BYTES)
            except OSError:
                with suppress(OSError):
                    os.ftruncate(descriptor, held)
                return False
            finally:
                os.close(descriptor)
            return True

    def give(self, amount: int = RESERVE_BYTES) -> bool:
        """Give room back to the disk; return whether there was any to give."""
        with self._lock:
            held = self.held
            with suppress(OSError):
                if 0 < held <= amount:
                    self._file.unlink()
                elif held:
                    os.truncate(self._file, held - amount)
                return held > 0
            return False

    def ensure_room(self, needed: int = 0) -> None:
        """Raises DiskFull where the disk has no room for so many bytes, the reserve and a little more."""
        lacking = 0 if self.restore() else RESERVE_BYTES
        with suppress(OSError):  # the writing itself says what is wrong with the folder
            if free_bytes(self._folder) < needed + lacking + _LEAST_BYTES:
                raise no_space(self._folder)

    def make_room(self) -> None:
        """Give a little where the disk has nothing left: opening a library writes to it."""
        with suppress(OSError):
            if free_bytes(self._folder) < SMALL_BYTES:
                self.give(SMALL_BYTES)

    def spend_on(self, work: Callable[[], T], amount: int = RESERVE_BYTES) -> T:
        """Do work that may be repeated; where the disk is full, again with the room of the reserve.

        Raises what `work` raises.
        """
        try:
            return work()
        except (LibraryError, OSError) as error:
            if not is_disk_full(error, self._folder) or not self.give(amount):
                raise
            return work()
        finally:
            self.restore()
