"""The numbers behind a score: a passage as the stores keep it, MaxSim in detail, a question's stages.

The page "Inspect" shows them; no answer needs them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from langchain_core.runnables import Runnable
from numpy.typing import NDArray

from ingestion.encoders import Encodings
from ingestion.errors import EmptyQuestion, InvalidInput, LibraryDamaged, UnknownName
from ingestion.library import Library
from ingestion.storage.catalogue.records import StoredChunk
from ingestion.storage.tokens.codec import TokenArrays, store_tokens
from ingestion.storage.tokens.store import KeptTokens
from ingestion.storage.vectors.store import Pooling
from rag_app.answering.answers import Answer, AnswerEvent, AskOptions, PassagesFound
from rag_app.answering.extractive_answerer import ExtractiveAnswerer
from rag_app.llm.choice import EXTRACTIVE
from retrievers.shares import taking_turns

Floats = NDArray[np.float32]

# The text of a token of the context line (title, headings), whose characters are not stored.
CONTEXT_TOKEN = "⟨context⟩"
# The model cuts longer texts, and a table of their tokens is too wide to read.
_MOST_CHARACTERS = 2000
# A question below this time was not encoded: the encoder keeps recent vectors.
_AT_HAND_MS = 0.5


@dataclass(frozen=True, slots=True)
class MaxSimDetails:
    """MaxSim of a question and a passage, with all its numbers.

    Attributes:
        question_tokens, passage_tokens: The words and word pieces, as text.
        cosines: [q, t] float32, of each question token with each passage token.
        cls, mean: The cosine of the two single vectors, by pooling.
    """

    question: str
    passage: str
    question_tokens: tuple[str, ...]
    passage_tokens: tuple[str, ...]
    cosines: Floats
    cls: float
    mean: float

    @property
    def best(self) -> tuple[int, ...]:
        """The place of each question token's best match."""
        return tuple(self.cosines.argmax(axis=1).tolist())

    @property
    def maxima(self) -> tuple[float, ...]:
        """The cosine of each question token's best match."""
        return tuple(self.cosines.max(axis=1).tolist())

    @property
    def maxsim(self) -> float:
        """The score: the sum of the maxima."""
        return sum(self.maxima)


@dataclass(frozen=True, slots=True)
class StoredPassage:
    """One passage as the stores keep it.

    Attributes:
        document, page, place: Its place in the library; None for a text that is only encoded.
        tokens: The tokens, as text.
        cls, mean: [d] float32, from Chroma; None where the library does not keep them.
        matrix: [v, k] float32, the token vectors, decoded from the codes.
        codec: The name of the codec.
        code_bytes: The size of the codes.
        map_bytes: The size of the tokens' places.
        text_bytes: The size of the text.
    """

    text: str
    document: str | None
    page: int | None
    place: int | None
    tokens: tuple[str, ...]
    cls: Floats | None
    mean: Floats | None
    matrix: Floats
    codec: str
    code_bytes: int
    map_bytes: int
    text_bytes: int

    @property
    def has_a_row_a_token(self) -> bool:
        """Whether each token has its own vector."""
        return len(self.matrix) == len(self.tokens)


@dataclass(frozen=True, slots=True)
class Trace:
    """A question's stages, and its answer. `evidence_tokens` of at most `budget` were packed."""

    found: PassagesFound
    answer: Answer
    question_tokens: int
    dimension: int
    token_dimension: int
    evidence_tokens: int
    budget: int
    threshold: float


class Inspector:
    """Inspects one library. `chain` returns the chain that answers."""

    def __init__(
        self,
        library: Library,
        chain: Callable[[AskOptions], Runnable[str, AnswerEvent]],
        *,
        threshold: float,
    ) -> None:
        self._library = library
        self._chain = chain
        self._threshold = threshold

    def work_through(self, question: str, passage: str) -> MaxSimDetails:
        """Return MaxSim of two texts. Raises EmptyQuestion; InvalidInput for an empty passage."""
        question, passage = _text(question), _text(passage)
        if not question:
            raise EmptyQuestion
        asked = self._library.encoder.encode_query(question)
        read = self._encode(passage)
        return MaxSimDetails(
            question=question,
            passage=passage,
            question_tokens=_written(question, asked.spans),
            passage_tokens=_written(passage, read.spans),
            cosines=np.asarray(asked.tokens @ read.tokens.T, np.float32),
            cls=float(asked.cls[0] @ read.cls[0]),
            mean=float(asked.mean[0] @ read.mean[0]),
        )

    def would_store(self, text: str) -> StoredPassage:
        """Return a text as the library would keep it. Raises InvalidInput for an empty text."""
        text = _text(text)
        made = self._encode(text)
        index = self._library.representation()
        spec = index.tokens.spec
        scales = self._library.encoder.scales
        assert scales is not None
        arrays = TokenArrays(made.tokens, made.offsets, made.spans, made.punctuation)
        kept = store_tokens(spec, scales, arrays)
        spans = kept.spans.astype(np.uint16)
        return StoredPassage(
            text=text,
            document=None,
            page=None,
            place=None,
            tokens=_written(text, kept.spans),
            cls=made.cls[0],
            mean=made.mean[0],
            matrix=spec.vectors(scales).decode(kept.codes),
            codec=spec.name,
            code_bytes=kept.codes.nbytes,
            map_bytes=spans.nbytes + (0 if kept.owners is None else kept.owners.nbytes),
            text_bytes=len(text.encode()),
        )

    def passages(self, document_id: str) -> int:
        """Return how many passages a document has; 0 for a deleted one."""
        document = self._library.catalogue.document(document_id)
        return 0 if document is None else document.chunks

    def stored(self, document_id: str, place: int) -> StoredPassage:
        """Return a document's passage as the library keeps it.

        Args:
            place: Of the passage, counted from 1.

        Raises:
            UnknownName: The document was deleted.
            InvalidInput: The document has no such passage.
            LibraryDamaged: Its vectors cannot be read.
        """
        document = self._library.catalogue.document(document_id)
        if document is None:
            raise UnknownName("document", document_id, (), advice="it was deleted; choose another")
        ids = document.chunk_ids()
        if not 1 <= place <= len(ids):
            raise InvalidInput(f"{document.name} has passages 1 to {len(ids)}, and no passage {place}")
        chunk = self._library.catalogue.chunks([ids[place - 1]]).get(ids[place - 1])
        kept = None if chunk is None else self._kept(chunk)
        if chunk is None or kept is None:
            raise LibraryDamaged(f"{document.name} was just replaced, or is damaged; choose it again")
        single = {pooling: self._single(document.collection_id, pooling, chunk.id) for pooling in _SINGLE}
        return StoredPassage(
            text=chunk.text,
            document=chunk.document,
            page=chunk.page,
            place=place,
            tokens=_written(chunk.text, kept.spans),
            cls=single["cls"],
            mean=single["mean"],
            matrix=kept.vectors,
            codec=self._library.representation().record.codec,
            code_bytes=kept.code_bytes,
            map_bytes=kept.map_bytes,
            text_bytes=len(chunk.text.encode()),
        )

    def trace(self, question: str, options: AskOptions) -> Trace:
        """Return the stages of an answer with quotations, without recording it.

        Raises what `Assistant.search` raises.
        """
        asked = replace(options, llm=EXTRACTIVE, conversation=None, history=())
        found: PassagesFound | None = None
        answer: Answer | None = None
        for event in self._chain(asked).stream(question):
            found = event if isinstance(event, PassagesFound) else found
            answer = event if isinstance(event, Answer) else answer
        assert found is not None
        assert answer is not None
        assert found.packed.budget is not None
        encoder = self._library.encoder
        answerer = ExtractiveAnswerer(encoder)
        packed = (sentence.text for item in found.packed.evidence for sentence in item.sentences)
        return Trace(
            found=found,
            answer=answer,
            question_tokens=len(encoder.offsets(question)),
            dimension=encoder.dimension,
            token_dimension=encoder.token_dimension,
            evidence_tokens=sum(map(answerer.count_tokens, packed)),
            budget=found.packed.budget,
            threshold=self._threshold,
        )

    def _encode(self, passage: str) -> Encodings:
        if not any(character.isalnum() for character in passage):
            raise InvalidInput("the passage is empty; type a sentence")
        return self._library.encoder.encode([passage])

    def _kept(self, chunk: StoredChunk) -> KeptTokens | None:
        index = self._library.representation()
        located = self._library.catalogue.located([chunk.id], index.id)
        return index.tokens.kept(located[0][0], chunk.id) if located else None

    def _single(self, collection_id: int, pooling: Pooling, chunk_id: str) -> Floats | None:
        if pooling not in self._library.representation().record.vector_kinds:
            return None
        ids, vectors = self._library.vectors.read(collection_id, pooling, [chunk_id])
        return vectors[0] if ids else None


_SINGLE: tuple[Pooling, ...] = ("cls", "mean")


@dataclass(frozen=True, slots=True)
class InspectedStage:
    """A stage of a question: its result, and its time (None: not measured)."""

    name: str
    result: str
    detail: str
    milliseconds: float | None


def stages(trace: Trace) -> list[tuple[InspectedStage, ...]]:
    """Return the stages in order; those in one tuple do not depend on each other."""
    result, packed, answer = trace.found.result, trace.found.packed, trace.answer
    times, counts = answer.timings_ms, result.counts
    steps: list[tuple[InspectedStage, ...]] = [
        (InspectedStage("Question", _count(trace.question_tokens, "token"), "words and word pieces", None),)
    ]
    if "encode" in times:
        detail = f"one vector of {trace.dimension}, one of {trace.token_dimension} for each token"
        if times["encode"] < _AT_HAND_MS:
            detail += "; still at hand from before"
        encoded = _count(trace.question_tokens, "token vector")
        steps.append((InspectedStage("Encode", encoded, detail, times["encode"]),))
    lists = [
        InspectedStage(name, _count(counts[name], "passage"), detail, _time(times, *names))
        for name, names, detail in _LISTS
        if name in counts
    ]
    if lists:
        steps.append(tuple(lists))
    if "documents" in times:
        named = ", ".join(one.document for one in result.looked_first) or "none that the question names"
        shared = "; they take turns in the first places" if taking_turns(result.sides) else ""
        detail = f"what the question names{shared}"
        step = InspectedStage("Documents", f"first: {named}", detail, times["documents"])
        steps.append((step,))
    if "candidates" in counts:
        detail = "in either list, by reciprocal rank"
        steps.append((InspectedStage("Candidates", _count(counts["candidates"], "passage"), detail, None),))
    if "maxsim" in counts:
        detail = "every token finds its best match" + ("" if "candidates" in counts else "; the best ones")
        spent = _time(times, "scope", "candidates", "locate", "gather", "score")
        steps.append((InspectedStage("MaxSim", _count(counts["maxsim"], "passage"), detail, spent),))
    if "cross_encoder" in counts:
        read = _count(counts["cross_encoder"], "passage")
        steps.append((InspectedStage("Rerank", read, f"read by {result.reranker}", times.get("rerank")),))
    exact = "no better one is missing" if result.exact else "approximate: a better one may be missing"
    steps.append((InspectedStage("Found", _count(len(result.hits), "passage"), exact, times.get("read")),))
    sentences = sum(len(item.sentences) for item in packed.evidence)
    budget = f"{trace.evidence_tokens:,} tokens of {trace.budget:,} from {len(packed.evidence)} passages"
    steps.append((InspectedStage("Evidence", _count(sentences, "sentence"), budget, times.get("pack")),))
    said = _count(len(answer.citations), "citation") if not answer.abstained else "no answer"
    likely = f"answerability {answer.answerability or 0.0:.2f}; answered from {trace.threshold:.2f} on"
    steps.append((InspectedStage("Answer", said, likely, times.get("answer")),))
    return steps


# The first lists of passages: the score's name, its stages, a description.
_LISTS = (
    ("cls", ("scan", "chroma"), "nearest [CLS] vectors"),
    ("mean", ("scan", "chroma"), "nearest mean vectors"),
    ("bm25", ("fts5",), "the question's words"),
)


def _time(times: Mapping[str, float], *names: str) -> float | None:
    known = [times[name] for name in names if name in times]
    return sum(known) if known else None


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _text(text: str) -> str:
    return text.strip()[:_MOST_CHARACTERS]


def _written(text: str, spans: Sequence[Sequence[int]] | NDArray[np.integer]) -> tuple[str, ...]:
    """Return the tokens' text; CONTEXT_TOKEN for those of the context line."""
    return tuple(text[start:end] if end > start else CONTEXT_TOKEN for start, end in spans)
