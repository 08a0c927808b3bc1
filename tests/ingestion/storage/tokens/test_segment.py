"""Token segments on disk."""

import errno
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ingestion.errors import LibraryDamaged
from ingestion.storage.tokens.layout import BLOCK, MAX_CHARACTERS, START, Section
from ingestion.storage.tokens.merge import merge
from ingestion.storage.tokens.segment import Segment
from ingestion.storage.tokens.writing import SegmentContents, SegmentData, write_segment


def contents_of(
    *lengths: int, dimension: int = 4, document: str = "doc", pooled: bool = False
) -> SegmentContents:
    """A document whose chunks have so many tokens; pooled: two tokens share a vector."""
    generator = np.random.default_rng(0)
    tokens = sum(lengths)
    kept = [-(-length // 2) for length in lengths] if pooled else list(lengths)
    owners = [np.arange(length) // 2 for length in lengths]
    return SegmentContents(
        fingerprint="model-1",
        codec="int8",
        dimension=dimension,
        documents=[((document, 1), len(lengths))],
        codes=generator.integers(-127, 128, (sum(kept), dimension)).astype(np.int8),
        offsets=np.cumsum([0, *kept], dtype=np.int64),
        spans=generator.integers(0, MAX_CHARACTERS + 1, (tokens, 2)).astype(np.int32),
        cls=generator.normal(size=(len(lengths), 6)).astype(np.float32),
        mean=generator.normal(size=(len(lengths), 6)).astype(np.float32),
        owners=np.concatenate([np.zeros(0, np.int64), *owners]) if pooled else None,
        token_offsets=np.cumsum([0, *lengths], dtype=np.int64) if pooled else None,
    )


def written(path: Path, contents: SegmentContents) -> Path:
    write_segment(path, contents.file())
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return written(tmp_path / "seg-a.tok", contents_of(3, 0, 2))


@pytest.mark.parametrize("pooled", [False, True])
@pytest.mark.parametrize("lengths", [(3, 0, 2), (0,), (), (1,), (0, 0, 0), (100_000,)], ids=str)
def test_round_trip(tmp_path: Path, lengths: tuple[int, ...], pooled: bool) -> None:
    contents = contents_of(*lengths, pooled=pooled)
    segment = Segment(written(tmp_path / "seg.tok", contents))
    segment.verify()
    assert (segment.fingerprint, segment.codec, segment.dimension) == ("model-1", "int8", 4)
    for name in ("codes", "offsets", "spans"):
        np.testing.assert_array_equal(getattr(segment, name), getattr(contents, name))
    for name in ("cls", "mean"):
        np.testing.assert_array_equal(segment.pooled(name), getattr(contents, name))
    np.testing.assert_array_equal(
        segment.token_offsets, contents.offsets if contents.token_offsets is None else contents.token_offsets
    )
    if contents.owners is None:
        assert segment.owners is None
    else:
        np.testing.assert_array_equal(segment.owners, contents.owners)
    ids = [f"doc:1:{i}" for i in range(len(lengths))]
    assert segment.chunk_ids(range(len(lengths))) == ids
    assert [segment.row(chunk) for chunk in ids] == list(range(len(lengths)))
    assert segment.document_keys() == [("doc", 1)]
    for unknown in ("doc:2:0", "other:1:0"):
        with pytest.raises(KeyError):
            segment.row(unknown)


def layout_of(path: Path) -> tuple[int, dict[str, Any]]:
    data = path.read_bytes()
    _, length, _ = START.unpack(data[: START.size])
    return START.size + length, json.loads(data[START.size : START.size + length])


def test_sections_lie_on_edges(path: Path) -> None:
    base, header = layout_of(path)
    assert base % 64 == 0
    assert all(place["offset"] % 64 == 0 for place in header["sections"].values())
    assert header["dimension"] == 4


def test_every_truncation_is_noticed_on_opening(path: Path) -> None:
    data = path.read_bytes()
    for length in range(len(data)):
        path.write_bytes(data[:length])
        with pytest.raises(LibraryDamaged, match=r"seg-a\.tok cannot be read"):
            Segment(path)


def test_no_flipped_byte_passes(path: Path) -> None:
    """Wherever a byte changes, opening or `verify` says so: but for the padding, which is not read."""
    data = path.read_bytes()
    base, header = layout_of(path)
    unread: set[int] = set()
    end = base
    for place in header["sections"].values():
        start = base + place["offset"]
        unread |= set(range(end, start))
        end = start + int(np.dtype(place["dtype"]).itemsize * np.prod(place["shape"]))
    passed = []
    for position in set(range(len(data))) - unread:
        path.write_bytes(data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :])
        try:
            Segment(path).verify()
        except LibraryDamaged as error:
            assert "seg-a.tok" in str(error)  # noqa: PT017
        else:
            passed.append(position)
    assert passed == []


def flip(path: Path, name: str, row: int) -> None:
    """Change a byte of a section's row."""
    base, header = layout_of(path)
    place = header["sections"][name]
    width = np.dtype(place["dtype"]).itemsize * int(np.prod(place["shape"][1:]))
    data = bytearray(path.read_bytes())
    data[base + place["offset"] + row * width] ^= 1
    path.write_bytes(data)


def test_a_bad_block_is_named_when_it_is_touched(tmp_path: Path) -> None:
    """1,000 chunks of 100 tokens: 16 KB a chunk, so that a block has four of them or so."""
    path = written(tmp_path / "seg.tok", contents_of(*([100] * 1000), dimension=160))
    flip(path, "codes", 500 * 100 + 50)
    segment = Segment(path)
    segment.touch_rows(0, 490)
    segment.touch_rows(510, 1000)
    with pytest.raises(LibraryDamaged, match=r"seg\.tok fails its checksum in codes"):
        segment.touch_rows(490, 501)
    rows = np.array([3, 500, 700])
    assert segment.sound(rows[[0, 2]]) is not None
    np.testing.assert_array_equal(segment.sound(rows), [3, 700])
    sound = segment.sound(None)
    assert sound is not None
    lost = set(range(1000)) - set(sound.tolist())
    assert 500 in lost
    assert len(lost) <= BLOCK // 16_000 + 2
    assert lost == set(range(min(lost), max(lost) + 1))
    whole = Segment(written(tmp_path / "whole.tok", contents_of(*([100] * 1000), dimension=160)))
    assert whole.sound(None) is None
    assert whole.sound(rows) is rows


def test_verify_names_the_section(path: Path) -> None:
    flip(path, "mean", 2)
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
        written(tmp_path / "seg.tok", contents_of(2))
    assert list(tmp_path.iterdir()) == []


def test_what_does_not_fit_is_refused(tmp_path: Path) -> None:
    contents = contents_of(2)
    contents.spans[1, 1] = MAX_CHARACTERS + 1
    with pytest.raises(ValueError, match="65536"):
        written(tmp_path / "seg.tok", contents)
    with pytest.raises(ValueError, match="is no document id of 1 to 24 bytes"):
        written(tmp_path / "seg.tok", contents_of(2, document="x" * 25))
    with pytest.raises(ValueError, match="a chunk has 100000 vectors, more than 65536"):
        written(tmp_path / "seg.tok", contents_of(200_000, pooled=True))
    short = Section("<f4", (3, 2), [np.zeros((2, 2), np.float32)])
    with pytest.raises(ValueError, match="the parts of mean have 2 rows, not 3"):
        write_segment(tmp_path / "seg.tok", SegmentData("m", "int8", 4, {"mean": short}))
    wide = Section("<f4", (2, 3), [np.zeros((2, 2), np.float32)])
    with pytest.raises(ValueError, match=r"a part of mean has the shape \(2, 2\)"):
        write_segment(tmp_path / "seg.tok", SegmentData("m", "int8", 4, {"mean": wide}))
    assert list(tmp_path.iterdir()) == []


# Merging


@pytest.mark.parametrize("pooled", [False, True])
def test_merged_documents_are_what_they_were(tmp_path: Path, pooled: bool) -> None:
    lengths = {"a": (3, 0, 2), "b": (), "c": (5,), "d": (1, 1)}
    contents = {name: contents_of(*some, document=name, pooled=pooled) for name, some in lengths.items()}
    segments = {name: Segment(written(tmp_path / f"{name}.tok", one)) for name, one in contents.items()}
    both = merge([(segments["a"], [("a", 1)]), (segments["b"], [("b", 1)]), (segments["c"], [("c", 1)])])
    write_segment(tmp_path / "first.tok", both.file)
    first = Segment(tmp_path / "first.tok")
    assert both.documents == [(("a", 1), 3), (("b", 1), 0), (("c", 1), 1)]
    # Once more, without "a", which was deleted.
    rest = merge([(first, [("b", 1), ("c", 1)]), (segments["d"], [("d", 1)])])
    write_segment(tmp_path / "second.tok", rest.file)
    second = Segment(tmp_path / "second.tok")
    for segment, names in ((first, "abc"), (second, "bcd")):
        segment.verify()
        assert [key[0] for key in segment.document_keys()] == list(names)
        assert segment.chunk_ids(range(len(segment))) == [
            f"{name}:1:{i}" for name in names for i in range(len(lengths[name]))
        ]
        for name in names:
            rows, own = segment.rows((name, 1)), contents[name]
            first_vector, last_vector = segment.offsets[rows.start], segment.offsets[rows.stop]
            tokens = slice(segment.token_offsets[rows.start], segment.token_offsets[rows.stop])
            np.testing.assert_array_equal(segment.codes[first_vector:last_vector], own.codes)
            np.testing.assert_array_equal(
                segment.offsets[rows.start : rows.stop + 1] - first_vector, own.offsets
            )
            np.testing.assert_array_equal(segment.spans[tokens], own.spans)
            np.testing.assert_array_equal(segment.pooled("mean")[rows.start : rows.stop], own.mean)
            if own.owners is not None:
                assert segment.owners is not None
                np.testing.assert_array_equal(segment.owners[tokens], own.owners)
    with pytest.raises(LibraryDamaged, match=r"second\.tok has no version 1 of a"):
        second.touch_document(("a", 1))


def test_what_is_damaged_is_not_merged(tmp_path: Path) -> None:
    for name in "ab":
        written(tmp_path / f"{name}.tok", contents_of(4, document=name))
    flip(tmp_path / "b.tok", "spans", 2)
    with pytest.raises(LibraryDamaged, match=r"b\.tok fails its checksum in spans"):
        merge([(Segment(tmp_path / f"{name}.tok"), [(name, 1)]) for name in "ab"])
    other = contents_of(4, document="c", dimension=5)
    written(tmp_path / "c.tok", other)
    with pytest.raises(LibraryDamaged, match="are not of one kind"):
        merge([(Segment(tmp_path / f"{name}.tok"), [(name, 1)]) for name in "ac"])
