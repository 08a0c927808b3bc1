"""Opening an encrypted file: the error that asks for a password, and pypdf's reader."""

import logging
from io import BufferedReader
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pypdf


class WrongPasswordError(Exception):
    """The file is encrypted, and neither the given password nor the empty one opens it."""


def open_reader(file: BufferedReader, password: str | None) -> "pypdf.PdfReader":
    """Return the file as pypdf has it, which reads on demand.

    Raises:
        WrongPasswordError: The file is encrypted.
        Exception: Whatever pypdf raises; on broken files that is more than its own `PyPdfError`.
    """
    import pypdf  # 160 ms, and only where PDFium does not suffice

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # a warning for every oddity of every object
    reader = pypdf.PdfReader(file, strict=False)
    if reader.is_encrypted and not any(
        reader.decrypt(attempt) for attempt in dict.fromkeys((password or "", ""))
    ):
        raise WrongPasswordError
    return reader
