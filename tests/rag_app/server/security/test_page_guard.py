"""Who may open the page on this machine, request by request, without a server."""

import asyncio
import json
from typing import Any

import pytest
from starlette.datastructures import Headers
from starlette.types import Message, Receive, Scope, Send

from rag_app.server.security.page_guard import PageGuard
from rag_app.server.security.page_keys import PageSessions, page_key

PORT = 7860
TOKEN, LASTING = "this run's token", "battery-staple-battery"
COOKIE = f"rag-app-page-{PORT}"
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


async def page(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"in"})


class Answer:
    def __init__(self, sent: list[Message]) -> None:
        self.status = sent[0]["status"]
        self.headers = Headers(raw=sent[0]["headers"])
        self.text = sent[1]["body"].decode()


@pytest.fixture
def guard() -> PageGuard:
    return PageGuard(page, port=PORT, token=TOKEN, api_token=LASTING)


def ask(
    guard: PageGuard,
    path: str = "/",
    query: str = "",
    *,
    method: str = "GET",
    headers: dict[str, str] | None = None,
    kind: str = "http",
) -> list[Message]:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request"}

    scope = {
        "type": kind, "path": path, "query_string": query.encode(), "client": ("127.0.0.1", 50000),
        "headers": [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items()],
        **({"method": method} if kind == "http" else {}),
    }  # fmt: skip
    asyncio.run(guard(scope, receive, send))
    return sent


def answer(guard: PageGuard, *arguments: Any, **more: Any) -> Answer:
    return Answer(ask(guard, *arguments, **more))


def session_of(answered: Answer) -> str:
    name, _, value = answered.headers["set-cookie"].partition(";")[0].partition("=")
    assert name == COOKIE
    return value


PATHS = (
    "/", "/config", "/gradio_api/info", "/gradio_api/queue/join", "/gradio_api/queue/data",
    "/gradio_api/file=/etc/passwd", "/gradio_api/upload", "/gradio_api/mcp/sse", "/assets/index.js",
    "/static/img/logo.svg", "/theme.css", "/login", "/logout", "/nothing",
)  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"])
def test_every_path_is_refused_without_a_session(guard: PageGuard, path: str, method: str) -> None:
    refused = answer(guard, path, method=method)
    assert refused.status == 401
    assert json.loads(refused.text)["error"]["type"] == "Unauthorized"
    assert "rag-app open" in refused.text
    for wrong in ({"Authorization": "Bearer wrong"}, {"Cookie": f"{COOKIE}=00"}, {"Cookie": "x"}):
        assert answer(guard, path, method=method, headers=wrong).status == 401


def test_a_websocket_is_refused_as_well(guard: PageGuard) -> None:
    assert ask(guard, kind="websocket") == [{"type": "websocket.close", "code": 1008}]
    session = session_of(answer(guard, query=f"key={page_key(TOKEN)}"))
    assert ask(guard, kind="websocket", headers={"Cookie": f"{COOKIE}={session}"}) == []
    assert ask(guard, kind="lifespan") == []


def test_a_browser_is_told_how_to_get_in(guard: PageGuard) -> None:
    refused = answer(guard, headers=BROWSER)
    assert (refused.status, refused.headers["content-type"]) == (401, "text/html; charset=utf-8")
    assert "rag-app open" in refused.text
    assert 'name="key"' in refused.text
    assert "alert" not in refused.text.partition("</style>")[2]
    for loaded in ("src=", "href=", "url(", "<script"):
        assert loaded not in refused.text


def test_the_key_becomes_a_cookie_and_leaves_the_address(guard: PageGuard) -> None:
    entered = answer(guard, query=f"tab=inspect&key={page_key(TOKEN)}&strategy=", headers=BROWSER)
    assert (entered.status, entered.headers["location"]) == (303, "/?tab=inspect&strategy=")
    assert entered.headers["cache-control"] == "no-store"
    for flag in ("HttpOnly", "SameSite=lax", "Path=/"):
        assert flag in entered.headers["set-cookie"]
    assert "domain" not in entered.headers["set-cookie"].lower()
    cookie = {"Cookie": f"{COOKIE}={session_of(entered)}"}
    for path in PATHS:
        for method in ("GET", "POST"):
            assert answer(guard, path, method=method, headers=cookie).text == "in"
    assert answer(guard, query=f"key={page_key(TOKEN)}").headers["location"] == "/"


def test_a_used_key_says_so_and_shows_what_was_asked_for_afterwards(guard: PageGuard) -> None:
    key = page_key(TOKEN)
    first = answer(guard, query=f"key={key}")
    again = answer(guard, query=f"key={key}&tab=%22%3E%3Cscript%3E", headers=BROWSER)
    assert again.status == 401
    assert "used before" in again.text
    assert 'name="tab" value="&quot;&gt;&lt;script&gt;"' in again.text
    assert key not in again.text
    assert "set-cookie" not in again.headers
    assert answer(guard, headers={"Cookie": f"{COOKIE}={session_of(first)}"}).status == 401


def test_the_whole_address_may_be_pasted(guard: PageGuard) -> None:
    pasted = f"key=+http%3A%2F%2F127.0.0.1%3A7860%2F%3Fkey%3D{page_key(TOKEN)}+"
    assert answer(guard, query=pasted).status == 303


def test_only_opening_the_page_uses_a_key_up(guard: PageGuard) -> None:
    key = page_key(TOKEN)
    assert answer(guard, query=f"key={key}", method="HEAD").status == 401
    assert answer(guard, query=f"key={key}", method="POST").status == 401
    assert answer(guard, "/config", f"key={key}").status == 401
    cookie = {"Cookie": f"{COOKIE}={session_of(answer(guard, query=f'key={page_key(TOKEN)}'))}"}
    known = answer(guard, query=f"key={key}", headers=cookie)
    assert (known.status, known.headers["location"]) == (303, "/")
    assert "set-cookie" not in known.headers
    assert answer(guard, query=f"key={key}").status == 303  # still good


def test_cookies_of_other_servers_on_this_host(guard: PageGuard) -> None:
    session = session_of(answer(guard, query=f"key={page_key(TOKEN)}"))
    other = PageSessions("another run's token").begin(page_key("another run's token"))
    for cookies, status in [
        (f"rag-app-page-7861={session}", 401),
        (f"{COOKIE}={other}", 401),  # of this port's server before it was started again
        (f"{COOKIE}=00; a=b; {COOKIE}={session}", 200),
        (f"{COOKIE}={session}; {COOKIE}={other}", 200),
        (f"x{COOKIE}={session}", 401),
    ]:
        assert answer(guard, headers={"Cookie": cookies}).status == status, cookies


@pytest.mark.parametrize(
    ("given", "status"),
    [(TOKEN, 200), (LASTING, 200), ("", 401), ("wrong", 401), pytest.param(page_key(TOKEN), 401, id="key")],
)
def test_programs_have_the_token(guard: PageGuard, given: str, status: int) -> None:
    assert answer(guard, "/config", headers={"Authorization": f"Bearer {given}"}).status == status


@pytest.mark.parametrize("path", ["/favicon.ico", "/manifest.json", "/robots.txt", "/gradio_api/app_id"])
def test_what_tells_nothing_is_open(guard: PageGuard, path: str) -> None:
    assert answer(guard, path).status == 200
    assert answer(guard, path, method="POST").status == 401
    assert answer(guard, f"{path}/").status == 401
