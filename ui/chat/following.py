"""A tab that follows an answer. The application writes the answer whether or not a tab does."""

from collections.abc import Generator
from dataclasses import replace

from ingestion.errors import RagError
from rag_app.service.running_answers import AnswerState, RunningAnswer
from ui.background import BackgroundJob
from ui.components.answering import follow
from ui.components.text import internal_error
from ui.components.turns import ChatTurn

# Seconds between two redraws, and the characters of an answer for which a second passes. Each redraw draws
# all of them: on a slow machine a long answer would leave the browser no time for anything else.
_REDRAW_S, _CHARACTERS_A_SECOND = 0.1, 20_000
# Seconds until a tab notices that it was closed or shows something else.
_NOTICE_S = 1.0


class Following(BackgroundJob):
    """One tab's following of an answer. It ends with the answer, or when the tab shows something else.

    Only `stop` stops the answer.
    """

    def __init__(self, answer: RunningAnswer) -> None:
        super().__init__()
        self.answer = answer

    def stop(self) -> None:
        """Stop the answer, for all tabs."""
        self.answer.stop()


def turn_so_far(turn: ChatTurn, state: AnswerState) -> ChatTurn:
    """Return a turn as far as its answer is."""
    # What the history has of it may be a second old.
    turn = follow(replace(turn, text="", partial=None), state.events)
    if state.error is not None:
        known = isinstance(state.error, RagError)
        return replace(turn, error=str(state.error) if known else internal_error(state.error))
    return replace(turn, stopped=state.is_stopped)


def followed(turn: ChatTurn, job: Following) -> Generator[ChatTurn]:
    """Yield a turn as its answer grows, until nothing more is written or the tab shows something else.

    Yields the same object again where nothing has changed for a second, so that a closed tab can end this.
    """
    seen = -1
    while job.running:
        state = job.answer.state()
        if state.version > seen:
            turn, seen = turn_so_far(turn, state), state.version
        yield turn
        if state.is_over:
            return
        job.answer.wait(seen, _NOTICE_S)
        job.answer.wait_for_end(max(_REDRAW_S, len(turn.text) / _CHARACTERS_A_SECOND))
