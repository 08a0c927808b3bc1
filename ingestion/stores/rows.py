"""Rows of the catalogue, written and removed inside a transaction of the library."""

import sqlite3
from collections.abc import Sequence

from ingestion.documents import Chunk, Page, PageFailure
from ingestion.stores.records import Document, chunk_id


def insert_source(connection: sqlite3.Connection, collection_id: int, path: str, document_id: str) -> None:
    connection.execute(
        "INSERT INTO sources (collection_id, path, document_id) VALUES (?, ?, ?) "
        "ON CONFLICT (collection_id, path) DO UPDATE SET document_id = excluded.document_id",
        (collection_id, path, document_id),
    )


def insert_journal(connection: sqlite3.Connection, kind: str, document: Document) -> int:
    cursor = connection.execute(
        "INSERT INTO journal (kind, collection_id, document_id, version, chunks, segment, sha256) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        (kind, document.collection_id, document.id, document.version, document.chunks, document.segment,
         document.sha256),
    )  # fmt: skip
    return int(cursor.lastrowid or 0)


def insert_document(
    connection: sqlite3.Connection,
    document: Document,
    pages: Sequence[Page],
    failures: Sequence[PageFailure],
    chunks: Sequence[Chunk],
) -> None:
    """Write a document's rows. A former version's rows must have been removed in the transaction."""
    connection.execute(
        "INSERT INTO documents (id, collection_id, name, title, sha256, bytes, status, error, page_count, "
        "chunk_count, version, fingerprint, segment, added) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (document.id, document.collection_id, document.name, document.title, document.sha256, document.bytes,
         document.status, document.error, document.pages, len(chunks), document.version,
         document.fingerprint, document.segment, document.added),
    )  # fmt: skip
    connection.executemany(
        "INSERT INTO pages (document_id, number, label, text) VALUES (?, ?, ?, ?)",
        [(document.id, page.number, page.label, page.text) for page in pages],
    )
    connection.executemany(
        "INSERT INTO page_failures (document_id, number, reason) VALUES (?, ?, ?)",
        [(document.id, failure.number, failure.reason) for failure in failures],
    )
    for chunk in chunks:
        cursor = connection.execute(
            "INSERT INTO chunks (id, document_id, ordinal, page, start, end, heading, context) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (chunk_id(document.id, document.version, chunk.ordinal), document.id, chunk.ordinal, chunk.page,
             chunk.start, chunk.end, chunk.heading, chunk.context),
        )  # fmt: skip
        connection.execute(
            "INSERT INTO chunk_index (rowid, context, body) VALUES (?, ?, ?)",
            (cursor.lastrowid, chunk.context, chunk.text),
        )


def remove_document(connection: sqlite3.Connection, document: Document) -> None:
    """Remove a document's rows and journal its vectors for erasure. Its sources stay."""
    # The index holds no text of its own, so it must be told what it forgets.
    connection.execute(
        "INSERT INTO chunk_index (chunk_index, rowid, context, body) "
        "SELECT 'delete', c.rowid, c.context, substr(p.text, c.start + 1, c.end - c.start) "
        "FROM chunks c JOIN pages p ON p.document_id = c.document_id AND p.number = c.page "
        "WHERE c.document_id = ?",
        (document.id,),
    )
    connection.execute("DELETE FROM documents WHERE id = ?", (document.id,))
    insert_journal(connection, "remove", document)
