"""The token store: a folder of segments, of which the catalogue says which ones count."""

import threading
from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ingestion.encoders import Encodings
from ingestion.errors import LibraryDamaged
from ingestion.stores.tokens.codec import Int8Codec
from ingestion.stores.tokens.segment import Segment, SegmentContents, sync_folder, write_segment


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


class TokenStore:
    """Per-token vectors of every chunk. Readers see the segments that were attached when they began.

    A segment's file is opened when it is first read, so that opening a library reads none of them.
    Whatever reads raises LibraryDamaged for a file that cannot be read; `explain` makes that error of the
    file's name and of what is wrong with it.
    """

    def __init__(
        self,
        folder: Path,
        codec: Int8Codec,
        explain: Callable[[str, LibraryDamaged], LibraryDamaged] = lambda _, error: error,
    ) -> None:
        self._folder = folder
        self._codec = codec
        self._explain = explain
        self._lock = threading.Lock()
        self._segments: dict[str, Segment | None] = {}
        self._faults: dict[str, LibraryDamaged] = {}

    def write(self, name: str, ids: Sequence[str], encodings: Encodings, fingerprint: str) -> None:
        """Write a segment to the disk. It is not searched before `attach`."""
        contents = SegmentContents(
            fingerprint=fingerprint,
            ids=ids,
            codes=self._codec.encode(encodings.tokens),
            offsets=encodings.offsets,
            spans=encodings.spans,
            cls=encodings.cls,
            mean=encodings.mean,
        )
        write_segment(self._folder / name, contents)

    def attach(self, names: Iterable[str]) -> None:
        """Let segments be searched."""
        with self._lock:
            self._segments = {**self._segments, **dict.fromkeys(names)}

    def detach(self, name: str) -> None:
        """Stop searching a segment. Readers that have it keep it until they are done."""
        with self._lock:
            self._segments = {key: segment for key, segment in self._segments.items() if key != name}
            self._faults.pop(name, None)

    def erase(self, name: str) -> None:
        """Remove a segment's file. One that is not there does not matter."""
        self.detach(name)
        (self._folder / name).unlink(missing_ok=True)
        (self._folder / name).with_suffix(".tmp").unlink(missing_ok=True)
        sync_folder(self._folder)

    def search(
        self,
        query: NDArray[np.float32],
        segments: Iterable[str],
        limit: int,
        allowed: AbstractSet[str] | None = None,
    ) -> list[tuple[str, float]]:
        """Score every chunk of the named segments, or the `allowed` ones among them, exactly.

        `query` is [q, k] unit vectors. Returns up to `limit` (chunk id, MaxSim), best first; equal
        scores in the order of ids, so that the result does not depend on how segments are cut.
        """
        from ingestion.stores.tokens.maxsim import maxsim  # torch: seconds to import

        codes = self._codec.encode_query(query)
        found: list[tuple[str, float]] = []
        for segment in self._opened(segments):
            ids, tokens, offsets = segment.ids, segment.codes, segment.offsets
            if allowed is not None:
                rows = [row for row, chunk in enumerate(ids) if chunk in allowed]
                if not rows:
                    continue
                ids = [ids[row] for row in rows]
                tokens, offsets = _gather([tokens[offsets[row] : offsets[row + 1]] for row in rows])
            scores = maxsim(codes, tokens, offsets)
            best = np.argsort(-scores, kind="stable")[:limit]
            if len(best) == limit:  # keep ties at the edge, so that ids decide
                best = np.flatnonzero(scores >= scores[best[-1]])
            found.extend((ids[i], float(scores[i])) for i in best)
        found.sort(key=lambda hit: (-hit[1], hit[0]))
        return found[:limit]

    def score(self, query: NDArray[np.float32], chunks: Sequence[tuple[str, str]]) -> dict[str, float]:
        """Return the MaxSim of the given (segment, chunk id) pairs, by chunk id.

        Chunks whose segment is no longer attached are left out.
        """
        from ingestion.stores.tokens.maxsim import maxsim

        codes = self._codec.encode_query(query)
        ids: list[str] = []
        tokens: list[NDArray[np.int8]] = []
        for segment, chunk in chunks:
            for opened in self._opened([segment]):
                row = opened.row(chunk)
                ids.append(chunk)
                tokens.append(opened.codes[opened.offsets[row] : opened.offsets[row + 1]])
        if not ids:
            return {}
        values = maxsim(codes, *_gather(tokens))
        return {chunk: float(value) for chunk, value in zip(ids, values, strict=True)}

    def match(self, query: NDArray[np.float32], segment: str, chunk: str) -> TokenMatch | None:
        """Return the similarity of each query token with each of a chunk's tokens, or None if it is gone."""
        for opened in self._opened([segment]):
            row = opened.row(chunk)
            first, last = int(opened.offsets[row]), int(opened.offsets[row + 1])
            vectors = self._codec.decode(np.array(opened.codes[first:last]))
            return TokenMatch(query @ vectors.T, np.array(opened.spans[first:last], dtype=np.int64))
        return None

    def read(self, path: Path) -> Encodings:
        """Return what a segment was written from; its token vectors are as exact as their codes.

        It need not lie in the store's folder. Raises LibraryDamaged where it cannot be read, or is not
        of this store's dimension.
        """
        segment = Segment(path)
        segment.verify()
        if segment.codes.shape[1] != len(self._codec.scales):
            raise LibraryDamaged(
                f"the token segment {path} has {segment.codes.shape[1]} dimensions, "
                f"not {len(self._codec.scales)}"
            )
        return Encodings(
            cls=np.array(segment.pooled("cls")),
            mean=np.array(segment.pooled("mean")),
            tokens=self._codec.decode(np.array(segment.codes)),
            offsets=np.array(segment.offsets),
            spans=np.array(segment.spans, dtype=np.int32),
        )

    def sizes(self) -> TokenSizes:
        """Return how much the attached segments hold, without those that cannot be read."""
        tokens = codes = files = 0
        for name, opened in self._segments.items():
            try:
                segment = opened or Segment(self._folder / name)
            except LibraryDamaged:
                continue
            tokens += len(segment.codes)
            codes += segment.codes.nbytes
            files += segment.bytes
        return TokenSizes(tokens, codes, files)

    def verify(self) -> None:
        """Check every attached segment's checksums. Raises LibraryDamaged for the first bad one."""
        for segment in self._opened(list(self._segments)):
            segment.verify()

    def names(self) -> set[str]:
        """Return the attached segments."""
        return set(self._segments)

    def faults(self) -> dict[str, LibraryDamaged]:
        """Return which attached segments could not be read when they were last needed, and why."""
        with self._lock:
            return dict(self._faults)

    def _opened(self, names: Iterable[str]) -> list[Segment]:
        segments = self._segments
        return [opened for name in names if name in segments and (opened := self._open(name, segments[name]))]

    def _open(self, name: str, opened: Segment | None) -> Segment | None:
        """Return a segment, or None where it has been detached meanwhile."""
        if opened:
            return opened
        error: LibraryDamaged | None = None
        try:
            opened = Segment(self._folder / name)
        except LibraryDamaged as fault:
            error = fault
        with self._lock:
            attached = name in self._segments
            if attached and error is None:
                self._segments[name] = opened
                self._faults.pop(name, None)
        if error is None or not attached:
            return opened
        explained = self._explain(name, error)
        with self._lock:
            if name in self._segments:
                self._faults[name] = explained
        raise explained from error


def _gather(tokens: Sequence[NDArray[np.int8]]) -> tuple[NDArray[np.int8], NDArray[np.int64]]:
    """Return passages' codes one behind the other, and where each begins."""
    lengths = [0, *(len(some) for some in tokens)]
    return np.concatenate(tokens), np.cumsum(lengths, dtype=np.int64)
