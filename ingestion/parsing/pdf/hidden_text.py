"""Finds text of a PDF page that nobody sees.

A page with candidates (`hidden_candidates`) is drawn with and without them: text that changes no pixel shows
nothing, whatever hides it: its colour, its opacity, or what is drawn over it. White text on a dark table head
changes pixels. Text that shows nothing stays where the rest of the page shows writing in its place: that is
the text of a recognised scan.
"""

import math
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from itertools import accumulate
from typing import NamedTuple
from zlib import crc32

import pypdfium2
import pypdfium2.raw as pdfium
from PIL import Image, ImageChops

from ingestion.parsing.frames import FileWarning
from ingestion.parsing.geometry.layout import RawPage
from ingestion.parsing.geometry.page_objects import can_draw_pictures, covered, hide_text, pictures_on
from ingestion.parsing.geometry.places import CharacterPlaces, Place, union
from ingestion.parsing.ocr.scans import MOSTLY
from ingestion.parsing.pdf.hidden_candidates import Candidates, address, candidates
from ingestion.parsing.shared.hidden_text import HiddenText
from ingestion.parsing.shared.page_numbers import page_list

TINY = "too small to be read"
OUTSIDE = "outside the page"
UNDRAWN = "not drawn"
UNSEEN = "in the colour of the page or covered"

SCALE = 1.5  # pixels a point: the stems of small letters are a pixel wide
SCAN_SCALE = 1.0
MAX_PIXELS = 4_000_000

SEEN = 16  # of 255; a person does not see a smaller difference between letters and what is behind them
SEEN_SHARE = 1 / 3  # of a word's letters; points and thin strokes may be lost in drawing

# Writing in a picture: pixels that differ so much from the usual one, in so many columns and rows of a word.
INK = 40
INK_COLUMNS, INK_ROWS = 0.4, 0.35
RECOGNISED_SHARE = 0.5  # of a page's unseen words; with writing under more the page is a recognised scan
NEAR = 1.0  # of a word's height; where recognised text may lie beside the writing

_GAP = 3  # characters between the parts of one passage


class HiddenCharacters(NamedTuple):
    """Characters of a page that nobody sees, by PDFium's index, and the kinds of their passages."""

    indices: frozenset[int]
    passages: tuple[str, ...]


NOTHING = HiddenCharacters(frozenset(), ())


def without(raw: RawPage, hidden: HiddenCharacters) -> RawPage:
    """The page's text with NULs, which `clean` removes, for its hidden characters."""
    if not hidden.indices:
        return raw
    indices = raw.indices if raw.indices is not None else range(len(raw.text))
    return replace(
        raw,
        text="".join(
            "\0" if index in hidden.indices and not character.isspace() else character
            for character, index in zip(raw.text, indices, strict=True)
        ),
    )


class _PageWord(NamedTuple):
    indices: tuple[int, ...]
    places: tuple[Place, ...]
    kind: str


class UnseenText:
    """The hidden characters of a file's pages, and the warnings about them."""

    def __init__(self) -> None:
        self._passages = HiddenText()
        self._hidden: dict[int, frozenset[int]] = {}
        self._unknown: list[int] = []

    def find(
        self, number: int, page: pypdfium2.PdfPage, text_page: pypdfium2.PdfTextPage, raw: RawPage
    ) -> HiddenCharacters:
        """Find the hidden characters of a page with this text; none where the page cannot be drawn."""
        self._passages.look_at(raw.text, number)
        if not all(math.isfinite(side) and side > 0 for side in page.get_size()):
            self._unknown.append(number)
            return NOTHING
        try:
            seed = crc32(raw.text.encode("utf-8", errors="replace"))
            found = hidden_characters(page, text_page, page.get_size(), seed)
        except (pypdfium2.PdfiumError, ValueError, ArithmeticError):
            self._unknown.append(number)
            return NOTHING
        self._hidden[number] = found.indices
        for kind in found.passages:
            self._passages.note(kind, number)
        return found

    def on(self, number: int) -> frozenset[int]:
        """The hidden characters of a page that `find` has seen."""
        return self._hidden.get(number, frozenset())

    def warnings(self) -> Iterator[FileWarning]:
        yield from self._passages.warnings()
        if self._unknown:
            yield FileWarning(
                f"Whether text on {page_list(self._unknown)} is hidden is not known: it cannot be drawn."
            )


def hidden_characters(
    page: pypdfium2.PdfPage, text_page: pypdfium2.PdfTextPage, size: tuple[float, float], seed: int = 0
) -> HiddenCharacters:
    """The characters of a page that nobody sees. Its objects are as before when it returns.

    `seed` is that of `candidates`.
    """
    found = candidates(page, seed)
    if not found:
        return NOTHING
    hidden: dict[int, str] = {}
    words = list(_words(page, text_page, size, found, hidden))
    drawn = [word for word in words if word.kind == UNSEEN]
    if drawn:
        changed, scale = _difference(page, found, size)
        shown = [word for word in drawn if _is_seen(word, changed, scale)]
        words = [word for word in words if word not in shown]
    if words:
        words = list(_without_writing(page, words, size))
    for word in words:
        hidden.update(dict.fromkeys(word.indices, word.kind))
    return HiddenCharacters(frozenset(hidden), tuple(_passages(text_page, hidden)))


def _words(
    page: pypdfium2.PdfPage,
    text_page: pypdfium2.PdfTextPage,
    size: tuple[float, float],
    found: Candidates,
    hidden: dict[int, str],
) -> Iterator[_PageWord]:
    """The words that must be looked at; what is hidden without a look is put into `hidden`."""
    places = CharacterPlaces(page, text_page, size)
    indices: list[int] = []
    boxes: list[Place] = []
    kind = ""
    for index in range(text_page.count_chars()):
        owner = pdfium.FPDFText_GetTextObject(text_page.raw, index)
        key = address(owner) if owner else 0
        is_space = places.character(index).isspace()
        now = _kind(key, found)
        if now and not is_space:
            place = places.place(index)
            if now == TINY or (place is None and key in found.outside and places.has_box(index)):
                hidden[index] = TINY if now == TINY else OUTSIDE
                now = ""
            elif place is None or now == OUTSIDE:
                now = ""
        if (is_space or now != kind) and indices:
            yield _PageWord(tuple(indices), tuple(boxes), kind)
            indices, boxes = [], []
        kind = "" if is_space else now
        if kind and place is not None:
            indices.append(index)
            boxes.append(place)
    if indices:
        yield _PageWord(tuple(indices), tuple(boxes), kind)


def _kind(key: int, found: Candidates) -> str:
    if key in found.tiny:
        return TINY
    if key in found.undrawn:
        return UNDRAWN
    if key in found.unclear:
        return UNSEEN
    return OUTSIDE if key in found.outside else ""


def _difference(
    page: pypdfium2.PdfPage, found: Candidates, size: tuple[float, float]
) -> tuple[Image.Image, float]:
    """How much each pixel changes with the candidates, the largest of red, green and blue; and the scale."""
    whole, scale = _drawing(page, size, SCALE)
    for handle in found.handles:
        pdfium.FPDFPageObj_SetIsActive(handle, False)
    try:
        part, _ = _drawing(page, size, SCALE)
    finally:
        for handle in found.handles:
            pdfium.FPDFPageObj_SetIsActive(handle, True)
    red, green, blue = ImageChops.difference(whole, part).split()
    return ImageChops.lighter(ImageChops.lighter(red, green), blue), scale


def _drawing(page: pypdfium2.PdfPage, size: tuple[float, float], scale: float) -> tuple[Image.Image, float]:
    scale = min(scale, (MAX_PIXELS / max(1.0, size[0] * size[1])) ** 0.5)
    bitmap = page.render(scale=scale, limit_image_cache=True, rev_byteorder=True, may_draw_forms=False)
    with closing(bitmap):
        return bitmap.to_pil().convert("RGB"), scale


def _is_seen(word: _PageWord, changed: Image.Image, scale: float) -> bool:
    seen = sum(_highest(changed, place, scale) >= SEEN for place in word.places)
    return seen >= SEEN_SHARE * len(word.places)


def _highest(drawing: Image.Image, place: Place, scale: float) -> int:
    box = _pixels(place, scale, drawing.size)
    return int(drawing.crop(box).getextrema()[1]) if box else 0  # type: ignore[arg-type]


def _pixels(place: Place, scale: float, size: tuple[int, int]) -> tuple[int, int, int, int] | None:
    left, top = max(0, int(place[0] * scale)), max(0, int(place[1] * scale))
    right, bottom = min(size[0], int(place[2] * scale) + 1), min(size[1], int(place[3] * scale) + 1)
    return (left, top, right, bottom) if left < right and top < bottom else None


def _without_writing(
    page: pypdfium2.PdfPage, words: Sequence[_PageWord], size: tuple[float, float]
) -> Iterator[_PageWord]:
    """The words that no picture or drawing shows: all but the text of a recognised scan."""
    pictures = pictures_on(page, size)
    hide_text(page)
    try:
        drawing, scale = _drawing(page, size, SCAN_SCALE)
    finally:
        hide_text(page, hidden=False)
    grey = drawing.convert("L")
    bare = [word for word in words if not _is_written(word, grey, scale)]
    if not bare or (pictures and _is_blank(grey) and not can_draw_pictures(page)):
        return  # the page may be a scan
    is_scan = covered(pictures, size) >= MOSTLY and len(bare) <= (1 - RECOGNISED_SHARE) * len(words)
    yield from (word for word in bare if not is_scan or not _has_ink_near(word, grey, scale))


def _is_blank(grey: Image.Image) -> bool:
    low, high = grey.getextrema()
    return int(high) - int(low) < INK  # type: ignore[arg-type]


def _is_written(word: _PageWord, grey: Image.Image, scale: float) -> bool:
    """Whether the drawing has strokes in most of the columns and rows of a word."""
    ink = _ink(word, grey, scale, 0)
    if ink is None:
        return False
    columns, rows = ink.getprojection()
    return sum(columns) >= INK_COLUMNS * len(columns) and sum(rows) >= INK_ROWS * len(rows)


def _has_ink_near(word: _PageWord, grey: Image.Image, scale: float) -> bool:
    ink = _ink(word, grey, scale, NEAR)
    return ink is not None and ink.getbbox() is not None


def _ink(word: _PageWord, grey: Image.Image, scale: float, around: float) -> Image.Image | None:
    """The pixels in and around a word that differ from its usual pixel, as 255."""
    left, top, right, bottom = union(word.places)
    edge = around * min(bottom - top, right - left)
    box = _pixels((left - edge, top - edge, right + edge, bottom + edge), scale, grey.size)
    if box is None:
        return None
    part = grey.crop(box)
    usual = bisect_left([*accumulate(part.histogram())], part.width * part.height / 2)
    return part.point([255 if abs(value - usual) > INK else 0 for value in range(256)])


def _passages(text_page: pypdfium2.PdfTextPage, hidden: dict[int, str]) -> Iterator[str]:
    """The kind of each passage of hidden characters that has a letter or digit."""
    last, kind, counted = -_GAP - 1, "", False
    for index in sorted(hidden):
        if index - last > _GAP or hidden[index] != kind:
            counted = False
        last, kind = index, hidden[index]
        if not counted and chr(pdfium.FPDFText_GetUnicode(text_page.raw, index)).isalnum():
            counted = True
            yield kind
