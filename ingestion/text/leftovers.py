"""Files that programs leave beside documents (lock files, backups, partial downloads), and empty files.

In a folder they are skipped and counted. A file that the user names is read whatever it is called; if it
cannot be read, its kind explains why.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

# The first bytes of files in which macOS keeps attributes that another system's disk cannot store.
_APPLE_DOUBLE = bytes.fromhex("00051607")
_EMPTY = "empty file"

_SYSTEM = r"\.ds_store|thumbs\.db|ehthumbs(_vista)?\.db|desktop\.ini|icon\r|\.localized|\.directory|\._.*"
_LOCK = r"~\$.*|\.~lock\..*#|\.#.*"
_DOWNLOAD = r".+\.(part|partial|filepart|crdownload|download|opdownload|aria2|!ut|!qb|tmp~)"
_TEMPORARY = r".+\.(tmp|temp)|\.fuse_hidden.*|\.nfs[0-9a-f]{8,}"
_BACKUP = r".+~|.+\.(bak|backup|wbk|xlk|asd)|\..+\.sw[a-p]|#.+#"
_KINDS = {
    "lock file": re.compile(_LOCK, re.DOTALL),
    "system file": re.compile(_SYSTEM, re.DOTALL),
    "partial download": re.compile(_DOWNLOAD, re.DOTALL),
    "temporary file": re.compile(_TEMPORARY, re.DOTALL),
    "backup file": re.compile(_BACKUP, re.DOTALL),
}
_WHY = {
    "lock file": "is a lock file, which a program keeps while a document is open",
    "system file": "is a file of the operating system",
    "partial download": "is an unfinished download",
    "temporary file": "is a program's temporary file",
    "backup file": "is a program's backup file",
}
# Names of one kind in a summary; the rest is counted.
_NAMED = 5


@dataclass(frozen=True, slots=True)
class PassedOver:
    """A file in a folder that is skipped, and its kind."""

    path: str
    kind: str


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A folder, or an entry of one, that cannot be looked at, and why."""

    path: str
    reason: str


def leftover_kind(name: str) -> str | None:
    """The kind of a leftover file by its name, such as "lock file"; None for a document."""
    name = name.casefold()
    return next((kind for kind, pattern in _KINDS.items() if pattern.fullmatch(name)), None)


def passed_over_kind(name: str, size: int) -> str | None:
    """Why a file in a folder is skipped: its kind, or that it is empty; None for a document."""
    return leftover_kind(name) or (_EMPTY if size == 0 else None)


def why_unreadable(file: Path) -> str | None:
    """The error message for a leftover file that the user names; None for a document."""
    kind = leftover_kind(file.name)
    return kind and f"{file.name} {_WHY[kind]}; ingest the document itself"


def is_apple_double(file: Path) -> bool:
    """Whether a file is macOS's companion (AppleDouble) of another file: "._" and that file's name."""
    if not file.name.startswith("._"):
        return False
    with file.open("rb") as stream:
        return stream.read(len(_APPLE_DOUBLE)) == _APPLE_DOUBLE


def summary(files: Sequence[tuple[str, str]]) -> str:
    """Return "3 passed over: 2 lock files (~$a.docx, ~$b.docx), 1 empty file (c.txt)".

    Args:
        files: Name and kind of each file.
    """
    kinds = Counter(kind for _, kind in files)
    parts = []
    for kind, number in kinds.most_common():
        names = [name for name, its in files if its == kind]
        more = f" and {number - _NAMED} more" if number > _NAMED else ""
        parts.append(f"{number} {kind}{'' if number == 1 else 's'} ({', '.join(names[:_NAMED])}{more})")
    return f"{len(files)} passed over: {', '.join(parts)}"
