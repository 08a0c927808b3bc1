"""Conversations, receipts and replays."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import BeforeValidator, Field

from rag_app.contract.answers import AnswerFields, UsedInstructions
from rag_app.contract.schema import Fields, Response, Timings, source

if TYPE_CHECKING:
    from rag_app.answering.answers import Answer
    from rag_app.history.conversations import Conversation
    from rag_app.history.turns import RecordedTurn

Spans = tuple[tuple[int, int], ...]


class _Conversation(Fields):
    """Without the nonce that fences its prompts: authors of documents must not know it."""

    conversation_id: str = source("id")
    title: str
    created: str
    updated: str


class MatchFields(Fields):
    """Where a conversation has the words that were searched for."""

    title_spans: Spans = Field(
        description="the title's characters that are among the words, as start and end"
    )
    number: int | None = Field(
        description="the question that `text` is of, or whose answer it is of; null: the title has the words"
    )
    text: str = Field(description="an excerpt with the words")
    spans: Spans = Field(description="the characters of `text` that are among the words")


class ConversationFields(_Conversation):
    """A conversation in a list."""

    turns: int = Field(description="how many questions it has")
    match: MatchFields | None = Field(None, description="in the results of a search")


class ConversationsResponse(Response):
    conversations: tuple[ConversationFields, ...]


class _Question(Fields):
    number: int
    question: str


class VariantFields(Fields):
    """One of the answers to a question, or what was written of it and why no more."""

    variant: int = Field(1, description="which of the question's answers it is, from 1")
    standalone_question: str = source("standalone")
    state: str = Field(
        description="asked: the answer is being written; answered; stopped: by a person; failed: `error` "
        "says why; interrupted: the application ended"
    )
    asked: str
    answer: AnswerFields | None = Field(description="the finished answer")
    partial: AnswerFields | None = Field(
        None, description="what was written of an answer that is not finished; `state` says why it is not"
    )
    error: str | None
    receipt_id: str | None = source("receipt")


class TurnFields(VariantFields, _Question):
    """A question of a conversation, with the answer that the page shows: follow-up questions are read with
    it."""

    other_variants: tuple[VariantFields, ...] = Field(
        (), description="the question's other answers, which other strategies or models gave"
    )

    @property
    def all_variants(self) -> "tuple[VariantFields, ...]":
        """The question's answers, the oldest first."""
        return tuple(sorted((self, *self.other_variants), key=lambda one: one.variant))


class ConversationResponse(_Conversation, Response):
    turns: tuple[TurnFields, ...]

    @classmethod
    def of_turns(
        cls,
        conversation: "Conversation",
        turns: "Iterable[Sequence[tuple[RecordedTurn, Answer | None, Answer | None]]]",
    ) -> Self:
        """Return the response for turns. Each is a sequence of its answers, the shown one first, as a turn
        with the finished answer and what is written of an unfinished one."""
        fields = []
        for (turn, answer, partial), *others in turns:
            variants = [VariantFields.of(one, answer=whole, partial=part) for one, whole, part in others]
            fields.append(TurnFields.of(turn, answer=answer, partial=partial, other_variants=variants))
        return cls.of(conversation, turns=fields)


class ReceiptLineFields(Fields):
    """A receipt in a list."""

    receipt_id: str = source("id")
    created: str
    conversation_id: str | None = source("conversation")
    question: str = source("record", "question")
    strategy: str = source("record", "options", "strategy")
    llm: str = source("record", "generator", "name")


class ReceiptsResponse(Response):
    receipts: tuple[ReceiptLineFields, ...] = Field(description="the latest first")


def _day(value: object) -> object:
    return value.isoformat() if isinstance(value, date) else value


def _pages(value: object) -> object:
    return f"{value[0]}-{value[1]}" if isinstance(value, tuple) else value


def _placed(value: Any) -> object:
    return value if isinstance(value, tuple | list) else (value.chunk_id, value.spans)


Day = Annotated[str | None, BeforeValidator(_day)]


class AskedFields(Fields):
    """How the question was asked."""

    strategy: str
    reranker: Annotated[str, BeforeValidator(lambda name: name or "none")]
    top_k: int
    llm: str
    collections: tuple[str, ...]
    documents: tuple[str, ...]
    folders: tuple[str, ...]
    types: tuple[str, ...]
    added_from: Day
    added_to: Day
    pages: Annotated[str | None, BeforeValidator(_pages)] = Field(description="the first and the last page")


class SamplingFields(Fields):
    """How the language model chose its tokens."""

    temperature: float
    top_p: float | None
    top_k: int | None
    min_p: float | None
    repeat_penalty: float | None
    seed: int


class GeneratorFields(Fields):
    """Who wrote the answer: the language model with its file's hash, or "extractive"."""

    name: str
    sha256: str | None
    sampling: SamplingFields | None
    max_tokens: int | None
    thinking: bool | None


class ReceiptHitFields(Fields):
    """A passage that was found."""

    chunk_id: str
    score: float
    scores: dict[str, float]


class ReceiptEvidenceFields(Fields):
    """A passage of the prompt, and the characters of its page that were read."""

    number: int
    chunk_id: str
    document: str
    sha256: str | None
    page: int
    spans: Spans


class ReceiptResponse(Response):
    """Everything that decided an answer, and the answer."""

    receipt_id: str = source("id")
    created: str
    conversation_id: str | None = source("conversation")
    application: str = source("record", "application")
    question: str = source("record", "question")
    standalone_question: str = source("record", "standalone_question")
    asked: AskedFields = source("record", "options")
    earlier: tuple[Annotated[tuple[str, Spans], BeforeValidator(_placed)], ...] = source(
        "record", "prior_evidence"
    )
    encoder: str = source("record", "encoder")
    device: str | None = source("record", "device")
    representation: str | None = source("record", "representation")
    llm: GeneratorFields = source("record", "generator")
    hits: tuple[ReceiptHitFields, ...] = source("record", "hits")
    evidence_tokens: int | None = source("record", "evidence_tokens")
    evidence: tuple[ReceiptEvidenceFields, ...] = source("record", "evidence")
    relevance: float = source("record", "relevance")
    nonce: str = source("record", "nonce")
    prompt_sha256: str = source("record", "prompt_sha256")
    answer: str = source("record", "answer")
    abstained: bool = source("record", "abstained")
    outcome: str | None = source("record", "outcome")
    answerability: float | None = source("record", "answerability")
    timings_ms: Timings = source("record", "timings_ms")
    model_text: str | None = source("record", "model_text")
    instructions: UsedInstructions = source("record", "instructions")


class ReplayResponse(Response):
    """A question answered again as its receipt says."""

    receipt_id: str
    same: bool
    differences: tuple[str, ...]
    before: str
    after: str
