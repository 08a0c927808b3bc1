"""The chunks that are scored for a query, and the best of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ingestion.storage.tokens.inverted_lists import InvertedLists, ProbedCentroids, probe_centroids
from ingestion.storage.tokens.layout import DocumentKey
from ingestion.storage.tokens.segment import Segment

# Up to here every chunk is scored. 32,768 chunks take 140 ms, 1,000 take 4.35, and finding candidates takes
# 15 ms or more.
EXHAUSTIVE_CHUNKS = 1 << 15
# Chunks that are scored in a larger library.
CANDIDATES = 1000
Allowed = Mapping[str, Sequence[int] | None]
"""The chunks that may be found: by document id, their ordinals, or None for all of the document."""


@dataclass(frozen=True)
class ScoredChunks:
    """Chunks with their MaxSim.

    Attributes:
        scores: MaxSim by chunk id, in the order that the method documents.
        exhaustive: Whether every requested chunk was scored, not only candidates.
        unreadable: Segments that cannot be read; none of their chunks is in `scores`.
        lost: Ids of documents with unreadable chunks in other segments.
    """

    scores: dict[str, float]
    exhaustive: bool = True
    unreadable: tuple[str, ...] = ()
    lost: frozenset[str] = frozenset()

    @property
    def exact(self) -> bool:
        """Whether no better chunk can be missing."""
        return self.exhaustive and self.whole

    @property
    def whole(self) -> bool:
        """Whether every requested chunk could be read."""
        return not self.unreadable and not self.lost


@dataclass(frozen=True)
class SearchedSegment:
    """The chunks of a segment that may be found: these rows, or all."""

    name: str
    segment: Segment
    rows: NDArray[np.int64] | None

    def __len__(self) -> int:
        return len(self.segment) if self.rows is None else len(self.rows)


class TopChunks:
    """The `limit` best chunks so far; of equal ones those with the first ids."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._found: list[tuple[float, str]] = []
        self._edge = -np.inf

    def offer(self, segment: Segment, rows: NDArray[np.int64] | None, scores: NDArray[np.float32]) -> None:
        """Take in the scores of a segment's chunks, or of these `rows` of it."""
        best = np.flatnonzero(scores >= max(self._edge, _nth_best(scores, self._limit)))
        ids = segment.chunk_ids(best if rows is None else rows[best])
        self._found = sorted([*self._found, *zip((-scores[best]).tolist(), ids, strict=True)])[: self._limit]
        if self._found and len(self._found) == self._limit:
            self._edge = -self._found[-1][0]

    def scores(self) -> dict[str, float]:
        """Return the scores by chunk id, best first."""
        return {chunk: -score for score, chunk in self._found}


def select_candidates(
    query: NDArray[np.float32], sought: Sequence[tuple[SearchedSegment, InvertedLists | None]], count: int
) -> list[SearchedSegment]:
    """Return the chunks to score: the `count` with the best estimates in the segments with lists, more where
    estimates are equal, and every chunk of the segments without lists."""
    picks: dict[int, ProbedCentroids] = {}
    estimated: list[tuple[SearchedSegment, NDArray[np.float32]]] = []
    for one, lists in sought:
        if lists is not None:
            key = lists.codebook.key
            if key not in picks:
                picks[key] = probe_centroids(lists.codebook, query)
            estimates = lists.estimates(picks[key], len(one.segment))
            estimated.append((one, estimates if one.rows is None else estimates[one.rows]))
    edge = _nth_best(np.concatenate([np.zeros(0, np.float32), *(some for _, some in estimated)]), count)
    kept = [one for one, lists in sought if lists is None]
    for one, estimates in estimated:
        best = np.flatnonzero(estimates >= edge)
        kept.append(replace(one, rows=best if one.rows is None else one.rows[best]))
    return kept


def live_rows(
    segment: Segment, dead: frozenset[DocumentKey], allowed: Allowed | None
) -> NDArray[np.int64] | None:
    """Return the chunks of a segment that may be found; None means all of them."""
    if allowed is None:
        if not dead:
            return None
        alive = np.ones(len(segment), np.bool_)
        for document in dead:
            rows = segment.rows(document)
            alive[rows.start : rows.stop] = False
        return np.flatnonzero(alive)
    parts = []
    for identity in allowed.keys() & segment.places.keys():
        key = identity, int(segment.versions[segment.places[identity]])
        if key not in dead:
            rows, ordinals = segment.rows(key), allowed[identity]
            some = np.arange(len(rows)) if ordinals is None else np.asarray(ordinals, np.int64)
            parts.append(rows.start + some[some < len(rows)])
    return np.sort(np.concatenate(parts)) if parts else np.zeros(0, np.int64)


def _nth_best(scores: NDArray[np.float32], n: int) -> float:
    return float(np.partition(scores, -n)[-n]) if 0 < n < len(scores) else -np.inf
