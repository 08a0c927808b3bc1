"""Token segments on disk, and the store that searches them."""

import errno
import json
import struct
from pathlib import Path

import numpy as np
import pytest

from ingestion.encoders import Encodings
from ingestion.errors import LibraryDamaged
from ingestion.stores.tokens.codec import Int8Codec
from ingestion.stores.tokens.segment import MAX_CHARACTERS, Segment, SegmentContents, write_segment
from ingestion.stores.tokens.store import TokenSizes, TokenStore


def contents_of(*lengths: int, dimension: int = 4) -> SegmentContents:
    generator = np.random.default_rng(0)
    tokens = sum(lengths)
    return SegmentContents(
        fingerprint="model-1",
        ids=[f"doc:1:{i}" for i in range(len(lengths))],
        codes=generator.integers(-127, 128, (tokens, dimension)).astype(np.int8),
        offsets=np.cumsum([0, *lengths], dtype=np.int64),
        spans=generator.integers(0, MAX_CHARACTERS + 1, (tokens, 2)).astype(np.int32),
        cls=generator.normal(size=(len(lengths), 6)).astype(np.float32),
        mean=generator.normal(size=(len(lengths), 6)).astype(np.float32),
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "seg-a.tok"
    write_segment(path, contents_of(3, 0, 2))
    return path


@pytest.mark.parametrize("lengths", [(3, 0, 2), (0,), (), (1,), (0, 0, 0), (300_000,)], ids=str)
def test_round_trip(tmp_path: Path, lengths: tuple[int, ...]) -> None:
    contents = contents_of(*lengths)
    write_segment(tmp_path / "seg.tok", contents)
    segment = Segment(tmp_path / "seg.tok")
    segment.verify()
    assert (segment.fingerprint, segment.ids) == (contents.fingerprint, contents.ids)
    np.testing.assert_array_equal(segment.codes, contents.codes)
    np.testing.assert_array_equal(segment.offsets, contents.offsets)
    np.testing.assert_array_equal(segment.spans, contents.spans)
    np.testing.assert_array_equal(segment.pooled("cls"), contents.cls)
    np.testing.assert_array_equal(segment.pooled("mean"), contents.mean)
    assert [segment.row(name) for name in contents.ids] == list(range(len(lengths)))
    with pytest.raises(KeyError):
        segment.row("doc:2:0")


def test_sections_lie_on_edges(path: Path) -> None:
    data = path.read_bytes()
    (length,) = struct.unpack("<I", data[8:12])
    header = json.loads(data[12 : 12 + length])
    assert (12 + length) % 64 == 0
    assert all(place["offset"] % 64 == 0 for place in header["sections"].values())
    assert (header["chunks"], header["tokens"], header["dimension"]) == (3, 5, 4)


def test_every_truncation_is_noticed_on_opening(path: Path) -> None:
    data = path.read_bytes()
    for length in range(len(data)):
        path.write_bytes(data[:length])
        with pytest.raises(LibraryDamaged, match=r"seg-a\.tok cannot be read"):
            Segment(path)


def test_no_flipped_byte_passes(path: Path) -> None:
    """Wherever a byte changes, opening or `verify` says so: but for the padding, which is not read, and
    for the words at the header's beginning that only describe."""
    data = path.read_bytes()
    (length,) = struct.unpack("<I", data[8:12])
    header = json.loads(data[12 : 12 + length])
    unread = {*range(12, data.index(b'"checksums"')), *range(12 + len(json.dumps(header)), 12 + length)}
    for name in (b'"dimension": ', b'"codec": "'):
        unread.remove(data.index(name) + len(name))
    ends = [12 + length]
    for place in header["sections"].values():
        start = 12 + length + place["offset"]
        unread |= set(range(ends[-1], start))
        ends.append(start + int(np.dtype(place["dtype"]).itemsize * np.prod(place["shape"])))
    passed = []
    for position in range(len(data)):
        if position in unread:
            continue
        path.write_bytes(data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :])
        try:
            Segment(path).verify()
        except LibraryDamaged as error:
            assert "seg-a.tok" in str(error)  # noqa: PT017
        else:
            passed.append(position)
    assert passed == []


def test_verify_names_the_section(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(LibraryDamaged, match=r"seg-a\.tok fails its checksum in mean"):
        Segment(path).verify()


@pytest.mark.parametrize(
    "data", [b"", b"RAGTOK1\n", b"RAGTOK2\n" + bytes(200), b"RAGTOK1\n\2\0\0\0[]", b"%PDF-1.7" * 100], ids=str
)
def test_a_file_that_is_no_segment(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x.tok").write_bytes(data)
    with pytest.raises(LibraryDamaged, match=r"x\.tok cannot be read: "):
        Segment(tmp_path / "x.tok")


def test_a_missing_segment(tmp_path: Path) -> None:
    with pytest.raises(LibraryDamaged, match=r"gone\.tok cannot be read: .*No such file"):
        Segment(tmp_path / "gone.tok")


@pytest.mark.parametrize("step", ["os.fsync", "pathlib.Path.replace"])
def test_a_failed_write_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    def full(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(step, full)
    with pytest.raises(OSError, match="No space left"):
        write_segment(tmp_path / "seg.tok", contents_of(2))
    assert list(tmp_path.iterdir()) == []


def test_a_span_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    contents = contents_of(2)
    contents.spans[1, 1] = MAX_CHARACTERS + 1
    with pytest.raises(ValueError, match="65536"):
        write_segment(tmp_path / "seg.tok", contents)
    assert list(tmp_path.iterdir()) == []


# The store


@pytest.fixture
def store(tmp_path: Path) -> TokenStore:
    return TokenStore(tmp_path, Int8Codec(np.full(2, 1 / 127, np.float32)))


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


def test_search_by_hand(store: TokenStore) -> None:
    store.write("seg-a.tok", ["a:1:0", "a:1:1"], encodings_of([RIGHT, UP], [LEFT]), "m")
    store.write("seg-b.tok", ["b:1:0", "b:1:1"], encodings_of([RIGHT], []), "m")
    store.attach(["seg-a.tok", "seg-b.tok"])
    both = ["seg-b.tok", "seg-a.tok"]
    found = store.search(QUERY, both, 10)
    assert [name for name, _ in found] == ["a:1:0", "b:1:0", "b:1:1", "a:1:1"]
    np.testing.assert_allclose([score for _, score in found], [2, 1, 0, -1], atol=1e-6)
    assert store.search(QUERY, both, 2) == found[:2]
    assert [name for name, _ in store.search(QUERY, ["seg-b.tok"], 10)] == ["b:1:0", "b:1:1"]
    assert store.search(QUERY, [], 10) == []
    assert store.score(QUERY, [("seg-a.tok", "a:1:1"), ("seg-b.tok", "b:1:0")]) == {
        "a:1:1": found[3][1], "b:1:0": found[1][1],
    }  # fmt: skip
    assert store.score(QUERY, []) == {}
    assert store.score(QUERY, [("seg-gone.tok", "x:1:0")]) == {}


def test_equal_scores_come_in_the_order_of_ids_however_segments_are_cut(store: TokenStore) -> None:
    names = [f"{letter}:1:0" for letter in "dbca"]
    for name in names:
        store.write(f"seg-{name[0]}.tok", [name], encodings_of([UP]), "m")
    store.write("seg-all.tok", names, encodings_of(*([[UP]] * 4)), "m")
    store.attach(["seg-all.tok", *(f"seg-{name[0]}.tok" for name in names)])
    apart = [name for name, _ in store.search(QUERY, [f"seg-{name[0]}.tok" for name in names], 2)]
    assert apart == [name for name, _ in store.search(QUERY, ["seg-all.tok"], 2)] == ["a:1:0", "b:1:0"]


def test_match_by_hand(store: TokenStore) -> None:
    store.write("seg-a.tok", ["a:1:0", "a:1:1"], encodings_of([UP], [RIGHT, LEFT, UP]), "m")
    assert store.match(QUERY, "seg-a.tok", "a:1:1") is None  # not attached
    store.attach(["seg-a.tok"])
    match = store.match(QUERY, "seg-a.tok", "a:1:1")
    assert match is not None
    np.testing.assert_allclose(match.similarities, [[1, -1, 0], [0, 0, 1]], atol=1e-6)
    assert match.spans.tolist() == [[0, 1], [1, 2], [2, 3]]


def test_erased_segments_are_gone_and_readers_keep_theirs(store: TokenStore, tmp_path: Path) -> None:
    store.write("seg-a.tok", ["a:1:0"], encodings_of([UP]), "m")
    store.attach(["seg-a.tok"])
    (held,) = store._opened(["seg-a.tok"])
    store.erase("seg-a.tok")
    store.erase("seg-a.tok")
    assert list(tmp_path.iterdir()) == []
    assert store.names() == set()
    assert store.search(QUERY, ["seg-a.tok"], 10) == []
    assert held.codes.tolist() == [[0, 127]]


def test_a_segment_is_opened_when_it_is_first_read(store: TokenStore, tmp_path: Path) -> None:
    for name in "ab":
        store.write(f"seg-{name}.tok", [f"{name}:1:0"], encodings_of([UP]), "m")
    whole = (tmp_path / "seg-a.tok").read_bytes()
    (tmp_path / "seg-a.tok").write_bytes(whole[:50])
    store.attach(["seg-a.tok", "seg-b.tok"])
    assert store.faults() == {}
    assert store.sizes() == TokenSizes(1, 2, (tmp_path / "seg-b.tok").stat().st_size)
    assert store.search(QUERY, ["seg-b.tok"], 10) == [("b:1:0", 1.0)]
    for read in (
        lambda: store.search(QUERY, ["seg-b.tok", "seg-a.tok"], 10),
        lambda: store.score(QUERY, [("seg-a.tok", "a:1:0")]),
        lambda: store.match(QUERY, "seg-a.tok", "a:1:0"),
    ):
        with pytest.raises(LibraryDamaged, match="seg-a"):
            read()
        assert list(store.faults()) == ["seg-a.tok"]
    (tmp_path / "seg-a.tok").write_bytes(whole)
    assert store.search(QUERY, ["seg-a.tok"], 10) == [("a:1:0", 1.0)]
    assert store.faults() == {}


def test_what_is_read_is_what_was_written(store: TokenStore, tmp_path: Path) -> None:
    written = encodings_of([RIGHT, UP], [], [LEFT])
    store.write("seg-a.tok", ["a:1:0", "a:1:1", "a:1:2"], written, "m")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "seg-a.tok").rename(elsewhere / "b.tok")
    read = store.read(elsewhere / "b.tok")
    for name in ("cls", "mean", "offsets", "spans"):
        np.testing.assert_array_equal(getattr(read, name), getattr(written, name))
        assert getattr(read, name).dtype == getattr(written, name).dtype
    np.testing.assert_allclose(read.tokens, written.tokens, atol=1e-6)
    store.write("seg-b.tok", ["b:1:0", "b:1:1", "b:1:2"], read, "m")
    assert store.read(tmp_path / "seg-b.tok").tokens.tolist() == read.tokens.tolist()
    other = TokenStore(tmp_path, Int8Codec(np.ones(3, np.float32)))
    with pytest.raises(LibraryDamaged, match=r"seg-b\.tok has 2 dimensions, not 3"):
        other.read(tmp_path / "seg-b.tok")


def test_sizes_are_those_of_what_is_attached(store: TokenStore, tmp_path: Path) -> None:
    assert store.sizes() == TokenSizes(0, 0, 0)
    store.write("seg-a.tok", ["a:1:0", "a:1:1"], encodings_of([RIGHT, UP], [LEFT]), "m")
    store.write("seg-b.tok", ["b:1:0"], encodings_of([UP]), "m")
    store.attach(["seg-a.tok"])
    assert store.sizes() == TokenSizes(3, 6, (tmp_path / "seg-a.tok").stat().st_size)


def test_verify_checks_what_is_attached(store: TokenStore, tmp_path: Path) -> None:
    store.write("seg-a.tok", ["a:1:0"], encodings_of([UP]), "m")
    store.attach(["seg-a.tok"])
    store.verify()
    data = bytearray((tmp_path / "seg-a.tok").read_bytes())
    data[-1] ^= 1
    (tmp_path / "seg-a.tok").write_bytes(data)
    store.attach(["seg-a.tok"])
    with pytest.raises(LibraryDamaged, match="seg-a"):
        store.verify()
