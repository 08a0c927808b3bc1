"""Bi-encoder: the question's one vector against each chunk's one vector, nearest in Chroma."""

from ingestion.library import Library
from ingestion.storage.catalogue.records import Scope
from ingestion.storage.open_representations import BUILTIN_NAME
from ingestion.storage.timing import Stopwatch
from ingestion.storage.vectors.store import Pooling
from retrievers.hits import Candidate, Query, Ranking


class DenseRetriever:
    """Nearest chunks by cosine of CLS or mean vectors. Approximate: Chroma's index is HNSW."""

    def __init__(self, library: Library, pooling: Pooling, representation: str = BUILTIN_NAME) -> None:
        self._library = library
        self._pooling: Pooling = pooling
        self._representation = representation

    def rank(self, query: Query, scope: Scope, limit: int) -> Ranking:
        key = ("dense", self._representation, self._pooling, scope, limit)
        return query.once(key, lambda: self._rank(query, scope, limit))

    def _rank(self, query: Query, scope: Scope, limit: int) -> Ranking:
        opened = self._library.representation(self._representation)
        opened.check_kind(self._pooling)
        watch = Stopwatch()
        with watch.stage("encode"):
            encodings = query.encoded_by(opened.encoder)
        vector = (encodings.cls if self._pooling == "cls" else encodings.mean)[0]
        with watch.stage("chroma"):
            found = [
                hit
                for collection in scope.collections
                for hit in self._library.vectors.query(
                    collection,
                    self._pooling,
                    vector,
                    limit,
                    scope.documents,
                    scope.pages,
                    representation=opened.id,
                )
            ]
        found.sort(key=lambda hit: (-hit[1], hit[0]))
        candidates = (Candidate(chunk, score, {self._pooling: score}) for chunk, score in found[:limit])
        counts: dict[str, int] = {self._pooling: min(len(found), limit)}
        return Ranking(tuple(candidates), exact=False, timings_ms=watch.timings_ms, counts=counts)
