"""The catalogue's schema, as numbered steps. A step that has been released is never edited."""

import secrets
import sqlite3
from collections.abc import Callable

from ingestion.errors import REBUILD, LibraryDamaged, LibraryError
from ingestion.storage.catalogue.texts import TextBuilder, insert_text, slice_of
from ingestion.text.names import composed

_FIRST = """
    CREATE TABLE collections (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        created TEXT NOT NULL
    );
    INSERT INTO collections (name, created) VALUES ('default', strftime('%Y-%m-%dT%H:%M:%S+00:00', 'now'));

    -- One content (SHA-256) in one collection; replaced in place with a higher version.
    CREATE TABLE documents (
        id TEXT PRIMARY KEY,
        collection_id INTEGER NOT NULL REFERENCES collections (id),
        name TEXT NOT NULL,
        title TEXT,
        sha256 TEXT NOT NULL,
        bytes INTEGER NOT NULL,
        status TEXT NOT NULL,
        error TEXT,
        page_count INTEGER NOT NULL,
        chunk_count INTEGER NOT NULL,
        version INTEGER NOT NULL,
        fingerprint TEXT NOT NULL,
        segment TEXT NOT NULL,
        added TEXT NOT NULL,
        UNIQUE (collection_id, sha256)
    );

    -- Where a document's bytes were found. Outlives the row of `documents` while a version is swapped.
    CREATE TABLE sources (
        collection_id INTEGER NOT NULL REFERENCES collections (id),
        path TEXT NOT NULL,
        document_id TEXT NOT NULL,
        UNIQUE (collection_id, path)
    );
    CREATE INDEX sources_by_document ON sources (document_id);

    CREATE TABLE pages (
        document_id TEXT NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
        number INTEGER NOT NULL,
        label TEXT,
        text TEXT NOT NULL,
        PRIMARY KEY (document_id, number)
    );
    CREATE TABLE page_failures (
        document_id TEXT NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
        number INTEGER NOT NULL,
        reason TEXT NOT NULL,
        PRIMARY KEY (document_id, number)
    );

    -- A chunk's text is pages.text from start to end, counted in characters.
    CREATE TABLE chunks (
        rowid INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        document_id TEXT NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
        ordinal INTEGER NOT NULL,
        page INTEGER NOT NULL,
        start INTEGER NOT NULL,
        end INTEGER NOT NULL,
        heading TEXT,
        context TEXT NOT NULL
    );
    CREATE INDEX chunks_by_document ON chunks (document_id, ordinal);
    CREATE VIRTUAL TABLE chunk_index USING fts5 (
        context, body, content='', tokenize='porter unicode61 remove_diacritics 2'
    );

    -- Versions whose vectors may lie in Chroma, the token store or the originals without belonging there.
    CREATE TABLE journal (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        kind TEXT NOT NULL CHECK (kind IN ('add', 'remove')),
        collection_id INTEGER NOT NULL,
        document_id TEXT NOT NULL,
        version INTEGER NOT NULL,
        chunks INTEGER NOT NULL,
        segment TEXT NOT NULL,
        sha256 TEXT NOT NULL
    );
    """

_SECOND = """
    CREATE TABLE facts (name TEXT PRIMARY KEY, value BLOB NOT NULL);

    -- Named by Chroma's collections and by segments, so an id is never used twice.
    CREATE TABLE new_collections (
        id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, created TEXT NOT NULL
    );
    INSERT INTO new_collections SELECT id, name, created FROM collections;

    CREATE TABLE representations (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL,
        source TEXT NOT NULL,
        readings TEXT NOT NULL,
        fingerprint TEXT NOT NULL,
        dimension INTEGER NOT NULL,
        token_dimension INTEGER NOT NULL,
        codec TEXT NOT NULL,
        scales BLOB,
        state TEXT NOT NULL CHECK (state IN ('building', 'ready', 'retired'))
    );
    CREATE UNIQUE INDEX ready_representations ON representations (name) WHERE state = 'ready';
    CREATE UNIQUE INDEX building_representations ON representations (name) WHERE state = 'building';

    -- All text of a document version: see `catalogue.texts`. The other tables hold no text of it.
    CREATE TABLE texts (id INTEGER PRIMARY KEY AUTOINCREMENT, pad BLOB NOT NULL, body BLOB NOT NULL);

    CREATE TABLE new_documents (
        id TEXT PRIMARY KEY,
        collection_id INTEGER NOT NULL REFERENCES new_collections (id),
        text_id INTEGER NOT NULL REFERENCES texts (id),
        name TEXT NOT NULL,
        title_start INTEGER,
        title_length INTEGER,
        sha256 TEXT NOT NULL,
        bytes INTEGER NOT NULL,
        status TEXT NOT NULL,
        error TEXT,
        page_count INTEGER NOT NULL,
        chunk_count INTEGER NOT NULL,
        version INTEGER NOT NULL,
        chunker INTEGER NOT NULL,
        language TEXT NOT NULL,
        added TEXT NOT NULL,
        UNIQUE (collection_id, sha256)
    );
    CREATE TABLE segments (
        document_id TEXT NOT NULL REFERENCES new_documents (id) ON DELETE CASCADE,
        representation_id INTEGER NOT NULL REFERENCES representations (id),
        file TEXT NOT NULL UNIQUE,
        PRIMARY KEY (document_id, representation_id)
    );
    -- layout: JSON of where the text stands on the page; text_*: a slice of texts.body, in bytes.
    CREATE TABLE new_pages (
        document_id TEXT NOT NULL REFERENCES new_documents (id) ON DELETE CASCADE,
        number INTEGER NOT NULL,
        label TEXT,
        text_start INTEGER NOT NULL,
        text_length INTEGER NOT NULL,
        layout TEXT,
        PRIMARY KEY (document_id, number)
    );
    CREATE TABLE new_page_failures (
        document_id TEXT NOT NULL REFERENCES new_documents (id) ON DELETE CASCADE,
        number INTEGER NOT NULL,
        reason TEXT NOT NULL,
        PRIMARY KEY (document_id, number)
    );
    -- start and end count characters of the page; the rest are slices of texts.body.
    CREATE TABLE new_chunks (
        rowid INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        document_id TEXT NOT NULL REFERENCES new_documents (id) ON DELETE CASCADE,
        ordinal INTEGER NOT NULL,
        page INTEGER NOT NULL,
        start INTEGER NOT NULL,
        end INTEGER NOT NULL,
        text_start INTEGER NOT NULL,
        text_length INTEGER NOT NULL,
        context_start INTEGER NOT NULL,
        context_length INTEGER NOT NULL,
        heading_start INTEGER,
        heading_length INTEGER
    );
    CREATE TABLE headings (
        document_id TEXT NOT NULL REFERENCES new_documents (id) ON DELETE CASCADE,
        page INTEGER NOT NULL,
        start INTEGER NOT NULL,
        level INTEGER NOT NULL,
        text_start INTEGER NOT NULL,
        text_length INTEGER NOT NULL
    );
    CREATE TABLE new_journal (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        kind TEXT NOT NULL CHECK (kind IN ('add', 'remove', 'encode')),
        collection_id INTEGER NOT NULL,
        document_id TEXT NOT NULL,
        version INTEGER NOT NULL,
        chunks INTEGER NOT NULL,
        segments TEXT NOT NULL,
        sha256 TEXT NOT NULL
    );
    INSERT INTO new_journal
        SELECT id, kind, collection_id, document_id, version, chunks, json_array(json_array(1, segment)),
            sha256
        FROM journal;

    -- Work that outlives the process: one row a job, one a file of it.
    CREATE TABLE jobs (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        folder BLOB,
        collection TEXT NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'cancelled', 'finished', 'failed')),
        created TEXT NOT NULL,
        finished TEXT,
        error TEXT
    );
    CREATE TABLE job_files (
        job_id INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
        ordinal INTEGER NOT NULL,
        file BLOB NOT NULL,
        source TEXT NOT NULL,
        name TEXT NOT NULL,
        staged INTEGER NOT NULL,
        stage TEXT NOT NULL,
        status TEXT,
        error TEXT,
        document_id TEXT,
        sha256 TEXT,
        pages INTEGER NOT NULL DEFAULT 0,
        pages_failed INTEGER NOT NULL DEFAULT 0,
        chunks INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (job_id, ordinal)
    );
"""

_SECOND_RENAMED = """
    DROP TABLE chunk_index;
    DROP TABLE chunks;
    DROP TABLE page_failures;
    DROP TABLE pages;
    DROP TABLE documents;
    DROP TABLE journal;
    DROP TABLE collections;
    ALTER TABLE new_collections RENAME TO collections;
    ALTER TABLE new_documents RENAME TO documents;
    ALTER TABLE new_pages RENAME TO pages;
    ALTER TABLE new_page_failures RENAME TO page_failures;
    ALTER TABLE new_chunks RENAME TO chunks;
    ALTER TABLE new_journal RENAME TO journal;
    CREATE INDEX chunks_by_document ON chunks (document_id, ordinal);
    CREATE INDEX headings_by_document ON headings (document_id);
    -- Holds keyed hashes of terms, which ingestion.text makes; filled anew when the library is opened.
    CREATE VIRTUAL TABLE chunk_index USING fts5 (context, body, content='', tokenize='ascii');
"""


def _second(connection: sqlite3.Connection) -> None:
    """Text into one blob a document, representations beside each other, jobs."""
    _script(connection, _SECOND)
    connection.execute("INSERT INTO facts (name, value) VALUES ('words key', ?)", (secrets.token_bytes(32),))
    fingerprints = connection.execute("SELECT DISTINCT fingerprint FROM documents").fetchall()
    if fingerprints:
        connection.execute(
            "INSERT INTO representations VALUES (1, 'builtin', 'builtin', 'cls mean tokens', ?, 384, 128, "
            "'int8', NULL, 'ready')",
            (fingerprints[0]["fingerprint"],),
        )
    for document in connection.execute("SELECT * FROM documents").fetchall():
        _move_text(connection, document)
    _script(connection, _SECOND_RENAMED)


def _move_text(connection: sqlite3.Connection, document: sqlite3.Row) -> None:
    identity = document["id"]
    text = TextBuilder()
    pages = connection.execute("SELECT * FROM pages WHERE document_id = ?", (identity,)).fetchall()
    chunks = connection.execute("SELECT * FROM chunks WHERE document_id = ?", (identity,)).fetchall()
    slices = {page["number"]: text.add(page["text"]) for page in pages}
    by_number = {page["number"]: page["text"] for page in pages}
    contexts = [(text.add(c["context"]), text.add(c["heading"]) if c["heading"] else None) for c in chunks]
    title = text.add(document["title"]) if document["title"] else None
    connection.execute(
        "INSERT INTO new_documents VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, 'und', ?)",
        (identity, document["collection_id"], insert_text(connection, text.body()), document["name"],
         title and title.start, title and title.length, document["sha256"], document["bytes"],
         document["status"], document["error"],
         document["page_count"], document["chunk_count"], document["version"], document["added"]),
    )  # fmt: skip
    connection.execute("INSERT INTO segments VALUES (?, 1, ?)", (identity, document["segment"]))
    for page in pages:
        place = slices[page["number"]]
        connection.execute(
            "INSERT INTO new_pages VALUES (?, ?, ?, ?, ?, NULL)",
            (identity, page["number"], page["label"], place.start, place.length),
        )
    connection.execute(
        "INSERT INTO new_page_failures SELECT * FROM page_failures WHERE document_id = ?", (identity,)
    )
    for chunk, (context, heading) in zip(chunks, contexts, strict=True):
        place = slice_of(slices[chunk["page"]], by_number[chunk["page"]], chunk["start"], chunk["end"])
        connection.execute(
            "INSERT INTO new_chunks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (chunk["rowid"], chunk["id"], identity, chunk["ordinal"], chunk["page"], chunk["start"],
             chunk["end"], place.start, place.length, context.start, context.length,
             heading and heading.start, heading and heading.length),
        )  # fmt: skip


_THIRD = """
    -- See ingestion.storage.catalogue.segment_table: several documents may share a segment.
    CREATE TABLE segment_files (
        file TEXT PRIMARY KEY,
        representation_id INTEGER NOT NULL REFERENCES representations (id),
        collection_id INTEGER NOT NULL REFERENCES collections (id),
        chunks INTEGER NOT NULL,
        merged_into TEXT
    );
    CREATE TABLE tombstones (
        file TEXT NOT NULL REFERENCES segment_files (file) ON DELETE CASCADE,
        document_id TEXT NOT NULL,
        version INTEGER NOT NULL,
        chunks INTEGER NOT NULL,
        PRIMARY KEY (file, document_id, version)
    );
    INSERT INTO segment_files (file, representation_id, collection_id, chunks)
        SELECT s.file, s.representation_id, d.collection_id, d.chunk_count
        FROM segments s JOIN documents d ON d.id = s.document_id ORDER BY d.rowid;
    CREATE TABLE new_segments (
        document_id TEXT NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
        representation_id INTEGER NOT NULL REFERENCES representations (id),
        file TEXT NOT NULL REFERENCES segment_files (file),
        PRIMARY KEY (document_id, representation_id)
    );
    INSERT INTO new_segments SELECT document_id, representation_id, file FROM segments;
    DROP TABLE segments;
    ALTER TABLE new_segments RENAME TO segments;
    CREATE INDEX segments_by_file ON segments (file);
"""

_FOURTH = """
    -- A document without a collection is no longer visible, and waits to be erased as the journal says.
    CREATE TABLE new_documents (
        id TEXT PRIMARY KEY,
        collection_id INTEGER REFERENCES collections (id),
        text_id INTEGER NOT NULL REFERENCES texts (id),
        name TEXT NOT NULL,
        title_start INTEGER,
        title_length INTEGER,
        sha256 TEXT NOT NULL,
        bytes INTEGER NOT NULL,
        status TEXT NOT NULL,
        error TEXT,
        page_count INTEGER NOT NULL,
        chunk_count INTEGER NOT NULL,
        version INTEGER NOT NULL,
        chunker INTEGER NOT NULL,
        language TEXT NOT NULL,
        added TEXT NOT NULL,
        UNIQUE (collection_id, sha256)
    );
    INSERT INTO new_documents SELECT * FROM documents ORDER BY rowid;
    DROP TABLE documents;
    ALTER TABLE new_documents RENAME TO documents;
"""

_FIFTH = """
    -- Sentences on what the text lacks, as JSON, and the version of the reader that made the text.
    ALTER TABLE documents ADD COLUMN warnings TEXT NOT NULL DEFAULT '[]';
    ALTER TABLE documents ADD COLUMN reader INTEGER NOT NULL DEFAULT 1;
    ALTER TABLE job_files ADD COLUMN warnings TEXT NOT NULL DEFAULT '[]';
"""


def _names(connection: sqlite3.Connection) -> None:
    """Names in one spelling and found by an index; jobs know what they passed over in folders."""
    for row in connection.execute("SELECT id, name FROM documents").fetchall():
        if row["name"] != composed(row["name"]):
            connection.execute(
                "UPDATE documents SET name = ? WHERE id = ?", (composed(row["name"]), row["id"])
            )
    connection.execute("CREATE INDEX documents_by_name ON documents (name)")
    # JSON: path and kind of each file.
    connection.execute("ALTER TABLE jobs ADD COLUMN passed_over TEXT NOT NULL DEFAULT '[]'")


_SEVENTH = """
    -- What a person says of a text file, by Python's name; none where it is found out.
    ALTER TABLE documents ADD COLUMN encoding TEXT;
    ALTER TABLE job_files ADD COLUMN encoding TEXT;
"""


_STEPS: tuple[Callable[[sqlite3.Connection], None], ...] = (
    lambda connection: _script(connection, _FIRST),
    _second,
    lambda connection: _script(connection, _THIRD),
    lambda connection: _script(connection, _FOURTH),
    lambda connection: _script(connection, _FIFTH),
    _names,
    lambda connection: _script(connection, _SEVENTH),
)


NEWEST = len(_STEPS)


def migrate(
    connection: sqlite3.Connection, before: Callable[[sqlite3.Connection], object] = lambda _: None
) -> None:
    """Bring the schema to the newest version, each step in a transaction of its own; call `before` before
    the first step that changes what is there.

    Raises LibraryError where the file was made by a newer version of the application, LibraryDamaged where
    its schema has a number that none gives.
    """
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    tables = connection.execute("SELECT count(*) FROM sqlite_master WHERE type = 'table'").fetchone()[0]
    if version < 0 or (version == 0 and tables):
        raise LibraryDamaged(
            f"the catalogue numbers its schema {version} and has {tables} tables, which no version of the "
            f"application writes; restore it from a backup, or run: {REBUILD}"
        )
    if version > len(_STEPS):
        raise LibraryError(
            f"the library has schema {version} and this version of the application knows {len(_STEPS)}; "
            "use the newer application that made it"
        )
    if version == len(_STEPS):
        return
    if version:
        before(connection)
    # Tables are dropped and renamed: what refers to them is checked at the end.
    connection.execute("PRAGMA foreign_keys=OFF")
    for number, step in enumerate(_STEPS[version:], start=version + 1):
        connection.execute("BEGIN IMMEDIATE")
        try:
            step(connection)
            _check_references(connection, number)
            connection.execute(f"PRAGMA user_version = {number}")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
    connection.execute("PRAGMA foreign_keys=ON")
    if version:
        connection.execute("VACUUM")  # the text that was moved


def _check_references(connection: sqlite3.Connection, number: int) -> None:
    broken = connection.execute("PRAGMA foreign_key_check").fetchall()
    if broken:
        raise LibraryError(
            f"the library cannot be brought to schema {number}: {len(broken)} rows of {broken[0][0]} name "
            "what is not there; nothing was changed. Use the older application, or ingest into a new folder"
        )


def _script(connection: sqlite3.Connection, script: str) -> None:
    """Run statements within the transaction; `executescript` would end it."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            connection.execute(statement)
            statement = ""
