"""Another model, made of the built-in one."""

from typing import Any

import numpy as np

from ingestion.encoders import Encoder, Encodings


class Turned:
    """The built-in encoder with its vectors' dimensions in another order: as good, and not the same."""

    def __init__(self, encoder: Encoder, name: str, shift: int) -> None:
        self._encoder = encoder
        self._shift = shift
        self.name = name
        self.fingerprint = f"{name}-{shift}"
        self.vector_kinds = frozenset({"mean", "tokens"})
        self.dimension = encoder.dimension
        self.token_dimension = encoder.token_dimension
        self.scales = None if encoder.scales is None else np.roll(encoder.scales, shift)
        self.device = encoder.device
        self.max_tokens = encoder.max_tokens
        self.calls: list[int] = []

    def offsets(self, text: str) -> list[tuple[int, int]]:
        return self._encoder.offsets(text)

    def encode(self, texts: Any, contexts: Any = None, **options: Any) -> Encodings:
        encodings = self._turn(self._encoder.encode(texts, contexts, **options))
        self.calls.append(len(texts))
        return encodings

    def encode_query(self, text: str) -> Encodings:
        return self._turn(self._encoder.encode_query(text))

    def _turn(self, encodings: Encodings) -> Encodings:
        return Encodings(
            cls=np.zeros((len(encodings), 0), np.float32),
            mean=np.roll(encodings.mean, self._shift, axis=1),
            tokens=np.roll(encodings.tokens, self._shift, axis=1),
            offsets=encodings.offsets,
            spans=encodings.spans,
        )
