"""The chunks of a document, which share the text of its pages: a long document's text is held once."""

from collections.abc import Iterable, Sequence
from typing import overload

from ingestion.documents import Chunk, Page


class PageChunks(Sequence[Chunk]):
    """Chunks in order. Each is cut from its page's text when it is asked for."""

    def __init__(self, pages: Iterable[Page]) -> None:
        self._texts = {page.number: page.text for page in pages}
        self._cuts: list[tuple[int, int, int, str | None, str]] = []

    def add(self, page: int, start: int, end: int, heading: str | None, context: str) -> None:
        """Append a chunk: characters `start` to `end` of a page."""
        self._cuts.append((page, start, end, heading, context))

    def __len__(self) -> int:
        return len(self._cuts)

    @overload
    def __getitem__(self, place: int) -> Chunk: ...
    @overload
    def __getitem__(self, place: slice) -> list[Chunk]: ...
    def __getitem__(self, place: int | slice) -> Chunk | list[Chunk]:
        ordinals = range(len(self._cuts))[place]
        if isinstance(ordinals, range):
            return [self._chunk(ordinal) for ordinal in ordinals]
        return self._chunk(ordinals)

    def _chunk(self, ordinal: int) -> Chunk:
        page, start, end, heading, context = self._cuts[ordinal]
        return Chunk(ordinal, page, start, end, self._texts[page][start:end], heading, context)
