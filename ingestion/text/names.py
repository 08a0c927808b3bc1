"""Names of files and documents: one spelling for each, and the shortest label that tells two apart.

An accented letter is one character (NFC) or a letter and a mark (NFD). They look the same, and the operating
system decides which of them a disk keeps, so names are compared, stored and shown in NFC. A path keeps the
spelling of its disk, because another spelling would not open the file.
"""

import os
import unicodedata
from collections import Counter
from collections.abc import Mapping
from itertools import product
from pathlib import Path, PurePath

# In front of the name of a document that came without a path.
UPLOAD = "upload:"
# Between the path of a file and the name of another one that lies inside it: a PDF's attachment.
INSIDE = " › "
# Parts of a path that are each tried in both spellings; with more of them, all parts are tried alike.
_MOST_SPELLED = 6


def composed(text: str) -> str:
    """Return a name or path in NFC."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def name_of(path: str) -> str:
    """The name of a file from its stored path."""
    container, *inside = path.removeprefix(UPLOAD).split(INSIDE)
    return composed(INSIDE.join((PurePath(container).name or container, *inside)))


def spellings(path: str) -> tuple[str, ...]:
    """The other spellings of a path; each of its parts may be in NFC or NFD."""
    if path.isascii():
        return ()
    parts = [_spelled(part) for part in path.split("/")]
    if sum(len(part) > 1 for part in parts) <= _MOST_SPELLED:
        found = ["/".join(chosen) for chosen in product(*parts)]
    else:
        found = [unicodedata.normalize(form, path) for form in ("NFC", "NFD")]
    return tuple(other for other in dict.fromkeys(found) if other != path)


def as_on_disk(path: Path) -> Path:
    """The path as its disk spells it, if only the spelling differs; else the path itself."""
    try:
        if str(path).isascii() or os.path.lexists(path):
            return path
        others = [other for other in spellings(str(path)) if os.path.lexists(other)]
    except ValueError:  # a NUL in the name
        return path
    return Path(others[0]) if others else path


def is_gone(path: str) -> bool:
    """Whether a file certainly does not exist; a file in an unreadable folder may exist.

    An attachment exists as long as the file around it does.
    """
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        container, inside, _ = path.rpartition(INSIDE)
        return is_gone(container) if inside else True
    except (OSError, ValueError):
        return False
    return False


def is_same(path: str, other: str) -> bool:
    """Return whether two paths open one file."""
    try:
        return Path(path).samefile(other)
    except (OSError, ValueError):
        return False


def labels(paths: Mapping[str, str]) -> dict[str, str]:
    """Labels that tell files of the same name apart: by key, the shortest end of a path that no other has.

    Args:
        paths: By any key the path of a file.

    Returns:
        `2023/report.pdf` for `/home/ada/2023/report.pdf`. Files of one path, and files whose paths differ in
        their spelling alone, get the same.
    """
    parts = {key: _parts(composed(path)) for key, path in paths.items()}
    different = set(parts.values())
    found = {key: "/".join(whole) for key, whole in parts.items()}
    left, length = set(parts), 2
    while left:
        counts = Counter(whole[-length:] for whole in different)
        alone = {key for key in left if counts[parts[key][-length:]] == 1}
        found.update({key: "/".join(parts[key][-length:]) for key in alone})
        left = {key for key in left - alone if len(parts[key]) > length}
        length += 1
    return found


def _parts(path: str) -> tuple[str, ...]:
    if path.startswith(UPLOAD):
        return (path,)
    *folders, _ = PurePath(path.split(INSIDE, maxsplit=1)[0]).parts or ("",)
    if folders[:1] == ["/"]:
        folders[0] = ""
    return (*folders, name_of(path))


def _spelled(part: str) -> tuple[str, ...]:
    if part.isascii():
        return (part,)
    return tuple(dict.fromkeys(unicodedata.normalize(form, part) for form in ("NFC", "NFD")))
