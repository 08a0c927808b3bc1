"""The text of OpenDocument files: paragraphs, headings, lists, tables, frames."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from lxml import etree

from ingestion.parsing.office.odf.package import OdfPackage, area
from ingestion.parsing.shared.missing_content import MissingContent
from ingestion.parsing.shared.page_writer import LINE, PARAGRAPH, PageWriter
from ingestion.parsing.shared.tables import table_line
from ingestion.parsing.shared.xml import child, inner_text, local_attribute, local_name, whole_number

MAX_COLUMNS = 1_024  # LibreOffice's sheets have 16,384, and those with so much text are no documents
_MOST_SPACES = 100
_MOST_ROWS = 1_000  # copies of one row
_LARGE_PICTURE = 40.0  # square centimetres; smaller ones are rarely pictures of text

_SHAPES = frozenset(
    re.findall(
        r"\S+",
        """frame g custom-shape rect line ellipse circle polygon polyline path connector caption
        regular-polygon a""",
    )
)
_ROW_GROUPS = ("table-header-rows", "table-rows", "table-row-group")
_SILENT = frozenset(
    re.findall(
        r"\S+",
        """bookmark bookmark-start bookmark-end reference-mark reference-mark-start reference-mark-end change
        change-start change-end annotation-end soft-page-break tracked-changes script sequence-decls
        variable-decls user-field-decls forms desc title event-listeners""",
    )
)


@dataclass
class Inline:
    """A paragraph's text, the lines that stand below it, and the shapes that are anchored in it."""

    parts: list[str] = field(default_factory=list)
    below: list[str] = field(default_factory=list)
    shapes: list[etree._Element] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(self.parts)


class BlockWriter:
    """Writes the blocks of one file. lxml bounds how deep elements nest, so recursion is bounded, too."""

    def __init__(self, package: OdfPackage, writer: PageWriter) -> None:
        self._package = package
        self._styles = package.styles
        self._writer = writer
        self.missing = MissingContent(writer)

    def write(self, container: etree._Element) -> None:
        """Write the blocks of a body, a section or a frame."""
        for element in container:
            match local_name(element):
                case "p" | "h":
                    self._write_paragraph(element)
                case "list":
                    self._write_list(element)
                case "table":
                    self.write_table(element)
                case "tracked-changes":
                    for _ in element.iter("{*}deletion"):
                        self._writer.leave_out("deleted in a tracked change")
                case "table-of-content":
                    pass  # as in Word documents: it repeats the headings
                case "section" if local_attribute(element, "display") == "none":
                    self._writer.leave_out("of hidden text")
                case name if name in _SHAPES:
                    self.write_shape(element)
                case name if name not in _SILENT:
                    self.write(element)

    def _write_paragraph(self, paragraph: etree._Element) -> None:
        style = local_attribute(paragraph, "style-name") or ""
        if style in self._styles.breaks:
            self._writer.end_page()
        if style in self._styles.hidden:
            if inner_text(paragraph).strip():
                self._writer.leave_out("of hidden text")
            return
        inline = self.inline(paragraph)
        level = whole_number(local_attribute(paragraph, "outline-level"), 1)
        if local_name(paragraph) == "h":
            self._writer.heading(inline.text, max(1, level))
        else:
            self._writer.block(inline.text)
        self.write_below(inline)

    def write_below(self, inline: Inline) -> None:
        """Write the notes, comments and shapes of a paragraph."""
        for line in inline.below:
            self._writer.block(line)
        for shape in inline.shapes:
            self.write_shape(shape)

    def _write_list(self, element: etree._Element) -> None:
        gap = PARAGRAPH
        for line in self._list_lines(element, "", 1):
            self._writer.block(line, gap)
            gap = LINE

    def _list_lines(self, element: etree._Element, style: str, level: int) -> Iterator[str]:
        style = local_attribute(element, "style-name") or style
        number = 0
        for item in element:
            if local_name(item) not in ("list-item", "list-header"):
                continue
            number += local_name(item) == "list-item"
            mark = f"{number}. " if (style, level) in self._styles.numbered else "- "
            for inner in item:
                if local_name(inner) == "list":
                    yield from self._list_lines(inner, style, level + 1)
                    continue
                for line in self.lines(inner):
                    yield f"{'  ' * (level - 1)}{mark}{line}"
                    mark = ""

    def lines(self, element: etree._Element) -> list[str]:
        """A block as lines, for the cell of a table or an item of a list."""
        name = local_name(element)
        if name in ("p", "h"):
            return self._paragraph_lines(element)
        if name == "list":
            return list(self._list_lines(element, "", 1))
        if name == "table":
            return [table_line(row) for row in self.rows(element)]
        if name == "annotation":
            return [_comment(element)]
        if name in _SHAPES:
            return self._shape_lines(element)
        return [line for inner in element for line in self.lines(inner)] if name not in _SILENT else []

    def _paragraph_lines(self, paragraph: etree._Element) -> list[str]:
        if (local_attribute(paragraph, "style-name") or "") in self._styles.hidden:
            self._writer.leave_out("of hidden text")
            return []
        inline = self.inline(paragraph)
        shapes = [line for shape in inline.shapes for line in self._shape_lines(shape)]
        return [line for line in (inline.text, *inline.below, *shapes) if line.strip()]

    def inline(self, paragraph: etree._Element) -> Inline:
        """Read a paragraph."""
        found = Inline()
        self._read_inline(paragraph, found)
        return found

    def _read_inline(self, element: etree._Element, found: Inline) -> None:
        found.parts.append(element.text or "")
        for inner in element:
            self._read_piece(inner, found)
            found.parts.append(inner.tail or "")

    def _read_piece(self, piece: etree._Element, found: Inline) -> None:
        match local_name(piece):
            case "s":
                found.parts.append(" " * min(_MOST_SPACES, whole_number(local_attribute(piece, "c"), 1)))
            case "tab":
                found.parts.append("\t")
            case "line-break":
                found.parts.append("\n")
            case "note":
                citation, body = child(piece, "note-citation"), child(piece, "note-body")
                label = inner_text(citation) if citation is not None else ""
                found.parts.append(f"[{label}]")
                found.below.append(f"[{label}] {' '.join(self.lines(body)) if body is not None else ''}")
            case "annotation":
                found.below.append(_comment(piece))
            case "a" if local_attribute(piece, "href"):
                self._read_link(piece, found)
            case "hidden-text" | "hidden-paragraph":
                self._writer.leave_out("of hidden text")
            case "span" if (local_attribute(piece, "style-name") or "") in self._styles.hidden:
                self._writer.leave_out("of hidden text")
            case name if name in _SHAPES and name != "a":
                found.shapes.append(piece)
            case name if name and name not in _SILENT:
                self._read_inline(piece, found)

    def _read_link(self, link: etree._Element, found: Inline) -> None:
        """Read a link; one around a frame is the frame."""
        if all(local_name(inner) in _SHAPES for inner in link) and len(link):
            found.shapes += list(link)
            return
        self._read_inline(link, found)

    def write_shape(self, shape: etree._Element) -> None:
        """Write the text of a frame, a drawing or a group."""
        for part in self._content(shape):
            match local_name(part):
                case "table":
                    self.write_table(part)
                case "list":
                    self._write_list(part)
                case "p" | "h":
                    self._write_paragraph(part)
                case "desc" | "title":
                    self._writer.block(inner_text(part))

    def _shape_lines(self, shape: etree._Element) -> list[str]:
        return [
            line
            for part in self._content(shape)
            for line in ([inner_text(part)] if local_name(part) in ("desc", "title") else self.lines(part))
        ]

    def _content(self, shape: etree._Element) -> Iterator[etree._Element]:
        """The blocks in a shape, and the description of a picture; pictures without one are counted."""
        embedded = child(shape, "object")
        root = self._package.object_part(embedded) if embedded is not None else None
        if root is not None:
            yield from self._object_content(root)
            return
        if (
            embedded is not None
            or child(shape, "object-ole") is not None
            or child(shape, "plugin") is not None
        ):
            self.missing.note("embedded objects")
        described = child(shape, "desc") if child(shape, "desc") is not None else child(shape, "title")
        if child(shape, "image") is not None:
            if described is not None and inner_text(described).strip():
                yield described
            elif area(shape) >= _LARGE_PICTURE:
                self.missing.note("large pictures")
        for inner in shape:
            name = local_name(inner)
            if name in ("text-box", "image"):
                yield from (one for one in inner if local_name(one) not in _SHAPES)
                for deeper in inner:
                    if local_name(deeper) in _SHAPES:
                        yield from self._content(deeper)
            elif name in ("p", "h", "list", "table"):
                yield inner
            elif name in _SHAPES:
                yield from self._content(inner)

    def _object_content(self, root: etree._Element) -> Iterator[etree._Element]:
        """The values of a chart, the words of a formula."""
        tables = list(root.iter("{*}table"))
        formula = next(root.iter("{*}annotation"), None)
        if tables:
            yield tables[0]
        elif formula is not None:
            words = etree.Element("p")
            words.text = formula.text
            yield words
        else:
            self.missing.note("embedded objects")

    def write_table(self, table: etree._Element) -> None:
        """Write a table within a text."""
        gap = PARAGRAPH
        for row in self.rows(table):
            if line := table_line(row):
                self._writer.block(line, gap)
                gap = LINE

    def rows(self, table: etree._Element) -> Iterator[list[str]]:
        """Yield the rows of a table. A cell over several rows has its text in each, over columns once."""
        above: dict[int, tuple[str, int]] = {}  # column -> text, and in how many more rows
        for row in _table_rows(table):
            line: list[str] = []
            for cell in row:
                if local_name(cell) not in ("table-cell", "covered-table-cell"):
                    continue
                text = self.cell_text(cell)
                if not text and (held := above.get(len(line))) and held[1] > 0:
                    text = held[0]
                    above[len(line)] = (text, held[1] - 1)
                if (down := whole_number(local_attribute(cell, "number-rows-spanned"), 1)) > 1:
                    above[len(line)] = (text, down - 1)
                times = whole_number(local_attribute(cell, "number-columns-repeated"), 1)
                line += [text] * max(0, min(times, MAX_COLUMNS - len(line)))
            while line and not line[-1]:
                line.pop()
            times = whole_number(local_attribute(row, "number-rows-repeated"), 1)
            if line and times > _MOST_ROWS:
                self._writer.warn(f"A row that is repeated {times} times is here {_MOST_ROWS} times.")
            for _ in range(min(times, _MOST_ROWS if line else 1)):
                yield line

    def cell_text(self, cell: etree._Element) -> str:
        """A cell as it is shown: its formatted text, or its value where there is none."""
        text = " ".join(" ".join(line for inner in cell for line in self.lines(inner)).split())
        if text:
            return text
        for name in ("string-value", "value", "date-value", "time-value", "boolean-value"):
            if value := local_attribute(cell, name):
                return value
        formula = (local_attribute(cell, "formula") or "").partition(":")[2]
        return formula if formula.startswith("=") else ""


def _table_rows(table: etree._Element) -> Iterator[etree._Element]:
    for inner in table:
        if local_name(inner) == "table-row":
            yield inner
        elif local_name(inner) in _ROW_GROUPS:
            yield from _table_rows(inner)


def _comment(annotation: etree._Element) -> str:
    author = child(annotation, "creator")
    who = f" by {inner_text(author).strip()}" if author is not None else ""
    words = [inner_text(one) for one in annotation.iter("{*}p")]
    return f"Comment{who}: {' '.join(words)}"
