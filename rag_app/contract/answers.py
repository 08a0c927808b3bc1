"""Answers, and the events that lead to one."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from rag_app.contract.errors import ErrorFields
from rag_app.contract.schema import Fields, Response, Timings, source
from rag_app.contract.search import FoundFields, HitFields


class CitationFields(Fields):
    """A quotation that the answer rests on: exactly characters `start` to `end` of the page's text."""

    marker: int = Field(description="the n of [n] in the answer")
    document: str
    document_id: str
    page: int
    start: int
    end: int
    quote: str
    lines: str | None = Field(None, description="of source code: the lines of the file, as `lines 12–40`")

    @property
    def place(self) -> str:
        """The document, the page and, of source code, the lines, as a person cites them."""
        return ", ".join(filter(None, (self.document, f"page {self.page}", self.lines)))


class SentenceFields(Fields):
    """A sentence of the answer, and whether the documents support it."""

    text: str
    verdict: str | None = Field(description="supported, weak or unsupported; null: not judged")
    score: float = Field(description="MaxSim with the sentences that it rests on")
    markers: tuple[int, ...]
    reason: str | None = Field(None, description="why the verdict is not supported")


class UsageFields(Fields):
    """The tokens of all language models that the answer took; quotations take none."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class InstructionsFields(Fields):
    """What the language model was asked about the form of the answer; empty: nothing."""

    collection: str = Field(description="by the collection")
    request: str = Field(description="by the request: its `instructions`, or a chat's system messages")


# Null where the prompt had none.
UsedInstructions = Annotated[InstructionsFields | None, BeforeValidator(lambda used: used or None)]


class AnswerFields(Fields):
    """An answer with its sources. Without one (`abstained`) the text says so and why; `citations` are then
    the closest passages, which do not answer, and `nearest` has all that were found."""

    question: str
    answer: str = source("text")
    abstained: bool
    outcome: Literal["answered", "related", "nothing"] = Field(
        description="related: passages are about the question, and none answers it; nothing: none is about it"
    )
    strategy: str
    reranker: str | None
    llm: str
    citations: tuple[CitationFields, ...]
    sentences: tuple[SentenceFields, ...]
    nearest: tuple[HitFields, ...] = Field(description="the passages that were found")
    flags: tuple[str, ...] = Field(
        description="warnings about the answer, such as a document that gives instructions"
    )
    standalone_question: str | None = Field(
        description="a follow-up question in full, as it was searched for"
    )
    conversation_id: str | None
    receipt_id: str | None
    timings_ms: Timings
    model_text: str | None = Field(
        None,
        description="the language model's own text, where it was useless and the answer quotes the documents "
        "instead; null: the answer is the model's, or needed none",
    )
    usage: UsageFields | None = Field(None, description="null: no language model counted tokens")
    instructions: UsedInstructions = Field(
        None, description="instructions in the language model's prompt; null: none, or no model was to write"
    )


class AskResponse(AnswerFields, Response):
    usage: UsageFields
    finish_reason: Literal["stop", "length"] = Field(description="length: the answer was cut off")
    warnings: tuple[str, ...] = Field(description="damage that the search met, and how to repair it")


class Event(Fields):
    """A step of answering a question."""

    event: str


class CondensedEvent(Event):
    """The follow-up question in full, as it is searched for."""

    event: Literal["condensed"] = "condensed"
    question: str


class FoundEvent(FoundFields, Event):
    """The passages, before anything is written."""

    event: Literal["found"] = "found"


class WaitingEvent(Event):
    """How far the work before the answer's first word is.

    Stage queue: `done` questions of others are before this one; load: the model is loaded; prefill: `done` of
    `total` tokens of the prompt are read; read: `done` of `total` passages are read.
    """

    event: Literal["waiting"] = "waiting"
    stage: str
    done: int
    total: int


class DeltaEvent(Event):
    """More of the answer's text; none is a sign of life."""

    event: Literal["delta"] = "delta"
    text: str


class ThoughtEvent(Event):
    """More of the model's reasoning; it is not part of the answer."""

    event: Literal["thought"] = "thought"
    text: str


class AnsweredEvent(AskResponse, Event):
    """The whole answer; the last event."""

    event: Literal["answer"] = "answer"


class ErrorEvent(Event):
    """An error after the stream has begun; the last event."""

    event: Literal["error"] = "error"
    error: ErrorFields


AskEvent = CondensedEvent | FoundEvent | WaitingEvent | DeltaEvent | ThoughtEvent | AnsweredEvent
StreamEvent = Annotated[AskEvent | ErrorEvent, Field(discriminator="event")]
