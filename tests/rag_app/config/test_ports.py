"""The port to serve on, with real sockets."""

import socket
from collections.abc import Iterator

import pytest

from ingestion.errors import InvalidInput, RagError
from rag_app.config.ports import free_port, is_loopback, origin_of

HOST = "127.0.0.1"


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server((HOST, 0)) as server:
        yield server.getsockname()[1]


def test_a_free_port_is_taken_as_asked() -> None:
    with socket.create_server((HOST, 0)) as server:
        port = server.getsockname()[1]
    assert free_port(HOST, port) == port


def test_the_next_free_port_follows_one_in_use(taken: int) -> None:
    chosen = free_port(HOST, taken)
    assert taken < chosen < taken + 100
    with socket.create_server((HOST, chosen)):  # it is free indeed
        assert free_port(HOST, taken) > chosen


def test_port_0_is_any(taken: int) -> None:
    chosen = free_port(HOST, 0)
    assert chosen > 0
    assert chosen != taken


def test_no_port_is_left_above_the_last() -> None:
    with socket.create_server((HOST, 65535)), pytest.raises(RagError, match=r"from 65535 to 65535 .*--port"):
        free_port(HOST, 65535)


@pytest.mark.parametrize("host", ["203.0.113.7", "no such host", "x" * 300, "a..b"])
def test_a_host_that_is_not_this_machine(host: str) -> None:
    with pytest.raises(InvalidInput, match=r"use 127\.0\.0\.1") as raised:
        free_port(host, 7860)
    assert repr(host) in str(raised.value)


@pytest.mark.parametrize(
    ("host", "only_here"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.168.1.2", False),
        ("my-machine", False),
        ("localhost.example.org", False),
    ],
)
def test_only_this_machine_reaches_a_loopback_address(host: str, only_here: bool) -> None:
    assert is_loopback(host) is only_here


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://rag.example.org", "https://rag.example.org"),
        ("HTTPS://RAG.example.org:443/", "https://rag.example.org"),
        ("http://localhost:8080", "http://localhost:8080"),
        ("http://[fd00::1]:80", "http://[fd00::1]"),
    ],
)
def test_the_origin_of_an_address(url: str, origin: str) -> None:
    assert origin_of(url) == origin


@pytest.mark.parametrize(
    "url",
    [
        "rag.example.org",
        "ftp://x",
        "https://",
        "https://x/rag",
        "https://x?y",
        "https://me@x",
        "https://x:port",
    ],
)
def test_what_is_no_pages_address(url: str) -> None:
    with pytest.raises(ValueError, match=r"no page's address|port"):
        origin_of(url)
