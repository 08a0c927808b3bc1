"""OpenDocument files: texts (.odt), spreadsheets (.ods) and presentations (.odp)."""

from collections.abc import Iterator
from pathlib import Path

from lxml import etree

from ingestion.parsing.frames import Frame
from ingestion.parsing.limits import ParseLimits
from ingestion.parsing.office.odf.blocks import BlockWriter
from ingestion.parsing.office.odf.package import OdfPackage
from ingestion.parsing.shared.page_writer import PageWriter
from ingestion.parsing.shared.tables import record_lines
from ingestion.parsing.shared.xml import child, local_attribute, local_name
from ingestion.text.cleaning import sensible_title


def read_odt(path: Path, limits: ParseLimits) -> Iterator[Frame]:
    """Read a text; pages end at the author's page breaks. Notes and comments follow their paragraph.

    Raises:
        RefusalError: The file is broken, of another kind, protected, or larger than the limits.
    """
    package = OdfPackage(path, limits)
    writer = PageWriter(path.name, limits)
    blocks = BlockWriter(package, writer)
    blocks.write(package.body("text"))
    seen: set[str] = set()
    for name, margin in package.margins():
        text = "\n".join(line for inner in margin for line in blocks.lines(inner))
        if any(map(str.isalpha, text)) and text not in seen:  # a page's number alone says nothing
            seen.add(text)
            writer.block(f"{name}: {text}")
    blocks.missing.warn()
    yield from writer.frames(sensible_title(package.title()), package.properties())


def read_ods(path: Path, limits: ParseLimits) -> Iterator[Frame]:
    """Read a spreadsheet: one page a sheet, rows as records, cells as they look.

    Raises:
        RefusalError: The file is broken, of another kind, protected, or larger than the limits.
    """
    package = OdfPackage(path, limits)
    writer = PageWriter(path.name, limits)
    blocks = BlockWriter(package, writer)
    for sheet in package.body("spreadsheet"):
        if local_name(sheet) != "table":
            continue
        title = local_attribute(sheet, "name") or ""
        lines = record_lines(blocks.rows(sheet))
        first = next((line for line in lines if line), None)
        if first is not None:
            is_hidden = (local_attribute(sheet, "style-name") or "") in package.styles.hidden
            writer.heading(f"{title} (hidden sheet)" if is_hidden else title, 1)
            if is_hidden:
                writer.warn(f"The sheet {title!r} is hidden in the spreadsheet; its text is here.")
            writer.block(first)
            for line in lines:
                writer.block(line)
        shapes = child(sheet, "shapes")
        for shape in shapes if shapes is not None else ():
            blocks.write_shape(shape)
        writer.end_page()
    blocks.missing.warn()
    yield from writer.frames(sensible_title(package.title()), package.properties())


def read_odp(path: Path, limits: ParseLimits) -> Iterator[Frame]:
    """Read a presentation: page n is slide n. Speaker notes follow the slide, after "Notes:".

    Raises:
        RefusalError: The file is broken, of another kind, protected, or larger than the limits.
    """
    package = OdfPackage(path, limits)
    writer = PageWriter(path.name, limits)
    blocks = BlockWriter(package, writer)
    for slide in package.body("presentation"):
        if local_name(slide) == "page":
            _write_slide(slide, package, blocks, writer)
            writer.end_page(keep_empty=True)
    blocks.missing.warn()
    yield from writer.frames(sensible_title(package.title()), package.properties())


def _write_slide(slide: etree._Element, package: OdfPackage, blocks: BlockWriter, writer: PageWriter) -> None:
    title = next((shape for shape in slide if local_attribute(shape, "class") == "title"), None)
    heading = "" if title is None else " ".join(_lines(title, blocks))
    if (local_attribute(slide, "style-name") or "") in package.styles.hidden:
        heading = f"{heading} (hidden slide)".strip()
        writer.warn(f"Slide {writer.page} is hidden in the presentation; its text is here.")
    writer.heading(heading, 1)
    for shape in slide:
        name = local_name(shape)
        if name == "notes":
            lines = [line for inner in shape for line in _lines(inner, blocks)]
            if lines:
                writer.block("Notes: " + "\n".join(lines))
        elif name == "annotation":
            writer.block("\n".join(blocks.lines(shape)))
        elif shape is not title:
            blocks.write_shape(shape)


def _lines(shape: etree._Element, blocks: BlockWriter) -> list[str]:
    return [line for line in blocks.lines(shape) if line.strip()]
