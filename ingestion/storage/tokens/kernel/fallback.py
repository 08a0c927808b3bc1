"""Products of token codes without compiled code: torch's int8 matrix product, or float32's.

torch's is a private function, so it is tried once against integers computed plainly.
"""

from collections.abc import Callable
from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray

from ingestion.storage.tokens.codec import QueryCodes

# Tokens multiplied at a time: 8192 x 128 bytes stay in the second-level cache with their products.
_BLOCK_TOKENS = 8192
# Products kept at a time for `nearest`: 16 MiB of int32.
_BLOCK_PRODUCTS = 1 << 22
# Up to here a sum of products of int8 codes is an integer that float32 holds: 1024 · 128² = 2²⁴.
_FLOAT32_DIMENSIONS = 1024

Product = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


class TorchKernel:
    """MaxSim and nearest centroids by way of a matrix of products, a block at a time."""

    def __init__(self, name: str, product: Product) -> None:
        self.name = name
        self._product = product

    def maxsim(
        self,
        query: QueryCodes,
        codes: NDArray[np.int8 | np.uint8],
        offsets: NDArray[np.int64],
        rows: NDArray[np.int64] | None,
    ) -> NDArray[np.float32]:
        count = len(offsets) - 1
        wanted = np.arange(count) if rows is None else rows
        _check(wanted, offsets, len(codes))
        firsts, lasts = offsets[wanted], offsets[wanted + 1]
        scores = np.zeros(len(wanted), np.float32)
        if len(query.codes) == 0:
            return scores
        transposed = torch.from_numpy(query.codes.T.copy())
        ends = np.cumsum(lasts - firsts)
        first = 0
        while first < len(wanted):
            before = ends[first] - (lasts[first] - firsts[first])
            last = max(int(np.searchsorted(ends, before + _BLOCK_TOKENS, side="right")), first + 1)
            parts = [codes[a:b] for a, b in zip(firsts[first:last], lasts[first:last], strict=True)]
            best = self._best(transposed, np.concatenate(parts), ends[first:last] - before)
            # One after the other, as the compiled kernels sum: numpy's `sum` has another order.
            scores[first:last] = np.cumsum(best * query.steps.astype(np.float64), axis=1)[:, -1]
            first = last
        return scores

    def nearest(
        self, tokens: NDArray[np.int8], centroids: NDArray[np.int8], bias: NDArray[np.int32] | None
    ) -> NDArray[np.int32]:
        index = np.empty(len(tokens), np.int32)
        transposed = torch.from_numpy(centroids.T.copy())
        step = max(_BLOCK_PRODUCTS // len(centroids), 1)
        for first in range(0, len(tokens), step):
            block = torch.from_numpy(np.array(tokens[first : first + step]))
            products = self._product(block, transposed).numpy()
            if bias is not None:
                products += bias
            index[first : first + step] = products.argmax(axis=1)  # the first of equals; torch's need not be
        return index

    def _best(
        self, query: torch.Tensor, codes: NDArray[np.int8 | np.uint8], ends: NDArray[np.int64]
    ) -> NDArray[np.int32]:
        """Return [n, q] int32: each query token's best product in each passage of a block."""
        starts = np.concatenate([[0], ends[:-1]])
        best = np.zeros((len(ends), query.shape[1]), np.int32)
        filled = np.flatnonzero(ends > starts)
        if len(filled):
            whole = unpacked(codes) if codes.dtype == np.uint8 else codes
            products = self._product(torch.from_numpy(whole), query).numpy()
            best[filled] = np.maximum.reduceat(products, starts[filled], axis=0)
        return best


def unpacked(codes: NDArray[np.uint8 | np.int8]) -> NDArray[np.int8]:
    """[t, k / 2] bytes of two 4-bit codes to [t, k]: the low halves, then the high ones, each less 8."""
    return np.concatenate([codes & 15, codes >> 4], axis=1).astype(np.int8) - np.int8(8)


def _check(rows: NDArray[np.int64], offsets: NDArray[np.int64], tokens: int) -> None:
    count = len(offsets) - 1
    bad = np.flatnonzero((rows < 0) | (rows >= count))
    if len(bad):
        raise ValueError(f"rows[{bad[0]}] is none of the {count} passages")
    firsts, lasts = offsets[rows], offsets[rows + 1]
    bad = np.flatnonzero((firsts < 0) | (lasts < firsts) | (lasts > tokens))
    if len(bad):
        raise ValueError(f"the offsets of passage {rows[bad[0]]} do not lie within the {tokens} tokens")


def float_product(codes: torch.Tensor, query: torch.Tensor) -> torch.Tensor:
    """[t, k] · [k, q] int8 to int32 by way of floats that hold every sum exactly."""
    kind = torch.float32 if codes.shape[1] <= _FLOAT32_DIMENSIONS else torch.float64
    return (codes.to(kind) @ query.to(kind)).round().to(torch.int32)


@cache
def int8_product() -> Product | None:
    """Return torch's int8 matrix product, or None where it is absent or gives other numbers."""
    product: Product | None = getattr(torch, "_int_mm", None)
    if product is None:
        return None
    generator = torch.Generator().manual_seed(0)
    for tokens, queries in ((1, 1), (17, 5), (64, 32)):
        codes = torch.randint(-128, 128, (tokens, 128), generator=generator, dtype=torch.int8)
        query = torch.randint(-128, 128, (128, queries), generator=generator, dtype=torch.int8)
        try:
            right = torch.equal(product(codes, query), float_product(codes, query))
        except RuntimeError:
            return None
        if not right:
            return None
    return product
