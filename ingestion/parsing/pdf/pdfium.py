"""Reads PDFs with PDFium, which hostile files can crash: imported in the child process only."""

import math
import re
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from itertools import islice
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import TYPE_CHECKING

import pypdfium2
import pypdfium2.raw

from ingestion.documents import FileProperties
from ingestion.parsing.frames import MAX_ATTACHMENTS, FileWarning
from ingestion.parsing.geometry.layout import RawPage
from ingestion.parsing.geometry.page_objects import MAX_FORM_DEPTH, MAX_OBJECTS, hide_text
from ingestion.parsing.ocr.scans import FEW_CHARACTERS, may_have_scans
from ingestion.parsing.ocr.unread_text import PlacedLetter, is_suspect, letters_of, shows_unread_text
from ingestion.parsing.pdf.annotations import lines_of
from ingestion.parsing.pdf.glyphs import PdfiumGlyphs
from ingestion.parsing.pdf.hidden_text import UnseenText, without
from ingestion.parsing.pdf.layers import HiddenLayers, may_have_layers, text_without
from ingestion.parsing.pdf.opening import WrongPasswordError
from ingestion.parsing.pdf.page_tables import table_places
from ingestion.parsing.reading_order.ordering import read
from ingestion.parsing.shared.attached_files import own_names
from ingestion.parsing.shared.page_numbers import page_list
from ingestion.parsing.shared.properties import cleaned_properties
from ingestion.text.cleaning import control_share

if TYPE_CHECKING:
    from PIL.Image import Image

PdfiumError = pypdfium2.PdfiumError

MAX_OUTLINE_DEPTH = 15

# A page without text is a scan when pictures cover this much of it: a logo or a rule is none.
MIN_PICTURE_SHARE = 0.1

RECOGNITION_DPI = 200  # tesseract's letters want to be 20 pixels high or more
POINTS_PER_INCH = 72
# Of a page's picture, one byte each: A2 at 200 dpi, whatever size the page declares.
MAX_PIXELS = 20_000_000

# PDFium writes U+FFFE for a hyphen at a line end (character code 2) and for a glyph without a letter (0).
_HYPHEN_CODE = 2
_AMBIGUOUS = re.compile("\ufffe")


class UnknownEncryptionError(Exception):
    """The file is encrypted by an unknown method."""


class PageTooLongError(Exception):
    """A page with more characters than the limit."""

    def __init__(self, characters: int) -> None:
        super().__init__(characters)
        self.characters = characters


class PdfiumFile:
    """A PDF opened by PDFium. Pages count from 1.

    Raises:
        PdfiumError: PDFium cannot read the file.
        WrongPasswordError, UnknownEncryptionError: The file is encrypted.
    """

    def __init__(self, path: Path, password: str | None) -> None:
        self._document = open_document(path, password)
        self._document.init_forms()  # before any page is opened; nothing in a file without a form
        self._warnings: list[str] = []
        self._mixed_layers: list[int] = []
        self._untabled: list[int] = []
        self._unseen = UnseenText()
        with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data:
            self._may_have_scans = may_have_scans(data)
            self._layers = self._open_layers(path, password) if may_have_layers(data) else None
        self.page_count: int = len(self._document)

    def text(self, number: int, max_characters: int) -> RawPage:
        """The raw text of a page, with its rows repaired.

        Raises:
            PageTooLongError: It has more than `max_characters`; nothing was extracted.
            PdfiumError: PDFium cannot read the page.
        """
        # PDFium keeps what it parsed of a page until the page is closed.
        with closing(self._document[number - 1]) as page, closing(page.get_textpage()) as text_page:
            characters = text_page.count_chars()
            if characters > max_characters:
                raise PageTooLongError(characters)
            size = page.get_size()
            raw = self._visible_text(number, page, text_page, characters, size)
            hidden = self._unseen.find(number, page, text_page, raw)
            seen = characters - len(hidden.indices)
            looks = self._may_have_scans or seen < FEW_CHARACTERS
            return replace(
                without(raw, hidden),
                added=tuple(lines_of(page, text_page, self._document.formenv, size)),
                is_suspect=seen > 0 and looks and is_suspect(page, seen, size),
            )

    def _visible_text(
        self,
        number: int,
        page: pypdfium2.PdfPage,
        text_page: pypdfium2.PdfTextPage,
        characters: int,
        size: tuple[float, float],
    ) -> RawPage:
        """The text of a page without layers that are off."""
        alone = None
        if self._layers:
            try:
                alone = self._layers.page_without(number)
            except Exception:  # noqa: BLE001  # pypdf raises what its code runs into; said in a warning
                self._mixed_layers.append(number)
        if alone is None:
            return self._raw_page(number, page, text_page, characters, size)
        return text_without(
            alone, text_page, lambda page, text, count: self._raw_page(number, page, text, count, size)
        )

    def _raw_page(
        self,
        number: int,
        page: pypdfium2.PdfPage,
        text_page: pypdfium2.PdfTextPage,
        characters: int,
        size: tuple[float, float],
    ) -> RawPage:
        raw = str(text_page.get_text_range(errors="surrogatepass"))
        # On rare pages PDFium leaves characters out; and a pair of surrogates is one character here.
        indices = None if len(raw) == characters else _indices(text_page, raw)

        def letter_or_nul(match: re.Match[str]) -> str:
            index = match.start() if indices is None else indices[match.start()]
            code = pypdfium2.raw.FPDFText_GetUnicode(text_page, index)
            return "\ufffe" if code == _HYPHEN_CODE else "\0"

        raw = _AMBIGUOUS.sub(letter_or_nul, raw)

        glyphs = PdfiumGlyphs(text_page, indices)
        reading = read(raw, glyphs)
        try:
            tables = table_places(reading, glyphs, page)
        except Exception:  # noqa: BLE001  # tables are found by rules, and the text does not need them
            self._untabled.append(number)
            tables = ()
        return RawPage(reading.text, control_share(raw), size, _led(reading.offsets, indices), tables=tables)

    def _open_layers(self, path: Path, password: str | None) -> HiddenLayers | None:
        try:
            return HiddenLayers(path, password)
        except Exception:  # noqa: BLE001  # as above
            self._warnings.append(
                "The file has layers, and it is unknown which of them are switched off: its text may hold "
                "content that a viewer does not show."
            )
            return None

    def file_warnings(self) -> Iterator[FileWarning]:
        """Warnings about missing or surplus text; call it when all pages are read."""
        yield from map(FileWarning, self._warnings)
        yield from self._unseen.warnings()
        if self._mixed_layers:
            yield FileWarning(
                f"The text of {page_list(self._mixed_layers)} may hold content that a viewer does not show: "
                "layers that are switched off could not be separated."
            )
        if self._untabled:
            yield FileWarning(
                f"The tables of {page_list(self._untabled)} could not be told; their text is there."
            )
        if self._document.get_formtype() == pypdfium2.raw.FORMTYPE_XFA_FULL:
            yield FileWarning(
                "The file is an XFA form, which only Adobe Reader shows: its text may be incomplete. Print "
                "it to a PDF there, and add that file."
            )

    def shows_unread_text(self, number: int) -> bool:
        """Whether a picture on the page shows a large part of its text, which the page's own text lacks."""
        with closing(self._document[number - 1]) as page:
            return shows_unread_text(page, self._unseen.on(number))

    def letters(self, number: int) -> list[PlacedLetter]:
        """The letters of the page's text, where they are seen."""
        with closing(self._document[number - 1]) as page, closing(page.get_textpage()) as text_page:
            return letters_of(page, text_page, page.get_size(), self._unseen.on(number))

    def has_picture(self, number: int) -> bool:
        """Whether pictures cover so much of the page that it may be a scan."""
        with closing(self._document[number - 1]) as page:
            width, height = page.get_size()
            share = 0.0
            kind = [pypdfium2.raw.FPDF_PAGEOBJ_IMAGE, pypdfium2.raw.FPDF_PAGEOBJ_FORM]
            for item in islice(page.get_objects(kind, max_depth=MAX_FORM_DEPTH), MAX_OBJECTS):
                if item.type == pypdfium2.raw.FPDF_PAGEOBJ_IMAGE:
                    if item.level > 0:  # its place is in the form's own measure
                        return True
                    left, bottom, right, top = item.get_bounds()
                    share += abs(right - left) * abs(top - bottom) / (width * height)
            return share >= MIN_PICTURE_SHARE

    def picture(self, number: int, *, own_text: bool = True) -> tuple["Image", float, float]:
        """The page in grey at RECOGNITION_DPI, or less if it is huge; its width and height in points.

        Without `own_text` the page's text, fields and comments are left out: they need no recognition.
        """
        with closing(self._document[number - 1]) as page:
            if not own_text:
                hide_text(page)
            width, height = page.get_size()
            scale = min(RECOGNITION_DPI / POINTS_PER_INCH, picture_scale(width, height))
            bitmap = page.render(
                scale=scale,
                grayscale=True,
                limit_image_cache=True,
                draw_annots=own_text,
                may_draw_forms=own_text,
            )
            with closing(bitmap):
                return bitmap.to_pil().copy(), width, height  # a picture of its own, not PDFium's memory

    def title(self) -> str | None:
        return self._document.get_metadata_value("Title") or None

    def properties(self) -> FileProperties:
        """What the file says of its author, company and subject."""
        value = self._document.get_metadata_value
        return cleaned_properties(
            author=value("Author"), organisation=value("Company"), subject=value("Subject")
        )

    def attachments(self) -> Iterator[str]:
        """The unique names of the attachments. A portfolio keeps its parts as attachments."""
        return own_names(name for name, _ in listed_attachments(self._document))

    def labels(self) -> Iterator[tuple[int, str]]:
        """The printed page numbers, where the file has any."""
        for index in range(self.page_count):
            if label := self._document.get_page_label(index):
                yield index + 1, label

    def outline(self) -> Iterator[tuple[str, int, int]]:
        """The bookmarks that lead to a page: title, level from 1, page."""
        for bookmark in self._document.get_toc(max_depth=MAX_OUTLINE_DEPTH):
            destination = bookmark.get_dest()
            index = None if destination is None else destination.get_index()
            if index is not None and 0 <= index < self.page_count:
                yield bookmark.get_title(), bookmark.level + 1, index + 1


def picture_scale(width: float, height: float) -> float:
    """The largest scale at which the picture of a page has at most MAX_PIXELS.

    Args:
        width: Of the page in points.
        height: Of the page in points.

    Raises:
        ValueError: The page has no area, or an infinite one.
    """
    if not (math.isfinite(width * height) and width > 0 and height > 0):
        raise ValueError(f"a page of {width:g} by {height:g} points cannot be drawn")
    # A side is rounded up to whole pixels, so the longer side has a bound of its own.
    return min(math.sqrt(MAX_PIXELS / (width * height)), math.sqrt(MAX_PIXELS) * 4 / max(width, height))


def _led(offsets: Sequence[int] | None, indices: list[int] | None) -> Sequence[int] | None:
    """Offsets in PDFium's text as its character indices."""
    if offsets is None or indices is None:
        return indices if offsets is None else offsets
    return [indices[offset] for offset in offsets]


def _indices(text_page: pypdfium2.PdfTextPage, raw: str) -> list[int]:
    """PDFium's character index of each character of its text; PDFium counts units of UTF-16."""
    found, unit = [], 0
    for character in raw:
        found.append(max(0, pypdfium2.raw.FPDFText_GetCharIndexFromTextIndex(text_page, unit)))
        unit += 2 if character > "\uffff" else 1
    return found


def listed_attachments(
    document: pypdfium2.PdfDocument,
) -> Iterator[tuple[str, pypdfium2.PdfAttachment]]:
    """The attachments of a document with their raw names; "" for one without a name."""
    for index in range(min(document.count_attachments(), MAX_ATTACHMENTS)):
        part = document.get_attachment(index)
        try:
            yield part.get_name(), part
        except (PdfiumError, UnicodeDecodeError):
            yield "", part


def open_document(path: Path, password: str | None) -> pypdfium2.PdfDocument:
    """Open a PDF with the password or the empty one; raises as PdfiumFile does."""
    # Most encrypted files have an empty user password, also if the user gives another file's password.
    for attempt in dict.fromkeys((password or "", "")):
        try:
            return pypdfium2.PdfDocument(path, password=attempt)
        except PdfiumError as error:
            if error.err_code == pypdfium2.raw.FPDF_ERR_SECURITY:
                raise UnknownEncryptionError from error
            if error.err_code != pypdfium2.raw.FPDF_ERR_PASSWORD:
                raise
    raise WrongPasswordError
