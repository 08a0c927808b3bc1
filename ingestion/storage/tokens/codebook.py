"""Kinds of tokens: unit centroids, of which each token belongs to the nearest by cosine (spherical k-means).

Tokens are given as the numbers in their codes: a token's vector is these times the codec's scales, up to a
factor that all tokens share and that no comparison depends on.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import xxhash
from numpy.typing import NDArray

from ingestion.storage.tokens.codec import Codes, Floats, Int8Codec

# Share of the exact top 10 of 100,000 chunks among 1,000 candidates: .95 with 1,024, .97 with 4,096, .985
# with 16,384.
CENTROIDS = 16_384
# Tokens that a centroid is trained from, on average; they are chosen from so many times as many.
_TOKENS = 16
_CHOICE = 4
_ROUNDS = 4
# A token is compared with the centroids around its cell only, which takes a seventh of the time.
_CELLS = 128
_AROUND = 2048
_BLOCK = 1 << 16
# Tokens are taken in inverse proportion to the number of those like them, which these centroids say: a
# report's numbers and set phrases would have most centroids otherwise, and the words that people ask for
# few. With a codebook of 9,649 chunks of filings, .81 of the exact top 10 were among 150 candidates without
# this, .94 with it.
_LIKES = 1024
# Tokens that `fit` looks at.
_FIT_TOKENS = 100_000
# A codebook serves for tokens that are on average as near to its centroids, less this, as those that it was
# trained on. One of filings is .90 near to filings and .69 to Wikipedia; it finds .67 of the top 10 there
# where one of both finds .93.
_TOLERANCE = 0.02

# How many tokens training can use.
SAMPLE = CENTROIDS * _TOKENS * _CHOICE


@dataclass(frozen=True, eq=False)
class Codebook:
    """Centroids, and what they were trained on.

    Attributes:
        codes: [c, k] int8, as Int8Codec writes unit vectors.
        scales: [k], the representation's.
        fit: the mean cosine of the tokens that it was trained for to their centroids.
    """

    codes: Codes
    scales: Floats
    fit: float

    @cached_property
    def key(self) -> int:
        """What tells codebooks apart."""
        return xxhash.xxh3_64_intdigest(np.ascontiguousarray(self.codes).data.cast("B"))

    @cached_property
    def centroids(self) -> Floats:
        """[c, k] unit vectors."""
        return _unit(Int8Codec(self.scales).decode(self.codes))

    def assign(self, values: Codes) -> NDArray[np.int32]:
        """Return [t]: the centroid of each of the [t, k] tokens. Nearly always the nearest of all: those
        around the nearest of 128 cells are compared."""
        from ingestion.storage.tokens.maxsim import nearest  # may import torch: seconds

        if self._around is None:
            return nearest(values, self._folded)
        cells = nearest(values, self._cells)
        order = np.argsort(cells, kind="stable")
        edges = np.searchsorted(cells[order], np.arange(len(self._cells) + 1))
        found = np.empty(len(values), np.int32)
        for cell, around in enumerate(self._around):
            own = order[edges[cell] : edges[cell + 1]]
            if len(own):
                found[own] = around[nearest(values[own], self._folded[around])]
        return found

    @cached_property
    def _folded(self) -> Codes:
        return _folded(self.centroids, self.scales)

    @cached_property
    def _cells(self) -> Codes:
        units = self.centroids[:: max(len(self.centroids) // _CELLS, 1)][:_CELLS]
        for _ in range(_ROUNDS):
            units = _means(self.centroids, (self.centroids @ units.T).argmax(axis=1), units)
        return _folded(units, self.scales)

    @cached_property
    def _around(self) -> NDArray[np.int32] | None:
        """[cells, 2048]: the centroids nearest to each cell; None where there are hardly more."""
        if len(self.centroids) <= 2 * _AROUND:
            return None
        products = (self._cells / self.scales) @ self.centroids.T
        return np.sort(np.argpartition(-products, _AROUND, axis=1)[:, :_AROUND], axis=1).astype(np.int32)

    def serves(self, values: Codes) -> bool:
        """Whether such tokens are about as near to centroids as those that it was trained for."""
        return self.nearness(values) >= self.fit - _TOLERANCE

    def nearness(self, values: Codes) -> float:
        """Return the mean cosine of [t, k] tokens to their centroids, of at most 100,000 of them."""
        some = _every(values, _FIT_TOKENS)
        return float(
            np.einsum("tk,tk->t", _unit(some * self.scales), self.centroids[self.assign(some)]).mean()
        )


def train(values: Codes, scales: Floats, check: Callable[[], None] = lambda: None) -> Codebook:
    """Return a codebook for these tokens: 16,384 centroids, or one for 16 tokens where they are few.

    More than SAMPLE tokens make it no better. The same tokens give the same codebook. Whatever `check`
    raises stops the work.
    """
    random = np.random.default_rng(0)
    count = max(min(CENTROIDS, len(values) // _TOKENS), 1)
    wanted = count * _TOKENS
    if len(values) > wanted:
        likes = _trained(_every(values, _LIKES * 64), scales, _LIKES, random, check)
        own = likes.assign(values)
        # The largest of uniform numbers to the power of 1 / weight are a weighted sample (Efraimidis and
        # Spirakis, 2006); here as logarithms.
        keys = random.exponential(size=len(values)) * np.bincount(own)[own]
        chosen = values[np.sort(np.argpartition(keys, wanted)[:wanted])]
    else:
        chosen = values
    book = _trained(chosen, scales, count, random, check)
    return replace(book, fit=book.nearness(values))


def _trained(
    values: Codes, scales: Floats, count: int, random: np.random.Generator, check: Callable[[], None]
) -> Codebook:
    count = min(count, max(len(values), 1))
    units = _unit(values[np.sort(random.choice(len(values), count, replace=False))] * scales)
    book = Codebook(Int8Codec(scales).encode(units), scales, 1.0)
    for _ in range(_ROUNDS):
        check()
        spare = values[random.choice(len(values), count)] * scales
        units = _means(values, book.assign(values), _unit(spare), scales)
        book = Codebook(Int8Codec(scales).encode(units), scales, 1.0)
    return book


def _every(values: Codes, count: int) -> Codes:
    """Return about `count` of the values, evenly spread."""
    return np.ascontiguousarray(values[:: max(-(-len(values) // count), 1)])


def _means(
    values: Codes | Floats, owners: NDArray[np.integer], otherwise: Floats, scales: Floats | None = None
) -> Floats:
    """Return the mean direction of each owner's values, as unit vectors; `otherwise` says how many owners
    there are, and what those without values get."""
    sums = np.zeros(otherwise.shape, np.float32)
    for first in range(0, len(values), _BLOCK):
        own = owners[first : first + _BLOCK]
        order = np.argsort(own, kind="stable")
        present, starts = np.unique(own[order], return_index=True)
        block = values[first : first + _BLOCK][order].astype(np.float32)
        sums[present] += np.add.reduceat(block, starts, axis=0)
    if scales is not None:
        sums *= scales
    some = np.linalg.norm(sums, axis=1) > 0
    return np.where(some[:, None], _unit(sums), otherwise)


def _unit(vectors: Floats) -> Floats:
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(norms, 1e-12), np.float32)


def _folded(units: Floats, scales: Floats) -> Codes:
    """Return units times scales in 8 bits, with one step for all: products with tokens' codes are then in
    the order of the cosines."""
    folded = units * scales
    codes = np.rint(folded * (127 / max(float(np.abs(folded).max()), 1e-12)))
    return np.asarray(codes, np.int8)
