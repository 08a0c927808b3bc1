"""BM25 over SQLite's FTS5: the question's words, stemmed, any of them."""

from ingestion.library import Library
from ingestion.storage.catalogue.records import Scope
from ingestion.storage.timing import Stopwatch
from retrievers.hits import Candidate, Query, Ranking


class LexicalRetriever:
    """Robertson and Zaragoza's BM25, as FTS5 computes it.

    Exact, unless the library is large and most of it has a word of the question: see
    `ingestion.storage.catalogue.fulltext`.
    """

    def __init__(self, library: Library, *, candidates: bool = False) -> None:
        """With `candidates`, another stage orders the chunks, so fewer are scored in a large library."""
        self._library = library
        self._candidates = candidates

    def rank(self, query: Query, scope: Scope, limit: int) -> Ranking:
        key = ("bm25", self._candidates, scope, limit)
        return query.once(key, lambda: self._rank(query, scope, limit))

    def _rank(self, query: Query, scope: Scope, limit: int) -> Ranking:
        watch = Stopwatch()
        with watch.stage("fts5"):
            found = self._library.catalogue.words.search(
                query.text, scope, limit, candidates=self._candidates
            )
        candidates = (Candidate(chunk, score, {"bm25": score}) for chunk, score in found.hits)
        counts = {"bm25": len(found.hits)}
        return Ranking(tuple(candidates), found.exact, watch.timings_ms, counts)
