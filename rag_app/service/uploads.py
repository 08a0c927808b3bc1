"""Files that come from elsewhere: the name that each is known by, whoever sends it."""

import re
from pathlib import Path

from ingestion.errors import InvalidInput
from ingestion.text.names import composed

# Of a file's name, in UTF-8: what file systems take.
_LONGEST_NAME = 255
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def safe_name(name: str) -> str:
    """Return the name that an uploaded file is known by: the last part of what may be a path of the client's.

    Raises InvalidInput where nothing is left, or too much.
    """
    own = composed(Path(_CONTROL.sub("", name.replace("\\", "/"))).name)
    if own in ("", ".", ".."):
        raise InvalidInput(f"{name!r} is no file's name; send one like report.pdf")
    if len(own.encode()) > _LONGEST_NAME:
        raise InvalidInput(f"the file's name {own[:40]}… is longer than {_LONGEST_NAME} bytes; shorten it")
    return own
