"""A generator that works in a thread of its own, for code that must not wait: HTTP and MCP."""

import asyncio
import threading
from collections.abc import Generator
from contextlib import closing
from contextvars import copy_context
from typing import Generic, TypeVar

T = TypeVar("T")


class Ended(Exception):
    """The generator has come to its end; nobody waits for more."""


class Left(Exception):
    """Whoever the items were for has gone."""


class Working(Generic[T]):
    """A generator at work, from begin to end in one thread; its items are awaited in the event loop.

    `leave` stops it at its next item, which for an answer is its next sign of life, and with it the model.
    """

    def __init__(self, work: Generator[T]) -> None:
        self._loop = asyncio.get_running_loop()
        self._items: asyncio.Queue[T | BaseException] = asyncio.Queue()
        self._work = work
        self._left = threading.Event()
        threading.Thread(target=copy_context().run, args=(self._run,), daemon=True).start()

    async def next(self, seconds: float | None = None) -> T | None:
        """Return the next item, or None where none has come within so many seconds.

        Raises Ended after the last one, Left once `leave` was called, and what the work raised.
        """
        try:
            item = await asyncio.wait_for(self._items.get(), seconds)
        except TimeoutError:
            return None
        if isinstance(item, BaseException):
            raise item
        return item

    def leave(self) -> None:
        """Stop the work. To be called in the event loop; again does no harm."""
        if not self._left.is_set():
            self._left.set()
            self._items.put_nowait(Left())

    def _run(self) -> None:
        try:
            with closing(self._work) as items:
                for item in items:
                    self._put(item)
                    if self._left.is_set():
                        return
            self._put(Ended())
        except BaseException as error:  # noqa: BLE001  # raised again where the items are awaited
            self._put(error)

    def _put(self, item: T | BaseException) -> None:
        if not self._left.is_set() and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._items.put_nowait, item)
