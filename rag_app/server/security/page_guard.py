"""The guard of the page: on this machine, only the account that runs the server may open it.

Every account of a machine reaches a server on a loopback address. So every path of the page wants a session,
which a key in the printed address begins, or a token, as the API does. `page_keys` says what keys are.

Where the settings name logins, `ui.login` stands here instead.
"""

from html import escape
from string import Template
from urllib.parse import parse_qsl, urlencode

from starlette.datastructures import Headers
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from rag_app.contract.errors import ErrorFields
from rag_app.server.errors import error_response
from rag_app.server.security.guard import bears_token
from rag_app.server.security.page_keys import KEY, KeyRefused, PageSessions

# They hold nothing of the library. Browsers ask for the first ones without cookies. The last is a random
# number, by which a page that stayed open notices another run of the server, and loads itself again.
_OPEN = ("/favicon.ico", "/manifest.json", "/robots.txt", "/gradio_api/app_id")
# Seconds that a browser keeps the session: longer than it runs itself. The session ends with the server.
_COOKIE_SECONDS = 30 * 86_400


class PageGuard:
    """ASGI middleware that answers 401 without a session or a token.

    Args:
        app: The page.
        port: The port that the page is served on. Browsers send a host's cookies to all its ports, so the
            name of the cookie has it.
        token: The token of this run.
        api_token: The token that a person has set.
    """

    def __init__(self, app: ASGIApp, *, port: int, token: str, api_token: str | None = None) -> None:
        self.app = app
        self._sessions = PageSessions(token)
        self._tokens = (token, api_token)
        self._cookie = f"rag-app-page-{port}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        is_known = self._is_known(headers)
        asks = scope["type"] == "http" and scope["method"] == "GET"
        query = parse_qsl(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)
        keys = [value for name, value in query if name == KEY]
        if asks and scope["path"] == "/" and keys:
            await self._enter(keys[0], query, is_known)(scope, receive, send)
        elif is_known or bears_token(headers, self._tokens) or (asks and scope["path"] in _OPEN):
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        elif asks and "text/html" in headers.get("accept", ""):
            await _refusal("", query if scope["path"] == "/" else [])(scope, receive, send)
        else:
            message = (
                "the page opens with the address that rag-app open prints; programs send "
                "Authorization: Bearer TOKEN, which rag-app token prints"
            )
            error = ErrorFields(type="Unauthorized", message=message)
            refused = error_response(scope["path"], 401, error, {"WWW-Authenticate": "Bearer"})
            await refused(scope, receive, send)

    def _is_known(self, headers: Headers) -> bool:
        """Return whether one of the cookies is a session: servers on other ports may set more of its name."""
        chunks = ";".join(headers.getlist("cookie")).split(";")
        cookies = [chunk.strip().partition("=") for chunk in chunks]
        return any(name == self._cookie and self._sessions.knows(value) for name, _, value in cookies)

    def _enter(self, key: str, query: list[tuple[str, str]], is_known: bool) -> Response:
        """Return the way on to the page without the key, with a session unless the browser has one."""
        rest = [(name, value) for name, value in query if name != KEY]
        response = RedirectResponse(
            f"/?{urlencode(rest)}" if rest else "/", 303, {"Cache-Control": "no-store"}
        )
        if not is_known:
            try:
                # People paste the whole address into the field for the key as well.
                session = self._sessions.begin(key.rpartition(f"{KEY}=")[2].strip())
            except KeyRefused as error:
                return _refusal(str(error), rest)
            response.set_cookie(self._cookie, session, max_age=_COOKIE_SECONDS, httponly=True, samesite="lax")
        return response


def _refusal(reason: str, query: list[tuple[str, str]]) -> HTMLResponse:
    """Return the page that says how to get in; what the query asks for is shown afterwards."""
    html = _PAGE.substitute(
        reason=f'<p role="alert">{escape(reason[:1].upper() + reason[1:])}.</p>' if reason else "",
        key=KEY,
        rest="".join(
            f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in query
        ),
    )
    return HTMLResponse(html, 401, {"WWW-Authenticate": "Bearer", "Cache-Control": "no-store"})


# It loads nothing, because no file is open without a login.
_PAGE = Template("""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>rag-app: open the page</title>
<style>
:root { color-scheme: light dark; }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 34em; margin: 12vh auto 0; padding: 0 1em; }
[role=alert] { border-left: .25em solid #b45309; padding-left: .75em; }
label { display: block; font-weight: 600; }
input { font: inherit; width: 100%; box-sizing: border-box; padding: .4em; margin: .3em 0 .8em; }
button { font: inherit; padding: .4em 1.2em; }
</style>
<main>
<h1>Open the page</h1>
$reason
<p>Other accounts of this machine reach this address too, so the page opens only with a key. Click the address
that <code>rag-app serve</code> printed, or run <code>rag-app open</code>, with the same
<code>--data-dir</code>: it prints an address with a new key, and opens it where there is a browser.</p>
<form action="/" method="get">
$rest
<label for="key">The address, or its key</label>
<input id="key" name="$key" autocomplete="off" spellcheck="false" required autofocus>
<button>Open</button>
</form>
<p>A key works once, for fifteen minutes. This browser keeps access until the server ends.</p>
</main>
</html>
""")
