"""Who a wrong password counts for: the peer itself, or whom a proxy that the settings name says."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event

import gradio as gr
import httpx
import pytest
from starlette.middleware import Middleware

from rag_app.config.logins import Logins
from rag_app.config.ports import free_port
from ui.login import LoginFirst, Tries
from ui.server import PageServer


class Noted(Tries):
    """Makes nobody wait, and shows the wrong passwords of each peer."""

    def wait(self, peer: str) -> float:
        return 0.0

    def take(self) -> dict[str, int]:
        """Return how many wrong passwords each peer has given, and forget them."""
        found = {peer: known.wrong for peer, known in self._peers.items()}
        self._peers.clear()
        return found


@contextmanager
def guessing(*proxies: str, host: str = "127.0.0.1") -> Iterator[tuple[str, Noted]]:
    """Serve a page with a login; yield its URL and what was tried."""
    tries, port = Noted(), free_port(host, 0)

    async def made() -> PageServer:
        return PageServer(
            gr.Blocks(analytics_enabled=False), host, port, [Middleware(LoginFirst, tries)],
            largest_upload=10**6, auth=Logins({"ada": "secret"}).fits, trusted_proxies=proxies,
        )  # fmt: skip

    with ThreadPoolExecutor(1) as thread:  # Playwright's loop may run here
        server = thread.submit(asyncio.run, made()).result()
    try:
        assert server.start(Event())
        yield f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}", tries
    finally:
        server.stop()


def guess(url: str, *forwarded: str, source: str | None = None) -> None:
    """Try a wrong password, with lines of X-Forwarded-For, from an address of this machine."""
    transport = httpx.HTTPTransport(local_address=source)
    headers = [("X-Forwarded-For", line) for line in forwarded]
    with httpx.Client(base_url=url, transport=transport, headers=headers) as client:
        tried = client.post("/login", data={"username": "ada", "password": "wrong"})
    assert tried.status_code == 400


def test_addresses_that_anybody_can_claim_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "*")  # uvicorn's own variable
    with guessing() as (url, tries):
        for number in range(1, 6):
            guess(url, f"203.0.113.{number}")
            guess(url, source=f"127.0.0.{number}")  # every program may send from any of these
        assert tries.take() == {"loopback": 10}


@pytest.fixture(scope="module")
def proxied() -> Iterator[tuple[str, Noted]]:
    with guessing("127.0.0.1/32", "10.0.0.0/8") as started:
        yield started


@pytest.mark.parametrize(
    ("lines", "counted"),
    [
        (["203.0.113.7"], "203.0.113.7"),
        (
            ["198.51.100.1, 203.0.113.7"],
            "203.0.113.7",
        ),  # the proxy adds the last; the client made up the first
        (["127.0.0.1, 203.0.113.7"], "203.0.113.7"),
        (["198.51.100.1", "203.0.113.7"], "203.0.113.7"),
        (["198.51.100.1, 203.0.113.7, 10.1.2.3"], "203.0.113.7"),  # through two proxies that are named
        (["203.0.113.7:4711"], "203.0.113.7"),
        (["198.51.100.1, 2001:db8:0:1::7"], "2001:db8:0:1::/64"),
        (["[2001:db8:0:1::8]:4711"], "2001:db8:0:1::/64"),
        (["::ffff:203.0.113.7"], "203.0.113.7"),
        ([], "loopback"),
    ],
)
def test_the_last_address_that_is_no_proxy_counts(
    proxied: tuple[str, Noted], lines: list[str], counted: str
) -> None:
    url, tries = proxied
    guess(url, *lines)
    assert tries.take() == {counted: 1}


def test_another_proxy_than_the_named_one_is_not_believed() -> None:
    with guessing("127.0.0.9/32") as (url, tries):
        guess(url, "203.0.113.7", source="127.0.0.8")
        guess(url, "203.0.113.7", source="127.0.0.9")
        assert tries.take() == {"loopback": 1, "203.0.113.7": 1}


def test_ipv6() -> None:
    with guessing("::1/128", host="::1") as (url, tries):
        guess(url, "198.51.100.1, 2001:db8::7")
        guess(url)
        assert tries.take() == {"2001:db8::/64": 1, "loopback": 1}
