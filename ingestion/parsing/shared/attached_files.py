"""Files inside a file, as a child names and sends them."""

import base64
from collections.abc import Iterable, Iterator

from ingestion.parsing.frames import Attachment, AttachmentPiece, Frame
from ingestion.text.cleaning import one_line

MAX_ATTACHMENT_NAME = 120  # characters
_MAX_SUFFIX = 10
_PIECE_BYTES = 768 * 1024  # of a file in one frame


def own_names(raw_names: Iterable[str]) -> Iterator[str]:
    """The names of attachments as unique, plain file names without folders."""
    known: set[str] = set()
    for number, raw in enumerate(raw_names, start=1):
        name = _short(one_line(raw.replace("\\", "/").rsplit("/", 1)[-1]).strip(". "))
        unique = name = name or f"attachment {number}"
        count = 1
        while unique in known:
            count += 1
            unique = f"{count} {name}"
        known.add(unique)
        yield unique


def _short(name: str) -> str:
    """A name of at most MAX_ATTACHMENT_NAME characters, with its suffix, which says how the file is read."""
    if len(name) <= MAX_ATTACHMENT_NAME:
        return name
    stem, dot, suffix = name.rpartition(".")
    if not dot or len(suffix) > _MAX_SUFFIX:
        return name[:MAX_ATTACHMENT_NAME].rstrip(". ")
    return f"{stem[: MAX_ATTACHMENT_NAME - len(suffix) - 1]}.{suffix}"


def sent(number: int, name: str, data: bytes | None) -> Iterator[Frame]:
    """Yield an attachment as its name and its bytes in pieces; only its name without bytes."""
    yield Attachment(number, name)
    for start in range(0, len(data or b""), _PIECE_BYTES):
        piece = base64.b64encode((data or b"")[start : start + _PIECE_BYTES])
        yield AttachmentPiece(number, piece.decode("ascii"))
