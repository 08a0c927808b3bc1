"""The compiled kernels, one for each set of the processor's instructions. products.h says how they work."""

import time
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from ingestion.storage.tokens.codec import QueryCodes

try:
    from ingestion.storage.tokens.kernel import _native
except ImportError:  # no compiler when the project was installed
    _native: ModuleType | None = None  # type: ignore[no-redef]


class NativeKernel:
    """One variant of the extension. It releases the GIL."""

    def __init__(self, name: str) -> None:
        self.name = name

    def maxsim(
        self,
        query: QueryCodes,
        codes: NDArray[np.int8 | np.uint8],
        offsets: NDArray[np.int64],
        rows: NDArray[np.int64] | None,
    ) -> NDArray[np.float32]:
        scores = np.empty(len(offsets) - 1 if rows is None else len(rows), np.float32)
        bits = 8 if codes.dtype == np.int8 else 4
        dims = query.codes.shape[1]
        _native.maxsim(self.name, dims, bits, query.codes, query.steps, codes, offsets, rows, scores)
        return scores

    def nearest(
        self, tokens: NDArray[np.int8], centroids: NDArray[np.int8], bias: NDArray[np.int32] | None
    ) -> NDArray[np.int32]:
        index = np.empty(len(tokens), np.int32)
        _native.nearest(self.name, tokens.shape[1], tokens, centroids, bias, index)
        return index


def _add_gains(
    chunks: NDArray[np.uint16],
    edges: NDArray[np.int64],
    centroids: NDArray[np.int32],
    gains: NDArray[np.float32],
    scores: NDArray[np.float32],
) -> None:
    _native.add_gains(centroids.shape[1], chunks, edges, centroids, gains, scores)


# As in `ingestion.storage.tokens.inverted_lists`; None where it was not compiled.
add_gains = None if _native is None else _add_gains


def native_names() -> tuple[str, ...]:
    """Return the variants that were compiled and that this processor runs, the fastest first."""
    return () if _native is None else _native.names()


def peak(name: str, seconds: float = 0.1) -> float:
    """Return the int8 multiply-adds per second of one core, with nothing to load, store or compare."""
    rounds = 1000
    while True:
        started = time.perf_counter()
        products = _native.spin(name, rounds)
        taken = time.perf_counter() - started
        if taken >= seconds:
            return products / taken
        rounds *= 2
