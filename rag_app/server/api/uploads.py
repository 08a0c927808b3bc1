"""Uploaded files: each is written as it comes, never held in memory, and deleted if anything fails."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO
from uuid import uuid4

import anyio
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from ingestion.errors import InvalidInput
from ingestion.storage.disk_space import explained
from rag_app.server.errors import TooLarge
from rag_app.service.uploads import safe_name

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

MOST_FILES = 1_000
# Bytes of a part that is not a file: a collection's name, a password, an encoding.
_LONGEST_FIELD = 4_000
_MOST_FIELDS = 16
# Bytes that are read and discarded after a file that is too large: some clients read the error only after
# they have sent everything.
_DRAINED = 64 * 1024 * 1024


@asynccontextmanager
async def received(
    request: Request, folder: Path, *, largest: int
) -> AsyncIterator[tuple[list[Path], dict[str, str]]]:
    """Yield the files of a multipart body, in a new folder below `folder`, and its other fields.

    Files that were not moved away are deleted at the end of the block, or when an error is raised.

    Raises:
        InvalidInput: The body is not multipart/form-data, or is incomplete.
        TooLarge: A file has more than `largest` bytes, or there are too many files.
        DiskFull: The disk has no room for them.
        ClientDisconnect: The client went away.
    """
    kind, options = parse_options_header(request.headers.get("content-type"))
    boundary = options.get(b"boundary")
    if kind != b"multipart/form-data" or not boundary:
        raise InvalidInput("send files as multipart/form-data, each as a part that has a file name")
    place = folder / uuid4().hex
    try:
        with explained(folder.parent), _Parts(place, boundary, largest) as parts:
            await _feed(request, parts)
        yield parts.files, parts.fields
    finally:
        shutil.rmtree(place, ignore_errors=True)


async def _feed(request: Request, parts: "_Parts") -> None:
    stream = request.stream()
    try:
        async for chunk in stream:
            await anyio.to_thread.run_sync(parts.feed, chunk)
    except TooLarge:
        left = _DRAINED
        async for chunk in stream:
            left -= len(chunk)
            if left < 0:
                break
        raise
    await anyio.to_thread.run_sync(parts.finish)


class _Parts:
    """The parts of one body: files are written below `place`, fields are kept."""

    def __init__(self, place: Path, boundary: bytes, largest: int) -> None:
        self.files: list[Path] = []
        self.fields: dict[str, str] = {}
        self._place = place
        self._largest = largest
        self._header = (bytearray(), bytearray())
        self._disposition = b""
        self._field: tuple[str, bytearray] | None = None
        self._file: BinaryIO | None = None
        callbacks: MultipartCallbacks = {
            "on_part_begin": self._begin,
            "on_header_field": lambda data, start, end: self._header[0].extend(data[start:end]),
            "on_header_value": lambda data, start, end: self._header[1].extend(data[start:end]),
            "on_header_end": self._header_end,
            "on_headers_finished": self._open,
            "on_part_data": self._write,
            "on_part_end": self._end,
            "on_end": self._all,
        }
        self._whole = False
        try:
            self._parser = MultipartParser(boundary, callbacks)
        except FormParserError as error:
            raise InvalidInput(f"the body is not multipart/form-data: {error}") from error

    def __enter__(self) -> "_Parts":
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def feed(self, chunk: bytes) -> None:
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise InvalidInput(f"the body is not multipart/form-data: {error}") from error

    def finish(self) -> None:
        """Raise InvalidInput for a body that ended within a part."""
        if not self._whole:
            raise InvalidInput("the body ended in the middle of a part; send it again")

    def _begin(self) -> None:
        self._disposition = b""
        self._field = None

    def _header_end(self) -> None:
        name, value = self._header
        if bytes(name).lower() == b"content-disposition":
            self._disposition = bytes(value)
        self._header = (bytearray(), bytearray())

    def _open(self) -> None:
        _, options = parse_options_header(self._disposition)
        if b"filename" in options:
            self._open_file(safe_name(_text(options[b"filename"])))
        elif b"name" not in options or len(self.fields) >= _MOST_FIELDS:
            raise InvalidInput(
                "a part without a name, or too many of them; send files, collection, password, encoding"
            )
        else:
            self._field = (_text(options[b"name"]), bytearray())

    def _open_file(self, name: str) -> None:
        if len(self.files) >= MOST_FILES:
            raise TooLarge(f"more than {MOST_FILES} files in one request; send them in several")
        folder = self._place / str(len(self.files))
        folder.mkdir(mode=0o700, parents=True)
        file = folder / name
        self.files.append(file)
        self._file = file.open("xb")

    def _write(self, data: bytes, start: int, end: int) -> None:
        if self._file is not None:
            if self._file.tell() + end - start > self._largest:
                raise TooLarge(
                    f"{self.files[-1].name} has more than {self._largest // 10**6} MB; "
                    "raise max_file_mb to take it"
                )
            self._file.write(data[start:end])
        elif self._field is not None:
            if len(self._field[1]) + end - start > _LONGEST_FIELD:
                raise TooLarge(f"the field {self._field[0][:40]} is longer than {_LONGEST_FIELD} bytes")
            self._field[1].extend(data[start:end])

    def _end(self) -> None:
        if self._file is not None:
            self._file.flush()
            os.fsync(self._file.fileno())  # a queued file must survive a loss of power
            self._file.close()
            self._file = None
        elif self._field is not None:
            name, value = self._field
            if name in self.fields:
                raise InvalidInput(f"the field {name} was sent twice")
            self.fields[name] = _text(bytes(value))

    def _all(self) -> None:
        self._whole = True


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")  # as old clients send names
