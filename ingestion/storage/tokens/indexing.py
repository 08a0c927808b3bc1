"""Inverted lists for a segment that is being merged. What its sources know already is not computed again."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ingestion.errors import LibraryDamaged
from ingestion.storage.tokens.codebook import SAMPLE, Codebook, train
from ingestion.storage.tokens.codec import Codes, Floats, VectorCodec
from ingestion.storage.tokens.inverted_lists import MOST_CHUNKS, InvertedLists
from ingestion.storage.tokens.segment import Segment

# A segment with fewer chunks has no lists: scoring all of it takes 20 ms, and a codebook 2 MB.
FEWEST_CHUNKS = 4096
# Codebooks that are tried before one is trained.
_TRIED = 4
# Tokens assigned at a time: 32 MiB of codes.
_BATCH = 1 << 18
# Tokens of the sample that are read at a time.
_SAMPLED = 1 << 16


@dataclass(frozen=True)
class ChunkRun:
    """Chunks first:last of a segment."""

    segment: Segment
    first: int
    last: int

    def __len__(self) -> int:
        return self.last - self.first


def index_runs(
    runs: Sequence[ChunkRun],
    scales: Floats,
    codec: VectorCodec,
    books: Iterable[Codebook] = (),
    check: Callable[[], None] = lambda: None,
) -> InvertedLists | None:
    """Return the lists of a segment that has these chunks one after the other, or None where it needs none.

    A codebook of the runs' own segments or one of `books`, the first that serves, is used again. The runs'
    codes must have been compared with their checksums. Whatever `check` raises stops the work.
    """
    total = sum(map(len, runs))
    if not FEWEST_CHUNKS <= total <= MOST_CHUNKS or not _tokens(runs):
        return None
    known: dict[Segment, InvertedLists] = {}
    for segment in dict.fromkeys(run.segment for run in runs):
        lists = _lists(segment, scales)
        if lists is not None:
            known[segment] = lists
    sample = _sample(runs, codec)
    tried = list({book.key: book for book in (*_by_use(runs, known), *books)}.values())[:_TRIED]
    codebook = next((book for book in tried if book.serves(sample)), None) or train(sample, scales, check)
    return InvertedLists.of_pairs(codebook, _pairs(runs, known, codebook, codec, check))


def _tokens(runs: Sequence[ChunkRun]) -> int:
    return sum(int(run.segment.offsets[run.last] - run.segment.offsets[run.first]) for run in runs)


def _lists(segment: Segment, scales: Floats) -> InvertedLists | None:
    try:
        return InvertedLists.of_segment(segment, scales)
    except LibraryDamaged:  # they are made anew
        return None


def _by_use(runs: Sequence[ChunkRun], known: dict[Segment, InvertedLists]) -> list[Codebook]:
    """Return the runs' codebooks; first the one that most of their chunks have."""
    chunks: Counter[int] = Counter()
    for run in runs:
        if run.segment in known:
            chunks[known[run.segment].codebook.key] += len(run)
    books = {lists.codebook.key: lists.codebook for lists in known.values()}
    return [books[key] for key, _ in chunks.most_common()]


def _sample(runs: Sequence[ChunkRun], codec: VectorCodec) -> Codes:
    """Return tokens from all over the runs, as many as training takes."""
    edges = [(int(run.segment.offsets[run.first]), int(run.segment.offsets[run.last])) for run in runs]
    total = _tokens(runs)
    wanted = np.linspace(0, total - 1, min(SAMPLE, total)).astype(np.int64)
    sample = np.empty((len(wanted), runs[0].segment.dimension), np.int8)
    before = 0
    for run, (first, last) in zip(runs, edges, strict=True):
        start, end = np.searchsorted(wanted, (before, before + last - first))
        for place in range(int(start), int(end), _SAMPLED):
            own = slice(place, min(int(end), place + _SAMPLED))
            sample[own] = codec.values(run.segment.codes[wanted[own] - before + first])
            run.segment.release()
        before += last - first
    return sample


def _pairs(
    runs: Sequence[ChunkRun],
    known: dict[Segment, InvertedLists],
    codebook: Codebook,
    codec: VectorCodec,
    check: Callable[[], None],
) -> Iterator[NDArray[np.uint32]]:
    start = 0
    copied: dict[Segment, list[tuple[ChunkRun, int]]] = {}
    for run in runs:
        lists = known.get(run.segment)
        if lists is not None and lists.codebook.key == codebook.key:
            copied.setdefault(run.segment, []).append((run, start))
        else:
            yield from _assigned(run, start, codebook, codec, check)
        start += len(run)
    for segment, some in copied.items():
        check()
        place = np.full(len(segment), -1, np.int64)
        for run, start in some:
            place[run.first : run.last] = np.arange(start, start + len(run))
        pairs = known[segment].pairs()
        moved = place[pairs & 0xFFFF]
        yield ((pairs & 0xFFFF0000) + np.maximum(moved, 0).astype(np.uint32))[moved >= 0]


def _assigned(
    run: ChunkRun, start: int, codebook: Codebook, codec: VectorCodec, check: Callable[[], None]
) -> Iterator[NDArray[np.uint32]]:
    offsets = run.segment.offsets
    for first in range(int(offsets[run.first]), int(offsets[run.last]), _BATCH):
        check()
        last = min(first + _BATCH, int(offsets[run.last]))
        chunks = np.searchsorted(offsets, np.arange(first, last), side="right") - 1 - run.first + start
        centroids = codebook.assign(codec.values(run.segment.codes[first:last]))
        run.segment.release()
        yield np.unique(centroids.astype(np.uint32) << np.uint32(16) | chunks.astype(np.uint32))
