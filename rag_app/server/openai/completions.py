"""Responses of OpenAI's protocol, with the fields that this application adds."""

from typing import Any, Literal

from pydantic import Field

from rag_app.contract.answers import CitationFields, SentenceFields, UsageFields, UsedInstructions
from rag_app.contract.schema import Fields, Timings


def left_out() -> Any:
    """Return a field that is not sent where it is None."""
    return Field(None, exclude_if=lambda value: value is None)


class ModelFields(Fields):
    """A model: a strategy, with a language model or with quotations."""

    id: str
    object: Literal["model"] = "model"
    created: int = 0
    owned_by: str = "rag-app"


class ModelList(Fields):
    object: Literal["list"] = "list"
    data: tuple[ModelFields, ...]


class MessageFields(Fields):
    """The answer with the list of its sources below."""

    role: Literal["assistant"] = "assistant"
    content: str
    refusal: str | None = None
    citations: tuple[CitationFields, ...]


class Choice(Fields):
    index: int = 0
    message: MessageFields
    logprobs: None = None
    finish_reason: Literal["stop", "length"]


class DeltaFields(Fields):
    """The part of a message that a chunk adds: its role, text, reasoning, or the citations at its end."""

    role: Literal["assistant"] | None = left_out()
    content: str | None = left_out()
    reasoning_content: str | None = left_out()
    citations: tuple[CitationFields, ...] | None = left_out()


class ChunkChoice(Fields):
    index: int = 0
    delta: DeltaFields
    logprobs: None = None
    finish_reason: Literal["stop", "length"] | None = None


class AboutFields(Fields):
    """What made the answer, and how each sentence is supported."""

    answer: str = Field(description="the answer without the list of its sources")
    abstained: bool
    outcome: Literal["answered", "related", "nothing"] = Field(
        description="related: passages are about the question, and none answers it; nothing: none is about it"
    )
    strategy: str
    reranker: str | None
    llm: str
    sentences: tuple[SentenceFields, ...]
    flags: tuple[str, ...]
    standalone_question: str | None
    receipt_id: str | None
    timings_ms: Timings
    model_text: str | None = Field(
        None, description="the model's own text, where it was useless and the documents are quoted instead"
    )
    instructions: UsedInstructions = Field(None, description="what the model's prompt asked about the form")


class Completion(Fields):
    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    system_fingerprint: None = None
    choices: tuple[Choice, ...]
    usage: UsageFields
    rag_app: AboutFields


class Chunk(Fields):
    """A part of a streamed completion."""

    id: str
    object: Literal["chat.completion.chunk"] = "chat.completion.chunk"
    created: int
    model: str
    system_fingerprint: None = None
    choices: tuple[ChunkChoice, ...] = ()
    usage: UsageFields | None = None
    rag_app: AboutFields | None = left_out()
