"""Connections that are many or slow keep nobody out. A real server, and raw sockets."""

import asyncio
import json
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from rag_app.server.security.connections import (
    LARGEST_HEAD,
    ConnectionLimits,
    limited_protocol,
)
from tests.helpers.served_library import serving_copy

# So long that a test that waits for it fails; and so short that a test may wait for it.
NEVER, SOON = 3600.0, 0.2
PATIENCE = 60.0
LARGE = 64 * 2**20


class Application:
    """Reads bodies, answers at once, answers when it is told to, or with more than buffers hold."""

    def __init__(self) -> None:
        self.go_on = threading.Event()
        self.gone = threading.Event()  # a client went away
        self.bodies: list[int] = []
        self.routes = Starlette(
            routes=[
                Route("/", lambda _: PlainTextResponse("here")),
                Route("/read", self._read, methods=["POST"]),
                Route("/wait", self._wait),
                Route("/large", self._large),
            ]
        )

    async def _read(self, request: Request) -> Response:
        try:
            body = await request.body()
        except ClientDisconnect:
            self.gone.set()
            raise
        self.bodies.append(len(body))
        return PlainTextResponse("read")

    async def _wait(self, request: Request) -> Response:
        async def events() -> AsyncIterator[bytes]:
            yield b"data: begun\n\n"
            await asyncio.to_thread(self.go_on.wait, PATIENCE)
            yield b"data: ended\n\n"

        return StreamingResponse(events(), media_type="text/event-stream")

    async def _large(self, request: Request) -> Response:
        async def blocks() -> AsyncIterator[bytes]:
            try:
                for _ in range(LARGE // 2**16):
                    yield b"x" * 2**16
            finally:
                self.gone.set()

        return StreamingResponse(blocks())


@contextmanager
def served(
    *, total: int = 8, per_address: int = 100, head: float = NEVER, stall: float = NEVER
) -> Iterator[tuple[int, Application]]:
    """Serve with limits; yield the port, and the application."""
    application = Application()
    limits = ConnectionLimits(total, per_address, head, stall)
    config = uvicorn.Config(
        application.routes, port=0, log_level="critical", http=limited_protocol(limits), ws="none"
    )
    server = uvicorn.Server(config)
    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield listener.getsockname()[1], application
    finally:
        application.go_on.set()
        server.should_exit = server.force_exit = True
        thread.join()
        listener.close()


@contextmanager
def connected(port: int, source: str = "127.0.0.1") -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), PATIENCE, (source, 0)) as connection:
        yield connection


def answer(connection: socket.socket, request: bytes = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n") -> bytes:
    """Send a request; return the answer, or the first bytes of one without a length; b"" where there is
    none."""
    connection.sendall(request)
    found = first(connection)
    head, _, body = found.partition(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")
    length = sum(int(line[16:]) for line in lines if line.startswith(b"content-length: "))
    while len(body) < length and (more := first(connection)):
        body += more
        found += more
    return found


def first(connection: socket.socket) -> bytes:
    try:
        return connection.recv(65536)
    except ConnectionResetError:
        return b""


def ended(connection: socket.socket) -> bytes:
    """Return all that comes until the server closes the connection."""
    found = b""
    while block := first(connection):
        found += block
    return found


def begin(connection: socket.socket) -> None:
    """Begin an answer that goes on until the application is told to end it."""
    assert answer(connection, b"GET /wait HTTP/1.1\r\nHost: x\r\n\r\n").startswith(b"HTTP/1.1 200")


def test_many_that_trickle_keep_nobody_out() -> None:
    with served(total=8) as (port, _), ExitStack() as stack:
        trickling = [stack.enter_context(connected(port)) for _ in range(40)]
        for place, connection in enumerate(trickling):
            connection.setblocking(False)
            try:
                connection.send(b"GET / HTTP/1.1\r\nHost: x\r\nX: " if place % 2 else b"G")
            except (BrokenPipeError, ConnectionResetError):
                continue  # it has made room for others
        for _ in range(3):
            with connected(port) as honest:
                assert b"here" in answer(honest)


def test_many_that_are_kept_alive_keep_nobody_out() -> None:
    with served(total=4) as (port, _), ExitStack() as stack:
        for _ in range(12):
            assert b"here" in answer(stack.enter_context(connected(port)))


def test_requests_that_are_under_way_are_never_put_out(eventually: Callable[..., bool]) -> None:
    """Where all are at work, the next one is told so, and those go on."""
    with served(total=4) as (port, application), ExitStack() as stack:
        working = [stack.enter_context(connected(port)) for _ in range(4)]
        for connection in working:
            begin(connection)
        for _ in range(8):
            with connected(port) as late:
                said = answer(late) + ended(late)
                assert said.startswith(b"HTTP/1.1 503")
                assert b"retry-after: 5" in said.lower()
                assert json.loads(said.partition(b"\r\n\r\n")[2])["error"]["type"] == "TooManyConnections"
        application.go_on.set()
        for connection in working:
            while b"ended" not in (got := first(connection)):
                assert got
        with connected(port) as honest:
            assert b"here" in answer(honest)


def test_one_address_leaves_room_for_others() -> None:
    with served(total=100, per_address=3) as (port, _), ExitStack() as stack:
        for _ in range(3):
            begin(stack.enter_context(connected(port, "127.0.0.2")))
        with connected(port, "127.0.0.2") as fourth:
            assert answer(fourth).startswith(b"HTTP/1.1 429")
        with connected(port, "127.0.0.3") as other:
            assert b"here" in answer(other)


def test_a_head_that_trickles_is_cut_off_with_a_reason() -> None:
    with served(head=SOON) as (port, _), connected(port) as slow, connected(port) as silent:
        slow.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
        assert ended(slow).startswith(b"HTTP/1.1 408")
        assert ended(silent) == b""


def test_the_second_head_of_a_connection_has_a_limit_too() -> None:
    with served(head=SOON) as (port, _), connected(port) as slow:
        assert b"here" in answer(slow)
        slow.sendall(b"GET / HT")
        assert ended(slow).startswith(b"HTTP/1.1 408")


def test_a_body_that_trickles_is_cut_off_with_a_reason() -> None:
    with served(stall=SOON) as (port, application), connected(port) as slow:
        slow.sendall(b"POST /read HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nx")
        assert ended(slow).startswith(b"HTTP/1.1 408")
        assert application.gone.wait(PATIENCE)
        assert application.bodies == []


def test_the_rest_of_a_body_after_an_early_answer_has_a_limit() -> None:
    """As of a login that was refused: the answer is there, and the client sends on for ever."""
    with served(stall=SOON) as (port, _), connected(port) as slow:
        got = answer(slow, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nx")
        assert got.startswith(b"HTTP/1.1 405")
        assert ended(slow) is not None


def test_an_answer_that_nobody_takes_is_cut_off() -> None:
    with served(stall=SOON) as (port, application), connected(port) as lazy:
        lazy.sendall(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
        assert application.gone.wait(PATIENCE)
        assert len(ended(lazy)) < LARGE


def test_an_answer_that_is_made_slowly_is_not_cut_off(eventually: Callable[..., bool]) -> None:
    with served(head=SOON, stall=SOON / 20) as (port, application), connected(port) as patient:
        begin(patient)
        with connected(port) as cut:  # that long has passed twenty times
            assert ended(cut) == b""
        application.go_on.set()
        assert b"ended" in first(patient)


def test_nine_clients_upload_at_once_and_slowly() -> None:
    """Far above the least rate, and far below what a loopback carries: nobody is cut off."""
    with served(total=18, stall=1.0) as (port, application):
        size, blocks = 2_000, 20

        def upload(_: int) -> bytes:
            with connected(port) as connection:
                head = f"POST /read HTTP/1.1\r\nHost: x\r\nContent-Length: {size * blocks}\r\n\r\n"
                connection.sendall(head.encode())
                for _ in range(blocks):
                    connection.sendall(b"x" * size)
                    with connected(port) as other:  # takes its time
                        assert b"here" in answer(other)
                return answer(connection, b"")

        with ThreadPoolExecutor(9) as pool:
            assert all(got.startswith(b"HTTP/1.1 200") for got in pool.map(upload, range(9)))
        assert application.bodies == [size * blocks] * 9


def test_a_large_head_is_answered_and_an_endless_one_refused() -> None:
    with served() as (port, _), connected(port) as large, connected(port) as endless:
        head = b"GET /?" + b"x" * (LARGEST_HEAD - 1_000)
        assert b"here" in answer(large, head + b" HTTP/1.1\r\nHost: x\r\n\r\n")
        assert answer(endless, head + b"x" * LARGEST_HEAD).startswith(b"HTTP/1.1 400")


@pytest.mark.slow
def test_serve_answers_while_others_trickle(stock_template: Path, tmp_path: Path) -> None:
    """The whole server, with limits from the settings, before any token or login."""
    limits = {"RAG_APP_MAX_CONNECTIONS": "6", "RAG_APP_HEAD_SECONDS": "3600"}
    with serving_copy(stock_template, tmp_path, **limits) as server, ExitStack() as stack:
        for _ in range(30):
            stack.enter_context(connected(server.port)).sendall(b"GET / HTTP/1.1\r\nHost: ")
        for _ in range(3):
            assert server.ask("GET", "/api/v1/health")[0] == 200
