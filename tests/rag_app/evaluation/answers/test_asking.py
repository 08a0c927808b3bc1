"""Questions are asked until there is an answer, or a model fails at one twice."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

import pytest

from ingestion.errors import ModelError
from rag_app.answering.answers import Answer, AnswerSentence, Verdict
from rag_app.evaluation.answers.asking import ask_all
from rag_app.evaluation.corpus import Corpus
from rag_app.evaluation.datasets import Dataset, Question
from tests.helpers.page_values import answer

QUESTIONS = (Question("1", "when was it planted?"), Question("2", "and by whom?", after="1"))
DATASET = Dataset("apples", "page", QUESTIONS, {}, unjudged=0, corpus="apples")
CORPUS = Corpus(cast("Any", None), DATASET)


class Failing:
    """Answers a question after so many failures of its model."""

    def __init__(self, failures: int) -> None:
        self._left = failures
        self.asked: list[tuple[str, str | None]] = []

    def __call__(self, question: str, *, conversation: str | None, documents: Sequence[str] = ()) -> Answer:
        self.asked.append((question, conversation))
        if question == QUESTIONS[1].text and self._left:
            self._left -= 1
            raise ModelError("the process was killed by SIGKILL; the next question restarts it")
        return replace(answer(f"To {question}"), conversation_id="talk")


def test_a_question_whose_model_was_killed_is_asked_again() -> None:
    ask = Failing(1)
    answers = list(ask_all(CORPUS, ask))
    assert [one.text for one in answers] == ["To when was it planted?", "To and by whom?"]
    assert ask.asked[-2:] == [("and by whom?", "talk")] * 2


def test_sentences_that_no_source_supports_are_counted() -> None:
    verdicts = (Verdict.SUPPORTED, Verdict.UNSUPPORTED, Verdict.WEAK, Verdict.UNSUPPORTED)
    sentences = tuple(AnswerSentence("It is so.", one, 0.5, ()) for one in verdicts)

    def ask(question: str, *, conversation: str | None, documents: Sequence[str] = ()) -> Answer:
        return replace(answer(question), sentences=sentences if question == QUESTIONS[0].text else ())

    assert [one.unsupported for one in ask_all(CORPUS, ask)] == [0.5, 0.0]


def test_a_model_that_fails_again_ends_the_evaluation() -> None:
    ask = Failing(2)
    with pytest.raises(ModelError, match="SIGKILL"):
        list(ask_all(CORPUS, ask))
    assert len(ask.asked) == 4  # the warm-up, one question, and the other twice
