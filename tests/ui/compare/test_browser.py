"""The Compare page in headless Chromium."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

from playwright.sync_api import Page, expect

from tests.helpers.page import (
    LAB,
    PATIENCE,
    PHONE,
    Server,
    accessibility,
    open_chip,
    open_page,
    opened,
    page_link,
    screenshot,
    serving,
)

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.slow

QUESTION = "What does late interaction store?"


@pytest.fixture(scope="module")
def server(
    browser: "Browser", samples_library: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("compare")
    shutil.copytree(samples_library, folder / "data")
    with serving(folder / "data", folder / "tmp") as started:
        yield started


def compare(page: Page, question: str) -> None:
    open_page(page, "Compare")
    page.fill("#compare-question textarea", question)
    page.press("#compare-question textarea", "Enter")
    expect(page.locator("#comparison .asked")).to_have_text(question, timeout=PATIENCE)


def choose(page: Page, box: str, option: str) -> None:
    page.locator(f"{box} input").click()
    page.get_by_role("option", name=option, exact=True).click()


def test_columns_votes_and_answers(browser: "Browser", server: Server) -> None:
    with opened(browser, server) as page:
        open_page(page, "Compare")
        expect(page.locator("#comparison")).to_contain_text("two to four strategies")
        choose(page, "#compare-strategy-3", "colbert")
        compare(page, QUESTION)
        expect(page.locator("#comparison .column h3")).to_have_text(["documents-first", "bm25", "colbert"])
        expect(page.locator("#comparison .lines path").first).to_be_attached()
        # A line ends where the card that it leads to stands.
        line = page.locator("#comparison .lines path.same").first  # from rank 1 to rank 1
        card = page.locator("#comparison .column").nth(0).locator(".passage-card").nth(0)
        start, middle = line.bounding_box(), card.bounding_box()
        assert start
        assert middle
        assert start["y"] + start["height"] / 2 == pytest.approx(middle["y"] + middle["height"] / 2, abs=2)
        expect(page.locator("#comparison")).to_contain_text("stored")

        page.locator("#comparison [data-show]").first.click()
        expect(page.locator("#reading .passage")).to_contain_text("late interaction")
        page.get_by_label("Close the passage").click()
        card.get_by_label("This passage answers the question").click()
        pressed = card.get_by_label("This passage answers the question")
        expect(pressed).to_have_attribute("aria-pressed", "true")

        page.locator("#compare-write").click()
        expect(page.locator("#compare-answers section .stamp")).to_have_count(3, timeout=PATIENCE)
        # A marker opens the passage here, and not the chat's source of that number.
        marker = page.locator("#compare-answers section").nth(1).locator("a.marker").first
        expect(marker).to_have_attribute("href", re.compile("#source-2-"))
        marker.click()
        expect(page.locator("#reading .passage")).to_contain_text("vector")
        assert "#source" not in page.url
        page.get_by_label("Close the passage").click()
        page.locator("#comparison .asked").click()
        page.keyboard.press("/")
        expect(page.locator("#compare-question textarea")).to_be_focused()
        page.locator("#vote-2").click()
        expect(page.locator("#tally tbody tr")).to_have_count(3)
        expect(page.locator("#comparison .column.chosen h3")).to_have_text("bm25")
        screenshot(page, "compare-desktop")
        assert accessibility(page) == []


@pytest.mark.soak
def test_blind_until_the_vote_and_what_cannot_be_compared(browser: "Browser", server: Server) -> None:
    with opened(browser, server, scheme="dark") as page:
        open_page(page, "Compare")
        page.locator("#compare-blind input").check()
        compare(page, "How is a cross-encoder trained?")
        expect(page.locator("#comparison .column h3")).to_have_text(["A", "B"])
        shown = page.locator("#comparison").inner_text()
        assert not re.search("documents-first|bm25", shown)
        assert not re.search(r"[0-9] ms", shown)
        # What the answers said of themselves at any time while they were written.
        page.evaluate(
            "() => { window.said = ''; const answers = document.getElementById('compare-answers');"
            "new MutationObserver(() => { window.said += answers.innerText; })"
            ".observe(answers, { childList: true, subtree: true, characterData: true }); }"
        )
        page.locator("#compare-write").click()
        expect(page.locator("#compare-answers .reply")).to_have_count(2, timeout=PATIENCE)
        expect(page.locator("#compare-write")).to_be_visible(timeout=PATIENCE)
        expect(page.locator("#compare-answers h3")).to_have_text(["A", "B"])
        assert not re.search("documents-first|bm25|reranker", page.evaluate("window.said"))
        page.locator("#vote-all").click()
        expect(page.locator("#comparison .column h3").first).to_have_text(re.compile("documents-first|bm25"))
        names = page.locator("#comparison .column h3").all_inner_texts()
        expect(page.locator("#compare-answers h3")).to_have_text(names)
        expect(page.locator("#compare-answers .stamp").first).to_contain_text(names[0])
        screenshot(page, "compare-dark")
        assert accessibility(page) == []
        choose(page, "#compare-strategy-1", "bm25")
        page.press("#compare-question textarea", "Enter")
        expect(page.locator("#compare-refused [role=alert]")).to_contain_text("bm25 is there twice")
        page.fill("#compare-question textarea", "?!")
        choose(page, "#compare-strategy-1", "mean")
        page.press("#compare-question textarea", "Enter")
        expect(page.locator("#compare-refused [role=alert]")).to_contain_text("question")


def stop_button(page: Page, pane: str, name: str) -> None:
    """Put a button where one is only while an answer is written."""
    page.evaluate(
        "([pane, name]) => { const button = document.createElement('button'); button.id = name; "
        "button.textContent = name; button.onclick = () => window.stopped.push(name); "
        "document.getElementById(pane).append(button); }",
        [pane, name],
    )


def test_keys_act_on_the_open_tab_and_leave_lists_of_choices_alone(
    browser: "Browser", server: Server
) -> None:
    with opened(browser, server) as page:
        page.evaluate("window.stopped = []")
        stop_button(page, "chat-pane", "stop")
        open_chip(page, "collection")
        page.locator("#collection input").click()
        page.keyboard.press("Escape")
        assert page.evaluate("window.stopped") == []
        page.locator("#question textarea").focus()
        page.keyboard.press("Escape")
        assert page.evaluate("window.stopped") == ["stop"]
        open_page(page, "Compare")
        expect(page.locator("#compare-question textarea")).to_be_visible()
        stop_button(page, "compare", "compare-stop")
        page.locator("#compare-strategy-1 input").click()
        page.keyboard.press("Escape")
        assert page.evaluate("window.stopped") == ["stop"]
        page.locator("#compare-question textarea").focus()
        page.keyboard.press("Escape")
        assert page.evaluate("window.stopped") == ["stop", "compare-stop"]
        # Where nothing is asked, a slash is any key.
        open_page(page, "Library")
        expect(page.locator("#library-table")).to_be_visible()
        page.evaluate(
            "document.addEventListener('keydown', (event) => { window.taken = event.defaultPrevented; })"
        )
        page.keyboard.press("/")
        assert page.evaluate("window.taken") is False


def test_the_lab_by_keyboard_back_and_address(browser: "Browser", server: Server) -> None:
    with opened(browser, server) as page:
        expect(page_link(page, "Compare")).to_be_hidden()
        page_link(page, "Lab").focus()
        page.keyboard.press("Enter")
        expect(page.locator("#compare-question textarea")).to_be_visible()
        for _ in ("Models", "local", "Compare", "Evaluate", "Inspect"):
            page.keyboard.press("Tab")
        expect(page_link(page, "Inspect")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.locator("#worked .cosines")).to_be_visible(timeout=PATIENCE)  # works once it is seen
        assert accessibility(page) == []
        open_page(page, "Library")
        for seen in ("Inspect", "Compare", "Chat"):
            page.go_back()
            expect(page_link(page, seen)).to_have_attribute("aria-current", "page")
        expect(page.locator("#question textarea")).to_be_visible()
        expect(page_link(page, "Compare")).to_be_hidden()

        # The Lab opens with the page that was seen last, which is told so once more.
        open_page(page, "Evaluate")
        open_page(page, "Chat")
        with page.expect_request("**/gradio_api/run/**"):
            page_link(page, "Lab").click()
        expect(page_link(page, "Evaluate")).to_have_attribute("aria-current", "page")

        page.goto(f"{server.url}/?tab=inspect")
        expect(page.locator("#worked .cosines")).to_be_visible(timeout=PATIENCE)
        page.set_viewport_size(PHONE)
        expect(page_link(page, "Lab")).to_have_css("line-height", "56px")  # the page is drawn for a phone
        places = [page_link(page, name).bounding_box() for name in (*LAB, "Chat", "Library", "Lab", "Models")]
        assert all(place and min(place["width"], place["height"]) >= 44 for place in places)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        assert accessibility(page) == []
        screenshot(page, "lab-phone")
        page.goto(f"{server.url}/?tab=documents")  # as this page was called
        expect(page.locator("#library-table")).to_contain_text("colbert.pdf")
        assert "tab=library" in page.url


@pytest.mark.soak
def test_on_a_phone_columns_scroll_in_their_own_box(browser: "Browser", server: Server) -> None:
    with opened(browser, server, PHONE) as page:
        open_page(page, "Compare")
        compare(page, QUESTION)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        screenshot(page, "compare-phone")
