"""Outlook messages: a compound file (MS-CFB, version 3) with the streams of properties."""

import struct
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

# A folder: streams by their names, and folders.
Folder = Mapping[str, Any]

_SECTOR, _MINI, _CUTOFF = 512, 64, 4096
_END, _NONE, _FAT = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD


def properties(*numbers: tuple[int, int, int], header: int) -> bytes:
    """The stream of fixed properties: (type, number, value) each, behind a header of so many bytes."""
    return bytes(header) + b"".join(
        struct.pack("<HHIQ", kind, number, 6, value) for kind, number, value in numbers
    )


def text(number: int, words: str) -> dict[str, bytes]:
    return {f"__substg1.0_{number:04X}001F": words.encode("utf-16-le")}


def binary(number: int, data: bytes) -> dict[str, bytes]:
    return {f"__substg1.0_{number:04X}0102": data}


def message(subject: str, body: str, more: Folder | None = None, *, header: int = 32) -> dict[str, Any]:
    """A message from Ada to Bo; `more` are streams and folders."""
    return {
        "__properties_version1.0": properties(header=header),
        **text(0x0037, subject),
        **text(0x0C1A, "Ada Finch"),
        **text(0x5D01, "ada@example.org"),
        **text(0x0E04, "Bo Lund"),
        **text(0x1000, body),
        **(more or {}),
    }


def attachment(name: str, data: bytes, *more: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {
        "__properties_version1.0": properties(header=8),
        **text(0x3707, name),
        **binary(0x3701, data),
    }
    for one in more:
        made |= one
    return made


def write_msg(path: Path, root: Folder) -> Path:
    """Write a compound file."""
    path.write_bytes(_CompoundFile().data(root))
    return path


class _CompoundFile:
    def __init__(self) -> None:
        self._entries: list[list[Any]] = []  # name, type, right, child, start, size
        self._small = bytearray()
        self._small_next: list[int] = []
        self._large: list[tuple[int, bytes]] = []  # index of the entry, and its bytes

    def data(self, root: Folder) -> bytes:
        self._entries.append(["Root Entry", 5, _NONE, _NONE, _END, 0])
        self._entries[0][3] = self._add(root)
        sectors: list[bytes] = []
        following: list[int] = []

        def place(data: bytes) -> int:
            if not data:
                return _END
            first, count = len(sectors), -(-len(data) // _SECTOR)
            padded = data.ljust(count * _SECTOR, b"\0")
            sectors.extend(padded[at : at + _SECTOR] for at in range(0, len(padded), _SECTOR))
            following.extend([*range(first + 1, first + count), _END])
            return first

        for index, data in self._large:
            self._entries[index][4] = place(data)
        self._entries[0][4], self._entries[0][5] = place(bytes(self._small)), len(self._small)
        mini_table = b"".join(struct.pack("<I", one) for one in self._small_next)
        mini_count = -(-len(mini_table) // _SECTOR)
        mini_start = place(mini_table.ljust(mini_count * _SECTOR, b"\xff"))
        directory_start = place(b"".join(map(_entry, self._entries)))
        tables = 1
        while (len(sectors) + tables) > tables * (_SECTOR // 4):
            tables += 1
        table_places = range(len(sectors), len(sectors) + tables)
        following += [_FAT] * tables
        table = b"".join(struct.pack("<I", one) for one in following).ljust(tables * _SECTOR, b"\xff")
        header = struct.pack(
            "<8s16sHHHHH6xIIIIIIIII",
            bytes.fromhex("d0cf11e0a1b11ae1"), bytes(16), 0x3E, 3, 0xFFFE, 9, 6,
            0, tables, directory_start, 0, _CUTOFF, mini_start, mini_count, _END, 0,
        )  # fmt: skip
        places = b"".join(struct.pack("<I", one) for one in table_places).ljust(109 * 4, b"\xff")
        return header + places + b"".join(sectors) + table

    def _add(self, folder: Folder) -> int:
        """Add the entries of a folder; return the first, from which the others hang."""
        indices = []
        for name, held in folder.items():
            index = len(self._entries)
            indices.append(index)
            if isinstance(held, Mapping):
                self._entries.append([name, 1, _NONE, _NONE, 0, 0])
                self._entries[index][3] = self._add(held)
            else:
                self._entries.append([name, 2, _NONE, _NONE, self._start(index, held), len(held)])
        for index, after in pairwise(indices):
            self._entries[index][2] = after
        return indices[0] if indices else _NONE

    def _start(self, index: int, data: bytes) -> int:
        if len(data) >= _CUTOFF:
            self._large.append((index, data))
            return _END
        if not data:
            return _END
        first, count = len(self._small_next), -(-len(data) // _MINI)
        self._small += data.ljust(count * _MINI, b"\0")
        self._small_next += [*range(first + 1, first + count), _END]
        return first


def _entry(entry: list[Any]) -> bytes:
    name, kind, right, child, start, size = entry
    encoded = (name + "\0").encode("utf-16-le")
    return struct.pack(
        "<64sHBBIII16sI16xIQ", encoded, len(encoded), kind, 1, _NONE, right, child, bytes(16), 0, start, size
    )
