"""Parses one file into a `ParsedDocument`; the file is opened in a child process only.

parse(path)      files.py            checks the path
                 sandbox/            supervisor.py starts and times the child (child_process.py),
                                     shared_child.py lends one to small text files in turn,
                                     collector.py builds the document from its frames
draw_page, unpack                    pictures.py, attachments.py: other work of such a child
                 frames.py           the messages between the two
─────────────────────────────────────── in the child process
                 sandbox/worker.py   sets limits on itself, then reads the file
                 pdf/                PDFium, pypdf as fallback, layers, annotations, attachments
                 images/             pictures as documents
                 ocr/                pages that show text in pictures, and the recognisers
                 reading_order/      lines, columns, hyphens, right-to-left text of a PDF page
                 geometry/           places on a PDF page
                 formats.py          the table of all other formats: office/, markup/
                 shared/             pages, tables, formulas, archives, XML
                 encodings/          bytes to text
"""

from ingestion.parsing.attachments import Unpacked, unpack
from ingestion.parsing.encodings.names import encoding_named, known_names
from ingestion.parsing.files import READER_VERSION, is_quick, parse
from ingestion.parsing.formats import (
    DOCUMENT_SUFFIXES,
    DRAWN_SUFFIXES,
    READ_SUFFIXES,
    SUPPORTED_SUFFIXES,
    TEXT_SUFFIXES,
)
from ingestion.parsing.limits import ParseLimits
from ingestion.parsing.pictures import Box, PageLocked, PageNotDrawn, PagePicture, draw_page
from ingestion.parsing.sandbox.shared_child import SharedChild

__all__ = [
    "DOCUMENT_SUFFIXES",
    "DRAWN_SUFFIXES",
    "READER_VERSION",
    "READ_SUFFIXES",
    "SUPPORTED_SUFFIXES",
    "TEXT_SUFFIXES",
    "Box",
    "PageLocked",
    "PageNotDrawn",
    "PagePicture",
    "ParseLimits",
    "SharedChild",
    "Unpacked",
    "draw_page",
    "encoding_named",
    "is_quick",
    "known_names",
    "parse",
    "unpack",
]
