"""Draws a page of a PDF or picture in a child process, with boxes around stretches of its text."""

import base64
import binascii
import os
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ingestion.documents import ELSEWHERE, PageLayout, Status
from ingestion.errors import RagError
from ingestion.parsing.frames import ChildRequest, DrawingRequest, DrawnPage, Refusal
from ingestion.parsing.limits import ParseLimits
from ingestion.parsing.process_exit import signal_name
from ingestion.parsing.sandbox.child_process import ChildEnded, ChildProcess

_PNG, _JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"

Span = tuple[int, int]


class PageNotDrawn(RagError):
    """A page cannot be drawn; the message says why."""


class PageLocked(PageNotDrawn):
    """The file needs a password, and none or a wrong one was given."""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle on a page, in points from its top left corner."""

    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True, slots=True)
class PagePicture:
    """A drawn page.

    Attributes:
        image: The encoded picture.
        media_type: "image/png" or "image/jpeg".
        width: Of the page in points.
        height: Of the page in points.
        boxes: For each requested span one box a line, more where a line has wide gaps; none where the span's
            place is unknown.
    """

    image: bytes
    media_type: str
    width: float
    height: float
    boxes: tuple[tuple[Box, ...], ...]


def draw_page(
    file: Path,
    number: int,
    layout: PageLayout | None,
    *,
    suffix: str = ".pdf",
    spans: Sequence[Span] = (),
    pixels: int = 1000,
    password: str | None = None,
    limits: ParseLimits = ParseLimits(),
    cancelled: Callable[[], bool] | None = None,
) -> PagePicture:
    """Draw a page of a PDF or picture in a child process.

    Args:
        file: The document's bytes, under any name.
        suffix: Of the document: one of `DRAWN_SUFFIXES`.
        number: The page, from 1.
        layout: Of the page as it was parsed; None without one.
        spans: (start, end) in the page's text, to be found on the picture.
        pixels: Width of the picture.
        password: Opens an encrypted file.
        limits: `page_seconds` bounds the drawing.
        cancelled: Called about every 0.05 s; once it returns true the child is killed.

    Raises:
        PageLocked: The password does not open the file.
        PageNotDrawn: The page is damaged or exceeds its limits.
        Cancelled: `cancelled` returned true.
    """
    stretches, owners = stretches_of(layout, spans)
    bounded = replace(
        limits, cpu_seconds=max(1, round(limits.page_seconds)), wall_seconds=limits.page_seconds
    )
    drawing = DrawingRequest(number, pixels, stretches)
    path = os.path.abspath(file)  # noqa: PTH100
    request = ChildRequest(path, suffix, password, os.getpid(), bounded, drawing=drawing)
    picture = _drawn(request, cancelled)
    assert picture.layout is not None
    boxes: list[list[Box]] = [[] for _ in spans]
    for stretch, _, *box in picture.layout.words:
        boxes[owners[stretch]].append(Box(*box))
    for place, (start, end) in enumerate(spans):
        words = layout.words if layout else ()
        boxes[place] += [Box(*box) for first, behind, *box in words if first < end and behind > start]
    image, media_type = _decoded(picture.image)
    return PagePicture(
        image, media_type, picture.layout.width, picture.layout.height, tuple(map(tuple, boxes))
    )


def stretches_of(layout: PageLayout | None, spans: Sequence[Span]) -> tuple[tuple[Span, ...], list[int]]:
    """The spans as stretches of PDFium's characters, and the index of the span of each stretch."""
    if layout is None or not layout.runs:
        return (), []
    offsets = [offset for offset, _ in layout.runs]
    stretches: list[Span] = []
    owners: list[int] = []
    for place, (start, end) in enumerate(spans):
        run = max(0, bisect_right(offsets, start) - 1)
        while run < len(offsets) and offsets[run] < end:
            first = max(start, offsets[run])
            behind = min(end, offsets[run + 1]) if run + 1 < len(offsets) else end
            if layout.runs[run][1] != ELSEWHERE:
                index = layout.runs[run][1] + first - offsets[run]
                stretches.append((index, index + behind - first))
                owners.append(place)
            run += 1
    return tuple(stretches), owners


def _drawn(request: ChildRequest, cancelled: Callable[[], bool] | None) -> DrawnPage:
    """The page that a child draws; raises as `draw_page` does."""
    seconds = request.limits.wall_seconds
    with ChildProcess(request) as child:
        for received in child.results(seconds, cancelled, "drawing the page"):
            match received:
                case DrawnPage() as picture if _is_sound(picture, request):
                    return picture
                case Refusal(Status.NEEDS_PASSWORD, error):
                    raise PageLocked(error)
                case Refusal(_, error):
                    raise PageNotDrawn(error)
                case ChildEnded():
                    code = child.exit_code()
                    ended = signal_name(code) or f"code {code}"
                    raise PageNotDrawn(f"drawing the page crashed ({ended}); its text is shown instead")
                case _:
                    raise PageNotDrawn("the program that draws sent nonsense; do not trust this file")
    raise PageNotDrawn(f"drawing the page took more than {seconds:g} s; its text is shown instead")


def _is_sound(picture: DrawnPage, request: ChildRequest) -> bool:
    layout, drawing = picture.layout, request.drawing
    return (
        layout is not None
        and drawing is not None
        and layout.width > 0
        and layout.height > 0
        and not layout.runs
        and all(
            0 <= stretch < len(drawing.stretches)
            and 0 <= left <= right <= layout.width
            and 0 <= top <= bottom <= layout.height
            for stretch, _, left, top, right, bottom in layout.words
        )
    )


def _decoded(image: str) -> tuple[bytes, str]:
    try:
        data = base64.b64decode(image, validate=True)
    except (binascii.Error, ValueError) as error:
        raise PageNotDrawn("the program that draws sent no picture; do not trust this file") from error
    for start, media_type in ((_PNG, "image/png"), (_JPEG, "image/jpeg")):
        if data.startswith(start):
            return data, media_type
    raise PageNotDrawn("the program that draws sent no picture; do not trust this file")
