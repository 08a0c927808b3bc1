"""Names of a question that no passage found has."""

from collections.abc import Iterator

import pytest

from ingestion.encoders import Encoder
from ingestion.library import Library
from ingestion.storage.catalogue.filters import resolve
from rag_app.answering.answers import AskOptions, Outcome, PromptContext
from rag_app.answering.chain import AnswerChain, AnswerSettings
from rag_app.answering.extractive_answerer import ExtractiveAnswerer
from rag_app.answering.refusals.unseen_names import has_unseen_name
from tests.helpers.documents import library_of

DOCUMENTS = {
    "factory.md": "# Plants\n\nThe Toyota works opened a new hall in 2021. It has 1,200 employees in Japan.",
    "renault-2020.md": "# Sales\n\nThe company sold three million cars in 2020.",
}


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Iterator[Library]:
    with library_of(DOCUMENTS, tmp_path_factory.mktemp("names"), encoder) as opened:
        yield opened


@pytest.mark.parametrize(
    ("question", "is_unseen"),
    [
        ("How many employees does Toyota have in Japan?", False),
        ("How many employees does Volvo have in Japan?", True),
        ("How many employees does Toyota have in South Korea?", True),
        ("How many employees has Toyoto in Japan?", False),  # a typing error
        ("How many cars did Renault sell in 2020?", False),  # the document's name
        ("How many employees are in Toyota's hall?", False),
        ("How many employees does the UMC have?", False),  # an acronym may be spelled out
        ("how many employees are there at volvo", False),  # nothing tells that it is a name
        ("How many cars did the company sell in 2020?", False),
        ("How many cars did the company sell in FY20?", False),
        ("How many cars did the company sell in 2014?", True),
        ("How many cars did the company sell in 2014 and in 2020?", False),
        ("Wie viele Angestellte hat Volvo in Japan?", False),  # documents in another language
    ],
)
def test_which_names_no_passage_has(library: Library, question: str, is_unseen: bool) -> None:
    chain = AnswerChain(
        library, AskOptions(), answerer=ExtractiveAnswerer(library.encoder), reranker=None,
        settings=AnswerSettings(None, 0.0),
    )  # fmt: skip
    answer = chain.runnable().invoke(question)
    scope = resolve(library.catalogue, (), AskOptions().filters)
    packed = PromptContext(answer.evidence, 1.0, question=question)  # type: ignore[attr-defined]
    assert has_unseen_name(library, scope, packed) is is_unseen


def test_a_question_about_someone_else_is_refused_with_the_reason(library: Library) -> None:
    def asked(question: str) -> tuple[Outcome, str]:
        chain = AnswerChain(
            library, AskOptions(), answerer=ExtractiveAnswerer(library.encoder), reranker=None,
            settings=AnswerSettings(None, 0.2),
        )  # fmt: skip
        answer = chain.runnable().invoke(question)
        return answer.outcome, answer.text  # type: ignore[attr-defined]

    outcome, text = asked("How many employees does Volvo have in Japan?")
    assert outcome is not Outcome.ANSWERED
    assert "None of them mentions “Volvo”." in text
    assert asked("How many employees does Toyota have in Japan?")[0] is Outcome.ANSWERED
