"""The encoder protocol and the vectors that encoders return."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
OnProgress = Callable[[int, int], None]
IsCancelled = Callable[[], bool]

# Rises whenever equal pages would give other chunks. It is no part of a fingerprint, because chunks do not
# depend on the encoder.
CHUNKER_VERSION = 4

# Chunks whose vectors memory holds at a time: enough for batches of equal length; 33 MB of token vectors.
BLOCK_CHUNKS = 256
# Their characters: twice as many as so many chunks have. More may be far more tokens to another model.
BLOCK_CHARACTERS = 1 << 19


@dataclass(frozen=True, slots=True)
class Encodings:
    """The vectors of n passages. A kind of vector that the model does not give has no columns.

    Attributes:
        cls: [n, d] float32, unit length: the [CLS] token's output; [n, 0] without this kind.
        mean: [n, d] float32, unit length: the mean over all tokens, special ones included; [n, 0]
            without this kind.
        tokens: [t, k] float32, unit length: all passages' token vectors, one after another; [0, 0]
            without this kind. The built-in model leaves out [CLS] and [SEP]; a ColBERT leaves out the tokens
            that its checkpoint names.
        offsets: [n + 1] int64: passage i owns tokens offsets[i]:offsets[i + 1].
        spans: [t, 2] int32: each token's characters in its passage's text; (0, 0) for tokens that are
            not part of the text (context line, prompts and markers).
        punctuation: [t] bool: tokens that are punctuation and symbols only; [0] if unknown.
    """

    cls: Floats
    mean: Floats
    tokens: Floats
    offsets: NDArray[np.int64]
    spans: NDArray[np.int32]
    punctuation: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, np.bool_))

    def __len__(self) -> int:
        return len(self.cls)

    def pooled(self, kind: str) -> Iterator[Floats]:
        """Yield the [n, d] vectors of a kind, "cls" or "mean": all of them at once."""
        yield self.cls if kind == "cls" else self.mean

    def part(self, first: int, last: int) -> "Encodings":
        """Return the vectors of passages first:last."""
        start, end = int(self.offsets[first]), int(self.offsets[last])
        return Encodings(
            cls=self.cls[first:last],
            mean=self.mean[first:last],
            tokens=self.tokens[start:end],
            offsets=self.offsets[first : last + 1] - start,
            spans=self.spans[start:end],
            punctuation=self.punctuation[start:end],
        )


def join(parts: Sequence[Encodings]) -> Encodings:
    """Return the vectors of several lists of passages as those of one."""
    lengths = [np.diff(part.offsets) for part in parts]
    known = all(len(part.punctuation) == len(part.tokens) for part in parts)
    return Encodings(
        cls=np.concatenate([part.cls for part in parts]),
        mean=np.concatenate([part.mean for part in parts]),
        tokens=np.concatenate([part.tokens for part in parts]),
        offsets=np.cumsum(np.concatenate([[0], *lengths]), dtype=np.int64),
        spans=np.concatenate([part.spans for part in parts]),
        punctuation=np.concatenate([part.punctuation if known else part.punctuation[:0] for part in parts]),
    )


class Encoder(Protocol):
    """FairLock text into vectors. Safe to use from several threads; weights are loaded on first use, so
    every member may raise ModelError."""

    @property
    def name(self) -> str: ...

    @property
    def fingerprint(self) -> str:
        """Identifies everything that the vectors depend on; equal fingerprints mean equal vectors."""
        ...

    @property
    def device(self) -> str:
        """Where the vectors are computed: cpu, cuda, mps or xpu."""
        ...

    @property
    def vector_kinds(self) -> frozenset[str]:
        """Which of "cls", "mean" and "tokens" the model gives."""
        ...

    @property
    def dimension(self) -> int:
        """Dimensions of the pooled vectors; 0 where there are none."""
        ...

    @property
    def token_dimension(self) -> int:
        """Dimensions of the token vectors; 0 where there are none."""
        ...

    @property
    def scales(self) -> Floats | None:
        """[token_dimension], one int8 step in each dimension of a token vector; None without tokens."""
        ...

    @property
    def max_tokens(self) -> int:
        """Tokens that the model sees of a passage, special tokens included."""
        ...

    def offsets(self, text: str) -> list[tuple[int, int]]:
        """The (start, end) characters of each token of `text`, without special tokens."""
        ...

    def encode(
        self,
        texts: Sequence[str],
        contexts: Sequence[str] | None = None,
        *,
        on_progress: OnProgress | None = None,
        cancelled: IsCancelled | None = None,
    ) -> Encodings:
        """Encode passages, each behind its context line.

        A long list is cut into batches of similar length; equal passages with equal contexts are encoded
        once.

        Args:
            texts: n passages. Text beyond `max_tokens` is cut off; the chunker stays within it.
            contexts: n context lines, "" for none; None for no context at all.
            on_progress: Called with (passages done, n) after each batch.
            cancelled: Called before each batch.

        Returns:
            The vectors of the passages in the order of `texts`, at unit length.

        Raises:
            Cancelled: `cancelled` returned true.
            ModelError: The model's files are missing or broken.
        """
        ...

    def encode_query(self, text: str) -> Encodings:
        """Encode one question: `Encodings` of one passage. Text beyond the model's limit is cut off."""
        ...
