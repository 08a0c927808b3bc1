"""Several segments' documents as one segment, copied as they are."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingestion.errors import LibraryDamaged
from ingestion.storage.tokens.codebook import Codebook
from ingestion.storage.tokens.codec import CodecSpec
from ingestion.storage.tokens.indexing import ChunkRun, index_runs
from ingestion.storage.tokens.layout import DocumentKey, Section
from ingestion.storage.tokens.segment import Segment
from ingestion.storage.tokens.writing import SegmentData

# Rows copied at a time: large enough to be fast, small enough to be stopped soon and held in memory.
_ROWS = 1 << 18


@dataclass(frozen=True)
class MergedSegment:
    """A segment to be written, and its documents with the number of their chunks."""

    file: SegmentData
    documents: list[tuple[DocumentKey, int]]


def merge(
    sources: Sequence[tuple[Segment, Sequence[DocumentKey]]],
    check: Callable[[], None] = lambda: None,
    *,
    scales: NDArray[np.float32] | None = None,
    books: Iterable[Codebook] = (),
) -> MergedSegment:
    """Return these documents of the segments, given in the order in which they lie there, as one segment.

    With the representation's `scales`, a large segment gets inverted lists of its chunks; `books` are
    codebooks that other segments have. What is copied is compared with its checksums first.

    Raises LibraryDamaged for a bad block, or for segments that are not of one kind; whatever `check` raises
    stops the work, while it is written, too.
    """
    runs: list[ChunkRun] = []
    documents: list[tuple[DocumentKey, int]] = []
    for segment, keys in sources:
        for key in keys:
            check()
            rows = segment.touch_document(key)
            documents.append((key, len(rows)))
            if runs and runs[-1].segment is segment and runs[-1].last == rows.start:
                runs[-1] = ChunkRun(segment, runs[-1].first, rows.stop)
            else:
                runs.append(ChunkRun(segment, rows.start, rows.stop))
    first = sources[0][0]
    kind = first.fingerprint, first.codec, first.dimension
    for segment, _ in sources:
        if (segment.fingerprint, segment.codec, segment.dimension) != kind:
            raise LibraryDamaged(f"the token segments {first.path} and {segment.path} are not of one kind")
    sections = {
        "documents": _whole("|S24", [key[0].encode() for key, _ in documents]),
        "versions": _whole("<i4", [key[1] for key, _ in documents]),
        "firsts": _whole("<i8", np.cumsum([0, *(chunks for _, chunks in documents)])),
        "offsets": _whole("<i8", _edges([(run, run.segment.offsets) for run in runs])),
    }
    names = ["codes", "spans", "cls", "mean"]
    if first.owners is not None:
        sections["token_offsets"] = _whole("<i8", _edges([(run, run.segment.token_offsets) for run in runs]))
        names.insert(0, "owners")
    for name in names:
        sections[name] = _copied(name, runs, check, first)
    if scales is not None:
        codec = CodecSpec.parse(first.codec).vectors(scales)
        lists = index_runs(runs, scales, codec, books, check)
        sections |= lists.sections() if lists else {}
    return MergedSegment(SegmentData(*kind, sections), documents)


def _section(run: ChunkRun, name: str) -> tuple[NDArray[Any], int, int]:
    """Return a section of a run's segment, and which of its rows are the run's."""
    segment, first, last = run.segment, run.first, run.last
    if name in ("cls", "mean"):
        return segment.pooled(name), first, last
    edges = segment.offsets if name == "codes" else segment.token_offsets
    array: NDArray[Any] | None = getattr(segment, name)
    assert array is not None  # the sections of one codec are the same
    return array, int(edges[first]), int(edges[last])


def _whole(dtype: str, values: Any) -> Section:
    array = np.array(values, dtype)
    return Section(dtype, array.shape, [array])


def _edges(runs: Sequence[tuple[ChunkRun, NDArray[np.int64]]]) -> NDArray[np.int64]:
    lengths = [np.diff(edges[run.first : run.last + 1]) for run, edges in runs]
    return np.cumsum(np.concatenate([np.zeros(1, np.int64), *lengths]), dtype=np.int64)


def _copied(name: str, runs: Sequence[ChunkRun], check: Callable[[], None], like: Segment) -> Section:
    places = [(run.segment, *_section(run, name)) for run in runs]
    sample = like.pooled(name) if name in ("cls", "mean") else getattr(like, name)
    rows = sum(last - first for _, _, first, last in places)

    def parts() -> Iterator[NDArray[Any]]:
        for segment, array, first, last in places:
            for start in range(first, last, _ROWS):
                check()
                yield array[start : min(last, start + _ROWS)]
                segment.release()

    return Section(sample.dtype.str, (rows, *sample.shape[1:]), parts())
