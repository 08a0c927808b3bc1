"""Evidence for the prompt: the sentences of the hits that answer best, within a token budget.

A processor reads a prompt slowly, so text that does not answer costs seconds. In prose, the best sentences
and their companions keep nearly all answers in less than half of the tokens; in tables they lose more
(`benchmarks/packing.py`).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ingestion.library import Library
from ingestion.storage.catalogue.records import StoredChunk
from ingestion.storage.open_representations import OpenRepresentation
from ingestion.storage.tokens.store import TokenMatch
from ingestion.text.sentences import sentence_spans
from ingestion.text.stopwords import stopwords_of
from rag_app.answering.answers import Evidence, EvidenceRef, EvidenceSentence, PromptContext
from rag_app.answering.evidence.duplicates import merged
from rag_app.answering.evidence.echoes import is_question, questions_above
from rag_app.answering.evidence.literal_matches import holds, is_of_another, with_identifiers
from rag_app.answering.evidence.readability import companions, pieces
from rag_app.answering.evidence.windows import windows
from retrievers.exact import Named
from retrievers.explain import matched
from retrievers.hits import Hit, Query
from retrievers.reader.reading import Reading
from retrievers.search import SearchResult

Floats = NDArray[np.float32]

# Every sentence has stop words: "was" and "in" make it hardly a better answer to "What was X in 2022?". But
# they tell "It was planted in 1921" from sentences that do not answer "When was the tree planted?", so they
# count half. English only; in other languages all words count alike.
STOPWORD_WEIGHT = 0.5
# The share of the passages' tokens that is packed, and the number that is always packed: they are read at
# once.
_SHARE = 0.45
_ALWAYS = 300
# A question in a document with this score is the question asked, and the text below it answers.
SAME_QUESTION = 0.75
# The weight of a passage's standing (0 for the best hit, 1 for the last) against its sentences' cosines.
_STANDING = 0.4


@dataclass(frozen=True, slots=True)
class _Passage:
    """A hit with its sentences. `standing` is its place among the hits, from 0 (best) to 1 (last)."""

    hit: Hit
    sentences: tuple[EvidenceSentence, ...]
    companions: Mapping[int, tuple[int, ...]]
    score: float
    relevance: float
    standing: float


def pack(
    library: Library,
    result: SearchResult,
    *,
    budget: int | None,
    count_tokens: Callable[[str], int],
    nonce: str = "",
    earlier: Sequence[EvidenceRef] = (),
    readings: Mapping[str, Reading] | None = None,
) -> PromptContext:
    """Return the sentences of the hits that answer best.

    Passages come in rank order, sentences in reading order; a repeated sentence is packed once. Long
    passages are packed by less than half, for any budget. At least one sentence is packed, so that a small
    budget still gives evidence. Passages of the earlier prompt that need no further sentence come first and
    unchanged, so that a model that keeps that prompt need not read them again.

    Args:
        budget: The most tokens, as `count_tokens` counts them; None: all sentences, for an answerer that
            reads in no time.
        nonce: The nonce of the prompt's fences.
        earlier: The evidence of the conversation's last prompt.
        readings: What the reader makes of the hits, by chunk id.
    """
    passages = _passages(library, result)
    sizes = [[count_tokens(sentence.text) for sentence in passage.sentences] for passage in passages]
    total = sum(map(sum, sizes))
    if budget is None:
        chosen = [set(range(len(passage.sentences))) for passage in passages]
    else:
        chosen = _chosen(passages, sizes, min(budget, max(_ALWAYS, int(_SHARE * total))))
    ordered = _ordered(passages, chosen, earlier)
    around = windows(library, [passage.hit.chunk for passage, _ in ordered])
    evidence = tuple(
        Evidence(
            number,
            passage.hit,
            tuple(passage.sentences[place] for place in places),
            passage.score,
            (readings or {}).get(passage.hit.chunk.id),
            around.get(passage.hit.chunk.id),
        )
        for number, (passage, places) in enumerate(ordered, start=1)
    )
    return PromptContext(
        evidence,
        max((passage.relevance for passage, _ in ordered), default=0.0),
        nonce,
        total if budget is None else budget,
        result.query.text,
    )


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
    spans = _short_spans(chunk.text)
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


def _short_spans(text: str) -> list[tuple[int, int]]:
    """Return the spans of a passage's sentences; long sentences in pieces."""
    return [
        (sentence.start + start, sentence.start + end)
        for sentence in sentence_spans(text)
        for start, end in pieces(text[sentence.start : sentence.end])
    ]


def _passages(library: Library, result: SearchResult) -> list[_Passage]:
    """Return the hits that still exist, each sentence only in the first hit that has it."""
    index = library.representation()
    index.check_fresh()
    located = library.catalogue.located([hit.chunk.id for hit in result.hits], index.id)
    segments = {chunk: segment for segment, chunk in located}
    weights = token_weights(result.query)
    read: dict[str, tuple[Hit, TokenMatch]] = {}

    def look_at(hit: Hit, segment: str) -> None:
        match = matched(index, result.query, segment, hit.chunk)
        if match is not None:  # None: deleted meanwhile
            spans = result.query.encodings.spans
            read[hit.chunk.id] = hit, with_identifiers(match, hit.chunk, result.named, spans)

    for hit in result.hits:
        look_at(hit, segments.get(hit.chunk.id, ""))
    # The answer to a question at the end of a passage begins the next passage.
    before: dict[str, Floats] = {}
    for hit, match in list(read.values()):
        asked = _question_at_end(hit.chunk, match)
        if asked is not None and float(weights @ asked) >= SAME_QUESTION:
            for following, segment in _following(library, index, hit):
                before[following.chunk.id] = asked
                if following.chunk.id not in read:
                    look_at(following, segment)
    found = [
        (
            hit,
            scored_sentences(hit, match, weights, result.query.text, result.named, before.get(hit.chunk.id)),
            match.similarities.max(axis=1, initial=-1.0),
        )
        for hit, match in read.values()
    ]
    distinct = merged([(hit.chunk, sentences) for hit, sentences, _ in found])
    standings = _standings([hit for hit, _, _ in found])
    return [
        _Passage(
            hit=hit,
            sentences=tuple(sentences),
            companions=companions([sentence.text for sentence in sentences]),
            score=float(weights @ best) if len(best) else 0.0,
            relevance=relevance(best, weights),
            standing=standing,
        )
        for (hit, _, best), sentences, standing in zip(found, distinct, standings, strict=True)
    ]


def _question_at_end(chunk: StoredChunk, match: TokenMatch) -> Floats | None:
    """Return the best cosines, [q], of a question at the end of a passage; None without one."""
    spans = _short_spans(chunk.text)
    if not spans or not is_question(chunk.text[slice(*spans[-1])]):
        return None
    inside = (match.spans[:, 0] >= spans[-1][0]) & (match.spans[:, 1] <= spans[-1][1])
    highest: Floats = match.similarities[:, inside & (match.spans[:, 1] > 0)].max(axis=1, initial=-1.0)
    return highest


def _following(library: Library, index: OpenRepresentation, hit: Hit) -> list[tuple[Hit, str]]:
    """Return the next passage of a hit's document, as a hit, with its segment."""
    head, _, ordinal = hit.chunk.id.rpartition(":")
    identity = f"{head}:{int(ordinal) + 1}"
    chunks = library.catalogue.chunks([identity])
    return [
        (replace(hit, chunk=chunks[chunk]), segment)
        for segment, chunk in library.catalogue.located([identity], index.id)
        if chunk in chunks
    ]


def _standings(hits: Sequence[Hit]) -> list[float]:
    """Return 0 for the best hit to 1 for the last: by score, or by rank where scores do not fall."""
    scores = [hit.score for hit in hits]
    if scores != sorted(scores, reverse=True):
        scores = [-float(hit.rank) for hit in hits]
    spread = scores[0] - scores[-1] if scores else 0.0
    return [(scores[0] - score) / spread if spread else 0.0 for score in scores]


def _chosen(passages: Sequence[_Passage], sizes: Sequence[Sequence[int]], budget: int) -> list[set[int]]:
    """Return the sentences of each passage to pack: the most valuable ones, with their companions."""
    values = sorted(
        (_STANDING * passage.standing - sentence.score, number, place)
        for number, passage in enumerate(passages)
        for place, sentence in enumerate(passage.sentences)
    )
    chosen: list[set[int]] = [set() for _ in passages]
    left = budget
    for _, number, place in values:
        wanted = {place, *passages[number].companions.get(place, ())} - chosen[number]
        for group in (wanted, {place} - chosen[number]):
            size = sum(sizes[number][one] for one in group)
            if group and (size <= left or (left == budget and group == {place})):
                chosen[number] |= group
                left -= size
                break
    return chosen


def _ordered(
    passages: Sequence[_Passage], chosen: Sequence[set[int]], earlier: Iterable[EvidenceRef]
) -> list[tuple[_Passage, list[int]]]:
    """Return the passages with chosen sentences; those that the earlier prompt had first."""
    by_chunk = {passage.hit.chunk.id: number for number, passage in enumerate(passages)}
    kept: dict[int, list[int]] = {}
    for placed in earlier:
        number = by_chunk.get(placed.chunk_id)
        if number is None or not chosen[number]:
            continue
        spans = set(placed.spans)
        before = [
            place
            for place, sentence in enumerate(passages[number].sentences)
            if (sentence.start, sentence.end) in spans
        ]
        if len(before) == len(spans) and chosen[number] <= set(before):
            kept[number] = before
    new = {number: sorted(places) for number, places in enumerate(chosen) if places and number not in kept}
    return [(passages[number], places) for number, places in (kept | new).items()]
