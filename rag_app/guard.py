"""Who may talk to the server: this machine's own pages and programs.

A server on a loopback address is in reach of every web page in a browser of this machine (which may
send requests, and by DNS rebinding read the answers) and of every user of it. So, for every path:

- `Host` must be a name of this machine with our port: a page that had its own name rebound to
  127.0.0.1 sends its own name;
- `Origin` and `Sec-Fetch-Site` must not tell of another site; a link from there may open the page.

And for /api: the peer is this machine, and has the token that only this user can read.
"""

import hmac
import ipaddress
import json
import socket
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from rag_app.ports import is_loopback

API = "/api"
_ANYWHERE = ("0.0.0.0", "::")  # addresses to listen on, that no request names
_OWN_SITE = ("same-origin", "none")  # none: typed, or no page at all


class Guard:
    """ASGI middleware that refuses what does not come from this machine's own pages and programs."""

    def __init__(self, app: ASGIApp, *, host: str, port: int, token: str) -> None:
        self.app = app
        self._host = host
        self._port = port
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        refused = self._refusal(scope)
        if refused is None:
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await _refuse(send, *refused)

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        headers = Headers(scope=scope)
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not self._is_ours(hosts[0]):
            return 403, (
                f"the host {', '.join(hosts)!r} is not this server; open it as http://127.0.0.1:{self._port}"
            )
        path = scope["path"]
        is_api = path == API or path.startswith(API + "/")
        origins = headers.getlist("origin")
        site = headers.get("sec-fetch-site", "none")
        opened = not is_api and scope.get("method") == "GET" and headers.get("sec-fetch-mode") == "navigate"
        if any(origin != f"http://{hosts[0]}" for origin in origins):
            return 403, f"a page of {origins[0]!r} may not use this server"
        if site not in _OWN_SITE and not opened:
            return 403, "a page of another site may not use this server"
        return self._without_token(scope, headers) if is_api else None

    def _without_token(self, scope: Scope, headers: Headers) -> tuple[int, str] | None:
        peer = scope.get("client")
        if peer is None or not (is_loopback(peer[0]) or peer[0] == self._host):
            return 403, "the API answers programs of this machine only"
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(token.encode(), self._token.encode()):
            return 401, (
                "the API wants Authorization: Bearer TOKEN; the token is in library.holder in the data folder"
            )
        return None

    def _is_ours(self, host: str) -> bool:
        try:
            parts = urlsplit(f"http://{host}")
            name, port = parts.hostname or "", parts.port or 80
        except ValueError:
            return False
        if parts.netloc != host or "@" in host or port != self._port:
            return False
        if name == self._host.lower() or is_loopback(name):
            return True
        # An address cannot be rebound; a name could, but for this machine's own.
        return self._host in _ANYWHERE and (_is_address(name) or name == socket.gethostname().lower())


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


async def _refuse(send: Send, status: int, message: str) -> None:
    kind = "Unauthorized" if status == 401 else "Forbidden"
    body = json.dumps({"error": {"type": kind, "message": message}}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
