"""Text recognition (OCR) of pages that show text in pictures: PDFium draws them, a recogniser reads them.

They come after all other pages: each takes seconds, and the text that is there stays if the rest is lost.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from ingestion.documents import Page, Status
from ingestion.parsing.frames import FileWarning, Frame, OcrHint, PageBegun, PageFault
from ingestion.parsing.limits import ParseLimits
from ingestion.parsing.ocr.choice import available, open_recogniser
from ingestion.parsing.ocr.joining import with_recognised
from ingestion.parsing.ocr.recogniser import OcrError, Recogniser
from ingestion.parsing.ocr.unread_text import PlacedLetter
from ingestion.parsing.shared.page_numbers import page_list
from ingestion.text.cleaning import one_line

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_WARNING_CHARACTERS = 900
SWITCHED_OFF = "Text recognition (OCR) is switched off: no language is chosen for it, or no page allowed"


class Pictures(Protocol):
    """A file whose pages can be drawn: in grey, with width and height in points."""

    def picture(self, number: int, *, own_text: bool = True) -> tuple["Image", float, float]: ...
    def letters(self, number: int) -> Sequence[PlacedLetter]: ...


@dataclass(frozen=True, slots=True)
class UnreadPage:
    """A page that shows text in pictures.

    Attributes:
        number: Counts from 1.
        reason: Why the page fails if it is not recognised.
        known: The page without recognition (text over a picture, form fields, comments); always kept.
    """

    number: int
    reason: str
    known: Page | None = None


def recognise(file: Pictures, pages: Sequence[UnreadPage], limits: ParseLimits) -> Iterator[Frame]:
    """Recognise pages, as many as the limits allow.

    Yields:
        A `Page` or a `PageFault` for each of `pages`, and one `OcrHint` where a recogniser or a
        language is missing. A page that is partly known comes at least so, with a warning.
    """
    known = {page.number: page.known for page in pages if page.known is not None}
    lacking: dict[str, list[int]] = {}
    hint = ""
    for frame in _attempts(file, pages, limits):
        if isinstance(frame, OcrHint):
            hint = frame.text
        if isinstance(frame, PageFault) and frame.number in known:
            yield known[frame.number]
            lacking.setdefault(hint or frame.reason, []).append(frame.number)
        else:
            yield frame
    for reason, numbers in lacking.items():
        warning = f"Text in pictures on {page_list(numbers)} is not read: {reason}"
        yield FileWarning(warning[:MAX_WARNING_CHARACTERS])


def _attempts(file: Pictures, pages: Sequence[UnreadPage], limits: ParseLimits) -> Iterator[Frame]:
    if not pages:
        return
    allowed = limits.ocr_pages if limits.ocr_languages else 0
    hint = available(limits.ocr_recogniser, limits.ocr_languages) if allowed else SWITCHED_OFF
    if hint is not None:
        yield OcrHint(one_line(hint))
        yield from (PageFault(page.number, page.reason, Status.NO_TEXT) for page in pages)
        return
    recogniser = open_recogniser(limits)
    for page in pages[:allowed]:
        yield PageBegun(page.number, recognise=True)
        yield _recognised(file, page, recogniser, limits.max_page_characters)
    if (warning := recogniser.warning()) is not None:
        yield FileWarning(warning[:MAX_WARNING_CHARACTERS])
    for page in pages[allowed:]:
        reason = f"{page.reason}, and the file has more such pages than the limit allows to be recognised"
        yield PageFault(page.number, reason, Status.NO_TEXT)


def _recognised(file: Pictures, page: UnreadPage, recogniser: Recogniser, longest: int) -> Page | PageFault:
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
