"""Hits to evidence: the sentences of each hit, scored by MaxSim, within a token budget."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from ingestion.library import Library
from ingestion.sentences import sentence_spans
from ingestion.stores.tokens.store import TokenMatch
from ingestion.words import function_words
from rag_app.answers import Evidence, EvidenceSentence, Packed
from retrievers.explain import matched
from retrievers.hits import Hit, Query
from retrievers.search import SearchResult

# Any sentence holds function words: one that says "was" and "in" answers "What was X in 2022?" little better
# for it. They still tell "It was planted in 1921" from what does not answer "When was the tree planted?", so
# they count half. English only; the words of a question in another language count alike.
_FUNCTION_WORD = 0.5


def pack(
    library: Library, result: SearchResult, *, budget: int, count_tokens: Callable[[str], int]
) -> Packed:
    """Return the hits' text, in rank order, that fits `budget` tokens of `count_tokens`.

    A hit that does not fit whole gives its best sentences that do, in reading order. At least one
    sentence is kept, so that a small budget never means no evidence.
    """
    index = library.index()
    index.check_fresh()
    located = library.catalogue.located([hit.chunk.id for hit in result.hits], index.id)
    segments = {chunk: segment for segment, chunk in located}
    evidence: list[Evidence] = []
    best: list[np.ndarray[tuple[int], np.dtype[np.float32]]] = []
    left = budget
    weights = token_weights(result.query)
    for hit in result.hits:
        match = matched(index, result.query, segments.get(hit.chunk.id, ""), hit.chunk)
        if match is None:  # deleted since it was found
            continue
        sentences = scored_sentences(hit, match, weights)
        kept, used = _fit(sentences, left, count_tokens, at_least_one=not evidence)
        if not kept:
            break
        left -= used
        evidence.append(Evidence(len(evidence) + 1, hit, tuple(kept)))
        best.append(match.similarities.max(axis=1, initial=-1.0))
    relevance = float(np.max(best, axis=0).mean()) if best and len(best[0]) else 0.0
    return Packed(tuple(evidence), relevance)


def token_weights(query: Query) -> NDArray[np.float32]:
    """How much each of the question's tokens counts when its sentences are compared, [q], in sum 1."""
    words = [query.text[start:end].casefold() for start, end in query.encodings.spans]
    weights = [1 if word.isalnum() and word not in function_words("en") else _FUNCTION_WORD for word in words]
    return np.array(weights, np.float32) / (sum(weights) or 1)


def scored_sentences(hit: Hit, match: TokenMatch, weights: NDArray[np.float32]) -> list[EvidenceSentence]:
    """Return a hit's sentences with their scores: the weighted mean of the tokens' best cosines.

    Tokens of the context line (document, heading) stand behind every sentence: a row of a table says
    neither whose nor of which year it is, but its document does.
    """
    chunk = hit.chunk
    starts, ends = match.spans[:, 0], match.spans[:, 1]
    context = (starts == 0) & (ends == 0)
    sentences = []
    for span in sentence_spans(chunk.text):
        seen = context | ((starts >= span.start) & (ends <= span.end) & (ends > starts))
        similarities = match.similarities[:, seen]
        score = float(weights @ similarities.max(axis=1)) if similarities.size else 0.0
        start, end = chunk.start + span.start, chunk.start + span.end
        sentences.append(EvidenceSentence(start, end, chunk.text[span.start : span.end], score))
    return sentences


def _fit(
    sentences: Sequence[EvidenceSentence],
    budget: int,
    count_tokens: Callable[[str], int],
    *,
    at_least_one: bool,
) -> tuple[list[EvidenceSentence], int]:
    sizes = {sentence: count_tokens(sentence.text) for sentence in sentences}
    kept: list[EvidenceSentence] = []
    used = 0
    for sentence in sorted(sentences, key=lambda sentence: -sentence.score):
        if used + sizes[sentence] <= budget or (at_least_one and not kept):
            kept.append(sentence)
            used += sizes[sentence]
    return sorted(kept, key=lambda sentence: sentence.start), used
