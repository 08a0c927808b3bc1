"""int8 codes and MaxSim: by hand, against plain float, and against the encoder's own vectors."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from ingestion.encoders import Encoder
from ingestion.storage.tokens.codec import Int8Codec, QueryCodes
from ingestion.storage.tokens.kernel import fallback
from ingestion.storage.tokens.kernel.choice import kernel_named, kernel_names
from ingestion.storage.tokens.kernel.fallback import float_product, int8_product
from ingestion.storage.tokens.maxsim import maxsim

Floats = NDArray[np.float32]


def offsets_of(*lengths: int) -> NDArray[np.int64]:
    return np.cumsum([0, *lengths], dtype=np.int64)


def plain_maxsim(query: Floats, tokens: Floats, offsets: NDArray[np.int64]) -> Floats:
    """The definition, in float64: for each query token its best cosine in the passage, summed."""
    scores = []
    for first, last in pairwise(offsets):
        products = query.astype(np.float64) @ tokens[first:last].astype(np.float64).T
        scores.append(products.max(axis=1).sum() if last > first else 0.0)
    return np.array(scores, np.float32)


def unit_vectors(generator: np.random.Generator, count: int, dimension: int = 128) -> Floats:
    vectors = generator.normal(size=(count, dimension))
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


@pytest.fixture
def codec() -> Int8Codec:
    return Int8Codec(np.full(128, 0.4 / 127, np.float32))


def test_codes_by_hand() -> None:
    codec = Int8Codec(np.array([0.01, 0.002], np.float32))
    codes = codec.encode(np.array([[0.5, 0.1], [-0.014, 0.0009], [2.0, -2.0]], np.float32))
    assert codes.tolist() == [[50, 50], [-1, 0], [127, -127]]
    assert codes.dtype == np.int8
    np.testing.assert_allclose(codec.decode(codes)[0], [0.5, 0.1], atol=1e-7)
    # (0.6, 0.8) times the scales is (0.006, 0.0016); the largest becomes 127.
    query = codec.encode_query(np.array([[0.6, 0.8]], np.float32))
    assert query.codes.tolist() == [[127, 34]]
    assert query.steps[0] == pytest.approx(0.006 / 127)
    # 127 · 50 + 34 · 50 steps, close to 0.6 · 0.5 + 0.8 · 0.1
    score = maxsim(query, codes[:1], offsets_of(1))
    assert score[0] == pytest.approx((127 * 50 + 34 * 50) * 0.006 / 127)
    assert score[0] == pytest.approx(0.38, abs=0.001)


def test_maxsim_by_hand() -> None:
    query = QueryCodes(np.array([[2, 0], [0, 1]], np.int8), np.array([1, 10], np.float32))
    codes = np.array([[1, 5], [3, -4], [-1, -2], [-5, -1]], np.int8)
    # First passage: 1 · max(2, 6) + 10 · max(5, -4); second: 1 · max(-2, -10) + 10 · max(-2, -1).
    assert maxsim(query, codes, offsets_of(2, 2)).tolist() == [56, -12]


def test_the_int8_product_is_the_float_product() -> None:
    product = int8_product()
    if product is None:
        pytest.skip("this torch has no right int8 matrix product; float32 is used")
    generator = torch.Generator().manual_seed(1)
    for tokens, queries in ((1, 1), (3, 7), (8192, 32), (9001, 254)):
        codes = torch.randint(-127, 128, (tokens, 128), generator=generator, dtype=torch.int8)
        query = torch.randint(-127, 128, (128, queries), generator=generator, dtype=torch.int8)
        expected = codes.long() @ query.long()
        assert torch.equal(product(codes, query).long(), expected)
        assert torch.equal(float_product(codes, query).long(), expected)
    extreme = torch.full((5, 128), -127, dtype=torch.int8)
    assert product(extreme, extreme.T.contiguous()).unique().tolist() == [128 * 127 * 127]


def test_maxsim_is_the_plain_sum_on_decoded_vectors(codec: Int8Codec) -> None:
    generator = np.random.default_rng(0)
    query = codec.encode_query(unit_vectors(generator, 9))
    lengths = [0, 1, 5, 0, 0, 180, 3, 0]
    codes = codec.encode(unit_vectors(generator, sum(lengths)))
    decoded_query = (query.codes * query.steps[:, None]).astype(np.float32)
    expected = plain_maxsim(decoded_query, codes.astype(np.float32), offsets_of(*lengths))
    scores = maxsim(query, codes, offsets_of(*lengths))
    np.testing.assert_allclose(scores, expected, atol=1e-4)
    assert scores[[0, 3, 4, 7]].tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize("block", [1, 7, 64, 8192])
def test_scores_do_not_depend_on_grouping_or_order(
    codec: Int8Codec, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exactly: the products are integers, and each passage's sum runs in the order of the query."""
    generator = np.random.default_rng(1)
    query = codec.encode_query(unit_vectors(generator, 32))
    lengths = [0, *generator.integers(1, 40, size=30), 300, 0, 2]
    offsets = offsets_of(*lengths)
    codes = codec.encode(unit_vectors(generator, int(offsets[-1])))
    alone = [
        maxsim(query, codes[first:last], offsets_of(last - first))[0] for first, last in pairwise(offsets)
    ]
    monkeypatch.setattr(fallback, "_BLOCK_TOKENS", block)
    order = generator.permutation(len(lengths))
    shuffled = np.concatenate([codes[offsets[i] : offsets[i + 1]] for i in order])
    shuffled_offsets = offsets_of(*(lengths[i] for i in order))
    for kernel in filter(kernel_named, kernel_names()):
        assert maxsim(query, codes, offsets, kernel=kernel).tolist() == alone
        in_order = [alone[i] for i in order]
        assert maxsim(query, codes, offsets, order, kernel=kernel).tolist() == in_order
        assert maxsim(query, shuffled, shuffled_offsets, kernel=kernel).tolist() == in_order


def test_nothing_to_score(codec: Int8Codec) -> None:
    nothing = np.zeros((0, 128), np.float32)
    some = codec.encode_query(np.ones((2, 128), np.float32))
    assert maxsim(some, codec.encode(nothing), offsets_of()).tolist() == []
    assert maxsim(some, codec.encode(nothing), offsets_of(0, 0)).tolist() == [0, 0]
    assert maxsim(codec.encode_query(nothing), codec.encode(nothing), offsets_of(0)).tolist() == [0]


def test_colbert_scores_are_float_maxsim_within_the_quantisation_error(encoder: Encoder) -> None:
    """The bound, for query tokens q_i (unit), document tokens d_j (unit), steps s (the scales):

    |q_i · d_j - score_ij| ≤ Σ_k |q_ik| e_jk + 128 · 127 · t_i / 2

    e_jk is the document's rounding error, s_k / 2 or what clipping cut off; t_i, the query's step, times
    a half is the rounding error of each of its 128 numbers, which meets a code of at most 127. A
    maximum moves by no more than its largest entry, and a sum by the sum.
    """
    passages = [
        "The Bramley apple tree stands by the north wall. It was planted in 1921 by Ada Finch.",
        "High water at the pier was 4.2 metres on 3 March 1987. The ferry sailed at noon.",
        "In late interaction every token of the query finds its best match in the passage.",
    ]
    documents = encoder.encode(passages, ["Orchard › Apples", "Harbour › Tides", "ColBERT"])
    codec = Int8Codec(encoder.projection.scales)  # type: ignore[attr-defined]
    for question in ("Who planted the apple tree?", "How high was the water at the pier?", "tree " * 300):
        query = encoder.encode_query(question).tokens
        coded = codec.encode_query(query)
        scores = maxsim(coded, codec.encode(documents.tokens), documents.offsets)
        exact = plain_maxsim(query, documents.tokens, documents.offsets)
        lost = np.abs(documents.tokens - codec.decode(codec.encode(documents.tokens)))
        for i in range(len(passages)):
            own = lost[documents.offsets[i] : documents.offsets[i + 1]]
            bound = (np.abs(query) @ own.T).max(axis=1).sum() + (128 * 127 * coded.steps / 2).sum()
            assert abs(scores[i] - exact[i]) <= bound
        # The bound is the worst case; in truth errors cancel: under 0.005 a query token.
        np.testing.assert_allclose(scores, exact, atol=0.005 * len(query))
        assert np.argmax(scores) == np.argmax(exact)
