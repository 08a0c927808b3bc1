"""Reciprocal rank fusion, by hand."""

import pytest

from retrievers.fusion import fuse
from retrievers.hits import Candidate, Ranking


def ranking(*chunks: str, name: str = "x") -> Ranking:
    return Ranking(tuple(Candidate(chunk, 1.0, {name: 1.0}) for chunk in chunks), exact=True)


def test_scores_are_sums_of_reciprocal_ranks() -> None:
    fused = fuse([ranking("a", "b"), ranking("b", "c", name="y")])
    assert {c.chunk_id: c.score for c in fused} == pytest.approx(
        {"b": 1 / 62 + 1 / 61, "a": 1 / 61, "c": 1 / 62}
    )
    assert [c.chunk_id for c in fused] == ["b", "a", "c"]


def test_each_candidate_keeps_the_scores_of_its_lists() -> None:
    scores = {c.chunk_id: set(c.scores) for c in fuse([ranking("a"), ranking("a", "b", name="y")])}
    assert scores == {"a": {"x", "y", "rrf"}, "b": {"y", "rrf"}}


def test_ties_are_ordered_by_id() -> None:
    assert [c.chunk_id for c in fuse([ranking("b"), ranking("a")])] == ["a", "b"]


def test_nothing_fuses_to_nothing() -> None:
    assert fuse([ranking(), ranking()]) == ()
