"""How well the sentences of a passage match a question: by the best cosines of their tokens."""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ingestion.library import Library
from ingestion.storage.open_representations import OpenRepresentation
from ingestion.storage.tokens.store import TokenMatch
from ingestion.text.sentences import sentence_spans
from ingestion.text.stopwords import stopwords_of
from rag_app.answering.answers import EvidenceSentence
from rag_app.answering.evidence.echoes import questions_above
from rag_app.answering.evidence.literal_matches import holds, is_of_another
from rag_app.answering.evidence.readability import pieces
from rag_app.answering.evidence.spelled_out import spelled_out
from retrievers.exact import Named
from retrievers.explain import matched
from retrievers.hits import Hit, Query
from retrievers.search import SearchResult

Floats = NDArray[np.float32]

# Every sentence has stop words: "was" and "in" make it hardly a better answer to "What was X in 2022?". But
# they tell "It was planted in 1921" from sentences that do not answer "When was the tree planted?", so they
# count half. English only; in other languages all words count alike.
STOPWORD_WEIGHT = 0.5


def token_weights(query: Query) -> Floats:
    """Return the weights of the question's tokens, [q], in sum 1."""
    words = [query.text[start:end].casefold() for start, end in query.encodings.spans]
    weights = [1 if word.isalnum() and word not in stopwords_of("en") else STOPWORD_WEIGHT for word in words]
    return np.array(weights, np.float32) / (sum(weights) or 1)


def relevance(best: Floats, weights: Floats) -> float:
    """Return how well a passage answers, from -1 to 1.

    Half of it is the weighted mean (MaxSim), half the mean over the worse half of the content words: a
    passage on the subject that does not answer lacks just those.

    Args:
        best: [q], each question token's best cosine in the passage.
        weights: [q], from `token_weights`.
    """
    if not len(best):
        return 0.0
    return (float(weights @ best) + lower_half(best, weights)) / 2


def lower_half(best: Floats, weights: Floats) -> float:
    """Return the mean of the lower half of the cosines of content words; 0 without content words."""
    content = np.sort(best[weights >= weights.max(initial=0.0)])
    return float(content[: (len(content) + 1) // 2].mean()) if len(content) else 0.0


def scored_sentences(
    hit: Hit,
    match: TokenMatch,
    weights: Floats,
    question: str,
    named: Sequence[Named] = (),
    before: Floats | None = None,
) -> list[EvidenceSentence]:
    """Return a hit's sentences with their scores: the weighted mean of the tokens' best cosines.

    Tokens of the context line (document, heading) stand behind every sentence: a row of a table says
    neither whose nor of which year it is, but its document does. So do those of a question behind what
    answers it; `before` has the best cosines, [q], of one that the passage before ends with.
    """
    chunk = hit.chunk
    starts, ends = match.spans[:, 0], match.spans[:, 1]

    def best(seen: NDArray[np.bool_]) -> Floats:
        highest: Floats = match.similarities[:, seen].max(axis=1, initial=-1.0)
        return highest

    context = best((starts == 0) & (ends == 0))
    spans = short_spans(chunk.text)
    own = [best((starts >= start) & (ends <= end) & (ends > starts)) for start, end in spans]
    above = questions_above(
        question, [chunk.text[start:end] for start, end in spans], is_answer=before is not None
    )
    sentences = []
    for place, (start, end) in enumerate(spans):
        asked = above.get(place)
        heading = None if asked is None else before if asked < 0 else own[asked]
        seen = np.maximum(context, own[place])
        sentences.append(
            EvidenceSentence(
                chunk.start + start,
                chunk.start + end,
                chunk.text[start:end],
                float(weights @ (seen if heading is None else np.maximum(seen, heading))),
                is_heading=(place in above and asked is None) or is_of_another(named, chunk, start, end),
                is_named=holds(named, chunk.text[start:end]),
                answers=0.0 if heading is None else float(weights @ heading),
            )
        )
    return sentences


# A passage is measured by the question and by each of its other forms.
@lru_cache(maxsize=64)
def short_spans(text: str) -> tuple[tuple[int, int], ...]:
    """Return the spans of a passage's sentences; long sentences in pieces."""
    return tuple(
        (sentence.start + start, sentence.start + end)
        for sentence in sentence_spans(text)
        for start, end in pieces(text[sentence.start : sentence.end])
    )


def other_forms(library: Library, result: SearchResult) -> list[tuple[Query, Floats]]:
    """Return the question in the glossary's words, with the weights of its tokens."""
    if any(one.is_rare for one in result.named):  # their places are those of the question as it was asked
        return []
    queries = [Query(text, library.encoder) for text in spelled_out(result.query.text, result.looked_for)]
    return [(query, token_weights(query)) for query in queries]


def in_other_forms(
    index: OpenRepresentation, forms: Sequence[tuple[Query, Floats]], hit: Hit, segment: str
) -> tuple[list[list[EvidenceSentence]], float]:
    """Return a passage's sentences scored by the other forms, and its best relevance to one of them."""
    sentences: list[list[EvidenceSentence]] = []
    best = -1.0
    for query, weights in forms:
        match = matched(index, query, segment, hit.chunk)
        if match is not None:
            sentences.append(scored_sentences(hit, match, weights, query.text))
            best = max(best, relevance(match.similarities.max(axis=1, initial=-1.0), weights))
    return sentences, best


def best_of(
    sentences: Sequence[EvidenceSentence], others: Sequence[Sequence[EvidenceSentence]]
) -> list[EvidenceSentence]:
    """Return sentences with the best of their scores."""
    return [
        replace(one, score=max([one.score, *(same.score for same in forms)]))
        for one, *forms in zip(sentences, *others, strict=True)
    ]
