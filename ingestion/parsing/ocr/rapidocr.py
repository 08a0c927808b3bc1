"""Text recognition of one page's picture by rapidocr, whose models are installed with it.

PaddleOCR's networks (PP-OCRv6, small) find the lines and read them, in ONNX Runtime within this process. It
takes half the memory that OpenVINO takes for them, as the models' inputs differ in size from line to line.
"""

import os
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from ingestion.documents import Page
from ingestion.parsing.geometry.places import Place, union
from ingestion.parsing.limits import recognition_threads
from ingestion.parsing.ocr.line_order import in_reading_order
from ingestion.parsing.ocr.recogniser import OcrError, SeenWord, page_of_words
from ingestion.parsing.shared.page_numbers import page_list
from ingestion.text.cleaning import one_line

if TYPE_CHECKING:
    from PIL.Image import Image

DETECTION, RECOGNITION = "PP-OCRv6_det_small.onnx", "PP-OCRv6_rec_small.onnx"

# Means of a line's characters, 0 to 1.
MIN_CONFIDENCE = 0.5
POOR_CONFIDENCE = 0.85  # means over a page: 0.98 upright, 0.6 upside down

# Pixels of the picture's longer side in which lines are looked for: 110 dpi on A4, where letters of 6 points
# are 9 pixels high. Lines are read in full resolution. Larger pages get more, as far as memory allows.
LOOK_PIXELS, MOST_LOOK_PIXELS = 1280, 1920
LOOK_SHARE = 0.55

# tesseract's names of languages whose every letter the recognising model knows: its table of 18,708
# characters has Latin letters, Chinese and Japanese ones, but no Cyrillic, Arabic or Korean.
_READS = (
    "afr bos cat ces chi_sim chi_tra cos cym dan deu eng epo est eus fao fin fra frm fry gla gle glg hat "
    "hrv hun ind isl ita jav jpn lat lav lit ltz mri msa nld nor oci pol por que ron slk slv spa sqi "
    "srp_latn sun swa swe tgl ton tur uzb"
)
LANGUAGES = frozenset(_READS.split())

# A line of unknown letters gives a few signs. In heights of the line's box, Latin letters are .35 to .8 wide,
# Chinese ones .7; of 63 lines in Russian 55 had less than a sign in 2.5 heights, of 112 in Latin letters none
# less than one in .8.
_THIN = 1.7  # heights a sign
_LEAST_HEIGHTS = 3.0  # of a line that counts
_MOST_THIN = 0.2  # of all lines' length, and at least so many lines:
_LEAST_THIN = 3
_UNKNOWN_LETTERS = (
    "in letters that rapidocr does not know, such as Russian, Greek, Arabic or Korean ones: install "
    "tesseract with the language's data, and name the language in ocr_languages"
)

_WIDER = 0.2  # of a line's height

_TALL = 1.5  # a line higher than so many times its width is turned
_LEAST_TURNED = 3  # lines; vertical lettering at the margin turns no page


def available(languages: tuple[str, ...]) -> str | None:
    """What is missing to recognise pages in `languages`, and what to do; None if nothing is."""
    if unread := [language for language in languages if language not in LANGUAGES]:
        return (
            f"rapidocr does not read the language {', '.join(unread)}; "
            "set ocr_recogniser to auto or tesseract, which reads it where its data is installed"
        )
    folder = _models()
    if folder is None:
        return "text recognition needs the package rapidocr: pip install rapidocr"
    lacking = [name for name in (DETECTION, RECOGNITION) if not (folder / name).is_file()]
    if lacking:
        return f"rapidocr lacks its model {', '.join(lacking)}: pip install --force-reinstall rapidocr"
    return None


class RapidOcrRecogniser:
    """Reads pictures of pages. The models are loaded with the first page.

    `ocr_seconds` is kept by the process that waits for this one.
    """

    def __init__(self) -> None:
        self._engine: Any = None
        self._looks_at = 0
        self._unknown: list[int] = []  # pages in letters that it does not know
        self._quarters = 0  # by which pages are turned against the clock

    def page(self, image: "Image", width: float, height: float, number: int) -> Page:
        """Recognise one page, as a `Recogniser` does.

        A page with tall lines, or whose lines read badly, may be turned: it is read again as they suggest.
        The next page is first read as this one was, because scans are usually turned as a whole.
        """
        quarters = self._quarters
        tried: dict[int, _Lines] = {}
        while quarters not in tried:
            lines = tried[quarters] = self._lines(image, quarters)
            quarters = (quarters + lines.turn) % 4 if lines.worth else 0
        self._quarters = quarters = max(tried, key=lambda turned: tried[turned].worth)
        lines = tried[quarters]
        if lines.drop_unknown():
            if not lines.found:
                raise OcrError(f"its text is {_UNKNOWN_LETTERS}")
            self._unknown.append(number)
        size = image.size if quarters % 2 == 0 else (image.height, image.width)
        words = [
            SeenWord(word, line, _as_drawn(box, size, quarters))
            for index, line in in_reading_order([(text, place) for text, place, _ in lines.found])
            for word, box in lines.found[index][2]
        ]
        return page_of_words(words, image.size, (width, height), number)

    def warning(self) -> str | None:
        """Names the pages with text in unknown letters."""
        if not self._unknown:
            return None
        return f"Some text on {page_list(self._unknown)} is not read, because it is {_UNKNOWN_LETTERS}"

    def _lines(self, image: "Image", quarters: int) -> "_Lines":
        from PIL.Image import Transpose

        turns = (None, Transpose.ROTATE_90, Transpose.ROTATE_180, Transpose.ROTATE_270)
        turn = turns[quarters]
        upright = image if turn is None else image.transpose(turn)
        try:
            return _Lines(self._opened(max(image.size))(upright, return_word_box=True))
        except (OcrError, MemoryError):
            raise
        except Exception as error:  # whatever the runtime raised; one page's fault
            last = (str(error).strip().splitlines() or [type(error).__name__])[-1]
            raise OcrError(f"rapidocr failed: {one_line(last, 150)}") from error

    def _opened(self, longest: int) -> Any:
        """The engine for pictures with this longer side."""
        wanted = LOOK_PIXELS if longest * LOOK_SHARE <= LOOK_PIXELS else MOST_LOOK_PIXELS
        if self._engine is None or self._looks_at != wanted:
            self._engine, self._looks_at = _engine(wanted), wanted
        return self._engine


class _Lines:
    """The lines of one reading: text, box, and words with their boxes; in pixels of the picture as read."""

    def __init__(self, output: Any) -> None:
        self.found: list[tuple[str, Place, list[tuple[str, Place]]]] = []
        rows = () if output.txts is None else zip(
            output.txts, output.scores, output.boxes, output.word_results, strict=True
        )  # fmt: skip
        self._letters = self._sum = 0.0
        tall = 0
        for raw, score, corners, letters in rows:
            text = one_line(raw)
            place = _box(corners)
            self._letters += len(text)
            self._sum += len(text) * score
            proportion = (place[3] - place[1]) / max(1.0, place[2] - place[0])
            tall += proportion > (_TALL if len(text) > 1 else _LEAST_HEIGHTS)
            if text and score >= MIN_CONFIDENCE:
                self.found.append((text, place, _words(raw, place, letters)))
        self._is_tall = tall >= _LEAST_TURNED and 2 * tall > (0 if output.txts is None else len(output.txts))

    def drop_unknown(self) -> bool:
        """Drop lines of unknown letters, where the page has several; return whether it has."""
        counted = thin = 0.0
        dropped = []
        for line in self.found:
            text, (left, top, right, bottom), _ = line
            heights = (right - left) / max(1.0, bottom - top)
            if heights < _LEAST_HEIGHTS:
                continue
            counted += heights
            if heights > _THIN * sum(not letter.isspace() for letter in text):
                thin += heights
                dropped.append(line)
        if len(dropped) < _LEAST_THIN or thin < _MOST_THIN * counted:
            return False
        self.found = [line for line in self.found if line not in dropped]
        return True

    @property
    def turn(self) -> int:
        """By how many quarters against the clock the picture may have to be turned; 0: it reads well.

        rapidocr turns a tall line by one quarter, so that its words tell which end of it is up.
        """
        is_poor = self._sum < POOR_CONFIDENCE * self._letters
        if self._is_tall:
            return 3 if is_poor else 1
        return 2 if is_poor else 0

    @property
    def worth(self) -> float:
        """How well the page reads: letters that count by their confidence, less where lines stand."""
        return self._sum * (0.5 if self._is_tall else 1.0)


def _words(text: str, place: Place, letters: Any) -> list[tuple[str, Place]]:
    """The words of a line with their boxes.

    The recogniser says in which column of its input it saw each letter, from which rapidocr makes boxes of
    letters. Where these do not fit the text, the line's box is divided by its characters.
    """
    seen = [_box(box) for _, _, box in letters or ()]
    if len(seen) != sum(not letter.isspace() for letter in text):
        step = (place[2] - place[0]) / max(1, len(text))
        seen = [
            (place[0] + at * step, place[1], place[0] + (at + 1) * step, place[3])
            for at, letter in enumerate(text)
            if not letter.isspace()
        ]
    words = []
    first = 0
    for word in text.split():
        shown = one_line(word)
        if shown:
            words.append((shown, union(seen[first : first + len(word)])))
        first += len(word)
    return [
        (word, box) for (word, _), box in zip(words, _widened([box for _, box in words], place), strict=True)
    ]


def _widened(boxes: Sequence[Place], line: Place) -> list[Place]:
    """The boxes of a line's words, wider by up to a fifth of their height, but within their line and apart.

    rapidocr gives all letters of a line the same width, which cuts the first and last letter of some words.
    """
    widened = []
    for number, (left, top, right, bottom) in enumerate(boxes):
        room = _WIDER * (bottom - top)
        before = (left - boxes[number - 1][2]) / 2 if number else left - line[0]
        after = (boxes[number + 1][0] - right) / 2 if number + 1 < len(boxes) else line[2] - right
        widened.append((left - max(0.0, min(room, before)), top, right + max(0.0, min(room, after)), bottom))
    return widened


def _box(corners: Any) -> Place:
    return union([(float(x), float(y), float(x), float(y)) for x, y in corners])


def _as_drawn(box: Place, size: tuple[int, int], quarters: int) -> Place:
    """A box on the picture of this size, which was turned against the clock, as a box before that."""
    left, top, right, bottom = box
    width, height = size
    return (
        box,
        (height - bottom, left, height - top, right),
        (width - right, height - bottom, width - left, height - top),
        (top, width - right, bottom, width - left),
    )[quarters]


def _models() -> Path | None:
    """The folder of the models that are installed with rapidocr; None without rapidocr."""
    spec = find_spec("rapidocr")
    return Path(spec.origin).parent / "models" if spec and spec.origin else None


def _engine(look_pixels: int) -> Any:
    """rapidocr with its own files only; what it lacks it may not load from the network."""
    os.environ.setdefault("OPENCV_LOG_LEVEL", "ERROR")
    import cv2
    from rapidocr import EngineType, RapidOCR
    from rapidocr.utils import download_file

    download_file.DownloadFile.run = _refuse_to_load  # type: ignore[method-assign, assignment]
    threads = recognition_threads()
    cv2.setNumThreads(threads)
    folder = _models()
    assert folder is not None  # it is imported
    return RapidOCR(
        params={
            "Global.log_level": "critical",
            "Global.use_cls": False,
            "Global.text_score": 0.0,
            "Global.max_side_len": 10**6,
            "Global.return_word_box": True,
            "Global.return_single_char_box": True,
            "Det.engine_type": EngineType.ONNXRUNTIME,
            "Det.model_path": str(folder / DETECTION),
            "Det.limit_type": "max",
            "Det.limit_side_len": look_pixels,
            "Rec.engine_type": EngineType.ONNXRUNTIME,
            "Rec.model_path": str(folder / RECOGNITION),
            "Rec.rec_batch_num": 1,  # lines in a batch are padded to the longest
            "EngineConfig.onnxruntime.intra_op_num_threads": threads,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        }
    )


def _refuse_to_load(wanted: Any) -> NoReturn:
    raise OcrError(f"rapidocr lacks {one_line(str(wanted.save_path), 100)}; install it again")
