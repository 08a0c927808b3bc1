"""Places on a PDF's page as it is seen (turned, cropped, from the top left), from PDFium's own measure."""

import ctypes
from collections.abc import Iterable

import pypdfium2
import pypdfium2.raw as pdfium

Place = tuple[float, float, float, float]  # left, top, right, bottom; points from the top left corner

# PDFium gives places in whole pixels: of a picture this many times as fine as points.
_FINE = 16


def union(boxes: Iterable[Place]) -> Place:
    """The smallest box around all boxes, whether their second side is the top or the bottom."""
    first, second, third, fourth = zip(*boxes, strict=True)
    return min(first), min(second), max(third), max(fourth)


class PageTransform:
    """Turns the measure of a page into places on it, `width` by `height` points."""

    def __init__(self, page: pypdfium2.PdfPage, width: float, height: float) -> None:
        self._page = page.raw
        self._width, self._height = width, height
        self._x, self._y = ctypes.c_int(), ctypes.c_int()

    def place(self, left: float, bottom: float, right: float, top: float) -> Place | None:
        """The part of a rectangle that is on the page; None for one without area there."""
        ends = self._seen(left, top), self._seen(right, bottom)
        (left, right), (top, bottom) = (sorted(sides) for sides in zip(*ends, strict=True))
        left, right = max(0.0, left), min(self._width, right)
        top, bottom = max(0.0, top), min(self._height, bottom)
        return (left, top, right, bottom) if left < right and top < bottom else None

    def _seen(self, x: float, y: float) -> tuple[float, float]:
        width, height = round(self._width * _FINE), round(self._height * _FINE)
        at_x, at_y = ctypes.byref(self._x), ctypes.byref(self._y)
        pdfium.FPDF_PageToDevice(self._page, 0, 0, width, height, 0, x, y, at_x, at_y)
        return self._x.value / _FINE, self._y.value / _FINE


class CharacterPlaces:
    """Where the characters of a page are seen."""

    def __init__(
        self, page: pypdfium2.PdfPage, text_page: pypdfium2.PdfTextPage, size: tuple[float, float]
    ) -> None:
        self._text = text_page.raw
        self._transform = PageTransform(page, *size)
        self._box = pdfium.FS_RECTF()

    def character(self, index: int) -> str:
        return chr(pdfium.FPDFText_GetUnicode(self._text, index))

    def place(self, index: int) -> Place | None:
        """A character's box, as high as its font; None for white space and for a box without area."""
        box = self._box
        if self.character(index).isspace() or not pdfium.FPDFText_GetLooseCharBox(
            self._text, index, ctypes.byref(box)
        ):
            return None
        return self._transform.place(box.left, box.bottom, box.right, box.top)

    def has_box(self, index: int) -> bool:
        """Whether a character has an area, on the page or outside."""
        box = self._box
        found = pdfium.FPDFText_GetLooseCharBox(self._text, index, ctypes.byref(box))
        return bool(found) and box.left < box.right and box.bottom < box.top
