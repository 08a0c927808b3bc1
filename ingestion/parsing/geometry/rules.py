"""The ruling lines of a page: what is drawn straight, and the edges of filled boxes."""

import ctypes
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pypdfium2
import pypdfium2.raw as pdfium

from ingestion.parsing.geometry.page_objects import Matrix, objects_of, within

_MOST_SEGMENTS = 5_000  # of a page: drawings have more, and tables fewer
_THIN = 3.0  # points; a line's thickness
_TOUCHING = 1.0  # points between the ends of lines that go on in each other
_SHORT = 4.0  # points; dashes and dots are shorter

Box = tuple[float, float, float, float]  # left, bottom, right, top


@dataclass(frozen=True, slots=True)
class Rules:
    """Ruling lines in the page's own measure, where y rises.

    Attributes:
        across: Horizontal lines: y, left, right.
        upright: Vertical lines: x, bottom, top.
        fills: Boxes of colour behind rows and cells.
    """

    across: tuple[tuple[float, float, float], ...] = ()
    upright: tuple[tuple[float, float, float], ...] = ()
    fills: tuple[Box, ...] = ()


def rules_on(page: pypdfium2.PdfPage) -> Rules:
    """The ruling lines of a page; none of one with so many lines that it is a drawing."""
    across: list[tuple[float, float, float]] = []
    upright: list[tuple[float, float, float]] = []
    fills: list[Box] = []
    left = _MOST_SEGMENTS
    for found in objects_of(page.raw, pdfium.FPDF_PAGEOBJ_PATH):
        count = pdfium.FPDFPath_CountSegments(found.raw)
        left -= max(count, 1)
        if left < 0:
            return Rules()
        is_filled, is_stroked = _mode(found.raw)
        for box in _boxes(found.raw, count, within(found.raw, found.matrix)):
            width, height = box[2] - box[0], box[3] - box[1]
            if height <= _THIN and width > _SHORT:
                across.append(((box[1] + box[3]) / 2, box[0], box[2]))
            elif width <= _THIN and height > _SHORT:
                upright.append(((box[0] + box[2]) / 2, box[1], box[3]))
            elif width > _SHORT and height > _SHORT:
                if is_filled:
                    fills.append(box)
                if is_stroked:
                    across += [(box[1], box[0], box[2]), (box[3], box[0], box[2])]
                    upright += [(box[0], box[1], box[3]), (box[2], box[1], box[3])]
    return Rules(joined_lines(across), joined_lines(upright), tuple(fills))


def joined_lines(lines: list[tuple[float, float, float]]) -> tuple[tuple[float, float, float], ...]:
    """Lines of (place, start, end) with those that go on in each other as one."""
    found: list[tuple[float, float, float]] = []
    for place, start, end in sorted(lines, key=lambda line: (round(line[0]), line[1])):
        near = bool(found) and abs(found[-1][0] - place) <= _THIN / 2
        if near and found[-1][1] - _TOUCHING <= start <= found[-1][2] + _TOUCHING:
            found[-1] = found[-1][0], found[-1][1], max(found[-1][2], end)
        else:
            found.append((place, start, end))
    return tuple(found)


def _mode(path: Any) -> tuple[bool, bool]:
    fill, stroke = ctypes.c_int(), ctypes.c_int()
    pdfium.FPDFPath_GetDrawMode(path, fill, stroke)
    return fill.value != 0, stroke.value != 0


def _boxes(path: Any, count: int, matrix: Matrix | None) -> Iterator[Box]:
    """The box around each part of a path that is drawn without lifting the pen; none around a curve."""
    points: list[tuple[float, float]] = []
    is_straight = True
    x, y = ctypes.c_float(), ctypes.c_float()
    for index in range(count):
        segment = pdfium.FPDFPath_GetPathSegment(path, index)
        kind = pdfium.FPDFPathSegment_GetType(segment)
        if kind == pdfium.FPDF_SEGMENT_MOVETO:
            if is_straight and len(points) > 1:
                yield _around(points)
            points, is_straight = [], True
        if kind == pdfium.FPDF_SEGMENT_BEZIERTO:
            is_straight = False
        if pdfium.FPDFPathSegment_GetPoint(segment, x, y):
            points.append(_placed(x.value, y.value, matrix))
    if is_straight and len(points) > 1:
        yield _around(points)


def _placed(x: float, y: float, matrix: Matrix | None) -> tuple[float, float]:
    if matrix is None:
        return x, y
    a, b, c, d, e, f = matrix
    return x * a + y * c + e, x * b + y * d + f


def _around(points: list[tuple[float, float]]) -> Box:
    across, upward = [x for x, _ in points], [y for _, y in points]
    return min(across), min(upward), max(across), max(upward)
