"""The whole page in headless Chromium: real server, real documents, real models."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.helpers.paths import SAMPLES

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

from playwright.sync_api import expect

from rag_app.config.settings import load_settings
from rag_app.history.turns import TurnState
from rag_app.service.composition import Assistant
from tests.helpers.commands import Command
from tests.helpers.page import (
    PATIENCE,
    PHONE,
    Server,
    accessibility,
    ask,
    choose_strategy,
    hand_over,
    open_chip,
    open_page,
    opened,
    page_link,
    row,
    screenshot,
    send,
    serving,
    upload,
)
from tests.helpers.tiny_gguf import TinyModel, write_tiny_gguf

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.slow

QUESTION = "What constant does reciprocal rank fusion use, and who proposed it?"
HOSTILE = """# The Zanzibar protocol <b>bold</b>

The Zanzibar protocol says <script>fetch("http://evil.example/1")</script>
<img src=http://evil.example/x.png onerror=alert(1)> ![pixel](http://evil.example/y.png)
and [click here](http://evil.example/z) and ${alert(2)} and {{constructor}} for every Zanzibar reader.
"""


@pytest.fixture(scope="module")
def server(browser: "Browser", tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for the tests that need no LLM; depends on the browser, so as not to start in vain."""
    folder = tmp_path_factory.mktemp("page")
    with serving(folder / "data", folder / "tmp") as started:
        yield started


def test_upload_ask_switch_strategy_delete(browser: "Browser", server: Server) -> None:
    with opened(browser, server) as page:
        expect(page.locator("#documents")).to_contain_text("No documents yet")
        screenshot(page, "empty-desktop")

        upload(page, SAMPLES / "bi-encoders.pdf", SAMPLES / "colbert.pdf")
        expect(page.locator("#progress li.done")).to_have_count(2)
        expect(page.locator("#documents li")).to_have_count(2)
        assert not server.received()
        assert not server.staged()

        ask(page, QUESTION)
        answer = page.locator("#conversation .bot.message").first
        expect(answer).to_contain_text("60")
        expect(answer).to_contain_text("Cormack")
        expect(answer.locator(".stamp")).to_contain_text(
            re.compile(r"documents-first · no reranker · .*extractive.* · [\d.]+ m?s")
        )
        expect(page.locator("#sources details[open] mark").first).to_contain_text("rank fusion")
        expect(page.locator("#sources .summary")).to_contain_text("by documents-first")

        choose_strategy(page, "colbert")
        ask(page, QUESTION)
        expect(page.locator("#conversation .stamp").last).to_contain_text("colbert ·")
        expect(page.locator("#sources .summary")).to_contain_text("by colbert")
        expect(page.locator("#sources mark").first).to_be_visible()
        screenshot(page, "answered-desktop")

        page.locator("#conversation .bot.message").first.click()
        expect(page.locator("#sources .summary")).to_contain_text("by documents-first")
        page.locator("#conversation a.marker").filter(visible=True).last.click()
        expect(page.locator("#sources .summary")).to_contain_text("by colbert")

        page.get_by_label("Delete colbert.pdf").click()
        expect(page.locator("#confirmation")).to_contain_text("Delete colbert.pdf?")
        screenshot(page, "delete-desktop")
        page.locator("#keep").click()
        expect(page.locator("#confirmation")).to_be_hidden()
        expect(page.locator("#documents li")).to_have_count(2)
        page.get_by_label("Delete colbert.pdf").click()
        page.locator("#delete").click()
        expect(page.locator("#documents li")).to_have_count(1)
        ask(page, "What is late interaction?")
        expect(page.locator("#sources .card").first).to_be_attached()
        assert "colbert.pdf" not in page.locator("#sources").inner_text()


@pytest.mark.soak
def test_a_source_is_looked_at_beside_its_card(browser: "Browser", server: Server) -> None:
    with opened(browser, server) as page:
        upload(page, SAMPLES / "bi-encoders.pdf", SAMPLES / "colbert.pdf")
        ask(page, QUESTION)
        page.locator("#conversation a.marker").first.click()
        expect(page.locator("#viewer .paper img")).to_be_visible()
        expect(page.locator("#sources .card").first).to_be_visible()  # beside it, not instead
        box = page.locator("#viewer rect").first
        expect(box).to_be_in_viewport()
        sheet = page.locator("#viewer .sheet").bounding_box()
        place = box.bounding_box()
        assert sheet
        assert place
        assert sheet["x"] <= place["x"] <= sheet["x"] + sheet["width"]
        screenshot(page, "page-desktop")
        narrow = page.locator("#viewer .paper").bounding_box()
        page.get_by_label("Larger").click()
        wide = page.locator("#viewer .paper").bounding_box()
        assert narrow
        assert wide
        assert wide["width"] == pytest.approx(1.25 * narrow["width"], abs=2)
        page.get_by_label("Previous page").click()
        expect(page.locator("#viewer .page")).to_contain_text("page 2 of 3")
        expect(page.locator("#viewer rect")).to_have_count(0)
        page.get_by_role("tab", name="Why it was found").click()
        expect(page.locator("#viewer .heat .hot").first).to_be_visible()
        expect(page.locator("#viewer .terms .has").first).to_contain_text("constant")
        expect(page.locator("#viewer")).to_contain_text("A single vector cannot tell")
        screenshot(page, "why-desktop")
        assert accessibility(page) == []
        page.get_by_label("Close the source").click()
        expect(page.locator("#viewer .viewer")).to_have_count(0)

        card = page.locator("#sources .card[open]").first
        relevant = card.get_by_role("button", name="Relevant", exact=True)
        relevant.click()
        expect(relevant).to_have_attribute("aria-pressed", "true")
        page.locator("#conversation a.action", has_text="Not helpful").click()
        expect(page.locator("#conversation a.action.chosen")).to_have_text("Not helpful")
        page.reload()
        expect(page.locator("#conversation a.action.chosen")).to_have_text("Not helpful")
        expect(relevant).to_have_attribute("aria-pressed", "true")  # of the answer, not of its passages


def test_conversations_are_kept_and_the_address_names_them(browser: "Browser", server: Server) -> None:
    with opened(browser, server) as page:
        upload(page, SAMPLES / "bi-encoders.pdf", SAMPLES / "colbert.pdf")
        choose_strategy(page, "mean")
        ask(page, "How many bytes does a vector of 384 numbers take?")
        expect(page.locator("#conversations [aria-current]")).to_contain_text("How many bytes")
        address = page.url
        assert "conversation=" in address
        assert "strategy=mean" in address
        page.locator("#rename").click()
        page.fill("#conversation-name textarea, #conversation-name input", "Bytes <b>of</b> vectors")
        page.locator("#save-name").click()
        expect(page.locator("#title")).to_have_text("Bytes <b>of</b> vectors")
        page.locator("#share").click()
        shared = page.locator("#sharing textarea")
        expect(shared).to_have_value(re.compile(r"# Bytes \\<b\\>of"))
        with page.expect_download() as saved:
            page.get_by_text("Save as Markdown").click()
        assert "384 numbers" in saved.value.path().read_text("utf-8")
        with page.expect_download() as saved:
            page.get_by_text("Save as HTML").click()
        assert saved.value.suggested_filename.endswith(".html")
        assert '<h1 dir="auto">Bytes &lt;b&gt;of' in saved.value.path().read_text("utf-8")
        page.locator("#close-sharing").click()

        chats, search = page.locator("#conversations li"), page.locator("#search-chats input")
        search.press_sequentially("numbers 384")
        expect(page.locator("#conversations .total")).to_have_text("1 chat found")
        expect(chats.locator(".name")).to_have_text("Bytes <b>of</b> vectors")
        expect(chats.locator(".excerpt mark").first).to_have_text("384")
        screenshot(page, "search-chats")
        search.fill("nothing of the sort")
        expect(page.locator("#conversations")).to_contain_text("No chat has “nothing of the sort”.")
        page.locator("#clear").click()  # the search stays while another conversation is open
        expect(page.locator("#conversations")).to_contain_text("No chat has “nothing of the sort”.")
        search.press("Escape")
        expect(search).to_have_value("")
        expect(chats.first).to_be_visible()
        expect(page.locator("#conversation .question")).to_have_count(0)
        assert "conversation=" not in page.url
        open_page(page, "Inspect")
        assert "tab=inspect" in page.url
        page.reload()
        expect(page_link(page, "Inspect")).to_have_attribute("aria-current", "page")
        page.goto(address)
        expect(page.locator("#conversation .question")).to_have_text(re.compile("How many bytes"))
        expect(page.locator("#chips [data-choose=strategy]")).to_contain_text("mean")
        expect(page.locator("#sources .card mark").first).to_be_attached()
        page.locator("#conversation a.marker").first.click()
        expect(page.locator("#viewer rect").first).to_be_visible()
        ask(page, "And how long does it take?")
        expect(page.locator("#conversation .understood")).to_contain_text("Understood as")
        page.locator("#conversation .understood a").click()
        expect(page.locator("#question textarea")).to_have_value(re.compile("384|vector"))
        screenshot(page, "conversation-desktop")

        page.locator("#delete-conversation").click()
        page.locator("#confirm-delete").click()
        expect(page.locator("#title")).to_have_text("New conversation")
        page.goto(address)
        expect(page.locator("#notice [role=alert]")).to_have_text(
            "This conversation was not opened: it is not there any more; ask below to begin a new one."
        )
        expect(page.locator("#conversation .question")).to_have_count(0)


@pytest.mark.soak
def test_narrowed_searches_and_other_strategies(browser: "Browser", server: Server) -> None:
    with opened(browser, server) as page:
        upload(page, SAMPLES / "bi-encoders.pdf", SAMPLES / "colbert.pdf")
        open_chip(page, "llm")
        page.locator("#search-only input").check()
        open_chip(page, "only")
        page.locator("#only input").click()
        page.get_by_role("option", name="colbert.pdf").click()
        said = ask(page, QUESTION)
        assert "passages found" in said
        names = page.locator("#sources .card .document").all_inner_texts()
        assert set(names) == {"colbert.pdf"}
        open_chip(page, "llm")
        page.locator("#search-only input").uncheck()
        choose_strategy(page, "bm25")
        before = page.locator("#conversation .question").count()
        page.locator("#conversation a.action", has_text="Retry").last.click()  # of a search: a new question
        expect(page.locator("#conversation .question")).to_have_count(before + 1)
        expect(page.locator("#conversation .stamp").last).to_contain_text("bm25 ·", timeout=PATIENCE)


@pytest.mark.soak
def test_dark_and_keyboard(browser: "Browser", server: Server) -> None:
    with opened(browser, server, scheme="dark") as page:
        upload(page, *sorted(SAMPLES.glob("*.pdf")))
        page.reload()
        expect(page.locator("#documents li")).to_have_count(3)
        page.locator("#header h1").click()
        page.keyboard.press("/")
        expect(page.locator("#question textarea")).to_be_focused()
        page.keyboard.type("first line")
        page.keyboard.press("Shift+Enter")
        page.keyboard.type("second line")
        assert page.input_value("#question textarea") == "first line\nsecond line"
        assert page.locator("#conversation .question").count() == 0
        ask(page, QUESTION)
        choose_strategy(page, "colbert")
        ask(page, "How does ColBERT score a passage?")
        expect(page.locator("#sources mark").first).to_be_visible()
        screenshot(page, "answered-dark")
        assert accessibility(page) == []
        page.emulate_media(color_scheme="light")
        page.goto(server.url)  # for the README: a clean page, warm models
        ask(page, "Which model was trained with CLS pooling?")
        choose_strategy(page, "colbert")
        ask(page, "How many bytes does a vector of 384 numbers take?")
        screenshot(page, "readme")


def test_phone(browser: "Browser", server: Server) -> None:
    with opened(browser, server, PHONE) as page:
        upload(page, SAMPLES / "bi-encoders.pdf")
        expect(row(page, "bi-encoders.pdf")).to_contain_text(re.compile("done|already there"))
        ask(page, QUESTION)
        expect(page.locator("#sources mark").first).to_be_attached()
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        screenshot(page, "answered-phone")
        sheet, back = page.locator("#sources-pane"), page.locator("#sources-back")
        expect(sheet).to_be_hidden()
        opener = page.locator("#conversation a.action", has_text="Sources")
        opener.click()
        expect(back).to_be_focused()
        box = sheet.bounding_box()
        assert box
        assert (box["x"], box["y"], box["width"], box["height"]) == (0, 0, PHONE["width"], PHONE["height"])
        expect(page.locator("#sources mark").first).to_be_visible()
        assert accessibility(page) == []
        screenshot(page, "sources-phone")
        back.click()
        expect(sheet).to_be_hidden()
        expect(opener).to_be_focused()

        # A marker leads to the drawn page, in the width of the sheet; the browser's Back leads to the chat.
        address = page.url
        page.locator("#conversation a.marker").first.click()
        expect(page.locator("#viewer rect").first).to_be_visible()
        expect(page.locator("#sources")).to_be_hidden()
        width = page.locator("#viewer .paper").evaluate("paper => paper.getBoundingClientRect().width")
        assert PHONE["width"] - 40 <= width <= PHONE["width"]
        screenshot(page, "page-phone")
        page.go_back()
        expect(sheet).to_be_hidden()
        assert page.url == address
        page.locator("#conversation a.marker").first.click()
        expect(back).to_be_visible()
        page.keyboard.press("Escape")
        expect(sheet).to_be_hidden()
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_hostile_document_is_text_and_nothing_is_requested(
    browser: "Browser", server: Server, tmp_path: Path
) -> None:
    document = tmp_path / "zanzibar <img src=x onerror=alert(3)>.txt"  # nothing in plain text is markup
    document.write_text(HOSTILE, "utf-8")
    with opened(browser, server) as page:
        upload(page, document)
        question = "What does the Zanzibar protocol say to every Zanzibar reader?"
        said = ask(page, question)
        shown = page.locator("#sources").inner_text()
        for text in (said, shown):
            assert "<script>" in text
            assert "onerror=alert(1)" in text
            assert "![pixel](http://evil.example/y.png)" in text
            assert "${alert(2)}" in text
            assert "{{constructor}}" in text
            assert "<img src=http://evil.example/x.png" in text
        expect(page.locator("#documents")).to_contain_text(document.name)
        assert page.locator("#conversation a:not(.marker, .action), #sources a, #sources img").count() == 0
        assert page.locator("#conversation .message img").count() == 0
        screenshot(page, "hostile-desktop")

        open_page(page, "Compare")
        page.fill("#compare-question textarea", question)
        page.press("#compare-question textarea", "Enter")
        expect(page.locator("#comparison")).to_contain_text(document.name, timeout=PATIENCE)
        page.locator("#comparison [data-show]").first.click()
        expect(page.locator("#reading .passage")).to_contain_text("<script>fetch(")

        open_page(page, "Library")
        page.get_by_title(f"Read {document.name}").click()
        expect(page.locator("#library-preview")).to_contain_text("<script>fetch(", timeout=PATIENCE)
        page.keyboard.press("Escape")  # it lies over the page

        open_page(page, "Inspect")
        page.locator("#inspect-document input").click()
        page.get_by_role("option", name=document.name).click()
        expect(page.locator("#stored")).to_contain_text(document.name, timeout=PATIENCE)
        page.locator("#inspect-question textarea").fill(question)
        page.locator("#inspect-question textarea").press("Enter")
        expect(page.locator("#trace .said")).to_contain_text("<script>fetch(", timeout=PATIENCE)
        screenshot(page, "hostile-inspect")
        planted = "img[onerror], img[src*=evil], img[src=x], script[src*=evil], a[href*=evil]"
        assert page.locator(planted).count() == 0


def test_errors_and_abstentions_are_told_apart(browser: "Browser", server: Server) -> None:
    with opened(browser, server) as page:
        abstained = ask(page, "How many goals did the Brazilian team score in the 1970 final?")
        assert "Nothing in your documents is about this." in abstained
        expect(page.locator("#sources")).to_contain_text("Closest passages")
        open_chip(page, "reranker")
        page.locator("#reranker input").fill("/nowhere/reranker")
        page.locator("#reranker input").press("Enter")
        failed = ask(page, QUESTION)
        assert "This failed." in failed
        assert "/nowhere/reranker" in failed
        assert "do not answer" not in failed
        screenshot(page, "failed-desktop")


@pytest.mark.soak
def test_the_queue_goes_on_beside_questions_uploads_and_reloads(
    browser: "Browser", server: Server, tmp_path: Path
) -> None:
    large, small = tmp_path / "large.md", tmp_path / "small.md"
    text = (SAMPLES / "bi-encoders.md").read_text("utf-8")
    large.write_text("".join(f"# Part {number}\n\n{text}" for number in range(200)), "utf-8")
    small.write_text("# Herons\n\nHerons stand in shallow water and wait for fish.\n", "utf-8")
    with opened(browser, server) as page:
        upload(page, SAMPLES / "bi-encoders.pdf")
        hand_over(page, large)
        expect(row(page, "large.md")).to_contain_text("encoding", timeout=PATIENCE)
        hand_over(page, small)
        expect(row(page, "small.md")).to_have_class("waiting")
        assert not server.received()
        assert "Cormack" in ask(page, QUESTION)
        expect(row(page, "large.md")).to_have_class("working")
        screenshot(page, "ingesting-desktop")

        page.reload()
        expect(row(page, "large.md")).to_have_class("working")
        expect(row(page, "small.md")).to_have_class("waiting")
        page.locator("#cancel").click()
        for name in ("large.md", "small.md"):
            expect(row(page, name)).to_contain_text("cancelled", timeout=PATIENCE)
        expect(page.locator("#cancel")).to_be_hidden()
        expect(page.locator("#retry")).to_be_hidden()  # the uploads are gone
        assert "large.md" not in page.locator("#documents").inner_text()
        assert not server.staged()
        page.locator("#clear-jobs").click()
        expect(page.locator("#progress li")).to_have_count(0)
        expect(page.locator("#clear-jobs")).to_be_hidden()


@pytest.mark.soak
def test_a_closed_tab_cancels_nothing(browser: "Browser", server: Server, tmp_path: Path) -> None:
    first, second = tmp_path / "kestrels.md", tmp_path / "lapwings.md"
    text = (SAMPLES / "colbert.md").read_text("utf-8")
    first.write_text("".join(f"# Kestrel {number}\n\n{text}" for number in range(6)), "utf-8")
    second.write_text("# Lapwings\n\nLapwings breed on open ground.\n", "utf-8")
    with opened(browser, server) as page:
        hand_over(page, first)
        hand_over(page, second)
        expect(page.locator("#cancel")).to_be_visible()
    with opened(browser, server) as page:
        expect(page.locator("#documents")).to_contain_text("kestrels.md", timeout=PATIENCE)
        expect(page.locator("#documents")).to_contain_text("lapwings.md", timeout=PATIENCE)
        assert not server.staged()


def test_what_failed_says_why_and_is_tried_again(
    browser: "Browser", server: Server, run_process: Command, tmp_path: Path
) -> None:
    broken, file = tmp_path / "broken.pdf", tmp_path / "plovers.md"
    broken.write_bytes(b"no PDF")
    file.write_bytes(b"")
    with opened(browser, server) as page:
        upload(page, broken)
        expect(row(page, "broken.pdf")).to_have_class("failed")
        expect(row(page, "broken.pdf")).to_contain_text("PDF")
        expect(page.locator("#retry")).to_be_hidden()  # the same bytes would fail again

        assert run_process("--data-dir", server.data, "ingest", file).code
        page.reload()
        expect(row(page, "plovers.md")).to_contain_text("empty file")
        screenshot(page, "ingest-failed-desktop")
        file.write_text("# Plovers\n\nPlovers run along the shore.\n", "utf-8")
        page.locator("#retry").click()
        expect(row(page, "plovers.md")).to_contain_text("done", timeout=PATIENCE)
        expect(page.locator("#retry")).to_be_hidden()
        expect(page.locator("#documents")).to_contain_text("plovers.md")
        page.locator("#clear-jobs").click()
        expect(page.locator("#progress li")).to_have_count(0)


def test_two_sessions_do_not_see_each_other(browser: "Browser", server: Server) -> None:
    with opened(browser, server) as one, opened(browser, server) as other:
        ask(one, QUESTION)
        assert other.locator("#conversation .question").count() == 0
        ask(other, "What is pooling?")
        assert one.locator("#conversation .question").count() == 1
        one.locator("#clear").click()
        expect(one.locator("#conversation .question")).to_have_count(0)
        assert other.locator("#conversation .question").count() == 1


@pytest.mark.soak
def test_an_llm_streams_and_is_stopped_midway(browser: "Browser", tmp_path: Path) -> None:
    model = write_tiny_gguf(
        tmp_path / "tiny.gguf", TinyModel(width=320, layers=12, context=8192, more_words=3000, counts=True)
    )
    variables = {
        "RAG_APP_LLM": str(model), "RAG_APP_LLM_MAX_TOKENS": "6000", "RAG_APP_EVIDENCE_TOKENS": "200",
        "GRADIO_IS_E2E_TEST": "1",  # Gradio looks four times a second whether a tab is open, else all 15 s
    }  # fmt: skip
    with serving(tmp_path / "data", tmp_path / "tmp", **variables) as server, opened(browser, server) as page:
        upload(page, SAMPLES / "bi-encoders.md")
        send(page, QUESTION)
        reply = page.locator("#conversation .bot.message .reply")
        expect(reply).to_contain_text(re.compile(r"\S{1}"), timeout=PATIENCE)
        early = len(reply.inner_text())
        page.wait_for_function(
            "before => document.querySelector('#conversation .reply').innerText.length > before", arg=early
        )
        expect(page.locator("#conversation .working")).to_contain_text("writing")
        page.locator("#stop").click()
        expect(page.locator("#conversation .stamp")).to_contain_text(
            re.compile(r"stopped · [\d,]+ tokens written")
        )
        expect(page.locator("#send")).to_be_visible()
        length = len(reply.inner_text())
        page.wait_for_timeout(1000)
        assert len(reply.inner_text()) == length
        screenshot(page, "stopped-desktop")

        # Another conversation is shown while one is answered: it stays, and the answer goes on.
        send(page, QUESTION)
        expect(reply.nth(1)).to_contain_text(re.compile(r"\S{1}"), timeout=PATIENCE)
        page.locator("#clear").click()
        questions = page.locator("#conversation .question")
        expect(questions).to_have_count(0)
        page.wait_for_timeout(1000)
        assert questions.count() == 0
        expect(page.locator("#send")).to_be_visible()
        page.locator("#conversations button").first.click()
        expect(questions).to_have_count(2)
        expect(page.locator("#conversation .working")).to_contain_text("writing")
        page.locator("#stop").click()
        expect(page.locator("#conversation .stamp").nth(1)).to_contain_text("stopped")
        expect(page.locator("#send")).to_be_visible()

        open_chip(page, "llm")
        page.locator("#llm input").click()
        page.get_by_role("option", name="Quotes only").click()
        assert "Cormack" in ask(page, QUESTION)

        # A tab that is closed in the middle stops no answer; the end of the server does, and keeps it.
        with opened(browser, server) as leaving:
            send(leaving, QUESTION)
            expect(leaving.locator("#conversation .bot.message .reply")).to_contain_text(
                re.compile(r"\S{1}"), timeout=PATIENCE
            )
            address = leaving.url
        (identity,) = re.findall(r"conversation=(\w+)", address)
        page.goto(address)
        expect(page.locator("#conversation .question")).to_have_count(1)
        expect(page.locator("#conversation .working")).to_contain_text("writing")
        assert server.states(identity) == ["asked"]
    with Assistant.open(load_settings(data_dir=tmp_path / "data")) as assistant:
        (turn,) = assistant.conversations.turns(identity)
    assert turn.state is TurnState.STOPPED
    assert turn.partial is not None
    assert turn.partial.text
    assert turn.partial.completion_tokens
