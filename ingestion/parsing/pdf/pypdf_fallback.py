"""pypdf, for files and pages that PDFium cannot read.

It is sixteen times slower than PDFium and never ends on some files, but recovers files without a header or a
page tree.
"""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from pypdf.generic import Destination

from ingestion.documents import FileProperties
from ingestion.parsing.frames import FileWarning
from ingestion.parsing.geometry.layout import RawPage
from ingestion.parsing.pdf.opening import open_reader
from ingestion.parsing.pdf.pdfium import PageTooLongError
from ingestion.parsing.shared.attached_files import own_names
from ingestion.parsing.shared.hidden_text import HiddenText
from ingestion.parsing.shared.properties import cleaned_properties
from ingestion.text.cleaning import control_share


class PypdfFile:
    """A PDF opened by pypdf; the same interface as `PdfiumFile`. Pages count from 1.

    Raises:
        WrongPasswordError: The file is encrypted.
        Exception: Whatever pypdf raises; on broken files that is more than its own `PyPdfError`.
    """

    def __init__(self, path: Path, password: str | None) -> None:
        self._file = path.open("rb")  # until the process ends
        self._reader = open_reader(self._file, password)
        self.page_count = len(self._reader.pages)
        self._passages = HiddenText()

    def text(self, number: int, max_characters: int) -> RawPage:
        """The raw text of a page, without places.

        Raises:
            PageTooLongError: It has more than `max_characters`.
            Exception: Whatever pypdf raises on a broken page.
        """
        text = self._reader.pages[number - 1].extract_text()
        if len(text) > max_characters:
            raise PageTooLongError(len(text))
        self._passages.look_at(text, number)
        return RawPage(text, control_share(text))

    def has_picture(self, number: int) -> bool:  # noqa: ARG002  # as of `PdfiumFile`
        """False: pypdf cannot draw pages, so pictures cannot be recognised."""
        return False

    def shows_unread_text(self, number: int) -> bool:  # noqa: ARG002
        """False, for the same reason."""
        return False

    def file_warnings(self) -> Iterator[FileWarning]:
        """Warnings about content that only PDFium reads, and about hidden text."""
        yield from self._passages.warnings()
        yield FileWarning("Whether the file has hidden text is not known: its pages cannot be drawn.")
        if {"/AcroForm", "/OCProperties"} & set(self._reader.root_object):
            yield FileWarning(
                "The file can only be read without its form fields and comments, and with layers that are "
                "switched off. Open it in a PDF viewer, save it again, and add that file."
            )

    def title(self) -> str | None:
        return self._reader.metadata.title if self._reader.metadata else None

    def properties(self) -> FileProperties:
        """What the file says of its author, company and subject."""
        found = self._reader.metadata
        if found is None:
            return FileProperties()
        company = found.get("/Company")
        return cleaned_properties(
            author=found.author, organisation=company and str(company), subject=found.subject
        )

    def labels(self) -> Iterator[tuple[int, str]]:
        """The printed page numbers, where the file has any."""
        if "/PageLabels" in self._reader.root_object:
            yield from enumerate(islice(self._reader.page_labels, self.page_count), 1)

    def attachments(self) -> Iterator[str]:
        """The unique names of the attachments."""
        return own_names(part.name for part in self._reader.attachment_list)

    def outline(self) -> Iterator[tuple[str, int, int]]:
        """The bookmarks that lead to a page: title, level from 1, page."""
        # A stack and no recursion, because files nest without limit.
        levels: list[Iterator[Any]] = [iter(self._reader.outline)]
        while levels:
            entry = next(levels[-1], None)
            if entry is None:
                levels.pop()
            elif isinstance(entry, Destination):
                index = self._reader.get_destination_page_number(entry)
                if index is not None and 0 <= index < self.page_count:
                    yield str(entry.title or ""), len(levels), index + 1
            else:
                levels.append(iter(entry))
