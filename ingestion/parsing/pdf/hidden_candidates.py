"""The cheap test for hidden text on a PDF page: which text objects may show nothing.

It asks each object of the page for its mode, colour and place, and draws nothing. Most pages have no
candidate; of the others, `hidden_text` looks at the pixels.
"""

import ctypes
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pypdfium2
import pypdfium2.raw as pdfium

from ingestion.parsing.geometry.page_objects import (
    MAX_FORM_DEPTH,
    MAX_OBJECTS,
    Matrix,
    turned,
    within,
)

Box = tuple[float, float, float, float]  # left, bottom, right, top in the page's coordinates

# Smaller text cannot be read: in points, or as a share of the page's height where a page is small and is
# shown larger.
MAX_TINY = 1.5
MAX_TINY_SHARE = 1 / 500
LOW = 3.0  # points; text whose letters are lower may be tiny
LIGHT = 215  # of 255, the darkest of red, green and blue: close to the white of a page
FAINT = 64  # of 255; less opaque text may be invisible
ROW = 24.0  # points; text that may be covered later is found by rows of this height
ALIKE = 32  # of 255; colours that differ less in red, green and blue are hard to tell apart
MAX_FILLS = 500  # of one colour on a page
# A page that places each letter has thousands of objects, and a passage on it dozens: a sample finds it.
MANY = 600
MAX_ANNOTATIONS = 1000  # of a page
MOST_SKIPPED = 6  # text objects between two of the sample
MIN_COVER = 4.0  # points; the smaller side of what can cover text

_OUTLINED = (pdfium.FPDF_TEXTRENDERMODE_STROKE, pdfium.FPDF_TEXTRENDERMODE_STROKE_CLIP)
_FILLED = (
    pdfium.FPDF_ANNOT_SQUARE,
    pdfium.FPDF_ANNOT_CIRCLE,
    pdfium.FPDF_ANNOT_POLYGON,
    pdfium.FPDF_ANNOT_FREETEXT,
    pdfium.FPDF_ANNOT_STAMP,
    pdfium.FPDF_ANNOT_INK,
    pdfium.FPDF_ANNOT_REDACT,
)
_UNDRAWN = (pdfium.FPDF_TEXTRENDERMODE_INVISIBLE, pdfium.FPDF_TEXTRENDERMODE_CLIP)


@dataclass(slots=True)
class Candidates:
    """Text objects that may show nothing, by the addresses of their handles.

    Attributes:
        tiny: Too small to be read.
        outside: Beyond the page's sides, at least in part.
        undrawn: In a mode that draws nothing, as the text laid over a scan.
        unclear: In the colour of what may be behind them, or under something.
        handles: The handles of `unclear`.
    """

    tiny: set[int] = field(default_factory=set)
    outside: set[int] = field(default_factory=set)
    undrawn: set[int] = field(default_factory=set)
    unclear: set[int] = field(default_factory=set)
    handles: list[Any] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.tiny or self.outside or self.undrawn or self.unclear)


def address(handle: Any) -> int:
    """The address of a handle of PDFium; handles of one object are not equal in Python."""
    return ctypes.cast(handle, ctypes.c_void_p).value or 0


def candidates(page: pypdfium2.PdfPage, seed: int = 0) -> Candidates:
    """The page's text objects that may show nothing.

    Args:
        page: An open page.
        seed: Of the sample that is looked at first on a page of many objects; best made from its text, so
            that nobody can hide text between the objects of the sample.
    """
    if pdfium.FPDFPage_CountObjects(page.raw) > MANY:
        sample = _ObjectLook(page, Random(seed))  # no secret
        sample.through()
        if not sample.found:
            return sample.found
    look = _ObjectLook(page)
    look.through()
    return look.found


class _ObjectLook:
    """Looks at the objects of one page in the order in which they are drawn, forms in their place."""

    def __init__(self, page: pypdfium2.PdfPage, sample: Random | None = None) -> None:
        self._sample = sample
        self.found = Candidates()
        self._page = page.raw
        self._view = page.get_bbox()
        self._tiny = min(MAX_TINY, MAX_TINY_SHARE * (self._view[3] - self._view[1]))
        self._fills: dict[tuple[int, int, int] | None, list[Box]] = {}
        # Middles and handles of text that is clear so far: of the last objects, and of others by rows.
        self._texts: list[tuple[float, float, Any]] = []
        self._rows: dict[int, list[tuple[float, float, Any]]] = {}
        # Made once: there are thousands of objects on a page that places each letter.
        self._sides = (ctypes.c_float * 4)()
        self._at_sides = _pointers(self._sides, ctypes.c_float)
        self._numbers = (ctypes.c_uint * 4)()
        self._at_numbers = _pointers(self._numbers, ctypes.c_uint)

    def through(self) -> None:
        """Look at the first MAX_OBJECTS objects."""
        kind_of, left, skipped = pdfium.FPDFPageObj_GetType, MAX_OBJECTS, 0
        stack: list[tuple[Any, Any, Iterator[int], Matrix | None]] = [
            (
                self._page,
                pdfium.FPDFPage_GetObject,
                iter(range(pdfium.FPDFPage_CountObjects(self._page))),
                None,
            )
        ]
        while stack:
            owner, get, indices, matrix = stack[-1]
            for index in indices:
                left -= 1
                if left < 0:
                    return
                raw = get(owner, index)
                kind = kind_of(raw)
                if kind == pdfium.FPDF_PAGEOBJ_TEXT:
                    if skipped:
                        skipped -= 1
                        continue
                    self._text(raw, matrix)
                    if self._sample is not None:
                        skipped = self._sample.randrange(MOST_SKIPPED + 1)
                elif kind == pdfium.FPDF_PAGEOBJ_FORM:
                    if len(stack) <= MAX_FORM_DEPTH:
                        inner = iter(range(pdfium.FPDFFormObj_CountObjects(raw)))
                        stack.append((raw, pdfium.FPDFFormObj_GetObject, inner, within(raw, matrix)))
                        break
                elif kind != pdfium.FPDF_PAGEOBJ_UNKNOWN:
                    self._cover(kind, raw, matrix)
            else:
                stack.pop()
        self._annotations()

    def _annotations(self) -> None:
        """Doubt text below annotations that may be filled."""
        for index in range(min(pdfium.FPDFPage_GetAnnotCount(self._page), MAX_ANNOTATIONS)):
            raw = pdfium.FPDFPage_GetAnnot(self._page, index)
            box = pdfium.FS_RECTF()
            if pdfium.FPDFAnnot_GetSubtype(raw) in _FILLED and pdfium.FPDFAnnot_GetRect(raw, box):
                self._doubt_below(box.left, box.bottom, box.right, box.top)
            pdfium.FPDFPage_CloseAnnot(raw)

    def _text(self, raw: Any, matrix: Matrix | None) -> None:
        mode = pdfium.FPDFTextObj_GetTextRenderMode(raw)
        if mode in _UNDRAWN:
            self.found.undrawn.add(address(raw))
            return
        if not pdfium.FPDFPageObj_GetBounds(raw, *self._at_sides):
            return
        left, bottom, right, top = self._sides if matrix is None else turned(self._sides, matrix)
        view = self._view
        if left < view[0] or right > view[2] or bottom < view[1] or top > view[3]:
            self.found.outside.add(address(raw))
        low = top - bottom < LOW or right - left < MAX_TINY
        if low and 0 <= _size(raw, matrix) < self._tiny:
            self.found.tiny.add(address(raw))
            return
        across, upward = (left + right) / 2, (bottom + top) / 2
        get_colour = (
            pdfium.FPDFPageObj_GetStrokeColor if mode in _OUTLINED else pdfium.FPDFPageObj_GetFillColor
        )
        if get_colour(raw, *self._at_numbers):
            red, green, blue, opacity = self._numbers
            is_light = red >= LIGHT and green >= LIGHT and blue >= LIGHT
            if (
                is_light
                or opacity < FAINT
                or (self._fills and self._has_its_colour(across, upward, red, green, blue))
            ):
                self._doubt(raw)
                return
        self._texts.append((across, upward, raw))

    def _cover(self, kind: int, raw: Any, matrix: Matrix | None) -> None:
        """Note what is behind later text, and doubt earlier text below it."""
        colour: tuple[int, int, int] | None = None
        if kind == pdfium.FPDF_PAGEOBJ_PATH:
            fill, stroke = ctypes.c_int(), ctypes.c_int()
            if not pdfium.FPDFPath_GetDrawMode(raw, fill, stroke) or not fill.value:
                return
            if pdfium.FPDFPageObj_GetFillColor(raw, *self._at_numbers):
                red, green, blue, opacity = self._numbers
                if opacity < FAINT:
                    return
                colour = red, green, blue
        if not pdfium.FPDFPageObj_GetBounds(raw, *self._at_sides):
            return
        left, bottom, right, top = self._sides if matrix is None else turned(self._sides, matrix)
        if min(right - left, top - bottom) < MIN_COVER:
            return
        boxes = self._fills.setdefault(colour, [])
        if len(boxes) < MAX_FILLS:
            boxes.append((left, bottom, right, top))
        self._doubt_below(left, bottom, right, top)

    def _doubt_below(self, left: float, bottom: float, right: float, top: float) -> None:
        """Doubt the text whose middle is in a box."""
        for text in self._texts:
            self._rows.setdefault(int(text[1] // ROW), []).append(text)
        self._texts = []
        for row in [*self._rows]:
            if not bottom // ROW <= row <= top // ROW:
                continue
            clear = []
            for text in self._rows[row]:
                if left <= text[0] <= right and bottom <= text[1] <= top:
                    self._doubt(text[2])
                else:
                    clear.append(text)
            self._rows[row] = clear

    def _has_its_colour(self, across: float, upward: float, red: int, green: int, blue: int) -> bool:
        """Whether something behind a text may have its colour."""
        for own, boxes in self._fills.items():
            if own is None or (
                abs(own[0] - red) < ALIKE and abs(own[1] - green) < ALIKE and abs(own[2] - blue) < ALIKE
            ):
                for left, bottom, right, top in boxes:
                    if left <= across <= right and bottom <= upward <= top:
                        return True
        return False

    def _doubt(self, raw: Any) -> None:
        self.found.unclear.add(address(raw))
        self.found.handles.append(raw)


def _pointers(array: Any, kind: Any) -> list[Any]:
    """A pointer to each number of an array, as PDFium takes them."""
    step = ctypes.sizeof(kind)
    first = ctypes.addressof(array)
    return [ctypes.cast(first + step * place, ctypes.POINTER(kind)) for place in range(len(array))]


def _size(raw: Any, matrix: Matrix | None) -> float:
    """The size of an object's font on the page, in points; -1 if it is unknown."""
    size, own = ctypes.c_float(), pdfium.FS_MATRIX()
    if not pdfium.FPDFTextObj_GetFontSize(raw, size) or not pdfium.FPDFPageObj_GetMatrix(raw, own):
        return -1.0
    scale = math.sqrt(abs(own.a * own.d - own.b * own.c))
    if matrix is not None:
        a, b, c, d = matrix[:4]
        scale *= math.sqrt(abs(a * d - b * c))
    return abs(size.value) * scale
