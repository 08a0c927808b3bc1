"""The vectors of a long document on the disk, from when they are encoded until the document is committed.

    encode a block of chunks → its codes and pooled vectors, each behind the former block's, a file a section
        → the document's segment, copied block by block

The files have no name: nothing is left of them when the process ends, however it ends.
"""

import weakref
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from ingestion.encoders import BLOCK_CHUNKS, Encodings
from ingestion.storage.tokens.codec import CodecSpec, Floats, TokenArrays, store_tokens
from ingestion.storage.tokens.layout import DocumentKey, Section, section_of
from ingestion.storage.tokens.writing import SegmentData, check_token_map, document_sections

# A section's element type and the shape of a row.
Kind = tuple[str, tuple[int, ...]]


class StagedVectors:
    """One document's vectors in a store's codec. Memory holds one block of them."""

    def __init__(self, folder: Path, spec: CodecSpec, scales: Floats) -> None:
        self._folder = folder
        self._spec = spec
        self._scales = scales
        self._dimension = 0
        self._files: dict[str, IO[bytes]] = {}
        self._kinds: dict[str, Kind] = {}
        self._lengths: dict[str, list[NDArray[np.int64]]] = {"offsets": [], "token_offsets": []}
        self._order: NDArray[np.int64] | None = None
        self._staged = 0
        self.close = weakref.finalize(self, _close, self._files)

    def __len__(self) -> int:
        """The number of the document's chunks."""
        return self._staged if self._order is None else len(self._order)

    def append(self, encodings: Encodings) -> None:
        """Stage the next block. Raises OSError, and ValueError for what a segment cannot hold."""
        arrays = TokenArrays(encodings.tokens, encodings.offsets, encodings.spans, encodings.punctuation)
        stored = store_tokens(self._spec, self._scales, arrays)
        check_token_map(stored.spans, stored.owners)
        self._dimension = encodings.tokens.shape[1]
        sections = {
            "owners": stored.owners,
            "codes": stored.codes,
            "spans": stored.spans,
            "cls": encodings.cls,
            "mean": encodings.mean,
        }
        for name, array in sections.items():
            if array is not None:
                self._append(name, array)
        token_offsets = stored.offsets if stored.token_offsets is None else stored.token_offsets
        self._lengths["offsets"].append(np.diff(stored.offsets))
        self._lengths["token_offsets"].append(np.diff(token_offsets))
        self._staged += len(encodings)

    def arrange(self, order: Sequence[int]) -> None:
        """Say which of the staged passages each chunk of the document is: equal ones are staged once."""
        self._order = np.array(order, np.int64)

    def pooled(self, kind: str) -> Iterator[Floats]:
        """Yield a kind's vectors, [n, d], in blocks of consecutive chunks."""
        for first, last in self._runs():
            yield self._read(kind, first, last)

    def segment(self, fingerprint: str, document: DocumentKey) -> SegmentData:
        """Return the document's segment, to be written: its sections are read block by block."""
        sections = document_sections([(document, len(self))])
        edges = {name: _edges(lengths) for name, lengths in self._lengths.items()}
        for name in ("offsets", "token_offsets") if "owners" in self._files else ("offsets",):
            lengths = np.diff(edges[name])
            ordered = lengths if self._order is None else lengths[self._order]
            sections[name] = section_of(name, np.concatenate([[0], np.cumsum(ordered)]))
        tokens = edges["token_offsets"]
        rows = {"owners": tokens, "codes": edges["offsets"], "spans": tokens}
        for name in ("owners", "codes", "spans", "cls", "mean"):
            if name in self._files:
                sections[name] = self._section(name, rows.get(name))
        return SegmentData(fingerprint, self._spec.name, self._dimension, sections)

    def _append(self, name: str, array: NDArray[Any]) -> None:
        section = section_of(name, array)
        kind = section.dtype, tuple(section.shape[1:])
        if self._kinds.setdefault(name, kind) != kind:
            raise ValueError(f"a block of {name} is {kind}, the former ones are {self._kinds[name]}")
        if name not in self._files:
            self._files[name] = TemporaryFile(dir=self._folder)  # noqa: SIM115
        if array.size:
            self._files[name].write(np.ascontiguousarray(array, section.dtype).data.cast("B"))

    def _read(self, name: str, first: int, last: int) -> NDArray[Any]:
        dtype, shape = self._kinds[name]
        row = np.dtype(dtype).itemsize * int(np.prod(shape, dtype=np.int64))
        self._files[name].seek(first * row)
        data = self._files[name].read((last - first) * row)
        return np.frombuffer(data, dtype).reshape(last - first, *shape)

    def _runs(self) -> Iterator[tuple[int, int]]:
        """Yield the staged passages in the order of the chunks, consecutive ones together."""
        order = np.arange(self._staged) if self._order is None else self._order
        first = 0
        while first < len(order):
            block = order[first : first + BLOCK_CHUNKS]
            steps = np.flatnonzero(np.diff(block) != 1)
            count = int(steps[0]) + 1 if len(steps) else len(block)
            yield int(block[0]), int(block[0]) + count
            first += count

    def _section(self, name: str, edges: NDArray[np.int64] | None) -> Section:
        def place(passage: int) -> int:
            return passage if edges is None else int(edges[passage])

        def parts() -> Iterator[NDArray[Any]]:
            for first, last in self._runs():
                yield self._read(name, place(first), place(last))

        dtype, shape = self._kinds[name]
        count = sum(place(last) - place(first) for first, last in self._runs())
        return Section(dtype, (count, *shape), parts())


def _edges(lengths: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(np.concatenate([np.zeros(0, np.int64), *lengths]))])


def _close(files: dict[str, IO[bytes]]) -> None:
    for file in files.values():
        file.close()
