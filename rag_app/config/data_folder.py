"""Who else can change or read the data folder."""

import os
import stat
from pathlib import Path

_OTHERS_WRITE, _OTHERS_READ = stat.S_IWOTH, stat.S_IROTH | stat.S_IXOTH


def writable_by_others(folder: Path) -> str | None:
    """Return what lets other users of this machine change the library, and the remedy; None: nothing."""
    if not hasattr(os, "getuid") or not folder.exists():
        return None
    status = folder.stat()
    if status.st_uid != os.getuid():
        return (
            f"the data folder {folder} belongs to the user {status.st_uid}, who can change or replace the "
            "library; choose a folder of your own with --data-dir"
        )
    if status.st_mode & _OTHERS_WRITE:
        return (
            f"every user of this machine can change the data folder {folder}, and so replace your library; "
            f"run: chmod 700 {folder}"
        )
    above = folder.absolute().parent
    mode = above.stat().st_mode
    if mode & _OTHERS_WRITE and not mode & stat.S_ISVTX:
        return (
            f"every user of this machine can replace the data folder {folder}, because all may write into "
            f"{above}; run: chmod o-w {above}"
        )
    return None


def readable_by_others(folder: Path) -> str | None:
    """Return how other users of this machine can read the library, and the remedy; None: they cannot."""
    if not hasattr(os, "getuid") or not folder.exists() or not folder.stat().st_mode & _OTHERS_READ:
        return None
    return f"other users of this machine can look into the data folder {folder}; run: chmod 700 {folder}"
