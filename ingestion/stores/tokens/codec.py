"""int8 token vectors: one fixed scale a dimension, which folds into the query.

    code[t, j] = round(x[t, j] / scale[j])          document token, at most ±127
    q · x ≈ (q * scale) · code                      so the maximum over t needs no scale

The query is quantised too, one step a query token, so that products are integers.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class QueryCodes:
    """A query's tokens, ready to be multiplied with document codes.

    Attributes:
        codes: [q, k] int8.
        steps: [q] float32: codes · document codes · step is the cosine.
    """

    codes: Codes
    steps: NDArray[np.float32]


@dataclass(frozen=True)
class Int8Codec:
    """128 bytes a token at 128 dimensions. `scales` is [k] float32, part of the representation."""

    scales: NDArray[np.float32]

    def encode(self, vectors: NDArray[np.float32]) -> Codes:
        """[t, k] unit vectors to [t, k] codes; values beyond the scales are clipped."""
        return np.asarray(np.clip(np.rint(vectors / self.scales), -127, 127), dtype=np.int8)

    def decode(self, codes: Codes) -> NDArray[np.float32]:
        return codes.astype(np.float32) * self.scales

    def encode_query(self, vectors: NDArray[np.float32]) -> QueryCodes:
        """[q, k] unit vectors to codes with the document scales folded in."""
        folded = vectors * self.scales
        steps = np.maximum(np.abs(folded).max(axis=1), 1e-12) / 127
        return QueryCodes(np.rint(folded / steps[:, None]).astype(np.int8), steps.astype(np.float32))
