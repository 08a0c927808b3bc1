"""The segments that a token store searches: attached, merged and detached while searches go on."""

import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from ingestion.errors import LibraryDamaged
from ingestion.storage.tokens.codebook import Codebook
from ingestion.storage.tokens.indexing import FEWEST_CHUNKS
from ingestion.storage.tokens.inverted_lists import InvertedLists
from ingestion.storage.tokens.layout import DocumentKey
from ingestion.storage.tokens.segment import Segment


@dataclass(frozen=True)
class Attached:
    """A segment that is searched; opened when it is first read. `dead` documents are not found."""

    segment: Segment | None = None
    dead: frozenset[DocumentKey] = frozenset()


class AttachedSegments:
    """Segments of a folder by file name. Readers see those that were attached when they began.

    A segment's file is opened when it is first read, so that opening a library reads none of them. A file
    that cannot be read is kept as a fault; `explain` makes the fault's message of the file's name and of
    what is wrong with it.
    """

    def __init__(
        self,
        folder: Path,
        scales: NDArray[np.float32],
        explain: Callable[[str, LibraryDamaged], LibraryDamaged],
    ) -> None:
        self.folder = folder
        self._scales = scales
        self._explain = explain
        self._lock = threading.Lock()
        self._attached: dict[str, Attached] = {}
        self._merged_into: dict[str, str] = {}
        self._faults: dict[str, LibraryDamaged] = {}
        self._lists: WeakKeyDictionary[Segment, InvertedLists | None] = WeakKeyDictionary()

    def attach(self, names: Iterable[str], dead: Mapping[str, Iterable[DocumentKey]] | None = None) -> None:
        """Let segments be searched, but for their `dead` documents."""
        dead = dead or {}
        with self._lock:
            new = {name: Attached(dead=frozenset(dead.get(name, ()))) for name in names}
            self._attached = {**self._attached, **new}

    def swap(self, former: Collection[str], name: str, dead: Iterable[DocumentKey]) -> None:
        """Search one segment in place of several that it holds all live documents of."""
        with self._lock:
            kept = {key: value for key, value in self._attached.items() if key not in former}
            self._merged_into = {**self._merged_into, **dict.fromkeys(former, name)}
            self._attached = {**kept, name: Attached(dead=frozenset(dead))}
            for one in former:
                self._faults.pop(one, None)

    def tombstone(self, name: str, document: DocumentKey) -> None:
        """Find a document of a segment no more."""
        with self._lock:
            known = self._attached.get(name)
            if known:
                marked = replace(known, dead=known.dead | {document})
                self._attached = {**self._attached, name: marked}

    def detach(self, name: str) -> None:
        """Stop searching a segment. Readers that have it keep it until they are done."""
        with self._lock:
            self._attached = {key: value for key, value in self._attached.items() if key != name}
            self._faults.pop(name, None)

    def names(self) -> set[str]:
        """Return the attached segments."""
        return set(self._attached)

    def faults(self) -> dict[str, LibraryDamaged]:
        """Return which attached segments could not be read when they were last needed, and why."""
        with self._lock:
            return dict(self._faults)

    def opened(
        self, segments: Iterable[str]
    ) -> tuple[list[tuple[str, Segment, frozenset[DocumentKey]]], tuple[str, ...]]:
        """Return the attached ones among the named segments, with their dead documents, and the names of
        those that cannot be read."""
        opened, unreadable = [], []
        for name, attached in self.named(segments):
            try:
                opened.append((name, self.open_segment(name, attached), attached.dead))
            except LibraryDamaged as error:
                self.blame(name, error)
                unreadable.append(name)
        return opened, tuple(unreadable)

    def lists_of(self, name: str, segment: Segment) -> InvertedLists | None:
        """Return a segment's lists; None also where they are damaged: the whole segment is scored then."""
        if segment not in self._lists:
            try:
                lists = InvertedLists.of_segment(segment, self._scales)
            except LibraryDamaged as error:
                lists = None
                with self._lock:
                    self._faults[name] = LibraryDamaged(
                        f"inverted lists are damaged ({error}); nothing is missed meanwhile, but searching "
                        "takes longer; run: rag-app repair"
                    )
            with self._lock:
                for other in self._lists.values():
                    if lists and other and other.codebook.key == lists.codebook.key:
                        lists = replace(lists, codebook=other.codebook)
                self._lists[segment] = lists
        return self._lists[segment]

    def codebooks(self) -> list[Codebook]:
        """Return the codebooks of the attached segments; first the one that most chunks are listed by."""
        chunks: Counter[int] = Counter()
        books: dict[int, Codebook] = {}
        for name, segment, _ in self.opened(self.names())[0]:
            lists = self.lists_of(name, segment) if len(segment) >= FEWEST_CHUNKS else None
            if lists:
                chunks[lists.codebook.key] += len(segment)
                books[lists.codebook.key] = lists.codebook
        return [books[key] for key, _ in chunks.most_common()]

    def named(self, names: Iterable[str]) -> Iterator[tuple[str, Attached]]:
        """Yield the attached segments among `names`; one that was merged meanwhile stands for its former
        ones."""
        attached = self._attached
        for name in dict.fromkeys(self.current(name) for name in names):
            if name in attached:
                yield name, attached[name]

    def current(self, name: str) -> str:
        merged_into = self._merged_into
        while name in merged_into:
            name = merged_into[name]
        return name

    def open_segment(self, name: str, attached: Attached) -> Segment:
        if attached.segment:
            return attached.segment
        segment = Segment(self.folder / name)
        with self._lock:
            known = self._attached.get(name)
            if known:
                self._attached = {**self._attached, name: replace(known, segment=segment)}
                self._faults.pop(name, None)
        return segment

    def blame(self, name: str, error: LibraryDamaged) -> LibraryDamaged:
        """Note that an attached segment cannot be read; return the error that says so to people."""
        explained = self._explain(name, error)
        explained.__cause__ = error
        with self._lock:
            if name in self._attached:
                self._faults[name] = explained
        return explained
