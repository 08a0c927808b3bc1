"""Counts lines of text in a picture without reading them.

A line of text is a band of rows as high as letters, with many changes between light and dark, and with quiet
rows above and below. Photographs, gradients, logos and charts have few such bands.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from ingestion.parsing.geometry.places import Place
from ingestion.parsing.ocr.scans import ENOUGH

LOOK_DPI = 100

# Of the drawing at LOOK_DPI. A strip is as wide as eight letters, so that a scan may lie somewhat askew.
_STRIP = 64
_CONTRAST = 28
_BLUR = 12
_INK = [0] * (_CONTRAST + 1) + [255] * (255 - _CONTRAST)
_BUSY, _QUIET = 14, 6  # of 255, the share of changes in a row of a strip
_LETTERS = range(4, 34)  # rows; letters of 5 to 28 points without what goes above and below
_EXPLAINED = 90  # of 255: how much of a line must lie under text


@dataclass(frozen=True, slots=True)
class Lines:
    """Counts of stretches of text lines in pictures, each as long as eight letters.

    Attributes:
        explained: Under text of the page.
        unexplained: Without text of the page on them.
    """

    explained: int
    unexplained: int


def lines_in(drawing: Image.Image, pictures: Sequence[Place], texts: Sequence[Place], scale: float) -> Lines:
    """Count the text lines in pictures.

    Args:
        drawing: The page, `scale` pixels a point.
        pictures: Places of the pictures in points.
        texts: Places of the page's own text in points.
        scale: Pixels a point.
    """
    grey = drawing if drawing.mode == "L" else drawing.convert("L")
    under = _mask(grey.size, pictures, scale, 0)
    frame = under.getbbox()
    if frame is None:
        return Lines(0, 0)
    grey, under = grey.crop(frame), under.crop(frame)
    known = _mask(drawing.size, texts, scale, 2).crop(frame)
    around = grey.filter(ImageFilter.BoxBlur(_BLUR))
    best = Lines(0, 0)
    for first, second in ((around, grey), (grey, around)):  # dark on light, then light on dark
        ink = ImageChops.subtract(first, second).point(_INK)
        ink = ImageChops.multiply(ink, under)
        for found in (_count(ink, known), _count(_turned(ink), _turned(known))):
            best = max(best, found, key=lambda lines: lines.explained + lines.unexplained)
        if best.explained + best.unexplained >= ENOUGH:
            break
    return best


def _turned(image: Image.Image) -> Image.Image:
    return image.transpose(Image.Transpose.ROTATE_90)


def _count(ink: Image.Image, known: Image.Image) -> Lines:
    width, height = ink.size
    strips = max(1, width // _STRIP)
    changes = ImageChops.difference(ink, ImageChops.offset(ink, 1, 0))
    rows = changes.resize((strips, height), Image.Resampling.BOX).tobytes()
    texts = known.resize((strips, height), Image.Resampling.BOX).tobytes()
    explained = unexplained = 0
    for strip in range(strips):
        busy = rows[strip::strips]
        for start, end in _letter_rows(busy):
            share = sum(texts[start * strips + strip : end * strips : strips]) / (end - start)
            if share >= _EXPLAINED:
                explained += 1
            else:
                unexplained += 1
    return Lines(explained, unexplained)


def _letter_rows(busy: bytes) -> Iterator[tuple[int, int]]:
    """Stretches of busy rows as high as letters, with a quiet row above and below."""
    start = 0
    levels = [0 if value <= _QUIET else 1 for value in busy]
    for level, group in groupby(levels):
        end = start + sum(1 for _ in group)
        if level and end - start in _LETTERS:
            rows = busy[start:end]
            if 2 * sum(value >= _BUSY for value in rows) >= len(rows):
                yield start, end
        start = end


def _mask(size: tuple[int, int], places: Sequence[Place], scale: float, grow: int) -> Image.Image:
    mask = Image.new("L", size, 0)
    draw = ImageDraw.Draw(mask)
    for left, top, right, bottom in places:
        draw.rectangle(
            (left * scale - grow, top * scale - grow, right * scale + grow, bottom * scale + grow), fill=255
        )
    return mask
