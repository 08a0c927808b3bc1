"""Presentations (.pptx): one page a slide.

The XML is read directly, as for Word documents. The title comes first, then the shapes in the order of the
file, which screen readers follow.
"""

import math
import re
from collections.abc import Iterator
from pathlib import Path

from lxml import etree

from ingestion.parsing.frames import Frame
from ingestion.parsing.limits import ParseLimits
from ingestion.parsing.office.graphics import alternative_text, graphic_lines
from ingestion.parsing.office.pptx_comments import SlideComments
from ingestion.parsing.office.pptx_text import paragraphs
from ingestion.parsing.shared.missing_content import MissingContent
from ingestion.parsing.shared.page_writer import LINE, PARAGRAPH, PageWriter
from ingestion.parsing.shared.tables import table_line
from ingestion.parsing.shared.xml import child, local_name, whole_number
from ingestion.parsing.shared.zip_archive import OfficePackage, relationship_id
from ingestion.text.cleaning import sensible_title

_TITLES = ("title", "ctrTitle")
_NOT_CONTENT = ("dt", "ftr", "hdr", "sldNum", "sldImg")  # date, footer, header, number, picture of the slide
_SWITCHED_OFF = ("0", "false", "off")
_WHOLE = re.compile(r"-?[0-9]{1,14}")
HIDDEN_SLIDE = "(hidden slide)"
_LARGE_EMU = 10_000_000_000_000  # a picture of 10 by 8 cm, a sixth of a slide; 360 000 units a cm


def read_pptx(path: Path, limits: ParseLimits) -> Iterator[Frame]:
    """Read a presentation: page n is slide n. Speaker notes follow the slide, after "Notes:".

    Raises:
        RefusalError: The file is broken, of another kind, protected, or larger than the limits.
    """
    package = OfficePackage(path, limits)
    main, root = package.main_part("presentation")
    parts = package.related(main)
    writer = PageWriter(path.name, limits)
    deck = _Deck(package, parts, writer, child(root, "sldsz"))
    slides = child(root, "sldidlst")
    for slide in slides if slides is not None else ():
        _, part = parts.get(relationship_id(slide) or "", ("", ""))
        if part in package:
            deck.write_slide(part)
        writer.end_page(keep_empty=True)
    deck.missing.warn()
    yield from writer.frames(sensible_title(package.title()), package.properties())


class _Deck:
    """Writes slides; text that is repeated on many slides only once."""

    def __init__(
        self,
        package: OfficePackage,
        parts: dict[str, tuple[str, str]],
        writer: PageWriter,
        size: etree._Element | None,
    ) -> None:
        self._package = package
        self._writer = writer
        self._comments = SlideComments(package, parts)
        self.missing = MissingContent(writer)
        self._size = _numbers(size, "cx", "cy")
        self._repeated: set[str] = set()  # footers and layouts that have been written

    def write_slide(self, part: str) -> None:
        root = self._package.xml(part)
        related = self._package.related(part)
        tree = child(root, "csld", "sptree")
        for shape in _hidden_shapes(tree):
            if any(map(str.isalnum, _line(shape))):
                self._writer.leave_out("in a hidden shape")
        shapes = list(_shapes(tree))
        title = next((shape for shape in shapes if _placeholder(shape) in _TITLES), None)
        heading = "" if title is None else " ".join(text for _, text in paragraphs(title))
        if (root.get("show") or "1") in _SWITCHED_OFF:
            heading = f"{heading} {HIDDEN_SLIDE}".strip()
            self._writer.warn(f"Slide {self._writer.page} is hidden in the presentation; its text is here.")
        self._writer.heading(heading, 1)
        for shape in shapes:
            if shape is not title and _placeholder(shape) not in _NOT_CONTENT:
                self._write_shape(shape, related)
        self._write_repeated(shapes, related)
        for comment in self._comments.of(related):
            self._writer.block(comment)
        notes = next((name for kind, name in related.values() if kind == "notesSlide"), "")
        if notes in self._package:
            self._write_notes(self._package.xml(notes))

    def _write_notes(self, root: etree._Element) -> None:
        lines = [
            text
            for shape in _shapes(child(root, "csld", "sptree"))
            if _placeholder(shape) not in _NOT_CONTENT
            for _, text in paragraphs(shape)
            if text.strip()
        ]
        if lines:
            self._writer.block("Notes: " + "\n".join(lines))

    def _write_repeated(self, shapes: list[etree._Element], related: dict[str, tuple[str, str]]) -> None:
        """Write the footer and the layout's own text, on their first slide only."""
        texts = [("Footer", _line(shape)) for shape in shapes if _placeholder(shape) == "ftr"]
        for kind in ("slideLayout", "slideMaster"):
            part = next((name for found, name in related.values() if found == kind), "")
            if part not in self._package or part in self._repeated:
                break
            self._repeated.add(part)
            tree = child(self._package.xml(part), "csld", "sptree")
            own = [shape for shape in _shapes(tree) if _placeholder(shape) is None]
            texts += [("On every slide", _line(shape)) for shape in own]
            related = self._package.related(part)
        for name, text in texts:
            if text and text not in self._repeated:
                self._repeated.add(text)
                self._writer.block(f"{name}: {text}")

    def _write_shape(self, shape: etree._Element, related: dict[str, tuple[str, str]]) -> None:
        gap = PARAGRAPH
        if self._size and _is_outside(shape, self._size) and any(map(str.isalnum, _line(shape))):
            self._writer.leave_out("outside the slide")
            return
        if local_name(shape) == "graphicframe":
            for line in self._graphic(shape, related):
                self._writer.block(line, gap)
                gap = LINE
            return
        if local_name(shape) == "pic":
            self._writer.block(alternative_text(_property(shape, "descr")))
            if _area(shape) >= _LARGE_EMU:
                self.missing.note("large pictures")
            return
        is_list = _placeholder(shape) in ("obj", "body")
        for level, text in paragraphs(shape):
            bullet = "- " if is_list and not text[:2].rstrip(".").isdecimal() else ""
            self._writer.block("  " * level + bullet + text if text.strip() else "", gap)
            gap = LINE

    def _graphic(self, frame: etree._Element, related: dict[str, tuple[str, str]]) -> list[str]:
        """The lines of a table, a chart or a diagram."""
        if (table := next(frame.iter("{*}tbl"), None)) is not None:
            return list(_table_lines(table))
        if (lines := graphic_lines(self._package, related, frame, self.missing)) is not None:
            return lines
        if (embedded := next(frame.iter("{*}oleObj"), None)) is not None:
            self.missing.note("embedded objects", embedded.get("progId") or "")
        return []


def _shapes(tree: etree._Element | None) -> Iterator[etree._Element]:
    """The visible shapes, also in groups, without duplicates for old programs."""
    for element in tree if tree is not None else ():
        match local_name(element):
            case "sp" | "graphicframe" | "cxnsp" | "pic":
                if _property(element, "hidden") not in ("1", "true"):
                    yield element
            case "grpsp":
                yield from _shapes(element)
            case "alternatecontent":
                yield from _shapes(child(element, "choice"))


def _hidden_shapes(tree: etree._Element | None) -> Iterator[etree._Element]:
    for properties in tree.iter("{*}cNvPr") if tree is not None else ():
        if properties.get("hidden") in ("1", "true") and (around := properties.getparent()) is not None:
            shape = around.getparent()
            if shape is not None:
                yield shape


def _is_outside(shape: etree._Element, size: tuple[int, ...]) -> bool:
    """Whether a shape, or the group that it belongs to, lies wholly beyond the sides of the slide."""
    outer = shape
    for ancestor in shape.iterancestors():
        if local_name(ancestor) == "grpsp":
            outer = ancestor
    frame = next((child(inner, "xfrm") for inner in outer if local_name(inner) in ("sppr", "grpsppr")), None)
    frame = child(outer, "xfrm") if frame is None else frame
    start, extent = _numbers(child(frame, "off"), "x", "y"), _numbers(child(frame, "ext"), "cx", "cy")
    return any(
        low >= side or low + length <= 0 for low, length, side in zip(start, extent, size, strict=False)
    )


def _numbers(element: etree._Element | None, *names: str) -> tuple[int, ...]:
    """Whole numbers in attributes, also below zero; empty without all of them."""
    values = [element.get(name) or "" for name in names] if element is not None else []
    return tuple(map(int, values)) if values and all(map(_WHOLE.fullmatch, values)) else ()


def _property(shape: etree._Element, name: str) -> str:
    """A non-visual property of a shape, such as "hidden" or "descr"."""
    for properties in shape:
        if local_name(properties).startswith("nv") and (own := child(properties, "cnvpr")) is not None:
            return own.get(name) or ""
    return ""


def _area(picture: etree._Element) -> int:
    extent = child(picture, "sppr", "xfrm", "ext")
    if extent is None:
        return 0
    return math.prod(whole_number(extent.get(side), digits=14) for side in ("cx", "cy"))


def _line(shape: etree._Element) -> str:
    return " ".join(" ".join(text for _, text in paragraphs(shape)).split())


def _placeholder(shape: etree._Element) -> str | None:
    """The type of the shape's placeholder; None for a shape outside the layout."""
    for properties in shape:
        mark = child(properties, "nvpr", "ph") if local_name(properties).startswith("nv") else None
        if mark is not None:
            return mark.get("type") or "obj"
    return None


def _table_lines(table: etree._Element) -> Iterator[str]:
    above: dict[int, str] = {}
    for row in table.iter("{*}tr"):
        line = []
        for column, cell in enumerate(inner for inner in row if local_name(inner) == "tc"):
            text = " ".join(text for _, text in paragraphs(cell))
            if cell.get("vMerge") in ("1", "true"):
                text = text or above.get(column, "")
            above[column] = text
            line.append(text)
        if written := table_line(line):
            yield written
