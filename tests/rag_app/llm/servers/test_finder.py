"""Finding servers: never for long, never elsewhere, once a minute, whatever answers."""

import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from rag_app.llm.choice import Server
from rag_app.llm.servers.finder import EVERY_S, ServerFinder
from rag_app.llm.servers.json_requests import LARGEST_ANSWER
from tests.helpers import model_servers
from tests.helpers.model_servers import listening, unused
from tests.helpers.openai_server import StandIn, serving

PATIENCE_S = 60.0  # only a failing test waits so long
MODEL = "qwen3-4b.gguf"
Eventually = Callable[[Callable[[], bool]], bool]


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def llama_server() -> Iterator[StandIn]:
    with serving(model_servers.llama_server()) as stand_in:
        yield stand_in


def names(finder: ServerFinder) -> list[str]:
    return [one.name for one in finder.models()]


def finder_of(*roots: str, clock: Callable[[], float] = time.monotonic) -> ServerFinder:
    return ServerFinder(roots, limit_s=PATIENCE_S, clock=clock)


def test_nothing_is_there() -> None:
    assert finder_of(unused(), unused()).models() == []
    assert ServerFinder([]).models() == []


def test_one_that_never_answers_holds_up_nobody() -> None:
    """The finder gives up while the server still holds the connection."""
    asked, released = threading.Event(), threading.Event()

    def hold(connection: socket.socket) -> None:
        connection.recv(1)
        asked.set()
        released.wait()

    with listening(hold) as root:
        finder = ServerFinder([root], limit_s=0.2)
        assert finder.models() == []
        assert not released.is_set()
        assert finder.models() == []  # it is not asked again
        released.set()


def test_others_are_found_beside_one_that_never_answers(
    llama_server: StandIn, eventually: Eventually
) -> None:
    released = threading.Event()

    def hold(_: socket.socket) -> None:
        released.wait()

    with listening(hold) as root:
        finder = finder_of(root, llama_server.root)
        asking = threading.Thread(target=finder.models)
        asking.start()
        assert eventually(lambda: [one.name for one in finder.known()] == [MODEL])
        assert asking.is_alive()
        released.set()
        asking.join()
    assert names(finder) == [MODEL]


def test_a_connection_that_is_not_taken(eventually: Eventually) -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):  # the only one that waits
            assert ServerFinder.on_ports([port]).models() == []


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX-Long: ",
        b"",
    ],
)
def test_one_that_sends_without_end(head: bytes, eventually: Eventually) -> None:
    """Reading ends by the size, long before the time does."""
    left = threading.Event()

    def flood(connection: socket.socket) -> None:
        connection.sendall(head)
        piece = b"10000\r\n" + b" " * 0x10000 + b"\r\n" if b"chunked" in head else b" " * 0x10000
        try:
            while True:
                connection.sendall(piece)
        except OSError:
            left.set()
            raise

    with listening(flood) as root:
        assert finder_of(root).models() == []
        assert eventually(left.is_set)


def test_one_that_sends_a_little_again_and_again(eventually: Eventually) -> None:
    left, pause = threading.Event(), threading.Event()

    def trickle(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        try:
            while True:
                connection.sendall(b" ")
                pause.wait(0.001)
        except OSError:
            left.set()
            raise

    with listening(trickle) as root:
        finder = ServerFinder([root], limit_s=0.2)
        assert finder.models() == []
        assert eventually(left.is_set)  # the connection was closed, not only left alone


def _answer(body: bytes, head: bytes = b"") -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n%s\r\n%s" % (len(body), head, body)


@pytest.mark.parametrize(
    "rubbish",
    [
        b"",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"\x00\xff\xfe" * 100,
        _answer(b""),
        _answer(b"<html>Hello</html>"),
        _answer(b"7"),
        _answer(b"null"),
        _answer(b'{"data": {"id": "a"}}'),
        _answer(b'{"data": ["a", 7, null]}'),
        _answer(b"\xff\xfe{"),
        _answer(b"[" * 100_000),
        _answer(b'{"data": ' + b"9" * 100_000 + b"}"),
        _answer(b'{"data": [' + b" " * LARGEST_ANSWER + b"]}"),
        _answer(b'{"data": []}', b"Content-Encoding: gzip\r\n"),
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
        b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        b"HTTP/9.9 abc\r\n\r\n",
    ],
)
def test_rubbish(rubbish: bytes) -> None:
    def say(connection: socket.socket) -> None:
        connection.recv(65_536)
        connection.sendall(rubbish)
        connection.shutdown(socket.SHUT_WR)

    with listening(say) as root:
        assert finder_of(root).models() == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_lead_nowhere(llama_server: StandIn, status: int) -> None:
    with serving(StandIn(status=status, headers={"Location": f"{llama_server.url}/models"})) as stand_in:
        assert finder_of(stand_in.root).models() == []
        assert stand_in.seen == ["/v1/models"]
    assert llama_server.seen == []


def test_no_proxy_is_asked(llama_server: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, unused())
    assert names(finder_of(llama_server.root)) == [MODEL]


def test_an_answer_is_kept_for_a_minute(llama_server: StandIn) -> None:
    clock = Clock()
    finder = finder_of(llama_server.root, clock=clock)
    assert finder.known() == []
    assert llama_server.seen == []
    assert names(finder) == names(finder) == [MODEL]
    assert llama_server.seen.count("/v1/models") == 1
    clock.now = EVERY_S - 0.01
    llama_server.models = [{"id": "other", "owned_by": "llamacpp"}]
    assert names(finder) == [MODEL]
    clock.now = EVERY_S
    assert names(finder) == ["other"]
    assert llama_server.seen.count("/v1/models") == 2
    llama_server.status = 503
    clock.now = 2 * EVERY_S
    assert names(finder) == []


def test_several_at_once_ask_once(llama_server: StandIn) -> None:
    finder, heard = finder_of(llama_server.root), list[list[str]]()
    threads = [threading.Thread(target=lambda: heard.append(names(finder))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert heard == [[MODEL]] * 8
    assert llama_server.seen.count("/v1/models") == 1


def test_one_that_becomes_too_slow_keeps_its_models(llama_server: StandIn, eventually: Eventually) -> None:
    clock, released = Clock(), threading.Event()
    finder = finder_of(llama_server.root, clock=clock)
    assert names(finder) == [MODEL]

    def slow(_: object) -> None:
        released.wait()

    llama_server.own["/v1/models"] = slow
    clock.now = EVERY_S
    finder._limit_s = 0.1
    assert names(finder) == [MODEL]
    assert eventually(finder._done.is_set)
    assert names(finder) == [MODEL]
    released.set()


def test_the_own_server_is_left_out(llama_server: StandIn) -> None:
    other = unused()
    finder = finder_of(llama_server.root, other)
    finder.leave_out(llama_server.root.replace("127.0.0.1", "localhost") + "/")
    assert finder.asked == (other,)
    assert finder.models() == []
    assert llama_server.seen == []


def test_only_servers_of_this_machine_are_asked() -> None:
    def asked(url: str) -> tuple[str, ...]:
        server = Server.parse(url)
        assert server
        return ServerFinder.at(server).asked

    assert asked("http://127.0.0.1:11434/v1#a") == ("http://127.0.0.1:11434",)
    assert asked("http://[::1]:8080/v1") == ("http://[::1]:8080",)
    assert asked("http://localhost:8080/v1/") == ("http://localhost:8080",)
    assert asked("http://127.0.0.1:11434/openai") == ()
    assert asked("http://10.0.0.7:11434/v1#a") == ()
    assert asked("https://models.example/v1#a") == ()
    assert ServerFinder.on_ports((1, 2)).asked == ("http://127.0.0.1:1", "http://127.0.0.1:2")


def test_a_model_by_its_name() -> None:
    with serving(model_servers.ollama()) as ollama, serving(model_servers.llama_server()) as llama:
        finder = finder_of(ollama.root)
        assert [getattr(finder.model(name), "name", None) for name in ("qwen3:4b", "long", "none", None)] == [
            "qwen3:4b", "long:latest", None, None,
        ]  # fmt: skip
        only = finder_of(llama.root).model(None)
        assert only is not None
        assert only.name == MODEL
