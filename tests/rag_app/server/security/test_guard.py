"""Who may talk to the server, request by request, without a server."""

import asyncio
import json
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from rag_app.server.security.guard import Guard

PORT = 7860
TOKEN = "correct horse"
LASTING = "battery-staple-battery"
OURS = "127.0.0.1:7860"


async def welcomed(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"in"})


def asked(
    path: str = "/",
    *,
    method: str = "GET",
    listening_on: str = "127.0.0.1",
    peer: tuple[str, int] | None = ("127.0.0.1", 50000),
    api_token: str | None = None,
    public_url: str | None = None,
    headers: dict[str, str] | list[tuple[str, str]],
) -> tuple[int, Any]:
    """Ask the guard; return the status and what was said."""
    pairs = list(headers.items()) if isinstance(headers, dict) else headers
    scope = {
        "type": "http", "method": method, "path": path, "client": peer,
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in pairs],
    }  # fmt: skip
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request"}

    guard = Guard(
        welcomed, host=listening_on, port=PORT, token=TOKEN, api_token=api_token, public_url=public_url
    )
    asyncio.run(guard(scope, receive, send))
    start, body = sent
    return start["status"], body["body"]


@pytest.mark.parametrize("host", [OURS, "localhost:7860", "[::1]:7860", "127.8.8.8:7860", "LOCALHOST:7860"])
def test_this_machines_names_are_let_in(host: str) -> None:
    assert asked(headers={"Host": host}) == (200, b"in")


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:7860",  # its name rebound to 127.0.0.1
        "localhost.evil.example:7860",
        "127.0.0.1.evil.example:7860",
        "127.0.0.1",  # port 80
        "127.0.0.1:7861",
        "127.0.0.1:port",
        "evil.example:7860@127.0.0.1:7860",
        "user@127.0.0.1:7860",
        "127.0.0.1:7860/x",
        "192.168.1.2:7860",
        "[::1",
        "",
    ],
)
def test_another_name_is_refused_with_a_reason(host: str) -> None:
    status, body = asked(headers={"Host": host, "Authorization": f"Bearer {TOKEN}"})
    assert status == 403
    assert "127.0.0.1:7860" in json.loads(body)["error"]["message"]


@pytest.mark.parametrize(
    "path", ["/", "/gradio_api/queue/join", "/api/v1/documents", "/api/v1/docs", "/v1/models"]
)
def test_another_name_is_refused_on_every_path_in_its_form(path: str) -> None:
    status, body = asked(path, headers={"Host": "evil.example:7860", "Authorization": f"Bearer {TOKEN}"})
    assert status == 403
    error = json.loads(body)["error"]
    assert "Forbidden" in (error["type"], error.get("code"))
    assert "127.0.0.1:7860" in error["message"]


def test_no_host_or_two_are_refused() -> None:
    assert asked(headers={})[0] == 403
    assert asked(headers=[("Host", OURS), ("Host", "evil.example")])[0] == 403


def test_a_server_for_the_network_goes_by_address_but_not_by_a_strangers_name() -> None:
    assert asked(headers={"Host": "192.168.1.2:7860"}, listening_on="0.0.0.0")[0] == 200
    assert asked(headers={"Host": "evil.example:7860"}, listening_on="0.0.0.0")[0] == 403
    assert asked(headers={"Host": "box.home:7860"}, listening_on="box.home")[0] == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "rag.example.org"}, 200),
        ({"Host": "RAG.example.org:443"}, 200),
        ({"Host": "rag.example.org", "Origin": "https://rag.example.org"}, 200),
        (
            {"Host": "rag.example.org", "Origin": "http://rag.example.org"},
            403,
        ),  # not encrypted
        ({"Host": "rag.example.org", "Origin": "https://evil.example"}, 403),
        ({"Host": "rag.example.org", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"}, 403),
        ({"Host": "rag.example.org:7860"}, 403),
        ({"Host": "rag.example.org.evil.example"}, 403),
        ({"Host": "evil.example"}, 403),
        ({"Host": "rag.example.org/x"}, 403),
        ({"Host": "me@rag.example.org"}, 403),
        ({"Host": "rag.example.org:port"}, 403),
        ({"Host": ""}, 403),
        ({"Host": OURS, "Origin": f"http://{OURS}"}, 200),  # this machine's own programs still come
        ({"Host": OURS, "Origin": "https://rag.example.org"}, 403),
    ],
)
def test_a_public_address_is_one_more_name(headers: dict[str, str], status: int) -> None:
    answered, body = asked(headers=headers, public_url="https://rag.example.org")
    assert answered == status
    if "is not this server" in body.decode():
        assert "open it as https://rag.example.org" in json.loads(body)["error"]["message"]


def test_a_port_that_is_published_under_another_number() -> None:
    sent = {"Host": "localhost:8080", "Origin": "http://localhost:8080"}
    assert asked(headers=sent, public_url="http://localhost:8080")[0] == 200
    assert asked(headers=sent)[0] == 403


@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [
        ("POST", {"Origin": "http://127.0.0.1:7860", "Sec-Fetch-Site": "same-origin"}, 200),
        ("POST", {"Origin": "http://evil.example"}, 403),
        ("POST", {"Origin": "http://127.0.0.1:3000", "Sec-Fetch-Site": "same-site"}, 403),
        ("POST", {"Origin": "http://localhost:7860"}, 403),  # another name is another site to a browser
        ("POST", {"Origin": "null"}, 403),
        ("GET", {"Origin": "https://evil.example"}, 403),
        ("GET", {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}, 403),
        ("GET", {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors"}, 403),
        ("GET", {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}, 200),  # a link to the page
        ("POST", {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}, 403),  # a form
        ("GET", {"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate"}, 200),  # typed
    ],
)
def test_what_other_sites_send_to_the_page(method: str, headers: dict[str, str], status: int) -> None:
    assert asked(method=method, headers={"Host": OURS, **headers})[0] == status


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Authorization": f"Bearer {TOKEN}"}, 200),
        ({"Authorization": f"bearer {TOKEN}"}, 200),
        ({}, 401),
        ({"Authorization": "Bearer wrong"}, 401),
        ({"Authorization": "Bearer "}, 401),
        ({"Authorization": "Bearer ÿ"}, 401),
        ({"Authorization": f"Basic {TOKEN}"}, 401),
        ({"Authorization": f"Bearer {TOKEN}", "Origin": "http://evil.example"}, 403),
        (
            {
                "Authorization": f"Bearer {TOKEN}",
                "Sec-Fetch-Site": "cross-site",
                "Sec-Fetch-Mode": "navigate",
            },
            403,
        ),
    ],
)
def test_the_api_wants_the_token(headers: dict[str, str], status: int) -> None:
    assert asked("/api/v1/documents", headers={"Host": OURS, **headers})[0] == status


@pytest.mark.parametrize("path", ["/api", "/api/v1/documents", "/v1", "/v1/chat/completions"])
def test_every_path_of_the_api_wants_the_token(path: str) -> None:
    assert asked(path, headers={"Host": OURS, "Authorization": f"Bearer {TOKEN}"})[0] == 200
    assert asked(path, headers={"Host": OURS})[0] == 401


def test_the_api_is_for_this_machine_even_where_the_page_is_not() -> None:
    headers = {"Host": "192.168.1.2:7860", "Authorization": f"Bearer {TOKEN}"}
    for peer in (("192.168.1.9", 50000), None):
        assert asked("/api/v1/health", headers=headers, listening_on="0.0.0.0", peer=peer)[0] == 403
    assert asked("/api/v1/health", headers=headers, listening_on="0.0.0.0")[0] == 200


@pytest.mark.parametrize(
    ("peer", "api_token", "given", "status"),
    [
        ("127.0.0.1", None, TOKEN, 200),
        ("127.0.0.1", None, LASTING, 401),
        ("127.0.0.1", LASTING, TOKEN, 200),
        ("127.0.0.1", LASTING, LASTING, 200),
        ("192.168.1.9", None, TOKEN, 403),
        ("192.168.1.9", LASTING, LASTING, 200),
        ("192.168.1.9", LASTING, TOKEN, 401),  # the run's own never leaves this machine
        ("192.168.1.9", LASTING, "", 401),
        ("127.0.0.1", LASTING, "", 401),
    ],
)
@pytest.mark.parametrize("path", ["/api/v1/health", "/v1/models"])
def test_whose_token_opens_the_api_to_whom(
    path: str, peer: str, api_token: str | None, given: str, status: int
) -> None:
    headers = {"Host": "192.168.1.2:7860", "Authorization": f"Bearer {given}"}
    answered, body = asked(
        path, headers=headers, listening_on="0.0.0.0", peer=(peer, 50000), api_token=api_token
    )
    assert answered == status
    assert LASTING not in body.decode()
    assert TOKEN not in body.decode()
    if status == 200:
        for wrong in ({"Host": "evil.example:7860"}, {"Origin": "http://evil.example"}):
            assert (
                asked(
                    path, headers={**headers, **wrong}, listening_on="0.0.0.0", peer=(peer, 50000),
                    api_token=api_token,
                )[0]
                == 403
            )  # fmt: skip


def test_openais_clients_are_told_in_their_form() -> None:
    status, body = asked("/v1/models", headers={"Host": OURS, "Authorization": "Bearer wrong"})
    error = json.loads(body)["error"]
    assert (status, error["type"], error["code"]) == (401, "invalid_request_error", "invalid_api_key")
    assert "rag-app token" in error["message"]


def test_the_description_is_for_browsers_and_nothing_near_it_is() -> None:
    opened = {"Host": OURS, "Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate"}
    assert asked("/api/v1/docs", headers=opened)[0] == 200
    assert asked("/api/v1/docs", method="POST", headers=opened)[0] == 401
    for path in ("/api/v1/docs/", "/api/v1/docs/x", "/api/v1/openapi.json", "/api/v1/DOCS"):
        assert asked(path, headers=opened)[0] == 401


def test_a_websocket_is_refused_as_well() -> None:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    scope = {"type": "websocket", "path": "/", "headers": [(b"host", b"evil.example:7860")]}
    asyncio.run(Guard(welcomed, host="127.0.0.1", port=PORT, token=TOKEN)(scope, receive, send))
    assert sent == [{"type": "websocket.close", "code": 1008}]


@pytest.mark.parametrize("name", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"])
def test_what_a_proxy_forwards_comes_from_anywhere(name: str) -> None:
    forwarded = {"Host": OURS, "Authorization": f"Bearer {TOKEN}", name: "127.0.0.1"}
    assert asked("/api/v1/health", headers=forwarded)[0] == 403
    assert asked("/api/v1/health", headers=forwarded, api_token=LASTING)[0] == 401
    lasting = {**forwarded, "Authorization": f"Bearer {LASTING}"}
    assert asked("/api/v1/health", headers=lasting, api_token=LASTING)[0] == 200
