"""The conversation in a real browser: its errors, its layout, and a server that goes and comes back."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.helpers.paths import SAMPLES

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

from playwright.sync_api import Page, Route, expect

from tests.helpers.dictated_model import Dictation, dictated
from tests.helpers.page import (
    DESKTOP,
    PATIENCE,
    PHONE,
    Server,
    accessibility,
    ask,
    open_chip,
    open_page,
    opened,
    own_port,
    screenshot,
    send,
    serving,
    upload,
)

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.slow

QUESTION = "What constant does reciprocal rank fusion use, and who proposed it?"
FIELD = "#question textarea"


@pytest.fixture(scope="module")
def model() -> Iterator[Dictation]:
    with dictated() as started:
        yield started


@pytest.fixture(scope="module")
def server(
    browser: "Browser", model: Dictation, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("chat")
    with serving(folder / "data", folder / "tmp", RAG_APP_LLM=model.llm) as started:
        yield started


def choose_model(page: Page, name: str) -> None:
    open_chip(page, "llm")
    page.locator("#llm input").click()
    page.get_by_role("option", name=name).click()
    page.keyboard.press("Escape")
    expect(page.locator("#chips [data-choose=llm]")).to_contain_text(name)


@pytest.fixture(scope="module")
def page(browser: "Browser", server: Server) -> Iterator[Page]:
    """One page for all tests: a conversation with an answer."""
    with opened(browser, server) as shown:
        upload(shown, SAMPLES / "bi-encoders.md", SAMPLES / "colbert.md")
        choose_model(shown, "Quotes only")
        ask(shown, QUESTION)
        yield shown


def test_errors_stand_at_the_field_that_they_are_about(page: Page) -> None:
    conversation, notice = page.locator("#conversation"), page.locator("#notice [role=alert]")
    page.press(FIELD, "Enter")
    expect(notice).to_have_text("The question is empty; type what you want to know.")
    expect(conversation).to_contain_text("Cormack")
    screenshot(page, "empty-question")

    open_chip(page, "llm")
    page.locator("#llm input").fill("/nowhere/model.gguf")
    page.locator("#llm input").press("Enter")
    page.fill(FIELD, QUESTION)
    page.press(FIELD, "Enter")
    expect(notice).to_contain_text("/nowhere/model.gguf")
    expect(page.locator(FIELD)).to_have_value(QUESTION)  # nothing was asked
    choose_model(page, "Quotes only")
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
    open_page(page, "Evaluate")
    expect(page.locator("#evaluate-judged")).to_contain_text("Nothing was judged")
    expect(page.locator("#evaluate-strategies")).to_contain_text("colbert")
    page.locator("#evaluate-run").click()
    expect(page.locator("#evaluate-message [role=alert]")).to_contain_text("No passage is judged")
    expect(page.locator("#evaluate-message [role=alert]")).to_be_in_viewport()
    open_page(page, "Models")
    page.get_by_text("Add a model file").click()
    page.fill("#models-path :is(input, textarea)", "/nowhere/model.gguf")
    page.locator("#models-add-button").click()
    expect(page.locator("#models-added [role=alert]")).to_contain_text("no file or folder /nowhere/")
    expect(page.locator("#models-added [role=alert]")).to_be_in_viewport()
    page.fill("#models-name :is(input, textarea)", "../x")
    page.fill("#models-path :is(input, textarea)", str(SAMPLES / "colbert.md"))
    page.locator("#models-add-button").click()
    expect(page.locator("#models-added [role=alert]")).to_contain_text("leave out '/'")
    open_page(page, "Chat")


def test_bad_input_is_refused_at_its_field(page: Page, tmp_path: Path) -> None:
    def refused(selector: str, words: str) -> None:
        told = page.locator(f"{selector} [role=alert]")
        expect(told).to_contain_text(words)
        expect(told).to_be_in_viewport()

    unread = tmp_path / "notes.xyz"
    unread.write_text("notes")
    binary = tmp_path / "list.tsv"
    binary.write_bytes(b"\xff\xfe\x00")
    open_page(page, "Evaluate")
    page.locator("#evaluate-source").get_by_text("Question list").click()
    page.locator("#evaluate-check").click()
    refused("#evaluate-checked", "There is no list yet; paste one, or upload a file.")
    page.set_input_files("#evaluate-form input[type=file]", str(binary))
    refused("#evaluate-checked", "The list is not UTF-8 text")
    page.locator("#evaluate-source").get_by_text("My judgements").click()

    open_page(page, "Library")
    page.set_input_files("#library-upload input[type=file]", str(unread))
    expect(page.locator("#library-queue .failed")).to_contain_text("has the suffix '.xyz'")
    page.get_by_role("button", name="Collections").click()
    name, collections = (
        page.locator("#library-name :is(input, textarea)"),
        page.locator("#library-collections"),
    )
    for given, words in (
        ("", "The new name is empty; enter"),
        ("default", "There is a collection 'default'"),
    ):
        name.fill(given)
        collections.get_by_role("button", name="Create").click()
        refused("#library-collected", words)
        expect(name).to_have_value(given)
    collections.get_by_role("button", name="Rename").click()
    refused("#library-collected", "No collection is chosen; choose the one to rename.")
    page.locator("#library-table button[data-act=open]").first.click()
    page.locator("#library-number input").fill("999")
    page.locator("#library-number input").press("Enter")
    refused("#library-turned", "There is no page 999; enter ")
    screenshot(page, "no-such-page")
    page.locator("#library-facts input[type=file]").set_input_files(str(unread))
    refused("#library-replaced", "not in .xyz; choose a file of that type.")
    page.locator("#library-close").click()

    open_page(page, "Inspect")
    page.locator("#inspect-document input").click()
    page.get_by_role("option", name="colbert.md").click()
    expect(page.locator("#inspect-place")).to_contain_text("1 to")
    page.locator("#inspect-place input").fill("0")
    refused("#inspect-turned", "There is no passage 0; enter a number from 1 to")
    page.locator("#inspect-place input").fill("2")
    expect(page.locator("#inspect-turned [role=alert]")).to_have_count(0)

    open_page(page, "Compare")
    page.fill("#compare-question textarea", QUESTION)
    page.locator("#compare-send").click()
    expect(page.locator("#voting")).to_be_visible()
    for given, words in ((" ", "The question is empty"), ("word " * 5000, "shorten it to 20,000 at most")):
        page.fill("#compare-question textarea", given)
        page.locator("#compare-send").click()
        refused("#compare-refused", words)
    expect(page.locator("#voting")).to_be_visible()
    assert page.locator(".toast-body").count() == 0
    open_page(page, "Chat")


COUNT_FRAMES = """(() => {
  const frame = window.requestAnimationFrame.bind(window);
  window.frames_asked = 0;
  window.requestAnimationFrame = (callback) => (window.frames_asked++, frame(callback));
})()"""


def test_an_address_of_what_is_gone_says_so(browser: "Browser", server: Server) -> None:
    with opened(browser, server) as page:
        page.goto(f"{server.url}/?tab=documents&document=gone")
        expect(page.locator("#library-deleted [role=alert]")).to_have_text(
            "This document is not in the library any more; choose another one below."
        )
        page.add_init_script(COUNT_FRAMES)
        page.goto(f"{server.url}/?conversation=gone")
        expect(page.locator("#notice [role=alert]")).to_contain_text("it is not there any more")
        page.wait_for_timeout(3000)  # longer than the pause between two looks for changes
        before = page.evaluate("window.frames_asked")
        page.wait_for_timeout(500)  # thirty frames, where something moves
        assert page.evaluate("window.frames_asked") - before < 10  # a page that rests is not drawn


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


Box = dict[str, float]


def boxes(page: Page, *selectors: str) -> list[Box]:
    """Return the places of elements, in pixels."""
    found: list[Box] = page.evaluate(
        "selectors => selectors.map((one) => [...document.querySelectorAll(one)].at(-1))"
        ".map((one) => one.getBoundingClientRect())"
        ".map(({ x, y, width, height }) => ({ x, y, width, height }))",
        list(selectors),
    )
    return found


def moved(before: list[Box], after: list[Box]) -> float:
    """Return how far the element that moved most has moved or grown, in pixels."""
    return max(abs(one[side] - other[side]) for one, other in zip(before, after, strict=True) for side in one)


PLACES = "#conversation", "#composer", "#conversation .question"
# Notes, at every frame, how far the last question is from the top of the view, and where the composer begins.
WATCH = """() => {
  const top = (element) => element.getBoundingClientRect().top;
  const questions = () => [...document.querySelectorAll("#conversation .question")];
  window.places = [];
  window.watching = true;
  const look = () => {
    const view = top(document.querySelector("#conversation .bubble-wrap"));
    window.places.push([top(questions().at(-1)) - view, top(document.querySelector("#composer"))]);
    if (window.watching) requestAnimationFrame(look);
  };
  look();
}"""


def test_a_new_question_goes_to_the_top_and_nothing_jumps(page: Page, model: Dictation) -> None:
    frame = page.locator("#conversation .bubble-wrap")
    choose_model(page, "Default model")
    frame.evaluate("frame => (frame.scrollTop = 0)")  # scrolled up: the question would be out of sight
    send(page, "How does ColBERT score a passage?")
    page.wait_for_timeout(100)  # a frame after it is there
    page.evaluate(WATCH)
    lines = (SAMPLES / "colbert.md").read_text("utf-8").splitlines()
    sentences = [line for line in lines if len(line) > 60 and line[0].isalpha()][:12]
    for sentence in sentences:
        model.write(f"{sentence} [1]\n\n")
    expect(page.locator("#conversation .reply").last).to_contain_text(sentences[-1][:40], timeout=PATIENCE)
    assert page.evaluate("window.places.length") > 10
    model.end()
    expect(page.locator("#send")).to_be_visible(timeout=PATIENCE)
    page.evaluate("window.watching = false")
    for place in zip(*page.evaluate("window.places"), strict=True):
        assert max(place) - min(place) <= 4
    assert 0 <= page.evaluate("window.places.at(-1)[0]") <= 24
    screenshot(page, "grown")

    choose_model(page, "Quotes only")
    frame.evaluate("frame => (frame.scrollTop = 0)")
    send(page, "What does MaxSim add up?")
    expect(page.locator("#send")).to_be_visible(timeout=PATIENCE)
    top, question = boxes(page, "#conversation .bubble-wrap", "#conversation .question")
    assert 0 <= question["y"] - top["y"] <= 24


def test_a_question_waits_for_the_answer_before_it(page: Page, model: Dictation) -> None:
    waiting, questions = page.locator("#waiting li"), page.locator("#conversation .question")
    choose_model(page, "Default model")
    count = questions.count()
    send(page, "How does ColBERT score a passage?")
    expect(page.locator("#stop")).to_be_visible(timeout=PATIENCE)
    for text in ("What does MaxSim add up?", "Who knows?", " "):
        page.locator(FIELD).fill(text)
        page.locator(FIELD).press("Enter")
    expect(waiting).to_have_text(["Next: What does MaxSim add up?×", "Then: Who knows?×"])
    expect(page.locator("#notice")).to_have_text("")
    page.get_by_role("button", name="Do not ask: Who knows?").click()
    expect(waiting).to_have_count(1)
    assert accessibility(page) == []
    screenshot(page, "waiting")
    page.reload()  # it still waits, and the answer goes on
    expect(waiting).to_have_text(["Next: What does MaxSim add up?×"], timeout=PATIENCE)
    expect(questions).to_have_count(count + 1, timeout=PATIENCE)
    page.locator(FIELD).fill("a draft")
    choose_model(page, "Default model")
    model.write("By MaxSim. [1]")
    model.end()
    expect(questions).to_have_count(count + 2, timeout=PATIENCE)
    expect(questions.last).to_contain_text("What does MaxSim add up?")
    expect(waiting).to_have_count(0)
    expect(page.locator(FIELD)).to_have_value("a draft")
    model.write("Cosines of tokens. [1]")
    model.end()
    expect(page.locator("#conversation .reply").last).to_contain_text("Cosines of tokens", timeout=PATIENCE)
    expect(page.locator("#send")).to_be_visible(timeout=PATIENCE)
    expect(questions).to_have_count(count + 2)
    page.locator(FIELD).fill("")


def test_choosing_moves_nothing_and_works_with_arrow_keys(page: Page) -> None:
    before = boxes(page, *PLACES)
    chip = page.locator("#chips [data-choose=strategy]")
    chip.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#strategy input:checked")).to_be_focused()
    assert moved(before, boxes(page, *PLACES)) <= 4
    page.keyboard.press("ArrowUp")
    expect(page.locator("#strategy input[value=fusion]")).to_be_checked()
    expect(page.locator("#help b").first).to_have_text("fusion")
    expect(page.locator("#choose-strategy")).to_contain_text("Meaning plus exact words")
    page.keyboard.press("Escape")
    expect(page.locator("#choose-strategy")).to_be_hidden()
    expect(chip).to_be_focused()
    expect(chip).to_contain_text("fusion")
    assert moved(before, boxes(page, *PLACES)) <= 4
    assert accessibility(page) == []


# The colour of an element's text, or of a part of it, and the first one behind it that is not transparent.
COLOURS = """([selector, part]) => {
  const element = document.querySelector(selector);
  let behind = element;
  while (getComputedStyle(behind).backgroundColor === "rgba(0, 0, 0, 0)") behind = behind.parentElement;
  return [getComputedStyle(element, part).color, getComputedStyle(behind).backgroundColor];
}"""


def luminance(colour: str) -> float:
    """Return the relative luminance of WCAG of a colour such as "rgb(0, 128, 255)"."""
    parts = [int(one) / 255 for one in re.findall(r"\d+", colour)[:3]]
    linear = [one / 12.92 if one <= 0.03928 else ((one + 0.055) / 1.055) ** 2.4 for one in parts]
    return sum(share * one for share, one in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize(("selector", "part"), [("#header a[aria-current]", None), (FIELD, "::placeholder")])
def test_the_open_page_and_the_placeholder_can_be_read(page: Page, selector: str, part: str | None) -> None:
    dark, light = sorted(map(luminance, page.evaluate(COLOURS, [selector, part])))
    assert (light + 0.05) / (dark + 0.05) >= 4.5


def test_the_conversation_has_most_of_a_small_screen(page: Page) -> None:
    page.set_viewport_size({"width": 1280, "height": 720})
    (conversation,) = boxes(page, "#conversation")
    assert conversation["height"] >= 0.55 * 720
    screenshot(page, "laptop")
    page.set_viewport_size(PHONE)
    expect(page.locator("#send")).to_have_css("min-height", "44px")  # the page is drawn for a phone
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    small = page.evaluate("""() => [...document.querySelectorAll(
        "#chat-pane :is(button, a.action, summary), #header :is(nav.pages a, summary)")]
      .filter((one) => one.checkVisibility())
      .filter((one) => one.getBoundingClientRect().height < 44 || one.getBoundingClientRect().width < 44)
      .map((one) => one.outerHTML.slice(0, 120))""")
    assert small == []
    screenshot(page, "phone")
    page.set_viewport_size(DESKTOP)


def test_a_server_that_went_is_waited_for(browser: "Browser", tmp_path: Path) -> None:
    port = own_port()
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
