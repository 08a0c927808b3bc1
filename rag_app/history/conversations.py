"""Conversations: questions that follow up on one another, with their answers."""

import json
import secrets
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ingestion.errors import InvalidInput, UnknownName
from ingestion.timing import utc_now
from rag_app.answering.answers import Exchange
from rag_app.history.database import State

_TITLE_CHARACTERS = 80
_LONGEST_TITLE = 200
_ID_BYTES = 8
# Of what the prompt's fences are made of: no document can guess it, and it takes few tokens.
_NONCE_BYTES = 4
# A follow-up question refers to what was said last.
HISTORY_TURNS = 6


class TurnState(StrEnum):
    """How a question ended. "interrupted": the application did before it."""

    ASKED = "asked"
    ANSWERED = "answered"
    STOPPED = "stopped"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation. `nonce` fences its evidence; times are UTC, as ISO 8601 has them."""

    id: str
    title: str
    nonce: str
    created: str
    updated: str
    turns: int


@dataclass(frozen=True, slots=True)
class Turn:
    """A question, counted from 1, as it was asked and as it was understood, and how it ended.

    `answer` has the fields of `rag_app.history.serialization.kept_fields`; `error` says why there is none.
    """

    number: int
    question: str
    standalone: str
    state: TurnState
    asked: str
    answer: Mapping[str, Any] | None = None
    error: str | None = None
    receipt: str | None = None


class Conversations:
    """The conversations of one data folder. Every method may raise LibraryError."""

    def __init__(self, state: State) -> None:
        self._state = state

    def create(self, title: str = "") -> Conversation:
        """Begin a conversation; without a title its first question names it."""
        now, identity = utc_now("milliseconds"), secrets.token_hex(_ID_BYTES)
        nonce = secrets.token_hex(_NONCE_BYTES)
        with self._state.changing() as connection:
            connection.execute(
                "INSERT INTO conversations VALUES (?, ?, ?, ?, ?)", (identity, _title(title), nonce, now, now)
            )
        return Conversation(identity, _title(title), nonce, now, now, 0)

    def get(self, identity: str) -> Conversation:
        """Raises UnknownName."""
        with self._state.reading() as connection:
            row = connection.execute(f"{_SELECT} WHERE id = ?", (identity,)).fetchone()
        if row is None:
            raise _unknown(identity)
        return Conversation(**dict(row))

    def list(self, limit: int = 1000, offset: int = 0) -> list[Conversation]:
        """Return conversations, the one that was used last first."""
        with self._state.reading() as connection:
            rows = connection.execute(
                f"{_SELECT} ORDER BY updated DESC, id LIMIT ? OFFSET ?", (limit, offset)
            ).fetchall()
        return [Conversation(**dict(row)) for row in rows]

    def turns(self, identity: str) -> Sequence[Turn]:
        """Return a conversation's turns in order. Raises UnknownName."""
        self.get(identity)
        with self._state.reading() as connection:
            rows = connection.execute(
                "SELECT * FROM turns WHERE conversation = ? ORDER BY number", (identity,)
            ).fetchall()
        return [_turn(row) for row in rows]

    def history(self, identity: str) -> tuple[Exchange, ...]:
        """Return what was asked and answered last, as it was understood. Raises UnknownName."""
        answered = [turn for turn in self.turns(identity) if turn.answer is not None]
        return tuple(
            Exchange(turn.standalone, str((turn.answer or {}).get("answer", "")))
            for turn in answered[-HISTORY_TURNS:]
        )

    def begin_turn(self, identity: str, question: str) -> int:
        """Keep a question before it is answered; return its number. Raises UnknownName."""
        now = utc_now("milliseconds")
        with self._state.changing() as connection:
            if connection.execute("SELECT 1 FROM conversations WHERE id = ?", (identity,)).fetchone() is None:
                raise _unknown(identity)
            (number,) = connection.execute(
                "SELECT coalesce(max(number), 0) + 1 FROM turns WHERE conversation = ?", (identity,)
            ).fetchone()
            connection.execute(
                "INSERT INTO turns (conversation, number, question, standalone, state, asked) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                (identity, number, question, question, TurnState.ASKED, now),
            )
            connection.execute(
                "UPDATE conversations SET updated = ?, title = CASE title WHEN '' THEN ? ELSE title END "
                "WHERE id = ?",
                (now, _title(question), identity),
            )
        return int(number)

    def end_turn(
        self,
        identity: str,
        number: int,
        state: TurnState,
        *,
        answer: Mapping[str, Any] | None = None,
        error: str | None = None,
        receipt: str | None = None,
    ) -> None:
        """Keep how a question ended. One whose conversation has been deleted meanwhile is not kept."""
        standalone = (answer or {}).get("standalone_question")
        fields = None if answer is None else json.dumps(answer, ensure_ascii=False)
        with self._state.changing() as connection:
            connection.execute(
                "UPDATE turns SET state = ?, standalone = coalesce(?, standalone), answer = ?, error = ?, "
                "receipt = ? WHERE conversation = ? AND number = ?",
                (state, standalone, fields, error, receipt, identity, number),
            )

    def interrupt(self) -> None:
        """Mark what was being answered when the application ended; for when it begins."""
        with self._state.changing() as connection:
            connection.execute(
                "UPDATE turns SET state = ? WHERE state = ?", (TurnState.INTERRUPTED, TurnState.ASKED)
            )

    def rename(self, identity: str, title: str) -> Conversation:
        """Raises UnknownName, InvalidInput for an empty or too long title."""
        if not title.strip() or len(title) > _LONGEST_TITLE:
            raise InvalidInput(
                f"a title has 1 to {_LONGEST_TITLE} characters, this one {len(title.strip())}; choose another"
            )
        self.get(identity)
        with self._state.changing() as connection:
            connection.execute(
                "UPDATE conversations SET title = ? WHERE id = ?", (" ".join(title.split()), identity)
            )
        return self.get(identity)

    def delete(self, identity: str) -> Conversation:
        """Forget a conversation, its answers and their receipts; return what it was. Raises UnknownName."""
        found = self.get(identity)
        with self._state.changing() as connection:
            connection.execute("DELETE FROM conversations WHERE id = ?", (identity,))
        self._state.forget()
        return found


_SELECT = (
    "SELECT id, title, nonce, created, updated, "
    "(SELECT count(*) FROM turns WHERE conversation = id) AS turns FROM conversations"
)


def _unknown(identity: str) -> UnknownName:
    return UnknownName("conversation", identity, (), advice="rag-app conversations lists them")


def _turn(row: sqlite3.Row) -> Turn:
    return Turn(
        number=row["number"],
        question=row["question"],
        standalone=row["standalone"],
        state=TurnState(row["state"]),
        asked=row["asked"],
        answer=None if row["answer"] is None else json.loads(row["answer"]),
        error=row["error"],
        receipt=row["receipt"],
    )


def _title(text: str) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= _TITLE_CHARACTERS else f"{plain[: _TITLE_CHARACTERS - 1].rstrip()}…"
