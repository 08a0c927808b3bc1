"""int8 and 4-bit codes, codec names, and what a segment keeps of an encoder's tokens."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from ingestion.encoders import Encoder, join
from ingestion.encoders.batches import is_punctuation
from ingestion.errors import InvalidInput
from ingestion.storage.tokens.codec import (
    CODECS,
    INT4_STEP,
    CodecSpec,
    Int4Codec,
    Int8Codec,
    StoredTokens,
    TokenArrays,
    can_convert,
    load_tokens,
    store_tokens,
)
from ingestion.storage.tokens.maxsim import maxsim

Floats = NDArray[np.float32]
ONE = np.float32(1 / INT4_STEP)


def unit_vectors(generator: np.random.Generator, count: int, dimension: int) -> Floats:
    vectors = generator.normal(size=(count, dimension))
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def scales_of(vectors: Floats) -> Floats:
    return np.asarray(np.abs(vectors).max(axis=0) / 127, np.float32)


def made_arrays(
    generator: np.random.Generator, lengths: list[int], dimension: int = 16, *, punctuation: bool = True
) -> TokenArrays:
    """Tokens around few directions, as a passage's are."""
    count = sum(lengths)
    around = unit_vectors(generator, 12, dimension)[generator.integers(12, size=count)]
    tokens = around + 0.4 * unit_vectors(generator, count, dimension)
    tokens /= np.linalg.norm(tokens, axis=1, keepdims=True)
    starts = np.concatenate([np.arange(length) for length in lengths]) * 3
    return TokenArrays(
        tokens.astype(np.float32),
        np.cumsum([0, *lengths], dtype=np.int64),
        np.stack([starts, starts + 2], axis=1).astype(np.int32),
        generator.random(count) < 0.2 if punctuation else np.zeros(0, np.bool_),
    )


# 4-bit codes


def test_four_bit_codes_by_hand() -> None:
    """Steps are 1, so that codes are the vectors rounded; byte j is dimension j + 8, and 16 times that of
    dimension j + 2."""
    codec = Int4Codec(np.full(4, ONE))
    codes = codec.encode(np.array([[0, 1, -1, 7], [-8, 2.4, 9, -20], [0.6, -0.4, 3, -3]], np.float32))
    assert codes.tolist() == [
        [8 + 16 * 7, 9 + 16 * 15],
        [0 + 16 * 15, 10 + 16 * 0],
        [9 + 16 * 11, 8 + 16 * 5],
    ]
    assert codes.dtype == np.uint8
    np.testing.assert_allclose(codec.decode(codes), [[0, 1, -1, 7], [-8, 2, 7, -8], [1, 0, 3, -3]], atol=1e-6)


def test_a_four_bit_step_is_twelve_int8_steps() -> None:
    scales = np.array([0.01, 0.002], np.float32)
    vector = np.array([[0.25, -0.03]], np.float32)  # 2.08 and -1.25 steps of 0.12 and 0.024
    codec = Int4Codec(scales)
    assert codec.encode(vector).tolist() == [[10 + 16 * 7]]
    np.testing.assert_allclose(codec.decode(codec.encode(vector)), [[0.24, -0.024]], rtol=1e-6)


def test_an_odd_number_of_dimensions_is_filled_up_with_zero() -> None:
    codec = Int4Codec(np.full(3, ONE))
    vectors = np.array([[1, 2, 3], [-4, -5, -6]], np.float32)
    codes = codec.encode(vectors)
    assert codes.tolist() == [[9 + 16 * 11, 10 + 16 * 8], [4 + 16 * 2, 3 + 16 * 8]]
    np.testing.assert_allclose(codec.decode(codes), vectors, atol=1e-6)
    query = codec.encode_query(np.array([[0, 0, 1]], np.float32))
    assert query.codes.tolist() == [[0, 0, 127, 0]]
    offsets = np.array([0, 1, 2])
    np.testing.assert_allclose(maxsim(query, codes, offsets), [3, -6], rtol=1e-6)


@pytest.mark.parametrize("seed", range(5))
def test_four_bit_codes_come_back_within_half_a_step(seed: int) -> None:
    generator = np.random.default_rng(seed)
    dimension = int(generator.integers(1, 40))
    vectors = unit_vectors(generator, 50, dimension)
    codec = Int4Codec(scales_of(vectors))
    codes = codec.encode(vectors)
    assert codes.shape == (50, -(-dimension // 2))
    steps = codec.scales * INT4_STEP
    within = np.clip(vectors, -8 * steps, 7 * steps)
    assert np.all(np.abs(codec.decode(codes) - within) <= steps * 0.5001)
    assert np.array_equal(codec.encode(codec.decode(codes)), codes)


@pytest.mark.parametrize("seed", range(3))
def test_four_bit_codes_of_int8_codes_are_nearly_those_of_the_vectors(seed: int) -> None:
    generator = np.random.default_rng(seed)
    vectors = unit_vectors(generator, 200, 32)
    scales = scales_of(vectors)
    wide, narrow = Int8Codec(scales), Int4Codec(scales)
    exact = narrow.decode(narrow.encode(vectors))
    again = narrow.decode(narrow.encode(wide.decode(wide.encode(vectors))))
    assert np.all(np.abs(exact - again) <= scales * INT4_STEP * 1.0001)
    assert np.mean(exact != again) < 0.1


def test_maxsim_of_four_bit_codes_is_the_plain_sum_on_decoded_vectors() -> None:
    generator = np.random.default_rng(0)
    vectors, question = unit_vectors(generator, 60, 128), unit_vectors(generator, 7, 128)
    codec = Int4Codec(scales_of(vectors))
    codes, query = codec.encode(vectors), codec.encode_query(question)
    assert query.codes.dtype == np.int8
    assert query.steps.shape == (7,)
    products = question @ codec.decode(codes).T
    expected = [products[:, :20].max(axis=1).sum(), 0, products[:, 20:].max(axis=1).sum()]
    np.testing.assert_allclose(maxsim(query, codes, np.array([0, 20, 20, 60])), expected, atol=0.05)


def test_nothing_has_no_codes() -> None:
    for codec, width in ((Int8Codec(np.ones(5, np.float32)), 5), (Int4Codec(np.ones(5, np.float32)), 3)):
        codes = codec.encode(np.zeros((0, 5), np.float32))
        assert codes.shape == (0, width)
        assert codec.decode(codes).shape == (0, 5)
        assert len(codec.encode_query(np.zeros((0, 5), np.float32)).steps) == 0


# Names


def test_names_say_what_is_kept() -> None:
    assert CodecSpec().name == "int8"
    assert CodecSpec(4, 2).name == "int4-pool2"
    assert CodecSpec(8, 3, skip_punctuation=True).name == "int8-pool3-nopunct"
    assert len(CODECS) == 12
    for name, spec in CODECS.items():
        assert CodecSpec.parse(name) == spec
        assert spec.name == name


@pytest.mark.parametrize("name", ["", "int16", "INT8", "int8-pool1", "int8-nopunct-pool2", "pool2", "int4 "])
def test_a_name_that_there_is_not_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput, match="no token codec named") as caught:
        CodecSpec.parse(name)
    assert repr(name) in str(caught.value)
    assert all(known in str(caught.value) for known in CODECS)


def test_what_was_left_out_does_not_come_back() -> None:
    def possible(old: str, new: str) -> bool:
        return can_convert(CodecSpec.parse(old), CodecSpec.parse(new))

    assert all(possible(name, name) for name in CODECS)
    for name in CODECS:
        assert possible("int8", name) == ("nopunct" not in name)
    assert not possible("int4", "int8")
    assert not possible("int4", "int8-pool2")
    assert not possible("int8-pool2", "int8")
    assert not possible("int8-pool2", "int8-pool3")
    assert not possible("int8-pool2", "int8-pool2-nopunct")
    assert not possible("int8-nopunct", "int8")
    assert possible("int8-pool3-nopunct", "int4-pool3-nopunct")
    assert possible("int4", "int4-pool2")
    assert possible("int8-nopunct", "int4-pool2-nopunct")


# What a segment keeps

# Two passages; tokens of the first are two and two alike, its second is a comma, which has b's vector.
A, B, C = [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]
SMALL = TokenArrays(
    np.array([A, B, B, A, C], np.float32),
    np.array([0, 4, 5]),
    np.array([[0, 1], [1, 2], [3, 4], [5, 6], [0, 9]], np.int32),
    np.array([False, True, False, False, False]),
)
SCALES = np.full(3, 1 / 127, np.float32)


def stored(name: str, arrays: TokenArrays = SMALL) -> StoredTokens:
    return store_tokens(CodecSpec.parse(name), SCALES, arrays)


def test_int8_keeps_every_token() -> None:
    kept = stored("int8")
    assert (kept.codes // 127).tolist() == [A, B, B, A, C]
    assert kept.offsets.tolist() == [0, 4, 5]
    assert kept.spans.tolist() == SMALL.spans.tolist()
    assert kept.owners is None
    assert kept.token_offsets is None


def test_punctuation_is_left_out() -> None:
    kept = stored("int8-nopunct")
    assert (kept.codes // 127).tolist() == [A, B, A, C]
    assert kept.offsets.tolist() == [0, 3, 4]
    assert kept.spans.tolist() == [[0, 1], [3, 4], [5, 6], [0, 9]]
    again = load_tokens(CodecSpec.parse("int8-nopunct"), SCALES, kept)
    assert again.punctuation.tolist() == [False] * 4


def test_where_punctuation_is_not_known_all_is_kept() -> None:
    unknown = replace(SMALL, punctuation=np.zeros(0, np.bool_))
    assert len(stored("int8-nopunct", unknown).codes) == 5


def test_pooled_tokens_keep_their_spans_and_owners() -> None:
    kept = stored("int8-pool2")
    assert (kept.codes // 127).tolist() == [A, B, C]
    assert kept.offsets.tolist() == [0, 2, 3]
    assert kept.owners is not None
    assert kept.owners.tolist() == [0, 1, 1, 0, 0]
    assert kept.owners.dtype == np.uint16
    assert kept.token_offsets is not None
    assert kept.token_offsets.tolist() == [0, 4, 5]
    assert kept.spans.tolist() == SMALL.spans.tolist()
    np.testing.assert_allclose(
        load_tokens(CodecSpec.parse("int8-pool2"), SCALES, kept).tokens, SMALL.tokens, atol=1e-6
    )


@pytest.mark.parametrize("name", CODECS)
@pytest.mark.parametrize("known", [True, False])
def test_what_is_read_back_is_stored_again_as_it_was(name: str, known: bool) -> None:
    """An unchanged chunk of a new version keeps its codes, however often that happens."""
    spec = CodecSpec.parse(name)
    for seed in range(4):
        arrays = made_arrays(np.random.default_rng(seed), [0, 1, 40, 7, 0, 130], punctuation=known)
        scales = scales_of(arrays.tokens)
        first = store_tokens(spec, scales, arrays)
        read = load_tokens(spec, scales, first)
        second = store_tokens(spec, scales, read)
        assert len(read.tokens) == len(first.spans) == read.offsets[-1]
        assert np.array_equal(first.codes, second.codes)
        assert np.array_equal(first.offsets, second.offsets)
        assert np.array_equal(first.spans, second.spans)
        if first.owners is not None:
            assert second.owners is not None
            assert np.array_equal(first.owners, second.owners)


def test_converted_tokens_are_those_made_at_once() -> None:
    """From int8 to 4 bits with the same pooling exactly so, but for values on the edge between two codes."""
    arrays = made_arrays(np.random.default_rng(3), [30, 0, 90])
    scales = scales_of(arrays.tokens)
    for old in CODECS.values():
        for new in CODECS.values():
            if not can_convert(old, new):
                continue
            source = store_tokens(old, scales, arrays)
            made = store_tokens(new, scales, load_tokens(old, scales, source))
            direct = store_tokens(new, scales, arrays)
            assert made.codes.shape == direct.codes.shape
            assert made.codes.dtype == direct.codes.dtype
            assert np.array_equal(made.offsets, direct.offsets)
            assert np.array_equal(made.spans, direct.spans)
            if old == new:
                assert np.array_equal(made.codes, direct.codes)
            elif old.pooling == new.pooling:
                assert np.mean(made.codes != direct.codes) < 0.1


# Which tokens are punctuation


def test_the_encoder_says_which_tokens_are_punctuation(encoder: Encoder) -> None:
    text = "Well, “yes” — it's 5 % (or $3)!"
    found = encoder.encode([text, "plain words"], ["Notes › Prices", ""])
    assert len(found.punctuation) == len(found.tokens)
    own = slice(0, int(found.offsets[1]))
    pieces = [text[start:end] for start, end in found.spans[own]]
    marked = [piece for piece, is_mark in zip(pieces, found.punctuation[own], strict=True) if is_mark]
    assert marked == ["", ",", "“", "”", "—", "'", "%", "(", "$", ")", "!"]  # first the context line's ›
    assert not found.punctuation[own.stop :].any()
    assert np.array_equal(found.part(1, 2).punctuation, found.punctuation[own.stop :])


def test_lists_of_passages_joined_know_their_punctuation_where_all_parts_do(encoder: Encoder) -> None:
    found = encoder.encode(["a, b", "c!", ""])
    parts = [found.part(place, place + 1) for place in range(3)]
    assert found.punctuation.tolist() == [False, True, False, False, True]
    assert np.array_equal(join(parts).punctuation, found.punctuation)
    parts[1] = replace(parts[1], punctuation=np.zeros(0, np.bool_))
    assert len(join(parts).punctuation) == 0


@pytest.mark.parametrize(
    ("piece", "expected"),
    [
        (",", True), ("...", True), ("€", True), ("›", True),
        ("a.", False), ("5", False), ("", False), (" ", False), ("\N{REPLACEMENT CHARACTER}", False),
    ],
)  # fmt: skip
def test_punctuation_is_unicodes(piece: str, expected: bool) -> None:
    assert is_punctuation(piece) == expected
