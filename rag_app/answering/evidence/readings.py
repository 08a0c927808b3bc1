"""What the reader makes of the passages that were found: it reads the best of them, and the best sentences of
the likeliest on their own.

How much is read is a number of passages and sentences, not a time: the same question has the same answer on a
slow machine and on a busy one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ingestion.storage.catalogue.records import StoredChunk
from ingestion.text.sentences import sentence_spans
from rag_app.answering.answers import EvidenceSentence
from rag_app.answering.evidence.spelled_out import best_form
from retrievers.reader.reading import UNREAD, Reader, Reading
from retrievers.search import SearchResult

# docs/decisions/2026-11-30-how-much-is-read.md says what less and more do.
PASSAGES = 5
_OF_A_SIDE = 3
_BY_SENTENCE = 3
_SENTENCES = 3


@dataclass(frozen=True, slots=True)
class Matched:
    """A passage, how well it matches what is asked, and how well each of its sentences does.

    Places of the sentences are characters of the page.
    """

    chunk: StoredChunk
    relevance: float
    sentences: Sequence[EvidenceSentence]


def readings_of(reader: Reader, result: SearchResult, passages: Sequence[Matched]) -> dict[str, Reading]:
    """Return what a reader makes of passages, by chunk id; a side's passages are read for its own question.

    Raises ModelError where the reader cannot be loaded.
    """
    named = frozenset[str]().union(*(one.documents for one in result.sides))
    asked = [
        (side.within, [each for each in passages if each.chunk.document_id in side.documents], _OF_A_SIDE)
        for side in result.sides
    ]
    others = [each for each in passages if each.chunk.document_id not in named]
    found: dict[str, Reading] = {}
    for text, some, most in (*asked, (result.query.text, others, PASSAGES)):
        form = best_form(text, result.looked_for, [each.chunk.text for each in some])
        found |= _read(reader, form, sorted(some, key=lambda each: -each.relevance)[:most])
    return {each.chunk.id: found.get(each.chunk.id, UNREAD) for each in passages}


def _read(reader: Reader, question: str, passages: Sequence[Matched]) -> Mapping[str, Reading]:
    """Return what a reader makes of passages; the sentences of the likeliest are read on their own too."""
    read = reader.read(question, [each.chunk for each in passages])
    whole = dict(zip((each.chunk.id for each in passages), read, strict=True))
    likeliest = sorted(passages, key=lambda each: -whole[each.chunk.id].answers)[:_BY_SENTENCE]
    chosen = [(each.chunk, _best_sentences(each)) for each in likeliest]
    alone = reader.read_sentences(question, chosen)
    return whole | {
        chunk.id: replace(whole[chunk.id], sentences=sentences)
        for (chunk, _), sentences in zip(chosen, alone, strict=True)
    }


def _best_sentences(passage: Matched) -> list[tuple[int, int]]:
    """Return the spans, in the passage's text, of the sentences that match best, in order."""
    chunk = passage.chunk

    def match(span: tuple[int, int]) -> float:
        start, end = chunk.start + span[0], chunk.start + span[1]
        return max(
            (one.score for one in passage.sentences if one.start < end and start < one.end), default=-1.0
        )

    spans = [(one.start, one.end) for one in sentence_spans(chunk.text)]
    return sorted(sorted(spans, key=match, reverse=True)[:_SENTENCES])
