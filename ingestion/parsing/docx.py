"""Word documents (.docx), inside the child process.

The XML is read directly and not through python-docx, which leaves out text that a person sees: insertions
with tracked changes, content controls, text boxes, footnotes. Names are compared without their namespace,
of which the format has two sets.
"""

from collections.abc import Iterator
from pathlib import Path

from lxml import etree

from ingestion.parsing.archive import OfficePackage
from ingestion.parsing.cleaning import sensible_title
from ingestion.parsing.docx_styles import Numbering, Styles
from ingestion.parsing.frames import Frame
from ingestion.parsing.limits import ParseLimits
from ingestion.parsing.pages import LINE, PARAGRAPH, PageWriter
from ingestion.parsing.tables import table_line
from ingestion.parsing.xml import child, local_attribute, local_name

# Deleted or moved text, field codes, properties, and what stands again elsewhere.
_UNREAD = frozenset({"del", "movefrom", "instrtext", "deltext", "ppr", "rpr", "sectpr", "fallback", "sdtpr"})
_CHARACTERS = {"tab": "\t", "br": "\n", "cr": "\n", "nobreakhyphen": "-", "ptab": "\t"}
MAX_COLUMNS = 63  # Word's own limit
_PAGE_SECTIONS = ("nextPage", "oddPage", "evenPage")


def read_docx(path: Path, limits: ParseLimits) -> Iterator[Frame]:
    """The frames of a Word document: a page ends where its author ended one.

    Headers and footers, tables of contents and deleted text are left out; a footnote follows the paragraph
    that refers to it.

    Raises:
        RefusalError: The file is broken, of another kind, protected, or larger than the limits.
    """
    package = OfficePackage(path, limits)
    main, root = package.main_part("document")
    writer = PageWriter(path.name, limits)
    body = child(root, "body")
    if body is not None:
        _Body(package, main, writer).write(body)
    yield from writer.frames(sensible_title(package.title()))


class _Body:
    """Writes paragraphs and tables in their order."""

    def __init__(self, package: OfficePackage, main: str, writer: PageWriter) -> None:
        self._writer = writer
        styles, numbering = package.part(main, "styles"), package.part(main, "numbering")
        self._styles = Styles(package.xml(styles) if styles else None)
        self._numbering = Numbering(package.xml(numbering) if numbering else None)
        self._notes = {
            kind: _notes(package, package.part(main, part))
            for kind, part in (("footnotereference", "footnotes"), ("endnotereference", "endnotes"))
        }
        self._in_list = False

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

    def _write_paragraph(self, paragraph: etree._Element) -> None:
        properties = child(paragraph, "ppr")
        if _is_on(child(properties, "pagebreakbefore")):
            self._end_page()
        if self._styles.is_contents(properties):
            return
        text, notes, boxes = self._read(paragraph)
        level = self._styles.heading_level(properties)
        label = self._numbering.label(properties, self._styles) if text.strip() else ""
        before, *after = text.split("\f")
        self._write_text(label + before, level, is_item=bool(label))
        for part in after:
            self._end_page()
            self._write_text(part, level, is_item=False)
        for number, note in notes:
            self._writer.block(f"[{number}] {note}")
        for box in boxes:
            self.write(box)
        kind = child(properties, "sectpr", "type")
        section = child(properties, "sectpr")
        if section is not None and (kind is None or local_attribute(kind, "val") in _PAGE_SECTIONS):
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
        for row in _inside(table, "tr"):
            line: list[str] = []
            for cell in _inside(row, "tc"):
                properties = child(cell, "tcpr")
                merged = child(properties, "vmerge")
                text = self._cell_text(cell)
                if merged is not None and local_attribute(merged, "val") != "restart":
                    text = text or above.get(len(line), "")
                above[len(line)] = text
                line.append(text)
                line.extend([""] * (_number(child(properties, "gridspan"), 1) - 1))
            if written := table_line(line):
                self._writer.block(written, gap)
                gap = LINE

    def _cell_text(self, cell: etree._Element) -> str:
        words = []
        for element in _inside(cell, "p", "tbl"):
            if local_name(element) == "p":
                text, notes, boxes = self._read(element)
                label = self._numbering.label(child(element, "ppr"), self._styles) if text.strip() else ""
                words.append(label + text)
                words.extend(f"[{number}] {note}" for number, note in notes)
                words.extend(self._cell_text(box) for box in boxes)
            else:
                words.extend(
                    self._cell_text(inner) for row in _inside(element, "tr") for inner in _inside(row, "tc")
                )
        return " ".join(" ".join(words).split())

    def _read(self, paragraph: etree._Element) -> tuple[str, list[tuple[str, str]], list[etree._Element]]:
        """A paragraph's text ("\\f" where a page ends), the notes that it refers to, and its text boxes."""
        words: list[str] = []
        notes: list[tuple[str, str]] = []
        boxes: list[etree._Element] = []
        stack = [iter(paragraph)]
        while stack:
            element = next(stack[-1], None)
            if element is None:
                stack.pop()
                continue
            name = local_name(element)
            if name == "t":
                words.append(element.text or "")
            elif name == "br" and local_attribute(element, "type") == "page":
                words.append("\f")
            elif name in _CHARACTERS:
                words.append(_CHARACTERS[name])
            elif name in self._notes:
                identifier = local_attribute(element, "id") or ""
                if note := self._notes[name].get(identifier):
                    number = identifier if name == "footnotereference" else f"e{identifier}"
                    notes.append((number, note))
                    words.append(f"[{number}]")
            elif name == "txbxcontent":
                boxes.append(element)
            elif name not in _UNREAD and name:
                stack.append(iter(element))
        return "".join(words), notes, boxes


def _notes(package: OfficePackage, part: str | None) -> dict[str, str]:
    """The notes' texts by their ids; the rules above the notes are kept as notes, too, but say nothing."""
    if part is None:
        return {}
    notes = {}
    for note in package.xml(part):
        text = " ".join("".join(element.text or "" for element in note.iter("{*}t")).split())
        identifier = local_attribute(note, "id")
        if identifier and text:
            notes[identifier] = text
    return notes


def _inside(element: etree._Element, *names: str) -> Iterator[etree._Element]:
    """The children of these names, also those within content controls and tracked changes."""
    for inner in element:
        name = local_name(inner)
        if name in names:
            yield inner
        elif name in ("sdt", "sdtcontent", "customxml", "ins", "moveto"):
            yield from _inside(inner, *names)


def _is_contents(control: etree._Element) -> bool:
    gallery = child(control, "sdtpr", "docpartobj", "docpartgallery")
    return gallery is not None and local_attribute(gallery, "val") == "Table of Contents"


def _is_on(switch: etree._Element | None) -> bool:
    return switch is not None and local_attribute(switch, "val") not in ("0", "false", "off")


def _number(element: etree._Element | None, default: int) -> int:
    value = local_attribute(element, "val") if element is not None else None
    return min(int(value), MAX_COLUMNS) if value and value.isdecimal() and len(value) < 10 else default
