"""Every kernel of this machine against integers computed plainly, to the last bit."""

import threading
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from ingestion.storage.tokens.codec import QueryCodes
from ingestion.storage.tokens.kernel import choice, native
from ingestion.storage.tokens.kernel.choice import best_kernel, is_right, kernel_named, kernel_names
from ingestion.storage.tokens.maxsim import kernel_name, maxsim, nearest

KERNELS = [name for name in kernel_names() if kernel_named(name)]
LENGTHS = [0, 1, 3, 0, 17, 5, 8, 16, 31, 180, 2, 1000, 7, 0]

Codes = NDArray[np.int8] | NDArray[np.uint8]


def offsets_of(*lengths: int) -> NDArray[np.int64]:
    return np.cumsum([0, *lengths], dtype=np.int64)


def query_of(random: np.random.Generator, queries: int, dims: int) -> QueryCodes:
    codes = random.integers(-128, 128, (queries, dims), dtype=np.int8)
    return QueryCodes(codes, random.random(queries, np.float32) / np.float32(127))


def codes_of(random: np.random.Generator, tokens: int, dims: int, bits: int) -> Codes:
    if bits == 8:
        return random.integers(-128, 128, (tokens, dims), dtype=np.int8)
    return random.integers(0, 256, (tokens, dims // 2), dtype=np.uint8)


def plain(codes: Codes) -> NDArray[np.int64]:
    """The numbers that codes stand for."""
    if codes.dtype == np.int8:
        return codes.astype(np.int64)
    halves = [[byte & 15 for byte in row] + [byte >> 4 for byte in row] for row in codes.tolist()]
    return np.array(halves, np.int64).reshape(len(codes), 2 * codes.shape[1]) - 8


def plain_maxsim(query: QueryCodes, codes: Codes, offsets: NDArray[np.int64]) -> list[float]:
    products = query.codes.astype(np.int64) @ plain(codes).T
    scores = []
    for first, last in pairwise(offsets):
        score = 0.0
        for row, step in zip(products[:, first:last], query.steps.tolist(), strict=True):
            score += int(row.max()) * step if last > first else 0.0
        scores.append(float(np.float32(score)))
    return scores


@pytest.fixture(params=KERNELS)
def kernel(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("queries", [1, 5, 16, 17, 32, 33, 64, 300])
@pytest.mark.parametrize(
    ("dims", "bits"),
    [(4, 8), (8, 8), (96, 8), (128, 8), (130, 8), (7, 8), (1040, 8), (64, 4), (128, 4), (30, 4)],
)
def test_scores_are_the_plain_ones(queries: int, dims: int, bits: int) -> None:
    random = np.random.default_rng(queries * dims)
    query, offsets = query_of(random, queries, dims), offsets_of(*LENGTHS)
    codes = codes_of(random, int(offsets[-1]), dims, bits)
    rows = random.integers(0, len(LENGTHS), 25)
    expected = plain_maxsim(query, codes, offsets)
    for name in KERNELS:
        assert maxsim(query, codes, offsets, kernel=name).tolist() == expected, name
        assert maxsim(query, codes, offsets, rows, kernel=name).tolist() == [expected[i] for i in rows], name
        assert maxsim(query, codes, offsets[4:8], kernel=name).tolist() == expected[4:7], name


@pytest.mark.parametrize("of_query", [-128, -127, 127])
@pytest.mark.parametrize("of_codes", [-128, -127, 127, 0x00, 0xFF])
def test_extremes_neither_overflow_nor_saturate(kernel: str, of_query: int, of_codes: int) -> None:
    for dims in (128, 16384):
        query = QueryCodes(np.full((3, dims), of_query, np.int8), np.ones(3, np.float32))
        if of_codes in (0x00, 0xFF):
            codes: Codes = np.full((5, dims // 2), of_codes, np.uint8)
            product = dims * of_query * (of_codes % 16 - 8)
        else:
            codes = np.full((5, dims), of_codes, np.int8)
            product = dims * of_query * of_codes
        assert maxsim(query, codes, offsets_of(5), kernel=kernel).tolist() == [3 * product]


def test_4_bit_codes_by_hand(kernel: str) -> None:
    """Four dimensions: 0 and 1 in the low halves, 2 and 3 in the high ones."""
    codes = np.array([[0x0 | 0xF << 4, 0x9 | 0x8 << 4]], np.uint8)  # -8, 1, 7, 0
    query = QueryCodes(np.array([[1, 10, 100, 50], [0, 0, -1, 0]], np.int8), np.array([1, 0.5], np.float32))
    assert maxsim(query, codes, offsets_of(1), kernel=kernel).tolist() == [-8 + 10 + 700 - 3.5]


def test_rows_may_repeat_and_be_none(kernel: str) -> None:
    random = np.random.default_rng(3)
    query, offsets = query_of(random, 4, 128), offsets_of(2, 0, 5)
    codes = codes_of(random, 7, 128, 8)
    scores = maxsim(query, codes, offsets, kernel=kernel)
    rows = np.array([2, 2, 1, 0, 2])
    assert maxsim(query, codes, offsets, rows, kernel=kernel).tolist() == scores[rows].tolist()
    assert maxsim(query, codes, offsets, rows[:0], kernel=kernel).tolist() == []
    assert maxsim(query, codes, offsets_of(), kernel=kernel).tolist() == []
    nobody = QueryCodes(query.codes[:0], query.steps[:0])
    assert maxsim(nobody, codes, offsets, kernel=kernel).tolist() == [0, 0, 0]


def test_codes_may_be_a_read_only_file_and_a_query_any_view(kernel: str, tmp_path: Path) -> None:
    random = np.random.default_rng(4)
    query, offsets = query_of(random, 8, 128), offsets_of(40, 60)
    codes = codes_of(random, 100, 128, 8)
    (tmp_path / "codes").write_bytes(b"odd" + codes.tobytes())
    mapped = np.memmap(tmp_path / "codes", np.int8, "r", offset=3, shape=codes.shape)
    expected = maxsim(query, codes, offsets, kernel=kernel).tolist()
    assert maxsim(query, mapped, offsets, kernel=kernel).tolist() == expected
    turned = QueryCodes(np.asfortranarray(query.codes), np.repeat(query.steps, 2)[::2])
    strided = np.repeat(offsets, 2)[::2]
    assert maxsim(turned, codes, strided, kernel=kernel).tolist() == expected
    strange = np.frombuffer(b"x" + offsets.astype(">i8").tobytes(), ">i8", offset=1)
    assert maxsim(query, codes, strange, kernel=kernel).tolist() == expected


@pytest.mark.parametrize("rows", [[-1], [0, 3], [2**62], [-(2**63)]])
def test_rows_that_do_not_exist(kernel: str, rows: list[int]) -> None:
    random = np.random.default_rng(5)
    query, codes = query_of(random, 3, 8), codes_of(random, 9, 8, 8)
    with pytest.raises(ValueError, match="none of the 3 passages"):
        maxsim(query, codes, offsets_of(3, 3, 3), np.array(rows), kernel=kernel)


@pytest.mark.parametrize("offsets", [[0, 10], [-1, 3], [4, 3], [0, 5, 4, 9], [0, 2**62], [-(2**63), 2**62]])
def test_offsets_outside_the_codes(kernel: str, offsets: list[int]) -> None:
    random = np.random.default_rng(6)
    query, codes = query_of(random, 3, 8), codes_of(random, 9, 8, 8)
    with pytest.raises(ValueError, match="do not lie within the 9 tokens"):
        maxsim(query, codes, np.array(offsets), kernel=kernel)
    with pytest.raises(ValueError, match="do not lie within the 9 tokens"):
        maxsim(query, codes, np.array(offsets), np.arange(len(offsets) - 1), kernel=kernel)


def test_what_does_not_fit_is_refused() -> None:
    random = np.random.default_rng(7)
    query, codes, offsets = query_of(random, 3, 8), codes_of(random, 9, 8, 8), offsets_of(9)
    for wrong, message in (
        (codes[:, :4], "4 columns, 8 are needed"),
        (codes.astype(np.float32), "float32, not a matrix of int8"),
        (codes[0], "1-dimensional"),
        (codes.view(np.uint8), "8 columns, 4 are needed"),
        (codes[::2], "codes is not contiguous"),
        (np.asfortranarray(codes), "codes is not contiguous"),
    ):
        with pytest.raises(ValueError, match=message):
            maxsim(query, wrong, offsets)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="even number"):
        maxsim(query_of(random, 1, 7), codes.view(np.uint8), offsets)
    with pytest.raises(ValueError, match="not 1 to 16384"):
        maxsim(query_of(random, 1, 16385), codes_of(random, 1, 16385, 8), offsets_of(1))
    with pytest.raises(ValueError, match="steps"):
        maxsim(QueryCodes(query.codes, query.steps[:2]), codes, offsets)
    for some in (np.zeros((1, 2), np.int64), np.zeros(2), np.zeros(2, np.bool_)):
        with pytest.raises(ValueError, match="not a vector of integers"):
            maxsim(query, codes, some)  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="not a vector of integers"):
            maxsim(query, codes, offsets, some)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="offsets is empty"):
        maxsim(query, codes, offsets[:0])
    with pytest.raises(ValueError, match=r"no kernel 'abacus' here: .*float32"):
        maxsim(query, codes, offsets, kernel="abacus")


def test_nearest_is_the_plain_argmax(kernel: str) -> None:
    for tokens, centroids, dims in (
        (1, 1, 128), (33, 7, 4), (700, 16, 128), (300, 333, 96), (31, 1000, 7), (0, 3, 8), (20, 9, 16384),
    ):  # fmt: skip
        random = np.random.default_rng(tokens)
        some = codes_of(random, tokens, dims, 8).astype(np.int8)
        others = codes_of(random, centroids, dims, 8).astype(np.int8)
        bias = random.integers(-100_000, 100_000, centroids, dtype=np.int32)
        products = some.astype(np.int64) @ others.astype(np.int64).T
        found = nearest(some, others, kernel=kernel)
        assert found.tolist() == products.argmax(axis=1).tolist()
        assert found.dtype == np.int32
        assert (
            nearest(some, others, bias, kernel=kernel).tolist() == (products + bias).argmax(axis=1).tolist()
        )


def test_the_first_of_equally_near_centroids_wins(kernel: str) -> None:
    random = np.random.default_rng(8)
    tokens = codes_of(random, 100, 8, 8).astype(np.int8)
    few = random.integers(-1, 2, (50, 8), dtype=np.int8)
    centroids = np.concatenate([few, few[::-1], np.zeros_like(few)])
    products = tokens.astype(np.int64) @ centroids.astype(np.int64).T
    assert nearest(tokens, centroids, kernel=kernel).tolist() == products.argmax(axis=1).tolist()
    assert nearest(tokens, np.zeros_like(centroids), kernel=kernel).tolist() == [0] * 100


@pytest.mark.parametrize("bias", [-(2**30), 2**30])
def test_the_largest_bias(kernel: str, bias: int) -> None:
    tokens = np.full((5, 16384), 127, np.int8)
    centroids = np.array([[-128] * 16384, [127] * 16384], np.int8)
    assert nearest(tokens, centroids, np.full(2, bias, np.int32), kernel=kernel).tolist() == [1] * 5
    only = np.array([bias, -bias], np.int32)
    assert nearest(tokens, centroids, only, kernel=kernel).tolist() == [0 if bias > 0 else 1] * 5


def test_what_nearest_refuses() -> None:
    tokens = np.zeros((6, 8), np.int8)
    with pytest.raises(ValueError, match="4 columns, 8 are needed"):
        nearest(tokens, tokens[:, :4])
    with pytest.raises(ValueError, match="centroids is empty"):
        nearest(tokens, tokens[:0])
    with pytest.raises(ValueError, match="tokens is not contiguous"):
        nearest(tokens[::2], tokens)
    with pytest.raises(ValueError, match="2 entries for 6 centroids"):
        nearest(tokens, tokens, np.zeros(2, np.int32))
    with pytest.raises(ValueError, match="bias lies beyond"):
        nearest(tokens, tokens, np.full(6, 2**30 + 1, np.int32))
    with pytest.raises(ValueError, match="uint8"):
        nearest(tokens.view(np.uint8), tokens)


def test_threads_do_not_disturb_each_other(kernel: str) -> None:
    random = np.random.default_rng(9)
    offsets = offsets_of(*LENGTHS)
    codes = codes_of(random, int(offsets[-1]), 128, 8)
    asked = [query_of(random, 8 + 9 * i, 128) for i in range(4)]
    alone = [maxsim(query, codes, offsets, kernel=kernel).tolist() for query in asked]
    wrong: list[int] = []

    def work(i: int) -> None:
        for _ in range(10):
            if maxsim(asked[i], codes, offsets, kernel=kernel).tolist() != alone[i]:
                wrong.append(i)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_which_kernel_computes(monkeypatch: pytest.MonkeyPatch) -> None:
    assert kernel_name() == KERNELS[0]
    assert KERNELS[-1] == "float32"
    best_kernel.cache_clear()
    kernel_named.cache_clear()
    try:
        monkeypatch.setattr(choice, "native_names", lambda: ())
        assert kernel_name() in ("torch int8", "float32")
        best_kernel.cache_clear()
        kernel_named.cache_clear()
        monkeypatch.setattr(choice, "is_right", lambda _: False)
        assert kernel_name() == "float32"
    finally:
        best_kernel.cache_clear()
        kernel_named.cache_clear()


def test_a_kernel_that_is_wrong_is_noticed() -> None:
    right = kernel_named(KERNELS[0])
    assert right
    maxsim_of, nearest_of = right.maxsim, right.nearest

    class Wrong:
        name = "wrong"
        maxsim = staticmethod(maxsim_of)

        @staticmethod
        def nearest(
            tokens: NDArray[np.int8], centroids: NDArray[np.int8], bias: NDArray[np.int32] | None
        ) -> NDArray[np.int32]:
            return nearest_of(tokens, centroids, None if bias is None else bias[::-1].copy())

    assert is_right(right)
    assert not is_right(Wrong())


@pytest.mark.skipif(native.native_names() == (), reason="not compiled")
def test_the_extension_itself_believes_no_length() -> None:
    from ingestion.storage.tokens.kernel import _native

    codes, offsets = np.zeros((4, 8), np.int8), offsets_of(4)
    steps, scores = np.ones(4, np.float32), np.zeros(1, np.float32)
    good = ["portable", 8, 8, codes, steps, codes, offsets, None, scores]
    _native.maxsim(*good)  # type: ignore[arg-type]
    for position, wrong in (
        (0, "abacus"), (1, 0), (1, -8), (1, 7), (2, 3), (3, codes.ravel()[:9]), (4, steps[:3]),
        (5, codes.ravel()[:9]), (6, offsets[:0]), (6, codes.ravel()[:9]), (7, steps[:3]),
        (8, scores[:0]), (8, steps),
    ):  # fmt: skip
        with pytest.raises(ValueError):  # noqa: PT011
            _native.maxsim(*good[:position], wrong, *good[position + 1 :])  # type: ignore[arg-type, call-arg]
    with pytest.raises(ValueError, match="index"):
        _native.nearest("portable", 8, codes, codes, None, scores)
    with pytest.raises(ValueError, match="bias"):
        _native.nearest("portable", 8, codes, codes, scores, steps)
    with pytest.raises(ValueError, match="centroids"):
        _native.nearest("portable", 8, codes, codes[:0], None, steps)
    assert native.peak("portable", 0.001) > 0
