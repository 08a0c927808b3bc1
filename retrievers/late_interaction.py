"""ColBERT: each token of the question finds its best match in a chunk; MaxSim adds up the similarities."""

from ingestion.library import Library
from ingestion.storage.catalogue.records import Scope
from ingestion.storage.open_representations import BUILTIN_NAME
from ingestion.timing import Stopwatch
from retrievers.fallback import estimated_candidates
from retrievers.hits import Candidate, Query, Ranking

SCORE = "maxsim"


class LateInteractionRetriever:
    """MaxSim over every chunk of the scope; in a very large scope, over the token store's candidates."""

    def __init__(self, library: Library, representation: str = BUILTIN_NAME) -> None:
        self._library = library
        self._representation = representation

    def rank(self, query: Query, scope: Scope, limit: int) -> Ranking:
        opened = self._library.representation(self._representation)
        opened.check_kind("tokens")
        watch = Stopwatch()
        with watch.stage("encode"):
            tokens = query.encoded_by(opened.encoder).tokens
        with watch.stage("scope"):
            allowed = self._library.catalogue.allowed(scope)
            segments = self._library.segments(scope, opened)
        found = opened.tokens.search(tokens, segments, limit, allowed, watch=watch)
        candidates = [Candidate(chunk, score, {SCORE: score}) for chunk, score in found.scores.items()]
        others = estimated_candidates(self._library, opened, query, scope, found, limit)
        candidates = sorted([*candidates, *others], key=lambda c: (-c.score, c.chunk_id))[:limit]
        return Ranking(tuple(candidates), found.exact, watch.timings_ms, {SCORE: len(candidates)})
