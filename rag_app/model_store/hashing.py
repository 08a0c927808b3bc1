"""SHA-256 of large files, computed once, in the background."""

import threading
from pathlib import Path

from rag_app.model_store.lock import sha256_of

# The caller waits for the hash of a smaller file: a tenth of a second.
_AT_ONCE_BYTES = 100_000_000

_Stamp = tuple[Path, int, int]


class FileHashes:
    """The hashes of files by size and modification time. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[_Stamp, str | None] = {}

    def of(self, file: Path) -> str | None:
        """Return a file's SHA-256; None while that of a large file is computed."""
        status = file.stat()
        stamp = (file, status.st_size, status.st_mtime_ns)
        with self._lock:
            if stamp in self._known:
                return self._known[stamp]
            self._known[stamp] = None
        if status.st_size <= _AT_ONCE_BYTES:
            self._compute(stamp)
            return self._known.get(stamp)
        threading.Thread(target=self._compute, args=(stamp,), daemon=True).start()
        return None

    def _compute(self, stamp: _Stamp) -> None:
        try:
            found = sha256_of(stamp[0])
        except OSError:  # missing or unreadable: the next call tries again
            with self._lock:
                del self._known[stamp]
            return
        with self._lock:
            self._known[stamp] = found
