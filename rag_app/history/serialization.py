"""Answers and receipts as records, and recorded turns as the answers that they were."""

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib.metadata import version

from ingestion.errors import UnknownName
from ingestion.library import Library
from rag_app.answering.answers import (
    Answer,
    AnswerInstructions,
    AnswerSentence,
    AskOptions,
    Citation,
    Evidence,
    Outcome,
    PassagesFound,
    PromptContext,
    Verdict,
)
from rag_app.answering.prompts import messages
from rag_app.history.conversations import Conversations
from rag_app.history.receipts import Receipts
from rag_app.history.recorded_passages import cited_evidence, evidence_of, hit_of, shown
from rag_app.history.records import (
    AnswerRecord,
    CitationRecord,
    EvidenceRecord,
    GeneratorRecord,
    HitRecord,
    InstructionsRecord,
    OptionsRecord,
    PriorEvidenceRecord,
    ReceiptRecord,
    SamplingRecord,
    ScoreRecord,
    SentenceRecord,
)
from rag_app.history.turns import RecordedTurn
from rag_app.llm.token_usage import TokenUsage
from rag_app.llm.usage import GeneratorInfo
from retrievers.hits import Hit
from retrievers.search import SearchResult, query_of


@dataclass(frozen=True, slots=True)
class RestoredTurn:
    """A recorded turn, with its answer and the passages found for it.

    Attributes:
        partial: What was written of an unfinished answer; None for a finished one, or one not begun.
    """

    turn: RecordedTurn
    options: AskOptions
    answer: Answer | None = None
    found: PassagesFound | None = None
    partial: Answer | None = None


def answer_record(answer: Answer) -> AnswerRecord:
    """Return an answer as the history stores it: passages by their place, without their text."""
    return AnswerRecord(
        question=answer.question,
        text=answer.text,
        abstained=answer.abstained,
        outcome=answer.outcome,
        answerability=answer.answerability,
        strategy=answer.strategy,
        reranker=answer.reranker,
        llm=answer.llm,
        citations=tuple(
            CitationRecord(
                one.marker, one.document, one.document_id, one.page, one.start, one.end, one.quote, one.lines
            )
            for one in answer.citations
        ),
        sentences=tuple(
            SentenceRecord(one.text, one.verdict, one.score, one.markers, one.reason)
            for one in answer.sentences
        ),
        hits=tuple(map(_hit_record, answer.nearest)),
        flags=answer.flags,
        standalone_question=answer.standalone_question,
        timings_ms=_rounded(answer),
        model_text=answer.model_text,
        prompt_tokens=answer.usage.prompt_tokens if answer.usage else None,
        completion_tokens=answer.usage.completion_tokens if answer.usage else None,
        instructions=_instructions_record(answer.instructions),
    )


def partial_record(answer: Answer, library: Library) -> AnswerRecord:
    """Return an unfinished answer as the history stores it, with its evidence: it has no receipt."""
    evidence = tuple(_evidence_record(item, library) for item in answer.evidence)
    return replace(answer_record(answer), evidence=evidence)


def receipt_record(
    answer: Answer, options: AskOptions, library: Library, generator: GeneratorInfo
) -> ReceiptRecord:
    """Return everything that decided an answer, and the answer."""
    standalone = answer.standalone_question or answer.question
    return ReceiptRecord(
        application=version("rag-app"),
        question=answer.question,
        standalone_question=standalone,
        options=_options_record(options),
        prior_evidence=tuple(PriorEvidenceRecord(one.chunk_id, one.spans) for one in options.earlier),
        encoder=library.encoder.fingerprint,
        representation=_representation(options.strategy, library),
        generator=_generator_record(generator),
        hits=tuple(ScoreRecord(hit.chunk.id, hit.score, dict(hit.scores)) for hit in answer.nearest),
        evidence_tokens=answer.budget,
        evidence=tuple(_evidence_record(item, library) for item in answer.evidence),
        relevance=answer.relevance,
        nonce=answer.nonce,
        prompt_sha256=prompt_hash(standalone, answer.evidence, answer.nonce, answer.instructions),
        answer=answer.text,
        abstained=answer.abstained,
        outcome=answer.outcome,
        answerability=answer.answerability,
        timings_ms=_rounded(answer),
        prior_documents=options.cited,
        model_text=answer.model_text,
        instructions=_instructions_record(answer.instructions),
        device=library.encoder.device,
    )


def prompt_hash(
    question: str, evidence: Sequence[Evidence], nonce: str, instructions: AnswerInstructions
) -> str:
    """Return the SHA-256 of the prompt's messages."""
    prompt = messages(question, evidence, nonce, instructions)
    texts = [f"{message.type}\n{message.text}" for message in prompt]
    return hashlib.sha256("\0".join(texts).encode("utf-8", "surrogatepass")).hexdigest()


def recorded_answers(
    conversations: Conversations, identity: str, library: Library
) -> list[list[tuple[RecordedTurn, Answer | None, Answer | None]]]:
    """Return all answers of a conversation, question by question, the shown one first: the turn, its finished
    answer, and what was written of an unfinished one.

    Raises UnknownName, LibraryError for a damaged record.
    """
    found = []
    for turn in conversations.turns(identity):
        others = conversations.variants(identity, turn.number) if turn.variants > 1 else ()
        turns = (turn, *(one for one in others if one.variant != turn.variant))
        found.append([(one, recorded_answer(one, library), recorded_partial(one, library)) for one in turns])
    return found


def recorded_answer(turn: RecordedTurn, library: Library) -> Answer | None:
    """Return a turn's finished answer with its passages' text, "" for passages that have left the library.

    The evidence is not among it: `restored` finds it.
    """
    return _answer_of(turn.answer, turn, library)


def recorded_partial(turn: RecordedTurn, library: Library) -> Answer | None:
    """Return what was written of a turn's unfinished answer, as `recorded_answer` returns a finished one."""
    return _answer_of(turn.partial, turn, library)


def _answer_of(record: AnswerRecord | None, turn: RecordedTurn, library: Library) -> Answer | None:
    if record is None:
        return None
    chunks = library.catalogue.chunks([hit.chunk_id for hit in record.hits])
    return Answer(
        question=record.question,
        text=record.text,
        outcome=_outcome(record),
        strategy=record.strategy,
        reranker=record.reranker,
        llm=record.llm,
        citations=tuple(
            Citation(
                one.marker, one.document, one.document_id, one.page, one.start, one.end, one.quote, one.lines
            )
            for one in record.citations
        ),
        sentences=tuple(
            AnswerSentence(one.text, Verdict(one.verdict), one.score, one.markers, one.reason)
            for one in record.sentences
        ),
        nearest=tuple(hit_of(one, chunks.get(one.chunk_id)) for one in record.hits),
        evidence=(),
        relevance=0.0,
        timings_ms=record.timings_ms,
        flags=record.flags,
        standalone_question=record.standalone_question,
        conversation_id=turn.conversation,
        receipt_id=turn.receipt,
        answerability=record.answerability,
        model_text=record.model_text,
        usage=_usage(record),
        instructions=instructions_from(record.instructions),
    )


def instructions_from(record: InstructionsRecord | None) -> AnswerInstructions:
    """Return recorded instructions; none for a record without them, such as an older one."""
    return AnswerInstructions(record.collection, record.request) if record else AnswerInstructions()


def restored(turn: RecordedTurn, receipts: Receipts, library: Library) -> RestoredTurn:
    """Return a turn as it was answered, or as far as it was. Passages that have left the library say so.

    The receipt knows the sentences that were read; without a receipt, the cited passages stand for the
    evidence. An unfinished answer knows its own.
    """
    record = turn.answer or turn.partial
    answer = _answer_of(record, turn, library)
    if record is None or answer is None:
        return RestoredTurn(turn, AskOptions())
    receipt: ReceiptRecord | None = None
    if turn.receipt is not None:
        with suppress(UnknownName):  # only so many are stored
            receipt = receipts.get(turn.receipt).record
    hits = tuple(map(shown, answer.nearest))
    read = receipt.evidence if receipt else record.evidence
    evidence = evidence_of(hits, read) if read or receipt else cited_evidence(hits, answer.citations)
    relevance = receipt.relevance if receipt else 0.0
    answer = replace(answer, nearest=hits, evidence=evidence, relevance=relevance)
    query = query_of(library, turn.standalone)
    result = SearchResult(query, answer.strategy, answer.reranker, True, hits, answer.timings_ms)
    options = AskOptions(strategy=answer.strategy, reranker=answer.reranker, llm=answer.llm)
    found = PassagesFound(result, PromptContext(evidence, relevance))
    if turn.answer is None:
        return RestoredTurn(turn, options, found=found, partial=answer)
    return RestoredTurn(turn, options, answer, found)


def _outcome(record: AnswerRecord) -> Outcome:
    """Return an answer's outcome; of one recorded without, as its passages tell."""
    if record.outcome is not None:
        return Outcome(record.outcome)
    if not record.abstained:
        return Outcome.ANSWERED
    return Outcome.RELATED if record.hits else Outcome.NOTHING


def _usage(record: AnswerRecord) -> TokenUsage | None:
    if record.prompt_tokens is None or record.completion_tokens is None:
        return None
    return TokenUsage(record.prompt_tokens, record.completion_tokens)


def _instructions_record(used: AnswerInstructions) -> InstructionsRecord | None:
    return InstructionsRecord(used.collection, used.request) if used else None


def _rounded(answer: Answer) -> dict[str, float]:
    return {name: round(value, 2) for name, value in answer.timings_ms.items()}


def _hit_record(hit: Hit) -> HitRecord:
    chunk = hit.chunk
    return HitRecord(
        rank=hit.rank,
        chunk_id=chunk.id,
        document=chunk.document,
        document_id=chunk.document_id,
        collection=chunk.collection,
        page=chunk.page,
        start=chunk.start,
        end=chunk.end,
        score=hit.score,
        scores=dict(hit.scores),
    )


def _options_record(options: AskOptions) -> OptionsRecord:
    filters = options.filters
    return OptionsRecord(
        strategy=options.strategy,
        reranker=options.reranker,
        top_k=options.top_k,
        llm=options.llm,
        collections=options.collections,
        documents=filters.documents,
        folders=filters.folders,
        types=filters.types,
        added_from=filters.added_from,
        added_to=filters.added_to,
        pages=filters.pages,
    )


def _generator_record(generator: GeneratorInfo) -> GeneratorRecord:
    sampling = generator.sampling
    chosen = None
    if sampling is not None:
        chosen = SamplingRecord(
            temperature=sampling.temperature,
            top_p=sampling.top_p,
            top_k=sampling.top_k,
            min_p=sampling.min_p,
            repeat_penalty=sampling.repeat_penalty,
            seed=sampling.seed,
        )
    return GeneratorRecord(generator.name, generator.sha256, chosen, generator.max_tokens, generator.thinking)


def _representation(strategy: str, library: Library) -> str | None:
    """Return the fingerprint of the vectors that mean@NAME and its kind read, None for built-in ones."""
    _, _, name = strategy.partition("@")
    return library.representation(name).record.fingerprint if name else None


def _evidence_record(item: Evidence, library: Library) -> EvidenceRecord:
    chunk = item.hit.chunk
    document = library.catalogue.document(chunk.document_id)
    return EvidenceRecord(
        number=item.number,
        chunk_id=chunk.id,
        document=chunk.document,
        sha256=None if document is None else document.sha256,
        page=chunk.page,
        spans=tuple((sentence.start, sentence.end) for sentence in item.sentences),
    )
