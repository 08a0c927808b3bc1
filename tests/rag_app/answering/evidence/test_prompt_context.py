"""Hits to evidence under a budget of words, on a real library."""

from pathlib import Path

import numpy as np
import pytest

from ingestion.library import Library
from ingestion.pipeline.ingest import ingest
from rag_app.answering.answers import EvidenceRef, PromptContext
from rag_app.answering.evidence.prompt_context import pack
from rag_app.answering.evidence.readability import companions, pieces
from rag_app.answering.evidence.sentence_scores import relevance, token_weights
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


def spent(packed: PromptContext) -> int:
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
    nothing = PromptContext((), 0.0, budget=1000, question=APPLE)
    assert pack(stocked, result, budget=1000, count_tokens=words) == nothing


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


def test_what_is_said_twice_is_packed_once_and_names_both_pages(library: Library, tmp_path: Path) -> None:
    said = "The lighthouse at Hook Point was lit in 1172 by the monks of the abbey"
    (tmp_path / "a.txt").write_text(f"{said}. Its lamp burned oil.", "utf-8")
    (tmp_path / "b.txt").write_text(f"{said}, they say. Cows eat grass.", "utf-8")
    (tmp_path / "c.txt").write_text(f"{said.replace('1172', '1272')}. Bread is baked daily.", "utf-8")
    assert {result.status for result in ingest(library, [tmp_path / f"{n}.txt" for n in "abc"])} == {"ok"}
    result = find(library, "When was the lighthouse at Hook Point lit?")
    packed = pack(library, result, budget=1000, count_tokens=words)
    about = [s for item in packed.evidence for s in item.sentences if "lighthouse" in s.text]
    assert len(about) == 2  # another year says something else
    (first,) = [sentence for sentence in about if "1172" in sentence.text]
    assert len(first.also) == 1
    assert first.also[0] in ("a.txt, page 1", "b.txt, page 1")


def test_of_long_lists_less_than_half_is_packed(library: Library, tmp_path: Path) -> None:
    for number in range(8):
        text = " ".join(f"Keeper {number}{one} fed {one + 2} hens and sang loudly." for one in range(14))
        (tmp_path / f"{number}.txt").write_text(f"{text} Keeper {number} lit the lamp at dusk.", "utf-8")
    assert {result.status for result in ingest(library, [tmp_path])} == {"ok"}
    result = find(library, "Who lit the lamp at dusk?")
    whole = sum(words(hit.chunk.text) for hit in result.hits)
    packed = pack(library, result, budget=100_000, count_tokens=words)
    assert whole > 700
    assert spent(packed) <= 0.45 * whole
    assert {"lit the lamp" in item.text for item in packed.evidence} == {True}


def test_a_sentence_that_points_back_brings_what_it_points_at() -> None:
    table = ["Revenues, in millions", "Years ended December 31, 2022 2021", "Total revenues 66,608 62,286"]
    assert companions(table) == {2: (1,)}
    assert companions(["The tree is old.", "It was planted in 1921.", "Cows eat grass."]) == {1: (0,)}
    assert companions([]) == {}


def test_no_sentence_has_more_words_than_a_person_reads_at_once() -> None:
    text = " ".join(["word"] * 29 + ["comma,"] + ["word"] * 59 + ["end."])
    assert [text[start:end].split() for start, end in pieces(text)] == [
        [*["word"] * 29, "comma,"],
        [*["word"] * 59, "end."],
    ]
    long = "w " * 150
    assert [len(long[start:end].split()) for start, end in pieces(long)] == [60, 60, 30]
    assert pieces("Short one.") == [(0, 10)]
    assert pieces("  ") == []


def test_what_a_prompt_had_before_comes_first_and_as_it_was(stored: Library) -> None:
    result = find(stored, APPLE)
    first = pack(stored, result, budget=20, count_tokens=words)
    everything = pack(stored, result, budget=1000, count_tokens=words)
    assert len(everything.evidence) > 1
    last = everything.evidence[-1]
    earlier = [EvidenceRef(last.hit.chunk.id, tuple((s.start, s.end) for s in last.sentences))]
    again = pack(stored, result, budget=1000, count_tokens=words, earlier=earlier)
    assert again.evidence[0].hit.chunk.id == last.hit.chunk.id
    assert again.evidence[0].text == last.text
    assert {item.hit.chunk.id for item in again.evidence} == {i.hit.chunk.id for i in everything.evidence}
    assert [item.number for item in again.evidence] == list(range(1, len(again.evidence) + 1))
    # What is no longer found, or must now say more, is packed anew.
    gone = [EvidenceRef("nothing:1:0", ((0, 5),)), EvidenceRef(first.evidence[0].hit.chunk.id, ((1, 2),))]
    assert pack(stored, result, budget=1000, count_tokens=words, earlier=gone) == everything


def test_relevance_asks_for_every_word_of_content() -> None:
    weights = np.array([0.25, 0.25, 0.25, 0.25], np.float32)
    assert relevance(np.array([0.9, 0.9, 0.1, 0.1], np.float32), weights) == pytest.approx((0.5 + 0.1) / 2)
    halves = np.array([0.2, 0.4, 0.4], np.float32)
    assert relevance(np.array([0.0, 0.8, 0.6], np.float32), halves) == pytest.approx((0.56 + 0.6) / 2)
    assert relevance(np.zeros(0, np.float32), weights) == 0.0


LAMPS = {
    "northwind-report.txt": (
        "The lighthouse of Northwind was lit in 1172. The lamp of the lighthouse burns oil. Monks lit the "
        "lighthouse of Northwind every night. The lighthouse of Northwind is white. Cows eat grass."
    ),
    "lakeview-report.txt": "Lakeview has a pier. The lamp of the lighthouse burns oil. Bread is baked daily.",
}


@pytest.fixture
def lamps(library: Library, tmp_path: Path) -> Library:
    for name, text in LAMPS.items():
        (tmp_path / name).write_text(text, "utf-8")
    assert [one.status for one in ingest(library, [tmp_path / name for name in LAMPS])] == ["ok", "ok"]
    return library


@pytest.mark.parametrize("budget", [1, 5, 10, 20, 40, None])
def test_no_side_vanishes_when_the_budget_cuts(lamps: Library, budget: int | None) -> None:
    result = find(lamps, "When was the lighthouse of Northwind and of Lakeview lit?", "documents-first")
    assert [side.name for side in result.sides] == ["Northwind", "Lakeview"]
    packed = pack(lamps, result, budget=budget, count_tokens=words)
    assert {item.hit.chunk.document for item in packed.evidence} == set(LAMPS)
    assert packed.sides == result.sides
    if budget and budget >= 20:
        assert spent(packed) <= budget


def test_what_two_sides_say_in_the_same_words_each_of_them_says(lamps: Library) -> None:
    result = find(lamps, "Which oil burns in the lamp of Northwind and of Lakeview?", "documents-first")
    packed = pack(lamps, result, budget=None, count_tokens=words)
    assert all("The lamp of the lighthouse burns oil." in item.text for item in packed.evidence)
    assert not any(sentence.also for item in packed.evidence for sentence in item.sentences)


def test_a_passage_is_measured_by_what_is_asked_of_its_side(lamps: Library) -> None:
    question = "What was lit in 1172 at Northwind, and what is baked daily at Lakeview?"
    result = find(lamps, question, "documents-first")
    packed = pack(lamps, result, budget=None, count_tokens=words)
    best = {
        item.hit.chunk.document: max(item.sentences, key=lambda one: one.score).text
        for item in packed.evidence
    }
    assert best == {
        "northwind-report.txt": "The lighthouse of Northwind was lit in 1172.",
        "lakeview-report.txt": "Bread is baked daily.",
    }
    assert all(item.relevance > 0.5 for item in packed.evidence)
