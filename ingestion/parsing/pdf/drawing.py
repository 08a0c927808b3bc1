"""Draws a page of a PDF and finds the places of stretches of its text."""

from collections.abc import Iterator
from pathlib import Path

import pypdfium2

from ingestion.documents import PageLayout, Status
from ingestion.parsing.frames import MAX_LAYOUT_PIECES, DrawingRequest, DrawnPage, Frame, RefusalError
from ingestion.parsing.geometry.places import CharacterPlaces, Place, union
from ingestion.parsing.pdf.opening import WrongPasswordError
from ingestion.parsing.pdf.pdfium import (
    PdfiumError,
    UnknownEncryptionError,
    open_document,
    picture_scale,
)
from ingestion.parsing.shared.encoded_picture import encoded

# Letters belong to one line if their boxes overlap by this share of the lower one's height, and to one box if
# the gap between them is at most so many times that height: a wider gap may hold another column's words.
_SAME_LINE = 0.5
_GAP = 1.0


def draw(path: Path, drawing: DrawingRequest, password: str | None = None) -> Iterator[Frame]:
    """Draw one page; yields one `DrawnPage`.

    Raises:
        RefusalError: The password does not open the file, the file lacks the page, or it cannot be drawn.
    """
    try:
        document = open_document(path, password)
        if not 1 <= drawing.number <= len(document):
            pages = len(document)
            raise RefusalError(Status.FAILED, f"the file has {pages} pages and no {drawing.number}")
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
    yield DrawnPage(encoded(image), PageLayout(width, height, words=words[:MAX_LAYOUT_PIECES]))


def _boxes(
    page: pypdfium2.PdfPage, width: float, height: float, stretches: tuple[tuple[int, int], ...]
) -> Iterator[tuple[int, int, float, float, float, float]]:
    """Yield the boxes of every stretch, line by line, as DrawnPage has them."""
    text_page = page.get_textpage()
    count = text_page.count_chars()
    places = CharacterPlaces(page, text_page, (width, height))
    for number, (first, behind) in enumerate(stretches):
        for box in _joined(places.place(index) for index in range(max(0, first), min(behind, count))):
            yield number, number + 1, *box


def _joined(letters: Iterator[Place | None]) -> Iterator[Place]:
    """Join the boxes of letters that follow each other on a line, horizontal or vertical."""
    current: Place | None = None
    last: Place | None = None
    for letter in letters:
        if letter is None:
            continue
        if current is not None and last is not None and (_beside(current, letter) or _below(last, letter)):
            current = union((current, letter))
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
    """Whether a letter follows another on a vertical line, as on a turned page."""
    return _beside((last[1], last[0], last[3], last[2]), (letter[1], letter[0], letter[3], letter[2]))
