"""Vectors on the disk until their document is committed: the segment is the one that is written at once."""

from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from ingestion.encoders import BLOCK_CHUNKS, Encodings, join
from ingestion.storage.tokens.codec import CODECS, CodecSpec
from ingestion.storage.tokens.staged import StagedVectors
from ingestion.storage.tokens.store import TokenStore
from ingestion.storage.tokens.stored import StoredVectors

DIMENSION = 24
SCALES = np.full(DIMENSION, 0.7 / 127, np.float32)


def encodings_of(lengths: list[int], seed: int = 0) -> Encodings:
    """Passages of so many random tokens each."""
    random = np.random.default_rng(seed)
    tokens = random.normal(size=(sum(lengths), DIMENSION)).astype(np.float32)
    tokens /= np.maximum(np.linalg.norm(tokens, axis=1, keepdims=True), 1e-6)
    pooled = random.normal(size=(len(lengths), 5)).astype(np.float32)
    spans = random.integers(0, 900, (len(tokens), 2)).astype(np.int32)
    return Encodings(
        cls=pooled,
        mean=pooled[:, :0],
        tokens=tokens,
        offsets=np.cumsum([0, *lengths], dtype=np.int64),
        spans=spans,
        punctuation=np.arange(len(tokens)) % 5 == 0,
    )


@pytest.fixture(params=sorted(CODECS))
def store(request: pytest.FixtureRequest, tmp_path: Path) -> TokenStore:
    return TokenStore(tmp_path, SCALES, CodecSpec.parse(request.param))


BLOCKS = [[7, 0, 30], [1], [12, 4, 4, 4]]


def staged_blocks(store: TokenStore) -> tuple[StagedVectors, Encodings]:
    """Stage the blocks; return them, and the same at once."""
    blocks = [encodings_of(lengths, seed) for seed, lengths in enumerate(BLOCKS)]
    staged = store.stage()
    for block in blocks:
        staged.append(block)
    return staged, join(blocks)


def test_what_is_staged_in_blocks_is_written_as_if_at_once(store: TokenStore, tmp_path: Path) -> None:
    staged, whole = staged_blocks(store)
    assert len(staged) == len(whole) == 8
    np.testing.assert_array_equal(np.concatenate(list(staged.pooled("cls"))), whole.cls)
    assert [block.shape for block in staged.pooled("mean")] == [(8, 0)]
    store.write("seg-a.tok", ("a", 1), whole, "m")
    for name in ("seg-b.tok", "seg-c.tok"):  # it may be read again
        store.write(name, ("a", 1), staged, "m")
        assert (tmp_path / name).read_bytes() == (tmp_path / "seg-a.tok").read_bytes()
    staged.close()
    assert {file.name for file in tmp_path.iterdir()} == {"seg-a.tok", "seg-b.tok", "seg-c.tok"}


def test_equal_passages_are_staged_once(store: TokenStore, tmp_path: Path) -> None:
    staged, whole = staged_blocks(store)
    order = [0, 1, 2, 2, 7, 3, 0, 4, 5, 6, 7]
    staged.arrange(order)
    wanted = join([whole.part(place, place + 1) for place in order])
    assert len(staged) == len(order)
    np.testing.assert_array_equal(np.concatenate(list(staged.pooled("cls"))), wanted.cls)
    store.write("seg-a.tok", ("a", 1), wanted, "m")
    store.write("seg-b.tok", ("a", 1), staged, "m")
    assert (tmp_path / "seg-b.tok").read_bytes() == (tmp_path / "seg-a.tok").read_bytes()
    staged.close()


def test_stored_vectors_are_written_again_block_by_block(
    store: TokenStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lengths = [number % 5 for number in range(3 * BLOCK_CHUNKS + 7)]
    store.write("seg-a.tok", ("a", 1), encodings_of(lengths), "m")
    stored = store.stored(tmp_path / "seg-a.tok", ("a", 1))
    asked: list[int] = []
    real = StoredVectors.part

    def part(self: StoredVectors, first: int, last: int) -> Encodings:
        asked.append(last - first)
        return real(self, first, last)

    monkeypatch.setattr(StoredVectors, "part", part)
    store.write("seg-b.tok", ("a", 1), stored, "m")
    assert asked == [BLOCK_CHUNKS, BLOCK_CHUNKS, BLOCK_CHUNKS, 7]
    assert (tmp_path / "seg-b.tok").read_bytes() == (tmp_path / "seg-a.tok").read_bytes()


@pytest.mark.parametrize(
    ("fault", "message"),
    [("span", "a token's span ends at 70000"), ("kind", r"a block of cls is \('<f4', \(3,")],
)
def test_what_a_segment_cannot_hold_is_refused(tmp_path: Path, fault: str, message: str) -> None:
    first, second = encodings_of([2]), encodings_of([3])
    if fault == "span":
        second.spans[1] = 69_999, 70_000
    else:
        second = Encodings(second.cls[:, :3], second.mean, second.tokens, second.offsets, second.spans)
    with closing(TokenStore(tmp_path, SCALES).stage()) as staged:
        staged.append(first)
        with pytest.raises(ValueError, match=message):
            staged.append(second)
    assert list(tmp_path.iterdir()) == []
