"""Filled form fields, notes and comments of a PDF page.

PDFium's text holds none of them. Values are read from the fields, so that a file gives the same text with and
without appearance streams (pictures of the values).
"""

import ctypes
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pypdfium2
import pypdfium2.raw as pdfium

from ingestion.parsing.geometry.added_lines import AddedLine
from ingestion.parsing.geometry.places import PageTransform
from ingestion.text.cleaning import clean, one_line

MAX_ANNOTATIONS = 5000  # of a page; a dense form has 500
MAX_CHARACTERS = 100_000  # of one value or comment
MAX_NAME = 100  # characters of a label or of an author's name
MAX_OPTIONS = 1000

_UNSEEN = pdfium.FPDF_ANNOT_FLAG_HIDDEN | pdfium.FPDF_ANNOT_FLAG_NOVIEW
_PASSWORD = 1 << 13  # a text field's flag: a viewer shows dots
_KINDS = {
    pdfium.FPDF_ANNOT_TEXT: "Note",
    pdfium.FPDF_ANNOT_FREETEXT: "Text box",
    pdfium.FPDF_ANNOT_LINE: "Comment on a line",
    pdfium.FPDF_ANNOT_SQUARE: "Comment on a frame",
    pdfium.FPDF_ANNOT_CIRCLE: "Comment on a circle",
    pdfium.FPDF_ANNOT_POLYGON: "Comment on a shape",
    pdfium.FPDF_ANNOT_POLYLINE: "Comment on a line",
    pdfium.FPDF_ANNOT_HIGHLIGHT: "Comment on",
    pdfium.FPDF_ANNOT_UNDERLINE: "Comment on",
    pdfium.FPDF_ANNOT_SQUIGGLY: "Comment on",
    pdfium.FPDF_ANNOT_STRIKEOUT: "Comment on struck out",
    pdfium.FPDF_ANNOT_STAMP: "Stamp",
    pdfium.FPDF_ANNOT_CARET: "Insertion",
    pdfium.FPDF_ANNOT_INK: "Comment on a drawing",
    pdfium.FPDF_ANNOT_FILEATTACHMENT: "Attached file",
    pdfium.FPDF_ANNOT_SOUND: "Comment on a sound",
}
_MARKS_TEXT = {
    pdfium.FPDF_ANNOT_HIGHLIGHT,
    pdfium.FPDF_ANNOT_UNDERLINE,
    pdfium.FPDF_ANNOT_SQUIGGLY,
    pdfium.FPDF_ANNOT_STRIKEOUT,
}
_TAG = re.compile(r"<[^<>]*>")

# How far from a field its printed label is searched, in points.
_ASIDE = 260.0
_ABOVE = 18.0
_TALL = 24.0  # a field of several lines has its label beside the first


class _Rectangle(NamedTuple):
    """A rectangle in the PDF's own coordinates: left < right, bottom < top."""

    left: float
    bottom: float
    right: float
    top: float


class _Annotation(NamedTuple):
    raw: Any
    kind: int
    box: _Rectangle


def lines_of(
    page: pypdfium2.PdfPage, text_page: pypdfium2.PdfTextPage, form: Any, size: tuple[float, float]
) -> Iterator[AddedLine]:
    """Yield the page's filled fields ("label: value") and its comments, in the file's order.

    Args:
        page: The page.
        text_page: Its text, where fields find their labels.
        form: PDFium's form environment; None in a file without a form.
        size: Of the page in points.
    """
    count = pdfium.FPDFPage_GetAnnotCount(page.raw)
    if count <= 0:
        return
    view = PageTransform(page, *size)
    seen: list[_Annotation] = []
    try:
        for index in range(min(count, MAX_ANNOTATIONS)):
            if raw := pdfium.FPDFPage_GetAnnot(page.raw, index):
                kind = pdfium.FPDFAnnot_GetSubtype(raw)
                if kind in _KINDS or kind == pdfium.FPDF_ANNOT_WIDGET:
                    seen.append(_Annotation(raw, kind, _rectangle(raw)))
                else:
                    pdfium.FPDFPage_CloseAnnot(raw)
        widgets = [item.box for item in seen if item.kind == pdfium.FPDF_ANNOT_WIDGET]
        printed = _Printed(text_page.raw, widgets)
        for item in seen:
            if pdfium.FPDFAnnot_GetFlags(item.raw) & _UNSEEN:
                continue
            text = _comment(item, printed) if item.kind in _KINDS else _field(item, form, printed)
            if text:
                yield AddedLine(text, view.place(*item.box))
    finally:
        for item in seen:
            pdfium.FPDFPage_CloseAnnot(item.raw)


def _rectangle(raw: Any) -> _Rectangle:
    rect = pdfium.FS_RECTF()
    pdfium.FPDFAnnot_GetRect(raw, ctypes.byref(rect))
    left, right = sorted((rect.left, rect.right))
    bottom, top = sorted((rect.bottom, rect.top))
    return _Rectangle(left, bottom, right, top)


def _comment(item: _Annotation, printed: "_Printed") -> str:
    """A comment with its kind, its author and the words that it marks; "" if it is empty."""
    words = _entry(item.raw, b"Contents") or " ".join(_TAG.sub(" ", _entry(item.raw, b"RC")).split())
    if not words and item.kind == pdfium.FPDF_ANNOT_STAMP:
        words = one_line(_entry(item.raw, b"Name"), MAX_NAME)
    if not words:
        return ""
    title = _KINDS[item.kind]
    if item.kind in _MARKS_TEXT:
        marked = one_line(" ".join(_marked(item, printed)), MAX_NAME)
        title += f' "{marked}"' if marked else " the text"
        if words == marked:
            return ""
    author = one_line(_entry(item.raw, b"T"), MAX_NAME)
    return f"{title} ({author}): {words}" if author else f"{title}: {words}"


def _marked(item: _Annotation, printed: "_Printed") -> Iterator[str]:
    """The words under a highlight, which has a rectangle for each line."""
    points = pdfium.FS_QUADPOINTSF()
    for index in range(min(pdfium.FPDFAnnot_CountAttachmentPoints(item.raw), 100)):
        if pdfium.FPDFAnnot_GetAttachmentPoints(item.raw, index, ctypes.byref(points)):
            across = (points.x1, points.x2, points.x3, points.x4)
            upward = (points.y1, points.y2, points.y3, points.y4)
            yield printed.within(_middle(_Rectangle(min(across), min(upward), max(across), max(upward))))


def _field(item: _Annotation, form: Any, printed: "_Printed") -> str:
    """A field as "label: value"; "" for an empty field and for one that shows no value."""
    kind = pdfium.FPDFAnnot_GetFormFieldType(form, item.raw) if form else -1
    own = _form_text(pdfium.FPDFAnnot_GetFormFieldAlternateName, form, item.raw)
    name = _form_text(pdfium.FPDFAnnot_GetFormFieldName, form, item.raw)
    if kind == pdfium.FPDF_FORMFIELD_CHECKBOX:
        checked = "checked" if pdfium.FPDFAnnot_IsChecked(form, item.raw) else "not checked"
        return f"{_label(printed.beside(item.box, right_first=True), own, name)}: {checked}"
    if kind == pdfium.FPDF_FORMFIELD_RADIOBUTTON:
        if not pdfium.FPDFAnnot_IsChecked(form, item.raw):
            return ""
        choice = printed.beside(item.box, right_first=True)
        export = _form_text(pdfium.FPDFAnnot_GetFormFieldExportValue, form, item.raw)
        return f"{_label('', own, name)}: {choice or export}"
    if kind in (pdfium.FPDF_FORMFIELD_COMBOBOX, pdfium.FPDF_FORMFIELD_LISTBOX):
        value = ", ".join(_chosen(item.raw, form)) or _value(item.raw, form)
    elif kind == pdfium.FPDF_FORMFIELD_TEXTFIELD:
        secret = pdfium.FPDFAnnot_GetFormFieldFlags(form, item.raw) & _PASSWORD
        value = "" if secret else _value(item.raw, form)
    else:
        return ""
    if not value or one_line(value) in one_line(printed.within(item.box)):  # also drawn on the page
        return ""
    return f"{_label(printed.beside(item.box), own, name)}: {value}"


def _value(raw: Any, form: Any) -> str:
    return clean(_read(lambda *to: pdfium.FPDFAnnot_GetFormFieldValue(form, raw, *to))).strip()


def _chosen(raw: Any, form: Any) -> Iterator[str]:
    for index in range(min(pdfium.FPDFAnnot_GetOptionCount(form, raw), MAX_OPTIONS)):
        if pdfium.FPDFAnnot_IsOptionSelected(form, raw, index):
            text = _read(lambda *to, at=index: pdfium.FPDFAnnot_GetOptionLabel(form, raw, at, *to))
            if label := one_line(text):
                yield label


def _label(beside: str, own: str, name: str) -> str:
    """The text printed at the field, with the field's own description if it adds to it."""
    known = beside.casefold()
    if beside and own and own.casefold() not in known:
        return f"{beside} ({own})"
    return beside or own or name.rsplit(".", 1)[-1] or "Field"


class _Printed:
    """The page's printed text by place."""

    def __init__(self, text_page: Any, widgets: list[_Rectangle]) -> None:
        self._text = text_page
        self._widgets = widgets

    def within(self, box: _Rectangle) -> str:
        found = [self._text, box.left, box.top, box.right, box.bottom]
        length = pdfium.FPDFText_GetBoundedText(*found, None, 0)
        if length <= 0:
            return ""
        length = min(length, MAX_CHARACTERS)
        buffer = (ctypes.c_ushort * length)()
        pdfium.FPDFText_GetBoundedText(*found, buffer, length)
        return clean(bytes(buffer).decode("utf-16-le", errors="replace")).strip()

    def beside(self, box: _Rectangle, *, right_first: bool = False) -> str:
        """The label printed at a field: in its row, up to the next field, or else right above it."""
        row = _middle(box if box.top - box.bottom <= _TALL else box._replace(bottom=box.top - _TALL / 2))
        others = [
            other
            for other in self._widgets
            if other != box and other.bottom < row.top and other.top > row.bottom
        ]
        behind = max((o.right for o in others if o.right <= box.left), default=0.0)
        before = min((o.left for o in others if o.left >= box.right), default=float("inf"))
        left = row._replace(left=max(behind, box.left - _ASIDE), right=box.left)
        right = row._replace(left=box.right, right=min(before, box.right + _ASIDE))
        above = box._replace(bottom=box.top + 1, top=box.top + _ABOVE)
        for place in (right, left) if right_first else (left, above):
            text = self.within(place)
            # PDFium gives a table's row with its gaps; a line above may be the end of several.
            words = text.split("\n")[0 if place is right else -1]
            if label := one_line(words).strip(" :.…_*"):
                return label[:MAX_NAME] if place is right else label[-MAX_NAME:]
        return ""


def _middle(box: _Rectangle) -> _Rectangle:
    """The middle half of a row's height, which neighbouring rows do not reach."""
    quarter = (box.top - box.bottom) / 4
    return box._replace(bottom=box.bottom + quarter, top=box.top - quarter)


def _entry(raw: Any, key: bytes) -> str:
    """A text of an annotation's dictionary."""
    return clean(_read(lambda *to: pdfium.FPDFAnnot_GetStringValue(raw, key, *to))).strip()


def _form_text(get: Callable[..., int], form: Any, raw: Any) -> str:
    return one_line(_read(lambda *to: get(form, raw, *to)), MAX_NAME) if form else ""


def _read(get: Callable[..., int]) -> str:
    """A text from a function of PDFium, which is called for the length first, then with a buffer."""
    length = get(None, 0)
    if length <= 2:
        return ""
    buffer = (ctypes.c_ushort * (length // 2 + 1))()  # no longer than the file has it
    get(buffer, ctypes.sizeof(buffer))
    text = bytes(buffer).decode("utf-16-le", errors="replace").split("\0", 1)[0]
    return text if len(text) <= MAX_CHARACTERS else f"{text[:MAX_CHARACTERS]} […]"
