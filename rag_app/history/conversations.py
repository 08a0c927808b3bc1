"""Conversations: follow-up questions with their answers."""

import secrets
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from ingestion.errors import InvalidInput, LibraryError, UnknownName
from ingestion.storage.timing import utc_now
from rag_app.answering.answers import Exchange
from rag_app.history.database import StateDatabase
from rag_app.history.records import AnswerRecord, decode, encode

_TITLE_CHARACTERS = 80
_LONGEST_TITLE = 200
_ID_BYTES = 8
# No document can guess a nonce of so many bytes, and it takes few tokens of the prompt.
_NONCE_BYTES = 4
# Questions and answers that a follow-up question is read with.
HISTORY_TURNS = 6


class TurnState(StrEnum):
    """How a question ended. ASKED: its answer is being written; INTERRUPTED: the application ended before the
    answer did."""

    ASKED = "asked"
    ANSWERED = "answered"
    STOPPED = "stopped"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation.

    Attributes:
        nonce: fences the evidence in the prompts; authors of documents must not know it.
        created, updated: UTC, in ISO 8601.
        turns: the number of its questions.
    """

    id: str
    title: str
    nonce: str
    created: str
    updated: str
    turns: int


@dataclass(frozen=True, slots=True)
class RecordedTurn:
    """A question of a conversation and how it ended.

    Attributes:
        conversation: the conversation's id.
        number: counted from 1.
        standalone: the question as it was searched for, understood without the questions before.
        answer: The finished answer; None while there is none, and `error` says why.
        receipt: the id of the answer's receipt.
        partial: What was written of an answer that is not finished; `state` says why it is not.
        helpful: Whether a person found the answer helpful; None: they have not said.
    """

    conversation: str
    number: int
    question: str
    standalone: str
    state: TurnState
    asked: str
    answer: AnswerRecord | None = None
    error: str | None = None
    receipt: str | None = None
    partial: AnswerRecord | None = None
    helpful: bool | None = None

    @property
    def read(self) -> AnswerRecord | None:
        """What a person could read when the question had ended: the answer, or what was written of it."""
        ended = self.state is not TurnState.ASKED
        return self.answer or (self.partial if ended and self.partial and self.partial.text else None)


class Conversations:
    """The conversations of one data folder. Every method may raise LibraryError."""

    def __init__(self, state: StateDatabase) -> None:
        self._state = state

    def create(self, title: str = "") -> Conversation:
        """Begin a conversation. Without a title, its first question becomes the title."""
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
        """Return conversations, the most recently used first."""
        with self._state.reading() as connection:
            rows = connection.execute(
                f"{_SELECT} ORDER BY updated DESC, id LIMIT ? OFFSET ?", (limit, offset)
            ).fetchall()
        return [Conversation(**dict(row)) for row in rows]

    def turns(self, identity: str) -> Sequence[RecordedTurn]:
        """Return a conversation's turns in order. Raises UnknownName, LibraryError for a damaged turn."""
        self.get(identity)
        with self._state.reading() as connection:
            rows = connection.execute(
                "SELECT * FROM turns WHERE conversation = ? ORDER BY number", (identity,)
            ).fetchall()
        return [_turn(row) for row in rows]

    def history(self, identity: str) -> tuple[Exchange, ...]:
        """Return the last questions that were answered, if only in part, as they were understood.

        Raises what `turns` raises.
        """
        answered = [(turn.standalone, turn.read) for turn in self.turns(identity)]
        exchanges = [Exchange(question, answer.text) for question, answer in answered if answer is not None]
        return tuple(exchanges[-HISTORY_TURNS:])

    def cited(self, identity: str) -> tuple[str, ...]:
        """Return the ids of the documents that the last answer with citations cites. Raises what `turns`
        raises."""
        answers = [read for turn in self.turns(identity) if (read := turn.read) and read.citations]
        return tuple(dict.fromkeys(one.document_id for one in answers[-1].citations)) if answers else ()

    def begin_turn(self, identity: str, question: str) -> int:
        """Store a question before it is answered; return its number. Raises UnknownName."""
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
        answer: AnswerRecord | None = None,
        error: str | None = None,
        receipt: str | None = None,
        partial: AnswerRecord | None = None,
    ) -> None:
        """Store how a question ended; nothing where its conversation has been deleted meanwhile.

        Args:
            answer: The finished answer; what was stored of it before is forgotten.
            partial: What was written of an unfinished one; None: what was stored of it before stays.
        """
        written = answer or partial
        standalone = written.standalone_question if written else None
        record = encode(answer) if answer else None
        with self._state.changing() as connection:
            connection.execute(
                "UPDATE turns SET state = ?, standalone = coalesce(?, standalone), record = ?, error = ?, "
                "receipt = ?, partial = CASE WHEN ? THEN NULL ELSE coalesce(?, partial) END "
                "WHERE conversation = ? AND number = ?",
                (
                    *(state, standalone, record, error, receipt),
                    *(answer is not None, encode(partial) if partial else None),
                    *(identity, number),
                ),
            )

    def write_partial(self, identity: str, number: int, partial: AnswerRecord) -> None:
        """Store what is written of an answer so far; nothing where its question has ended meanwhile."""
        with self._state.changing() as connection:
            connection.execute(
                "UPDATE turns SET standalone = coalesce(?, standalone), partial = ? "
                "WHERE conversation = ? AND number = ? AND state = ?",
                (partial.standalone_question, encode(partial), identity, number, TurnState.ASKED),
            )

    def progress(self, identity: str) -> tuple[int, int]:
        """Return how many questions a conversation has, and how many of them are being answered."""
        with self._state.reading() as connection:
            asked, answering = connection.execute(
                "SELECT count(*), count(*) FILTER (WHERE state = ?) FROM turns WHERE conversation = ?",
                (TurnState.ASKED, identity),
            ).fetchone()
        return int(asked), int(answering)

    def interrupt(self) -> None:
        """Mark the questions that were being answered when the application ended; called at its start."""
        with self._state.changing() as connection:
            connection.execute(
                "UPDATE turns SET state = ? WHERE state = ?", (TurnState.INTERRUPTED, TurnState.ASKED)
            )

    def rename(self, identity: str, title: str) -> Conversation:
        """Raises UnknownName, InvalidInput for an empty or too long title."""
        if not title.strip() or len(title) > _LONGEST_TITLE:
            given = f"{len(title.strip()):,} characters are given" if title.strip() else "the name is empty"
            raise InvalidInput(f"{given}; enter a name of 1 to {_LONGEST_TITLE} characters")
        self.get(identity)
        with self._state.changing() as connection:
            connection.execute(
                "UPDATE conversations SET title = ? WHERE id = ?", (" ".join(title.split()), identity)
            )
        return self.get(identity)

    def rate(self, identity: str, number: int, *, helpful: bool) -> None:
        """Keep whether an answer was helpful. Raises UnknownName where its conversation is gone."""
        self.get(identity)
        with self._state.changing() as connection:
            connection.execute(
                "UPDATE turns SET helpful = ? WHERE conversation = ? AND number = ?",
                (helpful, identity, number),
            )

    def delete(self, identity: str) -> Conversation:
        """Delete a conversation, its answers and their receipts; return it. Raises UnknownName."""
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


def _turn(row: sqlite3.Row) -> RecordedTurn:
    try:
        answer, partial = (
            None if text is None else decode(AnswerRecord, text) for text in (row["record"], row["partial"])
        )
    except ValueError as error:
        raise LibraryError(
            f"answer {row['number']} of conversation {row['conversation']} cannot be read: its record is "
            f"damaged; rag-app conversations delete {row['conversation']} removes the conversation"
        ) from error
    return RecordedTurn(
        conversation=row["conversation"],
        number=row["number"],
        question=row["question"],
        standalone=row["standalone"],
        state=TurnState(row["state"]),
        asked=row["asked"],
        answer=answer,
        error=row["error"],
        receipt=row["receipt"],
        partial=partial,
        helpful=None if row["helpful"] is None else bool(row["helpful"]),
    )


def _title(text: str) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= _TITLE_CHARACTERS else f"{plain[: _TITLE_CHARACTERS - 1].rstrip()}…"
