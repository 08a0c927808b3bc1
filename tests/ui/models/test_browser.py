"""The Models page in headless Chromium, with a stand-in for the hub on loopback."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

from playwright.sync_api import expect

from tests.helpers.hub import SMALL, Hub, hub_variables, listed, serving_hub
from tests.helpers.page import (
    PATIENCE,
    PHONE,
    Server,
    accessibility,
    open_chip,
    open_page,
    opened,
    screenshot,
    serving,
)
from tests.helpers.tiny_gguf import write_tiny_gguf

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def hub() -> Iterator[Hub]:
    with serving_hub() as served:
        yield served


@pytest.fixture(scope="module")
def server(browser: "Browser", hub: Hub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("models")
    listed(folder / "data", SMALL)
    variables = {**hub_variables(hub), "no_proxy": "127.0.0.1"}
    with serving(folder / "data", folder / "tmp", **variables) as started:
        yield started


def show_page(page: "Page") -> None:
    open_page(page, "Models")
    expect(page.get_by_text("Rerankers", exact=True)).to_be_visible(timeout=PATIENCE)


@pytest.mark.soak
def test_pull_refused_cancelled_resumed_used_removed(browser: "Browser", server: Server, hub: Hub) -> None:
    with opened(browser, server) as page:
        show_page(page)
        expect(page.locator("#models-network")).to_contain_text("Downloads come from 127.0.0.1")
        assert not hub.requests  # nothing is asked for until somebody says so
        screenshot(page, "models-desktop")
        pull, progress = page.get_by_label("Download small"), page.locator("#models-progress")

        hub.wrong = True
        pull.click()
        expect(progress).to_contain_text("model.safetensors is not what the hub says", timeout=PATIENCE)
        hub.wrong, hub.slow = False, threading.Event()
        pull.click()
        expect(progress).to_contain_text("of 4.2 MB", timeout=PATIENCE)
        assert hub.slow.wait(PATIENCE / 1000)
        expect(page.get_by_label("Download Qwen3-4B")).to_be_disabled()
        screenshot(page, "models-pulling")
        page.locator("#models-cancel").click()
        expect(progress).to_contain_text("Download goes on where it stopped", timeout=PATIENCE)
        hub.slow = None
        hub.requests.clear()
        pull.click()
        expect(progress).to_contain_text("small is installed and verified: 4.2 MB", timeout=PATIENCE)
        assert [asked.split("=")[0] for asked in hub.ranges_of("model.safetensors") if asked] == ["bytes"]

        page.get_by_label("Use small").click()
        expect(page.locator("#models-message")).to_contain_text("small is the reranker now")
        assert 'reranker = "small"' in server.temporary.with_name("empty.toml").read_text()
        page.reload()
        expect(page.locator("#reranker input")).to_have_value("small", timeout=PATIENCE)
        show_page(page)
        page.get_by_label("Remove small").click()
        expect(page.locator("#models-confirmation")).to_contain_text("It is in use")
        expect(page.locator("#models-confirmation")).to_be_in_viewport()
        screenshot(page, "models-remove")
        assert accessibility(page) == []
        page.locator("#models-keep").click()
        expect(page.locator("#models-confirmation")).to_be_hidden()
        page.get_by_label("Remove small").click()
        page.locator("#models-remove").click()
        expect(page.locator("#models-message")).to_contain_text("Removed small: 4.2 MB freed")
        expect(page.get_by_label("Remove small")).to_have_count(0)  # it was added: it leaves the list


def test_a_file_here_is_added_and_offered(browser: "Browser", server: Server, tmp_path: Path) -> None:
    file = write_tiny_gguf(tmp_path / "tiny-llm.gguf")
    with opened(browser, server, viewport=PHONE, scheme="dark") as page:
        show_page(page)
        expect(page.locator("#models-network")).to_contain_text("Encoders and rerankers run on")
        screenshot(page, "models-phone-dark")
        assert accessibility(page) == []
        page.get_by_text("Add a model file").click()
        page.fill("#models-path textarea, #models-path input", str(file))
        page.locator("#models-add-button").click()
        expect(page.locator("#models-progress")).to_contain_text("Added tiny-llm.", timeout=PATIENCE)
        expect(page.get_by_label("Use tiny-llm")).to_be_visible(timeout=PATIENCE)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        open_page(page, "Chat")
        open_chip(page, "llm")
        page.locator("#llm input").click()
        expect(page.get_by_role("option", name="tiny-llm")).to_be_visible()
