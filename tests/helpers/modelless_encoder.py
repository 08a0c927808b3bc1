"""An encoder that takes no time, and counts what it is asked for."""

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

import numpy as np

from ingestion.encoders import Encoder, Encodings
from ingestion.errors import Cancelled

BATCH = 64


class ModellessEncoder:
    """The built-in encoder without its model: vectors depend on a passage's text and context alone.

    Attributes:
        tokens: Token vectors of a passage.
        calls: The number of passages in each call.
    """

    def __init__(self, encoder: Encoder, tokens: int = 4) -> None:
        self._encoder = encoder
        self.tokens = tokens
        self.calls: list[int] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._encoder, name)

    def encode(
        self,
        texts: Sequence[str],
        contexts: Sequence[str] | None = None,
        *,
        on_progress: Any = None,
        cancelled: Any = None,
    ) -> Encodings:
        self.calls.append(len(texts))
        count, tokens = len(texts), self.tokens
        pooled = np.zeros((count, self._encoder.dimension), np.float32)
        vectors = np.zeros((count, tokens, self._encoder.token_dimension), np.float32)
        for place, (text, context) in enumerate(zip(texts, contexts or [""] * count, strict=True)):
            if place % BATCH == 0 and cancelled and cancelled():
                raise Cancelled("encoding")
            seed = blake2b(f"{context}\n{text}".encode(), digest_size=8).digest()
            random = np.random.default_rng(int.from_bytes(seed, "little"))
            pooled[place] = random.normal(size=pooled.shape[1])
            vectors[place] = random.normal(size=vectors.shape[1:])
            if on_progress and (place % BATCH == BATCH - 1 or place == count - 1):
                on_progress(place + 1, count)
        pooled /= np.linalg.norm(pooled, axis=1, keepdims=True)
        vectors /= np.linalg.norm(vectors, axis=2, keepdims=True)
        return Encodings(
            cls=pooled,
            mean=pooled[:, ::-1].copy(),
            tokens=vectors.reshape(-1, vectors.shape[2]),
            offsets=np.arange(0, count * tokens + 1, tokens, dtype=np.int64),
            spans=np.zeros((count * tokens, 2), np.int32),
            punctuation=np.zeros(count * tokens, np.bool_),
        )
