"""Bytes of tokens → text to show at once: whole characters, and nothing of a stop sequence."""

import codecs
from collections.abc import Sequence

from rag_app.llm.reasoning import overlap


class TextStream:
    """Turns the bytes of one token after another into text.

    It holds back the bytes of an incomplete character, and an ending that may grow into one of `stops`. It
    drops all text from the first stop sequence on.
    """

    def __init__(self, stops: Sequence[str] = ()) -> None:
        self._stops = [stop for stop in stops if stop]  # an empty stop would stop at once
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._held = ""
        self.stopped = False

    def feed(self, piece: bytes) -> str:
        """Add a token's bytes, and return the text that is certain now; possibly "".

        A complete stop sequence sets `stopped`; later text is ignored.
        """
        return self._take(self._decoder.decode(piece))

    def finish(self) -> str:
        """Return the text held back, after the last token; a broken character becomes U+FFFD."""
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
        keep = max((overlap(self._held, stop) for stop in self._stops), default=0)
        split = len(self._held) - keep
        certain, self._held = self._held[:split], self._held[split:]
        return certain
