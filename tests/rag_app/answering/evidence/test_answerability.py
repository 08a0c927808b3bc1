"""The probability that the documents answer, from hand-made evidence whose signals one can count."""

from dataclasses import replace

import numpy as np
import pytest

from ingestion.storage.catalogue.records import StoredChunk
from rag_app.answering.answers import Evidence, PromptContext
from rag_app.answering.evidence.answerability import (
    SIGNALS,
    WITH_READER,
    WITHOUT_READER,
    answerability,
    signals,
)
from rag_app.answering.evidence.calibration import Calibration
from retrievers.hits import Hit
from retrievers.reader.reading import AnswerSpan, Reading

QUESTION = "How many employees does Toyota have in Japan?"


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
    found = signals(
        QUESTION,
        packed(
            item(1, "The employees of Honda are many.", 0.2),
            item(2, "Toyota sells cars in the town.", 0.5),
            item(3, "It rains."),
        ),
    )
    assert (found.answers, found.second, found.span) == (0.0, pytest.approx(np.log(0.25)), 0.25)
    assert (found.names_lacking, found.words_lacking) == (0.5, 1.0)  # Japan; employees
    assert found.names_unseen == 0.5  # Japan
    assert (found.relevance, found.identifiers_missing) == (0.7, 0.0)


def test_without_a_reader_the_best_passage_is_that_of_the_best_match() -> None:
    found = signals(
        QUESTION,
        packed(item(1, "It rains.", score=0.2), item(2, "Toyota in Japan has employees.", score=0.6)),
    )
    assert (found.answers, found.second, found.span) == (0.0, 0.0, 0.0)
    assert (found.names_lacking, found.words_lacking, found.names_unseen) == (0.0, 0.0, 0.0)


def test_words_of_another_language_are_not_lacking() -> None:
    german = "Die Mitarbeiter von Toyota in Japan sind nicht die von Honda, und das ist auch gut so."
    assert signals(QUESTION, packed(item(1, german))).words_lacking == 0.0


def test_the_more_likely_a_passage_answers_the_more_likely_the_documents_do() -> None:
    text = "Toyota has employees in Japan."
    likely = [answerability(QUESTION, packed(item(1, text, share))) for share in (0.0, 0.1, 0.5, 0.9, 1.0)]
    assert likely == sorted(likely)
    assert 0 < likely[0] < likely[-1] < 1
    assert answerability(QUESTION, packed()) == 0.0


def test_a_passage_without_what_is_asked_answers_less_likely() -> None:
    whole = answerability(QUESTION, packed(item(1, "Toyota has employees in Japan.")))
    part = answerability(QUESTION, packed(item(1, "Honda has employees in France.")))
    assert part < whole


def test_a_calibration_is_a_logistic_regression() -> None:
    found = signals(QUESTION, packed(item(1, "Toyota has employees in Japan.")))
    assert Calibration(0.0, {}).probability(found) == 0.5
    odds = Calibration(1.0, {"relevance": 2.0}).probability(replace(found, relevance=0.5))
    assert odds == pytest.approx(1 / (1 + np.exp(-2)))
    assert {*WITH_READER.coefficients, *WITHOUT_READER.coefficients} <= set(SIGNALS)
