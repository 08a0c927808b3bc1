"""Chroma behind the store's few calls."""

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from ingestion.errors import LibraryDamaged, LibraryError
from ingestion.storage.vectors.store import VectorStore, embedded_chroma


def opened(folder: Path) -> VectorStore:
    return VectorStore(partial(embedded_chroma, folder), folder)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[VectorStore]:
    store = opened(tmp_path)
    yield store
    store.close()


def vectors_of(*rows: list[float]) -> NDArray[np.float32]:
    return np.array(rows, np.float32)


def test_cosines_by_hand(store: VectorStore) -> None:
    store.upsert(1, "mean", ["a:1:0", "a:1:1", "b:1:0"], vectors_of([1, 0], [0, 1], [-3, 0]), [1, 2, 1])
    found = store.query(1, "mean", vectors_of([2, 0])[0], 10)
    assert [name for name, _ in found] == ["a:1:0", "a:1:1", "b:1:0"]
    np.testing.assert_allclose([score for _, score in found], [1, 0, -1], atol=1e-6)
    assert store.query(1, "mean", vectors_of([2, 0])[0], 1) == found[:1]


def test_documents_narrow_and_none_finds_nothing(store: VectorStore) -> None:
    store.upsert(1, "cls", ["a:1:0", "b:1:0"], vectors_of([1, 0], [0, 1]), [1, 2])
    query = vectors_of([1, 0])[0]
    assert [name for name, _ in store.query(1, "cls", query, 9, frozenset({"b"}))] == ["b:1:0"]
    assert store.query(1, "cls", query, 9, frozenset({"c"})) == []
    assert store.query(1, "cls", query, 9, frozenset()) == []


def test_pages_narrow(store: VectorStore) -> None:
    store.upsert(1, "cls", ["a:1:0", "a:1:1", "b:1:0"], vectors_of([1, 0], [0, 1], [1, 1]), [1, 2, 3])
    query = vectors_of([1, 0])[0]
    assert [name for name, _ in store.query(1, "cls", query, 9, pages=(2, 3))] == ["b:1:0", "a:1:1"]
    assert [name for name, _ in store.query(1, "cls", query, 9, frozenset({"a"}), (2, 3))] == ["a:1:1"]
    assert store.query(1, "cls", query, 9, frozenset({"b"}), (1, 2)) == []


def test_calls_wait_while_the_folder_is_exchanged(store: VectorStore, tmp_path: Path) -> None:
    store.upsert(1, "cls", ["a:1:0"], vectors_of([1, 0]), [1])
    query = vectors_of([1, 0])[0]
    with ThreadPoolExecutor(2) as pool:
        with store.set_aside():
            asked = pool.submit(store.query, 1, "cls", query, 9)
            listed = pool.submit(store.ids, 1, "cls")
            assert not wait([asked], timeout=0.2).done
            assert not listed.done()
        assert asked.result() == [("a:1:0", pytest.approx(1.0))]
        assert listed.result() == {"a:1:0"}


def test_representations_are_apart_and_dropped_alone(store: VectorStore) -> None:
    store.upsert(1, "cls", ["a:1:0"], vectors_of([1, 0]), [1])
    store.upsert(1, "cls", ["a:1:0"], vectors_of([1, 0, 0]), [1], representation=2)
    store.upsert(12, "cls", ["b:1:0"], vectors_of([1, 0, 0]), [1], representation=2)
    store.delete(1, ["a:1:0"], representation=1)
    assert (store.ids(1, "cls"), store.ids(1, "cls", representation=2)) == (set(), {"a:1:0"})
    store.drop(collection_id=1)
    assert store.names() == {"c12-cls-r2"}
    store.drop(representation=2)
    assert store.names() == set()


def test_collections_and_poolings_are_apart(store: VectorStore) -> None:
    store.upsert(1, "cls", ["a:1:0"], vectors_of([1, 0]), [1])
    store.upsert(2, "cls", ["b:1:0"], vectors_of([1, 0]), [1])
    assert (store.ids(1, "cls"), store.ids(2, "cls")) == ({"a:1:0"}, {"b:1:0"})
    assert store.ids(1, "mean") == set()
    assert store.query(1, "mean", vectors_of([1, 0])[0], 9) == []


def test_writing_again_replaces_and_deleting_again_does_nothing(store: VectorStore) -> None:
    store.upsert(1, "cls", ["a:1:0", "a:1:1"], vectors_of([1, 0], [0, 1]), [1, 2])
    store.upsert(1, "cls", ["a:1:0"], vectors_of([0, 1]), [1])
    assert store.query(1, "cls", vectors_of([0, 1])[0], 9)[0][1] == pytest.approx(1)
    store.delete(1, ["a:1:0", "z:9:9"])
    store.delete(1, ["a:1:0"])
    assert store.ids(1, "cls") == {"a:1:1"}
    store.delete(7, ["a:1:1"])  # a collection without vectors
    store.delete(1, [])
    store.upsert(1, "cls", [], vectors_of().reshape(0, 2), [])
    assert store.ids(1, "cls") == {"a:1:1"}


def test_batches_are_no_larger_than_chroma_takes(store: VectorStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store._client, "get_max_batch_size", lambda: 3)
    names = [f"a:1:{i}" for i in range(8)]
    store.upsert(1, "cls", names, np.eye(8, dtype=np.float32), [1] * 8)
    assert store.ids(1, "cls") == set(names)
    assert store.query(1, "cls", np.eye(8, dtype=np.float32)[7], 1)[0][0] == "a:1:7"
    store.delete(1, names[:7])
    assert store.ids(1, "cls") == {"a:1:7"}


@pytest.mark.slow
def test_reopening_finds_more_than_a_thousand_vectors(tmp_path: Path) -> None:
    """A public report (chroma-core/chroma #7090) says that such an index may not load again."""
    vectors = np.random.default_rng(0).normal(size=(1500, 16)).astype(np.float32)
    names = [f"d{i % 3}:1:{i}" for i in range(1500)]
    for _ in range(2):
        store = opened(tmp_path)
        store.upsert(1, "mean", names, vectors, [1] * len(names))
        store.close()
    store = opened(tmp_path)
    assert store.ids(1, "mean") == set(names)
    nearest = [store.query(1, "mean", vector, 1)[0] for vector in vectors[::50]]
    assert [name for name, _ in nearest] == names[::50]
    np.testing.assert_allclose([score for _, score in nearest], 1, atol=1e-5)
    assert len(store.query(1, "mean", vectors[0], 1000)) == 1000
    store.delete(1, names[:1400])
    store.close()
    store = opened(tmp_path)
    assert {name for name, _ in store.query(1, "mean", vectors[0], 1000)} == set(names[1400:])
    store.close()


def test_a_damaged_chroma_says_so(tmp_path: Path) -> None:
    (tmp_path / "chroma.sqlite3").write_bytes(b"This is no database. " * 500)
    store = opened(tmp_path)
    for _ in range(2):
        with pytest.raises(LibraryDamaged, match=r"Chroma cannot open .*colbert and bm25 still work"):
            store.query(1, "cls", vectors_of([1, 0])[0], 9)
    with pytest.raises(LibraryDamaged, match="not a database"):
        store.upsert(1, "cls", ["a:1:0"], vectors_of([1, 0]), [1])
    with pytest.raises(LibraryDamaged, match="not a database"):
        store.delete(1, ["a:1:0"])
    store.close()


def test_a_damaged_index_says_so(tmp_path: Path) -> None:
    vectors = np.random.default_rng(0).normal(size=(1100, 4)).astype(np.float32)
    store = opened(tmp_path)
    store.upsert(1, "cls", [f"a:1:{i}" for i in range(1100)], vectors, [1] * 1100)
    store.close()
    store = opened(tmp_path)
    store.names()
    for file in tmp_path.rglob("*.bin"):
        file.write_bytes(b"junk")
    with pytest.raises(LibraryDamaged, match=r"Chroma cannot search its cls index: .*colbert and bm25"):
        store.query(1, "cls", vectors[0], 9)
    with pytest.raises(LibraryError, match="Chroma cannot write its index"):
        store.delete(1, ["a:1:0"])
    store.close()


@pytest.mark.parametrize("count", [10, 2500])  # Chroma writes vectors into its index from 1,000 on
def test_unused_room_of_an_index_is_cleared_and_nothing_else(tmp_path: Path, count: int) -> None:
    rows = np.random.default_rng(0).normal(size=(count, 8)).astype(np.float32)
    store = opened(tmp_path)
    store.upsert(1, "cls", [f"a:1:{row}" for row in range(count)], rows, [1] * count)
    nearest = [store.query(1, "cls", row, 5) for row in rows[::50]]
    store.close()
    (file,) = tmp_path.glob("*/data_level0.bin")
    before = file.read_bytes()
    assert any(before) == (count > 10)
    with file.open("ab") as stream:
        stream.write((b"confidential" * 100)[: 172 * 5])  # whole elements
    again = opened(tmp_path)
    assert [again.query(1, "cls", row, 5) for row in rows[::50]] == nearest
    after = file.read_bytes()
    assert after[: len(before)] == before
    assert not any(after[len(before) :])
    again.close()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="fills the memory by the C library's own functions")
def test_memory_that_was_freed_is_not_written(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", FREED_MEMORY, str(tmp_path)], check=True, timeout=120)
    assert done.returncode == 0
    files = list(tmp_path.glob("*/data_level0.bin"))
    assert len(files) == 4
    assert not [file for file in files if b"confidential" in file.read_bytes()]


# Threads end and leave freed memory full of words to those that come after them, as parsing does.
FREED_MEMORY = """
import ctypes, sys, threading
from functools import partial
from pathlib import Path
import numpy as np
from ingestion.storage.vectors.store import VectorStore, embedded_chroma

libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
libc.free.argtypes = [ctypes.c_void_p]
libc.free(libc.malloc(30_000_000))  # from now on large pieces come from what was freed

def fill():
    pieces = [libc.malloc(120_000) for _ in range(300)]
    for piece in pieces:
        ctypes.memmove(piece, b"confidential" * 10_000, 120_000)
    libc.malloc(1000)
    for piece in pieces:
        libc.free(piece)

threads = [threading.Thread(target=fill) for _ in range(24)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
folder = Path(sys.argv[1])
store = VectorStore(partial(embedded_chroma, folder), folder)
vectors = np.eye(5, 384, dtype=np.float32)
for collection in range(4):
    store.upsert(collection, "mean", [f"a:1:{i}" for i in range(5)], vectors, [1] * 5)
    store.query(collection, "mean", vectors[0], 3)
import os
os._exit(0)  # without closing
"""


def test_vectors_are_read_in_the_order_asked_for(store: VectorStore) -> None:
    ids = ["a:1:0", "a:1:1", "b:1:0"]
    store.upsert(1, "mean", ids, vectors_of([1, 0], [0, 1], [0.6, 0.8]), [1, 2, 1])
    known, vectors = store.read(1, "mean", ["b:1:0", "gone:1:0", "a:1:0"])
    assert known == ["b:1:0", "a:1:0"]
    np.testing.assert_allclose(vectors, np.array([[0.6, 0.8], [1, 0]]), atol=1e-6)
    assert vectors.dtype == np.float32
    assert store.read(1, "mean", ["gone:1:0"])[0] == []
    assert store.read(1, "mean", [])[0] == []
