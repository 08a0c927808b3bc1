"""Files inside a file, as a child names and sends them."""

import base64
from collections.abc import Iterable, Iterator

from ingestion.parsing.frames import Attachment, AttachmentPiece, Frame
from ingestion.text.cleaning import one_line

MAX_ATTACHMENT_NAME = 120  # characters
_PIECE_BYTES = 768 * 1024  # of a file in one frame


def own_names(raw_names: Iterable[str]) -> Iterator[str]:
    """The names of attachments as unique, plain file names without folders."""
    known: set[str] = set()
    for number, raw in enumerate(raw_names, start=1):
        name = one_line(raw.replace("\\", "/").rsplit("/", 1)[-1], MAX_ATTACHMENT_NAME).strip(". ")
        unique = name = name or f"attachment {number}"
        count = 1
        while unique in known:
            count += 1
            unique = f"{count} {name}"
        known.add(unique)
        yield unique


def sent(number: int, name: str, data: bytes | None) -> Iterator[Frame]:
    """Yield an attachment as its name and its bytes in pieces; only its name without bytes."""
    yield Attachment(number, name)
    for start in range(0, len(data or b""), _PIECE_BYTES):
        piece = base64.b64encode((data or b"")[start : start + _PIECE_BYTES])
        yield AttachmentPiece(number, piece.decode("ascii"))
