"""Refusals: what they say is lacking is lacking, and their passages stand where they are cited."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from ingestion.encoders import Encoder
from ingestion.library import Library
from ingestion.storage.catalogue.records import StoredChunk
from rag_app.answering.answers import Answer, AskOptions, Outcome
from rag_app.answering.chain import AnswerChain, AnswerSettings
from rag_app.answering.extractive_answerer import ExtractiveAnswerer
from rag_app.answering.questions.phrases import PHRASES
from rag_app.answering.refusals.texts import TEXTS
from retrievers.reader.reading import AnswerSpan, Reader, Reading, SentenceReading, Span
from tests.helpers.documents import library_of

DOCUMENTS = {
    "factory.md": "The Toyota works opened a new hall in 2021. Its employees build small vans there.",
    "travel.md": "The delegation visited Japan in the spring of 2019. It came home after eight days.",
    "verein.md": "Der Verein trifft sich jeden Montag im Rathaus. Die Mitglieder zahlen keine Gebühr.",
}
STAFF = "How many employees does Toyota have in Japan?"


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Iterator[Library]:
    with library_of(DOCUMENTS, tmp_path_factory.mktemp("refusals"), encoder) as opened:
        yield opened


class ReadsNoAnswer(Reader):
    """Sees the answer in no passage, and the sentence that comes closest at each passage's end."""

    def __init__(self, answers: float = 0.01) -> None:
        self.answers = answers

    def read(self, question: str, passages: Sequence[StoredChunk]) -> list[Reading]:
        found = []
        for chunk in passages:
            places = np.arange(len(chunk.text), dtype=np.int32)
            tokens = np.stack([places, places + 1], axis=1)
            span = AnswerSpan(0, 1, 0.1)
            in_answer = np.linspace(0, 1, len(places), dtype=np.float32)
            found.append(Reading(0.0, self.answers, span, tokens, in_answer))
        return found

    def read_sentences(
        self, question: str, passages: Sequence[tuple[StoredChunk, Sequence[Span]]]
    ) -> list[tuple[SentenceReading, ...]]:
        return [()] * len(passages)


def asked(library: Library, question: str, *, reader: Reader | None = None, threshold: float = 1.1) -> Answer:
    answer = (
        AnswerChain(
            library,
            AskOptions(),
            answerer=ExtractiveAnswerer(library.encoder),
            reranker=None,
            settings=AnswerSettings(None, threshold),
            reader=reader,
        )
        .runnable()
        .invoke(question)
    )
    assert isinstance(answer, Answer)
    return answer


@pytest.mark.parametrize(
    ("question", "reason"),
    [
        (STAFF, "No passage mentions “Toyota” together with “Japan”."),
        ("How many employees does Renault have?", "None of them mentions “Renault”."),
        (
            "Did the works of Renault or Fiat build vans in 1950?",
            "None of them mentions “Renault”, “Fiat” or “1950”.",
        ),
        ("What is the pension of the employees of the works?", "None of them mentions “pension”."),
        ("What do the employees of Toyota build?", "The passages found are about it, but none"),
        ("What did the employees of Toyota build in FY2021?", "The passages found are about it, but none"),
        ("What did the employees of Toyota build in FY1950?", "None of them mentions “FY1950”."),
    ],
)
def test_the_reason_is_what_no_passage_covers(library: Library, question: str, reason: str) -> None:
    answer = asked(library, question)
    assert (answer.outcome, answer.abstained) == (Outcome.RELATED, True)
    assert answer.text.startswith(f"I couldn't find this in your documents. {reason}")


def test_a_refusal_speaks_the_question_s_language(library: Library) -> None:
    answer = asked(library, "Wie hoch ist die Gebühr, die Mitglieder im Verein zahlen?")
    assert answer.text.startswith("Das habe ich in Ihren Dokumenten nicht gefunden. ")
    assert "Nächstliegende Stellen:\n• verein.md, Seite 1: “" in answer.text


def test_the_closest_passages_are_cited_where_they_stand(library: Library) -> None:
    answer = asked(library, STAFF)
    numbers = {item.number: item.hit.chunk for item in answer.evidence}
    assert 1 <= len(answer.citations) <= 3
    _, _, listed = answer.text.partition("Closest passages:\n")
    for line, citation in zip(listed.splitlines(), answer.citations, strict=True):
        quote = " ".join(citation.quote.split())
        assert line == f"• {citation.document}, page {citation.page}: “{quote}” [{citation.marker}]"
        assert numbers[citation.marker].document_id == citation.document_id
        page = library.catalogue.page(citation.document_id, citation.page)
        assert page is not None
        assert page.text[citation.start : citation.end] == citation.quote
    assert answer.sentences == ()


def test_the_reader_chooses_the_sentence_that_comes_closest(library: Library) -> None:
    quotes = {one.quote for one in asked(library, STAFF, reader=ReadsNoAnswer()).citations}
    assert "Its employees build small vans there." in quotes
    assert "The Toyota works opened a new hall in 2021." not in quotes


def test_the_reader_does_not_decide_whether_the_documents_answer(library: Library) -> None:
    sure, doubtful = (asked(library, STAFF, reader=ReadsNoAnswer(one), threshold=0.0) for one in (0.95, 0.01))
    assert sure.outcome is doubtful.outcome is Outcome.ANSWERED
    assert sure.answerability == doubtful.answerability


def test_passages_in_another_language_answer_if_they_are_about_the_question(library: Library) -> None:
    about = asked(library, "When does the Verein of the Rathaus meet, and what does it cost?")
    assert about.outcome is Outcome.ANSWERED
    assert about.citations[0].document == "verein.md"
    other = asked(library, "¿Cuánto cuesta un billete de tren a Sevilla?")
    assert other.outcome is not Outcome.ANSWERED


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("Is the kernel scheduler preemptive?", "Nothing in your documents is about this."),
        ("Quel est le prix de la pomme et du vin ?", "Rien dans vos documents ne porte sur ce sujet."),
    ],
)
def test_what_no_document_is_about_is_told_in_a_sentence(library: Library, question: str, text: str) -> None:
    answer = asked(library, question)
    assert (answer.outcome, answer.text, answer.citations) == (Outcome.NOTHING, text, ())


def test_a_library_without_documents_has_nothing(tmp_path: Path, encoder: Encoder) -> None:
    with Library.open(tmp_path / "library", encoder) as empty:
        answer = asked(empty, STAFF, threshold=0.0)
    assert (answer.outcome, answer.answerability) == (Outcome.NOTHING, 0.0)


def test_every_language_of_the_replies_has_its_sentences() -> None:
    assert TEXTS.keys() == PHRASES.keys()
    for texts in TEXTS.values():
        assert "“A”" in texts.unknown.format(terms="“A”")
        assert "“A”" in texts.unseen.format(terms="“A”")
        assert texts.apart.format(first="“A”", second="“B”").count("“") == 2
