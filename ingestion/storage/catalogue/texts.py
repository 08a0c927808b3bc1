"""A document's text in one blob, and where in it each page, chunk and heading lies.

SQLite zeroes what is deleted, but while it balances its trees it copies rows and leaves the copies
behind in the slack of its pages. Rows that reach beyond one page continue on overflow pages, which it
never copies and zeroes when they are freed. So all text of a document lies in one blob, behind a
column of padding that fills the part of the row that may be copied: deleted text is gone at once,
whatever else the file holds. Reading a slice takes some 5 µs.
"""

import hashlib
import sqlite3
import weakref
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import SpooledTemporaryFile

# What of the other tables a person reads or cites: by document, in an order that storing does not change.
_READ = (
    "SELECT sha256, bytes, status, error, page_count, chunk_count, version, warnings, title_start, "
    "title_length FROM documents WHERE id = ?",
    "SELECT number, label, text_start, text_length, layout FROM pages WHERE document_id = ? ORDER BY number",
    "SELECT number, reason FROM page_failures WHERE document_id = ? ORDER BY number",
    "SELECT page, start, level, text_start, text_length FROM headings WHERE document_id = ? ORDER BY rowid",
    "SELECT id, ordinal, page, start, end, text_start, text_length, context_start, context_length, "
    "heading_start, heading_length FROM chunks WHERE document_id = ? ORDER BY ordinal",
)

# More than SQLite keeps of a row in the tree itself: its page size less 35 bytes.
PADDING = 4096
# Bytes of a document that are read or written at a time.
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
        block = bytearray()
        for text in self._known:
            block += text.encode()
            if len(block) >= _BLOCK:
                yield bytes(block)
                block.clear()
        if block:
            yield bytes(block)


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
        if damaged and not connection.execute("SELECT 1 FROM texts WHERE id = ?", (text_id,)).fetchone():
            found.update(((text_id, place), "") for place in slices)
            continue
        with connection.blobopen("texts", "body", text_id, readonly=True) as blob:
            for place in slices:
                if (text_id, place) not in found:
                    blob.seek(max(0, min(place.start, len(blob))) if damaged else place.start)
                    length = max(0, place.length) if damaged else place.length
                    found[text_id, place] = blob.read(length).decode(errors=errors)
    return found


# Checksums: SQLite has none, so a flipped bit in a text would be read and cited like what was ingested


def text_checksum(connection: sqlite3.Connection, document_id: str) -> bytes:
    """Return a checksum of a document's text, pages, headings and chunks as they are stored."""
    whole = hashlib.blake2b(digest_size=16)
    for sql in _READ:
        for row in connection.execute(sql, (document_id,)):
            whole.update(repr(tuple(row)).encode("utf-8", "surrogatepass"))
        whole.update(b"\n")
    for (text_id,) in connection.execute("SELECT text_id FROM documents WHERE id = ?", (document_id,)):
        with connection.blobopen("texts", "body", text_id, readonly=True) as blob:
            while block := blob.read(_BLOCK):
                whole.update(block)
    return whole.digest()


def store_checksum(connection: sqlite3.Connection, document_id: str) -> None:
    """Store the checksum of a document's text as it is now, within a transaction."""
    connection.execute(
        "INSERT OR REPLACE INTO checksums (document_id, text) VALUES (?, ?)",
        (document_id, text_checksum(connection, document_id)),
    )


def stored_checksum(connection: sqlite3.Connection, document_id: str) -> bytes | None:
    """Return the checksum that a document's text had when it was ingested, if one was stored."""
    sql = "SELECT text FROM checksums WHERE document_id = ?"
    found = connection.execute(sql, (document_id,)).fetchone()
    return found[0] if found else None
