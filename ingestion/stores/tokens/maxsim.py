"""MaxSim over int8 codes: score(q, d) = Σ_i max_j q_i · d_j  (Khattab and Zaharia, 2020).

Products run on torch's int8 matrix product where this machine's torch has a right one (it is a
private function, so it is tried once against integers computed plainly), else in float32.
"""

from collections.abc import Callable
from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray

from ingestion.stores.tokens.codec import QueryCodes

# Tokens multiplied at a time: 8192 x 128 bytes stay in the second-level cache with their products.
_BLOCK_TOKENS = 8192

Product = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def maxsim(query: QueryCodes, codes: NDArray[np.int8], offsets: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return the [n] scores of n passages; passage i owns codes[offsets[i]:offsets[i + 1]].

    A score is a sum of cosines over the query's tokens, at most their number. A passage without
    tokens scores 0 for each. Scores do not depend on how passages are grouped.
    """
    count = len(offsets) - 1
    scores = np.zeros(count, np.float32)
    if len(query.codes) == 0:
        return scores
    product = int8_product() or float_product
    transposed = torch.from_numpy(np.ascontiguousarray(query.codes)).T.contiguous()
    first = 0
    while first < count:
        last = int(np.searchsorted(offsets, offsets[first] + _BLOCK_TOKENS, side="right")) - 1
        last = min(max(last, first + 1), count)
        best = _block_best(product, transposed, codes, offsets[first : last + 1])
        # Not a matrix product: its order of summing, and so the last bit, depends on the block's size.
        scores[first:last] = (best * query.steps.astype(np.float64)).sum(axis=1)
        first = last
    return scores


def _block_best(
    product: Product, query: torch.Tensor, codes: NDArray[np.int8], offsets: NDArray[np.int64]
) -> NDArray[np.int32]:
    """Return [n, q] int32: each query token's best product in each passage of a block."""
    lengths = np.diff(offsets)
    best = np.zeros((len(lengths), query.shape[1]), np.int32)
    filled = np.flatnonzero(lengths)
    if len(filled) == 0:
        return best
    block = torch.from_numpy(np.array(codes[offsets[0] : offsets[-1]]))
    products = product(block, query).numpy()
    best[filled] = np.maximum.reduceat(products, (offsets[:-1] - offsets[0])[filled], axis=0)
    return best


def float_product(codes: torch.Tensor, query: torch.Tensor) -> torch.Tensor:
    """[t, k] · [k, q] int8 to int32 by way of float32, exact: 128 products of 127² stay below 2²⁴."""
    return (codes.float() @ query.float()).round().to(torch.int32)


@cache
def int8_product() -> Product | None:
    """Return torch's int8 matrix product, or None where it is absent or gives other numbers."""
    product: Product | None = getattr(torch, "_int_mm", None)
    if product is None:
        return None
    generator = torch.Generator().manual_seed(0)
    for tokens, queries in ((1, 1), (17, 5), (64, 32)):
        codes = torch.randint(-127, 128, (tokens, 128), generator=generator, dtype=torch.int8)
        query = torch.randint(-127, 128, (128, queries), generator=generator, dtype=torch.int8)
        try:
            right = torch.equal(product(codes, query), float_product(codes, query))
        except RuntimeError:
            return None
        if not right:
            return None
    return product
