"""The page Library without a browser: what it renders, and what its handlers do to a real library."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from ingestion.collections import CollectionInfo
from ingestion.documents import Heading, Page, Status
from ingestion.errors import InvalidInput, UnknownName
from ingestion.fields.values import DocumentFields, FieldValues
from ingestion.library import Library
from ingestion.storage.catalogue.records import Document, StoredChunk
from rag_app.config.settings import Settings
from rag_app.service.composition import Assistant
from rag_app.service.document_browser import (
    DocumentBrowser,
    DocumentQuery,
    PagePreview,
    Storage,
    replacing_name,
)
from tests.helpers.built_page import built_page
from tests.helpers.page_values import document, file, job
from ui.components.ingest_queue import IngestQueueController, QueuePageState
from ui.components.uploads import FileRow, Mood, to_row
from ui.library.controller import LibraryController, LibraryPageState
from ui.library.instructions import render_counted
from ui.library.page_text import render_page
from ui.library.render import (
    ROWS,
    render_collection_deletion,
    render_collections,
    render_deletion,
    render_document,
    render_queue,
    render_storage,
    render_table,
)

EVIL = '"><script>x()</script>\u202e.md'


def table(documents: list[Document], **given: Any) -> str:
    usual: dict[str, Any] = {
        "known": len(documents), "chosen": (), "order": "name", "descending": False, "part": 0, "turn": 1,
    }  # fmt: skip
    return render_table(documents, **{**usual, **given})


def test_the_table_names_its_columns_boxes_and_buttons() -> None:
    shown = table([document(), document("b.pdf", Status.PARTIAL, "page 3 timed out")], chosen={"d1"})
    for part in (
        'aria-sort="ascending"',
        'aria-label="Select report.pdf"',
        'title="Read report.pdf"',
        'aria-label="Select 2 documents"',
        '<time datetime="2025-01-01T00:00:00Z">2025-01-01</time>',
        "10 bytes",
        'title="page 3 timed out"',
        "2 documents, 24 pages, 2 chunks",
        " checked",
    ):
        assert part in shown
    assert "<nav" not in shown
    assert shown.count("aria-sort") == 1
    assert 'aria-sort="descending"' in table([document()], order="size", descending=True)


def test_empty_tables_say_what_to_do() -> None:
    assert "No documents yet" in table([])
    assert "Clear the filters" in table([], known=3)


def test_long_tables_come_in_parts() -> None:
    many = [replace(document(f"{number}.pdf"), id=str(number)) for number in range(2 * ROWS + 1)]
    first, last = table(many), table(many, part=2)
    assert first.count("<tr ") == ROWS + 1
    assert "1 to 50 of 101" in first
    assert re.search(r'data-part="-1"[^>]* disabled>Previous', first)
    assert last.count("<tr ") == 2
    assert re.search(r'data-part="3"[^>]* disabled>Next', last)


def view(
    text: str, *chunks: tuple[int, int], headings: tuple[Heading, ...] = (), **given: Any
) -> PagePreview:
    stored = tuple(
        StoredChunk(
            f"c{place}", "d1", "report.pdf", "default", place, 3, start, end, None, "", text[start:end]
        )
        for place, (start, end) in enumerate(chunks)
    )
    page = PagePreview(
        document(), 3, Page(3, text), None, headings, stored, 0, DocumentFields(FieldValues(), {})
    )
    return replace(page, **given)


def test_a_page_shows_where_chunks_begin_and_which_lines_are_headings() -> None:
    text = "Running head\nPears\nThey ripen late.\nKeep them cool.\n7"
    shown = render_page(view(text, (13, 36), (36, 51), headings=(Heading("Pears", 1, 3, 13),)))
    frames = re.findall(r'<div class="(chunk|outside)">(.*?)</div>', shown, re.DOTALL)
    assert [kind for kind, _ in frames] == ["outside", "chunk", "chunk", "outside"]
    assert frames[1][1] == '<span class="label">passage 1</span><strong>Pears</strong>\nThey ripen late.\n'
    assert "Page 3 of 12" in shown
    assert "Show the 2 passages" in shown
    plain = re.sub(r'<span class="label">.*?</span>|<[^>]*>', "", "".join(part for _, part in frames))
    assert plain == text


def test_prose_flows_and_code_keeps_its_lines() -> None:
    line = "The harbour office opens at eight and closes when the last boat is in, " * 2
    text = f"{line.strip()}\nwhich is late."
    one = view(text, (0, len(text)))
    assert f"{line}which is late." in render_page(one)
    code = replace(one, chunks=tuple(replace(chunk, heading="lines 1–2") for chunk in one.chunks))
    assert code.chunks[0].is_code
    assert "\nwhich is late." in render_page(code)


def test_chunks_that_overlap_show_no_text_twice() -> None:
    shown = render_page(view("abcdef", (0, 4), (2, 6)))
    assert re.findall(r"</span>(\w+)</div>", shown) == ["abcd", "ef"]


def test_a_page_without_text_says_why() -> None:
    assert "timed out" in render_page(view("", page=None, failure="timed out"))
    assert "has no text" in render_page(view(" \n"))


def test_a_document_says_which_pages_failed() -> None:
    partial = document(status=Status.PARTIAL, error="page 3 timed out")
    shown = render_document(view("x", document=partial, failures=1))
    for part in (
        "1 page could not be read. page 3 timed out",
        "12 pages",
        "added 2025-01-01",
    ):
        assert part in shown


def test_a_document_says_what_its_text_lacks() -> None:
    warned = replace(document(), warnings=("Page 3 is a <picture>.", "2 notes are left out."))
    shown = render_document(view("x", document=warned))
    assert "<li>Page 3 is a &lt;picture&gt;.</li><li>2 notes are left out.</li>" in shown
    assert 'class="warnings"' not in render_document(view("x", document=document()))


def test_a_document_shows_its_fields_and_what_was_recognised_instead() -> None:
    recognised = FieldValues("Form 10-K", "Square, Inc.", "FY2018", "")
    shown = render_document(
        view("x", fields=DocumentFields(recognised, {"organisation": "Block", "period": "", "type": "notes"}))
    )
    text = re.sub(r"<[^>]*>", " ", shown.partition('<dl class="fields">')[2])
    assert " ".join(text.split()) == (
        "Title Form 10-K Organisation Block recognised: Square, Inc. "
        "Period none recognised: FY2018 Type notes"
    )
    row = table([document()], fields={"d1": DocumentFields(recognised, {})})
    assert '<bdi class="title">Form 10-K · Square, Inc. · FY2018</bdi>' in row
    assert 'class="title"' not in table(
        [document()], fields={"d1": DocumentFields(FieldValues("report.pdf"), {})}
    )


def test_hostile_names_titles_and_texts_are_text() -> None:
    evil = replace(document(EVIL, Status.PARTIAL, EVIL), title=EVIL, collection=EVIL, language=EVIL, id=EVIL)
    chunk = StoredChunk("c", "d", EVIL, EVIL, 0, 3, 0, len(EVIL), EVIL, "", EVIL)
    fields = DocumentFields(FieldValues(*[EVIL] * 4), {"title": EVIL[1:], "period": ""})
    page = PagePreview(evil, 3, Page(3, EVIL, EVIL), None, (Heading(EVIL, 1, 3, 2),), (chunk,), 1, fields)
    info = CollectionInfo(EVIL, 1, 1, 1, EVIL, EVIL)
    row = FileRow(EVIL, EVIL, Mood.FAILED, collection=EVIL, can_retry=True, wants_password=True)
    for shown in (
        table([evil], fields={evil.id: fields}),
        render_document(page),
        render_page(page),
        render_page(replace(page, failure=EVIL)),
        render_deletion([evil]),
        render_collections([info]),
        render_collection_deletion(info),
        render_queue([row, replace(row, mood=Mood.WORKING)]),
    ):
        assert "script" in shown
        assert "<script" not in shown
        assert '"&gt;' not in shown  # a quotation mark would end an attribute
        assert "\u202e" not in shown


def test_a_row_of_the_queue_has_what_can_be_done_about_it(tmp_path: Path) -> None:
    here = tmp_path / "a.pdf"
    here.touch()
    working = to_row(job(), file("b.pdf", stage="parsing"))
    locked = file(file=str(here), stage="done", status=Status.NEEDS_PASSWORD, error="it is locked")
    asked = to_row(job(locked, state="finished"), locked)
    failed = file(file=str(here), stage="done", status=Status.FAILED, error="disk full")
    again = to_row(job(failed, state="finished"), failed)
    assert 'data-act="cancel" data-job="1" data-file="1"' in render_queue([working])
    shown = render_queue([asked])
    assert 'type="password"' in shown
    assert 'aria-label="Password of a.pdf"' in shown
    assert "Try again" not in shown
    assert 'data-act="retry"' in render_queue([again])
    assert "1 of 2 files finished, 1 failed" in render_queue([working, again])
    assert render_queue([]) == ""
    cancelled = to_row(job(file(stage="cancelled"), file("b.pdf")), file(stage="cancelled"))
    assert cancelled.words.startswith("cancelled")


def test_deleting_many_says_how_many() -> None:
    many = [document(f"{number}.pdf") for number in range(11)]
    shown = render_deletion(many)
    assert "Delete 11 documents?" in shown
    assert "132 pages" in shown
    assert "and 3 more" in shown
    assert "Delete 1 document?" in render_deletion(many[:1])
    assert "Empty the collection" in render_collection_deletion(CollectionInfo("default", 1, 1, 1, ""))


def test_storage_in_parts_and_numbers() -> None:
    shown = render_storage(Storage(2_000_000, 1_000_000, 0, 500, 0, 0))
    assert "The library takes 3.0 MB" in shown
    assert 'class="originals" style="flex-grow:2000000"' in shown
    assert 'class="words" style' not in shown  # too little to be seen
    assert "500 bytes" in shown


# On a library


@pytest.fixture
def page(stocked: Library, tmp_path: Path) -> LibraryController:
    folder = tmp_path / "between"
    folder.mkdir()
    return LibraryController(
        IngestQueueController(Assistant(Settings(data_dir=stocked.folder), stocked), folder)
    )


def names(documents: list[Document]) -> list[str]:
    return [document.name for document in documents]


def test_documents_are_filtered_and_ordered(stocked: Library) -> None:
    browser = DocumentBrowser(stocked)
    stocked.catalogue.ensure_collection("empty")
    assert names(browser.documents()) == ["harbour.md", "orchard.md"]
    assert names(browser.documents(DocumentQuery(descending=True))) == ["orchard.md", "harbour.md"]
    assert names(browser.documents(DocumentQuery(text="NOTES orchard"))) == [
        "orchard.md"
    ]  # of name and title
    assert names(browser.documents(DocumentQuery(text="orchard log"))) == []
    assert browser.documents(DocumentQuery(collection="empty")) == []
    assert browser.documents(DocumentQuery(status=Status.PARTIAL)) == []
    sizes = [document.bytes for document in browser.documents(DocumentQuery(order="size"))]
    assert sizes == sorted(sizes)
    with pytest.raises(UnknownName, match="order"):
        browser.documents(DocumentQuery(order="colour"))


def test_a_page_is_read_with_its_chunks_and_headings(stocked: Library) -> None:
    browser = DocumentBrowser(stocked)
    (found,) = browser.documents(DocumentQuery(text="orchard"))
    read = browser.page(found.id, 99)
    assert read.number == found.pages
    assert read.page
    assert [heading.title for heading in read.headings] == ["Orchard notes", "Apples", "Pears"]
    assert len(read.chunks) == found.chunks
    assert all(read.page.text[chunk.start : chunk.end] == chunk.text for chunk in read.chunks)
    storage = browser.storage()
    assert storage.originals == sum(document.bytes for document in browser.documents())
    assert storage.total > storage.text > 0
    with pytest.raises(UnknownName, match="deleted meanwhile"):
        browser.page("nobody", 1)


def test_choosing_filtering_and_deleting(page: LibraryController) -> None:
    view = LibraryPageState()
    page.act(view, {"act": "choose-all", "on": True})
    assert len(view.chosen) == 2
    view.query = replace(view.query, text="orchard")
    page.act(view, {"act": "choose-all", "on": False})  # of those that the filters leave
    (harbour,) = view.chosen
    page.act(view, {"act": "sort", "order": "size"})
    page.act(view, {"act": "sort", "order": "size"})
    assert (view.query.order, view.query.descending) == ("size", True)
    page.act(view, {"act": "part", "part": "7"})
    assert page.table(view) != page.table(view)  # each is rendered anew
    assert view.part == 0
    view.doomed = (harbour, "gone")
    assert page.delete(view) == "1 document deleted."
    assert view.chosen == set()
    assert names(page.browser.documents()) == ["orchard.md"]


def test_an_upload_replaces_one_of_its_name_and_type() -> None:
    assert replacing_name(document("report.pdf"), "new.PDF") == "report.pdf"
    with pytest.raises(InvalidInput, match=r"ends in \.pdf, not in \.docx"):
        replacing_name(document("report.pdf"), "report.docx")
    with pytest.raises(InvalidInput, match="ingest it again"):
        replacing_name(replace(document(), path="/home/ada/report.pdf"), "report.pdf")


def test_files_of_a_job_are_cancelled_and_tried_again_one_by_one(
    page: LibraryController, tmp_path: Path
) -> None:
    jobs = page.assistant.jobs
    paths = [tmp_path / name for name in ("a.wpd", "b.wpd")]
    for path in paths:
        path.write_bytes(b"{\\rtf1")
    queued = jobs.submit(paths, collection="default")
    page.work({"act": "cancel", "job": str(queued.id), "file": "1"})
    assert [one.stage for one in jobs.get(queued.id).files] == ["cancelled", "queued"]
    assert [result.status for result in jobs.run(queued.id)] == ["unsupported"]
    page.work({"act": "retry", "job": str(queued.id), "file": "2"})
    (again,) = jobs.active
    assert [one.name for one in again.files] == ["b.wpd"]


def test_a_password_opens_a_staged_upload_and_is_not_kept(page: LibraryController, tmp_path: Path) -> None:
    from fpdf import FPDF

    secret = "open: sésame"
    pdf = FPDF()
    pdf.set_encryption("owner's", secret)
    pdf.set_font("Helvetica", size=12)
    pdf.add_page()
    pdf.multi_cell(0, 8, "The vault stands below the mill.")
    received = tmp_path / "received" / "vault.pdf"
    received.parent.mkdir()
    pdf.output(str(received))
    jobs = page.assistant.jobs
    first = page.queue.take([(received, "vault.pdf")], "safe")
    assert [result.status for result in jobs.run(first.id)] == ["needs_password"]
    for word, status in [("wrong", "needs_password"), (secret, "ok")]:
        (row,) = page.queue.view(LibraryPageState().queue).rows
        assert row.wants_password
        page.work({"act": "unlock", "job": str(row.job), "file": str(row.file), "password": word})
        (active,) = jobs.active
        assert [result.status for result in jobs.run(active.id)] == [status]
    assert [(one.name, one.collection) for one in page.browser.documents(DocumentQuery(text="vault"))] == [
        ("vault.pdf", "safe")
    ]
    folder = page.assistant.library.folder
    assert not list((folder / "uploads").iterdir())
    files = [place for place in folder.rglob("*") if place.is_file()]
    assert not any(secret.encode() in place.read_bytes() for place in files)


# The built page, its handlers called as Gradio would


@pytest.fixture
def assistant(stocked: Library) -> Assistant:
    return Assistant(Settings(data_dir=stocked.folder), stocked)


@pytest.fixture
def built(assistant: Assistant) -> gr.Blocks:
    return built_page(assistant)


def handler(built: gr.Blocks, source: str, event: str, output: str) -> Any:
    """Return the one handler of an event of a component or tab that changes a component."""
    names = {number: block.elem_id or getattr(block, "id", "") for number, block in built.blocks.items()}
    (found,) = (
        one
        for one in built.fns.values()
        if any(names.get(target or 0) == source and name == event for target, name in one.targets)
        and output in [block.elem_id for block in one.outputs]
    )
    return found


def test_an_upload_of_the_chat_goes_where_its_selector_says(
    built: gr.Blocks, assistant: Assistant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = handler(built, "upload", "upload", "upload")
    assert [block.elem_id for block in upload.inputs if block.elem_id] == ["upload", "collection"]
    monkeypatch.setattr(upload.inputs[0], "GRADIO_CACHE", str(tmp_path))
    given = tmp_path / "sent" / "fig.md"
    given.parent.mkdir()
    given.write_text("Figs ripen in August.", "utf-8")
    state = QueuePageState()  # a new one, as after a restart of the server
    upload.fn([{"path": str(given), "orig_name": "fig.md"}], state, "papers")
    assert [job.collection for job in assistant.jobs.list()] == ["papers"]
    assert state.collection == "papers"


def test_the_chat_lists_what_other_tabs_left_when_it_is_turned_to(
    built: gr.Blocks, assistant: Assistant
) -> None:
    look = handler(built, "chat", "select", "documents")
    place = [block.elem_id for block in look.outputs].index("documents")
    state = QueuePageState()
    assert "harbour.md" in look.fn(state, "default")[place]
    (harbour,) = (one for one in assistant.documents() if one.name == "harbour.md")
    assistant.delete(harbour.id)
    assert "harbour.md" not in look.fn(state, "default")[place]
    assert "orchard.md" not in look.fn(state, "gone")[place]


@pytest.mark.parametrize("page_id", ["compare", "inspect"])
def test_strategies_are_offered_as_they_are_when_the_tab_is_turned_to(
    built: gr.Blocks, assistant: Assistant, monkeypatch: pytest.MonkeyPatch, page_id: str
) -> None:
    dropdown = "compare-strategy-3" if page_id == "compare" else "inspect-strategy"
    offer = handler(built, page_id, "select", dropdown)
    place = [block.elem_id for block in offer.outputs].index(dropdown)
    known = assistant.strategies()
    new = replace(known[0], strategy=replace(known[0].strategy, name="mean@added"))
    monkeypatch.setattr(Assistant, "strategies", lambda _: [*known, new])
    assistant.create_collection("papers")
    offered = offer.fn()
    assert offered[place].choices[-1] == ("mean@added", "mean@added")
    assert offered[-1].choices == [("default", "default"), ("papers", "papers")]
    assert "value" not in offered[place].constructor_args  # what a person has chosen stays


def test_fields_are_filled_in_written_and_restored(page: LibraryController) -> None:
    (orchard,) = (one for one in page.browser.documents() if one.name == "orchard.md")
    state = LibraryPageState(opened=orchard.id)
    filled = page.fields(state)
    assert filled == FieldValues(title="Orchard notes")
    assert page.write_fields(state, filled) == "Nothing was changed."
    assert page.browser.fields([orchard])[orchard.id].edits == {}
    written = FieldValues("Orchard notes", "ACME", "Q2 2023", "notes")
    assert page.write_fields(state, written) == "Saved."
    assert page.browser.fields([orchard])[orchard.id].edits == {
        "organisation": "ACME", "period": "2023-Q2", "type": "notes",
    }  # fmt: skip
    assert page.fields(state).period == "2023-Q2"
    assert [one.name for one in page.browser.documents(DocumentQuery(text="acme 2023-q2"))] == ["orchard.md"]
    with pytest.raises(InvalidInput, match="no period"):
        page.write_fields(state, FieldValues("Orchard notes", "ACME", "soon", "notes"))
    assert page.restore_fields(state) == "The fields are as they were recognised."
    assert page.fields(state) == filled
    with pytest.raises(UnknownName):
        page.write_fields(LibraryPageState(opened="gone"), written)


def test_instructions_are_saved_shown_and_removed(page: LibraryController) -> None:
    assert page.instruct_collection("default", " Answer in German. ") == "Instructions of default saved."
    (info,) = page.assistant.list_collections()
    assert 'class="instructions" dir="auto" title="Instructions">Answer in German.<' in render_collections(
        [info]
    )
    assert page.instruct_collection("default", "") == "Instructions of default removed."
    assert "instructions" not in render_collections(page.assistant.list_collections())
    with pytest.raises(UnknownName):
        page.instruct_collection(None, "x")
    with pytest.raises(InvalidInput, match="1,001 characters"):
        page.instruct_collection("default", "x" * 1001)
    assert render_counted("x" * 1001) == '<p class="counted over">1,001 of 1,000 characters</p>'
