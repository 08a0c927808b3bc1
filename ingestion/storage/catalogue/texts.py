"""A document's text in one blob, and where in it each page, chunk and heading lies.

SQLite zeroes what is deleted, but while it balances its trees it copies rows and leaves the copies
behind in the slack of its pages. Rows that reach beyond one page continue on overflow pages, which it
never copies and zeroes when they are freed. So all text of a document lies in one blob, behind a
column of padding that fills the part of the row that may be copied: deleted text is gone at once,
whatever else the file holds. Reading a slice takes some 5 µs.
"""

import sqlite3
import weakref
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import SpooledTemporaryFile

# More than SQLite keeps of a row in the tree itself: its page size less 35 bytes.
PADDING = 4096
# Bytes of a document that are written at a time.
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Slice:
    """`length` bytes of UTF-8 from `start` on."""

    start: int
    length: int


@dataclass
class TextBuilder:
    """Collects a document's strings; equal ones are kept once."""

    size: int = 0
    _known: dict[str, Slice] = field(default_factory=dict)

    def add(self, text: str) -> Slice:
        """Append a string, or find it."""
        if text not in self._known:
            length = len(text.encode())
            self._known[text] = Slice(self.size, length)
            self.size += length
        return self._known[text]

    def blocks(self) -> Iterator[bytes]:
        """Yield the bytes of all strings in order, some at a time: memory holds the strings already."""
        block: list[bytes] = []
        for text in self._known:
            block.append(text.encode())
            if sum(map(len, block)) >= _BLOCK:
                yield b"".join(block)
                block.clear()
        if block:
            yield b"".join(block)


def slice_in(row: sqlite3.Row, name: str) -> Slice:
    """Return the slice that a row's columns of that name have."""
    return Slice(row[f"{name}_start"], row[f"{name}_length"])


def slice_of(page: Slice, text: str, start: int, end: int) -> Slice:
    """Return where characters start:end of a page's text lie, given where the page does."""
    return Slice(page.start + len(text[:start].encode()), len(text[start:end].encode()))


def insert_text(connection: sqlite3.Connection, text: TextBuilder) -> int:
    """Write a document's text; return its id."""
    values = "VALUES (zeroblob(?), zeroblob(?))"
    cursor = connection.execute(f"INSERT INTO texts (pad, body) {values}", (PADDING, text.size))
    identity = int(cursor.lastrowid or 0)
    with connection.blobopen("texts", "body", identity) as blob:
        for block in text.blocks():
            blob.write(block)
    return identity


class TermSpool:
    """The terms of a document's chunks on their way into the index or out of it: on the disk, where they are
    many. They are hashes with the library's key."""

    def __init__(self, folder: Path | None = None) -> None:
        """`folder` is the disk's, if not the system's for temporary files."""
        self._file = SpooledTemporaryFile(_BLOCK, dir=None if folder is None else str(folder))  # noqa: SIM115
        self.close = weakref.finalize(self, self._file.close)

    def append(self, row: int, context: str, body: str) -> None:
        """Add a chunk: its row, and the terms of its context and of its text, separated by spaces."""
        self._file.write(f"{row}\n{context}\n{body}\n".encode("ascii"))

    def __iter__(self) -> Iterator[tuple[int, str, str]]:
        self._file.seek(0)
        lines = (line.decode("ascii").rstrip("\n") for line in self._file)
        for row, context, body in zip(lines, lines, lines, strict=True):
            yield int(row), context, body


def read_slices(
    connection: sqlite3.Connection, wanted: Mapping[int, Iterable[Slice]], *, damaged: bool = False
) -> dict[tuple[int, Slice], str]:
    """Return the strings at the slices of each text id; with `damaged`, as far as they can be read.

    Raises ValueError for a slice beyond the text, and for one that is no UTF-8.
    """
    errors = "replace" if damaged else "strict"
    found: dict[tuple[int, Slice], str] = {}
    for text_id, slices in wanted.items():
        with connection.blobopen("texts", "body", text_id, readonly=True) as blob:
            for place in slices:
                if (text_id, place) not in found:
                    blob.seek(min(place.start, len(blob)) if damaged else place.start)
                    found[text_id, place] = blob.read(place.length).decode(errors=errors)
    return found
