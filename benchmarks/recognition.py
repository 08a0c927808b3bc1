"""How well and how fast scanned pages are read: by rapidocr and by tesseract, on the same pictures in turns.

    RAG_EVAL_DATA=FOLDER python benchmarks/recognition.py [--quick] [--json FILE]

The pages are pages of mixed-dev whose text layer is known. They are drawn at 200 and at 150 dpi, and once
more at 150 dpi as a copier leaves them: askew by 0.7 degrees, blurred, grey and noisy. Words are compared
without case and without their order, so that the order of columns counts for nothing. Of the scans without a
text layer (scan-ntsb of mixed-dev, issue7229 of pdf-torture) the words found are counted.

KIND/LANGUAGE/right      the share of the page's words that are found, mean over the pages
KIND/LANGUAGE/wrong      words found that the page does not have, a share of its words, mean
KIND/seconds             a page, median, after the models are loaded; one thread each on up to four cores
scan/FILE/words          words found on a scan

`ours` is rapidocr, `peer` is tesseract, each for the language of the page where it has the language's data.
"""

import re
import statistics
import time
import unicodedata
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pypdfium2
from PIL import Image, ImageFilter
from report import Result, arguments, compare, evaluation_data, publish

from ingestion.parsing.ocr import tesseract
from ingestion.parsing.ocr.rapidocr import RapidOcrRecogniser
from ingestion.parsing.ocr.recogniser import Recogniser

# Document, tesseract's name of its language, pages from 1.
PAGES = (
    ("mixed-dev/documents/nist-sp800-30r1.pdf", "eng", (31, 52)),
    ("mixed-dev/documents/opm-2019-annual-performance-report.pdf", "eng", (13, 30)),
    ("mixed-dev/documents/ntsb-20080109X00035.pdf", "eng", (2,)),
    ("mixed-dev/documents/Eton-Aucta-Development-Agreement.pdf", "eng", (6,)),
    ("mixed-dev/documents/NCT06158269_Prot_000.pdf", "eng", (4,)),
    ("mixed-dev/documents/jcon.00078-UnitTestDesign.pdf", "eng", (2,)),
    ("mixed-dev/documents/Satzung-Makerspace-Guetersloh.pdf", "deu", (2, 4)),
    ("mixed-dev/documents/SO-Tema2-procesos-e-hilos.pdf", "spa", (3, 6)),
)
SCANS = (
    ("mixed-dev/documents/scan-ntsb-20080116X00055.pdf", (1, 2, 3)),
    ("pdf-torture/files/issue7229.pdf", (1,)),
)
KINDS = {"200 dpi": 200, "150 dpi": 150, "copy at 150 dpi": 150}
QUICK_PAGES = 3

_WORD = re.compile(r"\w+(?:[.,'’]\w+)*")


@dataclass(frozen=True, slots=True)
class Drawing:
    """A page as a picture, with its size in points and its words; no words where they are not known."""

    name: str
    language: str
    image: Image.Image
    width: float
    height: float
    words: Counter[str]


@dataclass(slots=True)
class Reading:
    """What a recogniser made of one drawing; shares of the page's words."""

    right: float
    wrong: float
    words: int
    seconds: float


def words_of(text: str) -> Counter[str]:
    return Counter(_WORD.findall(unicodedata.normalize("NFC", text).casefold()))


def drawn(file: Path, language: str, number: int, kind: str) -> Drawing:
    """One page, drawn as `kind` says."""
    page = pypdfium2.PdfDocument(file)[number - 1]
    text = re.sub("\ufffe\\s*", "", page.get_textpage().get_text_range())
    dpi = KINDS[kind]
    image = page.render(scale=dpi / 72, grayscale=True).to_pil().copy()
    if kind.startswith("copy"):
        image = copied(image)
    width, height = page.get_size()
    return Drawing(f"{file.name}, page {number}", language, image, width, height, words_of(text))


def copied(image: Image.Image) -> Image.Image:
    """The picture as a copier leaves it; the same one each time."""
    askew = image.rotate(0.7, fillcolor=255, resample=Image.Resampling.BICUBIC)
    blurred = np.asarray(askew.filter(ImageFilter.GaussianBlur(0.8)), dtype=np.float32)
    noise = np.random.default_rng(0).normal(0, 14, blurred.shape)
    return Image.fromarray((blurred * 0.75 + 40 + noise).clip(0, 255).astype(np.uint8))


def read(recogniser: Recogniser, page: Drawing) -> Reading:
    began = time.perf_counter()
    found = words_of(recogniser.page(page.image, page.width, page.height, 1).text)
    seconds = time.perf_counter() - began
    known = max(1, page.words.total())
    right, wrong = (found & page.words).total() / known, (found - page.words).total() / known
    return Reading(right, wrong, found.total(), seconds)


def tesseract_for(language: str) -> Recogniser:
    """tesseract with the language's data, or else with the English one."""
    known = language if tesseract.available((language,)) is None else "eng"
    return tesseract.TesseractRecogniser((known,), 300.0)


def in_turns(pages: list[Drawing], rapid: Recogniser) -> list[tuple[Drawing, Reading, Reading]]:
    """Both recognisers' readings of each page; each comes first on every other page."""
    read_by: list[tuple[Drawing, Reading, Reading]] = []
    for number, page in enumerate(pages):
        both: list[Callable[[], Reading]] = [
            lambda page=page: read(rapid, page),  # type: ignore[misc]
            lambda page=page: read(tesseract_for(page.language), page),  # type: ignore[misc]
        ]
        if number % 2:
            peer, ours = both[1](), both[0]()
        else:
            ours, peer = both[0](), both[1]()
        read_by.append((page, ours, peer))
        print(
            f"{page.name}: right {ours.right:.3f} {peer.right:.3f}, wrong {ours.wrong:.3f} {peer.wrong:.3f}, "
            f"seconds {ours.seconds:.1f} {peer.seconds:.1f}",
            flush=True,
        )
    return read_by


def main() -> None:
    options = arguments(__doc__).parse_args()
    data = evaluation_data()
    rapid = RapidOcrRecogniser()
    rapid.page(Image.new("L", (200, 200), 255), 72, 72, 1)  # loads the models
    results: list[Result] = []
    listed = [(file, language, number) for file, language, numbers in PAGES for number in numbers]
    kinds = list(KINDS)[-1:] if options.quick else list(KINDS)
    for kind in kinds:
        chosen = listed[:QUICK_PAGES] if options.quick else listed
        pages = [drawn(data / file, language, number, kind) for file, language, number in chosen]
        read_by = in_turns(pages, rapid)
        for language in dict.fromkeys(page.language for page in pages):
            ours = [mine for page, mine, _ in read_by if page.language == language]
            peer = [theirs for page, _, theirs in read_by if page.language == language]
            name = f"{kind}/{language}"
            results += [
                shares(f"{name}/right", [one.right for one in ours], [one.right for one in peer]),
                shares(f"{name}/wrong", [one.wrong for one in ours], [one.wrong for one in peer]),
            ]
        times = [mine.seconds for _, mine, _ in read_by], [theirs.seconds for _, _, theirs in read_by]
        results.append(compare(f"{kind}/seconds", "s", *times, "tesseract"))
    for file, numbers in () if options.quick else SCANS:
        read_by = in_turns([drawn(data / file, "eng", number, "200 dpi") for number in numbers], rapid)
        found = [mine.words for _, mine, _ in read_by], [theirs.words for _, _, theirs in read_by]
        results.append(compare(f"scan/{Path(file).name}/words", "words", *found, "tesseract"))
    publish(results, {"pages": [f"{Path(file).name} {number}" for file, _, number in listed]}, options.json)


def shares(name: str, ours: list[float], peer: list[float]) -> Result:
    """The means of shares, which are few and differ in kind: a median would hide the hard pages."""
    mine, theirs = statistics.fmean(ours), statistics.fmean(peer)
    ratio = mine / theirs if theirs else None
    return Result(
        name, "share", round(mine, 4), round(theirs, 4), "tesseract", ratio and round(ratio, 3), len(ours)
    )


if __name__ == "__main__":
    main()
