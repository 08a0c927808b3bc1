"""The catalogue's schema, as numbered steps. A step that has been released is never edited."""

import sqlite3

from ingestion.errors import LibraryError

_MIGRATIONS = (
    """
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
    """,
)


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the schema to the newest version, each step in a transaction of its own.

    Raises LibraryError where the file was made by a newer version of the application.
    """
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > len(_MIGRATIONS):
        raise LibraryError(
            f"the library has schema {version} and this version of the application knows {len(_MIGRATIONS)}; "
            "use the newer application that made it"
        )
    for number, script in enumerate(_MIGRATIONS[version:], start=version + 1):
        connection.executescript(f"BEGIN IMMEDIATE; {script} PRAGMA user_version = {number}; COMMIT;")
