"""One immutable file of token vectors, memory-mapped.

    magic "RAGTOK1\\n" | header length (u32) | header (JSON, UTF-8) | sections, each on a 64-byte edge

    header:   representation, fingerprint, dimension, codec, chunks, tokens, poolings,
              sections {name: {offset, dtype, shape}}, checksums {name: [crc32 of each MiB]}
    sections: codes int8 [t, k] | offsets int64 [n + 1] | spans uint16 [t, 2] | ids (JSON, UTF-8)
              | cls, mean float32 [n, d]: so that Chroma can be rebuilt without encoding again

Opening checks that the header describes sections that lie one behind another and fit together;
`verify` compares the sections with their checksums.
"""

import json
import os
import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingestion.errors import LibraryDamaged

_MAGIC = b"RAGTOK1\n"
_EDGE = 64
_BLOCK = 1 << 20
MAX_CHARACTERS = (1 << 16) - 1
_DTYPES = {"codes": "<i1", "offsets": "<i8", "spans": "<u2", "ids": "<u1", "cls": "<f4", "mean": "<f4"}


@dataclass(frozen=True, slots=True)
class SegmentContents:
    """What a segment is written from: arrays as the sections above, ids as the catalogue's."""

    fingerprint: str
    ids: Sequence[str]
    codes: NDArray[np.int8]
    offsets: NDArray[np.int64]
    spans: NDArray[np.int32]
    cls: NDArray[np.float32]
    mean: NDArray[np.float32]


def write_segment(path: Path, contents: SegmentContents) -> None:
    """Write the file completely, flush it to the disk, and only then give it its name.

    Raises ValueError for a span beyond MAX_CHARACTERS.
    """
    if contents.spans.size and not 0 <= contents.spans.min() <= contents.spans.max() <= MAX_CHARACTERS:
        raise ValueError(f"a token's span ends at {contents.spans.max()}, beyond {MAX_CHARACTERS}")
    arrays: dict[str, NDArray[Any]] = {
        "codes": contents.codes,
        "offsets": contents.offsets,
        "spans": contents.spans,
        "ids": np.frombuffer(json.dumps(list(contents.ids)).encode(), dtype=np.uint8),
        "cls": contents.cls,
        "mean": contents.mean,
    }
    sections = {name: array.astype(_DTYPES[name], copy=False) for name, array in arrays.items()}
    header = _header(contents, sections)
    temporary = path.with_suffix(".tmp")
    try:
        with temporary.open("wb") as stream:
            stream.write(_MAGIC + struct.pack("<I", len(header)) + header)
            for array in sections.values():
                stream.write(b"\0" * (-stream.tell() % _EDGE))
                stream.write(np.ascontiguousarray(array).data.cast("B") if array.size else b"")
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Flush a folder's entries to the disk, where the system can."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class Segment:
    """A segment opened for reading. Arrays are views of the mapped file."""

    def __init__(self, path: Path) -> None:
        """Raises LibraryDamaged, naming the file, where it is missing, cut short or no segment."""
        self.path = path
        try:
            self._map = np.memmap(path, dtype=np.uint8, mode="r")
            header = self._read_header()
            self._sections = self._read_sections(header["sections"])
            self._checksums: Mapping[str, list[int]] = header["checksums"]
            self.fingerprint = str(header["fingerprint"])
            self.ids: list[str] = json.loads(self._sections["ids"].tobytes())
            self.codes: NDArray[np.int8] = self._sections["codes"]
            self.offsets: NDArray[np.int64] = self._sections["offsets"]
            self.spans: NDArray[np.uint16] = self._sections["spans"]
            self._check_sizes(int(header["dimension"]))
        except (OSError, ValueError, KeyError, TypeError, AttributeError, struct.error) as error:
            raise LibraryDamaged(f"the token segment {path} cannot be read: {error}") from error

    @property
    def bytes(self) -> int:
        """The size of the file."""
        return len(self._map)

    def row(self, chunk: str) -> int:
        """Return a chunk's place in the segment. Raises KeyError where it has none."""
        return self._rows[chunk]

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {chunk: row for row, chunk in enumerate(self.ids)}

    def pooled(self, pooling: str) -> NDArray[np.float32]:
        """Return the [n, d] vectors of a pooling."""
        return self._sections[pooling]

    def verify(self) -> None:
        """Check every block. Raises LibraryDamaged, naming the file and section."""
        for name, array in self._sections.items():
            if list(_checksums(array)) != self._checksums.get(name):
                raise LibraryDamaged(f"the token segment {self.path} fails its checksum in {name}")

    def _read_header(self) -> dict[str, Any]:
        start = len(_MAGIC) + 4
        if self._map[: len(_MAGIC)].tobytes() != _MAGIC:
            raise ValueError("it does not begin as a segment does")
        (length,) = struct.unpack("<I", self._map[len(_MAGIC) : start].tobytes())
        header: dict[str, Any] = json.loads(self._map[start : start + length].tobytes())
        if header["codec"] != "int8":
            raise ValueError(f"its codec is {header['codec']!r}, and this version knows int8")
        self._base = start + length
        return header

    def _read_sections(self, places: Mapping[str, Mapping[str, Any]]) -> dict[str, NDArray[Any]]:
        sections: dict[str, NDArray[Any]] = {}
        offset = 0
        for name, place in places.items():
            dtype, shape = np.dtype(_DTYPES[name]), tuple(place["shape"])
            if (place["offset"], place["dtype"]) != (offset, dtype.str):
                raise ValueError(f"its header misplaces {name}")
            start = self._base + offset
            end = start + dtype.itemsize * int(np.prod(shape))
            if end > len(self._map):
                raise ValueError(f"it is {len(self._map)} bytes long and should have {end} or more")
            sections[name] = self._map[start:end].view(dtype).reshape(shape)
            offset += -(-(end - start) // _EDGE) * _EDGE
        return sections

    def _check_sizes(self, dimension: int) -> None:
        chunks, tokens = len(self.ids), len(self.codes)
        shapes = {name: array.shape for name, array in self._sections.items()}
        if (
            shapes["codes"] != (tokens, dimension)
            or shapes["offsets"] != (chunks + 1,)
            or shapes["spans"] != (tokens, 2)
            or not len(self._sections["cls"]) == len(self._sections["mean"]) == chunks
            or self.offsets[0] != 0
            or self.offsets[-1] != tokens
            or np.any(np.diff(self.offsets) < 0)
        ):
            raise ValueError("its sections do not fit together")


def _header(contents: SegmentContents, sections: Mapping[str, NDArray[Any]]) -> bytes:
    fields: dict[str, Any] = {
        "representation": "tokens",
        "fingerprint": contents.fingerprint,
        "dimension": contents.codes.shape[1],
        "codec": "int8",
        "chunks": len(contents.ids),
        "tokens": len(contents.codes),
        "poolings": ["cls", "mean"],
        "checksums": {name: list(_checksums(array)) for name, array in sections.items()},
    }
    places: dict[str, dict[str, Any]] = {}
    offset = 0
    for name, array in sections.items():
        places[name] = {"offset": offset, "dtype": array.dtype.str, "shape": array.shape}
        offset += -(-array.nbytes // _EDGE) * _EDGE
    header = json.dumps({**fields, "sections": places}).encode()
    # Padded so that the sections, whose offsets count from the header's end, lie on an edge.
    return header + b" " * (-(len(_MAGIC) + 4 + len(header)) % _EDGE)


def _checksums(array: NDArray[Any]) -> Iterator[int]:
    data = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
    for start in range(0, len(data), _BLOCK):
        yield zlib.crc32(data[start : start + _BLOCK].tobytes())
