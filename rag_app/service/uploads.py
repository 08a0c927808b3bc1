"""Names of uploaded files."""

import re
from pathlib import Path

from ingestion.errors import InvalidInput
from ingestion.text.names import composed

# Bytes of a file's name in UTF-8: the limit of most file systems.
_LONGEST_NAME = 255
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def safe_name(name: str) -> str:
    """Return the name of an uploaded file: the last part of the name, or path, that the client sent.

    Raises:
        InvalidInput: Nothing is left of the name, or it is too long.
    """
    own = composed(Path(_CONTROL.sub("", name.replace("\\", "/"))).name)
    if own in ("", ".", ".."):
        raise InvalidInput(f"{name!r} is no file name; send one like report.pdf")
    if len(own.encode()) > _LONGEST_NAME:
        raise InvalidInput(f"the file's name {own[:40]}… is longer than {_LONGEST_NAME} bytes; shorten it")
    return own
