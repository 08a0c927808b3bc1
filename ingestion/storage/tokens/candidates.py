"""Which chunks of which segments are scored for a query, and which of them are the best."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ingestion.storage.tokens.inverted_lists import Lists, Picks, pick
from ingestion.storage.tokens.layout import DocumentKey
from ingestion.storage.tokens.segment import Segment

# Scoring so many chunks takes 140 ms where 1,000 take 4.35; finding candidates, 15 ms and more.
EXHAUSTIVE_CHUNKS = 1 << 15
# Chunks that are scored of a larger library.
CANDIDATES = 1000
Allowed = Mapping[str, Sequence[int] | None]
"""Which chunks may be found: by document id, their ordinals, or None for all of the document's."""


@dataclass(frozen=True)
class Scored:
    """Chunks with their MaxSim.

    Attributes:
        scores: MaxSim by chunk id, in the order that the method says.
        exhaustive: whether every chunk that was asked for was scored, not only candidates.
        unreadable: segments that cannot be read: none of their chunks is in `scores`.
        lost: ids of documents of other segments of which some chunks cannot be read.
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
        """Whether everything that was asked for could be read."""
        return not self.unreadable and not self.lost


@dataclass(frozen=True)
class Sought:
    """A segment's chunks that may be found: these rows, or all."""

    name: str
    segment: Segment
    rows: NDArray[np.int64] | None

    def __len__(self) -> int:
        return len(self.segment) if self.rows is None else len(self.rows)


class Best:
    """The `limit` best chunks so far; of equal ones those with the first ids."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._found: list[tuple[float, str]] = []
        self._edge = -np.inf

    def offer(self, segment: Segment, rows: NDArray[np.int64] | None, scores: NDArray[np.float32]) -> None:
        """Look at a segment's chunks, or at these `rows` of it."""
        best = np.flatnonzero(scores >= max(self._edge, _nth_best(scores, self._limit)))
        ids = segment.chunk_ids(best if rows is None else rows[best])
        self._found = sorted([*self._found, *zip((-scores[best]).tolist(), ids, strict=True)])[: self._limit]
        if self._found and len(self._found) == self._limit:
            self._edge = -self._found[-1][0]

    def scores(self) -> dict[str, float]:
        """Return the scores by chunk id, best first."""
        return {chunk: -score for score, chunk in self._found}


def narrowed(
    query: NDArray[np.float32], sought: Sequence[tuple[Sought, Lists | None]], count: int
) -> list[Sought]:
    """Return, of the segments with lists, the `count` chunks with the best estimates, and more where these
    are equal; of the others all."""
    picks: dict[int, Picks] = {}
    estimated: list[tuple[Sought, NDArray[np.float32]]] = []
    for one, lists in sought:
        if lists is not None:
            key = lists.codebook.key
            if key not in picks:
                picks[key] = pick(lists.codebook, query)
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
