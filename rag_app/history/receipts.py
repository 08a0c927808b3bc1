"""Receipts: what an answer was made of, so that it can be checked and made again.

A receipt has everything that decides an answer (question, strategy, models with their hashes, the sentences
of the prompt, the prompt's hash, sampling and seed) and the answer itself.
"""

import secrets
import sqlite3
from dataclasses import dataclass

from ingestion.errors import LibraryError, UnknownName
from ingestion.storage.timing import utc_now
from rag_app.history.database import StateDatabase
from rag_app.history.records import ReceiptRecord, decode, encode

_ID_BYTES = 8
# Receipts of conversations are stored as long as their conversations.
_MOST_OUTSIDE_CONVERSATIONS = 10_000


@dataclass(frozen=True, slots=True)
class Receipt:
    """The receipt of one answer; `conversation` is the id of the answer's conversation."""

    id: str
    conversation: str | None
    created: str
    record: ReceiptRecord


class Receipts:
    """The receipts of one data folder. Every method may raise LibraryError."""

    def __init__(self, state: StateDatabase) -> None:
        self._state = state

    def add(self, record: ReceiptRecord, conversation: str | None = None) -> Receipt:
        """Store a receipt. Keeps the newest 10,000 receipts outside conversations."""
        identity, now = secrets.token_hex(_ID_BYTES), utc_now("milliseconds")
        with self._state.changing() as connection:
            connection.execute(
                "INSERT INTO receipts VALUES (?, ?, ?, ?)", (identity, conversation, now, encode(record))
            )
            connection.execute(
                "DELETE FROM receipts WHERE conversation IS NULL AND created < (SELECT created FROM receipts "
                "WHERE conversation IS NULL ORDER BY created DESC LIMIT 1 OFFSET ?)",
                (_MOST_OUTSIDE_CONVERSATIONS - 1,),
            )
        return Receipt(identity, conversation, now, record)

    def get(self, identity: str) -> Receipt:
        """Return a receipt. Raises UnknownName, LibraryError for a damaged receipt."""
        with self._state.reading() as connection:
            row = connection.execute("SELECT * FROM receipts WHERE id = ?", (identity,)).fetchone()
        if row is None:
            raise UnknownName("receipt", identity, (), advice="rag-app receipts lists them")
        receipt = _receipt(row)
        if receipt is None:
            raise LibraryError(f"receipt {identity} cannot be read: its record is damaged; ask again")
        return receipt

    def list(self, limit: int = 50) -> list[Receipt]:
        """Return receipts, the latest first; damaged receipts are left out."""
        with self._state.reading() as connection:
            rows = connection.execute(
                "SELECT * FROM receipts ORDER BY created DESC, id LIMIT ?", (limit,)
            ).fetchall()
        return [receipt for row in rows if (receipt := _receipt(row))]


def _receipt(row: sqlite3.Row) -> Receipt | None:
    try:
        return Receipt(row["id"], row["conversation"], row["created"], decode(ReceiptRecord, row["record"]))
    except ValueError:
        return None
