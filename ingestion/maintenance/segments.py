"""Token segments read for maintenance, document by document; several documents may share a segment."""

from pathlib import Path

import numpy as np

from ingestion.errors import LibraryDamaged
from ingestion.storage.catalogue.records import Document
from ingestion.storage.open_representations import OpenRepresentation
from ingestion.storage.tokens.layout import DocumentKey
from ingestion.storage.tokens.segment import Segment
from ingestion.storage.tokens.stored import StoredVectors


class SegmentReader:
    """Opens each segment once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._opened: dict[str, Segment | LibraryDamaged] = {}

    def rows(self, file: str, document: Document) -> tuple[Segment, range]:
        """Return a document's segment, and its chunks there, all of them compared with the checksums.

        Raises LibraryDamaged where that fails, or where the segment has no such document.
        """
        if file not in self._opened:
            try:
                self._opened[file] = Segment(self._folder / file)
            except LibraryDamaged as error:
                self._opened[file] = error
        segment = self._opened[file]
        if isinstance(segment, LibraryDamaged):
            raise LibraryDamaged(str(segment)) from segment
        rows = segment.touch_document((document.id, document.version))
        if len(rows) != document.chunks:
            raise LibraryDamaged(
                f"the token segment {segment.path} holds other chunks than {document.name}'s"
            )
        return segment, rows


def read_vectors(
    opened: OpenRepresentation, path: Path, chunks: int, document: DocumentKey | None = None
) -> StoredVectors | None:
    """Return a document's vectors from a segment, or None where they are damaged, not of the representation
    or not of so many chunks. Without `document`, of the only one that the segment holds."""
    try:
        found = opened.tokens.stored(path, document)
    except LibraryDamaged:
        return None
    for kind in ("cls", "mean"):
        dimension = opened.record.dimension if kind in opened.record.vector_kinds else 0
        if any(part.shape[1] != dimension or not np.isfinite(part).all() for part in found.pooled(kind)):
            return None
    return found if len(found) == chunks else None
