"""A document's text in one blob, and where in it each page, chunk and heading lies.

SQLite zeroes what is deleted, but while it balances its trees it copies rows and leaves the copies
behind in the slack of its pages. Rows that reach beyond one page continue on overflow pages, which it
never copies and zeroes when they are freed. So all text of a document lies in one blob, behind a
column of padding that fills the part of the row that may be copied: deleted text is gone at once,
whatever else the file holds. Reading a slice takes some 5 µs.
"""

import hashlib
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

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
_BLOCK = 1 << 20  # bytes

# More than SQLite keeps of a row in the tree itself: its page size less 35 bytes.
PADDING = 4096


@dataclass(frozen=True, slots=True)
class Slice:
    """`length` bytes of UTF-8 from `start` on."""

    start: int
    length: int


@dataclass
class TextBuilder:
    """Collects a document's strings; equal ones are kept once."""

    _parts: list[bytes] = field(default_factory=list)
    _known: dict[str, Slice] = field(default_factory=dict)
    _size: int = 0

    def add(self, text: str) -> Slice:
        """Append a string, or find it."""
        if text not in self._known:
            data = text.encode()
            self._known[text] = Slice(self._size, len(data))
            self._parts.append(data)
            self._size += len(data)
        return self._known[text]

    def body(self) -> bytes:
        return b"".join(self._parts)


def slice_of(page: Slice, text: str, start: int, end: int) -> Slice:
    """Return where characters start:end of a page's text lie, given where the page does."""
    return Slice(page.start + len(text[:start].encode()), len(text[start:end].encode()))


def insert_text(connection: sqlite3.Connection, body: bytes) -> int:
    """Write a document's text; return its id."""
    cursor = connection.execute("INSERT INTO texts (pad, body) VALUES (zeroblob(?), ?)", (PADDING, body))
    return int(cursor.lastrowid or 0)


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
