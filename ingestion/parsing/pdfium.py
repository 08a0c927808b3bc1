"""PDFium's view of one PDF. It is fast and unguarded, so it is imported in the child process only."""

from collections.abc import Iterator
from pathlib import Path

import pypdfium2
import pypdfium2.raw

PdfiumError = pypdfium2.PdfiumError

MAX_OUTLINE_DEPTH = 15


class WrongPasswordError(Exception):
    """The file is encrypted, and neither the given password nor the empty one opens it."""


class UnknownEncryptionError(Exception):
    """The file is encrypted in a way that this program does not know."""


class PageTooLongError(Exception):
    """A page with more characters than the limit."""

    def __init__(self, characters: int) -> None:
        super().__init__(characters)
        self.characters = characters


class PdfiumFile:
    """A PDF opened by PDFium. Pages count from 1.

    Raises:
        PdfiumError: PDFium cannot read the file.
        WrongPasswordError, UnknownEncryptionError: The file is encrypted.
    """

    def __init__(self, path: Path, password: str | None) -> None:
        self._document = _open(path, password)
        self.page_count: int = len(self._document)

    def text(self, number: int, max_characters: int) -> str:
        """The raw text of a page.

        Raises:
            PageTooLongError: It has more than `max_characters`; nothing was extracted.
            PdfiumError: PDFium cannot read the page.
        """
        page = self._document[number - 1]
        try:
            text_page = page.get_textpage()
            try:
                characters = text_page.count_chars()
                if characters > max_characters:
                    raise PageTooLongError(characters)
                return str(text_page.get_text_range(errors="surrogatepass"))
            finally:
                text_page.close()
        finally:
            page.close()  # PDFium keeps what it parsed of a page until then

    def title(self) -> str | None:
        return self._document.get_metadata_value("Title") or None

    def labels(self) -> Iterator[tuple[int, str]]:
        """The printed page numbers, where the file has any."""
        for index in range(self.page_count):
            if label := self._document.get_page_label(index):
                yield index + 1, label

    def outline(self) -> Iterator[tuple[str, int, int]]:
        """The bookmarks that lead to a page: title, level from 1, page."""
        for bookmark in self._document.get_toc(max_depth=MAX_OUTLINE_DEPTH):
            destination = bookmark.get_dest()
            index = None if destination is None else destination.get_index()
            if index is not None and 0 <= index < self.page_count:
                yield bookmark.get_title(), bookmark.level + 1, index + 1


def _open(path: Path, password: str | None) -> pypdfium2.PdfDocument:
    # Most encrypted files have an empty user password, also where a person has given another file's.
    for attempt in dict.fromkeys((password or "", "")):
        try:
            return pypdfium2.PdfDocument(path, password=attempt)
        except PdfiumError as error:
            if error.err_code == pypdfium2.raw.FPDF_ERR_SECURITY:
                raise UnknownEncryptionError from error
            if error.err_code != pypdfium2.raw.FPDF_ERR_PASSWORD:
                raise
    raise WrongPasswordError
