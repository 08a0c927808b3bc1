"""The probability that the documents answer, from hand-made evidence whose signals one can count."""

from dataclasses import replace

import numpy as np
import pytest

from ingestion.storage.catalogue.records import StoredChunk
from rag_app.answering.answers import Evidence, PromptContext
from rag_app.answering.evidence.answerability import (
    CALIBRATION,
    SIGNALS,
    answerability,
    signals,
)
from rag_app.answering.evidence.calibration import Calibration
from retrievers.hits import Hit
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
    assert set(CALIBRATION.coefficients) <= set(SIGNALS)
