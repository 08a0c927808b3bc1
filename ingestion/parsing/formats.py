"""The one table of formats: which suffix is read by what. PDF, with its password and its pictures, is apart.

A reader is imported when it is asked for, in the child process, so that a text file does not pay for the
libraries of the others. Every reader takes a file and the limits and gives frames: the number of pages,
the pages, `TextDone`, then title and headings.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

from ingestion.parsing.frames import Frame
from ingestion.parsing.limits import ParseLimits

Reader = Callable[[Path, ParseLimits], Iterator[Frame]]


def _text() -> Reader:
    from ingestion.parsing.text import read_text

    return read_text


def _markdown() -> Reader:
    from ingestion.parsing.markdown import read_markdown

    return read_markdown


def _html() -> Reader:
    from ingestion.parsing.html import read_html

    return read_html


def _csv() -> Reader:
    from ingestion.parsing.tables import read_csv

    return read_csv


def _docx() -> Reader:
    from ingestion.parsing.docx import read_docx

    return read_docx


def _pptx() -> Reader:
    from ingestion.parsing.pptx import read_pptx

    return read_pptx


def _xlsx() -> Reader:
    from ingestion.parsing.xlsx import read_xlsx

    return read_xlsx


def _epub() -> Reader:
    from ingestion.parsing.epub import read_epub

    return read_epub


_READERS: dict[str, Callable[[], Reader]] = {
    ".txt": _text,
    ".md": _markdown,
    ".markdown": _markdown,
    ".html": _html,
    ".htm": _html,
    ".xhtml": _html,
    ".csv": _csv,
    ".tsv": _csv,
    ".docx": _docx,
    ".pptx": _pptx,
    ".xlsx": _xlsx,
    ".epub": _epub,
}

SUPPORTED_SUFFIXES: frozenset[str] = frozenset({".pdf", *_READERS})


def reader(suffix: str) -> Reader:
    """What reads files that end in `suffix`, which is in lower case and not `.pdf`.

    Raises:
        KeyError: The suffix is none of `SUPPORTED_SUFFIXES`, or `.pdf`.
    """
    return _READERS[suffix]()
