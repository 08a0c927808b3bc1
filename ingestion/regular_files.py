"""Files that a person names, opened with distrust: a path may lead to a pipe, a device or a folder.

Reading a device may never end, and opening a pipe waits for a process that writes into it. The errors are
OSErrors, so that a caller reports them as it reports a file that is missing.
"""

import errno
import os
import stat
from collections.abc import Iterator
from io import BufferedReader, TextIOWrapper
from pathlib import Path
from typing import TextIO

_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}
# Bytes of a line; no list of questions and no corpus has longer ones.
LONGEST_LINE = 64 * 2**20


class NotRegularFile(OSError):
    """The path leads to something other than a file with bytes."""


def check_regular(path: Path) -> os.stat_result:
    """Return what `stat` says of a file, without opening it. Raises OSError, NotRegularFile."""
    return _checked(path.stat(), path)


def open_regular(path: Path) -> BufferedReader:
    """Open a file for reading, without waiting. Raises OSError, NotRegularFile."""
    check_regular(path)  # opening some devices does something
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        _checked(os.fstat(descriptor), path)
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def read_regular(path: Path, most: int) -> bytes:
    """Return a file's bytes. Raises OSError, NotRegularFile; OSError for more than `most` bytes."""
    with open_regular(path) as stream:
        size = os.fstat(stream.fileno()).st_size
        if size > most:
            raise OSError(errno.EFBIG, f"it has {size} bytes, and the limit is {most}", str(path))
        return stream.read(size)  # a file of the kernel says 0 and may never end


def lines_of(path: Path) -> Iterator[str]:
    """Yield a file's lines. Raises OSError, NotRegularFile, UnicodeDecodeError."""
    with open_regular(path) as stream, TextIOWrapper(stream, encoding="utf-8") as text:
        while line := text.readline(LONGEST_LINE + 1):
            if len(line) > LONGEST_LINE:
                raise OSError(errno.EFBIG, f"it has a line of more than {LONGEST_LINE} bytes", str(path))
            yield line


def private_file(path: Path, *, newline: str | None = None) -> TextIO:
    """Open a text file for writing. A new file can be read by its owner alone; one that is there keeps its
    rights. Raises OSError."""

    def opener(name: str, flags: int) -> int:
        return os.open(name, flags, 0o600)

    return open(path, "w", encoding="utf-8", newline=newline, opener=opener)


def _checked(status: os.stat_result, path: Path) -> os.stat_result:
    kind = stat.S_IFMT(status.st_mode)
    if kind != stat.S_IFREG:
        what = _KINDS.get(kind, "no file")
        raise NotRegularFile(errno.EINVAL, f"it is {what}; name a regular file", str(path))
    return status
