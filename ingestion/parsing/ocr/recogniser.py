"""What a recogniser of text is, and how the words that it sees become a page."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from ingestion.documents import Page, PageLayout
from ingestion.parsing.frames import MAX_LAYOUT_PIECES

if TYPE_CHECKING:
    from PIL.Image import Image


class OcrError(Exception):
    """A recogniser could not read a page; the message says why."""


class Recogniser(Protocol):
    """Reads pictures of pages."""

    def page(self, image: "Image", width: float, height: float, number: int) -> Page:
        """Recognise one page, upright or turned.

        Args:
            image: The drawn page, in grey.
            width: Of the page in points.
            height: Of the page in points.
            number: Of the page, from 1.

        Returns:
            The page's text with the place of every word on the drawing as it is.

        Raises:
            OcrError: The recogniser failed or took too long.
        """
        ...

    def warning(self) -> str | None:
        """What of the pages recognised so far is not read, and what to do; None if nothing is."""
        ...


@dataclass(frozen=True, slots=True)
class SeenWord:
    """A word; `line` is block, paragraph and line; `box` is left, top, right, bottom in pixels."""

    text: str
    line: tuple[int, int, int]
    box: tuple[float, float, float, float]


def page_of_words(
    words: Sequence[SeenWord], pixels: tuple[int, int], points: tuple[float, float], number: int
) -> Page:
    """The words as text, with a blank line between paragraphs.

    Args:
        words: In reading order.
        pixels: Width and height of the picture.
        points: Width and height of the page.
        number: Of the page, from 1.
    """
    parts: list[str] = []
    boxes: list[tuple[int, int, float, float, float, float]] = []
    length = 0
    line: tuple[int, int, int] | None = None
    for word in words:
        space = "" if line is None else " " if word.line == line else "\n"
        if line is not None and word.line[:2] != line[:2]:
            space = "\n\n"
        parts += (space, word.text)
        start = length + len(space)
        length = start + len(word.text)
        boxes.append((start, length, *_in_points(word.box, pixels, points)))
        line = word.line
    return Page(number, "".join(parts), layout=PageLayout(*points, words=tuple(boxes[:MAX_LAYOUT_PIECES])))


def _in_points(
    box: tuple[float, float, float, float], pixels: tuple[int, int], points: tuple[float, float]
) -> tuple[float, float, float, float]:
    """A box in points, within the page. A pixel is about a third of a point."""

    def place(side: float, axis: int) -> float:
        return round(min(max(side * points[axis] / pixels[axis], 0.0), points[axis]), 2)

    left, top, right, bottom = box
    return place(left, 0), place(top, 1), place(right, 0), place(bottom, 1)
