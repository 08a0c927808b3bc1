"""Several answers to one question, in a real browser: asked again, compared, there after a restart."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.helpers.paths import SAMPLES

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

from playwright.sync_api import Page, expect

from tests.helpers.dictated_model import dictated
from tests.helpers.page import (
    PATIENCE,
    PHONE,
    accessibility,
    ask,
    choose_strategy,
    open_chip,
    opened,
    own_port,
    screenshot,
    serving,
    upload,
)

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.slow

QUESTION = "What constant does reciprocal rank fusion use, and who proposed it?"
REPLY = "#conversation .bot.message .reply >> nth=0"
WHICH = "#conversation .variants .which"


def choose(page: Page, selector: str, option: str) -> None:
    page.locator(f"#{selector} input").click()
    page.get_by_role("option", name=re.compile(option)).click()


def retry_with(page: Page, selector: str, option: str) -> None:
    page.locator("#conversation a.action", has_text="Retry with").last.click()
    expect(page.locator("#choose-retry")).to_contain_text("Answer again:")
    choose(page, selector, option)
    page.get_by_role("button", name="Answer again").click()
    expect(page.locator("#choose-retry")).to_be_hidden()


def test_a_question_is_answered_again_in_its_place(browser: "Browser", tmp_path: Path) -> None:
    with (
        dictated() as model,
        serving(tmp_path / "data", tmp_path / "tmp", RAG_APP_LLM=model.llm) as server,
        opened(browser, server) as page,
    ):
        upload(page, SAMPLES / "bi-encoders.md")
        model.write("It uses 60 [1].")
        model.end()
        ask(page, QUESTION)
        expect(page.locator(WHICH)).to_have_count(0)
        retry_with(page, "retry-llm", "Quotes only")
        expect(page.locator(WHICH)).to_have_text("2/2", timeout=PATIENCE)
        expect(page.locator("#conversation .question")).to_have_count(1)
        expect(page.locator(REPLY)).to_contain_text("Cormack")
        previous = page.get_by_role("link", name="Answer 2 of 2, previous")
        previous.focus()
        page.keyboard.press("Enter")
        expect(page.locator(REPLY)).to_contain_text("It uses 60")
        expect(page.get_by_role("link", name="Answer 1 of 2, next")).to_be_focused()
        page.locator("#conversation a.action", has_text="Compare these").click()
        dialog = page.get_by_role("dialog")
        expect(dialog.get_by_role("region", name="Answer 2 of 2")).to_contain_text("Cormack")
        assert accessibility(page) == []


@pytest.mark.soak
def test_an_answer_has_variants(browser: "Browser", tmp_path: Path) -> None:
    folders, port = (tmp_path / "data", tmp_path / "tmp"), own_port()
    with dictated() as model:
        with (
            serving(*folders, "--port", port, RAG_APP_LLM=model.llm) as server,
            opened(browser, server) as page,
        ):
            upload(page, SAMPLES / "bi-encoders.md", SAMPLES / "colbert.md")
            model.write("It uses 60 [1].")
            model.end()
            ask(page, QUESTION)
            expect(page.locator(WHICH)).to_have_count(0)
            page.fill("#question textarea", "typed meanwhile")

            # Without a model, in the same place; what was typed stays.
            retry_with(page, "retry-llm", "Quotes only")
            expect(page.locator(WHICH)).to_have_text("2/2", timeout=PATIENCE)
            expect(page.locator("#conversation .question")).to_have_count(1)
            expect(page.locator(REPLY)).to_contain_text("Cormack")
            expect(page.locator("#question textarea")).to_have_value("typed meanwhile")
            expect(page.locator("#sources h3").first).to_have_text("Cited")

            # Stopped while it is written: what there is stays, as a variant.
            choose_strategy(page, "bm25")
            page.locator("#conversation a.action", has_text="Retry with").click()
            expect(page.locator("#retry-strategy input")).to_have_value(re.compile("^bm25"))
            screenshot(page, "retry-with")
            page.get_by_role("button", name="Answer again").click()
            model.write("Cormack and others ")
            expect(page.locator(REPLY)).to_contain_text("Cormack and others", timeout=PATIENCE)
            page.locator("#stop").click()
            expect(page.locator(WHICH)).to_have_text("3/3", timeout=PATIENCE)
            expect(page.locator("#conversation .stamp")).to_contain_text("bm25")
            model.end()

            # By keyboard, and the sources follow.
            previous = page.get_by_role("link", name="Answer 3 of 3, previous")
            previous.focus()
            page.keyboard.press("Enter")
            expect(page.locator(WHICH)).to_have_text("2/3")
            expect(page.get_by_role("link", name="Answer 2 of 3, previous")).to_be_focused()
            page.keyboard.press("Enter")
            expect(page.locator(REPLY)).to_contain_text("It uses 60")
            expect(page.get_by_role("link", name="Answer 1 of 3, next")).to_be_focused()
            expect(page.locator("#sources .summary b")).not_to_have_text("bm25")
            page.locator("#conversation a.marker").first.click()
            expect(page.locator("#viewer .viewer")).to_be_visible(timeout=PATIENCE)
            assert accessibility(page) == []
            screenshot(page, "variants")

            # A second tab shows the same, and what is chosen in one is shown in the other.
            other = page.context.new_page()
            other.goto(page.url)
            expect(other.locator(WHICH)).to_have_text("1/3", timeout=PATIENCE)
            other.get_by_role("link", name="Answer 1 of 3, next").click()
            expect(other.locator(WHICH)).to_have_text("2/3")
            expect(page.locator(WHICH)).to_have_text("2/3", timeout=PATIENCE)
            other.close()

            page.locator("#conversation a.action", has_text="Compare these").click()
            dialog = page.get_by_role("dialog")
            expect(dialog.get_by_role("region", name="Answer 2 of 3")).to_contain_text("Cormack")
            expect(dialog.get_by_role("region", name="Answer 3 of 3")).to_contain_text(
                "stopped before its end"
            )
            screenshot(page, "side-by-side")
            assert accessibility(page) == []
            page.keyboard.press("Escape")
            expect(dialog).to_have_count(0)
            expect(page.locator("#conversation a.action", has_text="Compare these")).to_be_focused()
            page.set_viewport_size(PHONE)
            page.locator(WHICH).scroll_into_view_if_needed()
            for name in ("previous", "next"):
                box = page.get_by_role("link", name=f"Answer 2 of 3, {name}").bounding_box()
                assert box
                assert min(box["width"], box["height"]) >= 44
            screenshot(page, "variants-phone")
            page.locator("#conversation a.action", has_text="Compare these").click()
            expect(dialog).to_be_visible()
            assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
            screenshot(page, "side-by-side-phone")
            address = page.url.partition("?")[2]
        with (
            serving(*folders, "--port", port, RAG_APP_LLM=model.llm) as server,
            opened(browser, server) as page,
        ):
            page.goto(f"{server.url}/?{address}")
            expect(page.locator(WHICH)).to_have_text("2/3", timeout=PATIENCE)
            expect(page.locator(REPLY)).to_contain_text("Cormack")
            page.get_by_role("link", name="Answer 2 of 3, next").click()
            expect(page.locator("#conversation .stamp")).to_contain_text("stopped")
            expect(page.locator(REPLY)).to_contain_text("Cormack and others")
            open_chip(page, "llm")
            choose(page, "llm", "Quotes only")
            page.keyboard.press("Escape")
            ask(page, "When did they propose it?")
            expect(page.locator("#conversation .question")).to_have_count(2)
            page.locator("#share").click()
            exported = page.locator("#sharing textarea")
            expect(exported).to_have_value(
                re.compile(r"### Answer 1 of 3\n.*### Answer 3 of 3, chosen\n", re.DOTALL)
            )
