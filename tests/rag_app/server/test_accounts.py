"""Two accounts of one machine: what the second one gets of a library that the first one serves: nothing."""

import http.client
import json
import os
import socket
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.middleware import Middleware

from ingestion.library import Library
from rag_app.config.settings import Settings
from rag_app.server.security.page_guard import PageGuard
from rag_app.service.composition import Assistant
from tests.helpers.mounted_page import mounted_page, places
from tests.helpers.processes import fork_server
from tests.helpers.served_library import Served, serving_copy

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root may act as other accounts"),
]

OTHER_ACCOUNT = 12345
# What the library says, and nothing else does.
WORDS = ("harbour.pdf", "orchard.md", "lighthouse", "Bramley")

# It becomes the other account, for good. It is given the port, requests and folders, and tells what was
# answered, what of the folders it could read, and what it saw of the processes.
_SPY = r"""
import http.client, json, os, sys
os.setgroups([])
os.setgid(int(sys.argv[1]))
os.setuid(int(sys.argv[1]))
os.chdir("/")
given = json.load(sys.stdin)
answers, read, seen = [], [], []
for method, path, headers in given["requests"]:
    connection = http.client.HTTPConnection("127.0.0.1", given["port"], timeout=60)
    connection.request(method, path, body="{}" if method in ("POST", "PUT") else None, headers=headers)
    answer = connection.getresponse()
    answers.append([method, path, answer.status, answer.read().decode("utf-8", "replace")])
    connection.close()
for folder in given["folders"]:
    for place, folders, files in os.walk(folder):
        read += [os.path.join(place, name) for name in folders + files]
        for name in files:
            try:
                open(os.path.join(place, name), "rb").read()
            except OSError:
                read.remove(os.path.join(place, name))
    for act in (os.listdir, lambda path: open(os.path.join(path, "library.holder"))):
        try:
            act(folder)
        except OSError:
            continue
        read.append(folder)
for entry in os.listdir("/proc"):
    if entry.isdigit():
        for name in ("cmdline", "environ"):
            try:
                seen.append(open(f"/proc/{entry}/{name}", "rb").read().decode("utf-8", "replace"))
            except OSError:
                pass
print(json.dumps({"uid": os.getuid(), "answers": answers, "read": read, "seen": seen}))
"""


@pytest.fixture(scope="module")
def shared() -> Iterator[Path]:
    """A folder that every account can enter, as /tmp is; pytest's own folders are closed to others."""
    with tempfile.TemporaryDirectory(prefix="rag-app-accounts-", dir="/tmp") as folder:
        place = Path(folder)
        place.chmod(0o755)
        (place / "tmp").mkdir()
        (place / "tmp").chmod(0o1777)
        yield place


@pytest.fixture(scope="module")
def served(shared: Path, stock_template: Path) -> Iterator[Served]:
    with serving_copy(stock_template, shared, TMPDIR=str(shared / "tmp")) as running:
        # The page begins its temporary files, and one is uploaded, as its owner does.
        with running.client() as owner:
            file = {"files": ("secret.txt", b"the lighthouse")}
            assert owner.post("/gradio_api/upload", files=file).status_code == 200
        yield running


def spy(served: Served, requests: list[tuple[str, str, dict[str, str]]], *folders: Path) -> Any:
    """Return what the other account finds."""
    given = {"port": served.port, "requests": requests, "folders": [str(folder) for folder in folders]}
    pipe = subprocess.PIPE
    with fork_server().start(
        [OTHER_ACCOUNT], code=_SPY, env={}, stdin=pipe, stdout=pipe, stderr=pipe
    ) as process:
        assert process.stdin
        process.stdin.write(json.dumps(given))
        process.stdin.close()
        out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    found = json.loads(out)
    assert found["uid"] == OTHER_ACCOUNT
    return found


def every_place(library: Library) -> list[tuple[str, str]]:
    """Return method and path of every route of the page and the API, and of some that may come."""
    app = mounted_page(
        Assistant(Settings(data_dir=library.folder), library), Middleware(PageGuard, port=1, token="x")
    )
    page = [place for place in places(app.routes) if place[0] != "HEAD"]
    more = ("/gradio_api/mcp/sse", "/gradio_api/mcp", "/mcp", "/anything", "/?all_endpoints=1", "/?key=00")
    api = ("/api/v1/documents", "/api/v1/health", "/api/v1/openapi.json", "/v1/models", "/api/v1/jobs")
    return [*page, *(("GET", path) for path in (*more, *api))]


def test_the_second_account_gets_no_answer(served: Served, library: Library) -> None:
    browser = {"Accept": "text/html"}
    cookie = {"Cookie": f"rag-app-page-{served.port}={'0' * 48}", "Authorization": "Bearer wrong"}
    asked = [(*place, headers) for place in every_place(library) for headers in (browser, cookie)]
    assert len(asked) > 100
    found = spy(served, asked)
    statuses = {(method, path, status) for method, path, status, _ in found["answers"]}
    open_to_all = {"/favicon.ico", "/manifest.json", "/robots.txt", "/gradio_api/app_id"}
    assert {path for _, path, status in statuses if status not in (401, 404)} <= open_to_all
    told = "".join(text for *_, text in found["answers"])
    assert not [word for word in (*WORDS, served.token, str(served.data)) if word in told]
    # The same requests tell the owner.
    assert served.ask("GET", "/config")[0] == 200
    assert "harbour.pdf" in json.dumps(served.ask("GET", "/api/v1/documents")[1])


def test_the_second_account_reads_no_file(served: Served, shared: Path) -> None:
    open_to_all = shared / "open.txt"
    open_to_all.write_text("It does look.")
    read = set(spy(served, [], shared)["read"])
    assert str(open_to_all) in read
    # It enters the folder of everybody's temporary files, and finds nothing there.
    assert not [path for path in read if path.startswith((f"{served.data}/", f"{shared}/tmp/"))]
    assert str(served.data) not in spy(served, [], served.data)["read"]
    assert stat.S_IMODE(served.data.stat().st_mode) == 0o700
    kept = [path for path in served.data.rglob("*") if path.name == "secret.txt"]
    assert len(kept) == 1
    assert kept[0].is_relative_to(served.data / "temporary")


def test_no_list_of_processes_shows_token_or_key(served: Served) -> None:
    seen = spy(served, [])["seen"]
    assert any("rag-app" in one or "python" in one for one in seen)  # it sees processes
    assert not any(served.token in one or "?key=" in one for one in seen)


def test_the_second_account_opens_no_websocket(served: Served) -> None:
    with socket.create_connection(("127.0.0.1", served.port), timeout=60) as connection:
        connection.sendall(
            f"GET /gradio_api/stream/x HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
        )
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        assert answer.status in (401, 403)
