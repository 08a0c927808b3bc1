"""Evidence for the prompt: the sentences of the hits that answer best, within a token budget.

A processor reads a prompt slowly, so text that does not answer costs seconds. In prose, the best sentences
and their companions keep nearly all answers in less than half of the tokens; in tables they lose more
(`benchmarks/packing.py`).
"""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace

from ingestion.library import Library
from ingestion.storage.catalogue.records import StoredChunk
from ingestion.storage.open_representations import OpenRepresentation
from ingestion.storage.tokens.store import TokenMatch
from rag_app.answering.answers import Evidence, EvidenceRef, EvidenceSentence, PromptContext
from rag_app.answering.evidence.asked_of import Asked, asked_of
from rag_app.answering.evidence.duplicates import merged
from rag_app.answering.evidence.echoes import is_question
from rag_app.answering.evidence.literal_matches import with_identifiers
from rag_app.answering.evidence.readability import companions
from rag_app.answering.evidence.readings import Matched, readings_of
from rag_app.answering.evidence.sentence_scores import (
    Floats,
    best_of,
    in_other_forms,
    relevance,
    scored_sentences,
    short_spans,
)
from rag_app.answering.evidence.spelled_out import spelled_out
from rag_app.answering.evidence.windows import windows
from retrievers.documents_first.misspelt import respelt
from retrievers.explain import matched
from retrievers.hits import Hit
from retrievers.reader.reading import Reader
from retrievers.search import SearchResult
from retrievers.shares import taking_turns

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
    reader: Reader | None = None,
) -> PromptContext:
    """Return the sentences of the hits that answer best.

    Passages come in rank order, sentences in reading order; a repeated sentence is packed once. Long
    passages are packed by less than half, for any budget. At least one sentence is packed, so that a small
    budget still gives evidence. Passages of the earlier prompt that need no further sentence come first and
    unchanged, so that a model that keeps that prompt need not read them again. Passages of a side are
    measured by what is asked of it alone, and each side has its share of the budget.

    Args:
        budget: The most tokens, as `count_tokens` counts them; None: all sentences, for an answerer that
            reads in no time.
        nonce: The nonce of the prompt's fences.
        earlier: The evidence of the conversation's last prompt.
        reader: Reads the best passages; None: nothing is read.

    Raises ModelError where the reader cannot be loaded.
    """
    passages = _passages(library, result)
    sizes = [[count_tokens(sentence.text) for sentence in passage.sentences] for passage in passages]
    total = sum(map(sum, sizes))
    if budget is None:
        chosen = [set(range(len(passage.sentences))) for passage in passages]
    else:
        most = min(budget, max(_ALWAYS, int(_SHARE * total)))
        chosen = _chosen(passages, sizes, most, [side.documents for side in taking_turns(result.sides)])
    ordered = _ordered(passages, chosen, earlier)
    matching = [Matched(one.hit.chunk, one.relevance, one.sentences) for one in passages]
    readings = readings_of(reader, result, matching) if reader else {}
    around = windows(library, [passage.hit.chunk for passage, _ in ordered])
    evidence = tuple(
        Evidence(
            number,
            passage.hit,
            tuple(passage.sentences[place] for place in places),
            passage.score,
            readings.get(passage.hit.chunk.id),
            around.get(passage.hit.chunk.id),
            passage.relevance,
        )
        for number, (passage, places) in enumerate(ordered, start=1)
    )
    return PromptContext(
        evidence,
        max((passage.relevance for passage, _ in ordered), default=0.0),
        nonce,
        total if budget is None else budget,
        respelt(result.query.text, result.looked_for),
        tuple(spelled_out(result.query.text, result.looked_for)),
        sides=result.sides,
    )


def _passages(library: Library, result: SearchResult) -> list[_Passage]:
    """Return the hits that still exist, each sentence only in the first hit that has it."""
    index = library.representation()
    index.check_fresh()
    located = library.catalogue.located([hit.chunk.id for hit in result.hits], index.id)
    segments = {chunk: segment for segment, chunk in located}
    asked = asked_of(library, result)
    read: dict[str, tuple[Hit, TokenMatch, Asked]] = {}

    def look_at(hit: Hit, segment: str) -> None:
        own = asked(hit.chunk.document_id)
        match = matched(index, own.query, segment, hit.chunk)
        if match is not None:  # None: deleted meanwhile
            spans = own.query.encodings.spans
            read[hit.chunk.id] = hit, with_identifiers(match, hit.chunk, own.named, spans), own

    for hit in result.hits:
        look_at(hit, segments.get(hit.chunk.id, ""))
    # The answer to a question at the end of a passage begins the next passage.
    before: dict[str, Floats] = {}
    for hit, match, own in list(read.values()):
        above = _question_at_end(hit.chunk, match)
        if above is not None and float(own.weights @ above) >= SAME_QUESTION:
            for following, segment in _following(library, index, hit):
                before[following.chunk.id] = above
                if following.chunk.id not in read:
                    look_at(following, segment)
    found = [
        (
            hit,
            scored_sentences(hit, match, own.weights, own.query.text, own.named, before.get(hit.chunk.id)),
            match.similarities.max(axis=1, initial=-1.0),
            own.weights,
        )
        for hit, match, own in read.values()
    ]
    others = {
        hit.chunk.id: in_other_forms(index, own.forms, hit, segments.get(hit.chunk.id, ""))
        for hit, _, own in read.values()
    }
    distinct = _distinct(
        [
            (id(own), hit.chunk, best_of(sentences, others[hit.chunk.id][0]))
            for (hit, sentences, *_), (*_, own) in zip(found, read.values(), strict=True)
        ]
    )
    standings = _standings([hit for hit, *_ in found])
    return [
        _Passage(
            hit=hit,
            sentences=tuple(sentences),
            companions=companions([sentence.text for sentence in sentences]),
            score=float(weights @ best) if len(best) else 0.0,
            relevance=max(relevance(best, weights), others[hit.chunk.id][1]),
            standing=standing,
        )
        for (hit, _, best, weights), sentences, standing in zip(found, distinct, standings, strict=True)
    ]


def _distinct(
    passages: Sequence[tuple[Hashable, StoredChunk, Sequence[EvidenceSentence]]],
) -> list[list[EvidenceSentence]]:
    """Return each passage's sentences without those of earlier passages of the same side: what two sides say
    in the same words, each of them says."""
    found: list[list[EvidenceSentence]] = [[] for _ in passages]
    for side in dict.fromkeys(side for side, _, _ in passages):
        places = [place for place, (one, _, _) in enumerate(passages) if one == side]
        own = merged([passages[place][1:] for place in places])
        for place, sentences in zip(places, own, strict=True):
            found[place] = sentences
    return found


def _question_at_end(chunk: StoredChunk, match: TokenMatch) -> Floats | None:
    """Return the best cosines, [q], of a question at the end of a passage; None without one."""
    spans = short_spans(chunk.text)
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


def _chosen(
    passages: Sequence[_Passage],
    sizes: Sequence[Sequence[int]],
    budget: int,
    sides: Sequence[Set[str]] = (),
) -> list[set[int]]:
    """Return the sentences of each passage to pack: the most valuable ones, with their companions.

    Each side, given by its documents, has its share of the budget first, and one sentence at least.
    """
    chosen: list[set[int]] = [set() for _ in passages]
    left = budget
    for documents in sides:
        own = [n for n, passage in enumerate(passages) if passage.hit.chunk.document_id in documents]
        left -= _take(passages, sizes, chosen, own, budget // len(sides), is_first=True)
    if left > 0 or not sides:
        _take(passages, sizes, chosen, range(len(passages)), left, is_first=not sides)
    return chosen


def _take(
    passages: Sequence[_Passage],
    sizes: Sequence[Sequence[int]],
    chosen: list[set[int]],
    numbers: Iterable[int],
    budget: int,
    *,
    is_first: bool,
) -> int:
    """Add sentences of some passages to those chosen, within a budget; return their tokens.

    Args:
        is_first: The best sentence is taken whatever its size.
    """
    values = sorted(
        (_STANDING * passages[number].standing - sentence.score, number, place)
        for number in numbers
        for place, sentence in enumerate(passages[number].sentences)
    )
    left = budget
    for _, number, place in values:
        wanted = {place, *passages[number].companions.get(place, ())} - chosen[number]
        for group in (wanted, {place} - chosen[number]):
            size = sum(sizes[number][one] for one in group)
            if group and (size <= left or (is_first and left == budget and group == {place})):
                chosen[number] |= group
                left -= size
                break
    return budget - left


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
