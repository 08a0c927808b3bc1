"""A document's vectors in a segment, read block by block."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np

from ingestion.encoders import BLOCK_CHUNKS, Encodings
from ingestion.errors import LibraryDamaged
from ingestion.storage.tokens.codec import CODECS, CodecSpec, Floats, StoredTokens, can_convert, load_tokens
from ingestion.storage.tokens.layout import DocumentKey
from ingestion.storage.tokens.segment import Segment


class StoredVectors:
    """The vectors of a document that a segment holds; memory holds what is asked for.

    Token vectors are as exact as their codes; tokens that share a vector have equal ones.
    """

    def __init__(self, path: Path, document: DocumentKey | None, spec: CodecSpec, scales: Floats) -> None:
        """Open a segment for a store of this codec; without `document`, for the only one in the segment.

        Everything that is the document's is compared with its checksums.

        Raises:
            LibraryDamaged: The segment cannot be read, lacks the document, or has another dimension or a
                codec that cannot be converted to this one.
        """
        segment = Segment(path)
        if segment.dimension != len(scales):
            raise LibraryDamaged(
                f"the token segment {path} has {segment.dimension} dimensions, not {len(scales)}"
            )
        known = CODECS.get(segment.codec)
        if known is None or not can_convert(known, spec):
            raise LibraryDamaged(
                f"the token segment {path} holds {segment.codec} tokens, which cannot be made "
                f"{spec.name} ones"
            )
        if document is None and len(segment.documents) != 1:
            raise LibraryDamaged(f"the token segment {path} holds several documents, or none")
        self._segment = segment
        self._spec = known
        self._scales = scales
        self._rows = segment.touch_document(document or segment.document_keys()[0])

    def __len__(self) -> int:
        return len(self._rows)

    def part(self, first: int, last: int) -> Encodings:
        """Return the vectors of chunks first:last of the document."""
        segment, start, stop = self._segment, self._rows.start + first, self._rows.start + last
        edges, token_edges = segment.offsets[start : stop + 1], segment.token_offsets[start : stop + 1]
        own = slice(int(token_edges[0]), int(token_edges[-1]))
        stored = StoredTokens(
            codes=np.array(segment.codes[int(edges[0]) : int(edges[-1])]),
            offsets=edges - edges[0],
            spans=np.array(segment.spans[own], dtype=np.int32),
            owners=None if segment.owners is None else np.array(segment.owners[own]),
            token_offsets=None if segment.owners is None else token_edges - token_edges[0],
        )
        arrays = load_tokens(self._spec, self._scales, stored)
        return Encodings(
            cls=np.array(segment.pooled("cls")[start:stop]),
            mean=np.array(segment.pooled("mean")[start:stop]),
            tokens=arrays.tokens,
            offsets=arrays.offsets,
            spans=arrays.spans,
            punctuation=arrays.punctuation,
        )

    def blocks(self) -> Iterator[Encodings]:
        """Yield the vectors in blocks of consecutive chunks."""
        for first, last in self._blocks():
            yield self.part(first, last)
            self.release()

    def pooled(self, kind: str) -> Iterator[Floats]:
        """Yield a kind's vectors, [n, d], in blocks of consecutive chunks."""
        vectors = self._segment.pooled(kind)[self._rows.start : self._rows.stop]
        for first, last in self._blocks():
            yield np.array(vectors[first:last])

    def release(self) -> None:
        """Give back the memory that the file takes as far as it was read."""
        self._segment.release()

    def _blocks(self) -> Iterator[tuple[int, int]]:
        return pairwise([*range(0, len(self), BLOCK_CHUNKS), len(self)])
