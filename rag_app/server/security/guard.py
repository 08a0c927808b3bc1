"""The guard: only this machine's own pages and programs may use the server.

Every web page in a browser of this machine can reach a server on a loopback address (it can send requests,
and by DNS rebinding read the answers), and so can every user of the machine. Therefore, for every path:

- `Host` must be a name of this machine with our port, or that of the setting `public_url`: a page that
  had its own name rebound to 127.0.0.1 sends its own name;
- `Origin` and `Sec-Fetch-Site` must not name another site; a link from there may open the page.

The API, /api and /v1, and /metrics also need the token; /healthz and /readyz do not. A new token is made for
each run, and stored where only this user can read it; a person may set one that lasts. Other machines need
that one. The page has a guard of its own: `page_guard` here, or `ui.login`.
"""

import hmac
import ipaddress
import socket
from collections.abc import Iterable
from contextlib import suppress
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from rag_app.config.ports import is_loopback, origin_of
from rag_app.contract.errors import ErrorFields
from rag_app.server.errors import error_response
from rag_app.server.paths import OPEN, is_api

# The path of the API's description, open without a token for browsers; it says nothing about the library.
DESCRIPTION = "/api/v1/docs"
# In the scope of a request to the API: whether its peer is this machine.
IS_HERE = "rag_app.is_here"
_ANYWHERE = ("0.0.0.0", "::")  # addresses to listen on, that no request names
_OWN_SITE = ("same-origin", "none")  # none: typed, or no page at all
# A proxy adds these: the sender may be on any machine.
_FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip", "via")


class Guard:
    """ASGI middleware that refuses requests except from this machine's own pages and programs.

    `token` is that of this run, `api_token` the one that a person has set. `public_url` is the origin at
    which a proxy shows the page.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        host: str,
        port: int,
        token: str,
        api_token: str | None = None,
        public_url: str | None = None,
    ) -> None:
        self.app = app
        self._host = host
        self._port = port
        self._token = token
        self._api_token = api_token
        self._public_url = public_url

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
            status, message = refused
            error = ErrorFields(type="Unauthorized" if status == 401 else "Forbidden", message=message)
            headers = {"WWW-Authenticate": "Bearer"} if status == 401 else None
            await error_response(scope["path"], status, error, headers)(scope, receive, send)

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        headers = Headers(scope=scope)
        hosts = headers.getlist("host")
        site = self._site(hosts[0]) if len(hosts) == 1 else None
        if site is None:
            at = self._public_url or f"http://127.0.0.1:{self._port}"
            return 403, f"the host {', '.join(hosts)!r} is not this server; open it as {at}"
        path = scope["path"]
        is_open = path in (DESCRIPTION, *OPEN) and scope.get("method") == "GET"
        wants_token = is_api(path) and not is_open
        origins = headers.getlist("origin")
        sent_by = headers.get("sec-fetch-site", "none")
        navigates = scope.get("method") == "GET" and headers.get("sec-fetch-mode") == "navigate"
        opened = navigates and not wants_token
        if any(origin != site for origin in origins):
            return 403, f"a page of {origins[0]!r} may not use this server"
        if sent_by not in _OWN_SITE and not opened:
            return 403, "a page of another site may not use this server"
        return self._without_token(scope, headers) if wants_token else None

    def _without_token(self, scope: Scope, headers: Headers) -> tuple[int, str] | None:
        peer = scope.get("client")
        is_here = peer is not None and (is_loopback(peer[0]) or peer[0] == self._host)
        is_here = is_here and not any(name in headers for name in _FORWARDED)
        scope[IS_HERE] = is_here
        if not is_here and self._api_token is None:
            return (
                403,
                "the API answers programs of this machine only, unless RAG_APP_API_TOKEN is set",
            )
        if not bears_token(headers, (self._api_token, self._token if is_here else None)):
            return 401, "the API wants Authorization: Bearer TOKEN; rag-app token prints it"
        return None

    def _site(self, host: str) -> str | None:
        """Return the origin of the page that a request's host names; None where it is not this server's."""
        if self._public_url is not None:
            scheme = self._public_url.partition("://")[0]
            with suppress(ValueError):
                if origin_of(f"{scheme}://{host}") == self._public_url:
                    return self._public_url
        return f"http://{host}" if self._is_ours(host) else None

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


def bears_token(headers: Headers, tokens: Iterable[str | None]) -> bool:
    """Return whether Authorization is one of the tokens, in a time that tells nothing about them."""
    scheme, _, given = headers.get("authorization", "").partition(" ")
    matches = [hmac.compare_digest(given.encode(), one.encode()) for one in tokens if one is not None]
    return scheme.lower() == "bearer" and any(matches)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
