"""Several rankings fused into one: by reciprocal rank, or by standardised scores."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import replace

from ingestion.storage.catalogue.records import Scope
from retrievers.hits import Candidate, Hit, Query, Ranking, Retriever

# Cormack, Clarke and Büttcher (SIGIR 2009) found 60 good across TREC collections.
RRF_K = 60
# The name of the union of lists among a ranking's counts.
CANDIDATES = "candidates"
# Each list is read this deep; a chunk that both lists know at rank 100 weighs less than one at 20 in one.
DEPTH = 100


class FusionRetriever:
    """Reciprocal rank fusion, for lists whose scores do not compare.

    score(d) = Σ over lists of 1 / (60 + rank of d)
    """

    def __init__(self, retrievers: Sequence[Retriever], *, depth: int = DEPTH) -> None:
        self._retrievers = tuple(retrievers)
        self._depth = depth

    def rank(self, query: Query, scope: Scope, limit: int) -> Ranking:
        rankings = [r.rank(query, scope, max(limit, self._depth)) for r in self._retrievers]
        fused = fuse(rankings)
        counts = {name: count for ranking in rankings for name, count in ranking.counts.items()}
        return Ranking(
            fused[:limit],
            # A chunk beyond the end of both lists may be better than one at the end of only one of them.
            exact=all(one.exact and len(one.candidates) < max(limit, self._depth) for one in rankings),
            timings_ms={name: ms for ranking in rankings for name, ms in ranking.timings_ms.items()},
            counts={**counts, CANDIDATES: len(fused)},
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


def fused_hits(*lists: Sequence[Hit]) -> tuple[Hit, ...]:
    """Return the hits of several searches by reciprocal rank fusion, each with the scores of its first
    list."""
    known = {hit.chunk.id: hit for hits in reversed(lists) for hit in hits}
    rankings = [
        Ranking(tuple(Candidate(hit.chunk.id, hit.score) for hit in hits), exact=True) for hits in lists
    ]
    ordered = [known[candidate.chunk_id] for candidate in fuse(rankings)]
    return tuple(replace(hit, rank=rank) for rank, hit in enumerate(ordered, start=1))


def zscore_fusion(
    rankings: Sequence[Ranking],
    asked: int,
    weights: Sequence[float] | None = None,
    most: float = math.inf,
) -> tuple[Candidate, ...]:
    """Return every candidate of the rankings by the sum of its standardised scores, with all its scores.

    score(d) = Σ over lists of weight · (s(d) - mean) / standard deviation, both over all candidates.
    Unlike ranks, this tells a clear winner from a narrow one.

    Args:
        rankings: The lists.
        asked: The length of a full list. A chunk missing from a full list gets that list's lowest score;
            from a shorter list, 0: the chunk has none of the words.
        weights: One a list; 1 each, where they are not given.
        most: The most that a standardised score counts. In a list that has few of the candidates the best
            are very many deviations away.
    """
    scores: dict[str, dict[str, float]] = {}
    for ranking in rankings:
        for candidate in ranking.candidates:
            scores.setdefault(candidate.chunk_id, {}).update(candidate.scores)
    fused = dict.fromkeys(scores, 0.0)
    for ranking, weight in zip(rankings, weights or [1.0] * len(rankings), strict=True):
        found = {candidate.chunk_id: candidate.score for candidate in ranking.candidates}
        lacking = min(found.values()) if len(found) >= asked else 0.0
        values = standardised([found.get(chunk, lacking) for chunk in fused])
        for chunk, value in zip(fused, values, strict=True):
            fused[chunk] += weight * min(value, most)
    ordered = sorted(fused, key=lambda chunk: (-fused[chunk], chunk))
    return tuple(
        Candidate(chunk, fused[chunk], {**scores[chunk], "fused": fused[chunk]}) for chunk in ordered
    )


def standardised(scores: Sequence[float]) -> list[float]:
    """Return scores less their mean, in standard deviations; zeros where all scores are equal."""
    if not scores:
        return []
    mean, spread = statistics.fmean(scores), statistics.pstdev(scores)
    return [(score - mean) / spread if spread else 0.0 for score in scores]
