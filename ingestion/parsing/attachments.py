"""Unpacks the files inside a file into a folder; a child process reads them."""

import base64
import binascii
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ingestion.parsing.frames import (
    MAX_ATTACHMENTS,
    Attachment,
    AttachmentPiece,
    ChildRequest,
    FrameError,
    Refusal,
    TextDone,
)
from ingestion.parsing.limits import ParseLimits
from ingestion.parsing.sandbox.child_process import ChildEnded, ChildProcess

_MAX_NAME = 200  # characters; the child's are shorter


@dataclass(frozen=True, slots=True)
class Unpacked:
    """An unpacked attachment: its name, and its file, which is None if its bytes could not be read."""

    name: str
    file: Path | None


def unpack(
    path: Path,
    folder: Path,
    *,
    limits: ParseLimits = ParseLimits(),
    password: str | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> list[Unpacked]:
    """Write the files inside a file into `folder`, each into a folder of its own.

    Attachments that the child names but does not send, because it crashes or takes too long, have no file.

    Raises:
        Cancelled: `cancelled` returned true.
    """
    request = ChildRequest(
        os.path.abspath(path),  # noqa: PTH100
        path.suffix.lower(),
        password,
        os.getpid(),
        limits,
        unpack=True,
    )
    with _Receiver(folder, limits) as receiver, ChildProcess(request) as child:
        for frame in child.results(limits.wall_seconds, cancelled, f"reading {path.name!r}"):
            if isinstance(frame, ChildEnded | FrameError | Refusal | TextDone) or not receiver.take(frame):
                break
        return receiver.finish()


class _Receiver:
    """Writes the attachments that a child sends, checking names, order and size."""

    def __init__(self, folder: Path, limits: ParseLimits) -> None:
        self._folder = folder
        self._left = limits.max_bytes
        self._names: dict[int, str] = {}
        self._files: dict[int, Path] = {}
        self._open: tuple[int, BinaryIO] | None = None

    def __enter__(self) -> "_Receiver":
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def take(self, frame: object) -> bool:
        """Take one frame; False for a frame that a sound child never sends."""
        match frame:
            case Attachment(number, name):
                honest = number not in self._names and len(self._names) < MAX_ATTACHMENTS
                if not honest or name in self._names.values() or not _is_plain(name):
                    return False
                self._close()
                self._names[number] = name
                return True
            case AttachmentPiece(number, data):
                return number == next(reversed(self._names), None) and self._write(number, data)
        return False

    def finish(self) -> list[Unpacked]:
        self._close()
        return [Unpacked(name, self._files.get(number)) for number, name in self._names.items()]

    def _write(self, number: int, data: str) -> bool:
        try:
            piece = base64.b64decode(data, validate=True)
        except (binascii.Error, ValueError):
            return False
        self._left -= len(piece)
        if self._left < 0:
            return False
        if self._open is None:
            place = self._folder / str(number)
            place.mkdir(mode=0o700)
            self._files[number] = place / self._names[number]
            self._open = number, self._files[number].open("xb")
        self._open[1].write(piece)
        return True

    def _close(self) -> None:
        if self._open is not None:
            self._open[1].close()
            self._open = None


def _is_plain(name: str) -> bool:
    """Whether a name is a plain file name, which cannot lead outside its folder."""
    has_parts = name in (".", "..") or "/" in name or "\\" in name
    return 0 < len(name) <= _MAX_NAME and name.isprintable() and not has_parts
