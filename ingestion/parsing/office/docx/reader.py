"""Word documents (.docx).

The XML is read directly because python-docx leaves out visible text: tracked insertions, content controls,
text boxes, footnotes, comments. Names are compared without their namespaces, of which the format has two
sets.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from lxml import etree

from ingestion.parsing.frames import Frame
from ingestion.parsing.limits import ParseLimits
from ingestion.parsing.office.docx.headers_footers import HeadersFooters
from ingestion.parsing.office.docx.runs import DELETED, Comments, ParagraphContent, ParagraphReader
from ingestion.parsing.office.docx.styles import Numbering, Styles, is_on, value_of
from ingestion.parsing.office.docx.visibility import RunVisibility
from ingestion.parsing.office.graphics import graphic_lines
from ingestion.parsing.shared.missing_content import MissingContent
from ingestion.parsing.shared.page_writer import LINE, PARAGRAPH, PageWriter
from ingestion.parsing.shared.tables import table_line
from ingestion.parsing.shared.xml import child, inner_text, local_attribute, local_name, whole_number
from ingestion.parsing.shared.zip_archive import OfficePackage
from ingestion.text.cleaning import sensible_title

MAX_COLUMNS = 63  # Word's own limit
_PAGE_SECTIONS = ("nextPage", "oddPage", "evenPage")


def read_docx(path: Path, limits: ParseLimits) -> Iterator[Frame]:
    """Read a Word document; pages end at the author's page breaks.

    Tables of contents are left out; so are hidden and deleted text, with a warning. A footnote or comment
    follows its paragraph; page headers and footers come once, at the end of their first section.

    Raises:
        RefusalError: The file is broken, of another kind, protected, or larger than the limits.
    """
    package = OfficePackage(path, limits)
    main, root = package.main_part("document")
    writer = PageWriter(path.name, limits)
    body = child(root, "body")
    if body is not None:
        _Body(package, main, root, writer).write_all(body)
    yield from writer.frames(sensible_title(package.title()), package.properties())


class _Body:
    """Writes paragraphs and tables in their order."""

    def __init__(self, package: OfficePackage, main: str, root: etree._Element, writer: PageWriter) -> None:
        self._writer = writer
        self._missing = MissingContent(writer)
        parts = package.related(main)
        named = {kind: part for kind, part in reversed(parts.values()) if part in package}

        def elements(kind: str) -> Mapping[str, etree._Element]:
            return _by_id(package.xml(named[kind])) if kind in named else {}

        self._styles = Styles(package.xml(named["styles"]) if "styles" in named else None)
        self._numbering = Numbering(package.xml(named["numbering"]) if "numbering" in named else None)
        self._comments = Comments(elements("comments"))
        self._visibility = RunVisibility(self._styles, root)
        self._reader = ParagraphReader(
            self._visibility,
            {"footnotereference": elements("footnotes"), "endnotereference": elements("endnotes")},
            self._comments,
            lambda drawing: graphic_lines(package, parts, drawing, self._missing),
            self._missing,
            writer.leave_out,
        )
        self._margins = HeadersFooters(package, parts, self._lines)
        self._in_list = False

    def write_all(self, body: etree._Element) -> None:
        """Write the whole document."""
        self.write(body)
        self._write_lines(self._margins.of(child(body, "sectpr")))
        self._write_lines(self._comments.rest(self._reader.text_of))
        self._missing.warn()
        if self._visibility.unclear:
            self._writer.warn(
                f"{self._visibility.unclear} stretches of text have the colour of the page, and are seen "
                "only where they lie on a shape behind the text; they are here."
            )

    def write(self, container: etree._Element) -> None:
        """Write the blocks of a body or a content control."""
        for element in container:
            match local_name(element):
                case "p":
                    self._write_paragraph(element)
                case "tbl":
                    self._in_list = False
                    self._write_table(element)
                case "sdt" if not _is_contents(element):
                    inner = child(element, "sdtcontent")
                    if inner is not None:
                        self.write(inner)
                case "customxml" | "ins" | "moveto" | "smarttag":
                    self.write(element)
                case "altchunk":
                    self._missing.note("inserted files")
                case "omathpara" | "omath":
                    self._write_text(self._reader.read(_wrapped(element)).text, None, is_item=False)

    def _write_lines(self, lines: Iterator[str]) -> None:
        for line in lines:
            self._writer.block(line)

    def _write_paragraph(self, paragraph: etree._Element) -> None:
        properties = child(paragraph, "ppr")
        if is_on(child(properties, "pagebreakbefore")):
            self._end_page()
        if self._styles.is_contents(properties):
            return
        reading = self._reader.read(paragraph)
        level = self._styles.heading_level(properties)
        label = self._numbering.label(properties, self._styles) if reading.text.strip() else ""
        before, *after = reading.text.split("\f")
        self._write_text(label + before, level, is_item=bool(label))
        for part in after:
            self._end_page()
            self._write_text(part, level, is_item=False)
        self._write_lines(reading.below())
        for block in reading.blocks:
            self._writer.block("\n".join(block))
        for box in reading.boxes:
            self.write(box)
        kind = child(properties, "sectpr", "type")
        section = child(properties, "sectpr")
        if section is not None:
            self._write_lines(self._margins.of(section))
            if kind is None or local_attribute(kind, "val") in _PAGE_SECTIONS:
                self._end_page()

    def _write_text(self, text: str, level: int | None, *, is_item: bool) -> None:
        if not text.strip():
            return
        if level is not None:
            self._writer.heading(text, level)
        else:
            self._writer.block(text, LINE if is_item and self._in_list else PARAGRAPH)
        self._in_list = is_item and level is None

    def _end_page(self) -> None:
        self._writer.end_page()
        self._in_list = False

    def _write_table(self, table: etree._Element) -> None:
        gap = PARAGRAPH
        above: dict[int, str] = {}  # column -> the text of the cell that reaches down
        for row in self._rows(table):
            line: list[str] = []
            for cell in _inside(row, "tc"):
                properties = child(cell, "tcpr")
                merged = child(properties, "vmerge")
                text = self._cell_text(cell)
                if merged is not None and local_attribute(merged, "val") != "restart":
                    text = text or above.get(len(line), "")
                above[len(line)] = text
                line.append(text)
                span = whole_number(value_of(child(properties, "gridspan")), 1)
                line.extend([""] * (min(span, MAX_COLUMNS) - 1))
            if written := table_line(line):
                self._writer.block(written, gap)
                gap = LINE

    def _cell_text(self, cell: etree._Element) -> str:
        if child(cell, "tcpr", "celldel") is not None:
            return ""
        return " ".join(" ".join(self._lines(cell)).split())

    def _lines(self, container: etree._Element) -> list[str]:
        """The blocks of a cell, a box or a header as lines."""
        lines = []
        for element in _inside(container, "p", "tbl"):
            if local_name(element) == "p":
                reading: ParagraphContent = self._reader.read(element)
                has_text = bool(reading.text.strip())
                label = self._numbering.label(child(element, "ppr"), self._styles) if has_text else ""
                lines += [label + reading.text.replace("\f", "\n"), *reading.below()]
                lines += [line for block in reading.blocks for line in block]
                lines += [line for box in reading.boxes for line in self._lines(box)]
            else:
                lines += [
                    table_line(self._cell_text(cell) for cell in _inside(row, "tc"))
                    for row in self._rows(element)
                ]
        return lines

    def _rows(self, table: etree._Element) -> Iterator[etree._Element]:
        """The rows that are seen: neither hidden nor deleted."""
        for row in _inside(table, "tr"):
            properties = child(row, "trpr")
            kind = DELETED if child(properties, "del") is not None else ""
            kind = "in a hidden row" if is_on(child(properties, "hidden")) else kind
            if not kind:
                yield row
            elif any(map(str.isalnum, inner_text(row))):
                self._writer.leave_out(kind)


def _by_id(root: etree._Element) -> dict[str, etree._Element]:
    """Notes or comments by their ids; the separator lines among them have no text."""
    return {identifier: element for element in root if (identifier := local_attribute(element, "id"))}


def _wrapped(formula: etree._Element) -> etree._Element:
    """A formula between paragraphs as a paragraph."""
    paragraph = etree.Element("p")
    paragraph.append(formula)
    return paragraph


def _inside(element: etree._Element, *names: str) -> Iterator[etree._Element]:
    """The children with these names, also within content controls and tracked changes."""
    for inner in element:
        name = local_name(inner)
        if name in names:
            yield inner
        elif name in ("sdt", "sdtcontent", "customxml", "ins", "moveto"):
            yield from _inside(inner, *names)


def _is_contents(control: etree._Element) -> bool:
    gallery = child(control, "sdtpr", "docpartobj", "docpartgallery")
    return gallery is not None and local_attribute(gallery, "val") == "Table of Contents"
