"""Pages whose text can only be seen: rendered by PDFium and read by tesseract; inside the child process.

They come after all other pages, because a page takes seconds, and the words that are there should be
searchable when the rest is lost.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from ingestion.documents import Page, Status
from ingestion.parsing.frames import Caution, Frame, OcrHint, PageBegun, PageFault
from ingestion.parsing.limits import ParseLimits
from ingestion.parsing.ocr.joining import with_recognised
from ingestion.parsing.ocr.unread_text import Letter
from ingestion.parsing.shared.cautions import pages_of
from ingestion.text.cleaning import one_line

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_CAUTION = 900
SWITCHED_OFF = "Text recognition (OCR) is switched off: no language is chosen for it, or no page allowed"


class Pictures(Protocol):
    """A file whose pages can be drawn: in grey, with width and height in points."""

    def picture(self, number: int, *, own_text: bool = True) -> tuple["Image", float, float]: ...
    def letters(self, number: int) -> Sequence[Letter]: ...


@dataclass(frozen=True, slots=True)
class Unread:
    """A page with something to see and no text to take; `reason` is its fault unless it is recognised.

    `known` is what the page has without that: text over a picture, fields, comments. It counts in any case.
    """

    number: int
    reason: str
    known: Page | None = None


def recognise(file: Pictures, pages: Sequence[Unread], limits: ParseLimits) -> Iterator[Frame]:
    """A `Page` or a `PageFault` for each of `pages`, and one hint where there is no tesseract.

    A page of which something is known comes with that at least, and a caution says what it lacks.
    """
    known = {page.number: page.known for page in pages if page.known is not None}
    lacking: dict[str, list[int]] = {}
    hint = ""
    for frame in _attempts(file, pages, limits):
        if isinstance(frame, OcrHint):
            hint = frame.text
        if isinstance(frame, PageFault) and frame.number in known:
            yield known[frame.number]
            reason = hint or frame.reason
            lacking.setdefault(reason, []).append(frame.number)
        else:
            yield frame
    for reason, numbers in lacking.items():
        yield Caution(f"Text in pictures on {pages_of(numbers)} is not read: {reason}"[:MAX_CAUTION])


def _attempts(file: Pictures, pages: Sequence[Unread], limits: ParseLimits) -> Iterator[Frame]:
    if not pages:
        return
    allowed = limits.ocr_pages if limits.ocr_languages else 0
    hint = _hint(limits.ocr_languages) if allowed else SWITCHED_OFF
    if hint is not None:
        yield OcrHint(one_line(hint))
        yield from (PageFault(page.number, page.reason, Status.NO_TEXT) for page in pages)
        return
    from ingestion.parsing.ocr.tesseract import Recogniser

    recogniser = Recogniser(limits.ocr_languages, limits.ocr_seconds)
    for page in pages[:allowed]:
        yield PageBegun(page.number, recognise=True)
        yield _recognised(file, page, recogniser, limits.max_page_characters)
    for page in pages[allowed:]:
        reason = f"{page.reason}, and the file has more such pages than the limit allows to be recognised"
        yield PageFault(page.number, reason, Status.NO_TEXT)


def _hint(languages: tuple[str, ...]) -> str | None:
    """What to install; None when all is there."""
    from ingestion.parsing.ocr.tesseract import available

    return available(languages)


class _Recogniser(Protocol):
    def page(self, image: "Image", width: float, height: float, number: int) -> Page: ...


def _recognised(file: Pictures, page: Unread, recogniser: _Recogniser, longest: int) -> Page | PageFault:
    from ingestion.parsing.ocr.tesseract import OcrError

    try:
        if page.known is None:
            return recogniser.page(*file.picture(page.number), page.number)
        found = recogniser.page(*file.picture(page.number, own_text=False), page.number)
        whole = with_recognised(page.known, found, file.letters(page.number))
        return whole if len(whole.text) <= longest else page.known
    except MemoryError:
        reason = "drawing it takes more memory than a file may use"
    except OcrError as error:
        reason = f"recognising it failed ({one_line(str(error), 150)})"
    except Exception as error:  # noqa: BLE001  # a page's failure is its own, whatever the library raised
        reason = f"drawing it failed ({one_line(f'{type(error).__name__}: {error}', 150)})"
    return PageFault(page.number, f"{page.reason}, and {reason}", Status.FAILED)
