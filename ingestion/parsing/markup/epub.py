"""Books (.epub): chapters in reading order, each beginning a page."""

import posixpath
from collections.abc import Iterator
from pathlib import Path

from lxml import etree

from ingestion.documents import FileProperties, Status
from ingestion.parsing.encodings.decoding import Decoded, decode_part
from ingestion.parsing.frames import MAX_WARNINGS, FileWarning, Frame, RefusalError
from ingestion.parsing.limits import ParseLimits
from ingestion.parsing.markup.html import declared_encoding, parse_html
from ingestion.parsing.markup.html_writer import write_element
from ingestion.parsing.shared.page_writer import PageWriter
from ingestion.parsing.shared.properties import cleaned_properties
from ingestion.parsing.shared.xml import inner_text, local_name
from ingestion.parsing.shared.zip_archive import Archive, resolve
from ingestion.text.cleaning import one_line, sensible_title

_CHAPTER_TYPES = ("application/xhtml+xml", "text/html", "application/xml")
_LARGE_PICTURE_BYTES = 60_000  # ornaments and vignettes have less
_CONTAINER = "META-INF/container.xml"
_SAID_OF_A_BOOK = ("creator", "publisher", "date")
_ENCRYPTION = "META-INF/encryption.xml"
# These two methods only scramble fonts, also in books without copy protection.
_FONT_ALGORITHMS = ("http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC")


def read_epub(path: Path, limits: ParseLimits) -> Iterator[Frame]:
    """Read a book. A chapter without a heading gets its title from the table of contents.

    Raises:
        RefusalError: The file is broken, of another kind, protected, or larger than the limits.
    """
    archive = Archive(path, limits)
    _refuse_protected(archive)
    book = _Book(archive)
    titles = book.titles()
    writer = PageWriter(path.name, limits)
    warnings: list[FileWarning] = []
    for chapter in book.chapters():
        decoded = _decode(archive.read(chapter), chapter)
        warnings += decoded.warnings
        root = parse_html(decoded.text, path.name, is_xml=True)
        if root is None:
            continue
        body = next((element for element in root if local_name(element) == "body"), root)
        write_element(body, writer)
        if title := titles.get(chapter):
            writer.ensure_heading(title)
        writer.end_page()
    if pictures := book.large_pictures():
        writer.warn(f"Not read: {pictures} large pictures of the book. Text in them cannot be found.")
    yield from warnings[: MAX_WARNINGS // 2]
    yield from writer.frames(book.title(), book.properties())


class _Book:
    """The package document: the parts of the book and their order."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        rootfile = next(archive.xml(_CONTAINER).iter("{*}rootfile"), None)
        if rootfile is None:
            raise archive.corrupt("it names no book")
        name = resolve("", rootfile.get("full-path") or "")
        self._folder = posixpath.dirname(name)
        self._package = archive.xml(name)
        self._items = {
            item.get("id") or "": item for item in self._package.iter("{*}item") if item.get("href")
        }

    def title(self) -> str | None:
        return next(
            (sensible_title(element.text) for element in self._package.iter("{*}title") if element.text), None
        )

    def properties(self) -> FileProperties:
        """The book's author, publisher and date of publication."""
        said = {name: next(self._package.iter(f"{{*}}{name}"), None) for name in _SAID_OF_A_BOOK}
        author, publisher, date = (None if one is None else one.text for one in said.values())
        return cleaned_properties(author=author, organisation=publisher, date=date)

    def chapters(self) -> Iterator[str]:
        """The names of the chapters in reading order, without the table of contents."""
        seen = set()
        for reference in self._package.iter("{*}itemref"):
            item = self._items.get(reference.get("idref") or "")
            if item is None or item.get("media-type") not in _CHAPTER_TYPES or _is_navigation(item):
                continue
            part = self._part(item)
            if part in self._archive and part not in seen:  # once each: a spine may repeat a part without end
                seen.add(part)
                yield part

    def titles(self) -> dict[str, str]:
        """The first title of each part in the table of contents, of EPUB 3 or EPUB 2."""
        titles: dict[str, str] = {}
        for item in self._items.values():
            part = self._part(item)
            if part not in self._archive:
                continue
            if _is_navigation(item):
                root = parse_html(
                    _decode(self._archive.read(part), part).text, self._archive.name, is_xml=True
                )
                links = root.iter("{*}a") if root is not None else ()
                entries = [(link.get("href"), inner_text(link)) for link in links]
            elif item.get("media-type") == "application/x-dtbncx+xml":
                entries = [_ncx_entry(point) for point in self._archive.xml(part).iter("{*}navPoint")]
            else:
                continue
            for target, title in entries:
                place = resolve(posixpath.dirname(part), (target or "").partition("#")[0])
                if title := one_line(title):
                    titles.setdefault(place, title)
        return titles

    def large_pictures(self) -> int:
        """The number of pictures large enough for a page or a table, without the cover."""
        return sum(
            (item.get("media-type") or "").startswith("image/")
            and "cover" not in f"{item.get('id')} {item.get('properties')} {item.get('href')}".lower()
            and self._archive.declared_size(self._part(item)) >= _LARGE_PICTURE_BYTES
            for item in self._items.values()
        )

    def _part(self, item: etree._Element) -> str:
        return resolve(self._folder, (item.get("href") or "").partition("#")[0])


def _is_navigation(item: etree._Element) -> bool:
    return "nav" in (item.get("properties") or "").split()


def _ncx_entry(point: etree._Element) -> tuple[str | None, str]:
    label = next(point.iter("{*}text"), None)
    content = next(point.iter("{*}content"), None)
    return (
        None if content is None else content.get("src"),
        (label.text or "") if label is not None else "",
    )


def _decode(data: bytes, part: str) -> Decoded:
    return decode_part(data, part, declared=declared_encoding(data[:4096]))


def _refuse_protected(archive: Archive) -> None:
    if _ENCRYPTION not in archive:
        return
    methods = {element.get("Algorithm") for element in archive.xml(_ENCRYPTION).iter("{*}EncryptionMethod")}
    if methods - set(_FONT_ALGORITHMS):
        raise RefusalError(
            Status.UNSUPPORTED,
            f"{archive.name!r} is protected against copying (DRM) and can only be read in its shop's program",
        )
