"""Answers that the application is writing, each in a thread of its own.

An answer belongs to its conversation, not to the page that asked: a page that is closed, reloaded or opened a
second time changes nothing, and every page that shows the conversation can follow the answer and stop it.
What has ended is in the history, and is forgotten here.
"""

import threading
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass, replace

from ingestion.errors import LibraryError, RagError
from rag_app.answering.answers import AnswerEvent, AnswerProgress, AskOptions
from rag_app.config.logging import report_unexpected, request
from rag_app.history.answer_so_far import AnswerSoFar
from rag_app.history.conversations import Conversations
from rag_app.history.turns import TurnState

# Answers written at the same time; the encoder and a language model have a lock each.
AT_ONCE = 4
# Answers that are written or wait for that. More questions than these are refused.
MOST = 64
# Seconds that closing waits for stopped answers to end.
_PATIENCE_S = 10.0

Stream = Callable[[str, AskOptions], Generator[AnswerEvent]]


class StillAnswering(RagError):
    """Another question of the conversation is being answered."""


class TooManyAnswers(RagError):
    """So many questions are being answered that no other one is taken."""


@dataclass(frozen=True, slots=True)
class AnswerState:
    """How far an answer is.

    Attributes:
        version: It rises with each change.
        events: The events so far, in as few as say the same.
        is_finished: The answer is there, or its stream has ended.
        error: What ended the answer, in words for a person or, if unforeseen, reported to the log.
        is_stopped: A person stopped it, or the application ends.
    """

    version: int
    events: tuple[AnswerEvent, ...]
    is_finished: bool
    error: Exception | None
    is_stopped: bool

    @property
    def is_over(self) -> bool:
        """Whether nothing more is written."""
        return self.is_finished or self.error is not None or self.is_stopped


class RunningAnswer:
    """One answer that is being written. Safe to use from several threads.

    Attributes:
        number: The question's number in the conversation; None where the history cannot be written.
    """

    def __init__(self, question: str, options: AskOptions, number: int | None) -> None:
        self.question = question
        self.options = options
        self.number = number
        self._so_far = AnswerSoFar()
        self._changed = threading.Condition()
        self._version = 0
        self._error: Exception | None = None
        self._is_stopped = False
        self._ended = threading.Event()
        self._may_go_on = threading.Event()

    @property
    def conversation(self) -> str | None:
        return self.options.conversation

    def state(self) -> AnswerState:
        with self._changed:
            answered = self._so_far.answer is not None
            return AnswerState(
                version=self._version,
                events=tuple(self._so_far.events()),
                is_finished=answered or self._ended.is_set(),
                error=self._error,
                is_stopped=self._is_stopped and not answered,
            )

    def wait(self, version: int, seconds: float) -> None:
        """Wait until there is a later state than that of a version, or the answer has ended."""
        with self._changed:
            self._changed.wait_for(lambda: self._version > version or self._ended.is_set(), seconds)

    def wait_for_end(self, seconds: float) -> bool:
        """Return whether the answer has ended, and is in the history, within so many seconds."""
        return self._ended.wait(seconds)

    def stop(self) -> None:
        """Have nothing more written. What writes stops at its next sign of life."""
        with self._changed:
            self._is_stopped = True
            self._change()
        self._may_go_on.set()

    def _change(self) -> None:
        self._version += 1
        self._changed.notify_all()

    def _add(self, event: AnswerEvent) -> None:
        with self._changed:
            if self._so_far.add(event):
                self._change()

    def _fail(self, error: Exception) -> None:
        with self._changed:
            self._error = error
            self._change()

    def _end(self) -> None:
        self._ended.set()
        with self._changed:
            self._change()


class RunningAnswers:
    """The answers that are being written for the conversations of one data folder."""

    def __init__(self, conversations: Conversations, stream: Stream) -> None:
        """`stream` answers a question and records it."""
        self._conversations = conversations
        self._stream = stream
        self._lock = threading.Lock()
        self._answers: dict[RunningAnswer, threading.Thread] = {}  # in the order of their questions
        self._is_closed = False

    def start(self, question: str, options: AskOptions) -> RunningAnswer:
        """Store a question in its conversation, and begin to answer it.

        Options with a `turn` have that question answered once more: the answer becomes a variant.

        Raises:
            StillAnswering: Another question of the conversation is being answered.
            TooManyAnswers: No other question is taken now.
            UnknownName: There is no such conversation or turn.
            LibraryError: A variant cannot be stored.
        """
        with self._lock:
            if self._is_closed:
                raise RagError("the application is ending; start it again, and ask then")
            if len(self._answers) >= MOST:
                raise TooManyAnswers(
                    f"{MOST} questions are being answered or wait for that; ask again when some are answered"
                )
            if any(
                one.conversation == options.conversation and not one.state().is_over for one in self._answers
            ):
                raise StillAnswering(
                    "another question of this conversation is being answered, maybe in another tab; wait for "
                    "the answer, or stop it"
                )
            options = self._stored(question, options)
            answer = RunningAnswer(question, options, options.turn)
            thread = threading.Thread(target=self._run, args=(answer,), name="answer", daemon=True)
            self._answers[answer] = thread
            self._let_in()
        thread.start()
        return answer

    def of(self, conversation: str) -> RunningAnswer | None:
        """Return the answer that is being written for a conversation, or was stopped and has not ended."""
        with self._lock:
            found = [one for one in self._answers if one.conversation == conversation]
        return found[-1] if found else None

    @property
    def is_busy(self) -> bool:
        """Whether an answer is being written."""
        with self._lock:
            return bool(self._answers)

    def stop(self, conversation: str) -> None:
        """Stop the answer that is being written for a conversation, if there is one."""
        answer = self.of(conversation)
        if answer is not None:
            answer.stop()

    def close(self) -> None:
        """Stop all answers, begin no other one, and wait up to ten seconds for each to end."""
        with self._lock:
            self._is_closed = True
            running = dict(self._answers)
        for answer in running:
            answer.stop()
        for thread in running.values():
            thread.join(_PATIENCE_S)

    def _stored(self, question: str, options: AskOptions) -> AskOptions:
        """Store a question, or one more answer to it; return the options with its place. Where a question
        cannot be stored, the stream tries again, and its answer says why it is not kept."""
        conversation = str(options.conversation)
        if options.turn is not None:
            return replace(options, variant=self._conversations.begin_variant(conversation, options.turn))
        try:
            return replace(options, turn=self._conversations.begin_turn(conversation, question))
        except LibraryError:
            return options

    def _let_in(self) -> None:
        """Let the first answers be written, and tell the others how many come before them."""
        for place, answer in enumerate(self._answers):
            if place < AT_ONCE:
                answer._may_go_on.set()
            elif not answer._may_go_on.is_set():
                answer._add(AnswerProgress("queue", place - AT_ONCE + 1))

    def _run(self, answer: RunningAnswer) -> None:
        try:
            answer._may_go_on.wait()
            with request():
                self._write(answer)
        except RagError as error:
            answer._fail(error)
        except Exception as error:  # noqa: BLE001  # shown by every page that follows the answer
            report_unexpected(error)
            answer._fail(error)
        finally:
            with self._lock:
                del self._answers[answer]
                self._let_in()
            answer._end()

    def _write(self, answer: RunningAnswer) -> None:
        if answer.state().is_stopped:  # while it waited
            if answer.number is not None:
                self._conversations.end_turn(
                    str(answer.conversation),
                    answer.number,
                    TurnState.STOPPED,
                    variant=answer.options.variant,
                )
            return
        with closing(self._stream(answer.question, answer.options)) as events:
            for event in events:
                answer._add(event)
                if answer._is_stopped:
                    return
