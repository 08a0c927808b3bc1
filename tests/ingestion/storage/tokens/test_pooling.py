"""Token pooling: by hand, against scipy's own cut, and what must hold for any passage."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from ingestion.storage.tokens.pooling import Pooled, pool

Floats = NDArray[np.float32]
NONE: list[list[float]] = []


def made_tokens(generator: np.random.Generator, count: int, dimension: int = 24) -> Floats:
    """Unit vectors around few directions, as a passage's are."""
    around = generator.normal(size=(10, dimension))[generator.integers(10, size=count)]
    tokens = around + 0.5 * generator.normal(size=(count, dimension))
    return np.asarray(tokens / np.linalg.norm(tokens, axis=1, keepdims=True), np.float32)


def offsets_of(*lengths: int) -> NDArray[np.int64]:
    return np.cumsum([0, *lengths], dtype=np.int64)


def expanded(pooled: Pooled, offsets: NDArray[np.int64]) -> Floats:
    """Each token's vector."""
    vectors: Floats = pooled.vectors[np.repeat(pooled.offsets[:-1], np.diff(offsets)) + pooled.owners]
    return vectors


def test_pooling_by_hand() -> None:
    """The first and third, and the second and fourth, point nearly the same way."""
    tokens = np.array([[0.6, 0.8], [1, 0], [0.8, 0.6], [0.96, -0.28], [0, 1]], np.float32)
    pooled = pool(tokens, offsets_of(4, 1), 2)
    assert pooled.owners.tolist() == [0, 1, 0, 1, 0]
    assert pooled.offsets.tolist() == [0, 2, 3]
    half = np.sqrt(0.5)
    second = np.array([1.96, -0.28]) / np.hypot(1.96, 0.28)
    np.testing.assert_allclose(pooled.vectors, [[half, half], second, [0, 1]], atol=1e-6)
    assert pooled.owners.dtype == np.uint16
    assert pooled.vectors.dtype == np.float32


def test_factor_one_changes_nothing() -> None:
    tokens = made_tokens(np.random.default_rng(0), 20)
    pooled = pool(tokens, offsets_of(0, 5, 15), 1)
    assert np.array_equal(pooled.vectors, tokens)
    assert pooled.offsets.tolist() == [0, 0, 5, 20]
    assert pooled.owners.tolist() == [*range(5), *range(15)]


@pytest.mark.parametrize("factor", [2, 3])
def test_a_passage_keeps_a_factor_th_of_its_tokens_rounded_up(factor: int) -> None:
    lengths = [0, 1, 2, 3, 4, 5, 6, 7, 0, 256]
    tokens = made_tokens(np.random.default_rng(1), sum(lengths))
    pooled = pool(tokens, offsets_of(*lengths), factor)
    assert np.diff(pooled.offsets).tolist() == [-(-length // factor) for length in lengths]
    assert len(pooled.vectors) == pooled.offsets[-1]


@pytest.mark.parametrize("factor", [2, 3])
@pytest.mark.parametrize("seed", range(5))
def test_vectors_are_the_members_means_in_the_order_of_first_tokens(factor: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    lengths = generator.integers(0, 90, size=6).tolist()
    offsets = offsets_of(*lengths)
    tokens = made_tokens(generator, sum(lengths))
    pooled = pool(tokens, offsets, factor)
    np.testing.assert_allclose(np.linalg.norm(pooled.vectors, axis=1), 1, atol=1e-5)
    for passage in range(len(lengths)):
        own = tokens[offsets[passage] : offsets[passage + 1]]
        owners = pooled.owners[offsets[passage] : offsets[passage + 1]]
        vectors = pooled.vectors[pooled.offsets[passage] : pooled.offsets[passage + 1]]
        firsts = [owners.tolist().index(place) for place in range(len(vectors))]
        assert firsts == sorted(firsts)
        for place, vector in enumerate(vectors):
            mean = own[owners == place].mean(axis=0)
            np.testing.assert_allclose(vector, mean / np.linalg.norm(mean), atol=1e-5)


@pytest.mark.parametrize("seed", range(5))
def test_clusters_are_those_of_scipy(seed: int) -> None:
    """Ward over cosine distances, cut where as many clusters are left. Distances are rounded a little, which
    decides near calls otherwise."""
    tokens = made_tokens(np.random.default_rng(seed), 60)
    owners = pool(tokens, offsets_of(60), 2).owners
    distances = squareform(np.clip(1 - tokens @ tokens.T, 0, 2), checks=False)
    expected = fcluster(linkage(distances, "ward"), t=30, criterion="maxclust")
    assert len(np.unique(owners)) == 30
    assert np.mean((owners[:, None] == owners) == (expected[:, None] == expected)) > 0.99


def test_a_passage_is_pooled_alike_among_others_and_alone() -> None:
    generator = np.random.default_rng(2)
    lengths = [50, 3, 120]
    offsets = offsets_of(*lengths)
    tokens = made_tokens(generator, sum(lengths))
    together = pool(tokens, offsets, 3)
    for passage, length in enumerate(lengths):
        alone = pool(tokens[offsets[passage] : offsets[passage + 1]], offsets_of(length), 3)
        own = slice(together.offsets[passage], together.offsets[passage + 1])
        assert np.array_equal(alone.vectors, together.vectors[own])
        assert np.array_equal(alone.owners, together.owners[offsets[passage] : offsets[passage + 1]])


@pytest.mark.parametrize("factor", [2, 3])
@pytest.mark.parametrize("seed", range(4))
def test_pooling_what_was_pooled_changes_nothing(factor: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    offsets = offsets_of(1, 40, 0, 133)
    first = pool(made_tokens(generator, int(offsets[-1])), offsets, factor)
    again = pool(expanded(first, offsets), offsets, factor)
    assert np.array_equal(first.owners, again.owners)
    np.testing.assert_allclose(first.vectors, again.vectors, atol=1e-6)


@pytest.mark.parametrize("factor", [2, 3])
def test_equal_tokens_do_not_make_fewer_vectors(factor: int) -> None:
    tokens = np.tile(made_tokens(np.random.default_rng(3), 1), (31, 1))
    pooled = pool(tokens, offsets_of(31), factor)
    assert pooled.offsets.tolist() == [0, -(-31 // factor)]
    np.testing.assert_allclose(pooled.vectors, tokens[: len(pooled.vectors)], atol=1e-6)


def test_vectors_that_cancel_out_or_are_zero_give_finite_ones() -> None:
    tokens = np.array([[1, 0], [-1, 0], [0, 0], [0, 0]], np.float32)
    for part in (tokens, tokens[:2], tokens[2:]):
        assert np.isfinite(pool(part, offsets_of(len(part)), 3).vectors).all()


@pytest.mark.parametrize("factor", [2, 3])
def test_a_long_passage_is_pooled_in_runs(factor: int) -> None:
    tokens = made_tokens(np.random.default_rng(4), 2 * 768 + 5, dimension=8)
    whole = pool(tokens, offsets_of(len(tokens)), factor)
    parts = pool(tokens, offsets_of(768, 768, 5), factor)
    assert np.array_equal(whole.vectors, parts.vectors)
    assert whole.offsets.tolist() == [0, -(-len(tokens) // factor)]
    assert np.array_equal(expanded(whole, offsets_of(len(tokens))), expanded(parts, offsets_of(768, 768, 5)))


def test_what_cannot_be_pooled_is_refused() -> None:
    with pytest.raises(ValueError, match="pooled by 0"):
        pool(np.array(NONE, np.float32).reshape(0, 2), offsets_of(), 0)
    with pytest.raises(ValueError, match="65537 pooled vectors, more than 65536"):
        pool(np.zeros((131073, 1), np.float32), offsets_of(131073), 2)


def test_nothing_to_pool() -> None:
    pooled = pool(np.zeros((0, 4), np.float32), offsets_of(0, 0), 2)
    assert pooled.vectors.shape == (0, 4)
    assert pooled.offsets.tolist() == [0, 0, 0]
    assert len(pooled.owners) == 0
