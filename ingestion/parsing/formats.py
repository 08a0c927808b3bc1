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
from ingestion.parsing.structured.suffixes import SOURCE_CODE_SUFFIXES

Reader = Callable[[Path, ParseLimits], Iterator[Frame]]


Sender = Callable[[Path, str | None, ParseLimits], Iterator[Frame]]  # path, password, limits


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


def _json() -> TextReader:
    from ingestion.parsing.structured.json_reader import read_json

    return read_json


def _json_lines() -> TextReader:
    from ingestion.parsing.structured.json_reader import read_json_lines

    return read_json_lines


def _notebook() -> TextReader:
    from ingestion.parsing.structured.notebook import read_notebook

    return read_notebook


def _source_code() -> TextReader:
    from ingestion.parsing.structured.source_code import read_source_code

    return read_source_code


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


def _odt() -> Reader:
    from ingestion.parsing.office.odf.reader import read_odt

    return read_odt


def _ods() -> Reader:
    from ingestion.parsing.office.odf.reader import read_ods

    return read_ods


def _odp() -> Reader:
    from ingestion.parsing.office.odf.reader import read_odp

    return read_odp


def _rtf() -> Reader:
    from ingestion.parsing.office.rtf.reader import read_rtf

    return read_rtf


def _eml() -> Reader:
    from ingestion.parsing.mail.eml import read_eml

    return read_eml


def _zip() -> Reader:
    from ingestion.parsing.archives.zip_files import read_zip

    return read_zip


def _zip_sender() -> Sender:
    from ingestion.parsing.archives.zip_files import send_members

    return send_members


def _pdf_sender() -> Sender:
    from ingestion.parsing.pdf.attachments import send_attachments

    return send_attachments


def _msg() -> Reader:
    from ingestion.parsing.mail.outlook import read_msg

    return read_msg


def _msg_sender() -> Sender:
    from ingestion.parsing.mail.outlook import send_attachments

    return send_attachments


def _eml_sender() -> Sender:
    from ingestion.parsing.mail.eml import send_attachments

    return send_attachments


_TEXT_READERS: dict[str, Callable[[], TextReader]] = {
    ".txt": _text,
    ".md": _markdown,
    ".markdown": _markdown,
    ".html": _html,
    ".htm": _html,
    ".xhtml": _html,
    ".csv": _csv,
    ".tsv": _csv,
    ".json": _json,
    ".jsonl": _json_lines,
    ".ndjson": _json_lines,
    ".ipynb": _notebook,
    **dict.fromkeys(SOURCE_CODE_SUFFIXES, _source_code),
}

_READERS: dict[str, Callable[[], Reader]] = {
    ".docx": _docx,
    ".pptx": _pptx,
    ".xlsx": _xlsx,
    ".epub": _epub,
    ".eml": _eml,
    ".msg": _msg,
    ".odt": _odt,
    ".rtf": _rtf,
    ".zip": _zip,
    ".ods": _ods,
    ".odp": _odp,
}

# Of formats that hold files of their own.
_SENDERS: dict[str, Callable[[], Sender]] = {
    ".pdf": _pdf_sender,
    ".eml": _eml_sender,
    ".msg": _msg_sender,
    ".zip": _zip_sender,
}

IMAGE_SUFFIXES: frozenset[str] = frozenset({".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp"})
DRAWN_SUFFIXES: frozenset[str] = frozenset({".pdf", *IMAGE_SUFFIXES})
SUPPORTED_SUFFIXES: frozenset[str] = frozenset({*DRAWN_SUFFIXES, *_TEXT_READERS, *_READERS})
TEXT_SUFFIXES: frozenset[str] = frozenset(_TEXT_READERS)
# Of documents, and the few of source code that a message names.
DOCUMENT_SUFFIXES = tuple(sorted(SUPPORTED_SUFFIXES.difference(SOURCE_CODE_SUFFIXES)))
READ_SUFFIXES = f"{', '.join(DOCUMENT_SUFFIXES)}, or as source code does (.py, .js, .java and others)"


def reader(suffix: str, encoding: str | None = None) -> Reader:
    """The reader of files that end in `suffix`, which is in lower case and none of `DRAWN_SUFFIXES`.

    `encoding` (see `encoding_named`) is for text formats; the others ignore it.

    Raises:
        KeyError: The suffix is none of `SUPPORTED_SUFFIXES`, or one of `DRAWN_SUFFIXES`.
    """
    if suffix in _TEXT_READERS:
        return partial(_TEXT_READERS[suffix](), encoding=encoding)
    return _READERS[suffix]()


def sender(suffix: str) -> Sender:
    """Yields the files inside files that end in `suffix`: each `Attachment` with its pieces, then `TextDone`.

    Raises:
        KeyError: Files of this format hold no others.
    """
    return _SENDERS[suffix]()
