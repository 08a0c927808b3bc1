"""The files attached to a PDF, read by PDFium."""

import ctypes
from collections.abc import Iterator
from pathlib import Path

import pypdfium2
import pypdfium2.raw

from ingestion.documents import Status
from ingestion.parsing.frames import Frame, RefusalError, TextDone
from ingestion.parsing.limits import ParseLimits
from ingestion.parsing.pdf.opening import WrongPasswordError
from ingestion.parsing.pdf.pdfium import (
    PdfiumError,
    UnknownEncryptionError,
    listed_attachments,
    open_document,
)
from ingestion.parsing.shared.attached_files import own_names, sent


def send_attachments(path: Path, password: str | None, limits: ParseLimits) -> Iterator[Frame]:
    """Yield the attachments of a PDF, each as its name and its bytes in pieces.

    An attachment without bytes, or beyond the limit of size, is only named.

    Raises:
        RefusalError: The PDF cannot be opened.
    """
    try:
        document = open_document(path, password)
    except (WrongPasswordError, UnknownEncryptionError) as error:
        raise RefusalError(Status.NEEDS_PASSWORD, f"{path.name!r} needs a password") from error
    except PdfiumError as error:
        raise RefusalError(Status.CORRUPT, f"{path.name!r} cannot be opened ({error})") from error
    left = limits.max_bytes
    listed = list(listed_attachments(document))
    for number, (name, (_, part)) in enumerate(zip(own_names(n for n, _ in listed), listed, strict=True), 1):
        data = _data(part) if 0 < _size(part) <= left else None
        left -= len(data or b"")
        yield from sent(number, name, data)
    yield TextDone()


def _data(part: pypdfium2.PdfAttachment) -> bytes | None:
    """The bytes of an attachment; None if they are damaged."""
    try:
        return bytes(part.get_data())
    except PdfiumError:
        return None


def _size(part: pypdfium2.PdfAttachment) -> int:
    """The unpacked size of an attachment in bytes, known before it is copied."""
    size = ctypes.c_ulong()
    found = pypdfium2.raw.FPDFAttachment_GetFile(part, None, 0, size)
    return int(size.value) if found else 0
