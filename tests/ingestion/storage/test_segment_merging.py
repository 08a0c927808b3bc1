"""Merging: what is merged when, beside readers and changes, and what a crash or a full disk leaves."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ingestion.encoders import Encoder
from ingestion.errors import Cancelled, LibraryError
from ingestion.library import Library
from ingestion.storage import segment_merging
from ingestion.storage.catalogue.segment_table import SegmentRow, SegmentTable
from ingestion.storage.segment_merging import MAX_CHUNKS, Merger, groups_to_merge
from ingestion.storage.tokens.merge import MergedSegment
from ingestion.storage.tokens.store import TokenStore
from tests.helpers.made_documents import put, unit
from tests.helpers.store_contents import assert_whole, names_in

QUERY = unit(np.random.default_rng(5), 2)


def file(name: str, chunks: int, dead: int = 0, collection: int = 1) -> SegmentRow:
    return SegmentRow(name, 1, collection, chunks, dead)


def files(*chunks: int) -> list[SegmentRow]:
    return [file(f"{number}", count) for number, count in enumerate(chunks)]


# What is merged


@pytest.mark.parametrize(
    ("given", "groups"),
    [
        ([], []),
        (files(*[1] * 7), []),
        (files(*[1] * 8), [[1] * 8]),
        (files(*[8] * 7, *[1] * 7), []),
        (files(*[8] * 7, *[1] * 8), [[1] * 8]),
        (files(*[8] * 8, *[1] * 3), [[8] * 8 + [1] * 3]),  # the small ones come along
        (files(7, *[1] * 7), [[7, *[1] * 7]]),  # of like size: within a power of eight
        (files(8, *[1] * 7), []),
        (files(*[0] * 8), [[0] * 8]),  # documents without a chunk
        (files(*[MAX_CHUNKS // 2 + 1] * 9), []),  # full ones stay
        (files(*[MAX_CHUNKS // 2] * 8), [[MAX_CHUNKS // 2] * 2] * 4),
        ([file("a", 100, 25)], []),
        ([file("a", 100, 26)], [[100]]),  # a quarter of it is dead
        ([file("a", MAX_CHUNKS, MAX_CHUNKS // 3)], [[MAX_CHUNKS]]),
        ([file("a", MAX_CHUNKS, MAX_CHUNKS // 5)], []),
        ([file(f"{i}", 1, 0, i % 2) for i in range(14)], []),  # no file has two collections
    ],
)
def test_which_files_become_one(given: list[SegmentRow], groups: list[list[int]]) -> None:
    assert [[one.chunks for one in group] for group in groups_to_merge(given)] == groups


@pytest.mark.parametrize(
    ("given", "groups"),
    [
        (files(1), []),
        (files(1, 50), [[1, 50]]),
        ([file("a", 9, 1)], [[9]]),
        (files(MAX_CHUNKS, 1, 2), [[1, 2]]),
        ([file("a", MAX_CHUNKS, 1), file("b", 1)], [[MAX_CHUNKS]]),
        ([file(f"{i}", 1, 0, i % 2) for i in range(4)], [[1, 1], [1, 1]]),
    ],
)
def test_compacting_leaves_as_few_as_there_can_be(given: list[SegmentRow], groups: list[list[int]]) -> None:
    found = groups_to_merge(given, everything=True)
    assert [[one.chunks for one in group] for group in found] == groups


def test_a_library_that_grows_copies_each_chunk_a_few_times() -> None:
    """A file for each of 4096 documents of one chunk: at most four copies of each, and 28 files."""
    some: list[SegmentRow] = []
    copied = most = 0
    for number in range(4096):
        some.append(file(f"{number}", 1))
        while groups := groups_to_merge(some):
            (group,) = groups
            copied += sum(one.chunks for one in group)
            some = [one for one in some if one not in group]
            some.append(file(f"{number}-{copied}", sum(one.chunks for one in group)))
        most = max(most, len(some))
    assert copied <= 4 * 4096
    assert most <= 28


# In a library


def fill(library: Library, count: int = 8, first: int = 0) -> None:
    random = np.random.default_rng(first)
    for number in range(first, first + count):
        put(library, f"{number}.txt", f"text {number}", [unit(random, 3), unit(random, 2)])


def search(library: Library) -> dict[str, float]:
    scope = library.catalogue.scope()
    found = library.tokens.search(QUERY, library.segments(scope), 100)
    assert not found.unreadable
    return found.scores


def token_files(library: Library) -> set[str]:
    return names_in(library.folder / "tokens")


@pytest.fixture
def quiet(library: Library, monkeypatch: pytest.MonkeyPatch) -> Iterator[Library]:
    """Eight documents, which are not merged by themselves."""
    with monkeypatch.context() as patch:
        patch.setattr(Merger, "wake", lambda _: None)
        fill(library)
        yield library


@contextmanager
def held_up(patch: pytest.MonkeyPatch) -> Iterator[tuple[threading.Event, threading.Event]]:
    """Have merges wait, when they have read their files: (they are there, they may go on)."""
    from ingestion.storage import segment_merging
    from ingestion.storage.tokens.merge import merge

    real: Callable[..., MergedSegment] = merge
    there, go_on = threading.Event(), threading.Event()

    def waiting(sources: Any, check: Callable[[], None], **options: Any) -> MergedSegment:
        merged = real(sources, check, **options)
        there.set()
        assert go_on.wait(60)
        check()
        return merged

    patch.setattr(segment_merging, "merge", waiting)
    try:
        yield there, go_on
    finally:
        go_on.set()


def test_documents_are_merged_in_the_background(library: Library) -> None:
    fill(library, 7)
    library.merger.wait()
    assert len(token_files(library)) == 7
    before = search(library)
    fill(library, 1, first=7)
    library.merger.wait()
    (name,) = token_files(library)
    assert name.startswith("merged-")
    assert {key: value for key, value in search(library).items() if key in before} == before
    assert_whole(library)


def test_questions_and_changes_do_not_wait_for_a_merge(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    with held_up(monkeypatch) as (there, go_on):
        fill(library)
        assert there.wait(60)
        before = search(library)
        assert len(before) == 16
        gone = library.catalogue.documents()[3]
        library.delete(gone)
        fill(library, 1, first=20)
        put(library, "5.txt", "another text", [unit(np.random.default_rng(9), 4)])
        during = search(library)
        assert not during.keys() & set(gone.chunk_ids())
        assert len(during) == 16 - 2 + 2 - 1
        go_on.set()
        library.merger.wait()
    assert search(library) == during
    assert len(token_files(library)) == 3  # what was replaced meanwhile and what came are files of their own
    assert_whole(library)
    library.merger.run(everything=True)
    assert len(token_files(library)) == 1
    assert search(library) == during
    assert_whole(library)


def test_a_merge_of_what_is_deleted_meanwhile_leaves_nothing(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    with held_up(monkeypatch) as (there, go_on):
        fill(library)
        assert there.wait(60)
        library.delete(*library.catalogue.documents())
        go_on.set()
        library.merger.wait()
    assert token_files(library) == set()
    assert_whole(library)


def test_closing_does_not_wait_for_a_merge_to_end(
    tmp_path: Path, encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = Library.open(tmp_path / "library", encoder)
    with held_up(monkeypatch) as (there, go_on):
        fill(library)
        assert there.wait(60)
        before = search(library)
        closing = threading.Thread(target=library.close)
        closing.start()
        while not library.merger._stopped.is_set():
            pass
        go_on.set()
        closing.join(60)
    assert not closing.is_alive()
    assert len(token_files(library)) == 8
    with Library.open(tmp_path / "library", encoder) as again:
        assert search(again) == before
        assert_whole(again)


def test_a_reader_keeps_its_files_during_a_merge(quiet: Library) -> None:
    before = search(quiet)
    names = quiet.segments(quiet.catalogue.scope())
    opened, _ = quiet.tokens.opened(names)
    assert quiet.merger.run() == 1
    assert len(token_files(quiet)) == 1  # the former files have no name any more, but the reader has them
    for _, segment, _ in opened:
        segment.verify()
    # Who looked the files up before the merge and reads after it gets the merged one.
    assert quiet.tokens.search(QUERY, names, 100).scores == before
    assert search(quiet) == before


def test_one_error_does_not_end_merging(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("ingestion.storage.segment_merging.write_segment", full_disk)
        fill(library)
        library.merger.wait()
        assert len(token_files(library)) == 8
        with pytest.raises(LibraryError, match=r"could not be merged .* No space left .* check the disk"):
            library.merger.run()
        patch.setattr("ingestion.storage.segment_merging.write_segment", lambda *_: 1 / 0)  # a fault of ours
        library.merger._wanted = True
        with pytest.raises(ZeroDivisionError):
            library.merger._work()
    fill(library, 1, first=8)  # after which it is tried again
    library.merger.wait()
    assert len(token_files(library)) == 1
    assert_whole(library)


def test_a_merge_can_be_cancelled(quiet: Library) -> None:
    def check() -> None:
        raise Cancelled("compacting")

    before = search(quiet)
    with pytest.raises(Cancelled):
        quiet.merger.run(check=check)
    assert len(token_files(quiet)) == 8
    assert search(quiet) == before
    assert_whole(quiet)


def full_disk(*_: object, **__: object) -> None:
    raise OSError(28, "No space left on device")


# A crash at each step


class Crash(BaseException):
    """The process ends here."""


def crash_in(target: type, name: str, *, after: bool) -> tuple[type, str, Callable[..., Any]]:
    real = getattr(target, name)

    def crashing(*arguments: Any, **options: Any) -> None:
        if after:
            real(*arguments, **options)
        raise Crash

    return target, name, crashing


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(
    ("target", "name"),
    [
        (None, "write_segment"),
        (SegmentTable, "begin_merge"),
        (TokenStore, "swap"),
        (SegmentTable, "follow_merges"),
        (SegmentTable, "_follow"),
        (Path, "unlink"),
        (SegmentTable, "forget"),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_a_crash_during_a_merge(
    quiet: Library,
    encoder: Encoder,
    monkeypatch: pytest.MonkeyPatch,
    target: type | None,
    name: str,
    after: bool,
) -> None:

    quiet.delete(quiet.catalogue.documents()[0])
    before = search(quiet)
    with monkeypatch.context() as patch:
        patch.setattr(*crash_in(target or segment_merging, name, after=after))  # type: ignore[arg-type]
        with pytest.raises(Crash):
            quiet.merger.run(everything=True)
    quiet.close()
    with Library.open(quiet.folder, encoder) as again:
        assert search(again) == before
        assert_whole(again)
        again.merger.run(everything=True)
        assert len(token_files(again)) == 1
        assert search(again) == before
        assert_whole(again)
