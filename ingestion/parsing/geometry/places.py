"""Places in a PDF's own measure made places on the page as it is seen: turned, cropped, from the top left."""

import ctypes

import pypdfium2
import pypdfium2.raw

from ingestion.parsing.geometry.added_lines import Place

# PDFium gives places in whole pixels: of a picture this many times as fine as points.
_FINE = 16


class PageTransform:
    """A page as it is seen, `width` by `height` points."""

    def __init__(self, page: pypdfium2.PdfPage, width: float, height: float) -> None:
        self._page = page.raw
        self._width, self._height = width, height
        self._x, self._y = ctypes.c_int(), ctypes.c_int()

    def place(self, left: float, bottom: float, right: float, top: float) -> Place | None:
        """Return the part of a rectangle that is on the page; None for one without area there."""
        ends = self._seen(left, top), self._seen(right, bottom)
        (left, right), (top, bottom) = (sorted(sides) for sides in zip(*ends, strict=True))
        left, right = max(0.0, left), min(self._width, right)
        top, bottom = max(0.0, top), min(self._height, bottom)
        return (left, top, right, bottom) if left < right and top < bottom else None

    def _seen(self, x: float, y: float) -> tuple[float, float]:
        pypdfium2.raw.FPDF_PageToDevice(
            self._page, 0, 0, round(self._width * _FINE), round(self._height * _FINE), 0, x, y,
            ctypes.byref(self._x), ctypes.byref(self._y),
        )  # fmt: skip
        return self._x.value / _FINE, self._y.value / _FINE
