"""Asking, remembered: each question in its conversation, each answer with its receipt.

An answer is never lost because it cannot be kept: then it says so.
"""

from collections.abc import Callable, Generator
from contextlib import closing, suppress
from dataclasses import dataclass, replace

from ingestion.errors import LibraryError, RagError
from ingestion.library import Library
from rag_app.answering.answers import Answer, AnswerEvent, AskOptions, EvidenceRef, GeneratorInfo
from rag_app.history.conversations import Conversations, TurnState
from rag_app.history.receipts import Receipts, receipt_fields
from rag_app.history.serialization import kept_fields

NEW = "new"


@dataclass(frozen=True, slots=True)
class Memory:
    """Where questions and answers are kept. Without `keeps_receipts` only conversations are."""

    conversations: Conversations
    receipts: Receipts
    library: Library
    keeps_receipts: bool

    def in_conversation(self, options: AskOptions) -> AskOptions:
        """Return the options with what the conversation adds to them; a new one is begun.

        Raises UnknownName for a conversation that is not there.
        """
        if options.conversation is None:
            return options
        if options.conversation == NEW:
            begun = self.conversations.create()
            return replace(options, conversation=begun.id, nonce=begun.nonce)
        found = self.conversations.get(options.conversation)
        return replace(
            options,
            history=options.history or self.conversations.history(found.id),
            nonce=found.nonce,
            earlier=self._earlier(found.id),
        )

    def follow(
        self,
        events: Generator[AnswerEvent],
        question: str,
        options: AskOptions,
        generator: Callable[[], GeneratorInfo],
    ) -> Generator[AnswerEvent]:
        """Yield an answer's events, keeping the question before them and the answer before it is yielded.

        Closing this closes the events; the question is kept as stopped, or as failed with its error.
        """
        conversation = options.conversation
        number = self.conversations.begin_turn(conversation, question) if conversation else 0
        state, error = TurnState.STOPPED, None
        try:
            with closing(events):
                for event in events:
                    if isinstance(event, Answer):
                        state = TurnState.ANSWERED
                        yield self._kept(event, options, number, generator)
                    else:
                        yield event
        except RagError as fault:
            state, error = TurnState.FAILED, str(fault)
            raise
        finally:
            if conversation and state is not TurnState.ANSWERED:
                with suppress(LibraryError):  # what is wrong with the file shows when it is read
                    self.conversations.end_turn(conversation, number, state, error=error)

    def _kept(
        self, answer: Answer, options: AskOptions, number: int, generator: Callable[[], GeneratorInfo]
    ) -> Answer:
        conversation = options.conversation
        answer = replace(answer, conversation_id=conversation)
        try:
            if self.keeps_receipts:
                fields = receipt_fields(answer, options, self.library, generator())
                answer = replace(answer, receipt_id=self.receipts.add(fields, conversation).id)
            if conversation:
                self.conversations.end_turn(
                    conversation,
                    number,
                    TurnState.ANSWERED,
                    answer=kept_fields(answer),
                    receipt=answer.receipt_id,
                )
        except LibraryError as fault:
            answer = replace(answer, flags=(*answer.flags, f"this answer could not be kept: {fault}"))
        return answer

    def _earlier(self, conversation: str) -> tuple[EvidenceRef, ...]:
        """Return the evidence of a conversation's last answer."""
        turns = self.conversations.turns(conversation)
        last = next((turn.receipt for turn in reversed(turns) if turn.receipt), None)
        if last is None:
            return ()
        return tuple(
            EvidenceRef(item["chunk_id"], tuple((start, end) for start, end in item["spans"]))
            for item in self.receipts.get(last).fields["evidence"]
        )
