"""The terms of a question, and which of them a passage mentions."""

import pytest

from ingestion.storage.catalogue.records import StoredChunk
from rag_app.answering.evidence.question_terms import (
    TermKind,
    language_of,
    mentioned,
    mentions,
    question_terms,
)

NAME, FIGURE, WORD = TermKind.NAME, TermKind.FIGURE, TermKind.WORD


@pytest.mark.parametrize(
    ("question", "terms"),
    [
        ("How many employees does Toyota have in Japan?", [
            ("employees", WORD), ("Toyota", NAME), ("Japan", NAME)]),
        ("What did Foot Locker's board say in May 2022?", [
            ("Foot Locker", NAME), ("board", WORD), ("May", FIGURE), ("2022", FIGURE)]),
        ("Who bought eBay and IBM?", [("bought", WORD), ("eBay", NAME), ("IBM", NAME)]),
        ("How do I repair the pump?", [("repair", WORD), ("pump", WORD)]),
        ("what is it about?", []),
        ("WHO OWNS THE BOAT", [("OWNS", WORD), ("BOAT", WORD)]),
        ("Wie hoch ist der Beitrag im Verein?", [("hoch", WORD), ("Beitrag", WORD), ("Verein", WORD)]),
    ],
)  # fmt: skip
def test_names_figures_and_words_are_told_apart(question: str, terms: list[tuple[str, TermKind]]) -> None:
    assert [(one.text, one.kind) for one in question_terms(question)] == terms


def test_one_function_word_is_no_language() -> None:
    assert language_of("netflix ad-supported plan 2023") == "en"
    assert language_of("Wie hoch ist der Beitrag?") == "de"


@pytest.mark.parametrize(
    ("question", "text", "lacking"),
    [
        ("How many employees?", "It employed 40 people.", []),
        ("What was Toyota's profit in 2018?", "The profit of Toyota was 2,018 yen.", ["2018"]),
        ("What was Toyota's profit in FY2018?", "The profit of Toyota in 2018 was 5 yen.", []),
        ("What was Toyota's profit in CY2018?", "The profit of Toyota was 2,018 yen.", ["CY2018"]),
        ("Who sold the boat?", "The boats are blue.", ["sold"]),
        ("Where is the pension paid?", "Pensioners are paid here.", []),
        ("What is the plan?", "The planet is large.", ["plan"]),
    ],
)
def test_a_text_mentions_the_forms_of_a_word(question: str, text: str, lacking: list[str]) -> None:
    terms = question_terms(question)
    held = mentions(terms, text, "en")
    assert [one.text for one in terms if one not in held] == lacking


def test_a_document_s_name_and_headings_mention_what_its_passages_are_about() -> None:
    chunk = StoredChunk("d:1:0", "d", "TOYOTA_2023.pdf", "default", 0, 1, 0, 4, "Staff", "", "1234")
    terms = question_terms("How many staff did Toyota have in 2023?")
    assert mentioned(terms, chunk, "en") == frozenset(terms)
