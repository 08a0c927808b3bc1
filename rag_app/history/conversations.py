"""Conversations: follow-up questions with their answers."""

import secrets
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from ingestion.errors import InvalidInput, UnknownName
from ingestion.storage.timing import utc_now
from rag_app.answering.answers import Exchange
from rag_app.history.conversation_search import ConversationMatch, SearchTerm, find_matches, search_terms
from rag_app.history.database import StateDatabase
from rag_app.history.records import AnswerRecord, encode
from rag_app.history.turns import SELECT_TURNS, RecordedTurn, TurnState, turn_of_row

_TITLE_CHARACTERS = 80
_LONGEST_TITLE = 200
_ID_BYTES = 8
# No document can guess a nonce of so many bytes, and it takes few tokens of the prompt.
_NONCE_BYTES = 4
# Questions and answers that a follow-up question is read with.
HISTORY_TURNS = 6


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation.

    Attributes:
        nonce: fences the evidence in the prompts; authors of documents must not know it.
        created, updated: UTC, in ISO 8601.
        turns: the number of its questions.
        match: Where it has the words that were searched for; None without a search.
    """

    id: str
    title: str
    nonce: str
    created: str
    updated: str
    turns: int
    match: ConversationMatch | None = None


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

    def list(self, limit: int = 1000, offset: int = 0, *, search: str = "") -> Sequence[Conversation]:
        """Return conversations, the most recently used first.

        Args:
            search: Only those that have each of these words in their title, their questions or their answers.
        """
        if terms := search_terms(search):
            return self._found(terms, limit, offset)
        with self._state.reading() as connection:
            rows = connection.execute(
                f"{_SELECT} ORDER BY updated DESC, id LIMIT ? OFFSET ?", (limit, offset)
            ).fetchall()
        return [Conversation(**dict(row)) for row in rows]

    def _found(self, terms: Sequence[SearchTerm], limit: int, offset: int) -> Sequence[Conversation]:
        with self._state.reading() as connection:
            matches = find_matches(connection, terms)
            rows = connection.execute(f"{_SELECT} ORDER BY updated DESC, id").fetchall()
        found = [Conversation(**dict(row), match=matches[row["id"]]) for row in rows if row["id"] in matches]
        return found[offset : offset + limit]

    def turns(self, identity: str, before: int | None = None) -> Sequence[RecordedTurn]:
        """Return a conversation's turns in order, each with the answer that is shown.

        Args:
            before: Only the turns before the one of this number.

        Raises:
            UnknownName: There is no such conversation.
            LibraryError: A turn is damaged.
        """
        self.get(identity)
        with self._state.reading() as connection:
            rows = connection.execute(
                f"{SELECT_TURNS} AND shown AND (? IS NULL OR number < ?) ORDER BY number",
                (identity, before, before),
            ).fetchall()
        return [turn_of_row(row) for row in rows]

    def variants(self, identity: str, number: int) -> Sequence[RecordedTurn]:
        """Return the turn of a number once for each of its answers. Raises what `turns` raises."""
        self.get(identity)
        with self._state.reading() as connection:
            rows = connection.execute(
                f"{SELECT_TURNS} AND number = ? ORDER BY variant", (identity, number)
            ).fetchall()
        return [turn_of_row(row) for row in rows]

    def history(self, identity: str, before: int | None = None) -> tuple[Exchange, ...]:
        """Return the last questions that were answered, if only in part, as they were understood.

        Arguments and exceptions are those of `turns`.
        """
        answered = [(turn.standalone, turn.read) for turn in self.turns(identity, before)]
        exchanges = [Exchange(question, answer.text) for question, answer in answered if answer is not None]
        return tuple(exchanges[-HISTORY_TURNS:])

    def cited(self, identity: str, before: int | None = None) -> tuple[str, ...]:
        """Return the ids of the documents that the last answer with citations cites.

        Arguments and exceptions are those of `turns`.
        """
        answers = [read for turn in self.turns(identity, before) if (read := turn.read) and read.citations]
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
                "INSERT INTO turns (conversation, number, variant, shown, question, standalone, state, "
                "asked) VALUES (?, ?, 1, 1, ?, ?, ?, ?)",
                (identity, number, question, question, TurnState.ASKED, now),
            )
            connection.execute(
                "UPDATE conversations SET updated = ?, title = CASE title WHEN '' THEN ? ELSE title END "
                "WHERE id = ?",
                (now, _title(question), identity),
            )
        return int(number)

    def begin_variant(self, identity: str, number: int) -> int:
        """Store that a question is answered once more, and show that answer; return the variant's number.

        Raises:
            UnknownName: There is no such conversation or question.
        """
        now = utc_now("milliseconds")
        with self._state.changing() as connection:
            shown = connection.execute(
                "SELECT question, standalone FROM turns WHERE conversation = ? AND number = ? AND shown",
                (identity, number),
            ).fetchone()
            if shown is None:
                raise _unknown(identity)
            (variant,) = connection.execute(
                "SELECT max(variant) + 1 FROM turns WHERE conversation = ? AND number = ?", (identity, number)
            ).fetchone()
            _hide(connection, identity, number)
            connection.execute(
                "INSERT INTO turns (conversation, number, variant, shown, question, standalone, state, "
                "asked) VALUES (?, ?, ?, 1, ?, ?, ?, ?)",
                (identity, number, variant, *shown, TurnState.ASKED, now),
            )
            connection.execute("UPDATE conversations SET updated = ? WHERE id = ?", (now, identity))
        return int(variant)

    def show(self, identity: str, number: int, variant: int) -> None:
        """Show one of a question's answers: follow-up questions are read with it.

        Raises:
            UnknownName: There is no such conversation, question or answer.
        """
        with self._state.changing() as connection:
            place = (identity, number, variant)
            where = "WHERE conversation = ? AND number = ? AND variant = ?"
            if connection.execute(f"SELECT 1 FROM turns {where}", place).fetchone() is None:
                raise _unknown(identity)
            _hide(connection, identity, number)
            connection.execute(f"UPDATE turns SET shown = 1 {where}", place)

    def end_turn(
        self,
        identity: str,
        number: int,
        state: TurnState,
        *,
        variant: int = 1,
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
                "WHERE conversation = ? AND number = ? AND variant = ?",
                (
                    *(state, standalone, record, error, receipt),
                    *(answer is not None, encode(partial) if partial else None),
                    *(identity, number, variant),
                ),
            )

    def write_partial(self, identity: str, number: int, partial: AnswerRecord, *, variant: int = 1) -> None:
        """Store what is written of an answer so far; nothing where its question has ended meanwhile."""
        with self._state.changing() as connection:
            connection.execute(
                "UPDATE turns SET standalone = coalesce(?, standalone), partial = ? "
                "WHERE conversation = ? AND number = ? AND variant = ? AND state = ?",
                (partial.standalone_question, encode(partial), identity, number, variant, TurnState.ASKED),
            )

    def progress(self, identity: str) -> tuple[tuple[tuple[int, int], ...], int]:
        """Return for each question of a conversation which answer is shown and how many it has; and how many
        answers are being written."""
        with self._state.reading() as connection:
            rows = connection.execute(
                "SELECT max(variant) FILTER (WHERE shown), count(*), count(*) FILTER (WHERE state = ?) "
                "FROM turns WHERE conversation = ? GROUP BY number ORDER BY number",
                (TurnState.ASKED, identity),
            ).fetchall()
        return tuple((int(row[0]), int(row[1])) for row in rows), sum(int(row[2]) for row in rows)

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
        """Keep whether the answer that is shown was helpful. Raises UnknownName where its conversation is
        gone."""
        self.get(identity)
        with self._state.changing() as connection:
            connection.execute(
                "UPDATE turns SET helpful = ? WHERE conversation = ? AND number = ? AND shown",
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
    "(SELECT count(*) FROM turns WHERE conversation = id AND shown) AS turns FROM conversations"
)


def _hide(connection: sqlite3.Connection, identity: str, number: int) -> None:
    connection.execute("UPDATE turns SET shown = 0 WHERE conversation = ? AND number = ?", (identity, number))


def _unknown(identity: str) -> UnknownName:
    return UnknownName("conversation", identity, (), advice="rag-app conversations lists them")


def _title(text: str) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= _TITLE_CHARACTERS else f"{plain[: _TITLE_CHARACTERS - 1].rstrip()}…"
