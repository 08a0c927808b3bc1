"""Which kernel computes: the fastest that was built, runs on this processor, and gives right numbers."""

import platform
from functools import cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ingestion.storage.tokens.codec import QueryCodes
from ingestion.storage.tokens.kernel.native import NativeKernel, native_names

_TORCH, _FLOAT = "torch int8", "float32"
# 1,000 passages of 180 tokens, 32 query tokens, one thread: torch 10 ms, the portable code 29 ms. Where torch
# has no vector code for int8 its product is a plain loop.
_TORCH_IS_FAST = platform.machine().lower() in ("x86_64", "amd64")


class Kernel(Protocol):
    """Arguments as in `maxsim` and `nearest` of maxsim.py, of the right types, shapes and order in memory."""

    name: str

    def maxsim(
        self,
        query: QueryCodes,
        codes: NDArray[np.int8 | np.uint8],
        offsets: NDArray[np.int64],
        rows: NDArray[np.int64] | None,
    ) -> NDArray[np.float32]:
        """Raise ValueError for rows that do not exist and offsets outside the codes."""

    def nearest(
        self, tokens: NDArray[np.int8], centroids: NDArray[np.int8], bias: NDArray[np.int32] | None
    ) -> NDArray[np.int32]: ...


def kernel_names() -> tuple[str, ...]:
    """Return what there is to choose from here, the fastest first. The last one always works."""
    names = list(native_names())
    portable = len(names) - 1 if names and _TORCH_IS_FAST else len(names)
    return (*names[:portable], _TORCH, *names[portable:], _FLOAT)


@cache
def kernel_named(name: str) -> Kernel | None:
    """Return a kernel, or None where it gives wrong numbers. Raises ValueError for an unknown name."""
    if name not in kernel_names():
        raise ValueError(f"no kernel {name!r} here: {', '.join(kernel_names())}")
    kernel: Kernel
    if name in native_names():
        kernel = NativeKernel(name)
    else:
        from ingestion.storage.tokens.kernel.fallback import TorchKernel, float_product, int8_product

        product = float_product if name == _FLOAT else int8_product()
        if product is None:
            return None
        kernel = TorchKernel(name, product)
    return kernel if name == _FLOAT or is_right(kernel) else None


@cache
def best_kernel() -> Kernel:
    """Return the fastest kernel that is right."""
    return next(kernel for name in kernel_names() if (kernel := kernel_named(name)))


def is_right(kernel: Kernel) -> bool:
    """Return whether a kernel gives on small cases what plain integers give."""
    random = np.random.default_rng(0)
    for queries, dims in ((1, 2), (5, 8), (33, 128), (50, 30)):
        query = QueryCodes(
            random.integers(-128, 128, (queries, dims), dtype=np.int8), random.random(queries, np.float32)
        )
        offsets = np.cumsum([0, 0, 1, 2, 13, 40], dtype=np.int64)
        codes = random.integers(-128, 128, (int(offsets[-1]), dims), dtype=np.int8)
        packed = random.integers(0, 256, (int(offsets[-1]), dims // 2), dtype=np.uint8)
        halves = np.concatenate([packed & 15, packed >> 4], axis=1).astype(np.int64) - 8
        rows = np.array([4, 0, 3], np.int64)
        whole, some = (
            kernel.maxsim(query, codes, offsets, None),
            kernel.maxsim(query, packed, offsets, rows),
        )
        if whole.tolist() != _plain_maxsim(query, codes.astype(np.int64), offsets).tolist():
            return False
        if some.tolist() != _plain_maxsim(query, halves, offsets)[rows].tolist():
            return False
        bias = random.integers(-9999, 9999, len(codes), dtype=np.int32)
        products = query.codes.astype(np.int64) @ codes.astype(np.int64).T
        if kernel.nearest(query.codes, codes, bias).tolist() != (products + bias).argmax(axis=1).tolist():
            return False
    return True


def _plain_maxsim(
    query: QueryCodes, codes: NDArray[np.int64], offsets: NDArray[np.int64]
) -> NDArray[np.float32]:
    products = query.codes.astype(np.int64) @ codes.T
    scores = np.zeros(len(offsets) - 1, np.float32)
    for i in range(len(scores)):
        own = products[:, offsets[i] : offsets[i + 1]]
        if own.shape[1]:
            scores[i] = np.cumsum(own.max(axis=1) * query.steps.astype(np.float64))[-1]
    return scores
