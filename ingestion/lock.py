"""One process opens a library. The lock goes with the process, however it ends."""

import json
import os
import sys
from pathlib import Path

from filelock import FileLock, Timeout

from ingestion.errors import LibraryError, LibraryInUse


class LibraryLock:
    """A lock on a library's folder, made if need be, beside a note of who holds it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._note = folder / "library.holder"
        # Not thread_local: a server's shutdown closes the library in another thread than opened it.
        self._lock = FileLock(folder / "library.lock", thread_local=False)

    def acquire(self) -> None:
        """Take the lock, or raise LibraryInUse naming its holder, at once."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock.acquire(timeout=0)
            self._note.write_text(json.dumps({"pid": os.getpid(), "command": _command()}), "utf-8")
        except Timeout as error:
            raise LibraryInUse(
                f"the library {self._folder} is open in another process ({self._holder()}); "
                "use that one, or close it and try again"
            ) from error
        except OSError as error:
            self._lock.release()
            raise LibraryError(
                f"the data folder {self._folder} cannot be used: {error.strerror or error}; "
                "choose another with --data-dir or RAG_APP_DATA_DIR"
            ) from error

    def release(self) -> None:
        self._note.unlink(missing_ok=True)
        self._lock.release()

    def _holder(self) -> str:
        try:
            note = json.loads(self._note.read_text("utf-8"))
            return f"process {note['pid']}: {note['command']}"
        except (OSError, ValueError, KeyError):
            return "which left no note of itself"


def _command() -> str:
    return " ".join([Path(sys.argv[0]).name, *sys.argv[1:]])[:200]
