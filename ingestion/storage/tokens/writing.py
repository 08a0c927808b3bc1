"""Writing token segments: completely, to the disk, and only then under their name."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import xxhash
from numpy.typing import NDArray

from ingestion.storage.durable import sync_folder
from ingestion.storage.tokens.layout import (
    BLOCK,
    EDGE,
    MAGIC,
    MAX_CHARACTERS,
    MAX_DOCUMENT_ID,
    START,
    DocumentKey,
    Section,
    header_bytes,
    section_of,
)


@dataclass(frozen=True)
class SegmentData:
    """What goes into a file: what it is of, and its sections in their order."""

    fingerprint: str
    codec: str
    dimension: int
    sections: Mapping[str, Section]


@dataclass(frozen=True, slots=True)
class SegmentContents:
    """What a segment is written from: whose chunks it holds, with their number, and arrays."""

    fingerprint: str
    codec: str
    dimension: int
    documents: Sequence[tuple[DocumentKey, int]]
    codes: NDArray[Any]
    offsets: NDArray[np.int64]
    spans: NDArray[np.integer[Any]]
    cls: NDArray[np.float32]
    mean: NDArray[np.float32]
    owners: NDArray[np.integer[Any]] | None = None
    token_offsets: NDArray[np.int64] | None = None

    def file(self) -> SegmentData:
        """Raises ValueError for a span beyond MAX_CHARACTERS, too long an id, or too many pooled vectors."""
        check_token_map(self.spans, self.owners)
        arrays: dict[str, NDArray[Any] | None] = {
            "offsets": self.offsets,
            "token_offsets": self.token_offsets,
            "owners": self.owners,
            "codes": self.codes,
            "spans": self.spans,
            "cls": self.cls,
            "mean": self.mean,
        }
        sections = document_sections(self.documents)
        sections |= {name: section_of(name, array) for name, array in arrays.items() if array is not None}
        return SegmentData(self.fingerprint, self.codec, self.dimension, sections)


def document_sections(documents: Sequence[tuple[DocumentKey, int]]) -> dict[str, Section]:
    """Return the sections that say whose chunks a segment holds: documents, with the number of their chunks.
    Raises ValueError for an id that is empty or too long."""
    for (identity, _), _ in documents:
        if not 0 < len(identity.encode()) <= MAX_DOCUMENT_ID:
            raise ValueError(f"{identity!r} is no document id of 1 to {MAX_DOCUMENT_ID} bytes")
    arrays: dict[str, NDArray[Any]] = {
        "documents": np.array([identity.encode() for (identity, _), _ in documents], "|S24"),
        "versions": np.array([version for (_, version), _ in documents], "<i4"),
        "firsts": np.cumsum([0, *(chunks for _, chunks in documents)], dtype="<i8"),
    }
    return {name: section_of(name, array) for name, array in arrays.items()}


def check_token_map(spans: NDArray[np.integer[Any]], owners: NDArray[np.integer[Any]] | None) -> None:
    """Raises ValueError for a span beyond MAX_CHARACTERS, and for too many pooled vectors in a chunk."""
    if spans.size and not 0 <= spans.min() <= spans.max() <= MAX_CHARACTERS:
        raise ValueError(f"a token's span ends at {spans.max()}, beyond {MAX_CHARACTERS}")
    if owners is not None and owners.size and owners.max() >= 1 << 16:
        raise ValueError(f"a chunk has {owners.max() + 1} vectors, more than {1 << 16}")


def write_segment(path: Path, file: SegmentData) -> None:
    """Write the file completely, flush it to the disk, and only then give it its name.

    Holds one part of a section in memory at a time. Raises ValueError where a section's parts are not of
    its shape; then, as after any failure, nothing is left.
    """
    temporary = path.with_suffix(".tmp")
    try:
        with temporary.open("wb") as stream:
            dump_segment(stream, file)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def dump_segment(stream: IO[bytes], file: SegmentData) -> None:
    """Write the file's bytes to an empty stream that can seek."""
    blocks = sum(-(-section.bytes // BLOCK) for section in file.sections.values())
    placed = {**file.sections, "sums": Section("<u8", (blocks,), ())}
    kind = file.fingerprint, file.codec, file.dimension
    stream.write(bytes(START.size + len(header_bytes(*kind, placed, sums=b""))))
    sums = np.array(list(_write_sections(stream, file.sections)), "<u8").tobytes()
    stream.write(b"\0" * (-stream.tell() % EDGE) + sums)
    header = header_bytes(*kind, placed, sums=sums)
    stream.seek(0)
    stream.write(START.pack(MAGIC, len(header), xxhash.xxh3_64_intdigest(header)) + header)


def _write_sections(stream: IO[bytes], sections: Mapping[str, Section]) -> Iterator[int]:
    """Write the sections; yield the checksum of each block."""
    for name, section in sections.items():
        stream.write(b"\0" * (-stream.tell() % EDGE))
        yield from _written(stream, name, section)


def _written(stream: IO[bytes], name: str, section: Section) -> Iterator[int]:
    """Write a section's parts; yield the checksum of each block. Raises ValueError for parts that are not
    of its shape."""
    hashed, partial, rows = xxhash.xxh3_64(), 0, 0
    for part in section.parts:
        if part.shape[1:] != tuple(section.shape[1:]):
            raise ValueError(f"a part of {name} has the shape {part.shape}, not that of {section.shape}")
        rows += len(part)
        if not part.size:
            continue
        data = np.ascontiguousarray(part, dtype=section.dtype).data.cast("B")
        stream.write(data)
        start = 0
        while start < len(data):
            some = data[start : start + BLOCK - partial]
            hashed.update(some)
            start += len(some)
            partial += len(some)
            if partial == BLOCK:
                yield hashed.intdigest()
                hashed.reset()
                partial = 0
    if partial:
        yield hashed.intdigest()
    if rows != section.shape[0]:
        raise ValueError(f"the parts of {name} have {rows} rows, not {section.shape[0]}")
