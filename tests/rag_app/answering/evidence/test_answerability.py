"""The probability that the documents answer, from hand-made evidence whose signals one can count."""

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from ingestion.library import Library
from ingestion.pipeline.ingest import ingest
from ingestion.storage.catalogue.records import StoredChunk
from rag_app.answering.answers import Evidence, PromptContext
from rag_app.answering.evidence.answerability import (
    CALIBRATION,
    answerability,
    lacking_sides,
    signals,
)
from rag_app.answering.evidence.calibration import Calibration
from retrievers.hits import Hit, Side
from retrievers.reader.reading import AnswerSpan, Reading


def reading(answers: float) -> Reading:
    span = AnswerSpan(0, 4, 0.25)
    return Reading(0.0, answers, span, np.zeros((0, 2), np.int32), np.zeros(0, np.float32))


def item(number: int, text: str, answers: float | None = None, score: float = 0.5) -> Evidence:
    chunk = StoredChunk(f"d:1:{number}", "d", "notes.md", "default", 0, 1, 0, len(text), None, "", text)
    read = None if answers is None else reading(answers)
    return Evidence(number, Hit(number, chunk, 1.0, {}), (), score, read)


def packed(*evidence: Evidence) -> PromptContext:
    return PromptContext(evidence, 0.7)


def test_the_signals_are_those_of_the_passage_that_answers_most_likely() -> None:
    found = signals(packed(item(1, "Honda.", 0.2), item(2, "Toyota.", 0.5), item(3, "It rains.", 0.1)))
    assert (found.answers, found.relevance) == (0.0, 0.7)
    assert signals(packed(item(1, "Honda."))).answers == 0.0


def test_the_better_a_passage_matches_the_more_likely_the_documents_answer() -> None:
    near, far = (replace(packed(item(1, "Toyota.")), relevance=relevance) for relevance in (0.8, 0.4))
    assert 0 < answerability(far) < answerability(near) < 1
    assert answerability(packed()) == 0.0


def test_a_calibration_is_a_logistic_regression() -> None:
    found = signals(packed(item(1, "Toyota has employees in Japan.")))
    assert Calibration(0.0, {}).probability(found) == 0.5
    odds = Calibration(1.0, {"relevance": 2.0}).probability(replace(found, relevance=0.5))
    assert odds == pytest.approx(1 / (1 + np.exp(-2)))
    assert set(CALIBRATION.coefficients) <= {one.name for one in fields(found)}


def test_a_side_lacks_an_answer_where_relevance_or_the_reader_says_so(library: Library) -> None:
    def of(document: str, relevance: float, answers: float | None) -> Evidence:
        found = item(1, "It rains.", answers)
        chunk = replace(found.hit.chunk, document_id=document)
        return replace(found, hit=replace(found.hit, chunk=chunk), relevance=relevance)

    def lacking(question: str, *evidence: Evidence) -> set[str]:
        documents = sorted({one.hit.chunk.document_id for one in evidence} | {"none"})
        sides = tuple(Side(one, f"{one}?", "?", frozenset({one})) for one in documents)
        context = PromptContext(evidence, 0.9, question=question, sides=sides)
        return set(lacking_sides(library, context, 0.2)) - {"none"}

    english = "What was the rain of a and b?"
    assert lacking(english, of("a", 0.8, 0.9), of("b", 0.3, 0.9)) == {"b"}
    assert lacking(english, of("a", 0.8, 0.9), of("b", 0.8, 0.05)) == {"b"}
    assert lacking(english, of("a", 0.3, 0.05), of("a", 0.8, 0.05), of("a", 0.8, 0.9)) == set()
    assert lacking(english, of("a", 0.8, None)) == set()  # nobody read it
    # The reader has learned English.
    assert lacking("Wie war der Regen in a und in b?", of("a", 0.8, 0.05)) == set()


def test_a_side_without_evidence_lacks_an_answer(library: Library) -> None:
    context = replace(packed(), sides=(Side("Toyota", "?", "?", frozenset()),))
    assert lacking_sides(library, context, 0.2) == {"Toyota"}
    assert lacking_sides(library, packed(item(1, "Toyota.")), 0.2) == frozenset()


def test_nothing_is_said_of_a_side_in_another_language(library: Library, tmp_path: Path) -> None:
    rules = tmp_path / "satzung.txt"
    rules.write_text("Die Versammlung ist beschlussfähig, wenn ein Zehntel der Mitglieder erschienen ist.")
    assert [one.status for one in ingest(library, [rules])] == ["ok"]
    (document,) = library.catalogue.documents()
    assert document.language == "de"
    found = item(1, "Ein Zehntel.", 0.01)
    chunk = replace(found.hit.chunk, document_id=document.id)
    german = replace(found, hit=replace(found.hit, chunk=chunk), relevance=0.1)
    side = Side("club", "?", "?", frozenset({document.id}))
    asked = PromptContext((german,), 0.1, question="What is the quorum of the club?", sides=(side,))
    assert lacking_sides(library, asked, 0.2) == set()
    assert lacking_sides(library, replace(asked, question="Wie groß ist das Quorum?"), 0.2)
