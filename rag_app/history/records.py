"""Records: what the history stores of an answer, and what decided it, in a format of its own.

A record is stored as one JSON object: its class's fields and `format`, the number of the format. Renaming a
field here, adding one without a default or removing one changes the format: raise FORMAT, and add a step to
`rag_app.history.migrations` that rewrites the stored records.

Passages are stored by their place. Their text is read from the library again, so that a deleted document's
text is nowhere in the history but where an answer quotes it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

from pydantic import TypeAdapter

# Format 1 was the HTTP API's JSON, without a number.
FORMAT = 2

Spans = tuple[tuple[int, int], ...]
Record = TypeVar("Record")


@dataclass(frozen=True, slots=True)
class CitationRecord:
    """A quotation: characters `start` to `end` of a page."""

    marker: int
    document: str
    document_id: str
    page: int
    start: int
    end: int
    quote: str
    lines: str | None = None


@dataclass(frozen=True, slots=True)
class SentenceRecord:
    """A sentence of an answer with its verdict."""

    text: str
    verdict: str
    score: float
    markers: tuple[int, ...]
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class HitRecord:
    """A passage that was found, without its text."""

    rank: int
    chunk_id: str
    document: str
    document_id: str
    collection: str
    page: int
    start: int
    end: int
    score: float
    scores: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class EvidenceRecord:
    """A passage of the prompt: characters of its page, a span for each sentence. `sha256`: the document's."""

    number: int
    chunk_id: str
    document: str
    sha256: str | None
    page: int
    spans: Spans


@dataclass(frozen=True, slots=True)
class InstructionsRecord:
    """What the language model was asked about the form of an answer, by the collection and by the request."""

    collection: str
    request: str


@dataclass(frozen=True, slots=True)
class AnswerRecord:
    """An answer, finished or as far as it was written.

    `outcome` and `answerability` are None for answers recorded before there were any. `model_text` is the
    language model's own text where quotations stand for it. An unfinished answer has its `evidence`; that of
    a finished one is in its receipt. The tokens are None where no language model counted them. `instructions`
    are None where the prompt had none.
    """

    question: str
    text: str
    abstained: bool
    strategy: str
    reranker: str | None
    llm: str
    citations: tuple[CitationRecord, ...]
    sentences: tuple[SentenceRecord, ...]
    hits: tuple[HitRecord, ...]
    flags: tuple[str, ...]
    standalone_question: str | None
    timings_ms: Mapping[str, float]
    outcome: str | None = None
    answerability: float | None = None
    model_text: str | None = None
    evidence: tuple[EvidenceRecord, ...] = ()
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    instructions: InstructionsRecord | None = None


@dataclass(frozen=True, slots=True)
class OptionsRecord:
    """How a question was asked. `pages` are the first and the last page."""

    strategy: str
    reranker: str | None
    top_k: int
    llm: str
    collections: tuple[str, ...]
    documents: tuple[str, ...]
    folders: tuple[str, ...]
    types: tuple[str, ...]
    added_from: date | None
    added_to: date | None
    pages: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class SamplingRecord:
    """How a language model chose its tokens."""

    temperature: float
    top_p: float | None
    top_k: int | None
    min_p: float | None
    repeat_penalty: float | None
    seed: int


@dataclass(frozen=True, slots=True)
class GeneratorRecord:
    """Who wrote an answer; everything but the name is for language models alone."""

    name: str
    sha256: str | None = None
    sampling: SamplingRecord | None = None
    max_tokens: int | None = None
    thinking: bool | None = None


@dataclass(frozen=True, slots=True)
class ScoreRecord:
    """A passage that was found, with its scores by stage."""

    chunk_id: str
    score: float
    scores: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class PriorEvidenceRecord:
    """A passage of the conversation's last prompt, which orders the evidence of the next one."""

    chunk_id: str
    spans: Spans


@dataclass(frozen=True, slots=True)
class ReceiptRecord:
    """Everything that decided an answer, and what came of it.

    `representation` is the fingerprint of the vectors that the strategy read, None for the built-in ones;
    `evidence_tokens` is the budget of the evidence; `prior_documents` are the ids of the documents that the
    conversation's last answer cites; `model_text` is the language model's own text where quotations stand for
    it; `instructions` are None where the prompt had none; `device` is where the question was encoded, None in
    receipts of former versions.
    """

    application: str
    question: str
    standalone_question: str
    options: OptionsRecord
    prior_evidence: tuple[PriorEvidenceRecord, ...]
    encoder: str
    representation: str | None
    generator: GeneratorRecord
    hits: tuple[ScoreRecord, ...]
    evidence_tokens: int | None
    evidence: tuple[EvidenceRecord, ...]
    relevance: float
    nonce: str
    prompt_sha256: str
    answer: str
    abstained: bool
    timings_ms: Mapping[str, float]
    outcome: str | None = None
    answerability: float | None = None
    prior_documents: tuple[str, ...] = ()
    model_text: str | None = None
    instructions: InstructionsRecord | None = None
    device: str | None = None


_CODECS: dict[type, TypeAdapter[Any]] = {kind: TypeAdapter(kind) for kind in (AnswerRecord, ReceiptRecord)}


def encode(record: AnswerRecord | ReceiptRecord) -> str:
    """Return a record as it is stored."""
    fields: dict[str, Any] = _CODECS[type(record)].dump_python(record, mode="json")
    return json.dumps({"format": FORMAT, **fields}, ensure_ascii=False)


def decode(kind: type[Record], text: str) -> Record:
    """Return a stored record. Raises ValueError for text that is no such record of this format."""
    fields = json.loads(text)
    found = fields.get("format") if isinstance(fields, dict) else None
    if found != FORMAT:
        raise ValueError(f"its format is {found!r}, not {FORMAT}")
    record: Record = _CODECS[kind].validate_python(fields)
    return record
