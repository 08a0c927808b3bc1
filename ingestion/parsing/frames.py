"""What travels between parent and child: one request line down, length-prefixed frames up.

A frame is four bytes of length (big-endian) and that many bytes of JSON, `[kind, field, ...]`. The child
reads hostile files, so the parent trusts nothing in a frame: length, kind and the type of every field
are checked here, numbers and totals in `collect.py`.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, astuple, dataclass
from pathlib import Path
from typing import BinaryIO, cast

from ingestion.documents import Heading, Page, Status
from ingestion.parsing.limits import ParseLimits

LENGTH_BYTES = 4

# JSON in UTF-8 takes at most four bytes a character once control characters are gone; the rest of a frame
# (kind, numbers, a label or reason) fits into 64 KiB.
BYTES_PER_CHARACTER = 4
FRAME_OVERHEAD = 64 * 1024

MAX_HEADINGS = 10_000  # a file; as many as pages


class FrameError(Exception):
    """A frame that no honest child sends."""


@dataclass(frozen=True, slots=True)
class Request:
    """What the child is asked to do. It goes over stdin, because a command line is public."""

    path: str
    suffix: str
    password: str | None
    parent: int
    limits: ParseLimits

    def encode(self) -> bytes:
        return json.dumps(asdict(self)).encode("ascii") + b"\n"

    @classmethod
    def decode(cls, line: bytes) -> "Request":
        fields = json.loads(line)
        return cls(**{**fields, "limits": ParseLimits(**fields["limits"])})

    @property
    def file(self) -> Path:
        return Path(self.path)


@dataclass(frozen=True, slots=True)
class PageCount:
    """How many pages the file declares. Comes before any page."""

    total: int


@dataclass(frozen=True, slots=True)
class PageFault:
    """A page that cannot be read. `status` is the file's, should no other page have text."""

    number: int
    reason: str
    status: Status


@dataclass(frozen=True, slots=True)
class TextDone:
    """Every page has been sent; what follows is title, labels and outline, and may be lost."""


@dataclass(frozen=True, slots=True)
class Title:
    text: str


@dataclass(frozen=True, slots=True)
class PageLabel:
    number: int
    label: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """The file cannot be read, or not further than the pages that were sent."""

    status: Status
    error: str


Frame = PageCount | Page | PageFault | TextDone | Title | PageLabel | Heading | Verdict

_SHAPES: dict[str, tuple[type[Frame], tuple[type, ...]]] = {
    "count": (PageCount, (int,)),
    "page": (Page, (int, str, type(None))),
    "fault": (PageFault, (int, str, Status)),
    "done": (TextDone, ()),
    "title": (Title, (str,)),
    "label": (PageLabel, (int, str)),
    "heading": (Heading, (str, int, int, int)),
    "verdict": (Verdict, (Status, str)),
}
_KINDS = {shape[0]: kind for kind, shape in _SHAPES.items()}


class RefusalError(Exception):
    """Inside the child: the file ends with this status and message. Sent as a `Verdict`."""

    def __init__(self, status: Status, error: str) -> None:
        super().__init__(error)
        self.status = status
        self.error = error


def max_frame_bytes(limits: ParseLimits) -> int:
    """The longest frame that an honest child sends, in bytes without the length."""
    return limits.max_page_characters * BYTES_PER_CHARACTER + FRAME_OVERHEAD


def write_frame(stream: BinaryIO, frame: Frame) -> None:
    """Send one frame at once, so that a crash on the next page cannot take it along."""
    body = json.dumps([_KINDS[type(frame)], *astuple(frame)], ensure_ascii=False)
    payload = body.encode("utf-8", errors="replace")
    stream.write(len(payload).to_bytes(LENGTH_BYTES, "big") + payload)
    stream.flush()


def read_frame(stream: BinaryIO, max_bytes: int) -> Frame | None:
    """The next frame; None at the end, also when the child died within a frame.

    Raises:
        FrameError: The frame is longer than `max_bytes`, no JSON, or not of a known shape.
    """
    prefix = stream.read(LENGTH_BYTES)
    if len(prefix) < LENGTH_BYTES:
        return None
    length = int.from_bytes(prefix, "big")
    if length > max_bytes:
        raise FrameError(f"a frame of {length} bytes, more than {max_bytes}")
    payload = stream.read(length)
    return _decode(payload) if len(payload) == length else None


def _decode(payload: bytes) -> Frame:
    try:
        value = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise FrameError("a frame that is no JSON") from error
    if not isinstance(value, list) or not value or not isinstance(value[0], str):
        raise FrameError("a frame that is no list")
    kind, *fields = value
    if kind not in _SHAPES or len(fields) != len(_SHAPES[kind][1]):
        raise FrameError(f"a frame of unknown shape, kind {kind[:20]!r}")
    frame_type, types = _SHAPES[kind]
    make = cast(Callable[..., Frame], frame_type)
    return make(*(_field(item, expected) for item, expected in zip(fields, types, strict=True)))


def _field(item: object, expected: type) -> object:
    if expected is Status and isinstance(item, str) and item in set(Status):
        return Status(item)
    if type(item) is not expected:  # exact: True is no page number
        raise FrameError(f"a frame with {type(item).__name__} in place of {expected.__name__}")
    return item
