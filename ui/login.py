"""The login: without it a request gets the form for name and password, and nothing else of this server.

Gradio checks the login itself, route by route, and leaves some routes open. So this middleware stands before
all routes and opens only those that the form needs. The API is not behind it: it has its token.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rag_app.config.networks import network_of
from rag_app.config.ports import is_loopback

# It has its own style, because the page's style sheet is not loaded before the login.
MESSAGE = (
    "<style>.auth { max-width: 28em; } .wrap .column, .wrap .styler { background: none !important; } "
    ".form input { border: 1px solid #64748b !important; }</style>"
    "Give your name and password to open these documents. "
    "After several wrong passwords, each further try takes longer."
)
LOGOUT = '<a id="logout" href="/logout">Log out</a>'

_HEAD = b"<head>"
_TITLE = b"<title>rag-app: log in</title>"

_LOGIN = ("/login", "/login/")
# The parts of the form. Nothing of the library.
_OPEN = frozenset(
    {"/", "/logout", "/theme.css", "/gradio_api/theme.css", "/favicon.ico", "/manifest.json", "/robots.txt"}
)
_OPEN_FOLDERS = ("/assets/", "/static/", "/svelte/")
# This route would give scripts the cookie's content, which the cookie itself hides from them.
_CLOSED = ("/gradio_api/token", "/gradio_api/token/")

# The largest form with a name and a password, in bytes.
_LONGEST_FORM = 20_000
# Wrong passwords that cost no time; then one second, two, four, up to the longest wait.
_FREE_TRIES = 4
_LONGEST_WAIT = 30.0
# Seconds after which a peer's wrong passwords are forgotten.
_FORGET = 15 * 60.0
# The most forms of one peer that wait for their turn, and the most peers that are remembered.
_MOST_WAITING = 4
_MOST_PEERS = 10_000


class LoginFirst:
    """ASGI middleware that answers 401 without a login, except for the form, and slows guessing down."""

    def __init__(self, app: ASGIApp, tries: "Tries | None" = None) -> None:
        self.app = app
        self._tries = Tries() if tries is None else tries

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        path, method = scope["path"], scope.get("method")
        if method == "POST" and path in _LOGIN:
            await self._login(scope, receive, send)
        elif path in _CLOSED:
            await _refuse(scope, receive, send, 404, "there is no such page")
        elif _is_known(scope):
            await self.app(scope, receive, send)
        elif method in ("GET", "HEAD") and (path in _OPEN or path.startswith(_OPEN_FOLDERS)):
            # Without the query: some queries make Gradio put more into the page than the form.
            await self.app(
                {**scope, "query_string": b""}, receive, with_head(send, _TITLE) if path == "/" else send
            )
        else:
            await _refuse(scope, receive, send, 401, "log in first, with name and password")

    async def _login(self, scope: Scope, receive: Receive, send: Send) -> None:
        length = Headers(scope=scope).get("content-length", "")
        if not length.isdecimal() or int(length) > _LONGEST_FORM:
            await _refuse(
                scope,
                receive,
                send,
                413,
                f"the login form must state its length, at most {_LONGEST_FORM:,} bytes",
            )
            return
        peer = _peer(scope)
        waiting = self._tries.of(peer)
        if waiting.waiting >= _MOST_WAITING:
            await _refuse(scope, receive, send, 429, "too many tries at once; wait a minute")
            return

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._tries.note(peer, message["status"])  # before the client can know it
                _keep_on_this_site(MutableHeaders(scope=message))
            await send(message)

        waiting.waiting += 1
        try:
            async with waiting.turn:
                await asyncio.sleep(self._tries.wait(peer))
                await self.app(scope, receive, noting)
        finally:
            waiting.waiting -= 1


@dataclass(slots=True)
class _Peer:
    wrong: int = 0
    latest: float = 0.0
    waiting: int = 0
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


class Tries:
    """The wrong passwords of each peer, and how long its next try waits."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._peers: defaultdict[str, _Peer] = defaultdict(_Peer)

    def of(self, peer: str) -> _Peer:
        """Return the record of a peer, and forget peers that have been quiet for long."""
        now = self._clock()
        for name, known in list(self._peers.items()):
            many = len(self._peers) >= _MOST_PEERS
            if not known.waiting and (many or now - known.latest > _FORGET):
                del self._peers[name]
        found = self._peers[peer]
        if not found.wrong:
            found.latest = now
        return found

    def wait(self, peer: str) -> float:
        """Return the seconds that a try waits before its password is checked."""
        over = self._peers[peer].wrong - _FREE_TRIES
        return 0.0 if over < 0 else min(2.0**over, _LONGEST_WAIT)

    def note(self, peer: str, status: int) -> None:
        """Note the status of a try: 200 for a login, 400 for a wrong password."""
        if status == 200:
            self._peers[peer].wrong = 0
        elif status == 400:
            self._peers[peer].wrong += 1
            self._peers[peer].latest = self._clock()


def _is_known(scope: Scope) -> bool:
    """Return whether the request has the cookie that Gradio gave with a login."""
    app: Any = scope["app"]
    cookies = cookie_parser("; ".join(Headers(scope=scope).getlist("cookie")))
    names = (f"access-token-{app.cookie_id}", f"access-token-unsecure-{app.cookie_id}")
    return any(app.tokens.get(cookies.get(name)) is not None for name in names)


def _peer(scope: Scope) -> str:
    """Return the client's network.

    All loopback addresses are one peer: every program of this machine may use any of the sixteen million.
    """
    host = scope["client"][0] if scope.get("client") else ""
    network = network_of(host)
    return "loopback" if is_loopback(host) or is_loopback(network) else network


def with_head(send: Send, addition: bytes) -> Send:
    """Return a `send` that puts HTML at the beginning of the page's head."""
    started: list[Message] = []

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            started.append(message)
            return
        if started:
            start, body = started.pop(), message.get("body", b"")
            if _HEAD in body:  # the body of an answer to HEAD is empty
                message = {**message, "body": body.replace(_HEAD, _HEAD + addition, 1)}
                headers = MutableHeaders(scope=start)
                headers["content-length"] = str(int(headers["content-length"]) + len(addition))
            await send(start)
        await send(message)

    return sending


def _keep_on_this_site(headers: MutableHeaders) -> None:
    """Keep other sites' pages from sending the cookie; Gradio allows it, for pages inside pages."""
    cookies = headers.getlist("set-cookie")
    if cookies:
        del headers["set-cookie"]
    for cookie in cookies:
        headers.append("set-cookie", cookie.replace("SameSite=none", "SameSite=lax"))


async def _refuse(scope: Scope, receive: Receive, send: Send, status: int, message: str) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
        return
    await JSONResponse({"error": message}, status)(scope, receive, send)
