"""Segments merged in the background, so that a library of many documents has few files to score.

    announce the merged segment → write it (changes go on) → one transaction puts it in the place of the
    former ones → readers see it → the documents' rows follow → the former files are removed

Interrupted before the transaction, the announced file is removed when the library is opened; after it, the
rest is done then. No other file is removed: a catalogue from a backup does not know the newer ones.
A reader that has a former file mapped keeps it until it is done.
"""

import math
import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from ingestion.errors import Cancelled, LibraryDamaged, LibraryError
from ingestion.storage.catalogue.database import Database
from ingestion.storage.catalogue.representations import RepresentationTable
from ingestion.storage.catalogue.segment_table import SegmentRow
from ingestion.storage.open_representations import OpenRepresentation, OpenRepresentations
from ingestion.storage.tokens.inverted_lists import MOST_CHUNKS
from ingestion.storage.tokens.merge import merge
from ingestion.storage.tokens.segment import Segment
from ingestion.storage.tokens.writing import write_segment

# Eight files of like size become one: a chunk is copied once for each power of eight that its library
# reaches, and a search meets at most seven files of each size.
_FAN_IN = 8
# 1.5 GB of int8 codes: a merge never takes more room or time than such a file, and lists can say its chunks
# in 16 bits.
MAX_CHUNKS = MOST_CHUNKS
# A file is rewritten when this share of its chunks is dead.
_DEAD_SHARE = 0.25
_PREFIX = "merged-"


def groups_to_merge(files: Sequence[SegmentRow], *, everything: bool = False) -> list[list[SegmentRow]]:
    """Return which files of one representation should become one, each group in order of age.

    With `everything`, as few files as there can be, none with a dead chunk.
    """
    by_collection: dict[int, list[SegmentRow]] = defaultdict(list)
    for file in files:
        by_collection[file.collection_id].append(file)
    groups: list[list[SegmentRow]] = []
    for some in by_collection.values():
        full = [f for f in some if _live(f) > MAX_CHUNKS // 2]
        small = [f for f in some if _live(f) <= MAX_CHUNKS // 2]
        groups += [[f] for f in full if f.dead and (everything or f.dead > _DEAD_SHARE * f.chunks)]
        groups += _bounded(small) if everything else _of_like_size(small)
    return groups


def _of_like_size(files: Sequence[SegmentRow]) -> list[list[SegmentRow]]:
    """The largest size of which there are enough files takes all smaller ones along."""
    levels: dict[int, list[SegmentRow]] = defaultdict(list)
    for file in files:
        levels[int(math.log(max(_live(file), 1), _FAN_IN) + 1e-9)].append(file)
    due = [level for level, some in levels.items() if len(some) >= _FAN_IN]
    merged = [f for f in files if due and int(math.log(max(_live(f), 1), _FAN_IN) + 1e-9) <= max(due)]
    rest = [[f] for f in files if f not in merged and f.dead > _DEAD_SHARE * f.chunks]
    return [*_bounded(merged), *rest]


def _bounded(files: Sequence[SegmentRow]) -> list[list[SegmentRow]]:
    groups: list[list[SegmentRow]] = []
    for file in files:
        if groups and sum(map(_live, groups[-1])) + _live(file) <= MAX_CHUNKS:
            groups[-1].append(file)
        else:
            groups.append([file])
    return [group for group in groups if len(group) > 1 or group[0].dead]


def _live(file: SegmentRow) -> int:
    return file.chunks - file.dead


class Merger:
    """Merges a library's segments, in a thread of its own or in the caller's.

    Args:
        folder: The folder of the token segments.
        database: The catalogue's.
        opened: The representations whose segments are merged.
        changing: The library's lock for changes.
    """

    def __init__(
        self, folder: Path, database: Database, opened: OpenRepresentations, changing: threading.RLock
    ) -> None:
        self._folder = folder
        self._database = database
        self._open = opened
        self._changing = changing
        self._table = RepresentationTable(database)
        self._lock = threading.Lock()
        self._merging = threading.Lock()
        self._thread: threading.Thread | None = None
        self._wanted = False
        self._stopped = threading.Event()

    def recover(self) -> None:
        """Finish what a crash left half done. Before anything is searched."""
        self._finish()
        for file in self._table.segment_table.announced():
            self._drop(file)

    def wake(self) -> None:
        """See, in the background, whether there is something to merge."""
        with self._lock:
            if self._stopped.is_set():
                return
            self._wanted = True
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="merging", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """End the background work; what is half merged is thrown away."""
        with self._lock:
            self._stopped.set()
            thread = self._thread
        if thread:
            thread.join()

    def wait(self) -> None:
        """Return when the background work is done."""
        while thread := self._thread:
            thread.join()

    def run(self, *, everything: bool = False, check: Callable[[], None] = lambda: None) -> int:
        """Merge what should be merged; return the number of files written.

        A group with a damaged file is passed over: `repair` repairs it. Raises LibraryError where the disk
        cannot be written, and what `check` raises; the library is as it was before that merge.
        """
        written = 0
        with self._merging:
            passed: set[str] = set()
            while group := self._next(everything, passed):
                opened, files = group
                passed |= {file.file for file in files}
                name = self._merge(opened, files, check)
                if name:
                    written += 1
                    passed.add(name) if everything else passed.discard(name)
        return written

    def rewrite(
        self, opened: OpenRepresentation, file: str, check: Callable[[], None] = lambda: None
    ) -> bool:
        """Write a file anew, of its live documents; return whether it could be. Raises as `run` does."""
        with self._merging:
            files = self._table.segment_table.files(opened.id)
            some = [one for one in files if one.file == file]
            return bool(some and self._merge(opened, some, check))

    def _work(self) -> None:
        try:
            while self._is_wanted():
                # What cannot be merged now (a full disk) is merged after another change.
                with suppress(Cancelled, LibraryError, OSError):
                    self.run(check=self._check)
        except BaseException:
            with self._lock:
                self._thread = None
            raise

    def _is_wanted(self) -> bool:
        """Whether there may be more to merge; if not, the thread is no longer the one that works."""
        with self._lock:
            wanted, self._wanted = self._wanted and not self._stopped.is_set(), False
            if not wanted:
                self._thread = None
            return wanted

    def _check(self) -> None:
        if self._stopped.is_set():
            raise Cancelled("merging")

    def _next(self, everything: bool, passed: set[str]) -> tuple[OpenRepresentation, list[SegmentRow]] | None:
        for opened in self._open.all():
            files = [f for f in self._table.segment_table.files(opened.id) if f.file not in passed]
            for group in groups_to_merge(files, everything=everything):
                return opened, group
        return None

    def _merge(
        self, opened: OpenRepresentation, files: Sequence[SegmentRow], check: Callable[[], None]
    ) -> str | None:
        """Merge files into one; return its name, or None where that was for nothing."""
        folder, segment_table = self._folder, self._table.segment_table
        dead = segment_table.dead(opened.id)
        name = f"{_PREFIX}{uuid4().hex}.tok"
        segment_table.announce_merge(name)
        try:
            sources = []
            for file in files:
                segment, gone_before = Segment(folder / file.file), set(dead.get(file.file, ()))
                keys = [key for key in segment.document_keys() if key not in gone_before]
                sources.append((segment, keys))
            merged = merge(sources, check, scales=opened.record.scales, books=opened.tokens.codebooks())
            write_segment(folder / name, merged.file)
        except LibraryDamaged:
            self._drop(name)
            return None
        except OSError as error:
            raise LibraryError(
                f"segments could not be merged in {folder}: {error}; check the disk's space and rights"
            ) from error
        with self._changing:
            former = [f.file for f in files]
            live = self._table.keys(opened.id, former)
            gone = [(key, chunks) for key, chunks in merged.documents if key not in live]
            if not live:  # all deleted meanwhile, or the representation
                self._drop(name)
                return None
            row = SegmentRow(
                name, opened.id, files[0].collection_id, sum(chunks for _, chunks in merged.documents), 0
            )
            with self._database.transaction() as connection:
                segment_table.begin_merge(connection, row, former, gone)
            opened.tokens.swap(former, name, [key for key, _ in gone])
            self._finish()
        return name

    def _drop(self, file: str) -> None:
        """Remove an announced file that was not put in place."""
        path = self._folder / file
        path.unlink(missing_ok=True)
        path.with_suffix(".tmp").unlink(missing_ok=True)
        self._table.segment_table.withdraw_merge(file)

    def _finish(self) -> None:
        """Erase what was merged. The rows go last: they say what is left to erase after a crash."""
        segment_table = self._table.segment_table
        former = segment_table.follow_merges()
        for file in former:
            (self._folder / file).unlink(missing_ok=True)
        if former:
            segment_table.forget(former)
