"""What questions and documents that are encoded at the same time owe each other."""

import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from types import TracebackType

from ingestion.encoders.base import Encodings

# Questions kept: comparing strategies, paging and rerunning ask the same again.
_KEPT = 256


class Turns:
    """A lock that is given in the order in which it was asked for.

    `threading.Lock` goes to whoever comes first when it is free: most often to the thread that just gave
    it back. A question would wait for many batches of an ingestion instead of one.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._held = False
        self._waiting: deque[threading.Event] = deque()

    def __enter__(self) -> None:
        with self._guard:
            if not self._held:
                self._held = True
                return
            turn = threading.Event()
            self._waiting.append(turn)
        try:
            turn.wait()
        except BaseException:  # an interrupt: the turn goes to the next one
            with self._guard:
                if turn in self._waiting:
                    self._waiting.remove(turn)
                    raise
            self._pass_on()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pass_on()

    def _pass_on(self) -> None:
        with self._guard:
            if self._waiting:
                self._waiting.popleft().set()  # it stays held, by that thread
            else:
                self._held = False


class RecentQueries:
    """The vectors of the questions that were asked last. They are shared: nobody may write into them."""

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
