"""What becomes of a question: how it is asked, and the turn that grows as it is answered."""

import traceback
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

import gradio as gr

from ingestion.errors import EmptyQuestion, RagError
from ingestion.storage.catalogue.filters import Filters
from rag_app.answering.answers import (
    Answer,
    AnswerEvent,
    AnswerProgress,
    AskOptions,
    Delta,
    PassagesFound,
    PromptContext,
    QuestionRewritten,
)
from rag_app.answering.questions.question_kinds import is_small_talk
from rag_app.service.composition import Assistant
from ui.background import Job, Workers
from ui.chat.conversations import Kept
from ui.chat.evidence import Desk
from ui.choices import NO_RERANKER, check_offered
from ui.components.conversation import Turn

INTERNAL_ERROR = "Something in the application is broken; the terminal that runs it has the details."

Turns = tuple[Turn, ...]


@dataclass(frozen=True, slots=True)
class How:
    """What the selectors beside the question say, in their order."""

    strategy: str | None = None
    reranker: str | None = None
    llm: str | None = None
    collection: str | None = None
    only: Sequence[str] | None = None
    search_only: bool = False


class Chat:
    """What happens to the conversation. One object serves all sessions; each keeps its own `Turns`."""

    def __init__(self, assistant: Assistant, workers: Workers) -> None:
        self.assistant = assistant
        self.workers = workers
        self.kept = Kept(assistant)
        self.desk = Desk(assistant)

    def options(self, how: How) -> AskOptions:
        """Return the options that the selectors say."""
        options = self.assistant.options()
        chosen = (how.reranker or "").strip()
        return replace(
            options,
            strategy=how.strategy or options.strategy,
            reranker=None if chosen in ("", NO_RERANKER) else chosen,
            llm=(how.llm or "").strip() or options.llm,
            collections=(how.collection,) if how.collection else options.collections,
            filters=Filters(documents=tuple(how.only or ())),
        )

    def begin(
        self,
        question: str,
        turns: Turns,
        job: Job | None,
        current: str | None,
        how: How,
        *,
        as_is: bool = False,
    ) -> tuple[Turns, Job, str | None]:
        """Return the conversation with the question in it, the job that will answer it, and the
        conversation's id.

        `as_is`: the question says all; it is no follow-up. A search alone is kept in no conversation, and
        an empty question begins none.
        """
        if job is not None and job.running:
            raise gr.Error("Wait for the answer, or stop it.", title="Still answering", print_exception=False)
        text = question.strip()
        if not any(map(str.isalnum, text)) and not is_small_talk(text):
            raise gr.Error(str(EmptyQuestion()), title="Not asked", print_exception=False)
        options = replace(self.options(how), standalone=text if as_is else None)
        if not how.search_only:
            try:
                current = self.kept.begun(current)
            except RagError as error:
                raise gr.Error(str(error), title="Not asked", print_exception=False) from error
            options = replace(options, conversation=current)
        turn = Turn(len(turns) + 1, text, options, search_only=how.search_only)
        return (*turns, turn), Job(), current

    def answer(self, turns: Turns, job: Job) -> Generator[Turns]:
        """Yield the conversation as its last question is answered; stopping the job stops the model."""
        *before, turn = turns

        def work(put: Callable[[AnswerEvent], None]) -> None:
            check_offered(self.assistant, llm=turn.options.llm, reranker=turn.options.reranker)
            if turn.search_only:
                result = self.assistant.search(turn.question, turn.options)
                put(PassagesFound(result, PromptContext((), 0.0)))
                return
            with closing(self.assistant.stream(turn.question, turn.options)) as events:
                for event in events:
                    put(event)
                    if job.stopped:
                        return

        try:
            with closing(self.workers.run(job, work)) as batches:
                for batch in batches:
                    turn = follow(turn, batch)
                    yield (*before, turn)
        except RagError as error:
            yield (*before, replace(turn, error=str(error)))
        except Exception:
            traceback.print_exc()
            yield (*before, replace(turn, error=INTERNAL_ERROR))
            raise
        else:
            if turn.pending:
                yield (*before, replace(turn, stopped=True))
        finally:
            job.end()


def follow(turn: Turn, events: Sequence[AnswerEvent]) -> Turn:
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
