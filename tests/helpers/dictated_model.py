"""A server of a language model that writes what a test dictates, when the test says so."""

import queue
from collections.abc import Iterator
from contextlib import contextmanager

from tests.helpers.openai_server import Event, StandIn, delta, end, serving


class Dictation:
    """What a test dictates. Each question takes the pieces from where the one before left off."""

    def __init__(self) -> None:
        self._pieces: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self.llm = ""
        """The setting `llm` that names the model."""

    def write(self, text: str) -> None:
        """Have the model write a piece of its answer."""
        self._pieces.put(text)

    def end(self) -> None:
        """Have the model end its answer."""
        self._pieces.put(None)

    def __iter__(self) -> Iterator[Event]:
        while (text := self._pieces.get()) is not None:
            yield delta(content=text)
        yield from end()


@contextmanager
def dictated() -> Iterator[Dictation]:
    """Serve such a model until the end of the block."""
    dictation = Dictation()
    stand_in = StandIn(models=({"id": "dictated"},))
    stand_in.pieces = dictation  # type: ignore[assignment]
    with serving(stand_in) as server:
        dictation.llm = f"{server.url}#dictated"
        yield dictation
