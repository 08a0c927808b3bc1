"""What the reader is given to read, and what becomes of the rest."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from ingestion.encoders.base import Encoder
from ingestion.storage.catalogue.records import StoredChunk
from ingestion.text.sentences import sentence_spans
from rag_app.answering.answers import EvidenceSentence
from rag_app.answering.evidence.readings import PASSAGES, Matched, readings_of
from retrievers.hits import Query, Side
from retrievers.reader.reading import UNREAD, Reading, SentenceReading, Span
from retrievers.search import SearchResult

QUESTION = "When did the ferry sail?"
TEXT = "The ferry is white. It sailed in May. The pier is old. Tickets are cheap. The sea is wide."
SCORES = (0.3, 0.9, 0.5, 0.1, 0.7)


@dataclass
class ScriptedReader:
    """Says of each passage what is written for it; remembers what it read."""

    answers: dict[str, float]
    passages: list[tuple[str, str]] = field(default_factory=list)
    sentences: list[tuple[str, str]] = field(default_factory=list)

    def read(self, question: str, passages: Sequence[StoredChunk]) -> list[Reading]:
        self.passages += [(question, one.id) for one in passages]
        return [replace(UNREAD, answers=self.answers[one.id]) for one in passages]

    def read_sentences(
        self, question: str, passages: Sequence[tuple[StoredChunk, Sequence[Span]]]
    ) -> list[tuple[SentenceReading, ...]]:
        self.sentences += [(one.id, one.text[slice(*span)]) for one, spans in passages for span in spans]
        return [tuple(SentenceReading(*span, 0.5) for span in spans) for _, spans in passages]


def matched(number: int, document: str = "a") -> Matched:
    """Return a passage that matches the better the lower its number."""
    start = 100 * number
    chunk = StoredChunk(
        f"{document}:{number}",
        document,
        "a.pdf",
        "default",
        number,
        1,
        start,
        start + len(TEXT),
        None,
        "",
        TEXT,
    )
    sentences = [
        EvidenceSentence(start + one.start, start + one.end, TEXT[one.start : one.end], score)
        for one, score in zip(sentence_spans(TEXT), SCORES, strict=True)
    ]
    return Matched(chunk, 1 / (1 + number), sentences)


@pytest.fixture
def result(encoder: Encoder) -> SearchResult:
    return SearchResult(Query(QUESTION, encoder), "colbert", None, True, (), {})


def test_the_best_passages_are_read_and_the_best_sentences_of_the_likeliest(result: SearchResult) -> None:
    passages = [matched(number) for number in (7, 3, 0, 6, 1, 5, 2, 4)]  # in the order of the search
    reader = ScriptedReader({f"a:{number}": number / 10 for number in range(8)})
    found = readings_of(reader, result, passages)
    assert reader.passages == [(QUESTION, f"a:{number}") for number in range(PASSAGES)]
    best = [
        TEXT[one.start : one.end]
        for one, score in zip(sentence_spans(TEXT), SCORES, strict=True)
        if score >= 0.5
    ]
    assert reader.sentences == [(chunk, text) for chunk in ("a:4", "a:3", "a:2") for text in best]
    assert {chunk: reading.answers for chunk, reading in found.items()} == {
        f"a:{number}": number / 10 if number < PASSAGES else 0.0 for number in range(8)
    }
    assert [chunk for chunk, reading in found.items() if reading.sentences] == ["a:3", "a:2", "a:4"]


def test_each_side_is_read_for_its_own_question(result: SearchResult) -> None:
    sides = tuple(
        Side(name, f"When did {name} sail?", f"When did it sail within {name}?", frozenset({name}))
        for name in ("b", "c")
    )
    passages = [matched(number, document) for document in "abc" for number in range(6)]
    reader = ScriptedReader({one.chunk.id: 0.5 for one in passages})
    readings_of(reader, replace(result, sides=sides), passages)
    read = {
        question: [id for asked, id in reader.passages if asked == question]
        for question, _ in reader.passages
    }
    assert read == {
        "When did it sail within b?": ["b:0", "b:1", "b:2"],
        "When did it sail within c?": ["c:0", "c:1", "c:2"],
        QUESTION: [f"a:{number}" for number in range(PASSAGES)],
    }


def test_nothing_is_read_of_nothing(result: SearchResult) -> None:
    reader = ScriptedReader({})
    assert readings_of(reader, result, []) == {}
    assert (reader.passages, reader.sentences) == ([], [])
