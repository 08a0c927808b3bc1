"""A generator at work in a thread, and a request whose client goes away."""

import asyncio
import threading
from collections.abc import Generator

import pytest
from fastapi.sse import KEEPALIVE_COMMENT
from starlette.requests import Request
from starlette.types import Message

from rag_app.contract.answers import DeltaEvent, Event, WaitingEvent
from rag_app.server import streaming
from rag_app.server.background_generator import BackgroundGenerator, ClientGone, StreamEnd
from rag_app.server.streaming import Events

WAITING = WaitingEvent(stage="load", done=0, total=0)


def test_items_come_in_order_and_then_the_end() -> None:
    async def read() -> list[int | None]:
        working = BackgroundGenerator(iter_of(1, 2, 3))
        items = [await working.next() for _ in range(3)]
        with pytest.raises(StreamEnd):
            await working.next()
        return items

    assert asyncio.run(read()) == [1, 2, 3]


def test_what_the_work_raises_is_raised_where_it_is_awaited() -> None:
    def fails() -> Generator[int]:
        yield 1
        raise ZeroDivisionError("ours")

    async def read() -> None:
        working = BackgroundGenerator(fails())
        assert await working.next() == 1
        with pytest.raises(ZeroDivisionError, match="ours"):
            await working.next()

    asyncio.run(read())


def test_waiting_ends_without_an_item_and_loses_none() -> None:
    go = threading.Event()

    def slow() -> Generator[int]:
        go.wait()
        yield 1

    async def read() -> None:
        working = BackgroundGenerator(slow())
        assert await working.next(0.01) is None
        go.set()
        assert await working.next() == 1

    asyncio.run(read())


def test_leaving_stops_the_work_at_its_next_item() -> None:
    closed = threading.Event()

    async def read() -> None:
        working = BackgroundGenerator(endless(closed))
        await working.next()
        working.leave()
        working.leave()
        await until_left(working)

    asyncio.run(read())
    assert closed.wait(60)


@pytest.mark.parametrize("first", [True, False], ids=["after an event", "before any is awaited"])
def test_a_client_that_goes_away_stops_the_work(first: bool) -> None:
    closed, gone = threading.Event(), asyncio.Event()

    async def receive() -> Message:
        await gone.wait()
        return {"type": "http.disconnect"}

    async def read() -> None:
        events = Events(endless(closed), Request({"type": "http"}, receive))
        if first:
            assert await events.next() == WAITING
        gone.set()
        await until_left(events)

    asyncio.run(read())
    assert closed.wait(60)


def test_a_comment_shows_that_a_quiet_connection_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "KEEP_ALIVE", 0.01)
    go = threading.Event()

    def quiet() -> Generator[Event]:
        yield Event(event="found")
        go.wait()
        yield DeltaEvent(text="the end")

    async def receive() -> Message:
        return await asyncio.get_running_loop().create_future()

    async def read() -> list[bytes]:
        events = Events(quiet(), Request({"type": "http"}, receive))
        first = await events.next()
        assert first is not None
        sent = []
        async for part in streaming.as_sse(first, events):
            sent.append(part)
            if part == KEEPALIVE_COMMENT:
                go.set()
        return sent

    first, *comments, last = asyncio.run(read())
    assert first.startswith(b"event: found\n")
    assert set(comments) == {KEEPALIVE_COMMENT}
    assert last == b'event: delta\ndata: {"event": "delta", "text": "the end"}\n\n'


async def until_left(work: BackgroundGenerator[Event] | Events[Event]) -> None:
    try:
        while True:
            await work.next()
    except ClientGone:
        pass


def iter_of(*items: int) -> Generator[int]:
    yield from items


def endless(closed: threading.Event) -> Generator[Event]:
    try:
        while not closed.wait(0.001):
            yield WAITING
    finally:
        closed.set()
