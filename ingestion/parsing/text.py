"""Plain text, and the bytes of every format that is text: inside the child process."""

import codecs
from collections.abc import Iterator
from pathlib import Path

from ingestion.documents import Page, Status
from ingestion.parsing.cleaning import MAX_CONTROL_SHARE, clean, control_share
from ingestion.parsing.frames import Frame, PageCount, RefusalError, TextDone
from ingestion.parsing.limits import ParseLimits
from ingestion.parsing.pages import PART_CHARACTERS, parts

# The mark of UTF-32 (little-endian) begins with that of UTF-16, so it is tried first.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)

# What files of another kind begin with, and what to do about them.
_OTHER_KINDS = (
    (b"%PDF-", "a PDF", "rename it to end in .pdf"),
    (b"PK\x03\x04", "a ZIP archive (.docx, .epub and others are)", "give it its own suffix"),
    (b"\xd0\xcf\x11\xe0", "a file of an old Office program", "save it as .docx, .pptx or .xlsx"),
    (b"{\\rtf", "rich text (RTF)", "save it as .docx"),
)


def read_text(path: Path, limits: ParseLimits) -> Iterator[Frame]:
    """The frames of a text file.

    A form feed begins a new page; a text without them is one page, or, if it is long, one for each
    PART_CHARACTERS or so, cut between paragraphs.

    Raises:
        RefusalError: The file is binary or broken, or the number of pages exceeds its limit.
    """
    size = min(PART_CHARACTERS, limits.max_page_characters)
    whole = (clean(page) for page in decode(path).split("\f"))
    pages = [page[start:end] for page in whole for start, end in parts(page, size)]
    if len(pages) > 1 and not pages[-1].strip():
        pages.pop()  # many files end with a form feed
    if len(pages) > limits.max_pages:
        raise RefusalError(
            Status.TOO_LARGE,
            f"{path.name!r} has {len(pages)} pages (parts between form feeds, or long ones cut), and the "
            f"limit is {limits.max_pages}; split the file",
        )
    yield PageCount(len(pages))
    for number, text in enumerate(pages, 1):
        yield Page(number, text)
    yield TextDone()


def decode(path: Path, *, declared: str | None = None) -> str:
    """The text of a file: as its mark says, else as `declared`, else UTF-8, else Windows-1252.

    `declared` is what the text itself says of its encoding; it is not believed if it does not fit.

    Raises:
        RefusalError: The file is of another kind, binary, or not what its mark says.
    """
    data = path.read_bytes()
    for beginning, kind, advice in _OTHER_KINDS:
        if data.startswith(beginning):
            raise RefusalError(Status.UNSUPPORTED, f"{path.name!r} is {kind} by its content; {advice}")
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            try:
                return data[len(mark) :].decode(encoding)
            except UnicodeDecodeError as error:
                raise RefusalError(
                    Status.CORRUPT,
                    f"{path.name!r} says that it is {encoding.upper()}, but byte {error.start + len(mark)} "
                    "is not; save it again as UTF-8",
                ) from error
    text = decode_unmarked(data, declared)
    if b"\0" in data or control_share(text) > MAX_CONTROL_SHARE:
        raise RefusalError(
            Status.UNSUPPORTED,
            f"{path.name!r} is not text but binary data (or UTF-16 without a mark); save it as UTF-8 text",
        )
    return text


def decode_unmarked(data: bytes, declared: str | None = None) -> str:
    """`data` as text, in the first encoding that fits: `declared`, UTF-8, Windows-1252, Latin-1."""
    for encoding in (declared, "utf-8", "cp1252"):
        try:
            if encoding is not None:
                return data.decode(encoding)  # a text encoding: codecs.decode would also unpack "zip"
        except (UnicodeError, LookupError):  # LookupError: there is no such encoding
            continue
    return data.decode("latin-1")  # takes every byte
