"""Vectors of texts, and texts ordered by a question, for other programs. Nothing is stored."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ingestion.encoders import Encoder
from ingestion.encoders.base import Floats
from ingestion.errors import InvalidInput
from retrievers.reranking import Reranker, combined

_SPECIAL_TOKENS = 2  # [CLS] and [SEP]
_LARGEST_LOGIT = 30.0


@dataclass(frozen=True, slots=True)
class TextVectors:
    """Vectors of n texts.

    Attributes:
        mean: [n, d] float32 at unit length: the means of the tokens' vectors.
        tokens: The tokens that the encoder read, special ones included.
    """

    mean: Floats
    tokens: int


@dataclass(frozen=True, slots=True)
class RankedText:
    """A text's place in the list that was given, and its score."""

    place: int
    score: float


def text_vectors(encoder: Encoder, texts: Sequence[str], *, truncate: bool = False) -> TextVectors:
    """Return the vectors of texts, in their order.

    Args:
        truncate: Whether the end of a text that is too long for the encoder is left out.

    Raises:
        InvalidInput: A text has no words, or is too long.
        ModelError: The encoder cannot be loaded.
    """
    read = 0
    for number, text in enumerate(texts, start=1):
        tokens = len(encoder.offsets(text)) + _SPECIAL_TOKENS
        if tokens == _SPECIAL_TOKENS:
            raise InvalidInput(f"text {number} of {len(texts)} is empty; leave it out")
        if tokens > encoder.max_tokens and not truncate:
            raise InvalidInput(
                f"text {number} of {len(texts)} has {tokens:,} tokens, and {encoder.name} reads "
                f'{encoder.max_tokens}; send shorter texts, or "truncate": true to leave out their ends'
            )
        read += min(tokens, encoder.max_tokens)
    return TextVectors(encoder.encode(texts).mean, read)


def ranked_texts(
    encoder: Encoder, reranker: Reranker, question: str, texts: Sequence[str]
) -> list[RankedText]:
    """Return texts with scores, the best first; of equal ones the first given.

    The built-in reranker is added to the similarity of mean vectors, as it is to a strategy's score; its
    scores are then from 0 to 1, and compare within one call alone. Another reranker's scores are its own. A
    text is read to the reranker's limit.

    Raises:
        ModelError: The encoder or the reranker cannot be loaded.
    """
    scores = reranker.score(question, [f"\n{text}" for text in texts])  # a passage without a context line
    if reranker.first_stage_weight:
        asked = encoder.encode_query(question).mean[0]
        similar = encoder.encode(texts).mean @ asked
        scores = [_squeezed(one) for one in combined(reranker, scores, [float(one) for one in similar])]
    order = np.argsort(-np.asarray(scores), kind="stable")
    return [RankedText(int(place), scores[place]) for place in order]


def _squeezed(score: float) -> float:
    return 1 / (1 + math.exp(-max(-_LARGEST_LOGIT, min(_LARGEST_LOGIT, score))))
