"""The page Library in headless Chromium: real server, real documents."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.helpers.paths import SAMPLES

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

from playwright.sync_api import Locator, Page, expect

from tests.helpers.openai_server import StandIn, delta, end
from tests.helpers.openai_server import serving as serving_model
from tests.helpers.page import (
    PATIENCE,
    PHONE,
    Server,
    accessibility,
    ask,
    open_page,
    opened,
    screenshot,
    serving,
)

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.slow

SECRET = "open: sésame"


@pytest.fixture(scope="module")
def server(browser: "Browser", tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all; depends on the browser, so as not to start in vain."""
    folder = tmp_path_factory.mktemp("page")
    with serving(folder / "data", folder / "tmp") as started:
        yield started


@pytest.fixture
def locked(tmp_path: Path) -> Path:
    """A PDF of two pages that opens with a password."""
    from fpdf import FPDF
    from fpdf.enums import AccessPermission

    pdf = FPDF()
    pdf.set_encryption("owner's", SECRET, permissions=AccessPermission.all())
    pdf.set_font("Helvetica", size=12)
    for text in ("The vault stands below the mill.", "Its key hangs in the kitchen."):
        pdf.add_page()
        pdf.multi_cell(0, 8, text)
    pdf.output(str(tmp_path / "vault.pdf"))
    return tmp_path / "vault.pdf"


def turn_to(page: Page) -> None:
    open_page(page, "Library")
    expect(page.locator("#library-table")).to_contain_text("document", timeout=PATIENCE)


def hand_over(page: Page, *files: Path) -> None:
    page.set_input_files("#library-upload input[type=file]", [str(file) for file in files])
    for file in files:
        expect(queued(page, file.name)).to_be_visible(timeout=PATIENCE)


def settled(page: Page) -> None:
    expect(page.locator("#library-queue li:is(.waiting, .working)")).to_have_count(0, timeout=PATIENCE)


def queued(page: Page, name: str) -> Locator:
    return page.locator("#library-queue li", has=page.get_by_text(name, exact=True))


def rows(page: Page) -> Locator:
    return page.locator("#library-table tbody tr")


def test_a_locked_file_is_opened_and_documents_are_deleted(
    browser: "Browser", server: Server, locked: Path, tmp_path: Path
) -> None:
    broken, hostile = tmp_path / "broken.pdf", tmp_path / "<img src=x onerror=alert(1)>.txt"
    broken.write_bytes(b"no PDF")
    hostile.write_text("# <b>Bold</b>\n\n<script>alert(2)</script> and ${alert(3)} here.\n", "utf-8")
    with opened(browser, server) as page:
        turn_to_empty(page)
        page.get_by_label("Into collection").fill("papers")
        page.get_by_label("Into collection").press("Enter")
        hand_over(page, broken, locked, hostile)
        settled(page)
        expect(page.locator("#library-queue .summary")).to_have_text("3 of 3 files finished, 2 failed")
        expect(rows(page)).to_have_count(1)
        password = page.get_by_label("Password of vault.pdf")
        password.fill("wrong")
        password.press("Enter")
        expect(queued(page, "vault.pdf")).to_contain_text("does not open", timeout=PATIENCE)
        password.fill(SECRET)
        queued(page, "vault.pdf").get_by_role("button", name="Open").click()
        expect(queued(page, "vault.pdf")).to_contain_text("done: 2 pages", timeout=PATIENCE)
        expect(rows(page)).to_have_count(2)
        assert not server.received()
        assert not server.staged()

        preview = page.locator("#library-preview")
        page.get_by_title("Read <img").click()
        expect(preview.locator(".chunk")).to_contain_text("<script>alert(2)</script> and ${alert(3)}")
        preview.get_by_role("button", name="Close").click()
        expect(preview).to_be_hidden()
        page.get_by_label("Filter").fill("pdf vault")
        expect(rows(page)).to_have_count(1)
        page.get_by_label("Filter").fill("")
        expect(rows(page)).to_have_count(2)
        assert accessibility(page) == []
        page.get_by_label("Select vault.pdf").check()
        page.get_by_label("Select <img").check()
        page.locator("#library-selection").get_by_role("button", name="Delete").click()
        question = page.locator("#library-confirmation")
        expect(question).to_contain_text("Delete 2 documents?")
        question.get_by_role("button", name="Delete 2 documents").click()
        expect(page.locator("#library-deleted")).to_contain_text("2 documents deleted.")
        expect(page.locator("#library-table")).to_contain_text("No documents yet")
        assert not any(SECRET in line for line in server.lines)
        store = server.data.rglob("*")
        assert not any(SECRET.encode() in file.read_bytes() for file in store if file.is_file())


def test_a_document_lies_over_the_table(browser: "Browser", server: Server) -> None:
    with opened(browser, server) as page:
        turn_to(page)
        hand_over(page, SAMPLES / "colbert.pdf")
        settled(page)
        page.set_viewport_size({"width": 1280, "height": 720})
        table = page.locator("#library-table table").bounding_box()
        assert table
        assert table["width"] > 1200
        screenshot(page, "library-laptop")

        row = page.get_by_title("Read colbert.pdf")
        row.focus()
        page.keyboard.press("Enter")
        dialog = page.get_by_role("dialog", name="colbert.pdf")
        expect(dialog.get_by_role("heading", name="colbert.pdf")).to_be_focused()
        expect(dialog.get_by_role("region", name="Text of page 1")).to_contain_text(
            "every token keeps its own"
        )
        assert accessibility(page) == []
        screenshot(page, "document-laptop")
        label = dialog.locator(".label").first
        expect(label).to_be_hidden()
        dialog.get_by_label("passages that a search finds").check()
        expect(label).to_be_visible()
        screenshot(page, "document-passages-laptop")
        # Nothing behind it is reached by keyboard.
        for _ in range(30):
            page.keyboard.press("Tab")
            assert page.evaluate(
                "document.activeElement === document.body || "
                "!!document.activeElement.closest('#library-preview')"
            )
        page.keyboard.press("Escape")
        expect(dialog).to_be_hidden()
        expect(row).to_be_focused()
        expect(page).not_to_have_url(re.compile("document="))

        # Back closes it, and its address opens it.
        row.click()
        expect(dialog).to_be_visible()
        expect(page).to_have_url(re.compile("document="))
        address = page.url
        page.go_back()
        expect(dialog).to_be_hidden()
        expect(page.locator("#library-table table")).to_be_visible()
        page.go_forward()
        expect(dialog).to_be_visible()
        page.goto(address)
        expect(dialog).to_be_visible(timeout=PATIENCE)
        page.mouse.click(5, 5)  # beside it
        expect(dialog).to_be_hidden()
        expect(page).not_to_have_url(re.compile("document="))

        page.set_viewport_size(PHONE)
        row.click()
        box = dialog.bounding_box()
        assert box
        assert (box["x"], box["y"], box["width"], box["height"]) == (0, 0, PHONE["width"], PHONE["height"])
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        screenshot(page, "document-phone")
        dialog.get_by_role("button", name="Delete").click()
        expect(dialog).to_be_hidden()
        keep = page.locator("#library-confirmation").get_by_role("button", name="Keep")
        expect(keep).to_be_focused()
        keep.click()


@pytest.mark.soak
def test_dark_and_phone(browser: "Browser", server: Server, tmp_path: Path) -> None:
    long, other = tmp_path / "long.md", tmp_path / "other.md"
    text = (SAMPLES / "bi-encoders.md").read_text("utf-8")
    long.write_text("".join(f"# Part {number}\n\n{text}" for number in range(120)), "utf-8")
    other.write_text("# Herons\n\nHerons wait for fish.\n", "utf-8")
    with opened(browser, server, PHONE, scheme="dark") as page:
        turn_to(page)
        hand_over(page, SAMPLES / "bi-encoders.md", long)
        hand_over(page, other)
        expect(queued(page, "long.md")).to_contain_text(re.compile("encoding"), timeout=PATIENCE)
        screenshot(page, "documents-queue-phone-dark")
        page.get_by_role("button", name="Cancel other.md").click()
        expect(queued(page, "other.md")).to_contain_text("cancelled")
        page.get_by_role("button", name="Cancel long.md").click()
        expect(queued(page, "long.md")).to_contain_text("cancelled", timeout=PATIENCE)
        settled(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        page.locator("#library-list").scroll_into_view_if_needed()
        rows(page).first.scroll_into_view_if_needed()
        screenshot(page, "documents-table-phone-dark")
        assert rows(page).first.evaluate("row => getComputedStyle(row).display") == "flex"  # a card
        page.get_by_title("Read bi-encoders.md").click()
        expect(page.locator("#library-preview .chunk").first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        screenshot(page, "documents-preview-phone-dark")
        preview = page.locator("#library-preview")
        expect(preview).to_be_in_viewport()
        preview.get_by_role("button", name="Close").click()
        expect(preview).to_be_hidden()
        # What is done to the table leaves the page where it is.
        box = page.get_by_label("Select bi-encoders.md")
        box.check()
        expect(page.locator("#library-selection")).to_contain_text("1 document selected")
        page.locator("#library-filters").scroll_into_view_if_needed()
        page.get_by_role("button", name="Size").dispatch_event("click")
        expect(page.locator("#library-table th.size")).to_have_attribute("aria-sort", "ascending")
        page.wait_for_timeout(500)  # for the scrolling that must not come
        expect(page.locator("#library-filters")).to_be_in_viewport()
        # A question comes into sight, wherever its button stands.
        keep = page.locator("#library-confirmation").get_by_role("button", name="Keep")
        page.get_by_title("Read bi-encoders.md").click()
        preview.get_by_role("button", name="Delete").click()
        expect(keep).to_be_focused()
        expect(keep).to_be_in_viewport()
        screenshot(page, "documents-delete-phone-dark")
        keep.click()
        expect(keep).to_be_hidden()
        page.locator("#library-collections button").first.click()
        page.locator("#library-collection input").click()
        page.get_by_role("option", name="default").click()
        page.locator("#library-collections").get_by_role("button", name="Delete").click()
        expect(keep).to_be_focused()
        expect(keep).to_be_in_viewport()
        keep.click()
        # The chat's list shows what was added here.
        open_page(page, "Chat")
        expect(page.locator("#documents")).to_contain_text("bi-encoders.md")
        page.locator("#documents [data-delete]").first.click()
        expect(page.locator("#keep")).to_be_focused()
        expect(page.locator("#keep")).to_be_in_viewport()
        page.locator("#keep").click()
    with opened(browser, server, scheme="dark") as page:
        turn_to(page)
        page.get_by_title("Read bi-encoders.md").click()
        expect(page.locator("#library-preview .chunk").first).to_be_visible()
        screenshot(page, "document-dark")
        assert accessibility(page) == []
        page.locator("#library-close").click()
        page.locator("#library-collections button").first.click()
        screenshot(page, "documents-dark")
        assert accessibility(page) == []


@pytest.mark.soak
def test_instructions_of_a_collection_are_written_here_and_used_in_the_chat(
    browser: "Browser", tmp_path: Path
) -> None:
    said = StandIn(pieces=[delta(content="Es gilt k = 60. [1]"), *end()])
    with (
        serving_model(said) as model,
        serving(tmp_path / "data", tmp_path / "tmp", RAG_APP_LLM=f"{model.url}#small") as server,
        opened(browser, server) as page,
    ):
        turn_to_empty(page)
        hand_over(page, SAMPLES / "bi-encoders.md")
        expect(page.locator("#library-table")).to_contain_text("bi-encoders.md", timeout=PATIENCE)
        page.locator("#library-collections button").first.click()
        field = page.locator("#library-instructions textarea")
        expect(field).to_be_hidden()
        page.locator("#library-collection input").click()
        page.get_by_role("option", name="default").click()
        expect(field).to_be_visible()
        counted = page.locator("#library-counted")
        expect(counted).to_have_text("0 of 1,000 characters")
        expect(page.locator("#library-instructing")).to_contain_text("The rules about sources stay.")

        field.press_sequentially("Antworte 🇩🇪")
        expect(counted).to_have_text("11 of 1,000 characters")  # as Python counts
        field.fill("x" * 1001)
        expect(counted.locator(".over")).to_have_text("1,001 of 1,000 characters")
        save = page.get_by_role("button", name="Save instructions")
        save.click()
        expect(page.locator("#library-instructed")).to_contain_text("at most 1,000 are kept; shorten them")
        expect(field).to_have_value("x" * 1001)  # is not lost
        field.fill("  Answer in German.\nBe brief. ")
        save.click()
        expect(page.locator("#library-instructed")).to_contain_text("Instructions of default saved.")
        listed = page.locator("#library-collections .instructions")
        expect(listed).to_have_text("Answer in German.\nBe brief.")
        expect(field).to_have_value("Answer in German.\nBe brief.")
        expect(counted).to_have_text("27 of 1,000 characters")
        field.scroll_into_view_if_needed()
        screenshot(page, "documents-instructions")
        assert accessibility(page) == []

        open_page(page, "Chat")
        answer = ask(page, "What constant does reciprocal rank fusion use?")
        assert "Es gilt k = 60" in answer
        expect(page.locator("#conversation .stamp").last).to_contain_text("with instructions")
        page.locator("#conversation details.stamp summary").click()
        stamp = page.locator("#conversation details.stamp")
        expect(stamp).to_contain_text("Instructions of the collection Answer in German.")
        screenshot(page, "chat-instructions")
        assert accessibility(page) == []
        assert "Answer in German.\nBe brief." in model.asked[-1]["messages"][0]["content"]

        # Emptied, they are removed.
        turn_to(page)
        field.fill("")
        save.click()
        expect(page.locator("#library-instructed")).to_contain_text("Instructions of default removed.")
        expect(listed).to_have_count(0)


@pytest.mark.soak
def test_fields_of_a_document_are_edited_here_and_used_in_the_chat(
    browser: "Browser", tmp_path: Path
) -> None:
    with (
        serving(tmp_path / "data", tmp_path / "tmp", RAG_APP_LLM="extractive") as server,
        opened(browser, server) as page,
    ):
        turn_to_empty(page)
        hand_over(page, SAMPLES / "bi-encoders.pdf", SAMPLES / "colbert.pdf", SAMPLES / "cross-encoders.pdf")
        settled(page)
        page.get_by_title("Read colbert.pdf").click()
        shown = page.locator("#library-preview .fields")
        expect(shown).to_contain_text("ColBERT and late interaction")
        screenshot(page, "documents-fields")
        page.locator("#library-fields > button").click()
        form = page.locator("#library-fields")
        expect(form.get_by_label("Title")).to_have_value("ColBERT and late interaction")
        form.get_by_label("Organisation").fill("Quokka Press")
        form.get_by_label("Period").fill("soon")
        form.get_by_role("button", name="Save").click()
        expect(form.get_by_role("alert")).to_contain_text("'soon' is no period; write it like one of 2024")
        expect(form.get_by_label("Organisation")).to_have_value("Quokka Press")  # is not lost
        form.get_by_label("Period").fill("Q2 2023")
        form.get_by_label("Type").click()
        page.get_by_role("option", name="Paper", exact=True).click()
        form.get_by_role("button", name="Save").click()
        expect(form.get_by_role("status")).to_have_text("Saved.")
        expect(form.get_by_label("Period")).to_have_value("2023-Q2")
        expect(shown).to_contain_text("Quokka Press")
        screenshot(page, "documents-fields-edited")
        assert accessibility(page) == []
        page.get_by_role("button", name="Next page").click()
        expect(page.locator("#library-page")).to_contain_text("Page 2 of 3")
        expect(form.get_by_label("Organisation")).to_have_value("Quokka Press")
        page.locator("#library-close").click()
        row = rows(page).filter(has_text="colbert.pdf")
        expect(row).to_contain_text("ColBERT and late interaction · Quokka Press · 2023-Q2")

        page.reload()
        turn_to(page)
        page.get_by_title("Read colbert.pdf").click()
        expect(shown).to_contain_text("Quokka Press")
        page.locator("#library-close").click()
        page.get_by_label("Filter").fill("quokka")
        expect(rows(page)).to_have_count(1)
        page.get_by_label("Filter").fill("")

        open_page(page, "Chat")
        ask(page, "What does the Quokka Press paper say about the size of an index?")
        expect(page.locator("#conversation")).to_contain_text("Looked first in colbert.pdf")

        turn_to(page)
        page.get_by_title("Read colbert.pdf").click()
        page.locator("#library-fields > button").click()
        form.get_by_role("button", name="Use what was recognised").click()
        expect(form.get_by_role("status")).to_have_text("The fields are as they were recognised.")
        expect(shown).not_to_contain_text("Quokka")
        expect(form.get_by_label("Organisation")).to_have_value("")


def turn_to_empty(page: Page) -> None:
    open_page(page, "Library")
    expect(page.locator("#library-table")).to_contain_text("No documents yet", timeout=PATIENCE)


@pytest.mark.soak
def test_a_library_is_looked_after(browser: "Browser", locked: Path, tmp_path: Path) -> None:
    broken, hostile = tmp_path / "broken.pdf", tmp_path / "<img src=x onerror=alert(1)>.txt"
    broken.write_bytes(b"no PDF")
    hostile.write_text("# <b>Bold</b>\n\n<script>alert(2)</script> and ${alert(3)} here.\n", "utf-8")
    with serving(tmp_path / "data", tmp_path / "tmp") as server, opened(browser, server) as page:
        turn_to(page)
        expect(page.locator("#library-table")).to_contain_text("No documents yet")
        screenshot(page, "documents-empty-desktop")

        page.get_by_label("Into collection").fill("papers")
        page.get_by_label("Into collection").press("Enter")
        hand_over(page, SAMPLES / "bi-encoders.pdf", SAMPLES / "colbert.pdf", broken, locked, hostile)
        settled(page)
        expect(queued(page, "broken.pdf")).to_have_class("failed")
        expect(page.locator("#library-queue .summary")).to_have_text("5 of 5 files finished, 2 failed")
        expect(rows(page)).to_have_count(3)
        assert not server.received()

        password = page.get_by_label("Password of vault.pdf")
        password.fill("wrong")
        screenshot(page, "documents-desktop")
        assert accessibility(page) == []
        password.press("Enter")
        expect(queued(page, "vault.pdf")).to_contain_text("does not open", timeout=PATIENCE)
        expect(password).to_have_value("")
        password.fill(SECRET)
        queued(page, "vault.pdf").get_by_role("button", name="Open").click()
        expect(queued(page, "vault.pdf")).to_contain_text("done: 2 pages", timeout=PATIENCE)
        expect(rows(page)).to_have_count(4)
        assert not server.received()
        assert not server.staged()

        page.get_by_title("Read vault.pdf").click()
        preview = page.locator("#library-preview")
        expect(preview).to_contain_text("The vault stands below the mill.")
        preview.get_by_role("button", name="Next page").click()
        expect(preview).to_contain_text("Its key hangs in the kitchen.")
        expect(preview.get_by_role("button", name="Next page")).to_be_disabled()
        page.keyboard.press("Escape")
        expect(preview).to_be_hidden()
        with opened(browser, server) as chat:
            chat.goto(f"{server.url}/?collection=papers")
            expect(chat.locator("#collection input")).to_have_value("papers")
            expect(chat.locator("#documents")).to_contain_text("vault.pdf")
            ask(chat, "Where does the vault stand?")
            chat.locator("#conversation a.marker").first.click()
            viewer = chat.locator("#viewer")
            word = viewer.get_by_label("Password of vault.pdf")
            expect(viewer.locator("mark")).to_contain_text("below the mill")
            word.fill("wrong")
            word.press("Enter")
            expect(viewer).to_contain_text("not the right one")
            screenshot(chat, "evidence-locked")
            word.fill(SECRET)
            viewer.get_by_role("button", name="Show the page").click()
            expect(viewer.get_by_role("img", name="Page 1 of vault.pdf")).to_be_visible()
            viewer.get_by_role("button", name="Next page").click()
            expect(viewer.get_by_role("img", name="Page 2 of vault.pdf")).to_be_visible()  # asked once
        page.get_by_title("Read <img").click()
        expect(preview.locator(".chunk")).to_contain_text("<script>alert(2)</script> and ${alert(3)}")
        preview.get_by_role("button", name="Close").click()
        page.get_by_title("Read colbert.pdf").click()
        expect(preview.locator(".chunk").first).to_contain_text("passage 1")
        screenshot(page, "documents-preview-desktop")
        preview.get_by_role("button", name="Close").click()
        expect(preview).to_be_hidden()

        page.get_by_label("Filter").fill("pdf vault")
        expect(rows(page)).to_have_count(1)
        page.get_by_label("Filter").fill("nowhere")
        expect(page.locator("#library-table")).to_contain_text("Clear the filters")
        page.get_by_label("Filter").fill("")
        expect(rows(page)).to_have_count(4)
        page.get_by_role("button", name="Size").click()
        expect(page.locator("#library-table th.size")).to_have_attribute("aria-sort", "ascending")

        page.get_by_label("Select vault.pdf").check()
        page.get_by_label("Select <img").check()
        expect(page.locator("#library-selection")).to_contain_text("2 documents selected")
        page.locator("#library-selection").get_by_role("button", name="Delete").click()
        question = page.locator("#library-confirmation")
        expect(question).to_contain_text("Delete 2 documents?")
        screenshot(page, "documents-delete-desktop")
        question.get_by_role("button", name="Keep").click()
        expect(question).to_be_hidden()
        expect(rows(page)).to_have_count(4)
        page.locator("#library-selection").get_by_role("button", name="Delete").click()
        question.get_by_role("button", name="Delete 2 documents").click()
        expect(rows(page)).to_have_count(2)
        expect(page.locator("#library-deleted")).to_contain_text("2 documents deleted.")
        expect(page.locator("#library-selection")).to_be_hidden()
        assert not any(SECRET in line for line in server.lines)
        store = server.data.rglob("*")
        assert not any(SECRET.encode() in file.read_bytes() for file in store if file.is_file())
