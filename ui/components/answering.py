"""The events of an answer that the service streams, and the turn that grows with them."""

from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import replace

from ingestion.errors import RagError
from rag_app.answering.answers import (
    Answer,
    AnswerEvent,
    AnswerProgress,
    Delta,
    PassagesFound,
    QuestionRewritten,
)
from rag_app.service.composition import Assistant
from ui.background import BackgroundJob, Workers
from ui.components.text import internal_error
from ui.components.turns import ChatTurn

Work = Callable[[Callable[[AnswerEvent], None]], None]


def streaming(assistant: Assistant, turn: ChatTurn, job: BackgroundJob) -> Work:
    """Return the work that streams a turn's answer until the job is stopped."""

    def work(put: Callable[[AnswerEvent], None]) -> None:
        with closing(assistant.stream(turn.question, turn.options)) as events:
            for event in events:
                put(event)
                if job.stopped:
                    return

    return work


def answered(workers: Workers, job: BackgroundJob, turn: ChatTurn, work: Work) -> Generator[ChatTurn]:
    """Yield the turn as `work` answers it. An error of the application ends it with its message.

    Raises any other error, after a turn that names its request and no details.
    """
    try:
        with closing(workers.run(job, work)) as batches:
            for batch in batches:
                turn = follow(turn, batch)
                yield turn
    except RagError as error:
        yield replace(turn, error=str(error))
    except Exception as error:
        yield replace(turn, error=internal_error(error))
        raise
    else:
        if turn.pending:
            yield replace(turn, stopped=True)


def follow(turn: ChatTurn, events: Sequence[AnswerEvent]) -> ChatTurn:
    """Return the turn after these events."""
    for event in events:
        match event:
            case QuestionRewritten():
                turn = replace(turn, understood=event.question)
            case AnswerProgress():
                turn = replace(turn, waiting=event)
            case PassagesFound():
                turn = replace(turn, found=event)
            case Delta():
                turn = replace(turn, text=turn.text + event.text)
            case Answer():
                turn = replace(turn, answer=event)
    return turn
