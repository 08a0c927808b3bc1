"""Rows of the catalogue, written and removed inside a transaction of the library."""

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from ingestion.documents import Chunk, Heading, PageFailure, PageLayout, ParsedDocument
from ingestion.encoders import BLOCK_CHUNKS
from ingestion.storage.catalogue.database import insert_row
from ingestion.storage.catalogue.journal import insert_entry
from ingestion.storage.catalogue.records import Document, chunk_id
from ingestion.storage.catalogue.schema import WORD_TABLE
from ingestion.storage.catalogue.segment_table import remove_segments
from ingestion.storage.catalogue.texts import (
    Slice,
    TermSpool,
    TextBuilder,
    insert_text,
    read_slices,
    slice_of,
    store_checksum,
)

# Columns of `documents` that hold the attribute of that name as it is.
_PLAIN = "id collection_id name sha256 bytes status error version chunker language added reader encoding"
# (text, language) → the terms that FTS5 gets, separated by spaces.
Terms = Callable[[str, str], str]
# (row, or ordinal of a new chunk; terms of the context, terms of the text)
ChunkTerms = tuple[int, str, str]


@dataclass(frozen=True, slots=True)
class PreparedText:
    """A document's text as it will be stored: computed before the transaction, which all others wait for."""

    body: TextBuilder
    title: Slice | None
    pages: tuple[tuple[int, str | None, int, int, str | None], ...]
    failures: tuple[PageFailure, ...]
    headings: tuple[tuple[int, int, int, int, int], ...]
    chunks: tuple[tuple[object, ...], ...]
    terms: TermSpool


def prepare_text(
    parsed: ParsedDocument,
    chunks: Sequence[Chunk],
    language: str,
    terms: Terms,
    folder: Path | None = None,
) -> PreparedText:
    """Lay a document's text out in one blob, and turn its chunks into terms, which wait in `folder` where
    they are many."""
    text = TextBuilder()
    slices = {page.number: text.add(page.text) for page in parsed.pages}
    by_number = {page.number: page.text for page in parsed.pages}
    headings = [(heading, text.add(heading.title)) for heading in parsed.headings]
    rows: list[tuple[object, ...]] = []
    for chunk in chunks:
        place = slice_of(slices[chunk.page], by_number[chunk.page], chunk.start, chunk.end)
        context = text.add(chunk.context)
        heading = text.add(chunk.heading) if chunk.heading else None
        where = (chunk.ordinal, chunk.page, chunk.start, chunk.end)
        parts = (place.start, place.length, context.start, context.length)
        rows.append((*where, *parts, heading and heading.start, heading and heading.length))
    title = text.add(parsed.title) if parsed.title else None
    spool = TermSpool(folder)
    for chunk in chunks:
        spool.append(chunk.ordinal, terms(chunk.context, language), terms(chunk.text, language))
    return PreparedText(
        body=text,
        title=title,
        pages=tuple(
            (page.number, page.label, place.start, place.length, _json(page.layout))
            for page, place in zip(parsed.pages, slices.values(), strict=True)
        ),
        failures=parsed.failures,
        headings=tuple((h.page, h.start, h.level, place.start, place.length) for h, place in headings),
        chunks=tuple(rows),
        terms=spool,
    )


def insert_document(connection: sqlite3.Connection, document: Document, text: PreparedText) -> None:
    """Write a document's rows. A former version's rows must have been removed in the transaction."""
    insert_row(
        connection,
        "documents",
        **{name: getattr(document, name) for name in _PLAIN.split()},
        text_id=insert_text(connection, text.body),
        title_start=text.title and text.title.start,
        title_length=text.title and text.title.length,
        page_count=document.pages,
        chunk_count=document.chunks,
        warnings=json.dumps(document.warnings, ensure_ascii=False),
    )
    connection.executemany(
        "INSERT INTO pages (document_id, number, label, text_start, text_length, layout) "
        "VALUES (?, ?, ?, ?, ?, ?)",
        [(document.id, *page) for page in text.pages],
    )
    connection.executemany(
        "INSERT INTO page_failures (document_id, number, reason) VALUES (?, ?, ?)",
        [(document.id, failure.number, failure.reason) for failure in text.failures],
    )
    connection.executemany(
        "INSERT INTO headings (document_id, page, start, level, text_start, text_length) "
        "VALUES (?, ?, ?, ?, ?, ?)",
        [(document.id, *heading) for heading in text.headings],
    )
    for chunk, (ordinal, context, body) in zip(text.chunks, text.terms, strict=True):
        cursor = connection.execute(
            "INSERT INTO chunks (id, document_id, ordinal, page, start, end, text_start, text_length, "
            "context_start, context_length, heading_start, heading_length) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (chunk_id(document.id, document.version, ordinal), document.id, *chunk),
        )
        connection.execute(
            "INSERT INTO chunk_index (rowid, context, body) VALUES (?, ?, ?)",
            (cursor.lastrowid, context, body),
        )
    store_checksum(connection, document.id)


def hide_document(connection: sqlite3.Connection, document: Document) -> None:
    """Make a document invisible at once, however long it is, and journal it for erasure: `erase_rows` and the
    other stores follow. Its sources stay."""
    segments = remove_segments(connection, document)
    connection.execute("UPDATE documents SET collection_id = NULL WHERE id = ?", (document.id,))
    insert_entry(connection, "remove", document, segments)


def hidden_terms(
    connection: sqlite3.Connection, document_id: str, terms: Terms, folder: Path | None = None
) -> TermSpool:
    """Return the terms of a hidden document, for `erase_rows`; of no other. See `prepare_text`."""
    rows = connection.execute(
        "SELECT language FROM documents WHERE id = ? AND collection_id IS NULL", (document_id,)
    ).fetchall()
    spool = TermSpool(folder)
    for row in rows:
        # It must not keep what is damaged.
        for found in chunk_terms(connection, document_id, row[0], terms, damaged=True):
            spool.append(*found)
    return spool


def erase_rows(connection: sqlite3.Connection, document_id: str, terms: Iterable[ChunkTerms]) -> None:
    """Erase a hidden document's text and rows. Does nothing where they are gone or it is visible."""
    hidden = connection.execute(
        "SELECT text_id FROM documents WHERE id = ? AND collection_id IS NULL", (document_id,)
    ).fetchall()
    for row in hidden:
        # The index holds no text of its own, so it must be told what it forgets.
        connection.executemany(
            "INSERT INTO chunk_index (chunk_index, rowid, context, body) VALUES ('delete', ?, ?, ?)", terms
        )
        connection.execute("DELETE FROM documents WHERE id = ?", (document_id,))
        connection.execute("DELETE FROM texts WHERE id = ?", (row[0],))


def remove_document(connection: sqlite3.Connection, document: Document, terms: Terms) -> None:
    """Hide a document and erase its rows in one transaction: where another takes its id."""
    hide_document(connection, document)
    erase_rows(connection, document.id, hidden_terms(connection, document.id, terms))


def chunk_terms(
    connection: sqlite3.Connection, document_id: str, language: str, terms: Terms, *, damaged: bool = False
) -> Iterator[ChunkTerms]:
    """Yield the terms of each chunk of a stored document."""
    rows = connection.execute(
        "SELECT c.rowid, d.text_id, c.text_start, c.text_length, c.context_start, c.context_length "
        "FROM chunks c JOIN documents d ON d.id = c.document_id WHERE d.id = ? ORDER BY c.ordinal",
        (document_id,),
    ).fetchall()
    for first in range(0, len(rows), BLOCK_CHUNKS):
        some = rows[first : first + BLOCK_CHUNKS]
        text_id = some[0][1]
        places = [(row[0], Slice(row[4], row[5]), Slice(row[2], row[3])) for row in some]
        wanted = {text_id: [place for _, *pair in places for place in pair]}
        texts = read_slices(connection, wanted, damaged=damaged)
        for row, context, body in places:
            yield row, terms(texts[text_id, context], language), terms(texts[text_id, body], language)


def rebuild_words(connection: sqlite3.Connection, documents: Iterable[Document], terms: Terms) -> None:
    """Fill the index of words anew with the terms of these, all visible, documents."""
    # What is hidden is not in the new index, so it could not be told to forget it.
    hidden = connection.execute("SELECT text_id FROM documents WHERE collection_id IS NULL").fetchall()
    connection.execute("DELETE FROM documents WHERE collection_id IS NULL")
    connection.executemany("DELETE FROM texts WHERE id = ?", hidden)
    connection.execute("DROP TABLE chunk_index")  # 'delete-all' would need an index that can be read
    connection.execute(WORD_TABLE)
    for document in documents:
        connection.executemany(
            "INSERT INTO chunk_index (rowid, context, body) VALUES (?, ?, ?)",
            # What cannot be read is in no index; what is damaged is, so that it can be forgotten again.
            chunk_terms(connection, document.id, document.language, terms, damaged=True),
        )


def layout_from(text: str | None) -> PageLayout | None:
    """The inverse of how a page's layout is stored."""
    if text is None:
        return None
    fields = json.loads(text)
    return PageLayout(
        fields["width"],
        fields["height"],
        tuple((int(a), int(b)) for a, b in fields["runs"]),
        tuple((int(a), int(b), *map(float, box)) for a, b, *box in fields["words"]),  # type: ignore[misc]
        tuple(tuple(map(int, cell)) for cell in fields.get("tables", ())),  # type: ignore[misc]
    )


def heading_from(row: sqlite3.Row, title: str) -> Heading:
    return Heading(title, row["level"], row["page"], row["start"])


def _json(layout: PageLayout | None) -> str | None:
    return None if layout is None else json.dumps(asdict(layout), separators=(",", ":"))
