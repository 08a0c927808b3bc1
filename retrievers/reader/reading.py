"""What the reader makes of a question and a passage."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ingestion.storage.catalogue.records import StoredChunk

Span = tuple[int, int]  # characters of a passage's text


@dataclass(frozen=True, slots=True)
class AnswerSpan:
    """The shortest text that answers: characters `start` to `end` of a passage's text.

    `probability` is its share of the likely spans, given that the passage answers.
    """

    start: int
    end: int
    probability: float


@dataclass(frozen=True, slots=True)
class SentenceReading:
    """The probability that characters `start` to `end` of a passage's text answer, read on their own."""

    start: int
    end: int
    answers: float


@dataclass(frozen=True, slots=True)
class Reading:
    """What the reader makes of a question and a passage.

    Attributes:
        relevance: Orders passages; higher is better. It has no scale.
        answers: The probability that the passage answers the question, from 0 to 1.
        span: The most likely answer in the passage, however unlikely; None for a passage without words.
        tokens: [t, 2], the characters of the tokens that were read, in the passage's text.
        in_answer: [t], the probability that a token is part of the sentence or row that answers.
        sentences: The sentences that were read on their own.
    """

    relevance: float
    answers: float
    span: AnswerSpan | None
    tokens: NDArray[np.int32] = field(compare=False, repr=False)
    in_answer: NDArray[np.float32] = field(compare=False, repr=False)
    sentences: tuple[SentenceReading, ...] = ()

    def sentence(self, start: int, end: int) -> float | None:
        """Return the probability that characters `start` to `end` answer: of the sentence read on its own
        that has most of them; None where there is none."""
        shared = [(min(one.end, end) - max(one.start, start), one.answers) for one in self.sentences]
        most = max(shared, default=(0, 0.0))
        return most[1] if most[0] > 0 else None

    def marked(self, start: int, end: int) -> float:
        """Return the mean of `in_answer` of characters `start` to `end`; 0 where no token was read."""
        inside = (self.tokens[:, 0] >= start) & (self.tokens[:, 1] <= end)
        return float(self.in_answer[inside].mean()) if inside.any() else 0.0


# Of a passage that was not read, beside others that were.
UNREAD = Reading(0.0, 0.0, None, np.zeros((0, 2), np.int32), np.zeros(0, np.float32))


class Reader(Protocol):
    """Reads a question and passages together. Safe to use from several threads."""

    def read(self, question: str, passages: Sequence[StoredChunk]) -> list[Reading]:
        """Return a reading a passage, without its sentences.

        Raises ModelError where the weights cannot be loaded.
        """
        ...

    def read_sentences(
        self, question: str, passages: Sequence[tuple[StoredChunk, Sequence[Span]]]
    ) -> list[tuple[SentenceReading, ...]]:
        """Return a reading of each sentence on its own, by passage.

        Args:
            passages: Each with the spans of sentences in its text, as `sentence_spans` has them, in order.

        Raises ModelError where the weights cannot be loaded.
        """
        ...
