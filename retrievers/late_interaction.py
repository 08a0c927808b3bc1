"""ColBERT: each token of the question finds its best match in a chunk; MaxSim adds up the similarities.

Documents whose token vectors cannot be read are ranked by an estimate, until they are repaired.
"""

from dataclasses import replace

import numpy as np

from ingestion.library import Library
from ingestion.storage.catalogue.records import Scope
from ingestion.storage.open_representations import BUILTIN_NAME, OpenRepresentation
from ingestion.storage.timing import Stopwatch
from ingestion.storage.tokens.candidates import ScoredChunks
from retrievers.dense import DenseRetriever
from retrievers.hits import Candidate, Query, Ranking

SCORE = "maxsim"
# Passages whose MaxSim and cosine are both known: from fewer than these no line is drawn.
_SAMPLE = 100
_FEWEST = 8


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


def estimated_candidates(
    library: Library, opened: OpenRepresentation, query: Query, scope: Scope, scored: ScoredChunks, limit: int
) -> list[Candidate]:
    """Return up to `limit` chunks of the documents that `scored` had to leave out, with estimated MaxSim.

    The estimate is the least-squares line through cosine and MaxSim of the passages nearest to the question.
    Where fewer than eight such passages are known, it is the cosine times the number of question tokens.
    """
    if scored.whole:
        return []
    lost = set(scored.lost)
    if scored.unreadable:
        lost |= library.representations.documents(opened.id, scored.unreadable).keys()
    if scope.documents is not None:
        lost &= scope.documents
    name = opened.name if "mean" in opened.record.vector_kinds else library.representation().name
    dense = DenseRetriever(library, "mean", name)
    found = dense.rank(query, replace(scope, documents=frozenset(lost)), limit).candidates
    nearest = {c.chunk_id: c.score for c in dense.rank(query, scope, _SAMPLE).candidates}
    tokens = query.encoded_by(opened.encoder).tokens
    known = opened.tokens.score(tokens, library.catalogue.located(list(nearest), opened.id)).scores
    slope, base = float(len(tokens)), 0.0
    cosines = np.array([nearest[chunk] for chunk in known])
    if len(known) >= _FEWEST and np.ptp(cosines) > 0:
        slope, base = (float(value) for value in np.polyfit(cosines, list(known.values()), 1))
    slope = max(slope, 0.0)
    return [
        Candidate(c.chunk_id, base + slope * c.score, c.scores)
        for c in found
        if c.chunk_id not in scored.scores
    ]
