"""Fusion that looks first in the documents that a question names, and also for what its words mean.

1. `fusion`'s three lists, over the whole scope.
2. From these and from the words that name documents: how probable each document is.
3. In the likeliest documents, lists of their own; the glossary's terms are looked for like a second question.
   Where the question names documents beside each other, each of these sides is searched alone as well.
4. score(p) = (fused for the question + a · fused for the terms) / (1 + a) + b · (log P(d) - log max P)

The last term is bounded, so that a passage that stands far above the others is found in any document. Sides
take turns in the first places (`retrievers.shares`).
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from ingestion.library import Library
from ingestion.storage.catalogue.records import Scope, document_of_chunk
from ingestion.storage.open_representations import BUILTIN_NAME
from ingestion.storage.timing import Stopwatch
from retrievers.cascade import maxsim_ranking, with_maxsim
from retrievers.dense import DenseRetriever
from retrievers.documents_first.abbreviations import abbreviations
from retrievers.documents_first.mentions import ScopeWords
from retrievers.documents_first.misspelt import misspelt, respelt
from retrievers.documents_first.names import NamesOfLibraries
from retrievers.documents_first.prior import WEIGHTS, DocumentPrior, Floats, document_prior
from retrievers.documents_first.sides import sides_of
from retrievers.fusion import CANDIDATES, DEPTH, fuse
from retrievers.glossary import Meaning, glossary_of
from retrievers.hits import Candidate, LookedFirst, Query, Ranking, Side
from retrievers.lexical import LexicalRetriever
from retrievers.shares import shared, taking_turns

# Chosen on three sets of 54 documents together, each by the weights of the other two: docs/retrieval.md.
TERMS_WEIGHT = 0.75
PRIOR_WEIGHT = 2.0
# The most that a term's score counts in one list, in standard deviations.
_MOST_DEVIATIONS = 3.0
# A document 55 times less probable is as far behind as one of no probability.
_FARTHEST = -4.0
# Documents that are searched by themselves, to this depth: so many of the likeliest, whose logarithm is not
# farther than this behind the likeliest's.
_DOCUMENTS = 3
_NEAREST = -2.5
_DEPTH = 50
# A document is said to be looked in first where it is named, and at least so probable.
_SAID = 0.25

TERMS, PRIOR, FUSED = "glossary", "document", "fused"
NAMES = NamesOfLibraries()


class DocumentsFirstRetriever:
    """See the module. Never exact: a chunk that no first stage finds is missing."""

    def __init__(
        self,
        library: Library,
        representation: str = BUILTIN_NAME,
        *,
        prior_weight: float = PRIOR_WEIGHT,
        terms_weight: float = TERMS_WEIGHT,
        feature_weights: Floats = WEIGHTS,
    ) -> None:
        """The first two weights may be 0: then documents, or the glossary's terms, do not count."""
        self._library = library
        self._representation = representation
        self._prior_weight = prior_weight
        self._terms_weight = terms_weight
        self._feature_weights = feature_weights
        self._stages = (
            DenseRetriever(library, "mean", representation),
            LexicalRetriever(library, candidates=True),
        )

    def rank(self, query: Query, scope: Scope, limit: int) -> Ranking:
        """See `Retriever.rank`."""
        depth = max(limit, DEPTH)
        watch = Stopwatch()
        lists = self._lists(query, scope, depth)
        first = self._maxsim(query, scope, depth, fuse(lists))
        fused = with_maxsim(lists, first, depth)
        with watch.stage("documents"):
            prior = self._prior(query, scope, fused)
            sides = self._sides(query, scope, prior)
            narrower = _narrower(prior, scope, taking_turns(sides))
        with watch.stage("glossary"):
            known, errors = self._meanings(query, scope, narrower)
        asked = [query, *self._terms(query, known, errors)]
        found = [self._lists(one, scope, depth, narrower) for one in asked]
        found = [found[0], *(_within(narrower, found[0], lists) for lists in found[1:])]
        alone = self._alone(query, scope, taking_turns(sides))
        pool = fuse([ranking for lists in found for ranking in lists] + [_plain(one) for one in alone])
        maxsims = [self._maxsim(one, scope, depth, pool) for one in asked]
        scored = [
            with_maxsim(lists, maxsim, depth, math.inf if one is query else _MOST_DEVIATIONS)
            for one, lists, maxsim in zip(asked, found, maxsims, strict=True)
        ]
        own = [[one.chunk_id for one in ranking.candidates] for ranking in alone]
        candidates = shared(self._combined(scored, prior), sides, own)
        every = [ranking for lists in (*found, [first], maxsims, alone) for ranking in lists]
        # The same candidates are scored once, and counted once.
        timings = _added_up(list({id(ranking): ranking for ranking in every}.values()))
        counts = {
            name: count for ranking in (*found[0], maxsims[0]) for name, count in ranking.counts.items()
        }
        return Ranking(
            candidates[:limit],
            exact=False,
            timings_ms={**timings, **watch.timings_ms},
            counts={**counts, CANDIDATES: len(pool)},
            looked_first=_looked_first(prior, query.text, sides),
            looked_for=tuple(sorted((*known, *errors), key=lambda one: one.start)),
            sides=sides,
        )

    def _lists(self, query: Query, scope: Scope, depth: int, narrower: Sequence[Scope] = ()) -> list[Ranking]:
        """Return the first stages' lists of the scope, and of the narrower ones, as one each."""
        found = []
        for stage in self._stages:
            whole = stage.rank(query, scope, depth)
            found.append(_merged(whole, [stage.rank(query, one, _DEPTH) for one in narrower], depth))
        return found

    def _maxsim(self, query: Query, scope: Scope, depth: int, pool: Sequence[Candidate]) -> Ranking:
        key = "maxsim of", self._representation, scope, depth, tuple(one.chunk_id for one in pool)
        return query.once(
            key,
            lambda: maxsim_ranking(self._library, self._representation, query, scope, depth, pool),
        )

    def _prior(self, query: Query, scope: Scope, fused: Sequence[Candidate]) -> DocumentPrior | None:
        if not self._prior_weight:
            return None
        names = NAMES.of(self._library, scope)
        if len(names.documents) < 2:  # nothing to choose from
            return None
        return document_prior(names, query.text, fused, self._feature_weights)

    def _sides(self, query: Query, scope: Scope, prior: DocumentPrior | None) -> tuple[Side, ...]:
        if prior is None:
            return ()
        names = prior.names

        def told(question: str) -> DocumentPrior:
            return document_prior(names, question, (), self._feature_weights)

        return sides_of(names, query.text, ScopeWords(self._library, scope), prior, told)

    def _alone(self, query: Query, scope: Scope, sides: Sequence[Side]) -> list[Ranking]:
        """Return a ranking of each side's passages for what is asked of it alone."""
        retriever = DocumentsFirstRetriever(
            self._library, self._representation, prior_weight=0, terms_weight=self._terms_weight
        )
        found = []
        for side in sides:
            asked = query.once(("side", side.question), partial(Query, side.question, query.encoder))
            found.append(retriever.rank(asked, replace(scope, documents=side.documents), _DEPTH))
        return found

    def _meanings(
        self, query: Query, scope: Scope, narrower: Sequence[Scope]
    ) -> tuple[tuple[Meaning, ...], tuple[Meaning, ...]]:
        """Return the terms that the glossary or the likeliest documents explain, and the misspelt words."""
        if not self._terms_weight:
            return (), ()
        ids = set(scope.collections)
        names = [name for name, identity in self._library.catalogue.collections().items() if identity in ids]
        known = glossary_of(self._library.folder, names).meanings(query.text)
        documents = _documents(narrower)
        explaining = replace(scope, documents=documents) if documents else scope
        known = (*known, *abbreviations(self._library, query.text, explaining, known))
        return known, misspelt(self._library, query, scope, known)

    def _terms(self, query: Query, known: Sequence[Meaning], errors: Sequence[Meaning]) -> list[Query]:
        """Return what is looked for like a second question; nothing where nothing is known."""
        corrected = [respelt(query.text, errors)] if errors else []
        terms = dict.fromkeys([*corrected, *(term for meaning in known for term in meaning.also)])
        if not terms:
            return []
        return [query.once(("terms", *terms), lambda: Query("; ".join(terms), query.encoder))]

    def _combined(
        self, scored: Sequence[Sequence[Candidate]], prior: DocumentPrior | None
    ) -> tuple[Candidate, ...]:
        asked, *others = scored
        terms = {one.chunk_id: one.score for one in others[0]} if others else {}
        weight = self._terms_weight if others else 0.0
        found = []
        for one in asked:
            scores, chunk = dict(one.scores), one.chunk_id
            total = (one.score + weight * terms.get(chunk, 0.0)) / (1 + weight)
            if chunk in terms:
                scores[TERMS] = terms[chunk]
            if prior:
                scores[PRIOR] = self._prior_weight * max(prior.of(chunk), _FARTHEST)
                total += scores[PRIOR]
            found.append(Candidate(chunk, total, {**scores, FUSED: total}))
        return tuple(sorted(found, key=lambda one: (-one.score, one.chunk_id)))


def _narrower(prior: DocumentPrior | None, scope: Scope, sides: Sequence[Side]) -> list[Scope]:
    """Return the scopes that are searched by themselves: the likeliest documents, and the sides."""
    if prior is None:
        return []
    likely = [one.id for one, _ in prior.likeliest(_DOCUMENTS, 0.0) if prior.of(f"{one.id}:0:0") > _NEAREST]
    some = dict.fromkeys((*(frozenset({one}) for one in likely), *(one.documents for one in sides)))
    return [replace(scope, documents=documents) for documents in some]


def _plain(ranking: Ranking) -> Ranking:
    """Return a ranking without scores, which are those of another question."""
    plain = tuple(replace(one, scores={}) for one in ranking.candidates)
    return replace(ranking, candidates=plain)


def _merged(whole: Ranking, others: Sequence[Ranking], depth: int) -> Ranking:
    """Return a list with those of narrower scopes. What these have below the end of a full list counts as its
    end, like a chunk that it lacks."""
    if not others:
        return whole
    end = whole.candidates[-1].score if len(whole.candidates) >= depth else 0.0
    found = {one.chunk_id: one for one in whole.candidates}
    for one in (one for ranking in others for one in ranking.candidates):
        found.setdefault(one.chunk_id, replace(one, score=max(one.score, end)))
    ordered = tuple(sorted(found.values(), key=lambda one: (-one.score, one.chunk_id)))
    return replace(whole, candidates=ordered, timings_ms=_added_up([whole, *others]))


def _added_up(rankings: Sequence[Ranking]) -> dict[str, float]:
    """Return the times of several rankings by stage."""
    timings: dict[str, float] = {}
    for ranking in rankings:
        for name, ms in ranking.timings_ms.items():
            timings[name] = timings.get(name, 0.0) + ms
    return timings


def _within(narrower: Sequence[Scope], asked: Sequence[Ranking], terms: Sequence[Ranking]) -> list[Ranking]:
    """Return the terms' lists without what the question did not find, but in the likeliest documents."""
    documents = _documents(narrower)
    if not documents:
        return list(terms)
    known = {one.chunk_id for ranking in asked for one in ranking.candidates}
    kept = []
    for ranking in terms:
        some = (
            one
            for one in ranking.candidates
            if one.chunk_id in known or document_of_chunk(one.chunk_id) in documents
        )
        kept.append(replace(ranking, candidates=tuple(some)))
    return kept


def _documents(scopes: Sequence[Scope]) -> frozenset[str]:
    return frozenset[str]().union(*(one.documents or () for one in scopes))


def _looked_first(
    prior: DocumentPrior | None, question: str, sides: Sequence[Side]
) -> tuple[LookedFirst, ...]:
    """Return the documents that a question names: the likeliest of each side, else the likeliest of all."""
    if prior is None:
        return ()
    found: list[tuple[int, tuple[str, ...]]] = []
    for side in sides:
        places = (prior.names.places[document] for document in side.documents)
        likely = sorted(places, key=lambda place: (-prior.probability(place), place))
        found += [(place, (side.name,)) for place in likely[:_DOCUMENTS]]
    if not found:
        likeliest = prior.likeliest(_DOCUMENTS, _SAID)
        found = [(prior.names.places[one.id], ()) for one, _ in likeliest if prior.words(one.id)]
    looked = []
    for place, name in found:
        document = prior.names.documents[place]
        words = tuple(question[start:end] for start, end in sorted(prior.words(document.id)))
        looked.append(LookedFirst(document.id, document.label, prior.probability(place), words or name))
    return tuple(looked)
