"""The login: what is answered without it, how wrong passwords are slowed down, and the form in a browser."""

import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from gradio.routes import App
from starlette.middleware import Middleware
from starlette.testclient import TestClient

from ingestion.errors import InvalidInput
from ingestion.library import Library
from rag_app.config.logins import Logins
from rag_app.config.settings import Settings
from rag_app.service.composition import Assistant
from tests.helpers.mounted_page import mounted_page, places
from ui.components.choices import check_offered
from ui.login import LoginFirst, Tries

if TYPE_CHECKING:
    from playwright.sync_api import Browser

PASSWORD = "p:ä ss' \"<word>"
# What is answered without a login, beside scripts, styles and pictures.
OPEN = (
    "/",
    "/logout",
    "/theme.css",
    "/gradio_api/theme.css",
    "/favicon.ico",
    "/manifest.json",
    "/robots.txt",
)
PEOPLE = f"ada:{PASSWORD}\nbob:other\n"


@pytest.fixture
def client(stocked: Library) -> Iterator[TestClient]:
    """The page over a library with documents, behind the login, without a server."""
    stocked.catalogue.ensure_collection("zanzibar")
    assistant = Assistant(Settings(data_dir=stocked.folder, auth=PEOPLE), stocked)

    app = mounted_page(assistant, Middleware(LoginFirst), Logins(assistant.settings.logins).fits)
    with TestClient(app, follow_redirects=False) as started:
        yield started


def test_no_route_tells_anything_without_a_login(client: TestClient) -> None:
    assert isinstance(client.app, App)
    statuses = {}
    for method, path in places(client.app.routes):
        answer = client.request(method, path)
        assert "zanzibar" not in answer.text
        statuses[method, path] = answer.status_code
    assert ("POST", "/gradio_api/queue/join") in statuses
    assert ("POST", "/gradio_api/component_server") in statuses
    answered = {place for place, status in statuses.items() if status not in (401, 404)}
    allowed = {(method, path) for method in ("GET", "HEAD") for path in OPEN}
    assert answered - allowed <= {("POST", "/login"), ("POST", "/login/"), ("GET", "/assets/x")}
    assert client.get("/gradio_api/mcp/sse").status_code == 401
    assert client.get("/anything").status_code == 401


def test_the_form_has_nothing_of_the_page(client: TestClient) -> None:
    known = client.post("/login", data={"username": "ada", "password": PASSWORD})
    assert known.status_code == 200
    inside = client.get("/?all_endpoints=1").text
    client.cookies.clear()
    outside = client.get("/?all_endpoints=1").text
    for word in ("extractive", "colbert", "Ask a question"):
        assert word in inside
        assert word not in outside
    assert "auth_required" in outside


def test_the_cookie_is_for_this_site_and_not_for_scripts(client: TestClient) -> None:
    answer = client.post("/login", data={"username": " bob", "password": "other"})
    cookies = answer.headers.get_list("set-cookie")
    assert len(cookies) == 2
    for cookie in cookies:
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
    assert client.get("/config").status_code == 200
    assert client.get("/gradio_api/token").status_code == 404
    assert client.get("/logout").status_code == 302
    assert client.get("/config").status_code == 401


def test_wrong_passwords_and_forms_that_are_none(client: TestClient) -> None:
    for form in ({"username": "ada", "password": "other"}, {"username": "eve", "password": PASSWORD}):
        assert client.post("/login", data=form).status_code == 400
    assert client.post("/login", data={"username": "ada"}).status_code == 422
    assert client.post("/login", data={"username": "ada", "password": "x" * 30_000}).status_code == 413
    assert client.post("/login", content=iter([b"username=ada&password=x"])).status_code == 413
    assert client.get("/config").status_code == 401


def test_guesses_wait_longer_and_longer_and_are_forgotten() -> None:
    now = 0.0
    tries = Tries(clock=lambda: now)

    def waits(peer: str) -> float:
        tries.of(peer)
        return tries.wait(peer)

    waited = []
    for _ in range(12):
        waited.append(waits("one"))
        tries.note("one", 400)
    assert waited == [0, 0, 0, 0, 1, 2, 4, 8, 16, 30, 30, 30]
    assert waits("two") == 0
    tries.note("one", 422)  # no guess
    assert waits("one") == 30
    tries.note("one", 200)
    assert waits("one") == 0
    tries.note("one", 400)
    now = 16 * 60
    assert waits("one") == 0


def test_strangers_may_not_name_files_and_servers(library: Library, tmp_path: Path) -> None:
    file = tmp_path / "model.gguf"
    file.touch()
    for settings, trusted in [
        (Settings(data_dir=library.folder), True),
        (Settings(data_dir=library.folder, auth="ada:x"), False),
        (Settings(data_dir=library.folder, host="0.0.0.0"), False),
        (Settings(data_dir=library.folder, host="0.0.0.0", llm=str(file)), False),
    ]:
        assistant = Assistant(settings, library)
        check_offered(assistant, llm="extractive", reranker="builtin")
        check_offered(assistant, llm=None, reranker="none")
        check_offered(assistant, llm=settings.llm)
        for llm, reranker in [
            ("http://127.0.0.1:22/v1#x", None),
            ("/etc/passwd", None),
            (None, "/etc"),
            ("auto", "owner/name"),
        ]:
            if trusted:
                check_offered(assistant, llm=llm, reranker=reranker)
            else:
                with pytest.raises(InvalidInput, match="not among those offered"):
                    check_offered(assistant, llm=llm, reranker=reranker)


@pytest.fixture(scope="module")
def address() -> str:
    """An address of this machine that others may reach, where it has one."""
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing, and tells which address would
        except OSError:
            pytest.skip("this machine has no address but its own")
        return str(probe.getsockname()[0])


@pytest.mark.slow
def test_beyond_this_machine_the_page_asks_who_one_is(
    browser: "Browser", address: str, tmp_path: Path
) -> None:
    from playwright.sync_api import expect

    from tests.helpers.page import PATIENCE, PHONE, accessibility, screenshot, serving

    variables = {"RAG_APP_HOST": address, "RAG_APP_AUTH": PEOPLE, "RAG_APP_API_TOKEN": "x" * 16}
    with serving(tmp_path / "data", tmp_path / "tmp", **variables) as server:
        assert address in server.url
        with httpx.Client(base_url=server.url, trust_env=False) as client:
            for path in ("/config", "/gradio_api/info", "/gradio_api/mcp", "/gradio_api/file=/etc/passwd"):
                assert client.get(path).status_code == 401
            assert client.post("/gradio_api/queue/join", json={}).status_code == 401
            assert client.get("/api/v1/health").status_code == 401
            token = {"Authorization": "Bearer " + "x" * 16}
            assert client.get("/api/v1/health", headers=token).status_code == 200

        context = browser.new_context(viewport=PHONE, color_scheme="dark")
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.goto(server.url)
        page.get_by_label("username").fill("ada")
        page.get_by_label("password").fill("wrong")
        assert page.title() == "rag-app: log in"
        screenshot(page, "login-phone-dark")
        assert accessibility(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        page.get_by_label("password").press("Enter")
        expect(page.get_by_text("Incorrect")).to_be_visible()
        page.set_viewport_size({"width": 1440, "height": 900})
        page.emulate_media(color_scheme="light")
        screenshot(page, "login-desktop")
        assert accessibility(page) == []
        page.get_by_label("username").fill("ada")
        page.get_by_label("password").fill(PASSWORD)
        page.get_by_role("button", name="login").click()
        expect(page.locator("#question textarea")).to_be_visible()
        screenshot(page, "logged-in-desktop")
        assert "access-token" not in page.evaluate("document.cookie")
        page.locator("#logout").click()
        expect(page.get_by_label("username")).to_be_visible()
        assert page.locator("#question").count() == 0
        context.close()
        assert not any(PASSWORD in line or "x" * 16 in line for line in server.lines)
