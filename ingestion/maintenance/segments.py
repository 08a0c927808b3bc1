"""Segments looked at document by document; several documents may share one."""

from pathlib import Path

from ingestion.errors import LibraryDamaged
from ingestion.storage.catalogue.records import Document
from ingestion.storage.tokens.segment import Segment


class Segments:
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
