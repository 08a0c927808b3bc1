"""What a question turns into: options, evidence, an answer with citations, and events on the way."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from ingestion.storage.catalogue.filters import Filters
from rag_app.config.sampling import Sampling
from retrievers.hits import Hit
from retrievers.search import SearchResult
from retrievers.strategies import DEFAULT_STRATEGY

# What the application says, and asks an LLM to say, when the documents hold no answer.
NO_ANSWER = "The documents do not answer this."
# The strategy of an answer for which no document was searched (`rag_app.answering.library_replies`).
REPLY = "reply"


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question asked earlier in a conversation, and what was answered."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class EvidenceRef:
    """A passage as an earlier prompt of the conversation had it: its chunk and its sentences' places."""

    chunk_id: str
    spans: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class AskOptions:
    """How a question is asked.

    Attributes:
        strategy: a name from the strategy table.
        reranker: a cross-encoder's folder or hub name, or None for no reranking.
        top_k: passages found.
        collections: names; none means the default collection.
        filters: what else the passages must meet.
        llm: "auto", "extractive", the path of a GGUF file, or a server's URL#MODEL.
        history: what was asked and answered before, oldest first; a follow-up question is read in its light.
        standalone: the question as it is to be understood without the history, where a person has edited it;
            None: the application condenses it.
        conversation: the id of the conversation that the question is part of, "new" to begin one.
        nonce: what fences the evidence in the prompt; "": any.
        earlier: the evidence of the conversation's last prompt.
        evidence_tokens: how much evidence is packed, counted by what answers; None: as the settings say.
    """

    strategy: str = DEFAULT_STRATEGY
    reranker: str | None = None
    top_k: int = 8
    collections: tuple[str, ...] = ()
    filters: Filters = field(default_factory=Filters)
    llm: str = "auto"
    history: tuple[Exchange, ...] = ()
    standalone: str | None = None
    conversation: str | None = None
    nonce: str = ""
    earlier: tuple[EvidenceRef, ...] = ()
    evidence_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class EvidenceSentence:
    """A sentence of a hit: characters `start` to `end` of its page, and how well it matches.

    `score` is the mean over the question's tokens, of which function words count half, of the best cosine
    among the sentence's tokens and its context line's. `also` names the pages that say the same. One that
    `is_heading` says what others are about: a question of the document itself, the line of another identifier
    than the one asked for. One `is_named` that has what the question names literally.
    `answers` is how well the document's question above it matches, computed as `score` is; 0 without one.
    """

    start: int
    end: int
    text: str
    score: float
    also: tuple[str, ...] = ()
    is_heading: bool = False
    is_named: bool = False
    answers: float = 0.0


@dataclass(frozen=True, slots=True)
class Evidence:
    """A hit as it is put before the answerer: number n is what `[n]` refers to. `score` is the whole
    passage's, computed as a sentence's is."""

    number: int
    hit: Hit
    sentences: tuple[EvidenceSentence, ...]
    score: float = 0.0

    @property
    def text(self) -> str:
        """The sentences as they stand on the page, with … where some were left out."""
        chunk = self.hit.chunk
        parts: list[str] = []
        position = chunk.start
        for sentence in self.sentences:
            gap = chunk.text[position - chunk.start : sentence.start - chunk.start]
            parts.append(gap if not gap.strip() else " … ")
            parts.append(sentence.text)
            position = sentence.end
        return "".join(parts).strip()


@dataclass(frozen=True, slots=True)
class PromptContext:
    """Evidence that fits the budget, in tokens. `nonce` is what the prompt's fences around it are made of.

    `relevance` is that of the passage that answers best (`evidence.prompt_context.relevance`): the one
    signal, the same for every strategy, for whether the documents answer at all.
    """

    evidence: tuple[Evidence, ...]
    relevance: float
    nonce: str = ""
    budget: int | None = None


@dataclass(frozen=True, slots=True)
class Citation:
    """`quote` is exactly characters `start` to `end` of the page's text; `marker` is the n of `[n]`."""

    marker: int
    document: str
    document_id: str
    page: int
    start: int
    end: int
    quote: str


class Verdict(StrEnum):
    """Whether sources hold what a sentence of an answer says."""

    SUPPORTED = "supported"
    WEAK = "weak"
    UNSUPPORTED = "unsupported"


@dataclass(frozen=True, slots=True)
class AnswerSentence:
    """A sentence of the answer. `score` is its MaxSim (mean cosine) with the sentences that it rests on;
    `reason` says what is missing where the verdict is not "supported"."""

    text: str
    verdict: Verdict
    score: float
    markers: tuple[int, ...]
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class CitedAnswer:
    """An answer whose citations have been computed: its text with the markers that hold, and both lists."""

    text: str
    sentences: tuple[AnswerSentence, ...]
    citations: tuple[Citation, ...]


@dataclass(frozen=True, slots=True)
class GeneratorInfo:
    """What wrote an answer.

    Attributes:
        sha256: The model file's hash; None for a server, or while it is computed.
        max_tokens: The longest answer, in tokens.
        thinking: Whether the model reasoned first.
    """

    name: str
    sha256: str | None = None
    sampling: Sampling | None = None
    max_tokens: int | None = None
    thinking: bool | None = None


class AnswerEvent:
    """What the chain streams. The sum of two events is the later one, as LangChain's runnables want."""

    __slots__ = ()

    def __add__(self, other: "AnswerEvent") -> "AnswerEvent":
        return other


@dataclass(frozen=True, slots=True)
class QuestionRewritten(AnswerEvent):
    """What a follow-up question was understood as; comes before the passages found for it."""

    question: str


@dataclass(frozen=True, slots=True)
class AnswerProgress(AnswerEvent):
    """What the answer waits for before its first word.

    Stage "queue": `done` questions of others are still before this one (`total` is 0); "load": the model is
    being loaded; "prefill": `done` of `total` tokens of the prompt have been read (both 0: nobody tells);
    "read": `done` of `total` passages of what is summarised have been read.
    """

    stage: str
    done: int = 0
    total: int = 0


@dataclass(frozen=True, slots=True)
class PassagesFound(AnswerEvent):
    """The passages, before anything is written."""

    result: SearchResult
    packed: PromptContext


@dataclass(frozen=True, slots=True)
class Delta(AnswerEvent):
    """More of the answer's text."""

    text: str


@dataclass(frozen=True, slots=True)
class ReasoningDelta(AnswerEvent):
    """More of what the model thinks before it answers; no part of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class Answer(AnswerEvent):
    """The finished answer. When `abstained`, `text` says so and `nearest` holds the nearest passages.

    `standalone_question` is what was searched for where that is not the question itself. `flags` name what a
    person should know, such as a document that gives instructions. `budget` is the evidence's, in tokens.
    """

    question: str
    text: str
    abstained: bool
    strategy: str
    reranker: str | None
    llm: str
    citations: tuple[Citation, ...]
    sentences: tuple[AnswerSentence, ...]
    nearest: tuple[Hit, ...]
    evidence: tuple[Evidence, ...]
    relevance: float
    timings_ms: Mapping[str, float]
    flags: tuple[str, ...] = ()
    standalone_question: str | None = None
    conversation_id: str | None = None
    receipt_id: str | None = None
    nonce: str = ""
    budget: int | None = None
