"""Passages of recorded answers, with their text from the library."""

from collections.abc import Sequence
from dataclasses import replace

from ingestion.storage.catalogue.records import StoredChunk
from rag_app.answering.answers import Citation, Evidence, EvidenceSentence
from rag_app.history.records import EvidenceRecord, HitRecord, Spans
from retrievers.hits import Hit

GONE = "This passage is not in the library any more."


def hit_of(record: HitRecord, found: StoredChunk | None) -> Hit:
    """Return a recorded hit with the text of its passage, "" where that has left the library."""
    chunk = StoredChunk(
        id=record.chunk_id,
        document_id=record.document_id,
        document=record.document,
        collection=record.collection,
        ordinal=0,
        page=record.page,
        start=record.start,
        end=record.end,
        heading=found.heading if found else None,
        context="",
        text=found.text if found else "",
    )
    return Hit(record.rank, chunk, record.score, record.scores)


def shown(hit: Hit) -> Hit:
    """Return a hit that says when its passage is gone; then nothing of its page is marked."""
    if hit.chunk.text:
        return hit
    return replace(hit, chunk=replace(hit.chunk, text=GONE, start=hit.chunk.end))


def evidence_of(hits: Sequence[Hit], read: Sequence[EvidenceRecord]) -> tuple[Evidence, ...]:
    """Return the evidence that was read, of the hits that it was taken from."""
    by_chunk = {hit.chunk.id: hit for hit in hits}
    return tuple(
        Evidence(one.number, hit, _sentences(hit, one.spans))
        for one in read
        if (hit := by_chunk.get(one.chunk_id))
    )


def cited_evidence(hits: Sequence[Hit], citations: Sequence[Citation]) -> tuple[Evidence, ...]:
    """Return the cited passages as evidence, where it is not known what was read of them."""
    found: dict[int, Evidence] = {}
    for citation in citations:
        for hit in hits:
            chunk = hit.chunk
            holds = chunk.document_id == citation.document_id and chunk.page == citation.page
            if holds and chunk.start <= citation.start and citation.end <= chunk.end:
                found.setdefault(citation.marker, Evidence(citation.marker, hit, ()))
    return tuple(found[number] for number in sorted(found))


def _sentences(hit: Hit, spans: Spans) -> tuple[EvidenceSentence, ...]:
    chunk = hit.chunk
    if chunk.text == GONE:
        return ()
    return tuple(
        EvidenceSentence(start, end, chunk.text[start - chunk.start : end - chunk.start], 0.0)
        for start, end in spans
    )
