"""The places of a PDF page's glyphs, as PDFium knows them."""

import ctypes
import math

import pypdfium2
import pypdfium2.raw

from ingestion.parsing.reading_order.lines import Glyph

MAX_SLOPE = 0.1  # radians; text that runs to the right, however badly it was scanned


class PdfiumGlyphs:
    """The glyphs of a text page, each read once."""

    def __init__(self, text_page: pypdfium2.PdfTextPage, indices: list[int] | None) -> None:
        self._page = text_page.raw
        self._indices = indices
        self._known: dict[int, Glyph | None] = {}
        self._box = pypdfium2.raw.FS_RECTF()
        self._at_box = ctypes.byref(self._box)

    def box(self, offset: int) -> Glyph | None:
        if offset not in self._known:
            # The loose box is as high as the font and as wide as the glyph's step: letters of a word touch.
            found = pypdfium2.raw.FPDFText_GetLooseCharBox(self._page, self._index(offset), self._at_box)
            box = self._box
            left, bottom, right, top = box.left, box.bottom, box.right, box.top
            has_area = found and left < right and bottom < top
            self._known[offset] = Glyph(left, bottom, right, top) if has_area else None
        return self._known[offset]

    def is_level(self, offset: int) -> bool:
        angle = pypdfium2.raw.FPDFText_GetCharAngle(self._page, self._index(offset))
        return bool(min(angle, 2 * math.pi - angle) < MAX_SLOPE)

    def origin(self, offset: int) -> float:
        x, y = ctypes.c_double(), ctypes.c_double()
        index = self._index(offset)
        pypdfium2.raw.FPDFText_GetCharOrigin(self._page, index, ctypes.byref(x), ctypes.byref(y))
        return x.value

    def _index(self, offset: int) -> int:
        return offset if self._indices is None else self._indices[offset]
