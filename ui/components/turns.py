"""A question with its answer so far, as the pages hold it."""

from dataclasses import dataclass

from rag_app.answering.answers import Answer, AnswerProgress, AskOptions, PassagesFound


@dataclass(frozen=True, slots=True)
class ChatTurn:
    """A question and its answer so far. It is pending until it has an answer, or has ended without one.

    Attributes:
        number: The turn's place in its conversation, from 1.
        text: The answer as far as it is written.
        understood: A follow-up question, rewritten so that it can be understood alone.
        waiting: What the answer's first word waits for.
        search_only: The person wants passages and no answer.
        helpful: Whether the person found the answer helpful; None: they have not said.
        interrupted: The application ended before the answer did.
        partial: What the history has of an answer that is not finished.
        variant: Which of the question's answers this is, from 1.
        variants: How many answers the question has.
    """

    number: int
    question: str
    options: AskOptions
    text: str = ""
    found: PassagesFound | None = None
    understood: str | None = None
    waiting: AnswerProgress | None = None
    answer: Answer | None = None
    error: str | None = None
    stopped: bool = False
    search_only: bool = False
    helpful: bool | None = None
    interrupted: bool = False
    partial: Answer | None = None
    variant: int = 1
    variants: int = 1

    @property
    def pending(self) -> bool:
        answered = self.found is not None if self.search_only else self.answer is not None
        return not (answered or self.error is not None or self.stopped or self.interrupted)


Turns = tuple[ChatTurn, ...]


def turn_of(turns: Turns, number: object) -> ChatTurn | None:
    """Return the turn with a number, which may be the text of an element's attribute."""
    return next((turn for turn in turns if str(turn.number) == str(number)), None)


def place_of_pending(turns: Turns) -> int:
    """Return the index of the turn that is being answered; of the last one where none is."""
    return next((place for place, turn in enumerate(turns) if turn.pending), len(turns) - 1)


def recorded_number(turns: Turns, turn: ChatTurn) -> int:
    """Return a turn's number in the history, which has no searches."""
    return sum(not one.search_only for one in turns if one.number <= turn.number)


def asked_again(turn: ChatTurn) -> tuple[str, bool]:
    """Return the question to ask for a turn again, and whether it can be understood alone.

    A follow-up that failed or was stopped before it was understood cannot.
    """
    understood = turn.understood or turn.options.standalone
    return understood or turn.question, bool(understood or turn.found)
