"""The time, memory and size that one file may take."""

import os
from dataclasses import dataclass

AUTOMATIC = "auto"
FILES_AT_ONCE = 4  # that an ingestion parses, on a machine with so many cores


@dataclass(frozen=True)
class ParseLimits:
    """Bounds on one file, far above the needs of sound documents; they stop hostile files.

    Attributes:
        max_bytes: Size of the file. 200 MB: pypdf, the fallback, holds several copies of a file in memory.
        max_pages: Pages that a file may declare. 10,000: the largest printed manuals have half of that, and a
        page
            tree of a few bytes can declare two billion.
        max_page_characters: Characters on one page. 1,000,000: a dense page has 10,000. max_characters:
        Characters of the whole file. 50,000,000: 5,000 dense pages; bounds the parent's memory. memory_bytes:
        Address space of the child (RLIMIT_AS; Linux). 2 GiB: the libraries take 0.3, a large scanned
            page under 1, a stream bomb all that it can get.
        cpu_seconds: Processor time of the child until all text is read, without recognition. 120 s: 10,000
        pages at
            4 ms take 40 s on a fast machine.
        wall_seconds: Time from start to end, without recognition. 300 s: enough for `cpu_seconds` on a busy
        machine. page_seconds: Time for one page's text, or its picture. 20 s: a dense page takes 0.05 s with
        PDFium and 2 s
            with pypdf.
        restarts: Children started anew after a page that crashed or took too long. 5: sound files have at
        most one
            such page; each costs 0.2 s, or `page_seconds`.
        outline_seconds: Time for title, page labels and outline after the text; later ones are lost. 5 s:
        they take
            0.03 s on real filings.
        ocr_recogniser: What reads scanned pages: rapidocr, tesseract, or auto, which chooses by languages.
        ocr_languages: Languages of scanned pages, by tesseract's names, most likely first; empty for no
            recognition.
        ocr_seconds: Time to recognise one page. 120 s: a dense page takes 10 s, or 50 on a slow machine.
        ocr_pages: Pages to recognise in one file; the others fail. 500: an hour on one core; a scanned book
            has 400.
    """

    max_bytes: int = 200_000_000
    max_pages: int = 10_000
    max_page_characters: int = 1_000_000
    max_characters: int = 50_000_000
    memory_bytes: int = 2 * 1024**3
    cpu_seconds: int = 120
    wall_seconds: float = 300.0
    page_seconds: float = 20.0
    restarts: int = 5
    outline_seconds: float = 5.0
    ocr_recogniser: str = AUTOMATIC
    ocr_languages: tuple[str, ...] = ("eng",)
    ocr_seconds: float = 120.0
    ocr_pages: int = 500


def recognition_threads() -> int:
    """The threads that recognise a page within a parsing process: all cores together serve FILES_AT_ONCE."""
    return max(1, (os.cpu_count() or 1) // FILES_AT_ONCE)
