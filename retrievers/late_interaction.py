"""ColBERT: each word of the question finds its best match in a chunk; MaxSim adds these up."""

from ingestion.library import Library
from ingestion.stores.records import Scope
from retrievers.hits import Candidate, Query, Ranking
from retrievers.timing import Stopwatch

SCORE = "maxsim"


class LateInteractionRetriever:
    """MaxSim over every chunk of the scope: exact."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def rank(self, query: Query, scope: Scope, limit: int) -> Ranking:
        self._library.check_fresh(scope)
        watch = Stopwatch()
        with watch.stage("encode"):
            tokens = query.tokens
        with watch.stage("maxsim"):
            found = self._library.tokens.search(tokens, self._library.segments(scope), limit)
        candidates = (Candidate(chunk, score, {SCORE: score}) for chunk, score in found)
        return Ranking(tuple(candidates), exact=True, timings_ms=watch.timings_ms)
