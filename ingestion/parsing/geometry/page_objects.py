"""The objects of a PDF page, including those in forms within forms."""

import ctypes
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pypdfium2
import pypdfium2.raw as pdfium

from ingestion.parsing.geometry.places import PageTransform, Place

MAX_OBJECTS = 10_000  # of a page; a scan has one, or a few hundred strips
MAX_FORM_DEPTH = 4

_GRID = 32  # cells to a side, to measure what pictures cover

Matrix = tuple[float, float, float, float, float, float]


@dataclass(frozen=True, slots=True)
class PageObject:
    """An object of a page or of a form on it; `matrix` maps the form's coordinates to the page's."""

    raw: Any
    matrix: Matrix | None


def objects_of(page: Any, wanted: int) -> Iterator[PageObject]:
    """The objects of one kind on a page and in its forms, among the first MAX_OBJECTS."""
    kind_of = pdfium.FPDFPageObj_GetType  # asked a thousand times a page
    left = MAX_OBJECTS
    stack: list[tuple[Any, Any, int, Matrix | None, int]] = [
        (page, pdfium.FPDFPage_GetObject, pdfium.FPDFPage_CountObjects(page), None, 0)
    ]
    while stack:
        owner, get, count, matrix, depth = stack.pop()
        for index in range(min(count, left)):
            left -= 1
            raw = get(owner, index)
            if not raw:
                continue
            kind = kind_of(raw)
            if kind == pdfium.FPDF_PAGEOBJ_FORM:
                if depth < MAX_FORM_DEPTH:
                    inner = pdfium.FPDFFormObj_CountObjects(raw)
                    stack.append((raw, pdfium.FPDFFormObj_GetObject, inner, within(raw, matrix), depth + 1))
            elif kind == wanted:
                yield PageObject(raw, matrix)


def within(form: Any, outer: Matrix | None) -> Matrix | None:
    own = pdfium.FS_MATRIX()
    if not pdfium.FPDFPageObj_GetMatrix(form, own):
        return outer
    a, b, c, d, e, f = own.a, own.b, own.c, own.d, own.e, own.f
    if outer is None:
        return a, b, c, d, e, f
    p, q, r, s, t, u = outer
    turn = a * p + b * r, a * q + b * s, c * p + d * r, c * q + d * s
    return *turn, e * p + f * r + t, e * q + f * s + u


def _bounds(found: PageObject) -> tuple[float, float, float, float] | None:
    """A picture's place in the page's coordinates: left, bottom, right, top."""
    sides = [ctypes.c_float() for _ in range(4)]
    if not pdfium.FPDFPageObj_GetBounds(found.raw, *sides):
        return None
    left, bottom, right, top = (side.value for side in sides)
    if found.matrix is None:
        return left, bottom, right, top
    return turned((left, bottom, right, top), found.matrix)


def turned(box: Iterable[float], matrix: Matrix) -> tuple[float, float, float, float]:
    """A box in a form's coordinates (left, bottom, right, top) as the box around it in the page's."""
    a, b, c, d, e, f = matrix
    left, bottom, right, top = box
    corners = [(x * a + y * c + e, x * b + y * d + f) for x in (left, right) for y in (bottom, top)]
    across, upward = [x for x, _ in corners], [y for _, y in corners]
    return min(across), min(upward), max(across), max(upward)


def covered(places: Sequence[Place], size: tuple[float, float]) -> float:
    """The share of the page that the places cover, 0.0 to 1.0, measured on a grid."""
    width, height = size
    cells = bytearray(_GRID * _GRID)
    for left, top, right, bottom in places:
        first, last = round(left / width * _GRID), round(right / width * _GRID)
        if first < last:
            row = b"\1" * (last - first)
            for y in range(round(top / height * _GRID), round(bottom / height * _GRID)):
                cells[y * _GRID + first : y * _GRID + last] = row
    return sum(cells) / len(cells)


def pictures_on(page: pypdfium2.PdfPage, size: tuple[float, float]) -> list[Place]:
    """The visible places of the page's pictures."""
    view = PageTransform(page, *size)
    bounds = (_bounds(found) for found in objects_of(page.raw, pdfium.FPDF_PAGEOBJ_IMAGE))
    places = (view.place(*box) for box in bounds if box is not None)
    return [place for place in places if place is not None]


def can_draw_pictures(page: pypdfium2.PdfPage) -> bool:
    """Whether PDFium can read all pictures of the page."""
    for found in objects_of(page.raw, pdfium.FPDF_PAGEOBJ_IMAGE):
        if not (bitmap := pdfium.FPDFImageObj_GetBitmap(found.raw)):
            return False
        pdfium.FPDFBitmap_Destroy(bitmap)
    return True


def hide_text(page: pypdfium2.PdfPage, *, hidden: bool = True) -> None:
    """Make PDFium draw the page without its text while the page is open, or with it again."""
    for found in objects_of(page.raw, pdfium.FPDF_PAGEOBJ_TEXT):
        pdfium.FPDFPageObj_SetIsActive(found.raw, not hidden)
