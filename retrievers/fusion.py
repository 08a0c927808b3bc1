"""Reciprocal rank fusion of several rankings."""

from collections.abc import Sequence

from ingestion.stores.records import Scope
from retrievers.hits import Candidate, Query, Ranking, Retriever

# Cormack, Clarke and Büttcher (SIGIR 2009) found 60 good across TREC collections.
RRF_K = 60
# Each list is read this deep; a chunk that both lists know at rank 100 weighs less than one at 20 in one.
DEPTH = 100


class FusionRetriever:
    """score(d) = Σ over lists of 1 / (60 + rank of d): lists whose scores do not compare."""

    def __init__(self, retrievers: Sequence[Retriever], *, depth: int = DEPTH) -> None:
        self._retrievers = tuple(retrievers)
        self._depth = depth

    def rank(self, query: Query, scope: Scope, limit: int) -> Ranking:
        rankings = [r.rank(query, scope, max(limit, self._depth)) for r in self._retrievers]
        return Ranking(
            fuse(rankings)[:limit],
            exact=all(ranking.exact for ranking in rankings),
            timings_ms={name: ms for ranking in rankings for name, ms in ranking.timings_ms.items()},
        )


def fuse(rankings: Sequence[Ranking]) -> tuple[Candidate, ...]:
    """Return every candidate of the rankings by reciprocal rank fusion, each with all its scores."""
    fused: dict[str, float] = {}
    scores: dict[str, dict[str, float]] = {}
    for ranking in rankings:
        for rank, candidate in enumerate(ranking.candidates, start=1):
            fused[candidate.chunk_id] = fused.get(candidate.chunk_id, 0.0) + 1 / (RRF_K + rank)
            scores.setdefault(candidate.chunk_id, {}).update(candidate.scores)
    ordered = sorted(fused, key=lambda chunk: (-fused[chunk], chunk))
    return tuple(Candidate(chunk, fused[chunk], {**scores[chunk], "rrf": fused[chunk]}) for chunk in ordered)
