"""Vectors reused from a file's former version, or from the same bytes elsewhere."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from hashlib import blake2b

from ingestion.documents import Chunk
from ingestion.encoders import CHUNKER_VERSION, Encoder, Encodings, join
from ingestion.errors import LibraryDamaged
from ingestion.library import Library
from ingestion.parsing import READER_VERSION
from ingestion.storage.catalogue.records import Document, StoredChunk
from ingestion.storage.open_representations import OpenRepresentation
from ingestion.storage.originals import Source
from ingestion.storage.tokens.stored import StoredVectors


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
    """Finds chunks of a file's new version whose text and context are encoded already.

    Token vectors come back from their int8 codes, and go back to the same codes.
    """

    def __init__(
        self, library: Library, opened: OpenRepresentation, collection_id: int, source: Source
    ) -> None:
        self._library = library
        self._index = opened
        catalogue = library.catalogue
        candidates = (catalogue.by_source(collection_id, source.path), catalogue.by_content(source.sha256))
        self._places: dict[bytes, tuple[StoredVectors, int]] = {}
        for document in {one.id: one for one in candidates if one is not None}.values():
            self._places.update(self._stored(document))

    def known(self, chunks: Sequence[Chunk | StoredChunk]) -> dict[int, Encodings]:
        """Return the vectors that are there, by the chunk's place among `chunks`."""
        found = {}
        for place, chunk in enumerate(chunks) if self._places else ():
            if stored := self._places.get(chunk_key(chunk)):
                vectors, ordinal = stored
                found[place] = vectors.part(ordinal, ordinal + 1)
        for vectors in {vectors for vectors, _ in self._places.values()} if found else ():
            vectors.release()
        return found

    def _stored(self, document: Document) -> Iterator[tuple[bytes, tuple[StoredVectors, int]]]:
        """Yield a stored document's chunks, by key, and their places in its segment."""
        segment = self._library.representations.segment(document.id, self._index.id)
        if segment is None:
            return
        try:
            file = self._library.folder / "tokens" / segment
            vectors = self._index.tokens.stored(file, (document.id, document.version))
        except LibraryDamaged:  # then they are encoded again
            return
        for chunk in self._library.catalogue.chunks_of(document):
            if chunk.ordinal < len(vectors):
                yield chunk_key(chunk), (vectors, chunk.ordinal)


def merge(count: int, known: Mapping[int, Encodings], made: Encodings) -> Encodings:
    """Return the vectors of `count` chunks: those known, and the others made, in order."""
    if not known:
        return made
    rows = iter(range(len(made)))
    return join(
        [known[place] if place in known else made.part(row := next(rows), row + 1) for place in range(count)]
    )


def chunk_key(chunk: Chunk | StoredChunk) -> bytes:
    """Return what tells chunks apart by context and text, in a few bytes."""
    context, text = (one.encode("utf-8", "surrogatepass") for one in (chunk.context, chunk.text))
    return blake2b(len(context).to_bytes(8, "little") + context + text, digest_size=16).digest()
