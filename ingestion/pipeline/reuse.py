"""Vectors reused from a file's former version, or from the same bytes elsewhere."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from ingestion.documents import Chunk
from ingestion.encoders import CHUNKER_VERSION, Encoder, Encodings
from ingestion.errors import LibraryDamaged
from ingestion.library import Library
from ingestion.parsing import READER_VERSION
from ingestion.storage.catalogue.records import Document, StoredChunk
from ingestion.storage.open_representations import OpenRepresentation
from ingestion.storage.originals import Source


def is_current(document: Document) -> bool:
    """Whether a stored document is read and cut as this version of the application does it."""
    return document.chunker == CHUNKER_VERSION and document.reader == READER_VERSION


def encode_chunks(
    encoder: Encoder,
    chunks: Sequence[Chunk | StoredChunk],
    *,
    on_progress: Callable[[int, int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Encodings:
    """Encode chunks with their context lines. Raises Cancelled and ModelError as the encoder does."""
    texts, contexts = [chunk.text for chunk in chunks], [chunk.context for chunk in chunks]
    return encoder.encode(texts, contexts, on_progress=on_progress, cancelled=cancelled)


class Reuse:
    """Finds chunks of a new version whose text and context are encoded already.

    Token vectors come back from their int8 codes, and go back to the same codes.
    """

    def __init__(self, library: Library, opened: OpenRepresentation, collection_id: int) -> None:
        self._library = library
        self._index = opened
        self._collection_id = collection_id

    def known(self, source: Source, chunks: Sequence[Chunk]) -> dict[int, Encodings]:
        """Return the vectors that are there, by the chunk's place among `chunks`."""
        catalogue = self._library.catalogue
        former = catalogue.by_source(self._collection_id, source.path)
        candidates = (former, catalogue.by_content(source.sha256))
        found: dict[tuple[str, str], Encodings] = {}
        for document in {one.id: one for one in candidates if one is not None}.values():
            found.update(self._stored(document))
        places = ((place, found.get((chunk.context, chunk.text))) for place, chunk in enumerate(chunks))
        return {place: encodings for place, encodings in places if encodings is not None}

    def merge(self, count: int, known: Mapping[int, Encodings], made: Encodings) -> Encodings:
        """Return the vectors of `count` chunks: those known, and the others made, in order."""
        if not known:
            return made
        rows = iter(range(len(made)))
        return join(
            [
                known[place] if place in known else made.part(row := next(rows), row + 1)
                for place in range(count)
            ]
        )

    def _stored(self, document: Document) -> dict[tuple[str, str], Encodings]:
        segment = self._library.representations.segment(document.id, self._index.id)
        if segment is None:
            return {}
        try:
            file = self._library.folder / "tokens" / segment
            encodings = self._index.tokens.read(file, (document.id, document.version))
        except LibraryDamaged:  # then they are encoded again
            return {}
        chunks = self._library.catalogue.chunks(document.chunk_ids())
        return {
            (chunk.context, chunk.text): encodings.part(chunk.ordinal, chunk.ordinal + 1)
            for chunk in chunks.values()
            if chunk.ordinal < len(encodings)
        }


def join(parts: Sequence[Encodings]) -> Encodings:
    """Return the vectors of several lists of passages as those of one."""
    lengths = [np.diff(part.offsets) for part in parts]
    known = all(len(part.punctuation) == len(part.tokens) for part in parts)
    return Encodings(
        cls=np.concatenate([part.cls for part in parts]),
        mean=np.concatenate([part.mean for part in parts]),
        tokens=np.concatenate([part.tokens for part in parts]),
        offsets=np.cumsum(np.concatenate([[0], *lengths]), dtype=np.int64),
        spans=np.concatenate([part.spans for part in parts]),
        punctuation=np.concatenate([part.punctuation if known else part.punctuation[:0] for part in parts]),
    )
