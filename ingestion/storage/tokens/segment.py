"""One immutable file of token vectors, memory-mapped. Several documents may share one.

    magic "RAGTOK2\\n" | header length (u32) | XXH3-64 of the header (u64) | header (JSON, UTF-8)
                     | sections, each on a 64-byte edge

    header:   fingerprint, codec, dimension, sums (XXH3-64 of the section `sums`, hexadecimal),
              sections {name: {offset, dtype, shape}}
    sections: documents S24 [m], versions int32 [m], firsts int64 [m + 1]: document i owns chunks
              firsts[i]:firsts[i + 1], which are its own in order
              | offsets int64 [n + 1]: chunk i owns vectors offsets[i]:offsets[i + 1]
              | codes int8 [v, k] or uint8 [v, k / 2] | spans uint16 [t, 2]
              | where tokens are pooled: owners uint16 [t], each token's vector within its chunk, and
                token_offsets int64 [n + 1], chunk i's tokens
              | cls, mean float32 [n, d]: so that Chroma can be rebuilt without encoding again
              | in large segments that were merged (`tokens.inverted_lists`): centroids int8 [c, k],
                fit float32 [1], list_edges int64 [c + 1], list_chunks uint16 [p]
              | sums uint64: XXH3-64 of each 64 KiB of each other section

Opening checks the header and the sections that locate the others. All other blocks are compared with their
checksums when they are first read, and by `verify`.
"""

import json
import mmap
import struct
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import xxhash
from numpy.typing import NDArray

from ingestion.errors import LibraryDamaged
from ingestion.storage.tokens.layout import BLOCK, DTYPES, EDGE, MAGIC, START, DocumentKey, SectionSums

# The sections that locate the others.
_MAP = ("documents", "versions", "firsts", "offsets", "token_offsets")
# Chunks of a document that are compared at a time: 64 MB of codes, which memory gives back then.
_TOUCHED = 2048
# A file is read as a whole for more than a fourth of its chunks.
_FEW = 4


class Segment:
    """A segment opened for reading. Arrays are views of the mapped file.

    Attributes:
        codec: the name of the codec that made `codes`.
        dimension: of the token vectors.
        documents, versions, firsts, offsets, codes, spans, owners, token_offsets: the sections above.
            Read what is in `codes`, `spans`, `owners` and the pooled vectors behind `touch` only.
    """

    def __init__(self, path: Path) -> None:
        """Raises LibraryDamaged, naming the file, where it is missing, cut short or no segment."""
        self.path = path
        try:
            self._map = np.memmap(path, dtype=np.uint8, mode="r")
            header, base = self._read_header()
            self._sections = self._read_sections(header["sections"], base)
            self._sums = self._read_sums(header)
            self.fingerprint = str(header["fingerprint"])
            self.codec = str(header["codec"])
            self.dimension = int(header["dimension"])
            for name in _MAP:
                if name in self._sums:
                    self.touch(name)
            self.documents: NDArray[np.bytes_] = self._sections["documents"]
            self.versions: NDArray[np.int32] = self._sections["versions"]
            self.firsts: NDArray[np.int64] = self._sections["firsts"]
            self.offsets: NDArray[np.int64] = self._sections["offsets"]
            self.codes: NDArray[Any] = self._sections["codes"]
            self.spans: NDArray[np.uint16] = self._sections["spans"]
            self.owners: NDArray[np.uint16] | None = self._sections.get("owners")
            self.token_offsets: NDArray[np.int64] = self._sections.get("token_offsets", self.offsets)
            self._check_sizes()
        except (OSError, ValueError, KeyError, TypeError, AttributeError, struct.error) as error:
            raise LibraryDamaged(f"the token segment {path} cannot be read: {error}") from error

    def __len__(self) -> int:
        """The number of chunks, deleted documents' included."""
        return len(self.offsets) - 1

    @property
    def bytes(self) -> int:
        """The size of the file."""
        return len(self._map)

    def section_bytes(self) -> dict[str, int]:
        """Return how much each section takes."""
        return {name: array.nbytes for name, array in self._sections.items()}

    # Documents and chunks

    def document_keys(self) -> list[DocumentKey]:
        """Return the documents, in the order of their chunks."""
        return [(one.decode(), int(v)) for one, v in zip(self.documents, self.versions, strict=True)]

    def rows(self, document: DocumentKey) -> range:
        """Return a document's chunks. Raises KeyError where it is not here."""
        place = self.places[document[0]]
        if self.versions[place] != document[1]:
            raise KeyError(document)
        return range(int(self.firsts[place]), int(self.firsts[place + 1]))

    def rows_of(self, document: DocumentKey) -> range:
        """Return a document's chunks. Raises LibraryDamaged where it is not here."""
        try:
            return self.rows(document)
        except KeyError as error:
            raise LibraryDamaged(
                f"the token segment {self.path} has no version {document[1]} of {document[0]}"
            ) from error

    def row(self, chunk: str) -> int:
        """Return a chunk's place in the segment. Raises KeyError where it has none."""
        identity, version, ordinal = chunk.rsplit(":", 2)
        return self.rows((identity, int(version)))[int(ordinal)]

    def chunk_ids(self, rows: Sequence[int] | NDArray[np.int64]) -> list[str]:
        """Return the ids of the chunks at these places."""
        places = np.searchsorted(self.firsts, rows, side="right") - 1
        return [
            f"{self.documents[place].decode()}:{self.versions[place]}:{row - self.firsts[place]}"
            for place, row in zip(places, rows, strict=True)
        ]

    @cached_property
    def places(self) -> dict[str, int]:
        """Where each document stands in `documents`, by id."""
        return {one.decode(): place for place, one in enumerate(self.documents)}

    # Arrays

    def pooled(self, pooling: str) -> NDArray[np.float32]:
        """Return the [n, d] vectors of a pooling; see `touch`."""
        return self._sections[pooling]

    def extra(self, name: str) -> NDArray[Any] | None:
        """Return a section that only some segments have, compared with its checksums, or None."""
        if name not in self._sections:
            return None
        self.touch(name)
        return self._sections[name]

    def fetch(self, rows: NDArray[np.int64]) -> int:
        """Let the system read the codes of these chunks ahead, all at once, where it can: whole blocks where
        these are still to be compared. Return how many bytes of memory they may take: whole blocks, as the
        system maps what it has of a file's neighbouring pages. Most of a file is read faster in one go."""
        if len(rows) > len(self) // _FEW:
            return self.codes.nbytes
        width, sums = self.codes.shape[1], self._sums["codes"]
        firsts, lasts = self.offsets[rows] * width, self.offsets[rows + 1] * width
        first_blocks, last_blocks = firsts // sums.block, -(-lasts // sums.block)
        if hasattr(mmap, "MADV_WILLNEED"):
            known = np.append(sums.compared, True)
            new = ~(known[first_blocks] & known[np.maximum(last_blocks - 1, 0)])
            firsts = np.where(new, first_blocks * sums.block, firsts)
            lasts = np.where(new, np.minimum(last_blocks * sums.block, self.codes.nbytes), lasts)
            start = self.codes.ctypes.data - self._map.ctypes.data
            for first, last in zip((start + firsts).tolist(), (start + lasts).tolist(), strict=True):
                page = first // mmap.PAGESIZE * mmap.PAGESIZE
                self._file.madvise(mmap.MADV_WILLNEED, page, last - page)
        return int((last_blocks - first_blocks).sum()) * sums.block

    def release(self) -> None:
        """Give back the memory that the file takes as far as it was read; it is read again when needed."""
        if hasattr(mmap, "MADV_DONTNEED"):
            self._file.madvise(mmap.MADV_DONTNEED)

    @property
    def _file(self) -> mmap.mmap:
        mapped: mmap.mmap = self._map._mmap  # type: ignore[attr-defined]
        return mapped

    def touch(self, name: str, first: int = 0, last: int | None = None) -> None:
        """Compare rows first:last of a section with the checksums, if they have not been compared yet.

        Raises LibraryDamaged, naming the file and section.
        """
        sums, array = self._sums[name], self._sections[name]
        if last is None:
            blocks = np.flatnonzero(~sums.compared)
        else:
            width = array.nbytes // max(len(array), 1)
            start, end = first * width // sums.block, -(-last * width // sums.block)
            blocks = start + np.flatnonzero(~sums.compared[start:end])
        self._compare(name, blocks)

    def sound(self, rows: NDArray[np.int64] | None) -> NDArray[np.int64] | None:
        """Return the chunks among `rows` (None: all) whose codes are as they were written; the same object
        where all are."""
        sums = self._sums["codes"]
        if sums.compared.all():
            return rows
        width = self.codes.shape[1]
        if rows is None:
            blocks = np.flatnonzero(~sums.compared)
        else:
            starts = self.offsets[rows] * width // sums.block
            ends = -(-self.offsets[rows + 1] * width // sums.block)
            steps = np.arange(int((ends - starts).max(initial=0)))
            each = starts[:, None] + steps
            blocks = np.unique(each[each < ends[:, None]])
            blocks = blocks[~sums.compared[blocks]]
        bad = self._bad("codes", blocks)
        if not bad:
            return rows
        alive = np.ones(len(self), np.bool_)
        for block in bad:
            first, last = block * sums.block // width, -(-(block + 1) * sums.block // width)
            start = int(np.searchsorted(self.offsets, first, side="right")) - 1
            alive[start : int(np.searchsorted(self.offsets, last))] = False
        return np.flatnonzero(alive) if rows is None else rows[alive[rows]]

    def touch_document(self, document: DocumentKey) -> range:
        """Compare all that is a document's with the checksums; return its rows.

        Raises LibraryDamaged, naming the file and section, also where it has no such document.
        """
        rows = self.rows_of(document)
        for first in range(rows.start, rows.stop, _TOUCHED):
            self.touch_rows(first, min(rows.stop, first + _TOUCHED))
            self.release()
        return rows

    def touch_rows(self, first: int, last: int) -> None:
        """Compare all that belongs to chunks first:last with the checksums."""
        vectors = int(self.offsets[first]), int(self.offsets[last])
        tokens = int(self.token_offsets[first]), int(self.token_offsets[last])
        self.touch("codes", *vectors)
        for name in ("spans", "owners"):
            if name in self._sections:
                self.touch(name, *tokens)
        for name in ("cls", "mean"):
            self.touch(name, first, last)

    def verify(self) -> None:
        """Compare every block. Raises LibraryDamaged, naming the file and section."""
        for name, sums in self._sums.items():
            self._compare(name, range(len(sums.expected)))

    def _compare(self, name: str, blocks: Sequence[int] | NDArray[np.int64]) -> None:
        if self._bad(name, blocks):
            raise LibraryDamaged(f"the token segment {self.path} fails its checksum in {name}")

    def _bad(self, name: str, blocks: Sequence[int] | NDArray[np.int64]) -> list[int]:
        data = np.ascontiguousarray(self._sections[name]).reshape(-1).view(np.uint8)
        return self._sums[name].bad(data, blocks)

    # Reading the header

    def _read_header(self) -> tuple[dict[str, Any], int]:
        magic, length, total = START.unpack(self._map[: START.size].tobytes())
        if magic != MAGIC:
            raise ValueError("it does not begin as a segment does")
        data = self._map[START.size : START.size + length].tobytes()
        if xxhash.xxh3_64_intdigest(data) != total:
            raise ValueError("its header fails its checksum")
        header: dict[str, Any] = json.loads(data)
        return header, START.size + length

    def _read_sections(self, places: Mapping[str, Mapping[str, Any]], base: int) -> dict[str, NDArray[Any]]:
        sections: dict[str, NDArray[Any]] = {}
        offset = 0
        for name, place in places.items():
            dtype, shape = np.dtype(place["dtype"]), tuple(place["shape"])
            known = DTYPES.get(name, (dtype.str,))
            if place["offset"] != offset or dtype.str not in known or min(shape, default=0) < 0:
                raise ValueError(f"its header misplaces {name}")
            start = base + offset
            end = start + dtype.itemsize * int(np.prod(shape, dtype=np.int64))
            if end > len(self._map):
                raise ValueError(f"it is {len(self._map)} bytes long and should have {end} or more")
            sections[name] = self._map[start:end].view(dtype).reshape(shape)
            offset += -(-(end - start) // EDGE) * EDGE
        return sections

    def _read_sums(self, header: Mapping[str, Any]) -> dict[str, SectionSums]:
        sums = self._sections.pop("sums")
        if xxhash.xxh3_64_hexdigest(sums.tobytes()) != header["sums"]:
            raise ValueError("its checksums fail their own")
        found: dict[str, SectionSums] = {}
        first = 0
        for name, array in self._sections.items():
            last = first + -(-array.nbytes // BLOCK)
            found[name] = SectionSums(sums[first:last], BLOCK, xxhash.xxh3_64_intdigest)
            first = last
        if first != len(sums):
            raise ValueError("its checksums are not those of its sections")
        return found

    def _check_sizes(self) -> None:
        chunks, vectors, tokens = len(self), len(self.codes), len(self.spans)
        width = self.dimension if self.codes.dtype == np.int8 else -(-self.dimension // 2)
        if (
            self.codes.shape != (vectors, width)
            or self.spans.shape != (tokens, 2)
            or not len(self._sections["cls"]) == len(self._sections["mean"]) == chunks
            or self.versions.shape != self.documents.shape
            or self.firsts.shape != (len(self.documents) + 1,)
            or not _partition(self.firsts, chunks)
            or not _partition(self.offsets, vectors)
            or self.token_offsets.shape != self.offsets.shape
            or not _partition(self.token_offsets, tokens)
            or (tokens != vectors if self.owners is None else self.owners.shape != (tokens,))
        ):
            raise ValueError("its sections do not fit together")


def _partition(edges: NDArray[np.int64], count: int) -> bool:
    """Whether the edges cut `count` things into consecutive runs."""
    return bool(edges[0] == 0 and edges[-1] == count and np.all(edges[1:] >= edges[:-1]))
