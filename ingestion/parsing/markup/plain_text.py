"""Plain text files."""

from collections.abc import Iterator
from pathlib import Path

from ingestion.documents import Page, Status
from ingestion.parsing.encodings.decoding import decode
from ingestion.parsing.frames import Frame, PageCount, RefusalError, TextDone
from ingestion.parsing.limits import ParseLimits
from ingestion.parsing.shared.hidden_text import HiddenText
from ingestion.parsing.shared.page_writer import PART_CHARACTERS, parts
from ingestion.text.cleaning import clean


def read_text(path: Path, limits: ParseLimits, *, encoding: str | None = None) -> Iterator[Frame]:
    """Read a text file. A form feed begins a page; pages beyond PART_CHARACTERS are cut between paragraphs.

    Raises:
        RefusalError: The file is binary or broken, or the number of pages exceeds its limit.
    """
    size = min(PART_CHARACTERS, limits.max_page_characters)
    decoded = decode(path, told=encoding)
    yield from decoded.warnings
    hidden = HiddenText()
    pages: list[str] = []
    for raw in decoded.text.split("\f"):
        hidden.look_at(raw, len(pages) + 1)
        page = clean(raw)
        pages += (page[start:end] for start, end in parts(page, size))
    if len(pages) > 1 and not pages[-1].strip():
        pages.pop()  # many files end with a form feed
    if len(pages) > limits.max_pages:
        raise RefusalError(
            Status.TOO_LARGE,
            f"{path.name!r} has {len(pages)} pages (parts between form feeds, and parts of long pages), and "
            f"the limit is {limits.max_pages}; split the file",
        )
    yield PageCount(len(pages))
    for number, text in enumerate(pages, 1):
        yield Page(number, text)
    yield from hidden.warnings()
    yield TextDone()
