"""Leaves out the text of a PDF's layers (optional content) that are switched off.

PDFium draws a page without them but includes their text. So pypdf writes a page that uses such a layer anew,
in memory and without the layer's content; PDFium reads that page, and each character is matched by code and
place with a character of the original page. That takes 0.1 s a page, so the file's bytes are searched for
layers first: hardly any file has them.
"""

import ctypes
import io
import re
import weakref
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from mmap import mmap
from pathlib import Path
from typing import Any

import pypdfium2
import pypdfium2.raw

from ingestion.documents import ELSEWHERE
from ingestion.parsing.geometry.layout import RawPage
from ingestion.parsing.pdf.opening import open_reader

MAX_OBJECT_STREAMS = 2000
MAX_INFLATED = 64 * 1024 * 1024  # bytes of object streams, looked at for layers
MAX_CONTENT = 4 * 1024 * 1024  # bytes of a page's content; pypdf takes a second for one
MAX_RESOURCES = 20_000  # dictionaries of a page and its forms that are looked at
MAX_DEPTH = 8  # of forms within forms, and of conditions

_OBJECT_STREAM = re.compile(rb"/Type\s*/ObjStm\b")
_STREAM = re.compile(rb"stream\r?\n")
_PROPERTIES = b"/OCProperties"

_SHOWS_TEXT = {b"Tj", b"TJ"}
_NEW_LINE_AND_TEXT = {b"'", b'"'}
_PAINTS = {b"Do", b"INLINE IMAGE", b"sh"}


def may_have_layers(data: mmap | bytes) -> bool:
    """Whether the file names layers, uncompressed or in a compressed object stream.

    True also if that is unknown, as in an encrypted file.
    """
    if data.find(_PROPERTIES) >= 0:
        return True
    inflated = 0
    for count, found in enumerate(_OBJECT_STREAM.finditer(data)):
        begin = _STREAM.search(data, found.end(), found.end() + 1024)
        if count >= MAX_OBJECT_STREAMS or inflated >= MAX_INFLATED or begin is None:
            return True
        try:
            packed = data[begin.end() : data.find(b"endstream", begin.end())]
            unpacked = zlib.decompressobj().decompress(packed, MAX_INFLATED - inflated)
        except zlib.error:
            return True
        if _PROPERTIES in unpacked:
            return True
        inflated += len(unpacked)
    return False


class HiddenLayers:
    """A file's layers that are off, read by pypdf; false if there are none.

    Raises:
        Exception: Whatever pypdf raises on a broken file.
    """

    def __init__(self, path: Path, password: str | None) -> None:
        self._off: frozenset[int] = frozenset()
        file = path.open("rb")  # as long as this is needed
        weakref.finalize(self, file.close)
        try:
            self._reader = open_reader(file, password)
            properties = self._reader.root_object.get("/OCProperties")
            self._off = switched_off(properties.get_object()) if properties is not None else frozenset()
        finally:
            if not self._off:
                file.close()

    def __bool__(self) -> bool:
        return bool(self._off)

    def page_without(self, number: int) -> bytes | None:
        """A PDF of the page alone, without hidden content; None if nothing on the page is hidden.

        Raises:
            ValueError: The page's content is too long to be parsed.
            Exception: Whatever pypdf raises on a broken page.
        """
        import pypdf

        page = self._reader.pages[number - 1]
        stripper = Stripper(self._off)
        if not stripper.strip_page(page):
            return None
        writer = pypdf.PdfWriter()
        writer.add_page(page)
        target = io.BytesIO()
        writer.write(target)
        return target.getvalue()


def switched_off(properties: Mapping[str, Any]) -> frozenset[int]:
    """The object numbers of the layers that a viewer hides when it opens the file.

    They follow from the default configuration (PDF 32000-1, 8.11.4): its base state, its lists, and its usage
    for viewing (a watermark for print only is off).
    """
    layers = [item for item in _list(properties.get("/OCGs")) if hasattr(item, "idnum")]
    default = _value(properties.get("/D")) or {}
    off = {item.idnum for item in layers} if default.get("/BaseState") == "/OFF" else set()
    off -= {item.idnum for item in _list(default.get("/ON")) if hasattr(item, "idnum")}
    off |= {item.idnum for item in _list(default.get("/OFF")) if hasattr(item, "idnum")}
    for usage in map(_value, _list(default.get("/AS"))):
        if usage.get("/Event") != "/View":
            continue
        for item in _list(usage.get("/OCGs")):
            told = _value(_value(_value(item).get("/Usage", {})).get("/View", {})).get("/ViewState")
            if told == "/OFF":
                off.add(item.idnum)
            elif told == "/ON":
                off.discard(item.idnum)
    return frozenset(off)


def text_without(
    alone: bytes,
    whole: pypdfium2.PdfTextPage,
    read: Callable[[pypdfium2.PdfPage, pypdfium2.PdfTextPage, int], RawPage],
) -> RawPage:
    """The text of the page `alone`, which `read` reads, with character indices in the `whole` page."""
    with (
        pypdfium2.PdfDocument(alone) as document,
        closing(document[0]) as page,
        closing(page.get_textpage()) as text_page,
    ):
        count = text_page.count_chars()
        raw = read(page, text_page, count)
        same = _same(text_page, count, whole)
    own = raw.indices if raw.indices is not None else range(len(raw.text))
    return replace(raw, indices=[same[index] for index in own])


def _same(part: pypdfium2.PdfTextPage, count: int, whole: pypdfium2.PdfTextPage) -> list[int]:
    """For each character of a page, its index in the page with all layers, found by code and place."""
    known: dict[tuple[int, int, int], list[int]] = {}
    codes = []
    for index in range(whole.count_chars()):
        key = _identity(whole, index)
        codes.append(key[0])
        known.setdefault(key, []).append(index)
    found: list[int] = []
    for index in range(count):
        key = _identity(part, index)
        after = found[-1] + 1 if found and found[-1] != ELSEWHERE else len(codes)
        if after < len(codes) and codes[after] == key[0]:  # most; also PDFium's own spaces
            found.append(after)
        else:
            places = known.get(key)
            found.append(places.pop(0) if places else ELSEWHERE)
    return found


def _identity(page: pypdfium2.PdfTextPage, index: int) -> tuple[int, int, int]:
    x, y = ctypes.c_double(), ctypes.c_double()
    pypdfium2.raw.FPDFText_GetCharOrigin(page.raw, index, x, y)
    return pypdfium2.raw.FPDFText_GetUnicode(page.raw, index), round(x.value * 4), round(y.value * 4)


class Stripper:
    """Removes the content of hidden layers from pages and their forms, in pypdf's memory."""

    def __init__(self, off: frozenset[int]) -> None:
        self._off = off
        self._read = 0
        self._looked = 0

    def strip_page(self, page: Any) -> bool:
        """Remove hidden content from the page; False if it has none."""
        from pypdf.generic import NameObject

        content = page.get("/Contents")
        resources = _value(page.get("/Resources"))
        if content is None or not resources or not self._concerns(resources, 0):
            return False
        kept = self._kept(page.get_contents(), resources, 0)
        page[NameObject("/Contents")] = kept
        for key in ("/Annots", "/B", "/AA"):  # they lead to other pages
            page.pop(key, None)
        return True

    def _concerns(self, resources: Mapping[str, Any], depth: int) -> bool:
        """Whether a page or form with these resources may have hidden content."""
        self._looked += 1
        if self._looked > MAX_RESOURCES:
            raise ValueError("the page's forms are nested too deeply")
        named = _value(resources.get("/Properties")) or {}
        if any(self._is_hidden(_raw(named, name), 0) for name in named):
            return True
        for _, form in _forms(resources):
            if "/OC" in form and self._is_hidden(_raw(form, "/OC"), 0):
                return True
            inner = _value(form.get("/Resources"))
            if inner and depth < MAX_DEPTH and self._concerns(inner, depth + 1):
                return True
        return False

    def _kept(self, content: Any, resources: Mapping[str, Any], depth: int) -> Any:
        """The content as a stream without the operations that show hidden content.

        All others stay, because they set the place of later ones.
        """
        from pypdf.generic import ByteStringObject, ContentStream, DecodedStreamObject

        data = content.get_data()
        self._read += len(data)
        if self._read > MAX_CONTENT:
            raise ValueError(f"the page has more than {MAX_CONTENT} bytes of content")
        self._strip_forms(resources, depth)
        named = _value(resources.get("/Properties")) or {}
        hides = {f"{name}": self._is_hidden(_raw(form, "/OC"), 0) for name, form in _drawn(resources)}
        parsed = content if isinstance(content, ContentStream) else ContentStream(content, None)
        kept: list[tuple[Any, bytes]] = []
        nested: list[bool] = []
        for operands, operator in parsed.operations:
            if operator in (b"BDC", b"BMC"):
                inside = bool(nested and nested[-1])
                nested.append(inside or self._begins_hidden(operands, named))
            elif operator == b"EMC" and nested:
                nested.pop()
            hidden = bool(nested and nested[-1])
            if operator == b"Do" and operands and (hidden or hides.get(str(operands[0]))):
                continue
            if hidden and operator in _SHOWS_TEXT | _PAINTS:
                continue
            if hidden and operator in _NEW_LINE_AND_TEXT:
                kept.append(([*operands[:-1], ByteStringObject(b"")], operator))
                continue
            kept.append((operands, operator))
        parsed.operations = kept
        stripped = DecodedStreamObject()
        stripped.set_data(parsed.get_data())
        return stripped

    def _strip_forms(self, resources: Mapping[str, Any], depth: int) -> None:
        from pypdf.generic import NameObject

        objects = _value(resources.get("/XObject")) or {}
        for name, form in list(_forms(resources)):
            inner = _value(form.get("/Resources"))
            if not inner or depth >= MAX_DEPTH or not self._concerns(inner, depth + 1):
                continue
            stripped = self._kept(form, inner, depth + 1)
            for key, entry in form.items():
                if key not in ("/Length", "/Filter", "/DecodeParms"):
                    stripped[NameObject(key)] = entry
            objects[NameObject(name)] = stripped

    def _begins_hidden(self, operands: Any, named: Mapping[str, Any]) -> bool:
        if len(operands) < 2 or operands[0] != "/OC":
            return False
        name = operands[1]
        return isinstance(name, str) and name in named and self._is_hidden(_raw(named, name), 0)

    def _is_hidden(self, item: Any, depth: int) -> bool:
        """Whether a layer, or a condition on several, is off."""
        if getattr(item, "idnum", None) in self._off:
            return True
        entry = _value(item)
        if depth > MAX_DEPTH or not hasattr(entry, "get") or entry.get("/Type") != "/OCMD":
            return False
        if expression := _list(entry.get("/VE")):
            return not self._holds(expression, depth + 1)
        groups = entry.raw_get("/OCGs") if "/OCGs" in entry else None
        layers = [groups] if hasattr(_value(groups), "get") else _list(groups)
        off = [self._is_hidden(layer, depth + 1) for layer in layers if _value(layer)]
        hidden = {"/AllOn": any(off), "/AnyOff": not any(off), "/AllOff": not all(off)}
        return bool(off) and hidden.get(str(entry.get("/P")), all(off))

    def _holds(self, expression: Any, depth: int) -> bool:
        """Whether a condition such as [/And a b] or [/Not a] shows its content."""
        parts = _list(expression)
        if depth > MAX_DEPTH or not parts:
            return True
        shown = [
            self._holds(part, depth + 1)
            if isinstance(_value(part), list)
            else not self._is_hidden(part, depth + 1)
            for part in parts[1:]
        ]
        match parts[0]:
            case "/And":
                return all(shown)
            case "/Or":
                return any(shown)
            case "/Not":
                return not (shown and shown[0])
            case _:
                return True


def _forms(resources: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    return ((name, item) for name, item in _objects(resources) if item.get("/Subtype") == "/Form")


def _drawn(resources: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    return ((name, item) for name, item in _objects(resources) if "/OC" in item)


def _objects(resources: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    objects = _value(resources.get("/XObject")) or {}
    for name in list(objects):
        item = _value(_raw(objects, name))
        if hasattr(item, "get"):
            yield name, item


def _raw(entries: Any, name: str) -> Any:
    return entries.raw_get(name)


def _value(item: Any) -> Any:
    return item.get_object() if hasattr(item, "get_object") else item


def _list(item: Any) -> list[Any]:
    found = _value(item)
    return list(found) if isinstance(found, list) else []
