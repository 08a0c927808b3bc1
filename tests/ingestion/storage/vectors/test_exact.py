"""The scan of all stored vectors: nothing nearer is missing, however the segments are cut."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from ingestion.encoders import Encodings
from ingestion.storage.tokens.merge import merge
from ingestion.storage.tokens.segment import Segment
from ingestion.storage.tokens.store import TokenStore
from ingestion.storage.tokens.writing import write_segment
from ingestion.storage.vectors.exact import VectorScan

Floats = NDArray[np.float32]
WIDTH = 24


@pytest.fixture
def store(tmp_path: Path) -> TokenStore:
    return TokenStore(tmp_path, np.full(2, 1 / 127, np.float32))


def put(store: TokenStore, name: str, vectors: Floats) -> str:
    """Write and attach the segment of a document whose chunks have these mean vectors."""
    count = len(vectors)
    tokens = np.tile(np.array([1.0, 0.0], np.float32), (count, 1))
    offsets, spans = np.arange(count + 1, dtype=np.int64), np.tile(np.array([0, 1], np.int32), (count, 1))
    cls = np.ascontiguousarray(vectors[:, ::-1])
    store.write(f"{name}.tok", (name, 1), Encodings(cls, vectors, tokens, offsets, spans), "m")
    store.attach([f"{name}.tok"])
    return f"{name}.tok"


def vectors_of(count: int, seed: int, *, is_unit: bool = True) -> Floats:
    some = np.random.default_rng(seed).normal(size=(count, WIDTH)).astype(np.float32)
    return some / np.linalg.norm(some, axis=1, keepdims=True) if is_unit else some


def by_hand(vectors: dict[str, Floats], question: Floats, limit: int) -> list[str]:
    """Return the nearest chunks, computed apart from the store in float64."""
    pairs = []
    for name, rows in vectors.items():
        for ordinal, row in enumerate(rows.astype(np.float64)):
            cosine = row @ question.astype(np.float64) / np.linalg.norm(row) / np.linalg.norm(question)
            pairs.append((-cosine, f"{name}:1:{ordinal}"))
    return [chunk for _, chunk in sorted(pairs)[:limit]]


@pytest.mark.parametrize("is_unit", [True, False])
def test_the_nearest_of_all(store: TokenStore, is_unit: bool) -> None:
    vectors = {name: vectors_of(300, seed, is_unit=is_unit) for seed, name in enumerate("abc")}
    files = [put(store, *item) for item in vectors.items()]
    for seed in range(20):
        question = 3 * vectors_of(1, 100 + seed)[0]
        found = VectorScan().nearest(store, files, "mean", question, 40)
        assert found is not None
        assert [chunk for chunk, _ in found] == by_hand(vectors, question, 40)
        assert all(-1.0001 <= cosine <= 1.0001 for _, cosine in found)


def test_each_pooling_has_its_own_vectors(store: TokenStore) -> None:
    vectors = vectors_of(50, 1)
    file, scan, question = put(store, "a", vectors), VectorScan(), vectors[7]
    ((nearest, cosine),) = scan.nearest(store, [file], "mean", question, 1) or [("", 0.0)]
    assert (nearest, cosine) == ("a:1:7", pytest.approx(1))
    ((nearest, cosine),) = scan.nearest(store, [file], "cls", question[::-1].copy(), 1) or [("", 0.0)]
    assert (nearest, cosine) == ("a:1:7", pytest.approx(1))


def test_equal_vectors_are_in_the_order_of_their_ids(store: TokenStore) -> None:
    same = np.tile(vectors_of(1, 1), (30, 1))
    files = [put(store, name, same) for name in "ba"]
    found = VectorScan().nearest(store, files, "mean", same[0], 5)
    assert [chunk for chunk, _ in found or ()] == [f"a:1:{n}" for n in (0, 1, 10, 11, 12)]
    assert len({cosine for _, cosine in found or ()}) == 1


def test_merged_segments_give_the_same_bit_by_bit(store: TokenStore) -> None:
    files = [put(store, name, vectors_of(count, count)) for name, count in (("a", 37), ("b", 5), ("c", 111))]
    questions = vectors_of(10, 9)
    before = [VectorScan().nearest(store, files, "mean", one, 60) for one in questions]
    parts = [(Segment(store.folder / f), Segment(store.folder / f).document_keys()) for f in files]
    write_segment(store.folder / "merged.tok", merge(parts).file)
    store.swap(files, "merged.tok", [])
    assert [VectorScan().nearest(store, files, "mean", one, 60) for one in questions] == before


def test_only_what_may_be_found(store: TokenStore) -> None:
    vectors = vectors_of(10, 3)
    files = [put(store, name, vectors) for name in "ab"]
    scan = VectorScan()

    def chunks(allowed: dict[str, list[int] | None] | None) -> list[str]:
        return sorted(c for c, _ in scan.nearest(store, files, "mean", vectors[0], 99, allowed) or ())

    assert len(chunks(None)) == 20
    assert chunks({"a": [3, 4], "b": None}) == sorted(["a:1:3", "a:1:4", *(f"b:1:{n}" for n in range(10))])
    assert chunks({}) == []
    store.tombstone("a.tok", ("a", 1))
    assert chunks(None) == sorted(f"b:1:{n}" for n in range(10))
    assert scan.nearest(store, [], "mean", vectors[0], 5) == []


def test_more_than_can_be_scanned_is_left_to_chroma(store: TokenStore) -> None:
    vectors = vectors_of(10, 3)
    file = put(store, "a", vectors)
    assert VectorScan(most=9).nearest(store, [file], "mean", vectors[0], 5) is None
    assert len(VectorScan(most=9).nearest(store, [file], "mean", vectors[0], 5, {"a": [1, 2]}) or ()) == 2


def test_damage_is_left_to_chroma(store: TokenStore) -> None:
    vectors = vectors_of(64, 3)
    file = put(store, "a", vectors)
    whole = (store.folder / file).read_bytes()
    place = whole.index(vectors.tobytes())
    (store.folder / file).write_bytes(whole[:place] + b"\xff\xff\xff\xff" + whole[place + 4 :])
    assert VectorScan().nearest(store, [file], "mean", vectors[0], 5) is None
    (store.folder / file).write_bytes(b"")
    again = TokenStore(store.folder, np.full(2, 1 / 127, np.float32))
    again.attach([file])
    assert VectorScan().nearest(again, [file], "mean", vectors[0], 5) is None
