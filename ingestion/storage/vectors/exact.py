"""The nearest of all vectors: a scan of what the segments keep beside the tokens.

Chroma's index is approximate, and is built anew when it is opened: two openings of one library may find
different neighbours. A scan reads 1.5 kB a chunk, and finds the same whenever and however often it is asked.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from threading import Lock
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from ingestion.errors import LibraryDamaged
from ingestion.storage.tokens.candidates import Allowed, live_rows
from ingestion.storage.tokens.segment import Segment
from ingestion.storage.tokens.store import TokenStore
from ingestion.storage.vectors.store import Pooling

# Up to here every vector is compared.
MOST_SCANNED = 1 << 17
# More than float32 rounds away of a product of two unit vectors. Vectors as near as that to the last one that
# is wanted are compared again in float64.
_ROUNDING = 1e-4
_UNIT = 1e-5


@dataclass(frozen=True)
class _Scanned:
    """Some chunks of a segment that may be found, and their cosines as float32 has them."""

    segment: Segment
    rows: NDArray[np.int64]
    cosines: NDArray[np.float32]


class VectorScan:
    """Compares a question's vector with every stored one of a pooling."""

    def __init__(self, most: int = MOST_SCANNED) -> None:
        self.most = most
        self._lock = Lock()
        self._lengths: WeakKeyDictionary[Segment, dict[Pooling, NDArray[np.float32] | None]] = (
            WeakKeyDictionary()
        )

    def nearest(
        self,
        store: TokenStore,
        segments: Iterable[str],
        pooling: Pooling,
        vector: NDArray[np.float32],
        limit: int,
        allowed: Allowed | None = None,
    ) -> list[tuple[str, float]] | None:
        """Return the `limit` nearest (chunk id, cosine similarity), equal ones in the order of their ids.

        None where there are more vectors than can be scanned in time, or where some cannot be read: Chroma
        has them as well.

        Args:
            store: The representation's segments.
            segments: Those of the scope.
            pooling: Which vectors.
            vector: [d] float32, of any length but 0.
            limit: The number of chunks to return.
            allowed: The chunks that may be found; all, where it is not given.
        """
        opened, unreadable = store.opened(segments)
        sought = [(segment, live_rows(segment, dead, allowed)) for _, segment, dead in opened]
        if unreadable or sum(len(s) if rows is None else len(rows) for s, rows in sought) > self.most:
            return None
        unit = vector / np.linalg.norm(vector)
        try:
            scanned = [self._scanned(segment, pooling, rows, unit) for segment, rows in sought]
        except LibraryDamaged:  # `verify` names the segment; a search for its tokens does, too
            return None
        edge = _edge([one.cosines for one in scanned], limit)
        found = [pair for one in scanned for pair in self._compared(one, pooling, unit, edge)]
        return sorted(found, key=lambda pair: (-pair[1], pair[0]))[:limit]

    def _scanned(
        self, segment: Segment, pooling: Pooling, rows: NDArray[np.int64] | None, unit: NDArray[np.float32]
    ) -> _Scanned:
        segment.touch(pooling)
        vectors, lengths = segment.pooled(pooling), self._lengths_of(segment, pooling)
        if rows is None:
            rows = np.arange(len(segment))
            cosines = vectors @ unit
        else:
            cosines = vectors[rows] @ unit
        return _Scanned(segment, rows, cosines if lengths is None else cosines / lengths[rows])

    def _compared(
        self, one: _Scanned, pooling: Pooling, unit: NDArray[np.float32], edge: float
    ) -> list[tuple[str, float]]:
        """Return what is near enough, each compared by itself: so that a result does not depend on how
        segments are cut."""
        rows = one.rows[one.cosines >= edge]
        vectors = one.segment.pooled(pooling)[rows].astype(np.float64)
        lengths = np.maximum(np.sqrt(np.einsum("nd,nd->n", vectors, vectors)), 1e-12)
        cosines = np.einsum("nd,d->n", vectors, unit.astype(np.float64)) / lengths
        return list(zip(one.segment.chunk_ids(rows), cosines.tolist(), strict=True))

    def _lengths_of(self, segment: Segment, pooling: Pooling) -> NDArray[np.float32] | None:
        """Return the lengths of a segment's vectors; None where all are unit vectors, as most models' are."""
        with self._lock:
            known = self._lengths.setdefault(segment, {})
            if pooling not in known:
                lengths = np.linalg.norm(segment.pooled(pooling), axis=1)
                is_unit = bool(np.all(np.abs(lengths - 1) < _UNIT))
                known[pooling] = None if is_unit else np.maximum(lengths, 1e-12).astype(np.float32)
            return known[pooling]


def _edge(cosines: list[NDArray[np.float32]], limit: int) -> float:
    """Return the least cosine of what may be among the `limit` nearest."""
    every = np.concatenate([np.zeros(0, np.float32), *cosines])
    if len(every) <= limit:
        return -np.inf
    return float(np.partition(every, -limit)[-limit]) - _ROUNDING
