"""Every strategy over a real library, against scores computed directly."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ingestion.encoders import Encoder
from ingestion.errors import EmptyQuestion, InvalidInput, UnknownName
from ingestion.library import Library
from ingestion.pipeline.ingest import ingest
from ingestion.storage.catalogue.records import Scope
from retrievers.fusion import zscore_fusion
from retrievers.hits import Candidate, Query, Ranking
from retrievers.search import SearchResult, search
from retrievers.strategies import DEFAULT_STRATEGY, STRATEGIES, strategy_named

QUESTION = "When was the Bramley apple tree planted?"
OF_BOTH = "Where did the apple tree stand and why was the cable replaced?"  # both documents have its words


def run(library: Library, question: str, strategy: str, **options: Any) -> SearchResult:
    scope = library.catalogue.scope()
    return search(library, question, strategy_named(strategy), scope, **options)


def every_chunk(library: Library) -> dict[str, tuple[str, str]]:
    """Return (text, context) of each chunk by id, from the catalogue, past all strategies."""
    ids = [i for document in library.catalogue.documents() for i in document.chunk_ids()]
    assert len(ids) == 4
    return {i: (chunk.text, chunk.context) for i, chunk in library.catalogue.chunks(ids).items()}


def documents_of(result: SearchResult) -> set[str]:
    return {hit.chunk.document for hit in result.hits}


@pytest.mark.parametrize("name", STRATEGIES)
def test_each_strategy_finds_the_passage_that_answers(stocked: Library, name: str) -> None:
    result = run(stocked, QUESTION, name)
    assert "1921 by Ada Finch" in result.hits[0].chunk.text
    assert [hit.rank for hit in result.hits] == list(range(1, len(result.hits) + 1))
    scores = [hit.score for hit in result.hits]
    assert scores == sorted(scores, reverse=True)
    assert result.timings_ms["total"] > 0


@pytest.mark.parametrize("name", STRATEGIES)
def test_a_hit_is_exactly_the_text_of_its_page(stocked: Library, name: str) -> None:
    hits = run(stocked, QUESTION, name).hits
    assert hits
    for hit in hits:
        page = stocked.catalogue.page(hit.chunk.document_id, hit.chunk.page)
        assert page is not None
        assert page.text[hit.chunk.start : hit.chunk.end] == hit.chunk.text


def test_colbert_scores_are_float_maxsim_within_quantisation_error(
    stocked: Library, encoder: Encoder
) -> None:
    chunks = every_chunk(stocked)
    ids = list(chunks)
    encoded = encoder.encode([chunks[i][0] for i in ids], [chunks[i][1] for i in ids])
    query = encoder.encode_query(QUESTION).tokens
    expected = {
        chunk: float((query @ encoded.tokens[first:last].T).max(axis=1).sum())
        for chunk, first, last in zip(ids, encoded.offsets, encoded.offsets[1:], strict=False)
    }
    result = run(stocked, QUESTION, "colbert", top_k=1000)
    assert result.exact
    assert {hit.chunk.id for hit in result.hits} == set(expected)
    for hit in result.hits:
        # int8 moves a cosine by at most about 0.01; the sum runs over the query's tokens.
        assert hit.score == pytest.approx(expected[hit.chunk.id], abs=0.01 * len(query))


@pytest.mark.parametrize("pooling", ["cls", "mean"])
def test_bi_encoder_scores_are_cosines(stocked: Library, encoder: Encoder, pooling: str) -> None:
    chunks = every_chunk(stocked)
    ids = list(chunks)
    encoded = encoder.encode([chunks[i][0] for i in ids], [chunks[i][1] for i in ids])
    query = getattr(encoder.encode_query(QUESTION), pooling)[0]
    expected = dict(zip(ids, getattr(encoded, pooling) @ query, strict=True))
    hits = run(stocked, QUESTION, pooling).hits
    assert {hit.chunk.id for hit in hits} == set(expected)
    for hit in hits:
        assert hit.score == pytest.approx(float(expected[hit.chunk.id]), abs=1e-4)


def test_hybrid_is_reciprocal_rank_fusion_of_mean_and_bm25(stocked: Library) -> None:
    ranks = {
        name: {hit.chunk.id: hit.rank for hit in run(stocked, QUESTION, name, top_k=100).hits}
        for name in ("mean", "bm25")
    }
    hits = run(stocked, QUESTION, "hybrid").hits
    assert {hit.chunk.id for hit in hits} == ranks["mean"].keys() | ranks["bm25"].keys()
    for hit in hits:
        expected = sum(1 / (60 + found[hit.chunk.id]) for found in ranks.values() if hit.chunk.id in found)
        assert hit.score == pytest.approx(expected)
        assert set(hit.scores) >= {"mean", "rrf"}


def test_cascade_orders_its_candidates_as_colbert_does(stocked: Library) -> None:
    colbert = run(stocked, QUESTION, "colbert", top_k=100).hits
    cascade = run(stocked, QUESTION, "cascade", top_k=100).hits
    # Few chunks: every one is a candidate.
    assert [hit.chunk.id for hit in cascade] == [hit.chunk.id for hit in colbert]
    assert [hit.score for hit in cascade] == pytest.approx([hit.score for hit in colbert])


def test_words_and_meaning_find_different_passages(library: Library, tmp_path: Path) -> None:
    (tmp_path / "codes.md").write_text("Part QX-7713 is kept on shelf nine.\n", "utf-8")
    (tmp_path / "cars.md").write_text("The automobile would not start in the cold morning.\n", "utf-8")
    (tmp_path / "bread.md").write_text("Knead the dough, then let it rise for an hour.\n", "utf-8")
    list(ingest(library, [tmp_path / "codes.md", tmp_path / "cars.md", tmp_path / "bread.md"]))

    assert [hit.chunk.document for hit in run(library, "QX-7713", "bm25").hits] == ["codes.md"]
    assert run(library, "broken vehicle", "bm25").hits == ()
    assert run(library, "broken vehicle", "mean").hits[0].chunk.document == "cars.md"
    assert run(library, "broken vehicle", "colbert").hits[0].chunk.document == "cars.md"


@pytest.mark.parametrize("name", STRATEGIES)
def test_a_scope_narrows_and_an_empty_one_finds_nothing(stocked: Library, name: str) -> None:
    catalogue, strategy = stocked.catalogue, strategy_named(name)
    assert documents_of(run(stocked, OF_BOTH, name)) == {"orchard.md", "harbour.md"}
    for document in ("orchard.md", "harbour.md"):
        narrowed = search(stocked, OF_BOTH, strategy, catalogue.scope(documents=[document]))
        assert documents_of(narrowed) == {document}
    catalogue.ensure_collection("empty")
    assert search(stocked, OF_BOTH, strategy, catalogue.scope(["empty"])).hits == ()


@pytest.mark.parametrize("name", STRATEGIES)
def test_a_deleted_document_is_not_found(stocked: Library, name: str) -> None:
    assert documents_of(run(stocked, OF_BOTH, name)) == {"orchard.md", "harbour.md"}
    stocked.delete(stocked.catalogue.find("orchard.md", stocked.catalogue.scope().collections)[0])
    assert documents_of(run(stocked, OF_BOTH, name)) == {"harbour.md"}


@pytest.mark.parametrize(
    "question", ['"', 'apple" OR "x', "apple NEAR(tree)", "body:apple*", "NOT apple", "a AND"]
)
def test_no_question_is_read_as_query_syntax(stocked: Library, question: str) -> None:
    if any(character.isalnum() for character in question):
        run(stocked, question, "bm25")
    else:
        with pytest.raises(EmptyQuestion):
            run(stocked, question, "bm25")


def test_wrong_requests_say_what_is_possible(stocked: Library) -> None:
    with pytest.raises(UnknownName, match="bm25, cascade, cls, colbert, documents-first, fusion, hybrid"):
        strategy_named("splade")
    with pytest.raises(InvalidInput, match="top-k is 0"):
        run(stocked, QUESTION, "bm25", top_k=0)
    with pytest.raises(EmptyQuestion):
        run(stocked, " ?! ", DEFAULT_STRATEGY)


def test_quantised_products_do_not_depend_on_segments(library: Library, files: Path) -> None:
    list(ingest(library, [files / "orchard.md"]))
    alone = {hit.chunk.text: hit.score for hit in run(library, QUESTION, "colbert").hits}
    list(ingest(library, [files / "harbour.md"]))
    together = {hit.chunk.text: hit.score for hit in run(library, QUESTION, "colbert").hits}
    assert len(alone) == 2
    for text, score in alone.items():
        assert np.float32(together[text]) == np.float32(score)


def test_a_document_replaced_in_the_middle_of_a_search_is_found(library: Library, tmp_path: Path) -> None:
    note = tmp_path / "note.md"
    note.write_text("The gate opens at seven.\n", "utf-8")
    list(ingest(library, [note]))
    colbert = strategy_named("colbert")
    rankings: list[Ranking] = []

    class Slow:
        """Ranks, and takes so long to say so that the first time the document is replaced meanwhile."""

        def rank(self, query: Query, scope: Scope, limit: int) -> Ranking:
            rankings.append(colbert.build(library).rank(query, scope, limit))
            if len(rankings) == 1:
                note.write_text("The gate opens at nine.\n", "utf-8")
                list(ingest(library, [note]))
            return rankings[-1]

    slow = replace(colbert, builder=lambda *_: Slow())
    result = search(library, "When does the gate open?", slow, library.catalogue.scope())
    assert [hit.chunk.text for hit in result.hits] == ["The gate opens at nine."]
    assert len(rankings) == 2


def ranking(**scores: float) -> Ranking:
    return Ranking(
        tuple(Candidate(chunk, score, {"s": score}) for chunk, score in scores.items()), exact=True
    )


def test_standardised_scores_are_added() -> None:
    near, words = ranking(a=0.9, b=0.5, c=0.1), ranking(b=8.0, a=5.0, c=2.0)
    # Both lists have the deviation sqrt(2/3) of its step: 1.2247, 0, -1.2247 and 0, 1.2247, -1.2247.
    fused = {one.chunk_id: one.score for one in zscore_fusion([near, words], 3)}
    assert fused == pytest.approx({"a": 1.5**0.5, "b": 1.5**0.5, "c": -(6**0.5)})


def test_the_only_passage_with_a_word_wins_by_it() -> None:
    near = ranking(**{f"chunk{n}": 0.5 - 0.01 * n for n in range(20)})
    assert zscore_fusion([near, ranking(chunk19=9.0)], 100)[0].chunk_id == "chunk19"


def test_what_a_full_list_lacks_counts_as_its_last() -> None:
    fused = {one.chunk_id: one.score for one in zscore_fusion([ranking(a=3.0, b=1.0), ranking(c=1.0)], 2)}
    # First list: 3, 1, 1. Second one, which found one of two: 0, 0, 1.
    assert fused == pytest.approx({"a": 2**0.5 - 0.5**0.5, "b": -(2**0.5), "c": 0.5**0.5})


def test_lists_that_prefer_nothing_change_nothing() -> None:
    assert [one.score for one in zscore_fusion([ranking(a=1.0, b=1.0), ranking()], 2)] == [0.0, 0.0]
    assert zscore_fusion([], 2) == ()


def test_fusion_adds_up_what_the_three_lists_say(stocked: Library) -> None:
    hits = run(stocked, QUESTION, "fusion", top_k=100).hits
    lists = {
        name: {hit.chunk.id: hit.score for hit in run(stocked, QUESTION, name, top_k=100).hits}
        for name in ("mean", "bm25", "colbert")
    }
    total = np.zeros(len(hits))
    for name, found in lists.items():
        values = np.array([found.get(hit.chunk.id, 0.0) for hit in hits])
        total += (2 if name == "colbert" else 1) * (values - values.mean()) / values.std()
    assert [hit.score for hit in hits] == pytest.approx(total.tolist(), abs=1e-4)
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
