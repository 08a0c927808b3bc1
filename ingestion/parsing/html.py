"""HTML, inside the child process: lxml parses, and the elements are written as a browser would show them."""

import codecs
import re
from collections.abc import Iterator
from pathlib import Path

from lxml import etree

from ingestion.documents import Status
from ingestion.parsing.cleaning import sensible_title
from ingestion.parsing.frames import Frame, RefusalError
from ingestion.parsing.html_tables import is_data_table, table_rows
from ingestion.parsing.limits import ParseLimits
from ingestion.parsing.pages import LINE, PARAGRAPH, PageWriter
from ingestion.parsing.tables import table_line
from ingestion.parsing.text import decode
from ingestion.parsing.xml import inner_text, local_name, parse_xml, walk

# A browser looks for the encoding in the first 1024 bytes; some pages have long comments above.
_PRESCAN_BYTES = 4096
_CHARSET = re.compile(
    rb"""<(?:meta|\?xml)[^>]*?(?:charset|encoding)\s*=\s*["']?\s*([\w.:-]+)""", re.IGNORECASE
)
# Text encodings of the web by Python's names; others (UTF-7, punycode) have only ever been attacks.
_WEB_ENCODINGS = ("utf-8", "cp", "iso8859", "koi8", "gb", "big5", "shift_jis", "euc", "iso2022", "mac", "tis")

# Not read, by the standard's own meaning of the element: no text, or controls, or the way to other pages.
_UNREAD = frozenset(
    re.findall(
        r"\w+",
        """head script style template noscript nav svg canvas audio video object iframe map datalist select
        button input textarea dialog""",
    )
)
_UNREAD_ROLES = frozenset({"navigation", "search", "menu", "menubar", "toolbar"})
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)

_WHITE_SPACE = re.compile(r"\s+")

_BLOCKS = frozenset(
    re.findall(
        r"\w+",
        """address article aside blockquote body caption center dd details div dl dt fieldset figcaption
        figure footer form header hgroup html legend li main menu ol p pre section summary table tbody td
        tfoot th thead tr ul""",
    )
)
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_SELF_CLOSED = re.compile(
    r"<(a|div|em|i|b|iframe|p|script|span|style|td|textarea|th|title)\b([^<>]*)/>", re.IGNORECASE
)


def read_html(path: Path, limits: ParseLimits) -> Iterator[Frame]:
    """The frames of an HTML file: the text that a browser shows, without menus.

    Raises:
        RefusalError: The file is no text, nested too deeply, or larger than the limits.
    """
    with path.open("rb") as file:
        declared = declared_encoding(file.read(_PRESCAN_BYTES))
    text = decode(path, declared=declared)
    root = parse_html(text, path.name, is_xml=path.suffix.lower() == ".xhtml")
    writer = PageWriter(path.name, limits)
    if root is None:
        yield from writer.frames(None)
        return
    write_element(root, writer)
    yield from writer.frames(html_title(root))


def declared_encoding(beginning: bytes) -> str | None:
    """The encoding that the file names in its first bytes, by Python's name; None without a usable one."""
    if (found := _CHARSET.search(beginning)) is None:
        return None
    try:
        name = codecs.lookup(found.group(1).decode("ascii", "replace")).name
    except LookupError:
        return None
    if name in ("iso8859-1", "ascii"):
        return "cp1252"  # as browsers read it
    return name if name.startswith(_WEB_ENCODINGS) else None


def parse_html(text: str, name: str, *, is_xml: bool = False) -> etree._Element | None:
    """The root element; None where there are but comments and white space.

    With `is_xml` the text is XHTML, and read as HTML only if it is not well-formed.

    Raises:
        RefusalError: The elements are nested too deeply.
    """
    data = text.encode("utf-8", errors="replace")
    if is_xml:
        try:
            return parse_xml(data, encoding="utf-8")
        except etree.XMLSyntaxError:
            data = _SELF_CLOSED.sub(r"<\1\2></\1>", text).encode("utf-8", errors="replace")
    # huge_tree: one text may exceed 10 MB, and 2048 elements be nested instead of 256. HTML has no entities
    # of its own that could swell.
    parser = etree.HTMLParser(encoding="utf-8", no_network=True, huge_tree=True)
    root = etree.fromstring(data, parser)
    if any(entry.type == etree.ErrorTypes.ERR_RESOURCE_LIMIT for entry in parser.error_log):
        raise RefusalError(Status.FAILED, f"{name!r} is nested too deeply to be read; save it again as text")
    return root


def html_title(root: etree._Element) -> str | None:
    """What the `title` element says, if it says something."""
    for element in root.iter("{*}title"):
        if local_name(element.getparent()) == "head":
            return sensible_title(inner_text(element))
    return None


def write_element(root: etree._Element, writer: PageWriter) -> None:
    """Write all that is shown of an element: paragraphs, headings, lists, tables."""
    shown = _Shown(writer)
    for step, element, text in walk(root, _is_leaf):
        name = local_name(element)
        if step == "start":
            shown.start(element, name)
        elif step == "end":
            shown.end(name)
        elif step == "leaf" and name == "table" and not _is_unread(element):
            shown.break_block()
            _write_table(element, writer)
        shown.text(text)
    shown.break_block()


class _Shown:
    """The text between two block boundaries, and where in lists and headings it stands."""

    def __init__(self, writer: PageWriter) -> None:
        self._writer = writer
        self._words: list[str] = []
        self._lists: list[Iterator[str]] = []
        self._bullet = ""
        self._level = 0
        self._pre = 0
        self._gap = PARAGRAPH

    def start(self, element: etree._Element, name: str) -> None:
        if name == "br":
            self._words.append("\n" if self._pre or not self._level else " ")
        elif name == "img":
            self.text(element.get("alt") or "")
        elif name in _HEADINGS:
            self.break_block()
            self._level = _HEADINGS[name]
        elif name in _BLOCKS:
            self.break_block()
            self._start_block(element, name)

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

    def end(self, name: str) -> None:
        if name in _HEADINGS or name in _BLOCKS:
            self.break_block()
        if name in ("ul", "ol", "menu") and self._lists:
            self._lists.pop()
            self._gap = LINE if self._lists else PARAGRAPH
        elif name == "pre":
            self._pre -= 1
        elif name in _HEADINGS:
            self._level = 0
        elif name == "li":
            self._bullet = ""
            self._gap = LINE

    def text(self, text: str) -> None:
        self._words.append(text if self._pre else _WHITE_SPACE.sub(" ", text))

    def break_block(self) -> None:
        """Write what has come since the last boundary."""
        text = "".join(self._words)
        self._words.clear()
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


def _numbers(start: str | None) -> Iterator[str]:
    first = int(start) if start and re.fullmatch(r"-?\d{1,9}", start.strip()) else 1
    while True:
        yield f"{first}. "
        first += 1


def _is_leaf(element: etree._Element) -> bool:
    return _is_unread(element) or (local_name(element) == "table" and is_data_table(element, _cell_text))


def _is_unread(element: etree._Element) -> bool:
    return (
        local_name(element) in _UNREAD
        or element.get("hidden") is not None
        or (element.get("role") or "").strip().lower() in _UNREAD_ROLES
        or _HIDDEN.search(element.get("style") or "") is not None
    )


def _write_table(table: etree._Element, writer: PageWriter) -> None:
    gap = PARAGRAPH
    for caption in table.iter("{*}caption"):
        writer.block(_cell_text(caption))
        gap = LINE
    for row in table_rows(table, _cell_text):
        if line := table_line(row):
            writer.block(line, gap)
            gap = LINE


def _cell_text(cell: etree._Element) -> str:
    words = []
    for step, element, text in walk(cell, _is_unread):
        name = local_name(element)
        if name == "img" and step == "start":
            words.append(element.get("alt") or "")
        elif name in _BLOCKS or name == "br":
            words.append(" ")
        words.append(text)
    return " ".join("".join(words).split())
