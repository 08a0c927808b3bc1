"""An answer outlives its tab, in a real browser: reload, a second tab, Stop from there."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.helpers.paths import SAMPLES

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

from playwright.sync_api import expect

from tests.helpers.dictated_model import Dictation, dictated
from tests.helpers.page import PATIENCE, Server, opened, screenshot, send, serving, upload

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.slow

QUESTION = "What constant does reciprocal rank fusion use, and who proposed it?"


@pytest.fixture(scope="module")
def model() -> Iterator[Dictation]:
    with dictated() as started:
        yield started


@pytest.fixture(scope="module")
def server(
    browser: "Browser", model: Dictation, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """One server; depends on the browser, so as not to start in vain."""
    folder = tmp_path_factory.mktemp("surviving")
    variables = {
        "RAG_APP_LLM": model.llm,
        "GRADIO_IS_E2E_TEST": "1",  # Gradio looks four times a second whether a tab is open, else all 15 s
    }
    with serving(folder / "data", folder / "tmp", **variables) as started:
        yield started


def test_two_tabs_show_one_answer(browser: "Browser", server: Server, model: Dictation) -> None:
    with opened(browser, server) as page:
        upload(page, SAMPLES / "bi-encoders.md")
        send(page, QUESTION)
        replies = "#conversation .bot.message .reply"
        model.write("Reciprocal rank fusion uses the constant 60 [1]. ")
        expect(page.locator(replies)).to_contain_text("the constant 60", timeout=PATIENCE)
        page.reload()
        expect(page.locator(replies)).to_contain_text("the constant 60", timeout=PATIENCE)
        expect(page.locator("#stop")).to_be_visible()
        other = page.context.new_page()
        other.goto(page.url)
        expect(other.locator(replies)).to_contain_text("the constant 60", timeout=PATIENCE)
        model.write("It was proposed by Cormack and others. ")
        for tab in (page, other):
            expect(tab.locator(replies)).to_contain_text("by Cormack and others")
        other.locator("#stop").click()
        for tab in (page, other):
            expect(tab.locator("#conversation .stamp")).to_contain_text("stopped")
            expect(tab.locator("#send")).to_be_visible()
        model.end()  # of what is not read any more

        # A tab that only looks on sees what is asked in the other one; what it asks meanwhile waits.
        send(page, QUESTION)
        model.write("It uses 60, as Cormack and others say. ")
        second, third = (other.locator(replies).nth(place) for place in (1, 2))
        expect(second).to_contain_text("as Cormack and others", timeout=PATIENCE)
        expect(other.locator("#stop")).to_be_visible()
        other.fill("#question textarea", "What does reciprocal rank fusion add up?")
        other.press("#question textarea", "Enter")
        expect(other.locator("#waiting li")).to_have_text(["Next: What does reciprocal rank fusion add up?×"])
        model.end()
        expect(other.locator("#conversation .question")).to_have_count(3, timeout=PATIENCE)
        model.write("Reciprocal ranks. ")
        expect(third).to_contain_text("Reciprocal ranks", timeout=PATIENCE)
        (identity,) = re.findall(r"conversation=(\w+)", page.url)
        model.end()
        for tab in (page, other):
            expect(tab.locator(replies)).to_have_count(3, timeout=PATIENCE)
            expect(tab.locator("#send")).to_be_visible()
        assert server.states(identity) == ["stopped", "answered", "answered"]


@pytest.mark.soak
def test_an_answer_outlives_its_tab(browser: "Browser", server: Server, model: Dictation) -> None:
    with opened(browser, server) as page:
        upload(page, SAMPLES / "bi-encoders.md")
        send(page, QUESTION)
        replies = "#conversation .bot.message .reply"
        model.write("Reciprocal rank fusion uses the constant 60 [1]. ")
        expect(page.locator(replies)).to_contain_text("the constant 60", timeout=PATIENCE)
        address = page.url

        page.reload()
        expect(page.locator(replies)).to_contain_text("the constant 60", timeout=PATIENCE)
        expect(page.locator("#sources .card").first).to_be_attached()
        expect(page.locator("#stop")).to_be_visible()
        model.write("It was proposed by Cormack and others. ")
        expect(page.locator(replies)).to_contain_text("by Cormack and others")
        expect(page.locator("#conversation .working")).to_contain_text("writing")
        screenshot(page, "reloaded-while-writing")

        other = page.context.new_page()
        other.goto(address)
        expect(other.locator(replies)).to_contain_text("by Cormack and others", timeout=PATIENCE)
        model.write("The reciprocal ranks of a passage are added. ")
        for tab in (page, other):
            expect(tab.locator(replies)).to_contain_text("reciprocal ranks of a passage")
        other.locator("#stop").click()
        for tab in (page, other):
            expect(tab.locator("#conversation .stamp")).to_contain_text("stopped")
            expect(tab.locator("#send")).to_be_visible()
        model.end()  # of what is not read any more
        screenshot(other, "stopped-in-the-other-tab")
        for tab in (page, other):
            tab.reload()
            expect(tab.locator(replies)).to_contain_text("reciprocal ranks of a passage", timeout=PATIENCE)
            expect(tab.locator("#conversation .stamp")).to_contain_text(
                re.compile("dictated at .* · stopped")
            )
            expect(tab.locator("#sources .card").first).to_be_attached()
        screenshot(page, "stopped-and-reloaded")

        # A tab that only looks on sees what is asked in the other one; what it asks meanwhile waits.
        send(page, QUESTION)
        model.write("It uses 60, as Cormack and others say. ")
        second = other.locator(replies).nth(1)
        expect(second).to_contain_text("as Cormack and others", timeout=PATIENCE)
        expect(other.locator("#stop")).to_be_visible()
        other.fill("#question textarea", "What does reciprocal rank fusion add up?")
        other.press("#question textarea", "Enter")
        expect(other.locator("#waiting li")).to_have_count(1)
        expect(second).to_be_visible()
        screenshot(other, "asked-while-answering")

        # Another conversation takes its place, and both tabs are closed: it goes on.
        page.locator("#clear").click()
        expect(page.locator("#conversation .question")).to_have_count(0)
        other.close()
        model.write("Small constants favour the first ranks. ")
        page.locator("#conversations button").first.click()
        expect(page.locator(replies).nth(1)).to_contain_text("favour the first", timeout=PATIENCE)
        page.goto("about:blank")
        model.end()
        page.goto(address)
        stamp = page.locator("#conversation .stamp").nth(1)
        expect(stamp).to_have_text(re.compile(r"dictated at .* · [\d.]+ m?s"), timeout=PATIENCE)
        expect(page.locator(replies).nth(1)).to_contain_text("favour the first ranks")
        (identity,) = re.findall(r"conversation=(\w+)", address)
        assert server.states(identity) == ["stopped", "answered"]
