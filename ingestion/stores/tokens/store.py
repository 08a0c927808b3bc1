"""The token store: a folder of segments, of which the catalogue says which ones count."""

import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ingestion.encoders import Encodings
from ingestion.errors import LibraryDamaged
from ingestion.stores.durable import sync_folder
from ingestion.stores.tokens.codec import Int8Codec, QueryCodes
from ingestion.stores.tokens.layout import DocumentKey
from ingestion.stores.tokens.segment import Segment
from ingestion.stores.tokens.writing import SegmentContents, write_segment

Allowed = Mapping[str, Sequence[int] | None]
"""Which chunks may be found: by document id, their ordinals, or None for all of the document's."""


@dataclass(frozen=True, slots=True)
class TokenMatch:
    """How a query's tokens match one chunk's.

    Attributes:
        similarities: [q, t] float32 cosines.
        spans: [t, 2] int: each token's characters in the chunk's text; (0, 0) for context tokens.
    """

    similarities: NDArray[np.float32]
    spans: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class TokenSizes:
    """How much segments hold: token vectors, the bytes of their codes, and those of the whole files."""

    tokens: int
    codes: int
    files: int


@dataclass(frozen=True)
class Scored:
    """Chunks with their MaxSim.

    Attributes:
        scores: MaxSim by chunk id, in the order that the method says.
        unreadable: segments that cannot be read: none of their chunks is in `scores`.
        lost: ids of documents of other segments of which some chunks cannot be read.
    """

    scores: dict[str, float]
    unreadable: tuple[str, ...] = ()
    lost: frozenset[str] = frozenset()

    @property
    def whole(self) -> bool:
        """Whether everything that was asked for could be read."""
        return not self.unreadable and not self.lost


@dataclass(frozen=True)
class _Attached:
    """A segment that is searched; opened when it is first read. `dead` documents are not found."""

    segment: Segment | None = None
    dead: frozenset[DocumentKey] = frozenset()


class TokenStore:
    """Per-token vectors of every chunk. Readers see the segments that were attached when they began.

    A segment's file is opened when it is first read, so that opening a library reads none of them, and what
    is read of it is compared with its checksums the first time. A file that cannot be read is named in what
    `search` and `score` return, and raised as LibraryDamaged by whatever else reads; `explain` makes that
    error of the file's name and of what is wrong with it.
    """

    def __init__(
        self,
        folder: Path,
        codec: Int8Codec,
        explain: Callable[[str, LibraryDamaged], LibraryDamaged] = lambda _, error: error,
    ) -> None:
        self.folder = folder
        self._codec = codec
        self._explain = explain
        self._lock = threading.Lock()
        self._attached: dict[str, _Attached] = {}
        self._merged_into: dict[str, str] = {}
        self._faults: dict[str, LibraryDamaged] = {}

    # What is searched

    def write(self, name: str, document: DocumentKey, encodings: Encodings, fingerprint: str) -> None:
        """Write a document's segment to the disk. It is not searched before `attach`."""
        contents = SegmentContents(
            fingerprint=fingerprint,
            codec="int8",
            dimension=encodings.tokens.shape[1],
            document=document,
            codes=self._codec.encode(encodings.tokens),
            offsets=encodings.offsets,
            spans=encodings.spans,
            cls=encodings.cls,
            mean=encodings.mean,
        )
        write_segment(self.folder / name, contents.file())

    def attach(self, names: Iterable[str], dead: Mapping[str, Iterable[DocumentKey]] | None = None) -> None:
        """Let segments be searched, but for their `dead` documents."""
        dead = dead or {}
        with self._lock:
            new = {name: _Attached(dead=frozenset(dead.get(name, ()))) for name in names}
            self._attached = {**self._attached, **new}

    def exchange(self, former: Collection[str], name: str, dead: Iterable[DocumentKey]) -> None:
        """Search one segment in place of several that it holds all live documents of."""
        with self._lock:
            kept = {key: value for key, value in self._attached.items() if key not in former}
            self._merged_into = {**self._merged_into, **dict.fromkeys(former, name)}
            self._attached = {**kept, name: _Attached(dead=frozenset(dead))}
            for one in former:
                self._faults.pop(one, None)

    def bury(self, name: str, document: DocumentKey) -> None:
        """Find a document of a segment no more."""
        with self._lock:
            known = self._attached.get(name)
            if known:
                buried = replace(known, dead=known.dead | {document})
                self._attached = {**self._attached, name: buried}

    def detach(self, name: str) -> None:
        """Stop searching a segment. Readers that have it keep it until they are done."""
        with self._lock:
            self._attached = {key: value for key, value in self._attached.items() if key != name}
            self._faults.pop(name, None)

    def erase(self, name: str) -> None:
        """Remove a segment's file. One that is not there does not matter."""
        self.detach(name)
        (self.folder / name).unlink(missing_ok=True)
        (self.folder / name).with_suffix(".tmp").unlink(missing_ok=True)
        sync_folder(self.folder)

    def names(self) -> set[str]:
        """Return the attached segments."""
        return set(self._attached)

    def faults(self) -> dict[str, LibraryDamaged]:
        """Return which attached segments could not be read when they were last needed, and why."""
        with self._lock:
            return dict(self._faults)

    # Searching

    def search(
        self, query: NDArray[np.float32], segments: Iterable[str], limit: int, allowed: Allowed | None = None
    ) -> Scored:
        """Score every chunk of the named segments, or the `allowed` ones among them, exactly.

        `query` is [q, k] unit vectors. Returns the `limit` best, best first; equal scores in the order of
        ids, so that the result does not depend on how segments are cut.
        """
        from ingestion.stores.tokens.maxsim import maxsim  # torch: seconds to import

        codes = self._codec.encode_query(query)
        found: list[tuple[float, str]] = []
        edge = -np.inf
        unreadable: list[str] = []
        lost: set[str] = set()
        for name, attached in self._named(segments):
            try:
                segment = self._open(name, attached)
            except LibraryDamaged as error:
                self._blame(name, error)
                unreadable.append(name)
                continue
            rows, some = self._sound(name, segment, _live_rows(segment, attached.dead, allowed))
            lost |= some
            scores = maxsim(codes, segment.codes, segment.offsets, rows)
            best = np.flatnonzero(scores >= max(edge, _nth_best(scores, limit)))
            ids = segment.chunk_ids(best if rows is None else rows[best])
            found.extend(zip((-scores[best]).tolist(), ids, strict=True))
            if len(found) >= limit:
                found = sorted(found)[:limit]
                edge = -found[-1][0]
        scored = {chunk: -score for score, chunk in sorted(found)[:limit]}
        return Scored(scored, tuple(unreadable), frozenset(lost))

    def score(self, query: NDArray[np.float32], chunks: Sequence[tuple[str, str]]) -> Scored:
        """Return the MaxSim of the given (segment, chunk id) pairs, by chunk id, in their order.

        Chunks whose segment is no longer attached are left out.
        """
        from ingestion.stores.tokens.maxsim import maxsim

        codes = self._codec.encode_query(query)
        wanted: dict[str, list[str]] = {}
        for name, chunk in chunks:
            wanted.setdefault(self._current(name), []).append(chunk)
        scores: dict[str, float] = {}
        unreadable: list[str] = []
        lost: set[str] = set()
        for name, attached in self._named(wanted):
            try:
                segment = self._open(name, attached)
                rows = np.array([segment.row(chunk) for chunk in wanted[name]], np.int64)
            except LibraryDamaged as error:
                self._blame(name, error)
                unreadable.append(name)
                continue
            sound, some = self._sound(name, segment, rows)
            assert sound is not None
            lost |= some
            values = maxsim(codes, segment.codes, segment.offsets, sound)
            scores.update(zip(segment.chunk_ids(sound), values.tolist(), strict=True))
        scored = {chunk: scores[chunk] for _, chunk in chunks if chunk in scores}
        return Scored(scored, tuple(unreadable), frozenset(lost))

    def match(self, query: NDArray[np.float32], name: str, chunk: str) -> TokenMatch | None:
        """Return the similarity of each query token with each of a chunk's tokens, or None if it is gone.

        Raises LibraryDamaged.
        """
        for _, attached in self._named([name]):
            try:
                segment = self._open(name, attached)
                row = segment.row(chunk)
                first, last = int(segment.offsets[row]), int(segment.offsets[row + 1])
                start, end = int(segment.token_offsets[row]), int(segment.token_offsets[row + 1])
                segment.touch("codes", first, last)
                segment.touch("spans", start, end)
                vectors = self._codec.decode(np.array(segment.codes[first:last]))
                similarities = query @ vectors.T
                if segment.owners is not None:
                    segment.touch("owners", start, end)
                    similarities = similarities[:, segment.owners[start:end]]
            except LibraryDamaged as error:
                raise self._blame(name, error) from error
            return TokenMatch(similarities, np.array(segment.spans[start:end], dtype=np.int64))
        return None

    # Reading back

    def read(self, path: Path, document: DocumentKey | None = None) -> Encodings:
        """Return what one of a segment's documents was written from, the only one without `document`; its
        token vectors are as exact as their codes.

        The segment need not lie in the store's folder. Raises LibraryDamaged where it cannot be read, has no
        such document, or is not of this store's dimension.
        """
        segment = Segment(path)
        if segment.dimension != len(self._codec.scales):
            raise LibraryDamaged(
                f"the token segment {path} has {segment.dimension} dimensions, not {len(self._codec.scales)}"
            )
        if document is None:
            if len(segment.documents) > 1:
                raise LibraryDamaged(f"the token segment {path} holds several documents")
            rows = range(len(segment))
            segment.touch_rows(0, len(segment))
        else:
            rows = segment.touch_document(document)
        first, last = int(segment.offsets[rows.start]), int(segment.offsets[rows.stop])
        return Encodings(
            cls=np.array(segment.pooled("cls")[rows.start : rows.stop]),
            mean=np.array(segment.pooled("mean")[rows.start : rows.stop]),
            tokens=self._codec.decode(np.array(segment.codes[first:last])),
            offsets=segment.offsets[rows.start : rows.stop + 1] - first,
            spans=np.array(segment.spans[first:last], dtype=np.int32),
        )

    def sizes(self) -> TokenSizes:
        """Return how much the attached segments hold, without those that cannot be read."""
        tokens = codes = files = 0
        for name, attached in self._attached.items():
            try:
                segment = attached.segment or Segment(self.folder / name)
            except LibraryDamaged:
                continue
            tokens += len(segment.spans)
            codes += segment.codes.nbytes
            files += segment.bytes
        return TokenSizes(tokens, codes, files)

    def verify(self) -> None:
        """Compare every attached segment with its checksums. Raises LibraryDamaged for the first bad one."""
        for name, attached in self._named(list(self._attached)):
            self._open(name, attached).verify()

    # Opening

    def _named(self, names: Iterable[str]) -> Iterator[tuple[str, _Attached]]:
        """Yield the attached segments among `names`; one that was merged meanwhile stands for its former
        ones."""
        attached = self._attached
        for name in dict.fromkeys(self._current(name) for name in names):
            if name in attached:
                yield name, attached[name]

    def _current(self, name: str) -> str:
        merged_into = self._merged_into
        while name in merged_into:
            name = merged_into[name]
        return name

    def _open(self, name: str, attached: _Attached) -> Segment:
        if attached.segment:
            return attached.segment
        segment = Segment(self.folder / name)
        with self._lock:
            known = self._attached.get(name)
            if known:
                self._attached = {**self._attached, name: replace(known, segment=segment)}
                self._faults.pop(name, None)
        return segment

    def _sound(
        self, name: str, segment: Segment, rows: NDArray[np.int64] | None
    ) -> tuple[NDArray[np.int64] | None, set[str]]:
        """Return the chunks that can be read, and the ids of the documents of those that cannot."""
        sound = segment.sound(rows)
        if sound is rows:
            return rows, set()
        wanted = np.arange(len(segment)) if rows is None else rows
        missing = segment.chunk_ids(np.setdiff1d(wanted, sound if sound is not None else wanted))
        error = LibraryDamaged(f"the token segment {segment.path} fails its checksum in codes")
        self._blame(name, error)
        return sound, {chunk.rsplit(":", 2)[0] for chunk in missing}

    def _blame(self, name: str, error: LibraryDamaged) -> LibraryDamaged:
        """Note that an attached segment cannot be read; return the error that says so to people."""
        explained = self._explain(name, error)
        explained.__cause__ = error
        with self._lock:
            if name in self._attached:
                self._faults[name] = explained
        return explained


def _live_rows(
    segment: Segment, dead: frozenset[DocumentKey], allowed: Allowed | None
) -> NDArray[np.int64] | None:
    """Return the chunks of a segment that may be found; None means all of them."""
    if allowed is None:
        if not dead:
            return None
        alive = np.ones(len(segment), np.bool_)
        for document in dead:
            rows = segment.rows(document)
            alive[rows.start : rows.stop] = False
        return np.flatnonzero(alive)
    parts = []
    for identity in allowed.keys() & segment.places.keys():
        key = identity, int(segment.versions[segment.places[identity]])
        if key not in dead:
            rows, ordinals = segment.rows(key), allowed[identity]
            some = np.arange(len(rows)) if ordinals is None else np.asarray(ordinals, np.int64)
            parts.append(rows.start + some[some < len(rows)])
    return np.sort(np.concatenate(parts)) if parts else np.zeros(0, np.int64)


def _nth_best(scores: NDArray[np.float32], n: int) -> float:
    return float(np.partition(scores, -n)[-n]) if 0 < n < len(scores) else -np.inf


__all__ = ["Allowed", "QueryCodes", "Scored", "TokenMatch", "TokenSizes", "TokenStore"]
