"""Why a passage was found: the best match of each token of the question, and the words that both have."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ingestion.errors import LibraryDamaged
from ingestion.library import Library
from ingestion.storage.catalogue.records import StoredChunk
from ingestion.storage.open_representations import BUILTIN_NAME, OpenRepresentation
from ingestion.storage.tokens.store import TokenMatch
from ingestion.text.acronyms import acronyms, asked_acronyms
from ingestion.text.stopwords import question_stopwords
from ingestion.text.terms import terms_with_spans
from retrievers.hits import Query

# Cosines that a rounding sets apart are of one vector: of tokens that were pooled, or of the same word twice.
_SAME = 1e-6


@dataclass(frozen=True, slots=True)
class TokenReason:
    """A token of the question and its best match.

    Attributes:
        start, end: its characters in the question; (0, 0) for what the model puts in front of one.
        similarity: the cosine of its vector and the best of the passage's, from -1 to 1.
        places: (start, end) on the page of the tokens with that vector, in reading order. Empty where
            only the context line in front of the passage (title, headings) has it.
    """

    start: int
    end: int
    similarity: float
    places: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """The reasons by token of the question; `maxsim` is the sum of their similarities."""

    maxsim: float
    reasons: tuple[TokenReason, ...]


def explain(
    library: Library, query: Query, chunk: StoredChunk, representation: str = BUILTIN_NAME
) -> Explanation | None:
    """Return why a passage matches a question, from its stored token vectors; None if it is gone.

    `maxsim` may differ from a hit's score in the third digit: for the score, the question's vectors are
    rounded as well.

    Raises:
        UnknownName: There is no such representation.
        InvalidInput: The representation has no token vectors.
        StaleRepresentation: Another model made the vectors.
    """
    opened = library.representation(representation)
    opened.check_kind("tokens")
    located = library.catalogue.located([chunk.id], opened.id)
    match = matched(opened, query, located[0][0], chunk) if located else None
    if match is None:
        return None
    spans = query.encoded_by(opened.encoder).spans.tolist()
    reasons = tuple(
        _reason((start, end), row, match, chunk)
        for (start, end), row in zip(spans, match.similarities, strict=True)
    )
    return Explanation(sum(reason.similarity for reason in reasons), reasons)


@dataclass(frozen=True, slots=True)
class TermReason:
    """A word of the question and its places in the passage.

    Attributes:
        start, end: The word's characters in the question.
        places: (start, end) on the page of words with the same stem; empty where the passage has none.
    """

    start: int
    end: int
    places: tuple[tuple[int, int], ...]


def matched_terms(question: str, chunk: StoredChunk, language: str) -> tuple[TermReason, ...]:
    """Return the places of the question's words in a passage of that language, compared by their stems.

    Stopwords are left out, unless the question has no others. BM25 counts words of the context line,
    too; their places are not returned.
    """
    held: dict[str, list[tuple[int, int]]] = {}
    for term, start, end in terms_with_spans(chunk.text, language):
        held.setdefault(term, []).append((chunk.start + start, chunk.start + end))
    asked = {(start, end): term for term, start, end in terms_with_spans(question, language)}
    capitals = {(start, end): word for word, start, end in asked_acronyms(question)}
    left_out = question_stopwords(
        [question[slice(*span)] for span in asked if span not in capitals], [language]
    )
    kept = [
        span for span in sorted(asked) if span in capitals or question[slice(*span)] not in left_out
    ] or sorted(asked)
    written: dict[str, list[tuple[int, int]]] = {}
    for word, start, end in acronyms(chunk.text):
        written.setdefault(word, []).append((chunk.start + start, chunk.start + end))
    return tuple(
        TermReason(
            *span, tuple(written.get(capitals[span], ()) if span in capitals else held.get(asked[span], ()))
        )
        for span in kept
    )


def matched(opened: OpenRepresentation, query: Query, segment: str, chunk: StoredChunk) -> TokenMatch | None:
    """Return how the question matches a passage; one whose token vectors are damaged is encoded again."""
    tokens = query.encoded_by(opened.encoder).tokens
    try:
        return opened.tokens.match(tokens, segment, chunk.id)
    except LibraryDamaged:
        encodings = opened.encoder.encode([chunk.text], [chunk.context])
        return TokenMatch(tokens @ encodings.tokens.T, encodings.spans.astype(np.int64))


def _reason(
    span: tuple[int, int], similarities: NDArray[np.float32], match: TokenMatch, chunk: StoredChunk
) -> TokenReason:
    if not len(similarities):  # a passage without a token
        return TokenReason(*span, 0.0, ())
    best = float(similarities.max())
    where = match.spans[similarities >= best - _SAME].tolist()
    places = tuple((chunk.start + start, chunk.start + end) for start, end in where if end > start)
    return TokenReason(*span, best, places)
