"""A generator that works in a thread of its own, for code that must not block: HTTP and MCP."""

import asyncio
import threading
from collections.abc import Generator
from contextlib import closing
from contextvars import copy_context
from typing import Generic, TypeVar

T = TypeVar("T")


class StreamEnd(Exception):
    """The generator has ended."""


class ClientGone(Exception):
    """The client that the items were for has gone."""


class BackgroundGenerator(Generic[T]):
    """A generator that runs from begin to end in one thread; the event loop awaits its items.

    `leave` stops it at its next item. An answer's generator yields often, and so the model stops soon.
    """

    def __init__(self, work: Generator[T]) -> None:
        self._loop = asyncio.get_running_loop()
        self._items: asyncio.Queue[T | BaseException] = asyncio.Queue()
        self._work = work
        self._left = threading.Event()
        threading.Thread(target=copy_context().run, args=(self._run,), daemon=True).start()

    async def next(self, seconds: float | None = None) -> T | None:
        """Return the next item, or None where none has come within so many seconds.

        Raises:
            StreamEnd: After the last item.
            ClientGone: After `leave`.
            BaseException: What the generator raised.
        """
        try:
            item = await asyncio.wait_for(self._items.get(), seconds)
        except TimeoutError:
            return None
        if isinstance(item, BaseException):
            raise item
        return item

    def leave(self) -> None:
        """Stop the generator. Call it in the event loop; a second call does nothing."""
        if not self._left.is_set():
            self._left.set()
            self._items.put_nowait(ClientGone())

    def _run(self) -> None:
        try:
            with closing(self._work) as items:
                for item in items:
                    self._put(item)
                    if self._left.is_set():
                        return
            self._put(StreamEnd())
        except BaseException as error:  # noqa: BLE001  # raised again where the items are awaited
            self._put(error)

    def _put(self, item: T | BaseException) -> None:
        if not self._left.is_set() and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._items.put_nowait, item)
