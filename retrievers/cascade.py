"""Cascade: two cheap lists find candidates, MaxSim orders them."""

from collections.abc import Sequence

from ingestion.index import BUILTIN_NAME
from ingestion.library import Library
from ingestion.stores.records import Scope
from ingestion.timing import Stopwatch
from retrievers.fusion import DEPTH, fuse
from retrievers.hits import Candidate, Query, Ranking, Retriever
from retrievers.late_interaction import SCORE
from retrievers.stand_in import stand_ins


class CascadeRetriever:
    """The union of the first stages' candidates, ordered by MaxSim from the token store."""

    def __init__(
        self,
        library: Library,
        first_stages: Sequence[Retriever],
        representation: str = BUILTIN_NAME,
        *,
        depth: int = DEPTH,
    ) -> None:
        self._library = library
        self._first_stages = tuple(first_stages)
        self._representation = representation
        self._depth = depth

    def rank(self, query: Query, scope: Scope, limit: int) -> Ranking:
        index = self._library.index(self._representation)
        index.check_reading("tokens")
        rankings = [stage.rank(query, scope, max(limit, self._depth)) for stage in self._first_stages]
        watch = Stopwatch()
        candidates = fuse(rankings)
        with watch.stage("locate"):
            places = self._library.catalogue.located([one.chunk_id for one in candidates], index.id)
        found = index.tokens.score(query.encoded_by(index.encoder).tokens, places, watch=watch)
        maxsim = found.scores
        scored = [
            Candidate(c.chunk_id, maxsim[c.chunk_id], {**c.scores, SCORE: maxsim[c.chunk_id]})
            for c in candidates
            if c.chunk_id in maxsim
        ]
        scored += stand_ins(self._library, index, query, scope, found, max(limit, self._depth))
        scored.sort(key=lambda candidate: (-candidate.score, candidate.chunk_id))
        timings = {name: ms for ranking in rankings for name, ms in ranking.timings_ms.items()}
        return Ranking(tuple(scored[:limit]), exact=False, timings_ms={**timings, **watch.timings_ms})
