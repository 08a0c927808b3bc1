"""The values between strategies: a query with its vectors, a ranking of chunk ids, a hit."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from ingestion.encoders import Encoder, Encodings
from ingestion.storage.catalogue.records import Scope, StoredChunk
from retrievers.glossary import Meaning

T = TypeVar("T")


@dataclass
class Query:
    """A question; its vectors are computed at most once by each model, whatever reads them.

    Strategies that are asked with the same object share their stages as well: see `once`.
    """

    text: str
    encoder: Encoder
    _encoded: dict[str, Encodings] = field(default_factory=dict, repr=False)
    _stages: dict[Hashable, Any] = field(default_factory=dict, repr=False)

    def once(self, key: Hashable, stage: Callable[[], T]) -> T:
        """Return what a stage found for this question; run the stage if it has not run under this key.

        Its timings are those of the one run: each strategy counts it in full.
        """
        if key not in self._stages:
            self._stages[key] = stage()
        found: T = self._stages[key]
        return found

    def forget_stages(self) -> None:
        """Forget the stages' results, because the library has changed."""
        self._stages.clear()

    def encoded_by(self, encoder: Encoder) -> Encodings:
        """Return the question's vectors in a representation's own model."""
        if encoder.fingerprint not in self._encoded:
            self._encoded[encoder.fingerprint] = encoder.encode_query(self.text)
        return self._encoded[encoder.fingerprint]

    @property
    def encodings(self) -> Encodings:
        """The question as the built-in encoder reads it."""
        return self.encoded_by(self.encoder)

    @property
    def tokens(self) -> NDArray[np.float32]:
        """[q, k] float32 unit vectors, one a wordpiece of the question, of the built-in encoder."""
        return self.encodings.tokens


@dataclass(frozen=True, slots=True)
class Candidate:
    """A chunk id with the score that orders it and the scores that it is made of."""

    chunk_id: str
    score: float
    scores: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LookedFirst:
    """A document that a question means, as far as its words and the passages tell.

    Attributes:
        document: Its label.
        probability: That the answer is in this document, rather than in another of the scope.
        words: The question's words that name it, in order.
    """

    document_id: str
    document: str
    probability: float
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Side:
    """One of several documents that a question names beside each other: companies, or periods of one.

    Attributes:
        name: As the question writes it.
        question: What is asked of this side alone.
        within: The same within its documents, where its name tells nothing apart.
        documents: Ids; several where the question names them alike, none where no document has the name.
    """

    name: str
    question: str
    within: str
    documents: frozenset[str]


@dataclass(frozen=True, slots=True)
class Ranking:
    """Candidates, best first. `exact` says that no better chunk of the scope can be missing.

    `timings_ms` are by stage, in the order in which the stages ran. `counts` are numbers of chunks: of each
    list that the ranking is made from, by the name of its score, and "candidates" of the lists' union.
    `looked_first` are the documents that the question names, `looked_for` the terms that were also
    looked for in other words, `sides` the documents that share the first places: none, or two and more.
    """

    candidates: tuple[Candidate, ...]
    exact: bool
    timings_ms: Mapping[str, float] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    looked_first: tuple[LookedFirst, ...] = ()
    looked_for: tuple[Meaning, ...] = ()
    sides: tuple[Side, ...] = ()


class Retriever(Protocol):
    """Ranks the chunks of a scope for a query."""

    def rank(self, query: Query, scope: Scope, limit: int) -> Ranking:
        """Return up to `limit` candidates; an empty scope gives none."""
        ...


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that was found, with its rank, counted from 1, and its scores."""

    rank: int
    chunk: StoredChunk
    score: float
    scores: Mapping[str, float]
