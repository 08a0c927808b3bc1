"""A file through its reader alone, in this process: fast, and a fault shows its own traceback.

And small files of the formats that are archives, each with the text "words".
"""

import zipfile
from collections.abc import Callable
from pathlib import Path

import docx
import openpyxl
import pptx

from ingestion.documents import ParsedDocument
from ingestion.parsing import ParseLimits
from ingestion.parsing.formats import reader
from ingestion.parsing.frames import RefusalError
from ingestion.parsing.sandbox.collector import Collector
from tests.helpers.odf import write_odf
from tests.helpers.outlook import message, write_msg


def read(path: Path, limits: ParseLimits | None = None) -> ParsedDocument:
    """What `parse` makes of the file, with every heading checked against the page that it stands on."""
    limits = limits or ParseLimits()
    collector = Collector(path.name, limits)
    try:
        for frame in reader(path.suffix.lower())(path, limits):
            collector.take(frame)
    except RefusalError as refusal:
        collector.stop(refusal.status, refusal.error)
    document = collector.finish()
    assert document.error is None or "\n" not in document.error
    for heading in document.headings:
        assert document.pages[heading.page - 1].text.startswith(heading.title, heading.start)
    return document


def repack(source: Path, target: Path, changed: dict[str, bytes]) -> Path:
    """A copy of an archive with some parts replaced or added."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            if name not in changed:
                new.writestr(name, old.read(name))
        for name, data in changed.items():
            new.writestr(name, data)
    return target


def make_docx(path: Path) -> None:
    document = docx.Document()
    document.add_paragraph("words")
    document.save(str(path))


def make_pptx(path: Path) -> None:
    deck = pptx.Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[5])
    assert slide.shapes.title is not None
    slide.shapes.title.text = "words"
    deck.save(str(path))


def make_xlsx(path: Path) -> None:
    book = openpyxl.Workbook()
    book.worksheets[0]["A1"] = "words"
    book.save(path)


def make_epub(path: Path, chapters: dict[str, str] | None = None, *, toc: str = "", more: str = "") -> None:
    """A book with these chapters; `toc` is the body of its navigation, `more` goes into its manifest."""
    chapters = {"one.xhtml": "<p>words</p>"} if chapters is None else chapters
    page = '<html xmlns="http://www.w3.org/1999/xhtml"><head><title>x</title></head><body>{}</body></html>'
    item = '<item id="{0}" href="{0}" media-type="application/xhtml+xml"/>'
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/epub+zip")
        archive.writestr("META-INF/container.xml", CONTAINER)
        archive.writestr(
            "OEBPS/book.opf",
            '<package xmlns="http://www.idpf.org/2007/opf" xmlns:dc="http://purl.org/dc/elements/1.1/">'
            "<metadata><dc:title>The long walk</dc:title></metadata><manifest>"
            '<item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>'
            f'{more}{"".join(map(item.format, chapters))}</manifest><spine><itemref idref="nav"/>'
            + "".join(f'<itemref idref="{name}"/>' for name in chapters)
            + "</spine></package>",
        )
        archive.writestr("OEBPS/nav.xhtml", page.format(f"<nav>{toc}</nav>"))
        for name, body in chapters.items():
            archive.writestr(f"OEBPS/{name}", page.format(body))


def make_odt(path: Path) -> None:
    write_odf(path, "<text:p>words</text:p>")


def make_zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("words.txt", "words")


def make_msg(path: Path) -> None:
    write_msg(path, message("Letter", "words"))


def make_ods(path: Path) -> None:
    cell = "<table:table-cell><text:p>words</text:p></table:table-cell>"
    write_odf(path, f'<table:table table:name="A"><table:table-row>{cell}</table:table-row></table:table>')


def make_odp(path: Path) -> None:
    write_odf(path, "<draw:page><draw:custom-shape><text:p>words</text:p></draw:custom-shape></draw:page>")


CONTAINER = (
    '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
    '<rootfile full-path="OEBPS/book.opf"/></rootfiles></container>'
)
MAKERS: dict[str, Callable[[Path], None]] = {
    ".docx": make_docx,
    ".pptx": make_pptx,
    ".xlsx": make_xlsx,
    ".epub": make_epub,
    ".odt": make_odt,
    ".ods": make_ods,
    ".odp": make_odp,
    ".zip": make_zip,
    ".msg": make_msg,
}
