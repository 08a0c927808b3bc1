"""How much of the machine one file may take."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ParseLimits:
    """Bounds on one file. Each is far above what honest documents need; all exist because of hostile ones.

    Attributes:
        max_bytes: Size of the file. 200 MB: pypdf, the fallback, holds a file in memory several times over.
        max_pages: Pages that a file may declare. 10 000: the largest printed manuals have half of that,
            and a page tree of a few bytes can declare two thousand million.
        max_page_characters: Characters on one page. 1 000 000: a dense page has 10 000.
        max_characters: Characters of the whole file. 50 000 000: 10 000 dense pages; bounds what the
            parent holds.
        memory_bytes: Address space of the child (RLIMIT_AS; Linux). 2 GiB: the libraries take 0.3, a large
            scanned page under 1, a stream bomb whatever there is.
        cpu_seconds: Processor time of the child until all text is read; recognition counts apart. 120 s:
            10 000 pages at 4 ms each take 40 s, and slower machines exist.
        wall_seconds: Time from start to end, recognition left out. 300 s: leaves the processor time above
            reachable on a machine that is busy with other files.
        page_seconds: Time for one page's text, or its picture. 20 s: a dense page takes 0.05 s with PDFium
            and 2 s with pypdf; leaves the file time for the others.
        restarts: Children started anew after a page that crashed or took too long. 5: honest files have
            none or one such page; each costs 0.2 s, or `page_seconds`.
        outline_seconds: Time for title, page labels and outline once all text is there; what is not there
            by then is left out. 5 s: they take 0.03 s on real filings, and are not worth a longer wait.
        ocr_languages: What tesseract recognises, by its names, most likely first; none: no recognition.
        ocr_seconds: Time to recognise one page. 60 s: a dense page takes 3 s, or 15 on a slow machine.
        ocr_pages: Pages to recognise in one file; the others fail. 500: half an hour on two cores, as much
            as a person lets run without being asked; a scanned book has 400.
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
    ocr_languages: tuple[str, ...] = ("eng",)
    ocr_seconds: float = 60.0
    ocr_pages: int = 500
