"""One file in, a `ParsedDocument` out; whatever the file does happens in a child process.

parse(path) ─▶ files.py      is it a file that we read?
               watch.py      starts the child, times it, and replaces it after a bad page
               isolation.py  the child process as the parent sees it
               collect.py    frames ─▶ ParsedDocument
               pictures.py   a page's picture, by such a child
               attachments.py  the files inside a PDF, by such a child
               frames.py     what travels between the two, and its bounds
               ──────────────────────────────────────────── the child's side
               worker.py     limits on itself, then one of
               pdf.py        pdfium.py, and pypdf_fallback.py for what PDFium cannot read
               pdf_attachments.py  the files inside a PDF
               drawing.py    a page as a picture, and where words stand on it
               lines.py      rows that PDFium breaks, made whole
               recognition.py  pages that are only pictures, by way of ocr.py
               formats.py    the table of all other formats
               decoding.py   bytes ─▶ text; encodings.py has names, detection.py guesses by alphabets.py
               cleaning.py   raw text ─▶ the text that is stored and cited, and (layout.py) back
"""

from ingestion.parsing.attachments import Unpacked, unpack
from ingestion.parsing.encodings.names import encoding_named, known_names
from ingestion.parsing.files import READER_VERSION, parse
from ingestion.parsing.formats import SUPPORTED_SUFFIXES, TEXT_SUFFIXES
from ingestion.parsing.limits import ParseLimits
from ingestion.parsing.pictures import Box, PageLocked, PageNotDrawn, PagePicture, draw_page

__all__ = [
    "READER_VERSION", "SUPPORTED_SUFFIXES", "TEXT_SUFFIXES", "Box", "PageLocked", "PageNotDrawn",
    "PagePicture", "ParseLimits", "Unpacked", "draw_page", "encoding_named", "known_names", "parse", "unpack",
]  # fmt: skip
