"""Turns: the questions of a conversation, each with one of its answers, as they are recorded."""

import sqlite3
from dataclasses import dataclass
from enum import StrEnum

from ingestion.errors import LibraryError
from rag_app.history.records import AnswerRecord, decode

# `variants` is the number of answers to the row's question.
SELECT_TURNS = (
    "SELECT *, (SELECT count(*) FROM turns AS others WHERE others.conversation = turns.conversation "
    "AND others.number = turns.number) AS variants FROM turns WHERE conversation = ?"
)


class TurnState(StrEnum):
    """How a question ended. ASKED: its answer is being written; INTERRUPTED: the application ended before the
    answer did."""

    ASKED = "asked"
    ANSWERED = "answered"
    STOPPED = "stopped"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


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
        variant: Which of the question's answers this is, counted from 1.
        variants: How many answers the question has.
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
    variant: int = 1
    variants: int = 1

    @property
    def read(self) -> AnswerRecord | None:
        """What a person could read when the question had ended: the answer, or what was written of it."""
        ended = self.state is not TurnState.ASKED
        return self.answer or (self.partial if ended and self.partial and self.partial.text else None)


def turn_of_row(row: sqlite3.Row) -> RecordedTurn:
    """Return the turn of a row of SELECT_TURNS. Raises LibraryError for a damaged record."""
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
        variant=row["variant"],
        variants=row["variants"],
    )
