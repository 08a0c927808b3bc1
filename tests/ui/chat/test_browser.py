"""The conversation in a real browser: its errors, its layout, and a server that goes and comes back."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.helpers.paths import SAMPLES

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

from playwright.sync_api import Page, Route, expect

from rag_app.config.ports import free_port
from tests.helpers.page import PATIENCE, Server, ask, opened, screenshot, serving, upload

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.slow

QUESTION = "What constant does reciprocal rank fusion use, and who proposed it?"
FIELD = "#question textarea"


@pytest.fixture(scope="module")
def server(browser: "Browser", tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("chat")
    with serving(folder / "data", folder / "tmp") as started:
        yield started


@pytest.fixture(scope="module")
def page(browser: "Browser", server: Server) -> Iterator[Page]:
    """One page for all tests: a conversation with an answer."""
    with opened(browser, server) as shown:
        upload(shown, SAMPLES / "bi-encoders.md", SAMPLES / "colbert.md")
        ask(shown, QUESTION)
        yield shown


def test_errors_stand_at_the_field_that_they_are_about(page: Page) -> None:
    conversation, notice = page.locator("#conversation"), page.locator("#notice [role=alert]")
    page.press(FIELD, "Enter")
    expect(notice).to_have_text("The question is empty; type what you want to know.")
    expect(conversation).to_contain_text("Cormack")
    screenshot(page, "empty-question")

    page.locator("#llm input").fill("/nowhere/model.gguf")
    page.locator("#llm input").press("Enter")
    page.fill(FIELD, QUESTION)
    page.press(FIELD, "Enter")
    expect(notice).to_contain_text("/nowhere/model.gguf")
    expect(page.locator(FIELD)).to_have_value(QUESTION)  # nothing was asked
    page.locator("#llm input").fill("extractive")
    page.locator("#llm input").press("Enter")
    page.press(FIELD, "Enter")
    expect(page.locator("#conversation .question")).to_have_count(2)
    expect(notice).to_have_count(0)
    expect(page.locator("#send")).to_be_visible()

    page.locator("#rename").click()
    name = page.locator("#conversation-name :is(input, textarea)")
    name.fill(" ")
    page.locator("#save-name").click()
    expect(page.locator("#title-notice [role=alert]")).to_have_text(
        "The name is empty; enter a name of 1 to 200 characters."
    )
    screenshot(page, "empty-name")
    name.fill("Constants")
    page.locator("#save-name").click()
    expect(page.locator("#title")).to_have_text("Constants")
    expect(page.locator("#title-notice [role=alert]")).to_have_count(0)


def test_what_other_pages_refuse_is_said_beside_the_button(page: Page) -> None:
    page.get_by_role("tab", name="Evaluate").click()
    expect(page.locator("#evaluate-judged")).to_contain_text("Nothing was judged")
    expect(page.locator("#evaluate-strategies")).to_contain_text("colbert")
    page.locator("#evaluate-run").click()
    expect(page.locator("#evaluate-message [role=alert]")).to_contain_text("No passage is judged")
    expect(page.locator("#evaluate-message [role=alert]")).to_be_in_viewport()
    page.get_by_role("tab", name="Models").click()
    page.get_by_text("Add a model that lies on this machine").click()
    page.fill("#models-path :is(input, textarea)", "/nowhere/model.gguf")
    page.locator("#models-add-button").click()
    expect(page.locator("#models-added [role=alert]")).to_contain_text("no file or folder /nowhere/")
    expect(page.locator("#models-added [role=alert]")).to_be_in_viewport()
    page.get_by_role("tab", name="Chat").click()


def test_a_fault_of_the_application_names_its_request_and_covers_nothing(page: Page) -> None:
    def fail(route: Route) -> None:
        route.fulfill(status=500, headers={"X-Request-Id": "f4u17"}, json={"error": None})

    page.route("**/gradio_api/run/**", fail)
    page.press(FIELD, "Enter")
    told = page.locator("#connection")
    expect(told).to_contain_text("its log has the details. (request f4u17)")
    expect(page.locator("#conversation").get_by_text("Cormack").first).to_be_visible()
    expect(page.get_by_text("Error", exact=True).filter(visible=True)).to_have_count(0)
    screenshot(page, "fault")
    page.unroute("**/gradio_api/run/**")
    told.get_by_role("button", name="Close").click()
    expect(told).to_be_hidden()


def test_a_server_that_went_is_waited_for(browser: "Browser", tmp_path: Path) -> None:
    port = free_port("127.0.0.1", 0)
    folders = tmp_path / "data", tmp_path / "tmp"
    with serving(*folders, "--port", port) as server:
        context = browser.new_context()
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(server.address())
        ask(page, "Hello!")
        page.fill(FIELD, "What was typed and not asked")
    told = page.locator("#connection[role=status]")
    expect(told).to_have_text("Reconnecting…")
    expect(page.locator("#conversation .question")).to_be_visible()
    assert page.get_by_text("Error", exact=True).filter(visible=True).count() == 0
    screenshot(page, "reconnecting")
    with serving(*folders, "--port", port) as server:
        expect(told).to_contain_text("Open the address that it printed")
        let_in = context.new_page()
        let_in.goto(server.address())
        expect(told).to_be_hidden()
        expect(page.locator("#conversation .question")).to_have_text(re.compile("Hello!"))
        expect(page.locator(FIELD)).to_have_value("What was typed and not asked")
        ask(page, "Thanks!")
        context.close()
    assert not errors
