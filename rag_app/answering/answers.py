"""The values of a question: options, evidence, events, and an answer with citations."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from ingestion.storage.catalogue.filters import Filters
from ingestion.tables.table import Table
from rag_app.llm.token_usage import TokenUsage
from retrievers.hits import Hit, Side
from retrievers.reader.reading import Reading
from retrievers.search import SearchResult
from retrievers.strategies import DEFAULT_STRATEGY

# The text of an abstention by a model.
NO_ANSWER = "The documents do not answer this."
REPLY = "reply"  # the strategy of an answer without a search (`rag_app.answering.library_replies`)


@dataclass(frozen=True, slots=True)
class Exchange:
    """An earlier question of a conversation, and its answer."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class EvidenceRef:
    """A passage in an earlier prompt of the conversation: its chunk, and the spans of its sentences."""

    chunk_id: str
    spans: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class AnswerInstructions:
    """What a language model is asked about the form of an answer; "" for nothing.

    Attributes:
        collection: By the collection that is asked.
        request: By the request: a chat's system messages.
    """

    collection: str = ""
    request: str = ""

    def __bool__(self) -> bool:
        return bool(self.collection or self.request)

    @property
    def text(self) -> str:
        return "\n".join(filter(None, (self.collection, self.request)))


@dataclass(frozen=True, slots=True)
class AskOptions:
    """The options of one question.

    Attributes:
        strategy: A name in the strategy table.
        reranker: A reranker's name, or a cross-encoder's folder or hub name; None: no reranking.
        top_k: The number of passages to find.
        collections: Names; none means the default collection.
        filters: Further conditions on the passages.
        llm: "auto", "extractive", a GGUF file's path, or a server's URL#MODEL.
        history: Earlier questions and answers, oldest first; they give a follow-up question its meaning.
        standalone: The question without reference to the history, as a person edited it.
        conversation: The id of the question's conversation; "new" begins one.
        turn: The question's number in the conversation; None: it is not stored yet.
        variant: Which of the question's answers this is, from 1.
        nonce: The nonce of the prompt's fences; "": any.
        earlier: The evidence of the conversation's last prompt.
        cited: Ids of documents of the last answer, for a follow-up question that names nothing else.
        evidence_tokens: The evidence budget, in tokens of the answerer; None: the settings decide.
        instructions: What the request asks about the form of the answer.
        collection_instructions: The collection's; None: those that it has, where one alone is asked.
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
    turn: int | None = None
    variant: int = 1
    nonce: str = ""
    earlier: tuple[EvidenceRef, ...] = ()
    cited: tuple[str, ...] = ()
    evidence_tokens: int | None = None
    instructions: str = ""
    collection_instructions: str | None = None


@dataclass(frozen=True, slots=True)
class EvidenceSentence:
    """A sentence of a hit, and how well it matches the question.

    Attributes:
        start, end: Its characters in the page's text.
        score: The mean over the question's tokens of the best cosine; stop words count half.
        also: The pages that say the same.
        is_heading: It introduces others: a question in the document, or a line of another identifier.
        is_named: It has an identifier of the question.
        answers: The score of the document's question above it; 0 without one.
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
class PassageWindow:
    """A passage with what stands around it, so that its sentences can be shown whole.

    Attributes:
        text: The passage, with the passages before and after it on the same page.
        start: Where `text` begins on the page.
        above: The page's text above `text`: the heads of a table's columns.
        before, after: The end of the page before, and the beginning of the next, at these edges of the page.
        tables: Of its page; their places are characters of the page.
    """

    text: str
    start: int
    above: str = ""
    before: str = ""
    after: str = ""
    tables: tuple[Table, ...] = ()


@dataclass(frozen=True, slots=True)
class Evidence:
    """A hit in the prompt, cited as `[number]`.

    Attributes:
        score: The whole passage's, like a sentence's.
        reading: What the reader makes of it; None where it was not read.
        window: What stands around it; None where it is not known.
        relevance: How well it answers (`evidence.sentence_scores.relevance`).
    """

    number: int
    hit: Hit
    sentences: tuple[EvidenceSentence, ...]
    score: float = 0.0
    reading: Reading | None = None
    window: PassageWindow | None = None
    relevance: float = 0.0

    @property
    def text(self) -> str:
        """The sentences as on the page, with … for omitted ones."""
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
    """The evidence of a prompt.

    Attributes:
        relevance: Of the best passage.
        nonce: The nonce of the prompt's fences.
        budget: The evidence budget in tokens.
        question: What was searched for, with its typing errors mended.
        forms: The question with the glossary's words in the place of its own.
        instructions: Those that the prompt has, about the form of the answer.
        sides: Documents of which the question asks something each: an answer has a line for each.
        lacking: Names of sides whose evidence does not answer.
    """

    evidence: tuple[Evidence, ...]
    relevance: float
    nonce: str = ""
    budget: int | None = None
    question: str = ""
    forms: tuple[str, ...] = ()
    instructions: AnswerInstructions = AnswerInstructions()
    sides: tuple[Side, ...] = ()
    lacking: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Citation:
    """A quotation: characters `start` to `end` of a page's text; `marker` is the n of `[n]`."""

    marker: int
    document: str
    document_id: str
    page: int
    start: int
    end: int
    quote: str
    lines: str | None = None  # of source code: "lines 12–40"


class Verdict(StrEnum):
    """Whether the sources support a sentence of an answer."""

    SUPPORTED = "supported"
    WEAK = "weak"
    UNSUPPORTED = "unsupported"


class Outcome(StrEnum):
    """Whether the documents answer: they do, or a reply needs none; passages are about the question, and none
    answers it; no passage is about it."""

    ANSWERED = "answered"
    RELATED = "related"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class AnswerSentence:
    """A sentence of the answer.

    Attributes:
        score: Its MaxSim (mean cosine) with its source sentences.
        reason: Why the verdict is not "supported"; None where it is.
    """

    text: str
    verdict: Verdict
    score: float
    markers: tuple[int, ...]
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class CitedAnswer:
    """An answer with computed citations; `text` has the markers of sources that support it."""

    text: str
    sentences: tuple[AnswerSentence, ...]
    citations: tuple[Citation, ...]


class AnswerEvent:
    """An item of the chain's stream. The sum of two events is the later one, as LangChain requires."""

    __slots__ = ()

    def __add__(self, other: "AnswerEvent") -> "AnswerEvent":
        return other


@dataclass(frozen=True, slots=True)
class QuestionRewritten(AnswerEvent):
    """The standalone form of a follow-up question; it comes before `PassagesFound`."""

    question: str


@dataclass(frozen=True, slots=True)
class AnswerProgress(AnswerEvent):
    """Progress before the first word of an answer.

    Attributes:
        stage: "queue": `done` questions of others come first (`total` is 0); "load": the model is being
            loaded; "prefill": `done` of `total` prompt tokens are read (both 0: unknown); "read": `done` of
            `total` passages of a summary are.
    """

    stage: str
    done: int = 0
    total: int = 0


@dataclass(frozen=True, slots=True)
class PassagesFound(AnswerEvent):
    """The passages found; it comes before any text."""

    result: SearchResult
    packed: PromptContext


@dataclass(frozen=True, slots=True)
class Delta(AnswerEvent):
    """More of the answer's text."""

    text: str


@dataclass(frozen=True, slots=True)
class ReasoningDelta(AnswerEvent):
    """More of the model's reasoning, which is no part of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class Answer(AnswerEvent):
    """The finished answer.

    Attributes:
        outcome: Whether the documents answer; where they do not, `text` says so and why.
        citations: What the answer rests on; of an answer that abstains, the closest passages.
        nearest: All passages found.
        answerability: The probability that the documents answer (`evidence.answerability`); None without one.
        flags: Warnings, such as a document that gives instructions.
        standalone_question: The rewritten question that was searched for; None: the question itself.
        model_text: The language model's own text where it was useless and quotations stand for it.
        usage: None where no language model counted tokens.
        instructions: Those of the prompt; none where no language model was to write.
    """

    question: str
    text: str
    outcome: Outcome
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
    answerability: float | None = None
    model_text: str | None = None
    usage: TokenUsage | None = None
    instructions: AnswerInstructions = AnswerInstructions()

    @property
    def abstained(self) -> bool:
        """Whether the documents do not answer."""
        return self.outcome is not Outcome.ANSWERED
