"""Summaries without an LLM: sentences that together represent the documents, in reading order.

    chunks' mean vectors ─▶ passages that represent the document ─▶ their sentences that represent it

Both steps are facility location (`facility`), on cosines less the usual cosine within the document: to an
encoder, all texts of a document are similar.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np

from ingestion.encoders import Encoder
from ingestion.errors import LibraryDamaged
from ingestion.library import Library
from ingestion.storage.catalogue.records import Document, StoredChunk
from ingestion.text.sentences import sentence_spans
from rag_app.summarizing.facility import representatives
from rag_app.summarizing.prose import Prose, prose, word_count
from rag_app.summarizing.salience import (
    defines,
    heading_weight,
    names_of,
    place_weight,
    plainness,
    telling_weight,
)
from rag_app.summarizing.whole_documents import Floats, ScopedDocuments, evenly, read_chunks, read_vectors

# The most chunks of a document that are compared (16 MB of similarities); more chunks are sampled.
MOST_CHUNKS = 2000
# Passages of a document whose sentences are encoded, and those among them from its beginning.
_PASSAGES, _FIRST = 40, 16
_BEGINNING = 0.25
# Two sentences say the same from this cosine, or this share of the shorter one's words, on.
_SAME, _SAME_WORDS = 0.8, 0.8
# The quantile of a document's cosines that counts as 0.
_BACKGROUND = 0.5
# The factor for a sentence that points elsewhere.
_LEANS = 0.4
# A definition comes first if its cosine with the document's centre is this share of the best one's.
_DEFINING = 0.75
_MOST_ROWS = 3  # of a document of tables
_LEAST_LETTERS = 0.4


@dataclass(frozen=True, slots=True)
class Budget:
    """The longest summary of one document."""

    sentences: int = 8
    words: int = 160


@dataclass(frozen=True, slots=True)
class Quotation:
    """Characters `start` to `end` of a chunk's page; `score` is the cosine with the document's centre."""

    chunk: StoredChunk
    start: int
    end: int
    text: str
    score: float


@dataclass(frozen=True, slots=True)
class _Sentence:
    """A sentence of the chunk at `place` among those read; `start` and `end` count in the chunk."""

    place: int
    start: int
    end: int
    text: str
    kind: Prose


@dataclass(frozen=True, slots=True)
class _Reading:
    """The n chunks of a document.

    Attributes:
        vectors: [n, d], of unit length.
        sentences: The sentences of each chunk that may be quoted.
        demand: [n], how much a chunk needs to be represented.
        merit: [n], how well it can represent others.
    """

    chunks: tuple[StoredChunk, ...]
    vectors: Floats
    sentences: tuple[tuple[_Sentence, ...], ...]
    demand: Floats
    merit: Floats
    kind: Prose


def quotations(
    library: Library,
    whole: ScopedDocuments,
    document: Document,
    budget: Budget = Budget(),
    *,
    passages: int = _PASSAGES,
    known: Sequence[str] = (),
) -> list[Quotation]:
    """Return the sentences that represent a document's part of a scope, in reading order.

    They are whole sentences; rows of tables where a document has no sentences; none where it was deleted
    meanwhile.

    Args:
        passages: How many passages get their sentences encoded.
        known: Texts whose content is not quoted again.

    Raises:
        LibraryDamaged: The document has no vectors.
        StaleRepresentation: The vectors are of another encoder.
    """
    reading = _read(library, whole, document, MOST_CHUNKS * passages // _PASSAGES)
    if reading is None:
        return []
    seen = [_words(text) for text in known]
    candidates = [
        each
        for each in _candidates(reading, passages)
        if not any(_is_alike(_words(each.text), other) for other in seen)
    ]
    if not candidates:
        return []
    if reading.kind is Prose.NONE:
        budget = replace(budget, sentences=min(budget.sentences, _MOST_ROWS))
    chosen = _choose(reading, candidates, names_of(document), library.encoder, budget)
    found = []
    for sentence, score in sorted(chosen, key=lambda pair: (pair[0].place, pair[0].start)):
        chunk = reading.chunks[sentence.place]
        start, end = chunk.start + sentence.start, chunk.start + sentence.end
        found.append(Quotation(chunk, start, end, chunk.text[sentence.start : sentence.end], score))
    return found


def _read(library: Library, whole: ScopedDocuments, document: Document, limit: int) -> _Reading | None:
    ids, vectors = read_vectors(library, document.collection_id, whole.chunk_ids(document, limit))
    there = {chunk.id: chunk for chunk in read_chunks(library, ids)}
    places = [place for place, each in enumerate(ids) if each in there]
    if not places:
        if library.catalogue.document(document.id) and not ids:
            raise LibraryDamaged(
                f"Chroma has no vectors of {document.name}; to repair it, run: rag-app repair"
            )
        return None
    chunks = tuple(there[ids[place]] for place in places)
    spans = [_spans(chunk) for chunk in chunks]
    kind = max((kind for found in spans for _, _, kind in found), default=Prose.NONE)
    sentences = tuple(
        tuple(_sentences(place, chunk, found, kind))
        for place, (chunk, found) in enumerate(zip(chunks, spans, strict=True))
    )
    shares = np.array([_share(chunk, found) for chunk, found in zip(chunks, sentences, strict=True)])
    expected = np.array(
        [place_weight(place, len(chunks)) * heading_weight(chunk) for place, chunk in enumerate(chunks)]
    )
    merit = expected * np.minimum(1, 0.3 + shares) * (shares > 0)
    demand = expected * (0.2 + shares)
    return _Reading(
        chunks, vectors[places], sentences, demand.astype(np.float32), merit.astype(np.float32), kind
    )


def _spans(chunk: StoredChunk) -> list[tuple[int, int, Prose]]:
    return [
        (span.start, span.end, prose(chunk.text[span.start : span.end]))
        for span in sentence_spans(chunk.text)
    ]


def _sentences(
    place: int, chunk: StoredChunk, spans: Sequence[tuple[int, int, Prose]], kind: Prose
) -> Iterator[_Sentence]:
    for start, end, found in spans:
        text = " ".join(chunk.text[start:end].split())
        if text == " ".join((chunk.heading or "").split()):
            continue
        fits = found is kind or min(found, kind) >= Prose.LEANS
        if fits and (kind is not Prose.NONE or _has_words(text)):
            yield _Sentence(place, start, end, text, found)


def _has_words(text: str) -> bool:
    return word_count(text) >= 2 and sum(map(str.isalpha, text)) >= _LEAST_LETTERS * len(text)


def _share(chunk: StoredChunk, sentences: Sequence[_Sentence]) -> float:
    return sum(each.end - each.start for each in sentences) / max(1, len(chunk.text))


def _candidates(reading: _Reading, passages: int) -> list[_Sentence]:
    """Return the sentences of the representative passages, and of the first ones."""
    similarities = _beyond_background(reading.vectors, reading.vectors)
    standing = representatives(similarities, demand=reading.demand, merit=reading.merit)
    chosen = {place for place, _ in islice(standing, passages)}
    count = len(reading.chunks)
    begin = [place for place in range(count) if reading.sentences[place] and place <= _BEGINNING * count]
    chosen.update(begin[: max(1, _FIRST * passages // _PASSAGES)])
    return [sentence for place in sorted(chosen) for sentence in reading.sentences[place]]


def _choose(
    reading: _Reading,
    candidates: Sequence[_Sentence],
    names: frozenset[str],
    encoder: Encoder,
    budget: Budget,
) -> list[tuple[_Sentence, float]]:
    """Return the chosen sentences, each with its cosine with the document's centre.

    The first sentence defines the document's subject, where one does.
    """
    vectors = encoder.encode([each.text for each in candidates]).mean
    centre = reading.demand @ reading.vectors
    central = vectors @ (centre / (np.linalg.norm(centre) or 1))
    merit = np.array(
        [
            reading.merit[each.place]
            * max(0.0, float(cosine)) ** 2
            * telling_weight(each.text, names)
            * plainness(each.text)
            * (_LEANS if each.kind is Prose.LEANS else 1.0)
            for each, cosine in zip(candidates, central, strict=True)
        ],
        np.float32,
    )
    standing = representatives(
        _beyond_background(reading.vectors, vectors), demand=reading.demand, merit=merit
    )
    order = [place for place, _ in standing] or [int(merit.argmax())]
    defining = [place for place, each in enumerate(candidates) if defines(each.text, names)]
    # The first definition, because later ones define parts; but not of something else.
    central_enough = _DEFINING * max((central[place] for place in defining), default=0)
    order = [place for place in defining if central[place] >= central_enough][:1] + order
    return [
        (candidates[place], round(float(central[place]), 4))
        for place in _unlike(order, candidates, vectors, budget)
    ]


def _unlike(
    order: Sequence[int], candidates: Sequence[_Sentence], vectors: Floats, budget: Budget
) -> list[int]:
    """Return the first places that each say something new and fit the budget; at least one."""
    chosen: list[int] = []
    words = 0
    for place in order:
        length = word_count(candidates[place].text)
        if len(chosen) == budget.sentences or (chosen and words + length > budget.words):
            continue
        own = _words(candidates[place].text)
        if not any(
            float(vectors[place] @ vectors[other]) > _SAME or _is_alike(own, _words(candidates[other].text))
            for other in chosen
        ):
            chosen.append(place)
            words += length
    return chosen


def _words(text: str) -> frozenset[str]:
    return frozenset(text.casefold().split())


def _is_alike(one: frozenset[str], other: frozenset[str]) -> bool:
    return len(one & other) >= _SAME_WORDS * min(len(one), len(other))


def _beyond_background(rows: Floats, columns: Floats) -> Floats:
    """Return the [n, m] cosines less the usual cosine within the document; at least 0."""
    cosines = rows @ columns.T
    some = cosines[evenly(len(rows), 500)]
    beyond: Floats = np.maximum(cosines - np.float32(np.quantile(some, _BACKGROUND)), 0)
    return beyond
