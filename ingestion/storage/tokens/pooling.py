"""Token pooling: tokens of a passage that are alike share one vector (Clavié, Chaffin and Adams, 2024,
"Reducing the footprint of multi-vector retrieval with minimal performance impact via token pooling").

    v = ⌈t / factor⌉ clusters of a passage's t tokens, by Ward's method over cosine distances
    vector = the members' mean, as long as they are: 1 for unit vectors

sentence-transformers has the same, as fast, as `HierarchicalTokenPooling`: it does not say which tokens a
vector stands for, and makes ⌊t / factor⌋ clusters, or fewer where distances tie. Average linkage keeps less
of the exact order; so do means that are left shorter than 1. Giving punctuation to the nearest vector of a
word, so that words have more vectors, keeps no more.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Integers = NDArray[np.int64]

# A longer passage is pooled in runs of this length: distances take memory and time with its square. A
# multiple of the factors in use, so that as many vectors come out.
_RUN = 768
# Vectors are multiplied as integers of this many steps a unit: sums stay below 2²⁴, which float32 holds
# exactly, so that neither the order of summing nor the number of threads decides who is nearest.
_STEPS = 2048
_MOST_VECTORS = 1 << 16


@dataclass(frozen=True, slots=True)
class Pooled:
    """The vectors of n passages after pooling.

    Attributes:
        vectors: [v, k] float32, one passage's after another's, in the order of their first tokens.
        offsets: [n + 1] int64: passage i owns vectors offsets[i]:offsets[i + 1].
        owners: [t] uint16: the place of each token's vector among its passage's.
    """

    vectors: Floats
    offsets: Integers
    owners: NDArray[np.uint16]


def pool(tokens: Floats, offsets: Integers, factor: int) -> Pooled:
    """Return [t, k] tokens of n passages, cut by offsets [n + 1], pooled to a `factor`-th of each passage's,
    rounded up.

    Equal tokens share a vector first, so that pooling what was pooled, repeated for each token, changes
    nothing. A passage's result does not depend on the others.

    Raises ValueError for a factor below 1, and for passages of more than 65,536 pooled vectors.
    """
    if factor < 1:
        raise ValueError(f"tokens cannot be pooled by {factor}; the least factor is 1")
    counts = -(-np.diff(offsets) // factor)
    if len(counts) and counts.max() > _MOST_VECTORS:
        raise ValueError(f"a passage has {counts.max()} pooled vectors, more than {_MOST_VECTORS}")
    places = np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])
    if factor == 1:
        owners = np.arange(len(tokens)) - np.repeat(places[:-1], counts)
        return Pooled(tokens, places, owners.astype(np.uint16))
    owners = np.empty(len(tokens), np.int64)  # among all passages' vectors
    units = _integers(tokens)
    made = 0
    for first, last in _runs(offsets, factor):
        count = -(-(last - first) // factor)
        owners[first:last] = made + _clusters(units[first:last], count)
        made += count
    vectors = _means(tokens, owners)
    own = owners - np.repeat(places[:-1], np.diff(offsets))
    return Pooled(vectors, places, own.astype(np.uint16))


def _runs(offsets: Integers, factor: int) -> Iterator[tuple[int, int]]:
    longest = _RUN // factor * factor
    for start, end in pairwise(offsets.tolist()):
        for first in range(start, end, longest):
            yield first, min(first + longest, end)


def _clusters(units: Floats, count: int) -> Integers:
    """Return each token's cluster, of so many; clusters are numbered in the order of their first tokens."""
    tokens = len(units)
    if count == tokens:
        return np.arange(tokens)
    from scipy.cluster.hierarchy import linkage
    from scipy.spatial.distance import squareform

    products = units @ units.T
    inverse = 1 / np.sqrt(np.maximum(products.diagonal(), 1))
    products *= inverse[:, None]
    products *= inverse
    merges = linkage(squareform(np.maximum(1 - products, 0), checks=False), "ward")
    # Merges come nearest first; the first of them leave `count` clusters. Not fcluster's way: it cuts at a
    # distance, and where distances tie it leaves fewer.
    made = tokens - count
    parents = np.arange(tokens + made)
    parents[merges[:made, :2].astype(np.int64)] = np.arange(tokens, tokens + made)[:, None]
    while not np.array_equal(above := parents[parents], parents):
        parents = above
    _, firsts, clusters = np.unique(parents[:tokens], return_index=True, return_inverse=True)
    order = np.empty(count, np.int64)
    order[np.argsort(firsts)] = np.arange(count)
    return order[clusters]


def _integers(tokens: Floats) -> Floats:
    lengths = np.linalg.norm(tokens, axis=1, keepdims=True)
    return np.asarray(np.rint(tokens * (_STEPS / np.maximum(lengths, 1e-12))), np.float32)


def _means(tokens: Floats, owners: Integers) -> Floats:
    """Return [v, k]: the mean direction of each owner's tokens, at their mean length."""
    if not len(tokens):
        return tokens
    order = np.argsort(owners, kind="stable")
    members = np.bincount(owners)
    firsts = np.cumsum(members) - members
    sums = np.add.reduceat(tokens[order], firsts, axis=0)
    lengths = np.add.reduceat(np.linalg.norm(tokens, axis=1)[order], firsts) / members
    scale = lengths / np.maximum(np.linalg.norm(sums, axis=1), 1e-12)
    return np.asarray(sums * scale[:, None], np.float32)
