"""HTML elements written as a browser shows them."""

import re
from collections import Counter
from collections.abc import Iterator

from lxml import etree

from ingestion.parsing.markup.html_inline import REPLACED, HtmlInlineText
from ingestion.parsing.markup.html_references import PARTS, References
from ingestion.parsing.markup.html_tables import is_data_table, table_rows
from ingestion.parsing.markup.html_visibility import Visibility
from ingestion.parsing.shared.page_writer import LINE, PARAGRAPH, PageWriter
from ingestion.parsing.shared.tables import table_line
from ingestion.parsing.shared.xml import keyword, local_name, walk

_BLOCKS = frozenset(
    re.findall(
        r"\w+",
        """address article aside blockquote body caption center dd details dialog div dl dt fieldset
        figcaption figure footer form header hgroup html legend li main menu ol p pre section summary table
        tbody td tfoot th thead tr ul""",
    )
)
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_OTHER_MEDIA = {
    "iframe": "other pages in frames",
    "canvas": "drawings made by a script",
    "video": "videos",
    "audio": "recordings",
    "object": "embedded objects",
    "embed": "embedded objects",
}
_LARGE_PICTURE = 120_000  # pixels: 400 by 300; smaller ones are rarely pictures of text
_LARGE_DATA = 40_000  # characters of a picture that is written into the page


def write_element(root: etree._Element, writer: PageWriter, *, addresses: bool = False) -> None:
    """Write the visible content of an element: paragraphs, headings, lists, tables, forms.

    Args:
        root: The page, or a part of it.
        writer: Takes the text, and warnings about visible content that cannot be read.
        addresses: Write links' addresses after their words.
    """
    references = References(root)
    visibility = Visibility(root, references)
    shown = _BlockWriter(writer, references, visibility, addresses=addresses)
    left_out: Counter[str] = Counter()
    for step, element, text in walk(root, shown.is_leaf):
        name = local_name(element)
        if step == "start":
            shown.start(element, name)
        elif step == "end":
            shown.end(element, name)
        elif step == "leaf":
            if visibility.is_unread(element):
                left_out[_unread_kind(element, name, visibility)] += 1
                shown.leave_out(element)
            elif name == "table":
                shown.write_table(element)
            else:
                shown.replaced(element, name)
                left_out["large pictures"] += name == "img" and _is_large(element)
        shown.text(text)
    shown.break_block()
    _caution(writer, left_out)


class _BlockWriter:
    """Writes the text between two block boundaries; tracks lists and headings."""

    def __init__(
        self, writer: PageWriter, references: References, visibility: Visibility, *, addresses: bool
    ) -> None:
        self._writer = writer
        self._references = references
        self._visibility = visibility
        self._line = HtmlInlineText(references, addresses=addresses, expanded=set())
        self._lists: list[Iterator[str]] = []
        self._bullet = ""
        self._level = 0
        self._outline = 1  # the level of the page's own heading above
        self._fold: etree._Element | None = None  # whose title is being read
        self._pre = 0
        self._gap = PARAGRAPH

    def is_leaf(self, element: etree._Element) -> bool:
        name = local_name(element)
        return (
            name in REPLACED
            or self._visibility.is_unread(element)
            or (name == "table" and is_data_table(element, self._cell_text))
        )

    def start(self, element: etree._Element, name: str) -> None:
        if name == "br":
            self._line.add("\n" if self._pre or not self._level else " ", keep_space=True)
        elif name in _HEADINGS:
            self.break_block()
            self._level = self._outline = _HEADINGS[name]
        elif not self._level and self._visibility.is_title_of_fold(element, name):
            self.break_block()
            self._fold, self._level = element, min(self._outline + 1, 6)
        elif name in _BLOCKS:
            self.break_block()
            self._start_block(element, name)
        else:
            self._line.start(element, name)

    def _start_block(self, element: etree._Element, name: str) -> None:
        if name in ("ul", "menu"):
            self._lists.append(iter(lambda: "- ", None))
        elif name == "ol":
            self._lists.append(_numbers(element.get("start")))
        elif name == "li":
            self._bullet = next(self._lists[-1], "- ") if self._lists else "- "
        elif name == "pre":
            self._pre += 1
        elif name == "dd":
            self._gap = LINE
        if keyword(element, "role") == "tablist":
            self._references.note_tabs(element)
        elif name in PARTS and (label := self._references.tab_label(element)):
            self._writer.heading(label, min(self._outline + 1, 6))

    def end(self, element: etree._Element, name: str) -> None:
        if name in _HEADINGS or name in _BLOCKS or element is self._fold:
            self.break_block()
        else:
            self._line.end(element)
        if name in ("ul", "ol", "menu") and self._lists:
            self._lists.pop()
            self._gap = LINE if self._lists else PARAGRAPH
        elif name == "pre":
            self._pre -= 1
        elif name in _HEADINGS or element is self._fold:
            self._level = 0
            self._fold = None
        elif name == "li":
            self._bullet = ""
            self._gap = LINE

    def leave_out(self, element: etree._Element) -> None:
        """Count an unread element if it has text that nobody sees."""
        if kind := self._visibility.hidden_kind(element):
            self._writer.leave_out(kind)

    def replaced(self, element: etree._Element, name: str) -> None:
        self._line.replaced(element, name)

    def text(self, text: str) -> None:
        self._line.add(text, keep_space=bool(self._pre))

    def break_block(self) -> None:
        """Write the text since the last boundary."""
        text = self._line.take()
        if not text or text.isspace():
            return
        if self._level:
            self._writer.heading(text, self._level)
        else:
            if not self._pre:
                text = "\n".join(" ".join(line.split()) for line in text.split("\n"))
            indent = "  " * (len(self._lists) - 1) if self._lists else ""
            self._writer.block(indent + self._bullet + text, self._gap)
        self._bullet = ""
        self._gap = LINE if self._lists else PARAGRAPH

    def write_table(self, table: etree._Element) -> None:
        self.break_block()
        gap = PARAGRAPH
        for caption in table.iter("{*}caption"):
            self._writer.block(self._cell_text(caption))
            gap = LINE
        for row in table_rows(table, self._cell_text):
            if line := table_line(row):
                self._writer.block(line, gap)
                gap = LINE

    def _cell_text(self, cell: etree._Element) -> str:
        line = HtmlInlineText(self._references)
        for step, element, text in walk(cell, self._is_cell_leaf):
            name = local_name(element)
            if name in _BLOCKS or name == "br":
                line.add(" ")
            elif step == "start":
                line.start(element, name)
            elif step == "end":
                line.end(element)
            elif name in REPLACED and not self._visibility.is_unread(element):
                line.replaced(element, name)
            elif step == "leaf":
                self.leave_out(element)
            line.add(text)
        return " ".join(line.take().split())

    def _is_cell_leaf(self, element: etree._Element) -> bool:
        return local_name(element) in REPLACED or self._visibility.is_unread(element)


def _numbers(start: str | None) -> Iterator[str]:
    first = int(start) if start and re.fullmatch(r"-?\d{1,9}", start.strip()) else 1
    while True:
        yield f"{first}. "
        first += 1


def _unread_kind(element: etree._Element, name: str, visibility: Visibility) -> str:
    """The name of an unread element in a warning; "" for one without content for the reader."""
    if visibility.hides_text(element):
        return "hidden texts"
    sizes = (element.get("width"), element.get("height"), element.get("hidden"))
    if name not in _OTHER_MEDIA or "0" in sizes or "1" in sizes or "none" in (element.get("style") or ""):
        return ""
    return _OTHER_MEDIA[name] if element.get("hidden") is None else ""


def _is_large(picture: etree._Element) -> bool:
    sides = [re.match(r"\s*(\d{1,6})", picture.get(side) or "") for side in ("width", "height")]
    sizes = [int(side.group(1)) for side in sides if side]
    if len(sizes) == 2:
        return sizes[0] * sizes[1] >= _LARGE_PICTURE
    source = picture.get("src") or ""
    return source.startswith("data:image/") and len(source) >= _LARGE_DATA


def _caution(writer: PageWriter, left_out: Counter[str]) -> None:
    hidden = left_out.pop("hidden texts", 0)
    if hidden:
        writer.warn(
            f"{hidden} hidden parts of the page are not read, because no control that shows them was found; "
            "if there is one, save the page with them open."
        )
    kinds = [f"{count} {kind}" for kind, count in sorted(left_out.items()) if kind and count]
    if kinds:
        writer.warn(f"Not read on the page, although they may show text: {', '.join(kinds)}.")
