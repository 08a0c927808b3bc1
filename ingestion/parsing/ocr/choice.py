"""Which recogniser reads a file's pages: the one that is named, or the one that reads the languages."""

from collections.abc import Callable
from dataclasses import dataclass

from ingestion.parsing.limits import AUTOMATIC, ParseLimits
from ingestion.parsing.ocr import rapidocr, tesseract
from ingestion.parsing.ocr.recogniser import Recogniser


@dataclass(frozen=True, slots=True)
class _Kind:
    """A recogniser: what it lacks for languages (None: nothing), and how it is made."""

    lacks: Callable[[tuple[str, ...]], str | None]
    make: Callable[[ParseLimits], Recogniser]


_KINDS = {
    "rapidocr": _Kind(rapidocr.available, lambda _: rapidocr.RapidOcrRecogniser()),
    "tesseract": _Kind(
        tesseract.available,
        lambda limits: tesseract.TesseractRecogniser(limits.ocr_languages, limits.ocr_seconds),
    ),
}


def chosen(recogniser: str, languages: tuple[str, ...]) -> str:
    """The recogniser's name.

    `auto` is rapidocr, which reads more words right, and tesseract where rapidocr does not read a language,
    or is damaged while tesseract is there.
    """
    if recogniser != AUTOMATIC:
        return recogniser
    if rapidocr.available(languages) is None:
        return "rapidocr"
    reads_all = rapidocr.LANGUAGES.issuperset(languages)
    return "rapidocr" if reads_all and tesseract.available(languages) is not None else "tesseract"


def available(recogniser: str, languages: tuple[str, ...]) -> str | None:
    """What is missing to recognise pages in `languages`, and how to install it; None if nothing is."""
    return _KINDS[chosen(recogniser, languages)].lacks(languages)


def open_recogniser(limits: ParseLimits) -> Recogniser:
    """The recogniser for a file.

    Raises:
        OcrError: It is not there, or does not start.
    """
    return _KINDS[chosen(limits.ocr_recogniser, limits.ocr_languages)].make(limits)
