"""How the page opens: by one click for the account that serves it, and for no other browser."""

import re
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

from playwright.sync_api import Page, expect

from tests.helpers.commands import Command
from tests.helpers.page import (
    DESKTOP,
    PATIENCE,
    PHONE,
    Server,
    accessibility,
    page_link,
    screenshot,
    serving,
)

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.slow

QUESTION = "#question textarea"


class Desk:
    """A person's desk: a browser that notes what it was told to open."""

    def __init__(self, folder: Path) -> None:
        self.log = folder / "opened.txt"
        self.log.touch()
        self.command = folder / "browser"
        self.command.write_text(f'#!/bin/sh\nprintf "%s\\n" "$*" >> "{self.log}"\n')
        self.command.chmod(0o755)

    def opened(self) -> list[str]:
        return self.log.read_text().split()


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return Desk(tmp_path_factory.mktemp("desk"))


@pytest.fixture(scope="module")
def server(browser: "Browser", desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("page")
    with serving(folder / "data", folder / "tmp", "--open", BROWSER=str(desk.command)) as started:
        yield started


def arrived(page: Page, server: Server) -> None:
    """Check that a browser shows the page, under an address that holds no key."""
    expect(page.locator(QUESTION)).to_be_visible(timeout=PATIENCE)
    assert page.url.partition("?")[0] == f"{server.url}/"
    assert "key=" not in page.url


def test_the_browser_is_opened_past_the_list_of_processes(
    browser: "Browser", server: Server, desk: Desk, eventually: Callable[[Callable[[], bool]], bool]
) -> None:
    assert eventually(lambda: len(desk.opened()) == 1)
    (told,) = desk.opened()  # what other accounts see
    file = Path(told.removeprefix("file://"))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "key=" not in told
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(told)
        arrived(page, server)


def test_one_click_opens_the_page_for_good(browser: "Browser", server: Server) -> None:
    (line,) = (line for line in server.lines if line.startswith("serving "))
    printed = line.split()[1]
    with browser.new_context() as context:
        page = context.new_page()
        page.goto("about:blank")
        # The file of the test before has used the key up: the same address leads to a page that explains.
        page.goto(printed)
        expect(page.get_by_role("alert")).to_contain_text("used before")
        address = server.address()
        page.goto(address)
        arrived(page, server)
        page.reload()
        arrived(page, server)
        page.goto(address)  # a second click in the same browser
        arrived(page, server)
        second = context.new_page()
        second.goto(f"{server.url}/?tab=inspect")
        expect(page_link(second, "Inspect")).to_have_attribute("aria-current", "page")
        assert "rag-app-page" not in page.evaluate("document.cookie")
        (cookie,) = context.cookies()
        assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Lax")
        assert page.evaluate("document.referrer") == ""


def test_another_browser_is_told_how_to_get_in(browser: "Browser", server: Server) -> None:
    with browser.new_context(viewport=PHONE, color_scheme="dark") as context:
        page = context.new_page()
        refused = page.goto(f"{server.url}/?tab=inspect")
        assert refused
        assert refused.status == 401
        expect(page.get_by_role("heading")).to_have_text("Open the page")
        assert page.title() == "rag-app: open the page"
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        screenshot(page, "key-phone-dark")
        assert accessibility(page) == []
        page.set_viewport_size(DESKTOP)
        page.emulate_media(color_scheme="light")
        screenshot(page, "key-desktop")
        assert accessibility(page) == []
        page.get_by_label("The address, or its key").fill("guessed")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("no key of the server")
        page.get_by_label("The address, or its key").fill(server.address())
        page.get_by_role("button", name="Open").click()
        expect(page_link(page, "Inspect")).to_have_attribute("aria-current", "page")
        assert page.url == f"{server.url}/?tab=inspect"


def test_the_command_opens_a_running_server(
    browser: "Browser", server: Server, desk: Desk, run_process: Command
) -> None:
    desktop = {"BROWSER": str(desk.command)}
    for arguments, opens in [(["open"], True), (["serve", "--open"], True), (["open", "--json"], False)]:
        before = len(desk.opened())
        done = run_process("--data-dir", server.data, *arguments, env=desktop)
        assert (done.code, done.err) == (0, "")
        found = re.search(rf"{server.url}/\?key=\w+", done.out)
        assert found
        assert len(desk.opened()) - before == opens
        assert "key=" not in "".join(desk.opened())
        with browser.new_context() as context:
            page = context.new_page()
            page.goto(desk.opened()[-1] if opens else found[0])
            arrived(page, server)
    without = run_process("--data-dir", server.data, "open", env={"BROWSER": "", "DISPLAY": ""})
    assert "open the address in one on this machine" in without.err


@pytest.mark.soak
def test_a_server_that_is_started_again_asks_again(browser: "Browser", tmp_path: Path) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        with serving(tmp_path / "data", tmp_path / "tmp") as server:
            page.goto(server.address())
            arrived(page, server)
        port = server.url.rpartition(":")[2]
        with serving(tmp_path / "data", tmp_path / "tmp", "--port", port, RAG_APP_LOG_LEVEL="DEBUG") as again:
            # The open page notices by itself.
            expect(page).to_have_title("rag-app: open the page", timeout=PATIENCE)
            page.goto(again.address())
            arrived(page, again)
    written = (tmp_path / "data" / "logs" / "rag-app.log").read_text() + "".join(again.lines)
    assert written.count("key=") == 1  # in the printed address
    assert not (tmp_path / "data" / "temporary").exists()
