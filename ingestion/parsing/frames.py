"""The messages between parent and child: one request line down, length-prefixed frames up.

A frame is four bytes of length (big-endian) and that many bytes of JSON, `[kind, field, ...]`. The child
reads hostile files, so the parent trusts no frame: length, kind and the type of each field are checked here,
numbers and totals in `sandbox/collector.py`.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import BinaryIO, cast

from ingestion.documents import FileProperties, Heading, Page, PageLayout, Status
from ingestion.parsing.limits import ParseLimits

LENGTH_BYTES = 4

# JSON in UTF-8 takes at most four bytes a character once control characters are gone; the rest of a frame
# (kind, numbers, a label or reason) fits into 64 KiB.
BYTES_PER_CHARACTER = 4
FRAME_OVERHEAD = 64 * 1024

MAX_HEADINGS = 10_000  # a file; as many as pages
MAX_ATTACHMENTS = 500  # a file
MAX_WARNINGS = 100  # a file; what is alike on many pages is one sentence

# Runs or words of a page's layout. A dense page has 300 lines, each of them a run, or 3000 words.
MAX_LAYOUT_PIECES = 20_000
BYTES_PER_PIECE = 128  # six numbers of at most 20 digits each
MAX_POINTS = 1e7  # a side of a page; two miles
MAX_PICTURE_BYTES = 24_000_000  # of a page drawn for people, as base64


class FrameError(Exception):
    """A frame that a sound child never sends; the message completes "the parser sent ..."."""


@dataclass(frozen=True, slots=True)
class DrawingRequest:
    """A page to draw, `pixels` wide, and stretches of PDFium's characters (first, last + 1) to find on it."""

    number: int
    pixels: int
    stretches: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class ChildRequest:
    """The task of a child. It is sent over stdin, because every user of the machine can see command lines.

    Attributes:
        path: The file, absolute.
        suffix: In lower case.
        password: For an encrypted PDF.
        parent: The parent's process id.
        limits: What the file may take.
        done: Pages that an earlier child has sent.
        failed: Pages that must not be read (again).
        drawing: Draw this page instead of reading text.
        unpack: Send the files inside the file instead of reading text.
        encoding: The encoding that the user names for a text file.
        stays: Answer with `Served` at the end, and wait for a further request.
    """

    path: str
    suffix: str
    password: str | None
    parent: int
    limits: ParseLimits
    done: tuple[int, ...] = ()
    failed: tuple[int, ...] = ()
    drawing: DrawingRequest | None = None
    unpack: bool = False
    encoding: str | None = None
    stays: bool = False

    def encode(self) -> bytes:
        return json.dumps(asdict(self)).encode("ascii") + b"\n"

    @classmethod
    def decode(cls, line: bytes) -> "ChildRequest":
        request = json.loads(line)
        limits = request["limits"]
        limits["ocr_languages"] = tuple(limits["ocr_languages"])
        lists = {name: tuple(request[name]) for name in ("done", "failed")}
        drawing = request["drawing"] and DrawingRequest(
            request["drawing"]["number"],
            request["drawing"]["pixels"],
            tuple(map(tuple, request["drawing"]["stretches"])),
        )
        return cls(**{**request, **lists, "limits": ParseLimits(**limits), "drawing": drawing})

    @property
    def file(self) -> Path:
        return Path(self.path)


@dataclass(frozen=True, slots=True)
class PageCount:
    """The number of pages that the file declares; comes before any page."""

    total: int


@dataclass(frozen=True, slots=True)
class PageBegun:
    """The page that comes next; tells the parent which page crashed a child."""

    number: int
    recognise: bool  # its text, which has a clock of its own


@dataclass(frozen=True, slots=True)
class Draft:
    """A page without the text in its pictures; it counts, with a warning, if the whole page does not come."""

    number: int
    text: str
    layout: PageLayout | None

    @classmethod
    def of(cls, page: Page) -> "Draft":
        return cls(page.number, page.text, page.layout)


@dataclass(frozen=True, slots=True)
class OcrHint:
    """What to install so that pages can be recognised. At most once a file."""

    text: str


@dataclass(frozen=True, slots=True)
class PageFault:
    """A page that cannot be read. `status` becomes the file's if no other page has text."""

    number: int
    reason: str
    status: Status


@dataclass(frozen=True, slots=True)
class FileWarning:
    """A sentence about visible content that the text lacks or may have wrong; it names page, sheet or part.

    At most MAX_WARNINGS a file, before or after `TextDone`.
    """

    text: str


@dataclass(frozen=True, slots=True)
class Attachment:
    """The name of an attached file. `number` counts from 1. At most MAX_ATTACHMENTS a file."""

    number: int
    name: str


@dataclass(frozen=True, slots=True)
class AttachmentPiece:
    """The next bytes of the attachment named last, in base64."""

    number: int
    data: str


@dataclass(frozen=True, slots=True)
class TextDone:
    """All pages are sent; title, properties, labels and outline follow and may be lost."""


@dataclass(frozen=True, slots=True)
class Served:
    """All that the child has to say of a file is sent; it waits for the next request."""


@dataclass(frozen=True, slots=True)
class Title:
    text: str


@dataclass(frozen=True, slots=True)
class PageLabel:
    number: int
    label: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """The file cannot be read, or no further than the pages sent."""

    status: Status
    error: str


@dataclass(frozen=True, slots=True)
class DrawnPage:
    """A drawn page as a PNG or JPEG in base64.

    `layout` has its size in points, and in `words` the boxes of the stretches: (index of the stretch, that
    plus one, left, top, right, bottom), in points from the top left corner.
    """

    image: str
    layout: PageLayout | None


Frame = (
    PageCount
    | PageBegun
    | Page
    | Draft
    | PageFault
    | OcrHint
    | FileWarning
    | Attachment
    | AttachmentPiece
    | TextDone
    | Served
    | Title
    | FileProperties
    | PageLabel
    | Heading
    | DrawnPage
    | Refusal
)

_SHAPES: dict[str, tuple[type[Frame], tuple[type, ...]]] = {
    "count": (PageCount, (int,)),
    "begun": (PageBegun, (int, bool)),
    "page": (Page, (int, str, type(None), PageLayout)),
    "draft": (Draft, (int, str, PageLayout)),
    "fault": (PageFault, (int, str, Status)),
    "hint": (OcrHint, (str,)),
    "warning": (FileWarning, (str,)),
    "attachment": (Attachment, (int, str)),
    "piece": (AttachmentPiece, (int, str)),
    "done": (TextDone, ()),
    "title": (Title, (str,)),
    "properties": (FileProperties, (str, str, str, str)),
    "label": (PageLabel, (int, str)),
    "heading": (Heading, (str, int, int, int)),
    "picture": (DrawnPage, (str, PageLayout)),
    "verdict": (Refusal, (Status, str)),
    "served": (Served, ()),
}
_KINDS = {shape[0]: kind for kind, shape in _SHAPES.items()}


class RefusalError(Exception):
    """Raised in the child: the file ends with this status and message. Sent as a `Refusal`."""

    def __init__(self, status: Status, error: str) -> None:
        super().__init__(error)
        self.status = status
        self.error = error


def max_frame_bytes(request: ChildRequest) -> int:
    """The longest frame that a sound child sends in answer, in bytes without the length."""
    text = request.limits.max_page_characters * BYTES_PER_CHARACTER
    longest = MAX_PICTURE_BYTES if request.drawing else text
    return longest + MAX_LAYOUT_PIECES * BYTES_PER_PIECE + FRAME_OVERHEAD


def write_frame(stream: BinaryIO, frame: Frame) -> None:
    """Send one frame at once, so that a crash on the next page cannot lose it."""
    body = json.dumps([_KINDS[type(frame)], *_values(frame)], ensure_ascii=False)
    payload = body.encode("utf-8", errors="replace")
    stream.write(len(payload).to_bytes(LENGTH_BYTES, "big") + payload)
    stream.flush()


def _values(value: Frame | PageLayout) -> list[object]:
    # Not `astuple`, which copies every number of a layout: half a millisecond a page.
    values = [getattr(value, field.name) for field in fields(value)]
    return [_values(item) if isinstance(item, PageLayout) else item for item in values]


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
    kind, *items = value
    if kind not in _SHAPES or len(items) != len(_SHAPES[kind][1]):
        raise FrameError(f"a frame of unknown shape, kind {kind[:20]!r}")
    frame_type, types = _SHAPES[kind]
    make = cast(Callable[..., Frame], frame_type)
    return make(*(_field(item, expected) for item, expected in zip(items, types, strict=True)))


def _field(item: object, expected: type) -> object:
    if expected is Status and isinstance(item, str) and item in set(Status):
        return Status(item)
    if expected is PageLayout:
        return None if item is None else _layout(item)
    if type(item) is not expected:  # exact: True is no page number
        raise FrameError(f"a frame with {type(item).__name__} in place of {expected.__name__}")
    return item


def _layout(item: object) -> PageLayout:
    """A layout of the right types and of bounded length; the collector checks that it fits the page."""
    if not isinstance(item, list) or len(item) != 5:
        raise FrameError("a layout of unknown shape")
    width, height = _numbers(item[:2], (float, float))
    rows = []
    shapes = (int, int), (int, int, float, float, float, float), (int,) * 7
    for pieces, types in zip(item[2:], shapes, strict=True):
        if not isinstance(pieces, list) or len(pieces) > MAX_LAYOUT_PIECES:
            raise FrameError("a layout of unknown shape")
        rows.append(tuple(_numbers(piece, types) for piece in pieces))
    make = cast(Callable[..., PageLayout], PageLayout)
    return make(width, height, *rows)


def _numbers(items: object, types: tuple[type, ...]) -> tuple[object, ...]:
    if not isinstance(items, list) or len(items) != len(types):
        raise FrameError("a layout of unknown shape")
    return tuple(
        _measure(item) if expected is float else _field(item, expected)
        for item, expected in zip(items, types, strict=True)
    )


def _measure(item: object) -> float:
    if type(item) not in (int, float) or not -MAX_POINTS <= item <= MAX_POINTS:  # type: ignore[operator]
        raise FrameError("a layout with a measure that cannot be")  # NaN is in no range
    return float(item)  # type: ignore[arg-type]
