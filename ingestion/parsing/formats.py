"""The table of formats: suffix to reader. PDF and pictures, whose pages can be drawn, are not in it.

A reader is imported only when it is needed, because the libraries of some formats take long to import. A
reader takes a file and the limits and yields frames: the number of pages, the pages, `TextDone`, then title
and headings. Readers of text formats also take an encoding.
"""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Protocol

from ingestion.parsing.frames import Frame
from ingestion.parsing.limits import ParseLimits

Reader = Callable[[Path, ParseLimits], Iterator[Frame]]


class TextReader(Protocol):
    """Reads a text format; `encoding` is the one that the user names."""

    def __call__(
        self, path: Path, limits: ParseLimits, *, encoding: str | None = None
    ) -> Iterator[Frame]: ...


def _text() -> TextReader:
    from ingestion.parsing.markup.plain_text import read_text

    return read_text


def _markdown() -> TextReader:
    from ingestion.parsing.markup.markdown import read_markdown

    return read_markdown


def _html() -> TextReader:
    from ingestion.parsing.markup.html import read_html

    return read_html


def _csv() -> TextReader:
    from ingestion.parsing.markup.csv_reader import read_csv

    return read_csv


def _docx() -> Reader:
    from ingestion.parsing.office.docx.reader import read_docx

    return read_docx


def _pptx() -> Reader:
    from ingestion.parsing.office.pptx import read_pptx

    return read_pptx


def _xlsx() -> Reader:
    from ingestion.parsing.office.xlsx import read_xlsx

    return read_xlsx


def _epub() -> Reader:
    from ingestion.parsing.markup.epub import read_epub

    return read_epub


_TEXT_READERS: dict[str, Callable[[], TextReader]] = {
    ".txt": _text,
    ".md": _markdown,
    ".markdown": _markdown,
    ".html": _html,
    ".htm": _html,
    ".xhtml": _html,
    ".csv": _csv,
    ".tsv": _csv,
}

_READERS: dict[str, Callable[[], Reader]] = {
    ".docx": _docx,
    ".pptx": _pptx,
    ".xlsx": _xlsx,
    ".epub": _epub,
}

IMAGE_SUFFIXES: frozenset[str] = frozenset({".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp"})
DRAWN_SUFFIXES: frozenset[str] = frozenset({".pdf", *IMAGE_SUFFIXES})
SUPPORTED_SUFFIXES: frozenset[str] = frozenset({*DRAWN_SUFFIXES, *_TEXT_READERS, *_READERS})
TEXT_SUFFIXES: frozenset[str] = frozenset(_TEXT_READERS)


def reader(suffix: str, encoding: str | None = None) -> Reader:
    """The reader of files that end in `suffix`, which is in lower case and none of `DRAWN_SUFFIXES`.

    `encoding` (see `encoding_named`) is for text formats; the others ignore it.

    Raises:
        KeyError: The suffix is none of `SUPPORTED_SUFFIXES`, or one of `DRAWN_SUFFIXES`.
    """
    if suffix in _TEXT_READERS:
        return partial(_TEXT_READERS[suffix](), encoding=encoding)
    return _READERS[suffix]()
