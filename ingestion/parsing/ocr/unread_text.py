"""Finds PDF pages with a picture that shows text which the page's own text lacks."""

import ctypes
from collections.abc import Container
from contextlib import closing
from typing import Any, NamedTuple

import pypdfium2
import pypdfium2.raw as pdfium

from ingestion.parsing.geometry.page_objects import covered, hide_text, pictures_on
from ingestion.parsing.geometry.places import CharacterPlaces, Place
from ingestion.parsing.ocr.scans import MIN_SHARE, RECOGNISED, is_crowded, is_unread

POINTS_PER_INCH = 72
MAX_LOOK_POINTS = 3000  # a side of a page; larger ones are drawings, and are drawn smaller
_INVISIBLE = pdfium.FPDF_TEXTRENDERMODE_INVISIBLE


class PlacedLetter(NamedTuple):
    """A letter of the page and its place."""

    text: str
    place: Place
    visible: bool


def is_suspect(page: pypdfium2.PdfPage, characters: int, size: tuple[float, float]) -> bool:
    """Whether a page has so little text under so many pictures that it is worth drawing."""
    if is_crowded(characters, 1.0):
        return False
    share = covered(pictures_on(page, size), size)
    return share >= MIN_SHARE and not is_crowded(characters, share)


def shows_unread_text(page: pypdfium2.PdfPage, hidden: Container[int] = ()) -> bool:
    """Whether a small drawing of the page without its own text shows lines of text.

    `hidden` are the indices of characters that are left out of the text.
    """
    from ingestion.parsing.ocr.text_lines import LOOK_DPI, lines_in  # not for every file

    size = page.get_size()
    pictures = pictures_on(page, size)
    share = covered(pictures, size)
    with closing(page.get_textpage()) as text_page:
        letters = letters_of(page, text_page, size, hidden)
    if sum(not letter.visible for letter in letters) >= RECOGNISED:
        return False
    hide_text(page)
    scale = min(LOOK_DPI / POINTS_PER_INCH, LOOK_DPI / POINTS_PER_INCH * MAX_LOOK_POINTS / max(size))
    bitmap = page.render(
        scale=scale, grayscale=True, limit_image_cache=True, draw_annots=False, may_draw_forms=False
    )
    with closing(bitmap):
        lines = lines_in(bitmap.to_pil(), pictures, [letter.place for letter in letters], scale)
    return is_unread(lines.unexplained, len(letters), share)


def letters_of(
    page: pypdfium2.PdfPage,
    text_page: pypdfium2.PdfTextPage,
    size: tuple[float, float],
    hidden: Container[int] = (),
) -> list[PlacedLetter]:
    """The page's visible and invisible letters that have a place on it, without `hidden` ones."""
    places = CharacterPlaces(page, text_page, size)
    modes: dict[Any, int] = {}
    found = []
    for index in range(text_page.count_chars()):
        if index in hidden or (place := places.place(index)) is None:
            continue
        owner = pdfium.FPDFText_GetTextObject(text_page.raw, index)
        key = ctypes.cast(owner, ctypes.c_void_p).value
        if key not in modes:
            modes[key] = pdfium.FPDFTextObj_GetTextRenderMode(owner) if owner else -1
        found.append(PlacedLetter(places.character(index), place, modes[key] != _INVISIBLE))
    return found
