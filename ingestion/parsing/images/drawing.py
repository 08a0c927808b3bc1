"""Draws a page of a picture for the screen."""

from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from ingestion.documents import PageLayout, Status
from ingestion.parsing.frames import DrawingRequest, DrawnPage, Frame, RefusalError
from ingestion.parsing.images.image_file import ImageFile
from ingestion.parsing.shared.encoded_picture import encoded


def draw_image(path: Path, drawing: DrawingRequest) -> Iterator[Frame]:
    """Draw one page; yields one `DrawnPage`.

    Raises:
        RefusalError: The file is no picture, is damaged, or lacks the page.
    """
    with ImageFile(path) as file:
        if not 1 <= drawing.number <= file.page_count:
            reason = f"the file has {file.page_count} pages and no {drawing.number}"
            raise RefusalError(Status.FAILED, reason)
        try:
            image = file.seen(drawing.number, "RGB")
        except (OSError, ValueError, SyntaxError, EOFError) as error:
            raise RefusalError(Status.CORRUPT, f"the picture cannot be drawn ({error})") from error
        size = file.size(image)
    if image.width > drawing.pixels:
        height = max(1, round(image.height * drawing.pixels / image.width))
        image = image.resize((drawing.pixels, height), Image.Resampling.LANCZOS)
    yield DrawnPage(encoded(image), PageLayout(*size))
