"""Token vectors as codes of 8 or 4 bits: one fixed step a dimension, which folds into the query.

    int8    code[t, j] = round(x[t, j] / scale[j])              at most ±127; [t, k] int8
    int4    code[t, j] = round(x[t, j] / (12 · scale[j]))       -8 to 7; [t, h] uint8, h = ⌈k / 2⌉
            byte[t, j] = (code[t, j] + 8) + 16 · (code[t, j + h] + 8)      (half-split nibbles)
    q · x ≈ (q * step) · code                                   so the maximum over t needs no step

The query is quantised too, to int8 with one step a query token, so that products are integers. Scales are
the representation's own; 4-bit codes need nothing that int8 codes do not, and can be made from them.

A codec's name says what a token costs: `int8`, `int4-pool2`, `int8-pool3-nopunct`; see CodecSpec.
"""

from dataclasses import dataclass
from itertools import product
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ingestion.errors import UnknownName
from ingestion.storage.tokens.pooling import pool

Floats = NDArray[np.float32]
Codes = NDArray[np.int8]
Packed = NDArray[np.uint8]

# A 4-bit step in int8 steps. Of WordNet's glosses as the built-in encoder sees them, the squared error is
# least at 11.5, and scores are nearest to exact ones from 12 to 13. That both -8 and 7 are used saves 7 % of
# the error against ±7.
INT4_STEP = 12
_LOWEST, _HIGHEST = -8, 7


@dataclass(frozen=True, slots=True)
class QueryCodes:
    """A query's tokens, ready to be multiplied with document codes.

    Attributes:
        codes: [q, k] int8; a zero more for 4-bit codes of an odd k.
        steps: [q] float32: codes · document codes · step is the cosine.
    """

    codes: Codes
    steps: Floats


@dataclass(frozen=True)
class Int8Codec:
    """128 bytes a token at 128 dimensions. `scales` is [k] float32, part of the representation."""

    scales: Floats

    def encode(self, vectors: Floats) -> Codes:
        """[t, k] unit vectors to [t, k] codes; values beyond the scales are clipped."""
        return np.asarray(np.clip(np.rint(vectors / self.scales), -127, 127), dtype=np.int8)

    def decode(self, codes: NDArray[Any]) -> Floats:
        return codes.astype(np.float32) * self.scales

    def values(self, codes: NDArray[Any]) -> Codes:
        """[t, k] codes as the whole numbers that vectors are in steps: themselves."""
        return codes

    def encode_query(self, vectors: Floats) -> QueryCodes:
        """[q, k] unit vectors to codes with the document scales folded in."""
        return _query_codes(vectors * self.scales)


@dataclass(frozen=True)
class Int4Codec:
    """64 bytes a token at 128 dimensions. `scales` are those of Int8Codec.

    An odd number of dimensions is filled up with one that is zero, in documents and in queries.
    """

    scales: Floats

    def encode(self, vectors: Floats) -> Packed:
        """[t, k] unit vectors to [t, ⌈k / 2⌉] codes; values beyond the steps are clipped."""
        codes = np.clip(np.rint(vectors / self._steps), _LOWEST, _HIGHEST) - _LOWEST
        nibbles: Packed = self._even(codes.astype(np.uint8), -_LOWEST)
        half = nibbles.shape[1] // 2
        packed: Packed = nibbles[:, :half] | nibbles[:, half:] << np.uint8(4)
        return packed

    def decode(self, codes: NDArray[Any]) -> Floats:
        return self.values(codes).astype(np.float32) * self._steps

    def values(self, codes: NDArray[Any]) -> Codes:
        """[t, ⌈k / 2⌉] codes as the [t, k] whole numbers that vectors are in steps."""
        nibbles = np.concatenate([codes & 15, codes >> 4], axis=1)[:, : len(self.scales)]
        return np.asarray(nibbles.astype(np.int8) + np.int8(_LOWEST), np.int8)

    def encode_query(self, vectors: Floats) -> QueryCodes:
        """[q, k] unit vectors to codes with the document steps folded in."""
        return _query_codes(self._even(vectors * self._steps, 0))

    @property
    def _steps(self) -> Floats:
        return self.scales * np.float32(INT4_STEP)

    def _even(self, array: NDArray[Any], filling: int) -> NDArray[Any]:
        return np.pad(array, ((0, 0), (0, len(self.scales) % 2)), constant_values=filling)


VectorCodec = Int8Codec | Int4Codec


def _query_codes(folded: Floats) -> QueryCodes:
    steps = np.maximum(np.abs(folded).max(axis=1), 1e-12) / 127
    return QueryCodes(np.rint(folded / steps[:, None]).astype(np.int8), steps.astype(np.float32))


@dataclass(frozen=True, slots=True)
class CodecSpec:
    """What is kept of a passage's token vectors.

    Attributes:
        bits: of a dimension.
        pooling: how many tokens share a vector, on average (`ingestion.storage.tokens.pooling`).
        skip_punctuation: whether tokens that are punctuation only are left out, as ColBERT does, where the
            encoder says which ones are.
    """

    bits: Literal[8, 4] = 8
    pooling: Literal[1, 2, 3] = 1
    skip_punctuation: bool = False

    @property
    def name(self) -> str:
        """As the catalogue and segments say it."""
        pooling = f"-pool{self.pooling}" if self.pooling > 1 else ""
        return f"int{self.bits}{pooling}{'-nopunct' if self.skip_punctuation else ''}"

    @classmethod
    def parse(cls, name: str) -> "CodecSpec":
        """Return what a name says. Raises UnknownName, an InvalidInput, which lists the names."""
        if name not in CODECS:
            raise UnknownName("token codec", name, CODECS)
        return CODECS[name]

    def vectors(self, scales: Floats) -> VectorCodec:
        """Return what turns vectors into codes and back."""
        return Int8Codec(scales) if self.bits == 8 else Int4Codec(scales)


INT8 = CodecSpec()

_BITS: tuple[Literal[8, 4], ...] = (8, 4)
_POOLINGS: tuple[Literal[1, 2, 3], ...] = (1, 2, 3)
_SPECS = (CodecSpec(*parts) for parts in product(_BITS, _POOLINGS, (False, True)))
CODECS = {spec.name: spec for spec in _SPECS}


@dataclass(frozen=True, slots=True)
class TokenArrays:
    """Token vectors as an encoder gives them; the attributes are those of Encodings."""

    tokens: Floats
    offsets: NDArray[np.int64]
    spans: NDArray[np.int32]
    punctuation: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class StoredTokens:
    """Token vectors as a segment keeps them.

    Attributes:
        codes: [v, k] int8 or [v, ⌈k / 2⌉] uint8.
        offsets: [n + 1]: passage i owns vectors offsets[i]:offsets[i + 1].
        spans: [t, 2]: of each token that is kept.
        owners: [t] uint16: each token's vector within its passage; None where each has its own.
        token_offsets: [n + 1]: passage i's tokens, where `owners` is given.
    """

    codes: NDArray[Any]
    offsets: NDArray[np.int64]
    spans: NDArray[np.int32]
    owners: NDArray[np.uint16] | None = None
    token_offsets: NDArray[np.int64] | None = None


def store_tokens(spec: CodecSpec, scales: Floats, arrays: TokenArrays) -> StoredTokens:
    """Return what a segment keeps. Where punctuation is not known, all tokens are kept."""
    if spec.skip_punctuation:
        arrays = _without_punctuation(arrays)
    codec = spec.vectors(scales)
    if spec.pooling == 1:
        return StoredTokens(codec.encode(arrays.tokens), arrays.offsets, arrays.spans)
    pooled = pool(arrays.tokens, arrays.offsets, spec.pooling)
    return StoredTokens(
        codec.encode(pooled.vectors), pooled.offsets, arrays.spans, pooled.owners, arrays.offsets
    )


def load_tokens(spec: CodecSpec, scales: Floats, stored: StoredTokens) -> TokenArrays:
    """Return a vector for each token that was kept, as exact as the codes: tokens that share one have equal
    ones. `store_tokens` makes the same codes of them again."""
    tokens = spec.vectors(scales).decode(stored.codes)
    offsets = stored.offsets
    if stored.owners is not None and stored.token_offsets is not None:
        firsts = np.repeat(stored.offsets[:-1], np.diff(stored.token_offsets))
        tokens, offsets = tokens[firsts + stored.owners], stored.token_offsets
    none_left = np.zeros(len(tokens) if spec.skip_punctuation else 0, np.bool_)
    return TokenArrays(tokens, offsets, stored.spans, none_left)


def can_convert(old: CodecSpec, new: CodecSpec) -> bool:
    """Whether one codec's tokens can be made from the other's, without the model.

    Nothing that was left out comes back, and stored tokens no longer say which are punctuation. Pooled
    vectors are not pooled again.
    """
    return (
        new.bits <= old.bits
        and old.pooling in (new.pooling, 1)
        and new.skip_punctuation == old.skip_punctuation
    )


def _without_punctuation(arrays: TokenArrays) -> TokenArrays:
    if not len(arrays.punctuation):
        return arrays
    kept = ~arrays.punctuation
    before = np.concatenate([[0], np.cumsum(kept, dtype=np.int64)])
    return TokenArrays(
        arrays.tokens[kept], before[arrays.offsets], arrays.spans[kept], arrays.punctuation[kept]
    )
