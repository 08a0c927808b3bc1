"""Text recognition of one page's picture by tesseract.

The program is called directly: its TSV output gives each word's place and confidence, and the picture goes
through a pipe, so that no part of a document is written to a temporary folder. It inherits the parsing
process's limits of memory and processor time.
"""

import os
import re
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ingestion.documents import Page
from ingestion.parsing.ocr.recogniser import OcrError, SeenWord, page_of_words
from ingestion.parsing.process_exit import last_line, signal_name
from ingestion.text.cleaning import one_line

if TYPE_CHECKING:
    from PIL.Image import Image

# Percent. On blurred and noisy pages a third of the words with more confidence were right, and one in six of
# the words with less.
MIN_CONFIDENCE = 30.0

# Means over a page: 96 on a clean scan, 40 on one that is upside down, 50 to 90 on bad copies.
POOR_CONFIDENCE = 75.0

POINTS_PER_INCH = 72
LISTING_SECONDS = 20.0  # it takes 0.02

AUTOMATIC = "3"  # tesseract's page segmentation modes
AUTOMATIC_TURNING = "1"
ORIENTATION_ONLY = "0"

_COLUMNS = 12
_WORD_LEVEL = "5"
_TURN = re.compile(r"^Rotate: (90|180|270)$", re.MULTILINE)

# Linux ends tesseract when the child ends, even by kill -9. A small process of its own requests that and then
# becomes tesseract, because `preexec_fn` can deadlock a process with threads (the child has one).
_LEASH = (
    "import ctypes, os, signal, sys; ctypes.CDLL(None).prctl(1, signal.SIGKILL); "
    "os.getppid() == int(sys.argv[1]) or os._exit(1); os.execv(sys.argv[2], sys.argv[2:])"
)


def available(languages: tuple[str, ...]) -> str | None:
    """What is missing to recognise pages in `languages`, and how to install it; None if nothing is."""
    program = _program()
    if program is None:
        return f"text recognition needs the program tesseract: {_how_to_install(languages)}"
    try:
        missing = [language for language in languages if language not in _installed(program)]
    except OcrError as error:
        return f"tesseract cannot be used ({error}); install it anew: {_how_to_install(languages)}"
    if missing:
        names = ", ".join(missing)
        return f"tesseract has no data for the language {names}: {_how_to_install(tuple(missing))}"
    return None


class TesseractRecogniser:
    """Reads pictures of pages in the given languages, each in at most `seconds`.

    Raises:
        OcrError: Tesseract is not there, or does not start.
    """

    def __init__(self, languages: tuple[str, ...], seconds: float) -> None:
        program = _program()
        if program is None:
            raise OcrError("tesseract is not installed")
        self._program = program
        self._languages = "+".join(languages)
        self._seconds = seconds
        self._can_turn = "osd" in _installed(program)
        self._mode = AUTOMATIC

    def page(self, image: "Image", width: float, height: float, number: int) -> Page:
        """Recognise one page, as a `Recogniser` does.

        A page of low confidence may be turned: only then is its orientation detected. After the first turned
        page it is detected on every page, because scans are usually turned as a whole.
        """
        deadline = time.monotonic() + self._seconds
        picture = _as_pgm(image)
        dpi = max(1, round(image.width / width * POINTS_PER_INCH))
        words = self._words(picture, dpi, self._mode, deadline)
        if self._mode == AUTOMATIC and _is_poor(words) and self._is_turned(picture, dpi, deadline):
            self._mode = AUTOMATIC_TURNING
            words = self._words(picture, dpi, self._mode, deadline)
        return page_of_words(_certain(words), image.size, (width, height), number)

    def warning(self) -> str | None:
        """None: tesseract does not tell letters that it does not know."""
        return None

    def _words(self, picture: bytes, dpi: int, mode: str, deadline: float) -> list["_Word"]:
        options = ["-l", self._languages, "-c", "tessedit_create_tsv=1"]
        done = self._run(picture, dpi, mode, options, deadline)
        if done.returncode:
            raise OcrError(_failure(done))
        return list(_parse(done.stdout.decode("utf-8", errors="replace")))

    def _is_turned(self, picture: bytes, dpi: int, deadline: float) -> bool:
        if not self._can_turn:
            return False
        done = self._run(picture, dpi, ORIENTATION_ONLY, [], deadline)
        # It fails on pages with too few letters; they count as upright.
        return _TURN.search(done.stdout.decode("ascii", errors="replace")) is not None

    def _run(
        self, picture: bytes, dpi: int, mode: str, options: Sequence[str], deadline: float
    ) -> subprocess.CompletedProcess[bytes]:
        arguments = ["stdin", "stdout", "--psm", mode, "--dpi", str(dpi), *options]
        return _call(self._program, arguments, deadline - time.monotonic(), picture)


@dataclass(frozen=True, slots=True)
class _Word:
    """A word; `line` is block, paragraph and line; the box is in pixels."""

    text: str
    confidence: float
    line: tuple[int, int, int]
    left: int
    top: int
    width: int
    height: int


def _parse(tsv: str) -> Iterator[_Word]:
    """The words of tesseract's table: level, page, block, paragraph, line, word, box, confidence, text."""
    for row in tsv.split("\n"):
        fields = row.split("\t", _COLUMNS - 1)
        if len(fields) < _COLUMNS or fields[0] != _WORD_LEVEL:
            continue
        if text := one_line(fields[11]):
            block, paragraph, line = (int(field) for field in fields[2:5])
            left, top, width, height = (int(field) for field in fields[6:10])
            yield _Word(text, float(fields[10]), (block, paragraph, line), left, top, width, height)


def _is_poor(words: Sequence[_Word]) -> bool:
    return bool(words) and statistics.fmean(word.confidence for word in words) < POOR_CONFIDENCE


def _certain(words: Sequence[_Word]) -> list[SeenWord]:
    """The words of sufficient confidence."""
    return [
        SeenWord(word.text, word.line, (word.left, word.top, word.left + word.width, word.top + word.height))
        for word in words
        if word.confidence >= MIN_CONFIDENCE
    ]


def _as_pgm(image: "Image") -> bytes:
    """The picture in grey as PGM, the simplest format: without compression, and with little to exploit."""
    grey = image if image.mode == "L" else image.convert("L")
    return b"P5\n%d %d\n255\n" % grey.size + grey.tobytes()


def _program() -> str | None:
    """The path of tesseract, which its installer for Windows does not add to PATH."""
    if found := shutil.which("tesseract"):
        return found
    usual = Path(os.environ.get("PROGRAMFILES", "")) / "Tesseract-OCR" / "tesseract.exe"
    return str(usual) if sys.platform == "win32" and usual.is_file() else None


def _installed(program: str) -> set[str]:
    """The names of the language data that tesseract finds."""
    done = _call(program, ["--list-langs"], LISTING_SECONDS)
    if done.returncode:
        raise OcrError(_failure(done))
    return {line.strip() for line in done.stdout.decode("utf-8", errors="replace").split("\n")[1:]}


def _call(
    program: str, arguments: Sequence[str], seconds: float, data: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    """Run the program on one thread: with two, on two cores, a page took ten times as long.

    Raises:
        OcrError: It took more than `seconds` and was killed, or did not start.
    """
    command = [program, *arguments]
    if sys.platform == "linux":
        command = [sys.executable, "-I", "-S", "-c", _LEASH, str(os.getpid()), *command]
    try:
        return subprocess.run(
            command,
            input=data,
            capture_output=True,
            timeout=max(seconds, 0.0),
            check=False,
            env={**os.environ, "OMP_THREAD_LIMIT": "1"},
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except subprocess.TimeoutExpired as error:
        raise OcrError("tesseract took longer than the limit of time") from error
    except OSError as error:
        raise OcrError(f"tesseract does not start: {error.strerror or error}") from error


def _failure(done: subprocess.CompletedProcess[bytes]) -> str:
    """Why tesseract failed: its exit code or signal, and the last line that it wrote."""
    words = last_line(done.stderr)
    cause = signal_name(done.returncode) or f"code {done.returncode}"
    return one_line(f"tesseract ended with {cause}{f': {words}' if words else ''}", 200)


def _how_to_install(languages: tuple[str, ...]) -> str:
    """The command that installs it. Debian has a package for each language, other systems one for all."""
    if sys.platform == "darwin":
        return "brew install tesseract tesseract-lang"
    if sys.platform == "win32":
        return "winget install UB-Mannheim.TesseractOCR, and choose the languages while it installs"
    packages = [f"tesseract-ocr-{language.replace('_', '-').lower()}" for language in languages]
    return " ".join(["apt install tesseract-ocr", *packages])
