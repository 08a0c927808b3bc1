"""Clears the room for future vectors in Chroma's index files.

hnswlib allocates the room without clearing it and writes it with a new index, so anything that the process
held in that memory before, such as a page's text, would lie on the disk. Of the elements in
`data_level0.bin` (see `hnsw`) only the first `vectors` mean something.
"""

from contextlib import suppress
from pathlib import Path

from ingestion.storage.vectors.hnsw import ELEMENTS, Header

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
            for file in self._folder.glob(f"*/{ELEMENTS}"):
                if self._seen.get(file) != _look(file):
                    _clear(file)
                    self._seen[file] = _look(file)


def _look(file: Path) -> tuple[int, int]:
    info = file.stat()
    return info.st_mtime_ns, info.st_size


def _clear(file: Path) -> None:
    header = Header.read(file.parent)
    if header is None or not header.element:
        return
    left = file.stat().st_size - header.vectors * header.element
    known = (header.version, header.start) == (_VERSION, 0) and header.vectors <= header.capacity
    if not known or left < 0 or left % header.element:
        return
    with file.open("r+b") as stream:
        stream.seek(header.vectors * header.element)
        while left:
            left -= stream.write(b"\0" * min(left, _BLOCK))
