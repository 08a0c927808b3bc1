"""How a token segment lies on the disk; see `ingestion.storage.tokens.segment` for the whole.

Everything here is shared by those who write segments and those who read them.
"""

import json
import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xxhash
from numpy.typing import NDArray

MAGIC = b"RAGTOK2\n"
START = struct.Struct("<8sIQ")
EDGE = 64
# Small, so that looking at a few chunks of a large file compares little.
BLOCK = 1 << 16
MAX_CHARACTERS = (1 << 16) - 1
MAX_DOCUMENT_ID = 24
DTYPES = {
    "documents": ("|S24",), "versions": ("<i4",), "firsts": ("<i8",), "offsets": ("<i8",),
    "codes": ("|i1", "|u1"), "spans": ("<u2",), "owners": ("<u2",), "token_offsets": ("<i8",),
    "cls": ("<f4",), "mean": ("<f4",), "sums": ("<u8",),
    "centroids": ("|i1",), "fit": ("<f4",), "list_edges": ("<i8",), "list_chunks": ("<u2",),
}  # fmt: skip

DocumentKey = tuple[str, int]
"""A document's id and version."""


@dataclass(frozen=True)
class Section:
    """An array of a segment to be written, in parts that follow one another along the first axis."""

    dtype: str
    shape: tuple[int, ...]
    parts: Iterable[NDArray[Any]]

    @property
    def bytes(self) -> int:
        return int(np.prod(self.shape, dtype=np.int64)) * np.dtype(self.dtype).itemsize


def section_of(name: str, array: NDArray[Any]) -> Section:
    """Return an array as a section of its usual type."""
    dtype = array.dtype.str if array.dtype.str in DTYPES.get(name, (array.dtype.str,)) else DTYPES[name][0]
    return Section(dtype, array.shape, [array])


@dataclass
class SectionSums:
    """The checksums of a section's blocks, and which blocks have been compared with them."""

    expected: NDArray[np.uint64]
    block: int
    function: Callable[[Any], int]
    compared: NDArray[np.bool_] = field(init=False)

    def __post_init__(self) -> None:
        self.compared = np.zeros(len(self.expected), np.bool_)

    def bad(self, data: NDArray[np.uint8], blocks: Sequence[int] | NDArray[np.int64]) -> list[int]:
        """Return those of the blocks of a section's bytes that are not as they were written."""
        view = data.data
        found = []
        for block in blocks:
            start = int(block) * self.block
            if self.function(view[start : start + self.block]) == self.expected[block]:
                self.compared[block] = True
            else:
                found.append(int(block))
        return found


def header_bytes(
    fingerprint: str, codec: str, dimension: int, sections: Mapping[str, Section], *, sums: bytes
) -> bytes:
    """Return the header. It is as long with the real checksums as with none."""
    places: dict[str, dict[str, Any]] = {}
    offset = 0
    for name, section in sections.items():
        places[name] = {"offset": offset, "dtype": section.dtype, "shape": section.shape}
        offset += -(-section.bytes // EDGE) * EDGE
    fields = {
        "fingerprint": fingerprint,
        "codec": codec,
        "dimension": dimension,
        "sums": xxhash.xxh3_64_hexdigest(sums),
        "sections": places,
    }
    header = json.dumps(fields).encode()
    # Padded so that the sections, whose offsets count from the header's end, lie on an edge.
    return header + b" " * (-(START.size + len(header)) % EDGE)
