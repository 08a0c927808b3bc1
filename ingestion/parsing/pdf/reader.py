"""PDF: PDFium reads, pypdf reads what PDFium cannot.

Text comes first and is sent page by page. Pages that PDFium fails on come after all others, because pypdf may
never return; then come pages that need text recognition. Title, labels and outline come last: the parent
stops waiting for them after a few seconds and keeps the text. They come from the same library as the text: on
real filings PDFium's outline equals pypdf's, without the 0.2 s that pypdf costs every file.
"""

import re
from collections.abc import Container, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Protocol

from ingestion.documents import FileProperties, Heading, Page, Status
from ingestion.parsing.frames import (
    MAX_ATTACHMENTS,
    MAX_HEADINGS,
    Attachment,
    Draft,
    FileWarning,
    Frame,
    PageBegun,
    PageCount,
    PageFault,
    PageLabel,
    RefusalError,
    TextDone,
    Title,
)
from ingestion.parsing.geometry.added_lines import with_lines
from ingestion.parsing.geometry.layout import RawPage, page_of
from ingestion.parsing.limits import ParseLimits
from ingestion.parsing.ocr.recognition import UnreadPage, recognise
from ingestion.parsing.pdf.opening import WrongPasswordError
from ingestion.parsing.pdf.pdfium import (
    PageTooLongError,
    PdfiumError,
    PdfiumFile,
    UnknownEncryptionError,
)
from ingestion.parsing.shared.page_numbers import page_list
from ingestion.text.cleaning import (
    MAX_CONTROL_SHARE,
    HeadingFinder,
    one_line,
    sensible_title,
)

MAX_LABEL_CHARACTERS = 40
HEADER_WINDOW = 1024  # bytes in which readers look for the header

_HEADER = b"%PDF-"
_OBJECT = re.compile(rb"\d+\s+\d+\s+obj\b")


@dataclass(frozen=True, slots=True)
class SuspectPage:
    """A page with a picture that may show more text."""

    page: Page


class PdfFile(Protocol):
    """An opened PDF, whichever library reads it. Pages count from 1."""

    page_count: int

    def text(self, number: int, max_characters: int) -> RawPage: ...
    def has_picture(self, number: int) -> bool: ...
    def shows_unread_text(self, number: int) -> bool: ...
    def file_warnings(self) -> Iterator[FileWarning]: ...
    def title(self) -> str | None: ...
    def properties(self) -> FileProperties: ...
    def labels(self) -> Iterator[tuple[int, str]]: ...
    def outline(self) -> Iterator[tuple[str, int, int]]: ...
    def attachments(self) -> Iterator[str]: ...


def read_pdf(
    path: Path,
    *,
    password: str | None,
    limits: ParseLimits,
    done: Container[int] = (),
    failed: Container[int] = (),
) -> Iterator[Frame]:
    """Read a PDF.

    Args:
        path: The file.
        password: Opens an encrypted file; the empty password is tried as well.
        limits: What the file may take.
        done: Pages that an earlier child has sent; they are not sent again.
        failed: Pages that must not be read.

    Yields:
        The number of pages, a page or a fault for each page, attachments, warnings, `TextDone`, then title,
        labels and headings.

    Raises:
        RefusalError: The file cannot be read at all, or has too many pages.
    """
    document = _open(path, password)
    if document.page_count > limits.max_pages:
        raise RefusalError(
            Status.TOO_LARGE,
            f"{path.name!r} has {document.page_count} pages, and the limit is {limits.max_pages}; split it",
        )
    yield PageCount(document.page_count)
    left = [
        number for number in range(1, document.page_count + 1) if number not in done and number not in failed
    ]
    texts: dict[int, str] = {}
    for frame in _pages(document, path, password, left, limits):
        if isinstance(frame, Page):
            texts[frame.number] = frame.text
        yield frame
    yield from _attachments(document)
    yield from _warnings(document)
    yield TextDone()
    yield from _extras(document, texts, done, limits)


def _pages(
    document: PdfFile, path: Path, password: str | None, numbers: list[int], limits: ParseLimits
) -> Iterator[Frame]:
    """A page or a fault for each number; pages that are slow to read come last."""
    damaged: list[int] = []
    suspects: list[Page] = []
    unread: list[UnreadPage] = []
    for number in numbers:
        yield PageBegun(number, recognise=False)
        found = _page(document, number, limits)
        if isinstance(found, UnreadPage):
            if found.known is not None:
                yield Draft.of(found.known)
            unread.append(found)
        elif isinstance(found, SuspectPage):
            yield Draft.of(found.page)
            suspects.append(found.page)
        elif _is_damaged(found) and isinstance(document, PdfiumFile):
            damaged.append(number)
        else:
            yield found
    for page in suspects:
        yield PageBegun(page.number, recognise=False)
        if _shows_unread_text(document, page.number):
            unread.append(UnreadPage(page.number, "it is a picture of text, with other text on it", page))
        else:
            yield page
    unread.sort(key=lambda page: page.number)
    if damaged:
        yield from _second_reading(path, password, damaged, limits)
    if isinstance(document, PdfiumFile):
        yield from recognise(document, unread, limits)
    else:
        yield from (PageFault(page.number, page.reason, Status.NO_TEXT) for page in unread)


def _warnings(document: PdfFile) -> Iterator[FileWarning]:
    try:
        yield from document.file_warnings()
    except Exception as error:  # noqa: BLE001  # whatever the library raised; the text is there
        yield FileWarning(
            f"Whether the file holds more than its pages' text is not known ({_describe(error)})."
        )


def _open(path: Path, password: str | None) -> PdfFile:
    """Open the file with PDFium, or else with pypdf, which knows more encryption methods."""
    try:
        document: PdfFile = PdfiumFile(path, password)
        return document if document.page_count else _open_with_pypdf(path, password, "it has no pages")
    except WrongPasswordError as error:
        raise _locked(path, password) from error
    except UnknownEncryptionError:
        fault = "it is encrypted in an unusual way"
    except PdfiumError as error:
        fault = one_line(str(error), 100)
    try:
        return _open_with_pypdf(path, password, fault)
    except WrongPasswordError as error:
        raise _locked(path, password) from error


def _locked(path: Path, password: str | None) -> RefusalError:
    name = path.name
    problem = f"the password given does not open {name!r}" if password else f"{name!r} needs a password"
    return RefusalError(Status.NEEDS_PASSWORD, f"{problem}; give the one that opens it in a PDF viewer")


def _open_with_pypdf(path: Path, password: str | None, fault: str) -> PdfFile:
    from ingestion.parsing.pdf.pypdf_fallback import PypdfFile

    with path.open("rb") as stream:
        head = stream.read(HEADER_WINDOW)
    not_a_pdf = RefusalError(
        Status.CORRUPT,
        f"{path.name!r} is not a PDF: it does not contain a PDF header; check where the file came from",
    )
    if _HEADER not in head and not _OBJECT.search(head):
        raise not_a_pdf  # pypdf would look for objects in all of it
    try:
        document = PypdfFile(path, password)
    except (WrongPasswordError, MemoryError):
        raise
    except Exception as error:  # pypdf raises many kinds; each means that it cannot read the file
        if _HEADER not in head:
            raise not_a_pdf from error
        raise RefusalError(
            Status.CORRUPT,
            f"{path.name!r} is damaged and cannot be opened ({fault}; pypdf: {_describe(error)}); "
            "open it in a PDF viewer and save it again, or get a new copy",
        ) from error
    if not document.page_count:
        raise RefusalError(Status.CORRUPT, f"{path.name!r} is damaged: it has no pages; get a new copy")
    return document


def _page(document: PdfFile, number: int, limits: ParseLimits) -> Page | PageFault | UnreadPage | SuspectPage:
    """One page, or why it is missing; CORRUPT if another library may read it."""
    try:
        raw = document.text(number, limits.max_page_characters)
        if raw.unreadable > MAX_CONTROL_SHARE:
            share = f"{raw.unreadable:.0%} of the characters are unreadable"
            return UnreadPage(number, f"its fonts do not say which letters they show ({share})")
        page = page_of(number, raw)
        whole = with_lines(page, raw.added, raw.size, limits.max_page_characters) if raw.size else page
        if not page.text.strip() and document.has_picture(number):
            return UnreadPage(number, "it is a picture without text", whole if raw.added else None)
        return SuspectPage(whole) if raw.is_suspect else whole
    except PageTooLongError as error:
        reason = f"it has {error.characters} characters, and the limit is {limits.max_page_characters}"
        return PageFault(number, reason, Status.TOO_LARGE)
    except MemoryError:
        return PageFault(number, "reading it takes more memory than a file may use", Status.FAILED)
    except Exception as error:  # noqa: BLE001  # a page's failure is its own, whatever the library raised
        return PageFault(number, f"it is damaged ({_describe(error)})", Status.CORRUPT)


def _shows_unread_text(document: PdfFile, number: int) -> bool:
    try:
        return document.shows_unread_text(number)
    except Exception:  # noqa: BLE001  # the picture cannot be drawn; recognition reports why
        return True


def _is_damaged(found: Page | PageFault) -> bool:
    return isinstance(found, PageFault) and found.status is Status.CORRUPT


def _second_reading(
    path: Path, password: str | None, numbers: list[int], limits: ParseLimits
) -> Iterator[Page | PageFault | PageBegun | FileWarning]:
    """Read with pypdf the pages that PDFium could not read."""
    from ingestion.parsing.pdf.pypdf_fallback import PypdfFile

    yield PageBegun(numbers[0], recognise=False)  # the time to open the file counts as the first page's
    try:
        document = PypdfFile(path, password)
    except Exception as error:  # noqa: BLE001  # pypdf raises many kinds; reported on every page
        reason = f"it is damaged (PDFium cannot read it; {_describe(error)})"
        yield from (PageFault(number, reason, Status.CORRUPT) for number in numbers)
        return
    for number in numbers:
        yield PageBegun(number, recognise=False)
        found = _page(document, number, limits)
        if isinstance(found, UnreadPage):
            yield PageFault(number, found.reason, Status.NO_TEXT)
        else:
            yield found.page if isinstance(found, SuspectPage) else found
    yield FileWarning(f"Whether text on {page_list(numbers)} is hidden is not known: they cannot be drawn.")


def _attachments(document: PdfFile) -> Iterator[Frame]:
    """The names of the attachments. Another child unpacks them with PDFium."""
    try:
        names = list(islice(document.attachments(), MAX_ATTACHMENTS))
    except Exception as error:  # noqa: BLE001  # the library's fault, on a list that no page needs
        yield FileWarning(f"The list of attached files cannot be read ({_describe(error)}).")
        return
    if isinstance(document, PdfiumFile):
        yield from (Attachment(number, name) for number, name in enumerate(names, start=1))
    elif names:
        listed = one_line(", ".join(names))
        yield FileWarning(f"Attached files are not read, because the file is damaged: {listed}.")


def _extras(
    document: PdfFile, texts: dict[int, str], done: Container[int], limits: ParseLimits
) -> Iterator[Frame]:
    """Title, page labels and outline. A failure here loses only these: all text is sent."""
    try:
        if title := sensible_title(document.title()):
            yield Title(title)
        if properties := document.properties():
            yield properties
        for number, label in document.labels():
            if cleaned := one_line(label, MAX_LABEL_CHARACTERS):
                yield PageLabel(number, cleaned)
        finders: dict[int, HeadingFinder] = {}
        for raw, level, page in islice(document.outline(), MAX_HEADINGS):
            if not (heading := one_line(raw)):
                continue
            if page not in finders:
                if page in done and page not in texts:  # an earlier child sent it
                    found = _page(document, page, limits)
                    found = found.page if isinstance(found, SuspectPage) else found
                    texts[page] = found.text if isinstance(found, Page) else ""
                finders = {page: HeadingFinder(texts.get(page, ""))}  # one at a time: larger than the text
            yield Heading(heading, level, page, finders[page].start(heading))
    except Exception:  # noqa: BLE001  # the library's fault, on data that no page needs; see the docstring
        return


def _describe(error: Exception) -> str:
    return one_line(f"{type(error).__name__}: {error}", 150)
