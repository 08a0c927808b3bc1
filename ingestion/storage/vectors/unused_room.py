"""Clears the room for future vectors in Chroma's index files.

hnswlib allocates the room without clearing it and writes it with a new index, so anything that the process
held in that memory before, such as a page's text, would lie on the disk. Layout of
`header.bin`, little-endian, as hnswlib writes it:

    version i32 | start u64 | capacity u64 | count u64 | bytes of an element u64 | … (100 bytes in all)

`data_level0.bin` holds elements of that size, of which the first `count` mean something.
"""

import struct
from contextlib import suppress
from pathlib import Path

_HEADER = struct.Struct("<i4Q")
_HEADER_BYTES = 100
_VERSION = 1
_BLOCK = 1 << 20


class UnusedRoom:
    """Zeroes what lies behind the elements of the indexes in a folder that have changed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen: dict[Path, tuple[int, int]] = {}

    def clear(self) -> None:
        """Nobody may write the indexes meanwhile. What does not look like an index is left alone."""
        with suppress(FileNotFoundError):  # an index, or all of them, may be removed meanwhile
            for file in self._folder.glob("*/data_level0.bin"):
                if self._seen.get(file) != _look(file):
                    _clear(file)
                    self._seen[file] = _look(file)


def _look(file: Path) -> tuple[int, int]:
    info = file.stat()
    return info.st_mtime_ns, info.st_size


def _clear(file: Path) -> None:
    header = file.with_name("header.bin").read_bytes()
    if len(header) != _HEADER_BYTES:
        return
    version, start, capacity, count, element = _HEADER.unpack_from(header)
    left = file.stat().st_size - count * element
    if (version, start) != (_VERSION, 0) or count > capacity or left < 0 or (element and left % element):
        return
    with file.open("r+b") as stream:
        stream.seek(count * element)
        while left:
            left -= stream.write(b"\0" * min(left, _BLOCK))
