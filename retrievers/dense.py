"""Bi-encoder: the question's one vector against each chunk's one vector, the nearest by cosine."""

import numpy as np
from numpy.typing import NDArray

from ingestion.library import Library
from ingestion.storage.catalogue.records import Scope
from ingestion.storage.open_representations import BUILTIN_NAME, OpenRepresentation
from ingestion.storage.timing import Stopwatch
from ingestion.storage.vectors.store import Pooling
from retrievers.hits import Candidate, Query, Ranking

# Of Chroma's index, so many times the wanted chunks are asked for: it misses few of the first then.
_AHEAD = 5


class DenseRetriever:
    """Nearest chunks by cosine of CLS or mean vectors.

    Every vector of the scope is compared, and the ranking is exact, up to the number that
    `ingestion.storage.vectors.exact` scans; beyond that it is approximate, from Chroma's index (HNSW).
    """

    def __init__(self, library: Library, pooling: Pooling, representation: str = BUILTIN_NAME) -> None:
        self._library = library
        self._pooling: Pooling = pooling
        self._representation = representation

    def rank(self, query: Query, scope: Scope, limit: int) -> Ranking:
        key = ("dense", self._representation, self._pooling, scope, limit)
        return query.once(key, lambda: self._rank(query, scope, limit))

    def _rank(self, query: Query, scope: Scope, limit: int) -> Ranking:
        library, pooling = self._library, self._pooling
        opened = library.representation(self._representation)
        opened.check_kind(pooling)
        watch = Stopwatch()
        with watch.stage("encode"):
            encodings = query.encoded_by(opened.encoder)
        vector = (encodings.cls if pooling == "cls" else encodings.mean)[0]
        with watch.stage("scan"):
            found = library.scan.nearest(
                opened.tokens,
                library.segments(scope, opened),
                pooling,
                vector,
                limit,
                library.catalogue.allowed(scope),
            )
        exact = found is not None
        if found is None:
            with watch.stage("chroma"):
                found = self._look_up(opened, vector, scope, limit)
        candidates = (Candidate(chunk, score, {pooling: score}) for chunk, score in found)
        counts: dict[str, int] = {pooling: len(found)}
        return Ranking(tuple(candidates), exact, watch.timings_ms, counts)

    def _look_up(
        self, opened: OpenRepresentation, vector: NDArray[np.float32], scope: Scope, limit: int
    ) -> list[tuple[str, float]]:
        """Return the nearest chunks by Chroma's index."""
        found = [
            hit
            for collection in scope.collections
            for hit in self._library.vectors.query(
                collection,
                self._pooling,
                vector,
                _AHEAD * limit,
                scope.documents,
                scope.pages,
                representation=opened.id,
            )
        ]
        return sorted(found, key=lambda hit: (-hit[1], hit[0]))[:limit]
