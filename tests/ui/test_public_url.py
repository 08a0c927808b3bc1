"""The page at another address than the server's own: behind a proxy, or at another published port."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingTCPServer
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from rag_app.config.ports import free_port

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.slow

LOGIN = {"username": "ada", "password": "secret"}
GUARDED = {"RAG_APP_AUTH": "ada:secret", "RAG_APP_API_TOKEN": "x" * 16}


def copy(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(2**16):
            sink.sendall(data)
    for end in (source, sink):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


class Relay(ThreadingTCPServer):
    """Passes on what comes to a port of this machine, byte by byte, as a container's published port does."""

    def __init__(self, port: int, target: int) -> None:
        super().__init__(("127.0.0.1", port), BaseRequestHandler)
        self._target = target
        self._open: set[socket.socket] = set()

    def finish_request(self, request: Any, client_address: Any) -> None:
        with socket.create_connection(("127.0.0.1", self._target)) as upstream:
            self._open.add(upstream)
            back = threading.Thread(target=copy, args=(upstream, request))
            back.start()
            copy(request, upstream)
            back.join()
            self._open.discard(upstream)

    def end(self) -> None:
        """Break off what a browser keeps open, and wait for the threads."""
        self.shutdown()
        for connection in list(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self.server_close()


@contextmanager
def relayed(port: int, target: int) -> Iterator[None]:
    relay = Relay(port, target)
    thread = threading.Thread(target=relay.serve_forever)
    thread.start()
    try:
        yield
    finally:
        relay.end()
        thread.join()


def test_a_proxy_with_tls_shows_the_page(tmp_path: Path) -> None:
    from tests.helpers.page import serving

    variables = {"RAG_APP_PUBLIC_URL": "https://rag.example.org", "RAG_APP_TRUSTED_PROXIES": "127.0.0.1"}
    forwarded = {
        "Host": "rag.example.org",
        "Origin": "https://rag.example.org",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "rag.example.org",
        "X-Forwarded-For": "203.0.113.7",
    }
    with (
        serving(tmp_path / "data", tmp_path / "tmp", **GUARDED, **variables) as server,
        httpx.Client(base_url=server.url, headers=forwarded, trust_env=False) as client,
    ):
        assert client.get("/config").status_code == 401
        assert client.post("/login", data=LOGIN).status_code == 200
        # The page asks this address, so it has to be the one that the browser knows.
        cookies = {"Cookie": "; ".join(f"{name}={value}" for name, value in client.cookies.items())}
        shown = client.get("/config", headers=cookies)
        assert (shown.status_code, shown.json()["root"]) == (200, "https://rag.example.org")
        # A forwarded request is none of this machine, so the token of the run does not open the API.
        bearer = {"Authorization": "Bearer " + "x" * 16}
        assert client.get("/api/v1/health").status_code == 401
        assert client.get("/api/v1/health", headers=bearer).status_code == 200
        named = {"question": "hello", "llm": "/etc/passwd"}
        assert client.post("/api/v1/ask", json=named, headers=bearer).status_code == 403


def test_a_port_that_is_published_elsewhere_shows_the_page(browser: "Browser", tmp_path: Path) -> None:
    from playwright.sync_api import expect

    from tests.helpers.page import PATIENCE, serving

    published = free_port("127.0.0.1", 18080)
    url = f"http://127.0.0.1:{published}"
    with serving(tmp_path / "data", tmp_path / "tmp", **GUARDED, RAG_APP_PUBLIC_URL=url) as server:
        own = int(server.url.rpartition(":")[2])
        with relayed(published, own), closing(browser.new_context()) as context:
            page = context.new_page()
            page.set_default_timeout(PATIENCE)
            page.goto(url)
            page.get_by_label("username").fill("ada")
            page.get_by_label("password").fill("secret")
            page.get_by_role("button", name="login").click()
            question = page.locator("#question textarea")
            expect(question).to_be_visible()
            question.fill("hello")
            question.press("Enter")
            expect(page.get_by_text("What would you like to know from your documents?").first).to_be_visible()
