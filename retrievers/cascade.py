"""Cascade: two cheap lists find candidates, MaxSim orders them, alone or together with the lists."""

import math
from collections.abc import Sequence
from dataclasses import replace

from ingestion.library import Library
from ingestion.storage.catalogue.records import Scope
from ingestion.storage.open_representations import BUILTIN_NAME
from ingestion.storage.timing import Stopwatch
from retrievers.fusion import CANDIDATES, DEPTH, fuse, zscore_fusion
from retrievers.hits import Candidate, Query, Ranking, Retriever
from retrievers.late_interaction import SCORE, estimated_candidates

# MaxSim is the best list by itself, and as much as the others together: measured in docs/retrieval.md.
MAXSIM_WEIGHT = 2.0


class CascadeRetriever:
    """The union of the first stages' candidates, ordered by MaxSim from the token store.

    With `fused`, ordered by the sum of the first stages' scores and twice MaxSim, each standardised.
    """

    def __init__(
        self,
        library: Library,
        first_stages: Sequence[Retriever],
        representation: str = BUILTIN_NAME,
        *,
        depth: int = DEPTH,
        fused: bool = False,
    ) -> None:
        self._library = library
        self._first_stages = tuple(first_stages)
        self._representation = representation
        self._depth = depth
        self._fused = fused

    def rank(self, query: Query, scope: Scope, limit: int) -> Ranking:
        """See `Retriever.rank`. Never exact: a chunk that no first stage finds is missing."""
        depth = max(limit, self._depth)
        rankings = [stage.rank(query, scope, depth) for stage in self._first_stages]
        key = ("cascade", self._representation, scope, depth)
        scored = query.once(key, lambda: self._scored(query, scope, depth, rankings))
        candidates = scored.candidates
        if self._fused:
            candidates = with_maxsim(rankings, scored, depth)
        timings = {name: ms for ranking in (*rankings, scored) for name, ms in ranking.timings_ms.items()}
        counts = {name: count for ranking in (*rankings, scored) for name, count in ranking.counts.items()}
        return Ranking(candidates[:limit], exact=False, timings_ms=timings, counts=counts)

    def _scored(self, query: Query, scope: Scope, depth: int, rankings: Sequence[Ranking]) -> Ranking:
        """Return the first stages' candidates by MaxSim."""
        return maxsim_ranking(self._library, self._representation, query, scope, depth, fuse(rankings))


def with_maxsim(
    first_stages: Sequence[Ranking], maxsim: Ranking, asked: int, most: float = math.inf
) -> tuple[Candidate, ...]:
    """Return candidates by the first stages' scores and twice MaxSim; `asked` and `most` are those of
    `zscore_fusion`."""
    plain = tuple(Candidate(one.chunk_id, one.score, {SCORE: one.score}) for one in maxsim.candidates)
    weights = [*[1.0] * len(first_stages), MAXSIM_WEIGHT]
    return zscore_fusion([*first_stages, replace(maxsim, candidates=plain)], asked, weights, most)


def maxsim_ranking(
    library: Library,
    representation: str,
    query: Query,
    scope: Scope,
    depth: int,
    candidates: Sequence[Candidate],
) -> Ranking:
    """Return candidates by MaxSim. Of documents whose token vectors cannot be read, up to `depth` chunks of
    the scope are among them, by an estimate."""
    opened = library.representation(representation)
    opened.check_kind("tokens")
    watch = Stopwatch()
    with watch.stage("locate"):
        places = library.catalogue.located([one.chunk_id for one in candidates], opened.id)
    found = opened.tokens.score(query.encoded_by(opened.encoder).tokens, places, watch=watch)
    maxsim = found.scores
    scored = [
        Candidate(c.chunk_id, maxsim[c.chunk_id], {**c.scores, SCORE: maxsim[c.chunk_id]})
        for c in candidates
        if c.chunk_id in maxsim
    ]
    scored += estimated_candidates(library, opened, query, scope, found, depth)
    scored.sort(key=lambda candidate: (-candidate.score, candidate.chunk_id))
    counts = {CANDIDATES: len(candidates), SCORE: len(scored)}
    return Ranking(tuple(scored), exact=False, timings_ms=watch.timings_ms, counts=counts)
