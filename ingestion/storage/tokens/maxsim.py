"""MaxSim over token codes: score(q, d) = Σ_i max_j q_i · d_j  (Khattab and Zaharia, 2020).

Products are integers, so every kernel gives the same scores to the last bit. Compiled code never
writes them down; torch computes where it could not be built. Arguments are checked here, once.
"""

import numpy as np
from numpy.typing import NDArray

from ingestion.storage.tokens.codec import QueryCodes
from ingestion.storage.tokens.kernel.choice import Kernel, best_kernel, kernel_named

# Beyond these a sum of products with unsigned bytes and a bias might not fit in 32 bits (products.h).
_MOST_DIMENSIONS = 16384
_MOST_BIAS = 1 << 30


def maxsim(
    query: QueryCodes,
    codes: NDArray[np.int8] | NDArray[np.uint8],
    offsets: NDArray[np.int64],
    rows: NDArray[np.int64] | None = None,
    *,
    kernel: str | None = None,
) -> NDArray[np.float32]:
    """Return the scores of n passages, [n], or of those that `rows` names, in its order.

    A score is a sum of cosines over the query's tokens, at most their number. A passage without
    tokens scores 0. Scores do not depend on how passages are grouped. Nothing is copied: `codes` may be
    a file that is mapped into memory.

    Args:
        query: [q, k] codes with their steps, whichever the documents' codec is.
        codes: [t, k] int8, or [t, k / 2] uint8 of two 4-bit codes: byte j holds dimension j in its low
            half and dimension j + k / 2 in its high one, each as value + 8. Contiguous.
        offsets: [n + 1]; passage i owns codes[offsets[i]:offsets[i + 1]].
        rows: [m] passages, each as often as it is named.
        kernel: one of `kernel_names()`; the fastest otherwise.

    Raises:
        ValueError: for shapes, types, rows or offsets that do not fit.
    """
    _check_codes("query.codes", query.codes, np.int8)
    dims = query.codes.shape[1]
    if codes.dtype == np.uint8:
        if dims % 2:
            raise ValueError(f"4-bit codes have an even number of dimensions, the query has {dims}")
        _check_codes("codes", codes, np.uint8, dims // 2)
    else:
        _check_codes("codes", codes, np.int8, dims)
    if not codes.flags.c_contiguous:
        raise ValueError("codes is not contiguous")
    if query.steps.shape != (len(query.codes),):
        raise ValueError(f"query.steps is {query.steps.shape} for {len(query.codes)} query tokens")
    offsets = _integers("offsets", offsets)
    if len(offsets) == 0:
        raise ValueError("offsets is empty; it is one longer than there are passages")
    checked = QueryCodes(np.ascontiguousarray(query.codes), np.ascontiguousarray(query.steps, np.float32))
    rows = None if rows is None else _integers("rows", rows)
    return _chosen(kernel).maxsim(checked, codes, offsets, rows)


def nearest(
    tokens: NDArray[np.int8],
    centroids: NDArray[np.int8],
    bias: NDArray[np.int32] | None = None,
    *,
    kernel: str | None = None,
) -> NDArray[np.int32]:
    """Return [t]: for each of the [t, k] tokens the centroid of the [c, k] with the largest dot product.

    `bias` [c], at most ±2³⁰, is added to the products; -|c|² / 2 makes it the nearest by distance.
    The first of equal ones wins. Raises ValueError for shapes and types that do not fit.
    """
    _check_codes("tokens", tokens, np.int8)
    _check_codes("centroids", centroids, np.int8, tokens.shape[1])
    if not tokens.flags.c_contiguous:
        raise ValueError("tokens is not contiguous")
    if len(centroids) == 0:
        raise ValueError("centroids is empty")
    if bias is not None:
        whole = _integers("bias", bias)
        if len(whole) != len(centroids):
            raise ValueError(f"bias has {len(whole)} entries for {len(centroids)} centroids")
        if whole.min() < -_MOST_BIAS or whole.max() > _MOST_BIAS:
            raise ValueError(f"bias lies beyond ±{_MOST_BIAS}: {whole.min()} … {whole.max()}")
        bias = whole.astype(np.int32)
    return _chosen(kernel).nearest(tokens, np.ascontiguousarray(centroids), bias)


def kernel_name() -> str:
    """Return what computes here: "avx512-vnni", "avx-vnni", "avx2", "portable", "torch int8" or "float32"."""
    return best_kernel().name


def _chosen(name: str | None) -> Kernel:
    kernel = best_kernel() if name is None else kernel_named(name)
    if kernel is None:
        raise ValueError(f"the kernel {name!r} gives wrong numbers on this machine")
    return kernel


def _check_codes(name: str, codes: NDArray[np.generic], kind: type, columns: int | None = None) -> None:
    if codes.dtype != kind or codes.ndim != 2:
        raise ValueError(f"{name} is {codes.ndim}-dimensional {codes.dtype}, not a matrix of {kind.__name__}")
    if columns is not None and codes.shape[1] != columns:
        raise ValueError(f"{name} has {codes.shape[1]} columns, {columns} are needed")
    if not 1 <= codes.shape[1] <= _MOST_DIMENSIONS:
        raise ValueError(f"{name} has {codes.shape[1]} columns, not 1 to {_MOST_DIMENSIONS}")


def _integers(name: str, values: NDArray[np.int64] | NDArray[np.int32]) -> NDArray[np.int64]:
    if values.ndim != 1 or values.dtype.kind not in "iu":
        raise ValueError(f"{name} is {values.ndim}-dimensional {values.dtype}, not a vector of integers")
    return np.ascontiguousarray(values, np.int64)
