"""One file in, a `ParsedDocument` out; whatever the file does happens in a child process.

parse(path) ─▶ files.py      is it a file that we read?  starts, watches and stops the child
               isolation.py  the child process as the parent sees it
               collect.py    frames ─▶ ParsedDocument
               frames.py     what travels between the two, and its bounds
               ──────────────────────────────────────────── the child's side
               worker.py     limits on itself, then one of
               pdf.py        pdfium.py, and pypdf_fallback.py for what PDFium cannot read
               text.py       plain text and Markdown
               cleaning.py   raw text ─▶ the text that is stored and cited
"""

from ingestion.parsing.files import SUPPORTED_SUFFIXES, parse
from ingestion.parsing.limits import ParseLimits

__all__ = ["SUPPORTED_SUFFIXES", "ParseLimits", "parse"]
