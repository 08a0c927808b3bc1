"""The steps that bring state.sqlite3 up to date.

Each step runs once, in order; PRAGMA user_version counts the steps that have run.
"""

import json
import logging
import sqlite3
from collections.abc import Callable, Mapping
from typing import Any

from ingestion.errors import LibraryError

Fields = Mapping[str, Any]

_logger = logging.getLogger(__name__)

_JUDGEMENTS = """
    CREATE TABLE judgements (
        question TEXT NOT NULL,
        sha256 TEXT NOT NULL,
        page INTEGER NOT NULL CHECK (page >= 1),
        document TEXT NOT NULL,
        grade INTEGER NOT NULL,
        judged TEXT NOT NULL,
        PRIMARY KEY (question, sha256, page)
    ) STRICT, WITHOUT ROWID;
"""

_CONVERSATIONS = """
    CREATE TABLE conversations (
        id TEXT PRIMARY KEY,
        title TEXT NOT NULL,
        nonce TEXT NOT NULL,
        created TEXT NOT NULL,
        updated TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE turns (
        conversation TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
        number INTEGER NOT NULL,
        question TEXT NOT NULL,
        standalone TEXT NOT NULL,
        state TEXT NOT NULL,
        answer TEXT,
        error TEXT,
        receipt TEXT,
        asked TEXT NOT NULL,
        PRIMARY KEY (conversation, number)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE receipts (
        id TEXT PRIMARY KEY,
        conversation TEXT REFERENCES conversations (id) ON DELETE CASCADE,
        created TEXT NOT NULL,
        fields TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX receipts_by_time ON receipts (created);
    CREATE INDEX receipts_by_conversation ON receipts (conversation);
"""

# A judgement is about characters start to stop of a page; about the whole page where both are 0.
_SPANS_AND_VOTES = """
    CREATE TABLE judgements_of_spans (
        question TEXT NOT NULL,
        sha256 TEXT NOT NULL,
        page INTEGER NOT NULL CHECK (page >= 1),
        start INTEGER NOT NULL CHECK (start >= 0),
        stop INTEGER NOT NULL CHECK (stop >= start),
        document TEXT NOT NULL,
        grade INTEGER NOT NULL,
        judged TEXT NOT NULL,
        PRIMARY KEY (question, sha256, page, start, stop)
    ) STRICT, WITHOUT ROWID;
    INSERT INTO judgements_of_spans
        SELECT question, sha256, page, 0, 0, document, grade, judged FROM judgements;
    DROP TABLE judgements;
    ALTER TABLE judgements_of_spans RENAME TO judgements;
    CREATE TABLE votes (
        question TEXT NOT NULL,
        contenders TEXT NOT NULL,
        preferred TEXT NOT NULL,
        blind INTEGER NOT NULL,
        voted TEXT NOT NULL,
        PRIMARY KEY (question, contenders)
    ) STRICT, WITHOUT ROWID;
"""

# What was written of an answer that is not finished; `record` has finished ones alone.
_PARTIAL_ANSWERS = "ALTER TABLE turns ADD COLUMN partial TEXT"

# Whether a person found the answer helpful (1) or not (0).
_HELPFUL = "ALTER TABLE turns ADD COLUMN helpful INTEGER"

# A row for each answer to a question, of which one is shown.
_VARIANTS = """
    CREATE TABLE turns_with_variants (
        conversation TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
        number INTEGER NOT NULL,
        variant INTEGER NOT NULL CHECK (variant >= 1),
        shown INTEGER NOT NULL CHECK (shown IN (0, 1)),
        question TEXT NOT NULL,
        standalone TEXT NOT NULL,
        state TEXT NOT NULL,
        record TEXT,
        partial TEXT,
        error TEXT,
        receipt TEXT,
        helpful INTEGER,
        asked TEXT NOT NULL,
        PRIMARY KEY (conversation, number, variant)
    ) STRICT, WITHOUT ROWID;
    INSERT INTO turns_with_variants
        SELECT conversation, number, 1, 1, question, standalone, state, record, partial, error, receipt,
            helpful, asked FROM turns;
    DROP TABLE turns;
    ALTER TABLE turns_with_variants RENAME TO turns;
    CREATE UNIQUE INDEX one_variant_is_shown ON turns (conversation, number) WHERE shown = 1
"""


def migrate(connection: sqlite3.Connection) -> None:
    """Bring a database up to date, inside the caller's transaction.

    Raises:
        LibraryError: A newer version of the application wrote the database.
    """
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > len(_STEPS):
        raise LibraryError(
            f"a newer version of rag-app stored the conversations (format {version}; this version reads "
            f"formats up to {len(_STEPS)}); update rag-app"
        )
    for number, step in enumerate(_STEPS[version:], start=version + 1):
        if callable(step):
            step(connection)
        else:
            for statement in filter(str.strip, step.split(";")):
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {number}")


def _records(connection: sqlite3.Connection) -> None:
    """Rewrite answers and receipts, the HTTP API's JSON until then, as records of format 2.

    The columns get another name, so that an older version refuses the file instead of misreading it.
    """
    connection.execute("ALTER TABLE turns RENAME COLUMN answer TO record")
    connection.execute("ALTER TABLE receipts RENAME COLUMN fields TO record")
    _rewrite(connection, "turns", ("conversation", "number"), _answer)
    _rewrite(connection, "receipts", ("id",), _receipt)


def _rewrite(
    connection: sqlite3.Connection,
    table: str,
    key: tuple[str, ...],
    converted: Callable[[Fields], Fields],
) -> None:
    """Rewrite a table's records row by row. A damaged record stays as it is; reading it raises."""
    where = " AND ".join(f"{column} = ?" for column in key)
    columns = ", ".join(key)
    for row in connection.execute(f"SELECT {columns} FROM {table} WHERE record IS NOT NULL").fetchall():
        (text,) = connection.execute(f"SELECT record FROM {table} WHERE {where}", tuple(row)).fetchone()
        try:
            record = json.dumps({"format": 2, **converted(json.loads(text))}, ensure_ascii=False)
        except (ValueError, KeyError, TypeError, AttributeError):
            _logger.warning("the record of %s %s is damaged and stays as it is", table, tuple(row))
            continue
        connection.execute(f"UPDATE {table} SET record = ? WHERE {where}", (record, *row))


def _answer(fields: Fields) -> Fields:
    renamed = ("answer", "nearest", "conversation_id", "receipt_id")  # the ids are columns
    return {
        **{name: value for name, value in fields.items() if name not in renamed},
        "text": fields["answer"],
        "hits": [
            {name: value for name, value in hit.items() if name not in ("heading", "text")}
            for hit in fields["nearest"]
        ],
    }


def _receipt(fields: Fields) -> Fields:
    renamed = ("asked", "earlier", "llm")
    asked = fields["asked"]
    return {
        **{name: value for name, value in fields.items() if name not in renamed},
        "options": {
            **asked,
            "reranker": None if asked["reranker"] == "none" else asked["reranker"],
            "pages": [int(page) for page in asked["pages"].split("-")] if asked["pages"] else None,
        },
        "prior_evidence": [{"chunk_id": chunk, "spans": spans} for chunk, spans in fields["earlier"]],
        "generator": fields["llm"],
    }


_STEPS: tuple[str | Callable[[sqlite3.Connection], None], ...] = (
    _JUDGEMENTS,
    _CONVERSATIONS,
    _SPANS_AND_VOTES,
    _records,
    _PARTIAL_ANSWERS,
    _HELPFUL,
    _VARIANTS,
)
