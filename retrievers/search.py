"""One question through one strategy, optionally a reranker, to hits that can be shown."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ingestion.errors import EmptyQuestion, InvalidInput
from ingestion.library import Library
from ingestion.storage.catalogue.records import Scope, StoredChunk
from ingestion.storage.timing import Stopwatch
from retrievers.exact import Named, named, with_holders_first
from retrievers.glossary import Meaning
from retrievers.hits import Hit, LookedFirst, Query, Ranking, Side
from retrievers.preambles import core
from retrievers.reranking import Reranker, RerankLimits, rerank
from retrievers.shares import in_turns
from retrievers.strategies import Strategy

MAX_TOP_K = 1000
_TRIES = 3


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The hits of one question, best first, and how they came about.

    `exact` says that no better chunk can be missing; `timings_ms` has the stages and "total", `counts` is
    what `Ranking` says. Passages that hold what the question names literally (`named`), where few do, come
    first, whatever the strategy. A hit that the reranker did not read has no score "cross_encoder".
    `sides` are documents that the question names beside each other; they share the first places.
    """

    query: Query
    strategy: str
    reranker: str | None
    exact: bool
    hits: tuple[Hit, ...]
    timings_ms: Mapping[str, float]
    counts: Mapping[str, int] = field(default_factory=dict)
    named: tuple[Named, ...] = ()
    looked_first: tuple[LookedFirst, ...] = ()
    looked_for: tuple[Meaning, ...] = ()
    sides: tuple[Side, ...] = ()


def query_of(library: Library, question: str) -> Query:
    """Return what is searched for: the question without greetings, thanks and what else stands around it."""
    return Query(core(question), library.encoder)


def search(
    library: Library,
    question: str,
    strategy: Strategy,
    scope: Scope,
    *,
    reranker: Reranker | None = None,
    limits: RerankLimits = RerankLimits(),
    top_k: int = 10,
    query: Query | None = None,
) -> SearchResult:
    """Find the `top_k` passages of the scope for the question; a reranker orders the first of them, within
    its limits. Searches that are given the same `query`, which has to be of this question, share what they
    have in common.

    Raises EmptyQuestion, InvalidInput for a `top_k` out of range, and whatever the stores and models
    raise: a failure is never an empty result.
    """
    if not any(character.isalnum() for character in question):
        raise EmptyQuestion
    if not 1 <= top_k <= MAX_TOP_K:
        raise InvalidInput(f"top-k is {top_k}; choose a number from 1 to {MAX_TOP_K}")
    started = time.perf_counter()
    query = query or query_of(library, question)
    depth = max(top_k, limits.depth) if reranker else top_k
    ranking, chunks = _settled(library, strategy, query, scope, depth)
    watch = Stopwatch()
    if reranker:
        with watch.stage("rerank"):
            ranking = rerank(query.text, ranking, chunks, reranker, limits)
    found = named(library, query.text, scope)
    ranking, chunks = with_holders_first(ranking, chunks, found, library)
    if any(one.is_rare for one in found):
        ranking = replace(ranking, candidates=in_turns(ranking.candidates, ranking.sides))
    hits = tuple(
        Hit(rank, chunks[candidate.chunk_id], candidate.score, candidate.scores)
        for rank, candidate in enumerate(ranking.candidates[:top_k], start=1)
    )
    timings = {**ranking.timings_ms, **watch.timings_ms, "total": 1000 * (time.perf_counter() - started)}
    name = reranker.name if reranker else None
    return SearchResult(
        query,
        strategy.name,
        name,
        ranking.exact,
        hits,
        timings,
        ranking.counts,
        found,
        ranking.looked_first,
        ranking.looked_for,
        ranking.sides,
    )


def _settled(
    library: Library, strategy: Strategy, query: Query, scope: Scope, depth: int
) -> tuple[Ranking, dict[str, StoredChunk]]:
    """Return a ranking and its chunks as of one moment.

    A document that is replaced between two stages is in neither of its versions found by both. Then
    everything is ranked anew; a library that changes all the time is read as well as it can be.
    """
    watch = Stopwatch()
    invisible = 0
    for _ in range(_TRIES):
        before = library.catalogue.database.changes
        ranking = strategy.build(library).rank(query, scope, depth + invisible)
        with watch.stage("read"):
            chunks = library.catalogue.chunks([candidate.chunk_id for candidate in ranking.candidates])
        invisible = len(ranking.candidates) - len(chunks)  # in a store already, or still
        if library.catalogue.database.changes == before and not invisible:
            break
        query.forget_stages()
    present = tuple(candidate for candidate in ranking.candidates if candidate.chunk_id in chunks)[:depth]
    timings = {**ranking.timings_ms, **watch.timings_ms}
    return replace(ranking, candidates=present, timings_ms=timings), chunks
