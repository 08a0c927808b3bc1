"""The token store: segments that are attached, searched, merged and buried."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ingestion.encoders import Encodings
from ingestion.errors import LibraryDamaged
from ingestion.storage.tokens.codec import CODECS, CodecSpec
from ingestion.storage.tokens.merge import merge
from ingestion.storage.tokens.segment import Segment
from ingestion.storage.tokens.store import TokenSizes, TokenStore
from ingestion.storage.tokens.writing import write_segment


@pytest.fixture
def store(tmp_path: Path) -> TokenStore:
    return TokenStore(tmp_path, np.full(2, 1 / 127, np.float32))


def encodings_of(*passages: list[list[float]]) -> Encodings:
    """Passages of unit vectors with two dimensions; a token's span is its place."""
    tokens = np.array([token for passage in passages for token in passage], np.float32).reshape(-1, 2)
    pooled = np.zeros((len(passages), 3), np.float32)
    spans = [[i, i + 1] for passage in passages for i in range(len(passage))]
    return Encodings(
        cls=pooled,
        mean=pooled,
        tokens=tokens,
        offsets=np.cumsum([0, *map(len, passages)], dtype=np.int64),
        spans=np.array(spans, np.int32).reshape(-1, 2),
    )


RIGHT, UP, LEFT = [1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]
QUERY = np.array([RIGHT, UP], np.float32)


def put(store: TokenStore, name: str, *passages: list[list[float]], version: int = 1) -> str:
    """Write and attach a document's segment."""
    file = f"seg-{name}.tok"
    store.write(file, (name, version), encodings_of(*passages), "m")
    store.attach([file])
    return file


def put_merged(store: TokenStore, *names: str) -> str:
    """Put one segment in the place of those of several documents."""
    files = [f"seg-{name}.tok" for name in names]
    merged = merge([(Segment(store.folder / f), Segment(store.folder / f).document_keys()) for f in files])
    write_segment(store.folder / "merged.tok", merged.file)
    store.swap(files, "merged.tok", [])
    for file in files:
        (store.folder / file).unlink()
    return "merged.tok"


def test_search_by_hand(store: TokenStore) -> None:
    both = [put(store, "a", [RIGHT, UP], [LEFT]), put(store, "b", [RIGHT], [])][::-1]
    found = store.search(QUERY, both, 10).scores
    assert list(found) == ["a:1:0", "b:1:0", "b:1:1", "a:1:1"]
    np.testing.assert_allclose(list(found.values()), [2, 1, 0, -1], atol=1e-6)
    assert list(store.search(QUERY, both, 2).scores) == ["a:1:0", "b:1:0"]
    assert list(store.search(QUERY, ["seg-b.tok"], 10).scores) == ["b:1:0", "b:1:1"]
    assert store.search(QUERY, [], 10).scores == {}
    scored = store.score(QUERY, [("seg-a.tok", "a:1:1"), ("seg-b.tok", "b:1:0"), ("seg-gone.tok", "x:1:0")])
    assert list(scored.scores.items()) == [("a:1:1", found["a:1:1"]), ("b:1:0", found["b:1:0"])]
    assert scored.whole
    assert store.score(QUERY, []).scores == {}


def test_only_what_is_allowed_is_scored(store: TokenStore) -> None:
    put(store, "a", [RIGHT], [UP], [LEFT])
    put(store, "b", [RIGHT], [RIGHT, UP])
    for files in (["seg-a.tok", "seg-b.tok"], [put_merged(store, "a", "b")]):

        def found(allowed: dict[str, list[int] | None] | None, files: list[str] = files) -> list[str]:
            return list(store.search(QUERY, files, 10, allowed).scores)

        assert found(None) == ["b:1:1", "a:1:0", "a:1:1", "b:1:0", "a:1:2"]
        assert found({}) == []
        assert found({"x": None}) == []
        assert found({"b": None}) == ["b:1:1", "b:1:0"]
        assert found({"a": [2, 0, 7], "b": []}) == ["a:1:0", "a:1:2"]


def test_equal_scores_come_in_the_order_of_ids_however_segments_are_cut(store: TokenStore) -> None:
    names = list("dbca")
    apart = [put(store, name, [UP]) for name in names]
    found = list(store.search(QUERY, apart, 2).scores)
    assert found == list(store.search(QUERY, [put_merged(store, *names)], 2).scores) == ["a:1:0", "b:1:0"]


def test_match_by_hand(store: TokenStore) -> None:
    store.write("seg-a.tok", ("a", 1), encodings_of([UP], [RIGHT, LEFT, UP]), "m")
    assert store.match(QUERY, "seg-a.tok", "a:1:1") is None  # not attached
    store.attach(["seg-a.tok"])
    match = store.match(QUERY, "seg-a.tok", "a:1:1")
    assert match is not None
    np.testing.assert_allclose(match.similarities, [[1, -1, 0], [0, 0, 1]], atol=1e-6)
    assert match.spans.tolist() == [[0, 1], [1, 2], [2, 3]]


def test_buried_documents_are_not_found(store: TokenStore) -> None:
    put(store, "a", [RIGHT, UP], [UP])
    put(store, "b", [RIGHT])
    merged = put_merged(store, "a", "b")
    store.tombstone(merged, ("a", 1))
    assert list(store.search(QUERY, [merged], 9).scores) == ["b:1:0"]
    assert list(store.search(QUERY, [merged], 9, {"a": None, "b": None}).scores) == ["b:1:0"]
    again = TokenStore(store.folder, np.full(2, 1 / 127, np.float32))
    again.attach([merged], {merged: [("a", 1)]})
    assert list(again.search(QUERY, [merged], 9).scores) == ["b:1:0"]


def test_readers_keep_what_was_erased_or_merged(store: TokenStore, tmp_path: Path) -> None:
    put(store, "a", [UP])
    ((_, held),) = store.named(["seg-a.tok"])
    segment = store.open_segment("seg-a.tok", held)
    store.erase("seg-a.tok")
    store.erase("seg-a.tok")
    assert list(tmp_path.iterdir()) == []
    assert store.names() == set()
    assert store.search(QUERY, ["seg-a.tok"], 10).scores == {}
    assert segment.codes.tolist() == [[0, 127]]


def test_who_knows_the_former_segments_reads_the_merged_one(store: TokenStore) -> None:
    former = [put(store, "a", [RIGHT, UP]), put(store, "b", [UP])]
    before = store.search(QUERY, former, 9)
    put_merged(store, "a", "b")
    assert store.search(QUERY, former, 9) == before
    assert store.score(QUERY, [("seg-b.tok", "b:1:0")]).scores == {"b:1:0": before.scores["b:1:0"]}
    assert store.match(QUERY, "seg-a.tok", "a:1:0") is not None
    assert store.names() == {"merged.tok"}


def test_a_segment_is_opened_when_it_is_first_read(store: TokenStore, tmp_path: Path) -> None:
    for name in "ab":
        put(store, name, [UP])
    whole = (tmp_path / "seg-a.tok").read_bytes()
    (tmp_path / "seg-a.tok").write_bytes(whole[:50])
    assert store.faults() == {}
    assert store.sizes().tokens == 1
    assert store.search(QUERY, ["seg-b.tok"], 10).scores == {"b:1:0": 1.0}
    found = store.search(QUERY, ["seg-b.tok", "seg-a.tok"], 10)
    assert (found.scores, found.unreadable, found.whole) == ({"b:1:0": 1.0}, ("seg-a.tok",), False)
    assert list(store.faults()) == ["seg-a.tok"]
    assert store.score(QUERY, [("seg-a.tok", "a:1:0")]).unreadable == ("seg-a.tok",)
    with pytest.raises(LibraryDamaged, match="seg-a"):
        store.match(QUERY, "seg-a.tok", "a:1:0")
    (tmp_path / "seg-a.tok").write_bytes(whole)
    assert store.search(QUERY, ["seg-a.tok"], 10).scores == {"a:1:0": 1.0}
    assert store.faults() == {}


def test_a_bad_block_costs_its_own_documents_only(tmp_path: Path) -> None:
    """Three documents of 64 KiB in one segment; a byte of the second is flipped."""
    store = TokenStore(tmp_path, np.full(2, 1 / 127, np.float32))
    for name in "abc":
        put(store, name, [UP] * (1 << 15))
    file = put_merged(store, "a", "b", "c")
    segment = Segment(tmp_path / file)
    place = segment.codes.ctypes.data - segment._map.ctypes.data + (1 << 16) + 100
    data = bytearray((tmp_path / file).read_bytes())
    data[place] ^= 1
    (tmp_path / file).write_bytes(data)
    found = store.search(QUERY, [file], 9)
    assert (list(found.scores), found.lost, found.unreadable) == (["a:1:0", "c:1:0"], frozenset("b"), ())
    found = store.score(QUERY, [(file, "b:1:0"), (file, "c:1:0")])
    assert (list(found.scores), found.lost) == (["c:1:0"], frozenset("b"))
    assert "codes" in str(store.faults()[file])
    with pytest.raises(LibraryDamaged):
        store.match(QUERY, file, "b:1:0")
    assert store.match(QUERY, file, "c:1:0") is not None
    with pytest.raises(LibraryDamaged):
        store.read(tmp_path / file, ("b", 1))
    assert len(store.read(tmp_path / file, ("a", 1))) == 1


def test_what_is_read_is_what_was_written(store: TokenStore, tmp_path: Path) -> None:
    passages: tuple[list[Any], ...] = [RIGHT, UP], [], [LEFT]
    written = encodings_of(*passages)
    put(store, "a", *passages)
    put(store, "b", [UP])
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "b.tok").write_bytes((tmp_path / "seg-a.tok").read_bytes())
    merged = put_merged(store, "b", "a")
    for read in (store.read(elsewhere / "b.tok"), store.read(tmp_path / merged, ("a", 1))):
        for name in ("cls", "mean", "offsets", "spans"):
            np.testing.assert_array_equal(getattr(read, name), getattr(written, name))
            assert getattr(read, name).dtype == getattr(written, name).dtype
        np.testing.assert_allclose(read.tokens, written.tokens, atol=1e-6)
    store.write("seg-c.tok", ("c", 1), read, "m")
    assert store.read(tmp_path / "seg-c.tok").tokens.tolist() == read.tokens.tolist()
    with pytest.raises(LibraryDamaged, match=r"merged\.tok holds several documents"):
        store.read(tmp_path / merged)
    other = TokenStore(tmp_path, np.ones(3, np.float32))
    with pytest.raises(LibraryDamaged, match=r"seg-c\.tok has 2 dimensions, not 3"):
        other.read(tmp_path / "seg-c.tok")


@pytest.mark.parametrize("codec", sorted(CODECS))
def test_every_codec_keeps_what_it_says(tmp_path: Path, codec: str) -> None:
    random, spec = np.random.default_rng(0), CodecSpec.parse(codec)
    lengths = [7, 0, 30, 1]
    tokens = random.normal(size=(sum(lengths), 24)).astype(np.float32)
    tokens /= np.linalg.norm(tokens, axis=1, keepdims=True)
    pooled = np.zeros((len(lengths), 0), np.float32)
    spans = np.arange(2 * len(tokens), dtype=np.int32).reshape(-1, 2)
    offsets = np.cumsum([0, *lengths], dtype=np.int64)
    punctuation = np.arange(len(tokens)) % 5 == 0
    kept = spans[~punctuation] if spec.skip_punctuation else spans
    store = TokenStore(tmp_path, np.full(24, 0.7 / 127, np.float32), spec)
    encodings = Encodings(pooled, pooled, tokens, offsets, spans, punctuation)
    for name in ("first", "a"):
        store.write(f"seg-{name}.tok", (name, 1), encodings, "m")
        store.attach([f"seg-{name}.tok"])
    for merging in (False, True):
        file = put_merged(store, "first", "a") if merging else "seg-a.tok"
        read = store.read(tmp_path / file, ("a", 1))
        np.testing.assert_array_equal(read.spans, kept)
        assert len(read.tokens) == len(kept)
        cosines = np.einsum("tk,tk->t", read.tokens, tokens[spec.skip_punctuation * punctuation == 0])
        assert cosines.min() > (0.8 if spec.pooling == 1 else 0.2)
        query = tokens[:4]
        scores = store.search(query, [file], 10).scores
        for row in (0, 2, 3):
            match = store.match(query, file, f"a:1:{row}")
            assert match is not None
            own = slice(read.offsets[row], read.offsets[row + 1])
            np.testing.assert_allclose(match.similarities, query @ read.tokens[own].T, atol=1e-5)
            np.testing.assert_array_equal(match.spans, read.spans[own])
            best = match.similarities.max(axis=1, initial=-1).sum() if match.similarities.size else 0
            assert abs(scores[f"a:1:{row}"] - best) < 0.05
        # What is read is written as it was.
        store.write("seg-again.tok", ("a", 1), read, "m")
        again = store.read(tmp_path / "seg-again.tok")
        np.testing.assert_array_equal(again.tokens, read.tokens)
        np.testing.assert_array_equal(again.offsets, read.offsets)


def test_what_a_codec_left_out_is_not_made_up(tmp_path: Path) -> None:
    scales = np.full(2, 1 / 127, np.float32)
    coarse = TokenStore(tmp_path, scales, CodecSpec.parse("int4"))
    coarse.write("seg-a.tok", ("a", 1), encodings_of([UP, RIGHT]), "m")
    for codec in ("int8", "int4-nopunct"):
        with pytest.raises(LibraryDamaged, match=f"int4 tokens, which cannot be made {codec} ones"):
            TokenStore(tmp_path, scales, CodecSpec.parse(codec)).read(tmp_path / "seg-a.tok")
    assert len(TokenStore(tmp_path, scales, CodecSpec.parse("int4-pool2")).read(tmp_path / "seg-a.tok")) == 1


def test_sizes_are_those_of_what_is_attached(store: TokenStore, tmp_path: Path) -> None:
    assert store.sizes() == TokenSizes(0, 0, {})
    put(store, "a", [RIGHT, UP], [LEFT])
    store.write("seg-b.tok", ("b", 1), encodings_of([UP]), "m")
    sizes = store.sizes()
    assert (sizes.tokens, sizes.files) == (3, (tmp_path / "seg-a.tok").stat().st_size)
    assert sizes.sections["codes"] == 6
    assert sizes.sections["spans"] == 12
    assert sum(sizes.sections.values()) < sizes.files


def test_verify_checks_what_is_attached(store: TokenStore, tmp_path: Path) -> None:
    put(store, "a", [UP])
    store.verify()
    data = bytearray((tmp_path / "seg-a.tok").read_bytes())
    data[-1] ^= 1
    (tmp_path / "seg-a.tok").write_bytes(data)
    store.attach(["seg-a.tok"])
    with pytest.raises(LibraryDamaged, match="seg-a"):
        store.verify()
