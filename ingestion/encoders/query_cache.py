"""The vectors of recent questions: comparing strategies, paging and rerunning ask the same again."""

import threading
from collections import OrderedDict
from collections.abc import Callable

from ingestion.encoders.base import Encodings

_KEPT = 256


class QueryCache:
    """Encodes questions and keeps the vectors of the latest; they are shared and read-only."""

    def __init__(self, encode: Callable[[str], Encodings], kept: int = _KEPT) -> None:
        self._encode = encode
        self._most = kept
        self._lock = threading.Lock()
        self._known: OrderedDict[str, Encodings] = OrderedDict()

    def __call__(self, text: str) -> Encodings:
        """Return a question's vectors."""
        with self._lock:
            if text in self._known:
                self._known.move_to_end(text)
                return self._known[text]
        made = self._encode(text)
        for name in Encodings.__slots__:
            getattr(made, name).setflags(write=False)
        with self._lock:
            self._known[text] = made
            if len(self._known) > self._most:
                self._known.popitem(last=False)
        return made
