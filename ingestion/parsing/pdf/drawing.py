"""A page as people see it, and where stretches of its text stand on it; inside the child process."""

import base64
import ctypes
import io
from collections.abc import Iterator
from pathlib import Path

import pypdfium2
import pypdfium2.raw

from ingestion.documents import PageLayout, Status
from ingestion.parsing.frames import MAX_LAYOUT_PIECES, DrawingRequest, DrawnPage, Frame, RefusalError
from ingestion.parsing.geometry.added_lines import Place
from ingestion.parsing.geometry.places import PageTransform
from ingestion.parsing.pdf.opening import WrongPasswordError
from ingestion.parsing.pdf.pdfium import (
    PdfiumError,
    UnknownEncryptionError,
    open_document,
    picture_scale,
)

# A picture beyond this is a scan or a photograph, of which JPEG makes a tenth.
_LARGE_PNG_BYTES = 600_000
_JPEG_QUALITY = 85
# Letters are of one line when their boxes share this much of the lower one's height, and of one box when
# the gap between them is less than this many times that height: a wider one may hold another column's
# words.
_SAME_LINE = 0.5
_GAP = 1.0


def draw(path: Path, drawing: DrawingRequest, password: str | None = None) -> Iterator[Frame]:
    """The one frame of a drawing.

    Raises:
        RefusalError: The file cannot be opened with this password, has no such page, or it cannot be drawn.
    """
    try:
        document = open_document(path, password)
        if not 1 <= drawing.number <= len(document):
            raise RefusalError(Status.FAILED, f"the file has {len(document)} pages and no {drawing.number}")
        page = document[drawing.number - 1]
        width, height = page.get_size()
        scale = min(drawing.pixels / width, picture_scale(width, height))
        image = page.render(scale=scale, limit_image_cache=True).to_pil().convert("RGB")
        words = tuple(_boxes(page, width, height, drawing.stretches))
    except (WrongPasswordError, UnknownEncryptionError) as error:
        raise RefusalError(
            Status.NEEDS_PASSWORD,
            "the password is not the right one"
            if password
            else "the file is locked with a password, which is not kept; its text is shown instead",
        ) from error
    except (PdfiumError, OSError, ValueError, ZeroDivisionError) as error:
        raise RefusalError(Status.CORRUPT, f"the page cannot be drawn ({error})") from error
    stream = io.BytesIO()
    image.save(stream, "PNG")
    if stream.tell() > _LARGE_PNG_BYTES:
        stream = io.BytesIO()
        image.save(stream, "JPEG", quality=_JPEG_QUALITY)
    encoded = base64.b64encode(stream.getvalue()).decode("ascii")
    yield DrawnPage(encoded, PageLayout(width, height, words=words[:MAX_LAYOUT_PIECES]))


def _boxes(
    page: pypdfium2.PdfPage, width: float, height: float, stretches: tuple[tuple[int, int], ...]
) -> Iterator[tuple[int, int, float, float, float, float]]:
    """Yield the boxes of every stretch, line by line, as DrawnPage has them."""
    text_page = page.get_textpage()
    count = text_page.count_chars()
    places = _Places(page, text_page, width, height)
    for number, (first, behind) in enumerate(stretches):
        for box in _joined(places.of(index) for index in range(max(0, first), min(behind, count))):
            yield number, number + 1, *box


def _joined(letters: Iterator[Place | None]) -> Iterator[Place]:
    """Join the boxes of letters that follow each other on a line, whichever way it runs."""
    current: Place | None = None
    last: Place | None = None
    for letter in letters:
        if letter is None:
            continue
        if current is not None and last is not None and (_beside(current, letter) or _below(last, letter)):
            current = (
                min(current[0], letter[0]), min(current[1], letter[1]),
                max(current[2], letter[2]), max(current[3], letter[3]),
            )  # fmt: skip
        else:
            if current is not None:
                yield current
            current = letter
        last = letter
    if current is not None:
        yield current


def _beside(line: Place, letter: Place) -> bool:
    lower = min(line[3] - line[1], letter[3] - letter[1])
    shared = min(line[3], letter[3]) - max(line[1], letter[1])
    gap = max(letter[0] - line[2], line[0] - letter[2])
    return shared >= _SAME_LINE * lower and gap <= _GAP * lower


def _below(last: Place, letter: Place) -> bool:
    """Whether a letter follows another one on a line that runs up or down, as on a page that was turned."""
    return _beside((last[1], last[0], last[3], last[2]), (letter[1], letter[0], letter[3], letter[2]))


class _Places:
    """Where letters stand on the page as it is seen."""

    def __init__(
        self, page: pypdfium2.PdfPage, text_page: pypdfium2.PdfTextPage, width: float, height: float
    ) -> None:
        self._text = text_page.raw
        self._view = PageTransform(page, width, height)
        self._box = pypdfium2.raw.FS_RECTF()

    def of(self, index: int) -> Place | None:
        """Return a letter's box, as high as its font; None for white space and what has no area."""
        character = pypdfium2.raw.FPDFText_GetUnicode(self._text, index)
        if chr(character).isspace():
            return None
        box = self._box
        if not pypdfium2.raw.FPDFText_GetLooseCharBox(self._text, index, ctypes.byref(box)):
            return None
        return self._view.place(box.left, box.bottom, box.right, box.top)
