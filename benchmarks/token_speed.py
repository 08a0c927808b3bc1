"""How fast MaxSim is, on one thread: ours, maxsim-cpu, and the same in numpy and torch.

    python benchmarks/token_speed.py [--quick] [--json FILE]

1,000 passages, 128 dimensions, 32 query tokens; "uniform" passages have 180 tokens each, "ragged" ones 20
to 300, 180 on average. Random numbers: the time does not depend on them. We score int8 codes, or 4-bit
ones; the peers score float32, which is what they are made for, so they read four times as much. All take
turns. maxsim-cpu is skipped where it is not installed (`pip install --no-deps maxsim-cpu`).

`maxsim/int8-peak` sets our multiply-adds a second against the same instruction in a loop that loads, stores
and compares nothing; `nearest/…` does so for centroids. More is better there, elsewhere less.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from types import ModuleType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from report import Result, arguments, compare, figure, publish

from ingestion.storage.tokens.codec import Int8Codec
from ingestion.storage.tokens.kernel.choice import kernel_names
from ingestion.storage.tokens.kernel.native import peak
from ingestion.storage.tokens.maxsim import kernel_name, maxsim, nearest

PASSAGES, DIMENSIONS, QUERY_TOKENS = 1000, 128, 32
SHORTEST, MEAN, LONGEST = 20, 180, 300  # tokens of ragged passages; uniform ones have the mean
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS")
RUNS, QUICK_RUNS = 31, 7
CENTROIDS, NEAREST_PAIRS = (64, 1024, 16384), 1 << 26
# Products of a block of passages stay in the second-level cache: 16 passages of 180 tokens take 370 kB.
# Of 1 to 1,000 passages, 8 and 16 are about the fastest for the peers; all at once is up to 1.5 times slower.
BLOCK_PASSAGES = 16

Floats = NDArray[np.float32]


def run(quick: bool) -> tuple[list[Result], dict[str, Any]]:
    """Return the figures and the settings. Threads are one only where the caller's environment says so."""
    torch.set_num_threads(1)
    runs = QUICK_RUNS if quick else RUNS
    random = np.random.default_rng(0)
    ragged = np.rint(SHORTEST + (LONGEST - SHORTEST) * random.beta(4, 3, PASSAGES)).astype(np.int64)
    results = scoring("uniform", np.full(PASSAGES, MEAN), runs) + scoring("ragged", ragged, runs)
    settings = {
        "passages": PASSAGES,
        "dimensions": DIMENSIONS,
        "query_tokens": QUERY_TOKENS,
        "uniform": MEAN,
        "ragged": [int(ragged.min()), round(float(ragged.mean()), 1), int(ragged.max())],
        "runs": runs,
        "quick": quick,
        "threads": 1,
        "kernel": kernel_name(),
        "maxsim-cpu": _version("maxsim-cpu"),
    }
    return results + shares(runs), settings


def scoring(shape: str, lengths: NDArray[np.int64], runs: int) -> list[Result]:
    """Compare everything on passages of these lengths."""
    random = np.random.default_rng(0)
    uniform = bool((lengths == lengths[0]).all())
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    vectors, query = _unit(random, int(offsets[-1])), _unit(random, QUERY_TOKENS)
    codec = Int8Codec(np.full(DIMENSIONS, 0.4 / 127, np.float32))
    codes, asked = codec.encode(vectors), codec.encode_query(query)
    halves = random.integers(0, 256, (len(codes), DIMENSIONS // 2), dtype=np.uint8)
    shuffled = random.permutation(PASSAGES)
    work: dict[str, Callable[[], Any]] = {
        "ours": lambda: maxsim(asked, codes, offsets),
        "4-bit": lambda: maxsim(asked, halves, offsets),
        "rows": lambda: maxsim(asked, codes, offsets, shuffled),
        "numpy": lambda: numpy_maxsim(query, vectors, offsets, uniform),
    }
    if uniform:  # torch has no fast maximum over ragged rows
        work["torch"] = lambda: torch_maxsim(query, vectors.reshape(PASSAGES, -1, DIMENSIONS))
    fallbacks = [name for name in kernel_names() if name not in (kernel_name(), "float32")]
    for name in fallbacks:
        work[name] = partial(maxsim, asked, codes, offsets, kernel=name)
    peer = _maxsim_cpu()
    if peer and uniform:
        stacked = vectors.reshape(PASSAGES, -1, DIMENSIONS)
        work["maxsim-cpu"] = lambda: peer.maxsim_scores(query, stacked)
    elif peer:
        parts = np.split(vectors, offsets[1:-1])
        work["maxsim-cpu"] = lambda: peer.maxsim_scores_variable(query, parts)
    for name in ("numpy", "torch", "maxsim-cpu"):
        if name in work:  # a peer that computes something else would be no peer
            np.testing.assert_allclose(work[name](), work["ours"](), atol=0.2)
    taken = _alternating(work, runs)
    results = [
        compare(f"maxsim/{shape}/{name}", "ms", taken["ours"], taken[name], name)
        for name in ("maxsim-cpu", "numpy", "torch", *fallbacks)
        if name in taken
    ]
    results += [
        compare(f"maxsim/{shape}/4-bit/{name}", "ms", taken["4-bit"], taken[name], name)
        for name in ("maxsim-cpu", "numpy")
        if name in taken
    ]
    results.append(compare(f"maxsim/{shape}/rows", "ms", taken["rows"], taken["ours"], "in their order"))
    return results


def shares(runs: int) -> list[Result]:
    """Return which share of the machine's int8 peak is reached, where compiled code computes."""
    if kernel_name() in ("torch int8", "float32"):
        print("the extension is not compiled: no share of the peak")
        return []
    random = np.random.default_rng(1)
    offsets = np.arange(PASSAGES + 1) * MEAN
    codes = random.integers(-127, 128, (int(offsets[-1]), DIMENSIONS), dtype=np.int8)
    halves = random.integers(0, 256, (len(codes), DIMENSIONS // 2), dtype=np.uint8)
    codec = Int8Codec(np.full(DIMENSIONS, 0.4 / 127, np.float32))
    asked = codec.encode_query(_unit(random, QUERY_TOKENS))
    products = len(codes) * DIMENSIONS * QUERY_TOKENS
    work: dict[str, Callable[[], object]] = {
        "maxsim/int8-peak": lambda: maxsim(asked, codes, offsets),
        "maxsim/int8-peak/4-bit": lambda: maxsim(asked, halves, offsets),
    }
    amounts = dict.fromkeys(work, products)
    for count in CENTROIDS:
        centroids = random.integers(-127, 128, (count, DIMENSIONS), dtype=np.int8)
        name = f"nearest/{count}/int8-peak"
        tokens = codes[: NEAREST_PAIRS // count]
        work[name] = partial(nearest, tokens, centroids)
        amounts[name] = len(tokens) * count * DIMENSIONS
    peaks = []
    taken: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(runs):
        peaks.append(peak(kernel_name(), 0.01) / 1e9)
        for name, milliseconds in _alternating(work, 1).items():
            taken[name] += milliseconds
    results = [
        compare(name, "GMAC/s", [amounts[name] / 1e6 / one for one in taken[name]], peaks, "peak")
        for name in work
    ]
    return [*results, figure("maxsim/peak", "GMAC/s", peaks)]


def numpy_maxsim(query: Floats, vectors: Floats, offsets: NDArray[np.int64], uniform: bool) -> Floats:
    """Exact float32 scores: a product for a block of passages, then each one's maxima."""
    scores = np.empty(len(offsets) - 1, np.float32)
    transposed = np.ascontiguousarray(query.T)
    for first in range(0, len(scores), BLOCK_PASSAGES):
        own = offsets[first : first + BLOCK_PASSAGES + 1]
        products = vectors[own[0] : own[-1]] @ transposed
        if uniform:
            best = products.reshape(len(own) - 1, -1, len(query)).max(axis=1)
        else:
            best = np.maximum.reduceat(products, own[:-1] - own[0], axis=0)
        scores[first : first + len(best)] = best.sum(axis=1)
    return scores


def torch_maxsim(query: Floats, passages: Floats) -> Floats:
    """The same with torch's product and maximum, for passages of one length, [n, t, k]."""
    scores = np.empty(len(passages), np.float32)
    transposed, whole = torch.from_numpy(query.T.copy()), torch.from_numpy(passages)
    for first in range(0, len(scores), BLOCK_PASSAGES):
        best = (whole[first : first + BLOCK_PASSAGES] @ transposed).amax(dim=1)
        scores[first : first + BLOCK_PASSAGES] = best.sum(dim=1).numpy()
    return scores


def _alternating(work: Mapping[str, Callable[[], object]], runs: int) -> dict[str, list[float]]:
    """Return the milliseconds of each run. The first of each is left out where there are several."""
    taken: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(runs + (runs > 1)):
        for name, one in work.items():
            started = time.perf_counter()
            one()
            taken[name].append(1000 * (time.perf_counter() - started))
    return {name: all_runs[-runs:] for name, all_runs in taken.items()}


def _unit(random: np.random.Generator, rows: int) -> Floats:
    values = random.normal(size=(rows, DIMENSIONS)).astype(np.float32)
    return np.asarray(values / np.linalg.norm(values, axis=1, keepdims=True))


def _maxsim_cpu() -> ModuleType | None:
    try:
        return import_module("maxsim_cpu")
    except ImportError:
        print("maxsim-cpu is not installed: skipped")
        return None


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def main() -> None:
    options = arguments(__doc__).parse_args()
    if any(os.environ.get(name) != "1" for name in THREADS):  # libraries read them when they are imported
        environment = {**os.environ, **dict.fromkeys(THREADS, "1")}
        raise SystemExit(subprocess.run([sys.executable, *sys.argv], env=environment, check=False).returncode)
    results, settings = run(options.quick)
    publish(results, settings, options.json)


if __name__ == "__main__":
    main()
