"""Conversations that were kept, as the answers that they were."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from ingestion.errors import UnknownName
from ingestion.library import Library
from ingestion.storage.catalogue.records import StoredChunk
from rag_app.answering.answers import (
    Answer,
    AnswerSentence,
    AskOptions,
    Citation,
    Evidence,
    EvidenceSentence,
    PassagesFound,
    PromptContext,
    Verdict,
)
from rag_app.contract.output import answer_fields
from rag_app.history.conversations import Turn
from rag_app.history.receipts import Receipts
from retrievers.hits import Hit
from retrievers.search import SearchResult, query_of

Fields = Mapping[str, Any]

GONE = "This passage is not in the library any more."
# Of a hit's fields, what is read from the library again: a deleted document's text is to be nowhere.
_READ_AGAIN = ("text", "heading")


@dataclass(frozen=True, slots=True)
class RestoredTurn:
    """A turn as it was kept, with what it answered and what was found for it where it has an answer."""

    turn: Turn
    options: AskOptions
    answer: Answer | None = None
    found: PassagesFound | None = None


def kept_fields(answer: Answer) -> dict[str, Any]:
    """Return an answer's fields as they are kept: of passages where they stand, and not what they say."""
    fields = answer_fields(answer)
    nearest = [{name: hit[name] for name in hit if name not in _READ_AGAIN} for hit in fields["nearest"]]
    return {**fields, "nearest": nearest}


def with_passages(fields: Fields, library: Library) -> dict[str, Any]:
    """Return kept fields with what the passages say; nothing of those that have gone from the library."""
    chunks = library.catalogue.chunks([hit["chunk_id"] for hit in fields["nearest"]])
    nearest = [
        {
            **hit,
            "heading": chunk.heading if (chunk := chunks.get(hit["chunk_id"])) else None,
            "text": chunk.text if chunk else "",
        }
        for hit in fields["nearest"]
    ]
    return {**fields, "nearest": nearest}


def restored(turn: Turn, receipts: Receipts, library: Library) -> RestoredTurn:
    """Return a turn as it was answered. Of passages that have gone it says so.

    Its receipt knows the sentences that were read; without one the cited passages stand for the evidence.
    """
    if turn.answer is None:
        return RestoredTurn(turn, AskOptions())
    fields = with_passages(turn.answer, library)
    receipt: Fields | None = None
    if turn.receipt is not None:
        with suppress(UnknownName):  # only so many are kept
            receipt = receipts.get(turn.receipt).fields
    hits = tuple(_hit(one) for one in fields["nearest"])
    citations = tuple(Citation(**one) for one in fields["citations"])
    evidence = _evidence(hits, citations, receipt)
    relevance = float(receipt["relevance"]) if receipt else 0.0
    timings = dict(fields["timings_ms"])
    answer = Answer(
        question=fields["question"],
        text=fields["answer"],
        abstained=fields["abstained"],
        strategy=fields["strategy"],
        reranker=fields["reranker"],
        llm=fields["llm"],
        citations=citations,
        sentences=tuple(_sentence(one) for one in fields["sentences"]),
        nearest=hits,
        evidence=evidence,
        relevance=relevance,
        timings_ms=timings,
        flags=tuple(fields["flags"]),
        standalone_question=fields["standalone_question"],
        conversation_id=fields["conversation_id"],
        receipt_id=fields["receipt_id"],
    )
    query = query_of(library, turn.standalone)
    result = SearchResult(query, answer.strategy, answer.reranker, True, hits, timings)
    options = AskOptions(strategy=answer.strategy, reranker=answer.reranker, llm=answer.llm)
    return RestoredTurn(turn, options, answer, PassagesFound(result, PromptContext(evidence, relevance)))


def _hit(fields: Fields) -> Hit:
    chunk = StoredChunk(
        id=fields["chunk_id"],
        document_id=fields["document_id"],
        document=fields["document"],
        collection=fields["collection"],
        ordinal=0,
        page=fields["page"],
        start=fields["start"] if fields["text"] else fields["end"],  # of what has gone nothing is marked
        end=fields["end"],
        heading=fields["heading"],
        context="",
        text=fields["text"] or GONE,
    )
    return Hit(fields["rank"], chunk, fields["score"], fields["scores"])


def _sentence(fields: Fields) -> AnswerSentence:
    return AnswerSentence(
        fields["text"],
        Verdict(fields["verdict"]),
        fields["score"],
        tuple(fields["markers"]),
        fields.get("reason"),
    )


def _evidence(
    hits: tuple[Hit, ...], citations: tuple[Citation, ...], receipt: Fields | None
) -> tuple[Evidence, ...]:
    by_chunk = {hit.chunk.id: hit for hit in hits}
    if receipt:
        return tuple(
            Evidence(one["number"], hit, _sentences(hit, one["spans"]))
            for one in receipt["evidence"]
            if (hit := by_chunk.get(one["chunk_id"]))
        )
    found: dict[int, Evidence] = {}
    for citation in citations:
        for hit in hits:
            chunk = hit.chunk
            holds = chunk.document_id == citation.document_id and chunk.page == citation.page
            if holds and chunk.start <= citation.start and citation.end <= chunk.end:
                found.setdefault(citation.marker, Evidence(citation.marker, hit, ()))
    return tuple(found[number] for number in sorted(found))


def _sentences(hit: Hit, spans: list[list[int]]) -> tuple[EvidenceSentence, ...]:
    chunk = hit.chunk
    if chunk.text == GONE:
        return ()
    return tuple(
        EvidenceSentence(start, end, chunk.text[start - chunk.start : end - chunk.start], 0.0)
        for start, end in spans
    )
