"""Pictures as documents: all their text is recognised."""

from collections.abc import Container, Iterator
from pathlib import Path

from ingestion.documents import Status
from ingestion.parsing.frames import Frame, PageCount, RefusalError, TextDone
from ingestion.parsing.images.image_file import ImageFile
from ingestion.parsing.limits import ParseLimits
from ingestion.parsing.ocr.recognition import UnreadPage, recognise


def read_image(
    path: Path, limits: ParseLimits, done: Container[int] = (), failed: Container[int] = ()
) -> Iterator[Frame]:
    """Read a picture; yields the number of pages, a page or a fault for each page, `TextDone`.

    Args:
        path: The file.
        limits: What the file may take.
        done: Pages that an earlier child has sent; they are not sent again.
        failed: Pages that must not be read.

    Raises:
        RefusalError: The file is no picture, or has too many pages or pixels.
    """
    with ImageFile(path) as file:
        if file.page_count > limits.max_pages:
            raise RefusalError(
                Status.TOO_LARGE,
                f"{path.name!r} has {file.page_count} pages, and the limit is {limits.max_pages}; split it",
            )
        yield PageCount(file.page_count)
        pages = [
            UnreadPage(number, "it is a picture")
            for number in range(1, file.page_count + 1)
            if number not in done and number not in failed
        ]
        yield from recognise(file, pages, limits)
        yield TextDone()
