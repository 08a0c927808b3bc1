"""The catalogue's schema. A new file gets it whole; a file with another version's schema is refused."""

import secrets
import sqlite3
from collections.abc import Container

from ingestion.errors import REBUILD, LibraryDamaged, LibraryError

# The number that SQLite keeps as user_version. Versions 1 to 6 never left development.
VERSION = 8
_OLDEST = 7

# Holds keyed hashes of terms, which ingestion.text makes.
WORD_TABLE = "CREATE VIRTUAL TABLE chunk_index USING fts5 (context, body, content='', tokenize='ascii')"

# Came after the first catalogues of this version: opening one of these adds it, and `verify` fills it.
_CHECKSUMS = """
    CREATE TABLE IF NOT EXISTS checksums (
        document_id TEXT PRIMARY KEY REFERENCES documents (id) ON DELETE CASCADE,
        text BLOB NOT NULL
    );
"""

_TABLES = """
    CREATE TABLE facts (name TEXT PRIMARY KEY, value BLOB NOT NULL);

    -- Chroma's collections and segments name these ids, so an id is never used twice.
    CREATE TABLE collections (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL UNIQUE,
        created TEXT NOT NULL
    );
    INSERT INTO collections (name, created) VALUES ('default', strftime('%Y-%m-%dT%H:%M:%S+00:00', 'now'));

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

    -- One content (SHA-256) in one collection; replaced in place with a higher version. A document without
    -- a collection is no longer visible, and waits to be erased as the journal says.
    -- warnings: JSON, sentences on what the text lacks. reader: version of the parsers that made the text.
    -- encoding: the one that a person gives for a text file, by Python's name; NULL where it is detected.
    CREATE TABLE documents (
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
        warnings TEXT NOT NULL DEFAULT '[]',
        reader INTEGER NOT NULL DEFAULT 1,
        encoding TEXT,
        UNIQUE (collection_id, sha256)
    );
    CREATE INDEX documents_by_name ON documents (name);

    -- Where a document's bytes were found. Outlives the row of `documents` while a version is swapped.
    CREATE TABLE sources (
        collection_id INTEGER NOT NULL REFERENCES collections (id),
        path TEXT NOT NULL,
        document_id TEXT NOT NULL,
        UNIQUE (collection_id, path)
    );
    CREATE INDEX sources_by_document ON sources (document_id);

    -- layout: JSON of where the text stands on the page; text_*: a slice of texts.body, in bytes.
    CREATE TABLE pages (
        document_id TEXT NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
        number INTEGER NOT NULL,
        label TEXT,
        text_start INTEGER NOT NULL,
        text_length INTEGER NOT NULL,
        layout TEXT,
        PRIMARY KEY (document_id, number)
    );
    CREATE TABLE page_failures (
        document_id TEXT NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
        number INTEGER NOT NULL,
        reason TEXT NOT NULL,
        PRIMARY KEY (document_id, number)
    );
    CREATE TABLE headings (
        document_id TEXT NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
        page INTEGER NOT NULL,
        start INTEGER NOT NULL,
        level INTEGER NOT NULL,
        text_start INTEGER NOT NULL,
        text_length INTEGER NOT NULL
    );
    CREATE INDEX headings_by_document ON headings (document_id);

    -- start and end count characters of the page; the rest are slices of texts.body.
    CREATE TABLE chunks (
        rowid INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        document_id TEXT NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
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
    CREATE INDEX chunks_by_document ON chunks (document_id, ordinal);

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
    CREATE TABLE segments (
        document_id TEXT NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
        representation_id INTEGER NOT NULL REFERENCES representations (id),
        file TEXT NOT NULL REFERENCES segment_files (file),
        PRIMARY KEY (document_id, representation_id)
    );
    CREATE INDEX segments_by_file ON segments (file);

    -- Versions whose vectors may lie in Chroma, the token store or the originals without belonging there.
    CREATE TABLE journal (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        kind TEXT NOT NULL CHECK (kind IN ('add', 'remove', 'encode')),
        collection_id INTEGER NOT NULL,
        document_id TEXT NOT NULL,
        version INTEGER NOT NULL,
        chunks INTEGER NOT NULL,
        segments TEXT NOT NULL,
        sha256 TEXT NOT NULL
    );

    -- Work that outlives the process: one row a job, one a file of it. passed_over: JSON, path and kind.
    CREATE TABLE jobs (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        folder BLOB,
        collection TEXT NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'cancelled', 'finished', 'failed')),
        created TEXT NOT NULL,
        finished TEXT,
        error TEXT,
        passed_over TEXT NOT NULL DEFAULT '[]'
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
        warnings TEXT NOT NULL DEFAULT '[]',
        encoding TEXT,
        PRIMARY KEY (job_id, ordinal)
    );
"""


# Tables that came after schema 7. A version of the application that does not know them does not miss them, so
# that they need no new number; an older file gets them when it is opened.
# job_unreadable: folders of a job that could not be searched. interrupted_files: files that were in work when
# the process ended, `times` times; bytes and modified (nanoseconds) tell whether the file is still the same.
# collection_instructions: what a person asks of a language model about the form of its answers.
_LATER_TABLES = """
    CREATE TABLE IF NOT EXISTS job_unreadable (
        job_id INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
        path TEXT NOT NULL,
        reason TEXT NOT NULL
    );
    CREATE INDEX IF NOT EXISTS job_unreadable_by_job ON job_unreadable (job_id);
    CREATE TABLE IF NOT EXISTS interrupted_files (
        collection TEXT NOT NULL,
        source TEXT NOT NULL,
        bytes INTEGER NOT NULL,
        modified INTEGER NOT NULL,
        times INTEGER NOT NULL,
        PRIMARY KEY (collection, source)
    );
    CREATE TABLE IF NOT EXISTS collection_instructions (
        collection_id INTEGER PRIMARY KEY REFERENCES collections (id) ON DELETE CASCADE,
        text TEXT NOT NULL
    );
"""


# What each schema adds to the one before it.
# 8: the fields of documents. Text stands in `body`, which is JSON, behind padding: see `catalogue.texts`.
# document_fields: what rules of the version `rules` recognise, and what the file says of itself. field_edits:
# what a person wrote instead; like a source it outlives the row of `documents` while a version is swapped,
# and goes with the document. An application that does not know it would leave it behind: so it has a number.
_STEPS = {
    8: """
    CREATE TABLE document_fields (
        document_id TEXT PRIMARY KEY REFERENCES documents (id) ON DELETE CASCADE,
        rules INTEGER NOT NULL,
        pad BLOB NOT NULL,
        body BLOB NOT NULL
    );
    CREATE TABLE field_edits (
        document_id TEXT PRIMARY KEY,
        pad BLOB NOT NULL,
        body BLOB NOT NULL
    );
    """
}


def version_of(tables: Container[str]) -> int:
    """Return the version of the schema that has these tables, for a file that lost its number."""
    return VERSION if "document_fields" in tables else _OLDEST


def ensure_schema(connection: sqlite3.Connection) -> None:
    """Create the tables in a new file; accept a file that has them, and add what came since.

    Raises:
        LibraryError: The file has a newer version's schema, or one that is too old to be brought up to date.
        LibraryDamaged: The schema's number is one that no version of the application writes.
    """
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if _OLDEST <= version <= VERSION:
        steps = "".join(_STEPS[number] for number in range(version + 1, VERSION + 1))
        number = f"PRAGMA user_version = {VERSION};" if steps else ""
        connection.executescript(f"BEGIN; {_CHECKSUMS} {_LATER_TABLES} {steps} {number} COMMIT;")
        return
    tables = connection.execute("SELECT count(*) FROM sqlite_master WHERE type = 'table'").fetchone()[0]
    if version < 0 or (version == 0 and tables):
        raise LibraryDamaged(
            f"the catalogue numbers its schema {version} and has {tables} tables, which no version of the "
            f"application writes; restore it from a backup, or run: {REBUILD}"
        )
    if version > VERSION:
        raise LibraryError(
            f"the library has schema {version} and this version of the application knows {VERSION}; "
            "use the newer application that made it"
        )
    if version:
        raise LibraryError(
            f"the library has schema {version} and this version of the application reads {_OLDEST} to "
            f"{VERSION}; nothing was changed. Export it with the version that made it (rag-app export) and "
            "import that here, or ingest the documents again into a new folder"
        )
    # executescript would end a transaction that is open, so the script begins and ends its own.
    key = secrets.token_bytes(32).hex()
    connection.executescript(
        f"BEGIN IMMEDIATE; {_TABLES} {_CHECKSUMS} {_LATER_TABLES} {''.join(_STEPS.values())} {WORD_TABLE}; "
        f"PRAGMA user_version = {VERSION}; "
        f"INSERT INTO facts (name, value) VALUES ('words key', x'{key}'); COMMIT;"
    )
