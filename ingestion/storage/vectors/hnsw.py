"""hnswlib's files of one index as Chroma keeps them: their layout, and whether they agree with each other.

hnswlib trusts these files: a link beyond the last vector, or one wrong byte in the header, kills the process.

    header.bin              100 bytes, `Header`
    data_level0.bin         an element a vector: links i32 + most_links_0 × u32 | vector f32 × d | label u64
    link_lists.bin          a vector: bytes of its upper levels u32 | a level: links i32 + most_links × u32
    length.bin              a float a vector
    index_metadata.pickle   which label belongs to which chunk; absent without vectors

The lower half of "links i32" is their number, the lowest bit of the upper half marks a deleted vector.
Everything is little-endian.
"""

import math
import pickle
import struct
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import numpy as np
from numpy.typing import NDArray

from ingestion.errors import LibraryDamaged

HEADER, ELEMENTS, LISTS = "header.bin", "data_level0.bin", "link_lists.bin"
_LENGTHS, _LABELS = "length.bin", "index_metadata.pickle"
_LAYOUT = struct.Struct("<i6QiI3QdQ")
_VERSION = 1
_WORD = 4
_NO_ENTRY = 0xFFFFFFFF
_COUNT_MASK, _DELETED = 0xFFFF, 1 << 16
_BLOCK = 1 << 16  # elements looked at together
# Chroma makes room for at most twice the vectors; more room would take memory for nothing.
_LEAST_ROOM, _MOST_GROWTH = 1 << 16, 4
_MOST_LINKS, _MOST_EF = 1 << 10, 1 << 16
_TOLERANCE = 1e-9


class Header(NamedTuple):
    """The fields of `header.bin`. Vectors have levels from 0 to `top_level`; a search begins at `entry`."""

    version: int
    start: int
    capacity: int
    vectors: int
    element: int
    label_offset: int
    vector_offset: int
    top_level: int
    entry: int
    most_links: int
    most_links_0: int
    links_wanted: int
    level_scale: float
    ef_construction: int

    @classmethod
    def read(cls, index: Path) -> "Header | None":
        """Return an index's header; None for a file of another length. Raises OSError."""
        data = (index / HEADER).read_bytes()
        return cls._make(_LAYOUT.unpack(data)) if len(data) == _LAYOUT.size else None


def check_index(index: Path) -> int:
    """Check that hnswlib can follow every link of an index in the folder `index`; return its vectors' number.

    Raises:
        LibraryDamaged: It cannot; the message names the file.
    """
    try:
        header = Header.read(index)
        if header is None or not _plausible(header):
            _refuse(index, HEADER, "is no header of an index")
        sizes = {name: (index / name).stat().st_size for name in (ELEMENTS, LISTS, _LENGTHS)}
        if sizes[ELEMENTS] < header.vectors * header.element or sizes[ELEMENTS] % header.element:
            _refuse(index, ELEMENTS, f"has {sizes[ELEMENTS]} bytes, not those of {header.vectors} vectors")
        if sizes[_LENGTHS] < header.vectors * _WORD:
            _refuse(index, _LENGTHS, f"has {sizes[_LENGTHS]} bytes, not those of {header.vectors} vectors")
        levels = _check_lists(index, header)
        if header.vectors:
            _check_entry(index, header, levels)
            _check_labels(index, _check_elements(index, header))
    except OSError as error:
        name = Path(error.filename).name if error.filename else index.name
        _refuse(index, name, f"cannot be read: {error.strerror or error}")
    return header.vectors


def _refuse(index: Path, name: str, what: str) -> NoReturn:
    raise LibraryDamaged(f"{index.name}/{name} {what}")


def _plausible(header: Header) -> bool:
    links, empty = header.most_links, not header.vectors
    return (
        (header.version, header.start) == (_VERSION, 0)
        and header.vectors <= header.capacity <= max(_LEAST_ROOM, _MOST_GROWTH * header.vectors)
        and 1 < links <= _MOST_LINKS
        and (header.most_links_0, header.links_wanted) == (2 * links, links)
        and math.isclose(header.level_scale, 1 / math.log(links), rel_tol=_TOLERANCE)
        and 0 < header.ef_construction <= _MOST_EF
        and header.vector_offset == _WORD * (1 + header.most_links_0)
        and header.label_offset > header.vector_offset
        and header.label_offset % _WORD == 0
        and header.element == header.label_offset + 2 * _WORD
        and (header.entry == _NO_ENTRY if empty else header.entry < header.vectors)
        and (header.top_level == -1 if empty else 0 <= header.top_level < _WORD * 8)
    )


def _check_elements(index: Path, header: Header) -> NDArray[np.uint64]:
    """Check the links of level 0; return the labels of the vectors that are not deleted."""
    shape = (header.vectors, header.element)
    elements = np.memmap(index / ELEMENTS, np.uint8, "r", shape=shape)
    labels: list[NDArray[np.uint64]] = []
    for first in range(0, header.vectors, _BLOCK):
        block = elements[first : first + _BLOCK]
        words = np.ascontiguousarray(block[:, : header.vector_offset]).view("<u4")
        _check_links(index, ELEMENTS, words, header.vectors, most=header.most_links_0)
        named = np.ascontiguousarray(block[:, header.label_offset :]).view("<u8")[:, 0]
        labels.append(named[words[:, 0] & _DELETED == 0])
    return np.concatenate(labels)


def _check_links(
    index: Path, name: str, words: NDArray[np.uint32], count: int, *, most: int
) -> tuple[NDArray[np.uint32], NDArray[np.bool_]]:
    """Check rows of [number of links, links …]; return the links, and which of them count."""
    numbers, links = words[:, :1] & _COUNT_MASK, words[:, 1:]
    present = np.arange(links.shape[1]) < numbers
    if np.any(numbers > most) or np.any(words[:, 0] & ~np.uint32(_COUNT_MASK | _DELETED)):
        _refuse(index, name, "has more links than a vector may have")
    if np.any(links[present] >= count):
        _refuse(index, name, "links to vectors that it does not have")
    return links, present


def _check_lists(index: Path, header: Header) -> NDArray[np.uint8]:
    """Check the links of the upper levels; return each vector's level."""
    data = (index / LISTS).read_bytes()
    words = np.frombuffer(data, "<u4", len(data) // _WORD)
    row = 1 + header.most_links
    levels = np.zeros(header.vectors, np.uint8)
    starts: list[int] = []  # of rows
    at = 0
    for vector in range(header.vectors):
        if at >= len(words):
            _refuse(index, LISTS, "ends before its last vector")
        size = int(words[at])
        at += 1
        if size:
            level, rest = divmod(size, row * _WORD)
            if rest or level > header.top_level or at + level * row > len(words):
                _refuse(index, LISTS, f"says that a vector has {size} bytes of links")
            levels[vector] = level
            starts += range(at, at + level * row, row)
            at += level * row
    if at * _WORD != len(data):
        _refuse(index, LISTS, "goes on behind its last vector")
    if starts:
        rows = words[np.add.outer(starts, np.arange(row))]
        links, present = _check_links(index, LISTS, rows, header.vectors, most=header.most_links)
        upper = levels[levels > 0]
        level_of_row = np.concatenate([np.arange(1, level + 1) for level in upper])
        if np.any(present & (levels[np.where(present, links, 0)] < level_of_row[:, None])):
            _refuse(index, LISTS, "links to vectors of a lower level")
    return levels


def _check_entry(index: Path, header: Header, levels: NDArray[np.uint8]) -> None:
    if levels[header.entry] != header.top_level:
        _refuse(index, HEADER, "says that a search begins at a vector of another level")


class _PlainUnpickler(pickle.Unpickler):
    """Reads numbers, texts, lists and dictionaries; an object of any class is refused."""

    def find_class(self, module_name: str, global_name: str, /) -> Any:
        raise pickle.UnpicklingError(f"it holds an object, {module_name}.{global_name}")


def _check_labels(index: Path, labels: NDArray[np.uint64]) -> None:
    try:
        with (index / _LABELS).open("rb") as stream:
            known: Any = _PlainUnpickler(stream).load()
        expected = np.sort(np.fromiter(known["label_to_id"], np.uint64))
        named = {identity: label for label, identity in known["label_to_id"].items()}
    except (pickle.PickleError, ValueError, LookupError, TypeError, AttributeError, EOFError) as error:
        _refuse(index, _LABELS, f"cannot be read: {error}")
    if known.get("id_to_label") != named:
        _refuse(index, _LABELS, "names its vectors in two ways")
    if not np.array_equal(np.sort(labels), expected):
        _refuse(index, ELEMENTS, f"has vectors that {_LABELS} does not name, or lacks some that it names")
