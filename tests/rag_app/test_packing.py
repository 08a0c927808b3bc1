"""Hits to evidence under a budget of words, on a real library."""

from pathlib import Path

import numpy as np
import pytest

from ingestion.library import Library
from ingestion.pipeline import ingest
from rag_app.answers import Packed
from rag_app.packing import pack, token_weights
from retrievers.hits import Query
from retrievers.search import SearchResult, search
from retrievers.strategies import STRATEGIES, strategy_named

APPLE = "When was the Bramley apple tree planted?"
# The first and the last sentence answer; the two between them do not.
MIXED = (
    "The lighthouse was lit in 1172. Cows eat grass. Bread is baked daily. "
    "Monks lit the lighthouse every night until 1641."
)


def words(text: str) -> int:
    return len(text.split())


def find(library: Library, question: str, strategy: str = "colbert") -> SearchResult:
    return search(library, question, strategy_named(strategy), library.catalogue.scope())


def spent(packed: Packed) -> int:
    return sum(words(sentence.text) for item in packed.evidence for sentence in item.sentences)


@pytest.mark.parametrize("budget", [1, 10, 20, 40, 1000])
def test_the_budget_is_kept_and_never_empty(stored: Library, budget: int) -> None:
    result = find(stored, APPLE)
    packed = pack(stored, result, budget=budget, count_tokens=words)
    longest = max(words(s.text) for item in packed.evidence for s in item.sentences)
    assert packed.evidence
    assert spent(packed) <= max(budget, longest if len(packed.evidence) == 1 else 0)
    assert [item.number for item in packed.evidence] == list(range(1, len(packed.evidence) + 1))
    assert [item.hit for item in packed.evidence] == list(result.hits[: len(packed.evidence)])


def test_everything_is_kept_as_it_stands_where_there_is_room(stored: Library) -> None:
    result = find(stored, APPLE)
    packed = pack(stored, result, budget=1000, count_tokens=words)
    assert [item.text for item in packed.evidence] == [hit.chunk.text for hit in result.hits]
    for item in packed.evidence:
        page = stored.catalogue.page(item.hit.chunk.document_id, item.hit.chunk.page)
        assert page is not None
        assert all(page.text[s.start : s.end] == s.text for s in item.sentences)


def test_the_best_sentences_are_kept_in_the_order_of_reading(library: Library, tmp_path: Path) -> None:
    (tmp_path / "mixed.txt").write_text(MIXED, "utf-8")
    assert [result.status for result in ingest(library, [tmp_path / "mixed.txt"])] == ["ok"]
    result = find(library, "When was the lighthouse lit?")
    assert [hit.chunk.text for hit in result.hits] == [MIXED]

    (item,) = pack(library, result, budget=14, count_tokens=words).evidence
    assert [sentence.text for sentence in item.sentences] == [
        "The lighthouse was lit in 1172.",
        "Monks lit the lighthouse every night until 1641.",
    ]
    assert item.text == "The lighthouse was lit in 1172. … Monks lit the lighthouse every night until 1641."

    # The one that matches best is kept even where it exceeds the budget.
    (least,) = pack(library, result, budget=1, count_tokens=words).evidence
    (only,) = least.sentences
    whole = pack(library, result, budget=1000, count_tokens=words).evidence[0].sentences
    assert only == max(whole, key=lambda sentence: sentence.score)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_relevance_is_a_mean_cosine_that_tells_answers_from_none(stored: Library, strategy: str) -> None:
    def relevance(question: str) -> float:
        return pack(stored, find(stored, question, strategy), budget=1000, count_tokens=words).relevance

    unanswered = relevance("Is the kernel scheduler preemptive?")
    assert -1.0 <= unanswered < 0.6 < relevance(APPLE) <= 1.0


def test_a_chunk_deleted_since_it_was_found_is_left_out(stocked: Library) -> None:
    result = find(stocked, APPLE)
    assert {hit.chunk.document for hit in result.hits} == {"orchard.md", "harbour.md"}
    for document in stocked.catalogue.documents():
        if document.name == "orchard.md":
            stocked.delete(document)
    left = pack(stocked, result, budget=1000, count_tokens=words)
    assert {item.hit.chunk.document for item in left.evidence} == {"harbour.md"}
    assert [item.number for item in left.evidence] == list(range(1, len(left.evidence) + 1))

    for document in stocked.catalogue.documents():
        stocked.delete(document)
    assert pack(stocked, result, budget=1000, count_tokens=words) == Packed((), 0.0)


def test_words_that_any_sentence_holds_count_half(library: Library) -> None:
    question = "What was Boeing's revenue in 2022?"
    query = Query(question, library.encoder)
    weights = token_weights(query)
    assert weights.sum() == pytest.approx(1)
    tokens = [question[start:end] for start, end in query.encodings.spans]
    full = [token for token, weight in zip(tokens, weights, strict=True) if weight == weights.max()]
    assert full == ["Boeing", "revenue", "202", "2"]
    np.testing.assert_allclose(weights.min(), weights.max() / 2)
    none = token_weights(Query("What is it?", library.encoder))
    np.testing.assert_allclose(none, 1 / len(none))
