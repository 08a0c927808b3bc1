"""Documents whose token vectors cannot be read, ranked by their single vectors until they are repaired."""

from dataclasses import replace

import numpy as np

from ingestion.library import Library
from ingestion.storage.catalogue.records import Scope
from ingestion.storage.open_representations import OpenRepresentation
from ingestion.storage.tokens.candidates import ScoredChunks
from retrievers.dense import DenseRetriever
from retrievers.hits import Candidate, Query

# Passages whose MaxSim and cosine are both known: from fewer than these no line is drawn.
_SAMPLE = 100
_FEWEST = 8


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
