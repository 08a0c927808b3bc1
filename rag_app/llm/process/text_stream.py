"""Bytes of tokens → text that can be shown at once: whole characters, nothing of a stop sequence."""

import codecs
from collections.abc import Sequence


class TextStream:
    """Turns the bytes of one token after another into text.

    A character whose bytes are spread over tokens is held back until it is whole, and so is an ending that
    may still grow into one of `stops`. Text from the first stop sequence on is dropped.
    """

    def __init__(self, stops: Sequence[str] = ()) -> None:
        self._stops = [stop for stop in stops if stop]  # an empty one would stop at once
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._held = ""
        self.stopped = False

    def feed(self, piece: bytes) -> str:
        """Add a token's bytes and return the text that is now certain, possibly none.

        When a stop sequence is complete, `stopped` becomes true and what follows is ignored.
        """
        return self._take(self._decoder.decode(piece))

    def finish(self) -> str:
        """Return what was held back; a broken character becomes U+FFFD. For after the last token."""
        text = self._take(self._decoder.decode(b"", final=True)) + self._held
        self._held = ""
        return text

    def _take(self, text: str) -> str:
        if self.stopped:
            return ""
        self._held += text
        found = [at for at in (self._held.find(stop) for stop in self._stops) if at >= 0]
        if found:
            self.stopped = True
            certain, self._held = self._held[: min(found)], ""
            return certain
        keep = max((_overlap(self._held, stop) for stop in self._stops), default=0)
        split = len(self._held) - keep
        certain, self._held = self._held[:split], self._held[split:]
        return certain


def _overlap(text: str, stop: str) -> int:
    """Length of the longest ending of `text` with which `stop` begins."""
    longest = min(len(text), len(stop) - 1)
    return next((size for size in range(longest, 0, -1) if text.endswith(stop[:size])), 0)
