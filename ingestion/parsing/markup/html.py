"""HTML: lxml parses it, `html_writer` writes what a browser shows."""

import codecs
import re
from collections.abc import Iterator
from pathlib import Path

from lxml import etree

from ingestion.documents import FileProperties, Status
from ingestion.parsing.encodings.decoding import decode
from ingestion.parsing.frames import Frame, RefusalError
from ingestion.parsing.limits import ParseLimits
from ingestion.parsing.markup.html_writer import write_element
from ingestion.parsing.shared.page_writer import PageWriter
from ingestion.parsing.shared.properties import cleaned_properties
from ingestion.parsing.shared.xml import inner_text, keyword, local_name, parse_xml
from ingestion.text.cleaning import sensible_title

# A browser looks for the encoding in the first 1024 bytes; some pages have long comments above.
_PRESCAN_BYTES = 4096
_CHARSET = re.compile(
    rb"""<(?:meta|\?xml)[^>]*?(?:charset|encoding)\s*=\s*["']?\s*([\w.:-]+)""", re.IGNORECASE
)
# Text encodings of the web by Python's names; others (UTF-7, punycode) occur only in attacks.
_WEB_ENCODINGS = ("utf-8", "cp", "iso8859", "koi8", "gb", "big5", "shift_jis", "euc", "iso2022", "mac", "tis")

_SELF_CLOSED = re.compile(
    r"<(a|div|em|i|b|iframe|p|script|span|style|td|textarea|th|title)\b([^<>]*)/>", re.IGNORECASE
)


def read_html(path: Path, limits: ParseLimits, *, encoding: str | None = None) -> Iterator[Frame]:
    """Read an HTML file: the text that a browser shows, at once or after a click, without menus.

    Raises:
        RefusalError: The file is no text, nested too deeply, or larger than the limits.
    """
    with path.open("rb") as file:
        declared = declared_encoding(file.read(_PRESCAN_BYTES))
    decoded = decode(path, declared=declared, told=encoding)
    yield from decoded.warnings
    root = parse_html(decoded.text, path.name, is_xml=path.suffix.lower() == ".xhtml")
    writer = PageWriter(path.name, limits)
    if root is None:
        yield from writer.frames(None)
        return
    write_element(root, writer)
    yield from writer.frames(html_title(root), html_properties(root))


def declared_encoding(beginning: bytes) -> str | None:
    """The encoding that a file declares in its first bytes, by Python's name; None without a usable one."""
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
    """The root element of a page; None for a page of comments and white space.

    With `is_xml` the text is XHTML, which is read as HTML only if it is not well-formed.

    Raises:
        RefusalError: The elements are nested too deeply.
    """
    data = text.encode("utf-8", errors="replace")
    if is_xml:
        try:
            return parse_xml(data, encoding="utf-8")
        except etree.XMLSyntaxError:
            data = _SELF_CLOSED.sub(r"<\1\2></\1>", text).encode("utf-8", errors="replace")
    # huge_tree allows texts above 10 MB and 2048 nested elements instead of 256. HTML has no entity
    # definitions that could expand without limit.
    parser = etree.HTMLParser(encoding="utf-8", no_network=True, huge_tree=True)
    root = etree.fromstring(data, parser)
    if any(entry.type == etree.ErrorTypes.ERR_RESOURCE_LIMIT for entry in parser.error_log):
        raise RefusalError(Status.FAILED, f"{name!r} is nested too deeply to be read; save it again as text")
    return root


def html_title(root: etree._Element) -> str | None:
    """The text of the `title` element, if it is a sensible title."""
    for element in root.iter("{*}title"):
        if local_name(element.getparent()) == "head":
            return sensible_title(inner_text(element))
    return None


def html_properties(root: etree._Element) -> FileProperties:
    """What the `meta` elements say of a page's author, site or publisher, and date of publication."""
    said: dict[str, str] = {}
    for element in root.iter("{*}meta"):
        name = keyword(element, "name") or keyword(element, "property")
        said.setdefault(name, element.get("content") or "")

    def first(names: str) -> str:
        return next((said[name] for name in names.split() if said.get(name)), "")

    return cleaned_properties(
        author=first("author dc.creator citation_author"),
        organisation=first("og:site_name publisher dc.publisher citation_publisher"),
        date=first("article:published_time dc.date date citation_publication_date"),
    )
