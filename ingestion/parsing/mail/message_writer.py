"""A message as text: its subject, who wrote to whom and when, then its body."""

from collections.abc import Mapping

from ingestion.parsing.markup.html import parse_html
from ingestion.parsing.markup.html_writer import write_element
from ingestion.parsing.shared.page_writer import LINE, PARAGRAPH, PageWriter
from ingestion.parsing.shared.xml import local_name

_UNSHOWN = ("head", "script", "style", "title")


def write_head(writer: PageWriter, subject: str, fields: Mapping[str, str]) -> None:
    """Write the subject as a heading, and below it the fields that are not empty, as `From: …`."""
    writer.heading(subject, 1)
    gap = PARAGRAPH
    for name, value in fields.items():
        if value:
            writer.block(f"{name}: {value}", gap)
            gap = LINE


def write_page(writer: PageWriter, source: str, name: str) -> None:
    """Write a body of HTML; `name` is the file's, for an error."""
    root = parse_html(source, name)
    if root is not None:
        write_element(root, writer)


def says_less(plain: str, page: str, name: str) -> bool:
    """Whether the plain form of a body has less than half of the text of its form in HTML."""
    root = parse_html(page, name)
    if root is None:
        return False
    shown = 0
    for element in root.iter():
        if local_name(element) not in _UNSHOWN:
            shown += _letters(element.text)
        if local_name(element.getparent()) not in _UNSHOWN:
            shown += _letters(element.tail)
    return _letters(plain) < shown / 2


def _letters(text: str | None) -> int:
    return sum(map(len, (text or "").split()))
