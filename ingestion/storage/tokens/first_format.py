"""Reading segments of the first format: one document, int8, ids as JSON, CRC-32 of each MiB.

magic "RAGTOK1\\n" | header length (u32) | header (JSON) | codes, offsets, spans, ids, cls, mean
"""

import json
import struct
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingestion.storage.tokens.layout import Sums

MAGIC = b"RAGTOK1\n"
_START = struct.Struct("<8sI")
_BLOCK = 1 << 20


def read_header(data: NDArray[np.uint8]) -> tuple[dict[str, Any], int]:
    """Return the header and where it ends. Raises ValueError, KeyError or struct.error for a bad one."""
    _, length = _START.unpack(data[: _START.size].tobytes())
    end = _START.size + length
    header: dict[str, Any] = json.loads(data[_START.size : end].tobytes())
    if header["codec"] != "int8":
        raise ValueError(f"its codec is {header['codec']!r}, and such files know int8")
    return header, end


def read_sums(header: Mapping[str, Any], sections: Mapping[str, NDArray[Any]]) -> dict[str, Sums]:
    """Return each section's checksums."""
    found = {}
    for name, array in sections.items():
        expected = np.array(header["checksums"][name], np.uint64).reshape(-1)
        if len(expected) != -(-array.nbytes // _BLOCK):
            raise ValueError(f"its header has the wrong number of checksums for {name}")
        found[name] = Sums(expected, _BLOCK, zlib.crc32)
    return found


def read_document(ids: NDArray[np.uint8]) -> dict[str, NDArray[Any]]:
    """Return the sections that name a segment's documents, from its ids. Raises ValueError where they are
    not one document's."""
    chunks: list[str] = json.loads(ids.tobytes())
    identity, version = chunks[0].rsplit(":", 2)[:2] if chunks else ("", "0")
    if chunks != [f"{identity}:{version}:{ordinal}" for ordinal in range(len(chunks))]:
        raise ValueError("it holds chunks of several documents")
    count = min(1, len(chunks))
    return {
        "documents": np.array([identity.encode()][:count], "|S24"),
        "versions": np.array([int(version)][:count], "<i4"),
        "firsts": np.array([0, len(chunks)][: count + 1], "<i8"),
    }
