"""Recording: each question in its conversation, each answer with its receipt.

An answer that cannot be recorded is given all the same, with a flag that says so.
"""

import logging
import time
from collections.abc import Callable, Generator
from contextlib import closing, suppress
from dataclasses import dataclass, replace

from ingestion.errors import LibraryError, RagError
from ingestion.library import Library
from rag_app.answering.answers import Answer, AnswerEvent, AskOptions, EvidenceRef
from rag_app.history.answer_so_far import AnswerSoFar, cited
from rag_app.history.conversations import Conversations
from rag_app.history.receipts import Receipts
from rag_app.history.records import AnswerRecord
from rag_app.history.serialization import answer_record, partial_record, receipt_record
from rag_app.history.turns import TurnState
from rag_app.llm.token_usage import TokenUsage
from rag_app.llm.usage import GeneratorInfo, UsageTracker

NEW = "new"
# Milliseconds. Answers that take longer are logged with the times of their stages.
_SLOW_MS = 5_000.0
# Seconds between two times that an unfinished answer is stored: what a crash may take of it.
_STORE_EVERY_S = 1.0

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ConversationRecorder:
    """Records questions and answers; without `keeps_receipts`, only those of conversations."""

    conversations: Conversations
    receipts: Receipts
    library: Library
    keeps_receipts: bool

    def in_conversation(self, options: AskOptions) -> AskOptions:
        """Return the options with the history, nonce and evidence of their conversation.

        NEW begins a conversation; where it cannot be stored, the options stay as they are, and `follow` says
        so. Raises UnknownName for a conversation that does not exist, LibraryError for
        a damaged conversation.
        """
        if options.conversation is None:
            return options
        if options.conversation == NEW:
            try:
                begun = self.conversations.create()
            except LibraryError:
                _logger.exception("no conversation could be begun")
                return options
            return replace(options, conversation=begun.id, nonce=begun.nonce)
        found = self.conversations.get(options.conversation)
        return replace(
            options,
            # A question that is answered once more is read with what stands before it.
            history=options.history or self.conversations.history(found.id, options.turn),
            nonce=found.nonce,
            earlier=self._earlier(found.id, options.turn),
            # A question that a person has written out stands by itself.
            cited=() if options.standalone is not None else self.conversations.cited(found.id, options.turn),
        )

    def follow(
        self,
        events: Generator[AnswerEvent],
        question: str,
        options: AskOptions,
        generator: Callable[[], GeneratorInfo],
        usage: UsageTracker,
    ) -> Generator[AnswerEvent]:
        """Yield an answer's events. Stores the question before the first event, unless the options say that
        it is stored, and the answer before it is yielded. While an answer is written, stores what there is of
        it about once a second, so that a crash of the application leaves that.

        Closing this iterator closes the events and stores the question as stopped; an error stores it as
        failed; both with what was written.

        Args:
            usage: Counts the tokens of the events' calls.
        """
        options, number, lost = self._begun(options, question)
        written = _Written(self, question, options, number, generator) if options.conversation else None
        state, error = TurnState.STOPPED, None
        try:
            with closing(events):
                for event in events:
                    if isinstance(event, Answer):
                        state = TurnState.ANSWERED
                        answer = replace(event, flags=(*event.flags, *lost), usage=usage.counted)
                        yield self._recorded(answer, options, number, generator)
                    else:
                        if written:
                            written.add(event)
                        yield event
        except RagError as fault:
            state, error = TurnState.FAILED, str(fault)
            raise
        finally:
            if written and state is not TurnState.ANSWERED:
                written.end(state, error, usage.counted)

    def refuse(self, options: AskOptions, fault: RagError) -> None:
        """Store why a question that is stored already was not asked."""
        if options.conversation is not None and options.turn is not None:
            with suppress(LibraryError):  # reading the conversation raises it again
                self.conversations.end_turn(
                    options.conversation,
                    options.turn,
                    TurnState.FAILED,
                    variant=options.variant,
                    error=str(fault),
                )

    def _begun(self, options: AskOptions, question: str) -> tuple[AskOptions, int, tuple[str, ...]]:
        """Store a question; return its number in the conversation. Where it cannot be stored, return options
        without a conversation, and a flag that says so."""
        if options.conversation is None:
            return options, 0, ()
        if options.turn is not None:
            return options, options.turn, ()
        try:
            if options.conversation != NEW:
                return options, self.conversations.begin_turn(options.conversation, question), ()
            fault = "it could not be begun; check the disk's space and rights"
        except LibraryError as error:
            _logger.exception("a question could not be stored")
            fault = str(error)
        lost = f"this question and answer could not be kept in the conversation: {fault}"
        return replace(options, conversation=None), 0, (lost,)

    def _recorded(
        self, answer: Answer, options: AskOptions, number: int, generator: Callable[[], GeneratorInfo]
    ) -> Answer:
        conversation = options.conversation
        answer = replace(answer, conversation_id=conversation)
        _log_if_slow(answer)
        try:
            if self.keeps_receipts:
                record = receipt_record(answer, options, self.library, generator())
                answer = replace(answer, receipt_id=self.receipts.add(record, conversation).id)
            if conversation:
                self.conversations.end_turn(
                    conversation,
                    number,
                    TurnState.ANSWERED,
                    variant=options.variant,
                    answer=answer_record(answer),
                    receipt=answer.receipt_id,
                )
        except LibraryError as fault:
            answer = replace(answer, flags=(*answer.flags, f"this answer could not be kept: {fault}"))
        return answer

    def _earlier(self, conversation: str, before: int | None) -> tuple[EvidenceRef, ...]:
        """Return the evidence of the last answer of a conversation, or of the last one before a question."""
        turns = self.conversations.turns(conversation, before)
        last = next((turn.receipt for turn in reversed(turns) if turn.receipt), None)
        if last is None:
            return ()
        return tuple(EvidenceRef(one.chunk_id, one.spans) for one in self.receipts.get(last).record.evidence)


class _Written:
    """What is written of one answer of a conversation, and its storing."""

    def __init__(
        self,
        recorder: ConversationRecorder,
        question: str,
        options: AskOptions,
        number: int,
        generator: Callable[[], GeneratorInfo],
    ) -> None:
        self._recorder = recorder
        self._conversation, self._number = str(options.conversation), number
        self._question, self._options = question, options
        self._generator = generator
        self._so_far = AnswerSoFar()
        self._is_stored, self._stored = True, time.monotonic()

    def add(self, event: AnswerEvent) -> None:
        """Take an event, which may be a sign of life, and store what is there, but at most once a second."""
        if self._so_far.add(event):
            self._is_stored = False
        if self._is_stored or time.monotonic() - self._stored < _STORE_EVERY_S:
            return
        record = partial_record(self._unfinished(), self._recorder.library)
        try:
            self._recorder.conversations.write_partial(
                self._conversation, self._number, record, variant=self._options.variant
            )
        except LibraryError as error:  # the answer goes on; its end is stored, or says why not
            _logger.warning("an unfinished answer could not be stored: %s", type(error).__name__)
        self._is_stored, self._stored = True, time.monotonic()

    def end(self, state: TurnState, error: str | None, usage: TokenUsage | None) -> None:
        """Store that the answer was stopped or has failed, and what was written of it."""
        library, conversations = self._recorder.library, self._recorder.conversations
        partial: AnswerRecord | None = None
        if not self._so_far.is_empty:
            answer = cited(replace(self._unfinished(), usage=usage), library.encoder)
            partial = partial_record(answer, library)
        with suppress(LibraryError):  # reading the conversation raises it again
            conversations.end_turn(
                self._conversation,
                self._number,
                state,
                variant=self._options.variant,
                error=error,
                partial=partial,
            )

    def _unfinished(self) -> Answer:
        try:
            name = self._generator().name
        except RagError:  # the model has gone meanwhile
            name = self._options.llm
        return self._so_far.unfinished(self._question, self._options, name)


def _log_if_slow(answer: Answer) -> None:
    total = answer.timings_ms.get("total", 0.0)
    level = logging.INFO if total >= _SLOW_MS else logging.DEBUG
    stages = ", ".join(f"{name} {value:.0f}" for name, value in answer.timings_ms.items())
    _logger.log(level, "answered by %s; milliseconds: %s", answer.strategy, stages)
