"""How probable it is that a question means a document, from what names it and from what its passages hold.

    P(d | question) = softmax over d of w · features(d)

a conditional logit (McFadden, 1974). `benchmarks/documents_first.py` fits the weights.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ingestion.storage.catalogue.records import document_of_chunk
from retrievers.documents_first.names import DocumentNames, NamedDocument, Naming
from retrievers.hits import Candidate

# In their order: the rarity of the question's words in the name, and in the opening; the question's year, and
# another year; the mean fused score of the three best passages, less that of the document with the best ones.
Floats = NDArray[np.float64]
FEATURES = ("name", "opening", "year", "other year", "passages")
WEIGHTS = np.array([0.96, 0.27, 0.92, -0.67, 1.76])
# Passages of a document that speak for it.
_PASSAGES = 3
# The sum of the weights of the three lists that are fused: the fused score counts in standard deviations.
_SPREAD = 4.0


@dataclass(frozen=True)
class DocumentPrior:
    """[n] natural logarithms of the probabilities of n documents."""

    names: DocumentNames
    naming: Naming
    log_probabilities: Floats

    def of(self, chunk: str) -> float:
        """Return how much less probable a chunk's document is than the likeliest: a logarithm, 0 or below."""
        place = self.names.places.get(document_of_chunk(chunk))
        return 0.0 if place is None else float(self.log_probabilities[place] - self.log_probabilities.max())

    def probability(self, place: int) -> float:
        """Return how probable the document at a place of `names` is."""
        return float(np.exp(self.log_probabilities[place]))

    def likeliest(self, most: int, least: float) -> list[tuple[NamedDocument, float]]:
        """Return up to `most` documents with their probabilities, the likeliest first, none below `least`."""
        order = np.argsort(-self.log_probabilities, kind="stable")[:most]
        found = (
            (self.names.documents[place], float(np.exp(self.log_probabilities[place]))) for place in order
        )
        return [(document, probability) for document, probability in found if probability >= least]

    def words(self, document: str) -> frozenset[tuple[int, int]]:
        """Return the (start, end) of the question's words that name a document."""
        return self.naming.words.get(self.names.places[document], frozenset())


def document_prior(
    names: DocumentNames, question: str, fused: Sequence[Candidate], weights: Floats = WEIGHTS
) -> DocumentPrior:
    """Return the prior of some documents, given the fused scores of passages, the best first."""
    naming = names.naming(question)
    scores = features(names, naming, fused) @ weights
    scores -= scores.max(initial=-np.inf)
    return DocumentPrior(names, naming, scores - np.log(np.exp(scores).sum()))


def features(names: DocumentNames, naming: Naming, fused: Sequence[Candidate]) -> Floats:
    """Return [n, 5] features of n documents, in the order of `FEATURES`."""
    passages = np.array(_passages(names, fused))
    return np.stack([naming.names, naming.openings, naming.years, naming.other_years, passages], axis=1)


def _passages(names: DocumentNames, fused: Sequence[Candidate]) -> list[float]:
    worst = min((one.score for one in fused), default=0.0)
    best: dict[str, list[float]] = {}
    for one in fused:  # the best first
        best.setdefault(document_of_chunk(one.chunk_id), []).append(one.score)
    means = [_mean(best, one.id, worst) for one in names.documents]
    return [(mean - max(means)) / _SPREAD for mean in means]


def _mean(best: Mapping[str, Sequence[float]], document: str, worst: float) -> float:
    scores = best.get(document, ())[:_PASSAGES]
    return (sum(scores) + worst * (_PASSAGES - len(scores))) / _PASSAGES
