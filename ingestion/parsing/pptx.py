"""Presentations (.pptx), inside the child process: one page a slide.

The XML is read directly, as for Word documents. Shapes come in the order of the file, which is the order
that a screen reader follows; the title comes first.
"""

from collections.abc import Iterator
from pathlib import Path

from lxml import etree

from ingestion.parsing.archive import OfficePackage, relationship_id
from ingestion.parsing.cleaning import sensible_title
from ingestion.parsing.frames import Frame
from ingestion.parsing.limits import ParseLimits
from ingestion.parsing.pages import LINE, PARAGRAPH, PageWriter
from ingestion.parsing.tables import table_line
from ingestion.parsing.xml import child, local_name

_TITLES = ("title", "ctrTitle")
_NOT_CONTENT = ("dt", "ftr", "hdr", "sldNum", "sldImg")  # date, footer, header, number, picture of the slide


def read_pptx(path: Path, limits: ParseLimits) -> Iterator[Frame]:
    """The frames of a presentation: page n is slide n. Speaker notes stand under the slide, after "Notes:".

    Raises:
        RefusalError: The file is broken, of another kind, protected, or larger than the limits.
    """
    package = OfficePackage(path, limits)
    main, root = package.main_part("presentation")
    parts = package.related(main)
    writer = PageWriter(path.name, limits)
    slides = child(root, "sldidlst")
    for slide in slides if slides is not None else ():
        _, part = parts.get(relationship_id(slide) or "", ("", ""))
        if part in package:
            _write_slide(package, part, writer)
        writer.end_page(keep_empty=True)
    yield from writer.frames(sensible_title(package.title()))


def _write_slide(package: OfficePackage, part: str, writer: PageWriter) -> None:
    shapes = list(_shapes(child(package.xml(part), "csld", "sptree")))
    title = next((shape for shape in shapes if _placeholder(shape) in _TITLES), None)
    if title is not None:
        writer.heading(" ".join(text for _, text in _paragraphs(title)), 1)
    for shape in shapes:
        if shape is not title and _placeholder(shape) not in _NOT_CONTENT:
            _write_shape(shape, writer)
    notes = package.part(part, "notesSlide")
    if notes is None:
        return
    lines = [
        text
        for shape in _shapes(child(package.xml(notes), "csld", "sptree"))
        if _placeholder(shape) not in _NOT_CONTENT
        for _, text in _paragraphs(shape)
    ]
    if any(line.strip() for line in lines):
        writer.block("Notes: " + "\n".join(line for line in lines if line.strip()))


def _shapes(tree: etree._Element | None) -> Iterator[etree._Element]:
    """Shapes with text and tables, also those in groups; what stands twice for old programs only once."""
    for element in tree if tree is not None else ():
        match local_name(element):
            case "sp" | "graphicframe" | "cxnsp":
                yield element
            case "grpsp":
                yield from _shapes(element)
            case "alternatecontent":
                yield from _shapes(child(element, "choice"))


def _placeholder(shape: etree._Element) -> str | None:
    """What the layout has the shape for; None for a shape of its own."""
    for properties in shape:
        mark = child(properties, "nvpr", "ph") if local_name(properties).startswith("nv") else None
        if mark is not None:
            return mark.get("type") or "obj"
    return None


def _write_shape(shape: etree._Element, writer: PageWriter) -> None:
    gap = PARAGRAPH
    if (table := next(shape.iter("{*}tbl"), None)) is not None:
        for line in _table_lines(table):
            writer.block(line, gap)
            gap = LINE
        return
    is_list = _placeholder(shape) in ("obj", "body")
    for level, text in _paragraphs(shape):
        writer.block("  " * level + ("- " if is_list else "") + text if text.strip() else "", gap)
        gap = LINE


def _table_lines(table: etree._Element) -> Iterator[str]:
    above: dict[int, str] = {}
    for row in table.iter("{*}tr"):
        line = []
        for column, cell in enumerate(inner for inner in row if local_name(inner) == "tc"):
            text = " ".join(text for _, text in _paragraphs(cell))
            if cell.get("vMerge") in ("1", "true"):
                text = text or above.get(column, "")
            above[column] = text
            line.append(text)
        if written := table_line(line):
            yield written


def _paragraphs(shape: etree._Element) -> Iterator[tuple[int, str]]:
    """Level from 0 and text of each paragraph in a shape, a cell, or the texts of a diagram."""
    for body in shape.iter("{*}txBody"):
        for paragraph in body:
            if local_name(paragraph) != "p":
                continue
            properties = child(paragraph, "ppr")
            level = properties.get("lvl") if properties is not None else None
            words = []
            for element in paragraph.iter("{*}t", "{*}br", "{*}tab"):
                words.append({"br": "\n", "tab": "\t"}.get(local_name(element), element.text or ""))
            yield int(level) if level and level in "012345678" else 0, "".join(words)
