"""The page Documents: the library looked after. Uploads, the queue, the table, a page's text, collections.

The small pane beside the chat shows the same queue (`ui.documents`).
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import gradio as gr

from ingestion.documents import Status
from ingestion.errors import RagError, UnknownName
from ingestion.parsing import SUPPORTED_SUFFIXES
from ingestion.stores.catalogue import DEFAULT_COLLECTION
from ingestion.stores.records import Document
from rag_app.shelf import Wanted, replacing_name
from ui.components.document_list import render_error
from ui.components.document_table import ROWS, render_table
from ui.components.holdings import (
    render_collection_deletion,
    render_collections,
    render_deletion,
    render_storage,
)
from ui.components.page_view import render_document, render_page
from ui.components.queue import render_queue
from ui.components.text import escape, plural
from ui.documents import Documents, Watch, received
from ui.static import read_static

# Seconds between two looks at the queue, while it works.
_TICK = 0.7
ALL = "all"
_STATUSES = [("All", ALL), ("Complete", Status.OK.value), ("Some pages failed", Status.PARTIAL.value)]

_QUICK: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden", "queue": False}

Update = dict[Any, Any]


@dataclass(slots=True)
class View:
    """What one open page shows. Its handlers share it and change it in place."""

    watch: Watch = field(default_factory=Watch)
    wanted: Wanted = field(default_factory=Wanted)
    part: int = 0
    chosen: set[str] = field(default_factory=set)
    opened: str | None = None
    page: int = 1
    # What a person is asked about: documents, or the name of a collection.
    doomed: tuple[str, ...] = ()
    collection: str | None = None
    names: tuple[str, ...] | None = None
    turn: int = 0


class Library:
    """What happens on the page. One object serves all sessions; each has its own `View`."""

    def __init__(self, documents: Documents) -> None:
        self.documents = documents
        self.assistant = documents.assistant
        self.shelf = documents.assistant.shelf

    def listed(self, view: View) -> list[Document]:
        """Return the documents that the filters leave, and forget choices that are gone."""
        found = self.shelf.documents(view.wanted)
        view.chosen &= {document.id for document in self.shelf.documents()}
        view.part = max(0, min(view.part, (len(found) - 1) // ROWS))
        return found

    def table(self, view: View) -> str:
        """Return the table as the view has it."""
        found = self.listed(view)
        view.turn += 1
        return render_table(
            found,
            known=len(self.shelf.documents()),
            chosen=view.chosen,
            order=view.wanted.order,
            descending=view.wanted.descending,
            part=view.part,
            turn=view.turn,
        )

    def act(self, view: View, data: dict[str, Any]) -> None:
        """Do what a button or box of the table says."""
        match data.get("act"):
            case "sort":
                order = str(data["order"])
                down = view.wanted.order == order and not view.wanted.descending
                view.wanted, view.part = replace(view.wanted, order=order, descending=down), 0
            case "part":
                view.part = int(data["part"])
            case "choose":
                (view.chosen.add if data.get("on") else view.chosen.discard)(str(data["id"]))
            case "choose-all":
                found = {document.id for document in self.listed(view)}
                view.chosen = view.chosen | found if data.get("on") else view.chosen - found
            case "open":
                view.opened, view.page = str(data["id"]), 1

    def work(self, data: dict[str, Any]) -> None:
        """Do what a button of the queue says. Raises what the queue raises."""
        jobs = self.assistant.jobs
        job, file = int(data["job"]), int(data["file"])
        match data.get("act"):
            case "cancel":
                jobs.cancel_file(job, file)
            case "retry":
                jobs.retry(job, files={file})
            case "unlock":
                (locked,) = (one for one in jobs.get(job).files if one.ordinal == file)
                jobs.retry(job, {locked.file: str(data["password"])}, files={file})

    def delete(self, view: View) -> str:
        """Delete what was asked about; return what was done."""
        if view.collection is not None:
            info = self.assistant.delete_collection(view.collection)
            return f"{plural(info.documents, 'document')} of {info.name} deleted."
        gone = self.shelf.delete(view.doomed)
        view.chosen -= set(view.doomed)
        return f"{plural(len(gone), 'document')} deleted."


@dataclass(frozen=True, slots=True)
class LibraryPage:
    """The components of the page."""

    into: gr.Dropdown
    upload: gr.File
    message: gr.HTML
    queue: gr.HTML
    cancel: gr.Button
    retry: gr.Button
    clear: gr.Button
    timer: gr.Timer
    collections: gr.HTML
    collection: gr.Dropdown
    name: gr.Textbox
    create: gr.Button
    rename: gr.Button
    remove: gr.Button
    storage: gr.HTML
    text: gr.Textbox
    within: gr.Dropdown
    status: gr.Dropdown
    selection: gr.Row
    selected: gr.HTML
    delete: gr.Button
    deselect: gr.Button
    confirmation: gr.Column
    question: gr.HTML
    keep: gr.Button
    sure: gr.Button
    table: gr.HTML
    preview: gr.Column
    about: gr.HTML
    previous: gr.Button
    number: gr.Number
    next: gr.Button
    shown: gr.HTML
    replace: gr.UploadButton
    delete_one: gr.Button
    close: gr.Button


def build_library() -> LibraryPage:
    """Lay out the page."""
    script = read_static("library.js")
    with gr.Row(elem_id="library"):
        with gr.Column(elem_id="library-in", min_width=240):
            gr.HTML("<h2>Add documents</h2>")
            into = gr.Dropdown(
                [],
                label="Into collection",
                info="Choose one, or type the name of a new one.",
                allow_custom_value=True,
                elem_id="library-into",
            )
            upload = gr.File(
                label="Add PDF, Office, web, text …",
                file_count="multiple",
                file_types=sorted(SUPPORTED_SUFFIXES),
                height=120,
                elem_id="library-upload",
            )
            message = gr.HTML("", elem_id="library-message")
            queue = gr.HTML("", elem_id="library-queue", js_on_load=script)
            with gr.Row(elem_id="library-jobs", elem_classes="buttons"):
                cancel = gr.Button("Cancel all", size="sm", min_width=60, visible=False)
                retry = gr.Button("Try all again", size="sm", min_width=60, visible=False)
                clear = gr.Button("Clear list", size="sm", min_width=60, visible=False)
            with gr.Accordion("Collections", open=False, elem_id="library-collections"):
                collections = gr.HTML("")
                collection = gr.Dropdown([], label="Collection", elem_id="library-collection")
                name = gr.Textbox(label="New name", max_lines=1, elem_id="library-name")
                with gr.Row(elem_classes="buttons"):
                    create = gr.Button("Create", size="sm", min_width=60)
                    rename = gr.Button("Rename", size="sm", min_width=60)
                    remove = gr.Button("Delete …", size="sm", min_width=60)
            gr.HTML("<h2>Storage</h2>")
            storage = gr.HTML("", elem_id="library-storage")
        with gr.Column(elem_id="library-list", min_width=320):
            with gr.Row(elem_id="library-filters"):
                text = gr.Textbox(
                    label="Filter", placeholder="Words of a name or title", max_lines=1, min_width=140
                )
                within = gr.Dropdown([("All", ALL)], value=ALL, label="Collection", min_width=120)
                status = gr.Dropdown(_STATUSES, value=ALL, label="Status", min_width=120)
            with gr.Row(visible=False, elem_id="library-selection", elem_classes="buttons") as selection:
                selected = gr.HTML("")
                delete = gr.Button("Delete …", size="sm", min_width=60)
                deselect = gr.Button("Select none", size="sm", min_width=60)
            with gr.Column(visible=False, elem_id="library-confirmation") as confirmation:
                question = gr.HTML("")
                with gr.Row(elem_classes="buttons"):
                    keep = gr.Button("Keep", size="sm", min_width=60)
                    sure = gr.Button("Delete", variant="stop", size="sm", min_width=60)
            table = gr.HTML("", elem_id="library-table", js_on_load=script)
        with gr.Column(visible=False, elem_id="library-preview", min_width=320) as preview:
            about = gr.HTML("")
            with gr.Row(elem_classes="buttons"):
                replacing = gr.UploadButton(
                    "Replace", size="sm", min_width=60, file_types=sorted(SUPPORTED_SUFFIXES)
                )
                delete_one = gr.Button("Delete …", size="sm", min_width=60)
                close = gr.Button("Close", size="sm", min_width=60)
            with gr.Row(elem_id="library-turn"):
                previous = gr.Button("Previous page", size="sm", min_width=60)
                number = gr.Number(
                    1, label="Page", precision=0, minimum=1, step=1, min_width=60, elem_id="library-number"
                )
                following = gr.Button("Next page", size="sm", min_width=60)
            shown = gr.HTML("", elem_id="library-page")
    timer = gr.Timer(_TICK, active=False)
    return LibraryPage(
        into, upload, message, queue, cancel, retry, clear, timer, collections, collection, name, create,
        rename, remove, storage, text, within, status, selection, selected, delete, deselect, confirmation,
        question, keep, sure, table, preview, about, previous, number, following, shown, replacing,
        delete_one, close,
    )  # fmt: skip


def connect_library(library: Library, page: LibraryPage, tab: gr.Tab) -> None:
    """Wire the page. It is brought up to date whenever its tab is chosen."""
    view: gr.State = gr.State(View())
    show = _Show(library, page)
    _connect_queue(library, page, show, view, tab)
    _connect_table(library, page, show, view)
    _connect_preview(library, page, show, view)
    _connect_collections(library, page, show, view)


class _Show:
    """What handlers give the page: dictionaries from component to its new state."""

    def __init__(self, library: Library, page: LibraryPage) -> None:
        self.library = library
        self.page = page
        self.of_queue: list[Any] = [page.queue, page.cancel, page.retry, page.clear, page.timer]
        self.of_table: list[Any] = [page.table, page.selection, page.selected]
        self.of_collections: list[Any] = [page.into, page.within, page.collection, page.collections]
        self.of_question: list[Any] = [page.confirmation, page.question, page.sure]
        self.of_preview: list[Any] = [page.preview, page.about, page.number, page.previous, page.next]
        self.of_preview += [page.shown]
        self.of_all: list[Any] = [
            page.message, page.storage, *self.of_queue, *self.of_table, *self.of_collections,
            *self.of_question, *self.of_preview,
        ]  # fmt: skip

    def all(self, view: View) -> Update:
        """Return everything but a question that is being asked."""
        works, queue = self.queue(view)
        # It is measured on the disk, which is not worth it while more and more is written.
        storage = gr.skip() if works else render_storage(self.library.shelf.storage())
        collections = self.collections(view)  # before the table: a filter may have lost its collection
        return {
            **queue,
            **collections,
            **self.table(view),
            **self.preview(view),
            self.page.storage: storage,
        }

    def queue(self, view: View) -> tuple[bool, Update]:
        """Return whether the queue works, and what the page shows of it."""
        # Before the table is read, so that a change meanwhile is shown with the next tick.
        view.watch.changes = self.library.assistant.library.catalogue.changes
        queue = self.library.documents.queue(view.watch)
        view.watch.shown = render_queue(queue.rows)
        return queue.works, {
            self.page.queue: view.watch.shown,
            self.page.cancel: gr.Button(visible=queue.works),
            self.page.retry: gr.Button(visible=queue.can_retry),
            self.page.clear: gr.Button(visible=queue.can_clear),
            self.page.timer: gr.Timer(active=queue.works),
        }

    def table(self, view: View) -> Update:
        return {self.page.table: self.library.table(view), **self.selection(view)}

    def selection(self, view: View) -> Update:
        words = f"<span>{plural(len(view.chosen), 'document')} selected</span>"
        return {self.page.selection: gr.Row(visible=bool(view.chosen)), self.page.selected: words}

    def collections(self, view: View) -> Update:
        """Return the collections, and the selectors' choices where they have changed."""
        page = self.page
        infos = self.library.assistant.list_collections()
        shown = {page.collections: render_collections(infos)}
        names = tuple(info.name for info in infos)
        if names == view.names:
            return shown
        usual = self.library.assistant.settings.collection
        into: dict[str, Any] = {"value": usual} if view.names is None else {}
        view.names = names
        if view.wanted.collection not in names:
            view.wanted = replace(view.wanted, collection=None)
        return {
            **shown,
            page.into: gr.Dropdown(choices=list(dict.fromkeys([usual, *names])), **into),
            page.within: gr.Dropdown(
                choices=[("All", ALL), *((name, name) for name in names)], value=view.wanted.collection or ALL
            ),
            page.collection: gr.Dropdown(choices=list(names), value=None),
        }

    def preview(self, view: View) -> Update:
        """Return the open document's page, or that none is open."""
        page = self.page
        try:
            shown = self.library.shelf.page(view.opened, view.page) if view.opened else None
        except UnknownName:  # another session deleted it
            shown = None
        if shown is None:
            view.opened = None
            return {page.preview: gr.Column(visible=False), page.shown: "", page.about: ""}
        view.page = shown.number
        return {
            page.preview: gr.Column(visible=True),
            page.about: render_document(shown),
            page.number: gr.Number(value=shown.number),
            page.previous: gr.Button(interactive=shown.number > 1),
            page.next: gr.Button(interactive=shown.number < shown.document.pages),
            page.shown: render_page(shown),
        }

    def ask(self, view: View, documents: tuple[str, ...]) -> Update:
        """Return the question whether these documents shall be deleted."""
        view.collection = None
        known = {document.id: document for document in self.library.shelf.documents()}
        view.doomed = tuple(identity for identity in documents if identity in known)
        if not view.doomed:
            return {**self.asked(view), **self.table(view)}
        words = render_deletion([known[identity] for identity in view.doomed])
        return self.question(words, f"Delete {plural(len(view.doomed), 'document')}")

    def question(self, words: str, button: str) -> Update:
        return {
            self.page.confirmation: gr.Column(visible=True),
            self.page.question: words,
            self.page.sure: gr.Button(button),
        }

    def asked(self, view: View) -> Update:
        """Return that nothing is asked any more."""
        view.doomed, view.collection = (), None
        return {self.page.confirmation: gr.Column(visible=False), self.page.question: ""}

    def trying(self, view: View, work: Callable[[], str | None]) -> Update:
        """Do something, and return everything with what came of it: its message, or its error."""
        try:
            done = work()
            said = f'<div class="done" role="status">{escape(done)}</div>' if done else ""
        except (RagError, OSError) as error:
            said = render_error(str(error))
        return {self.page.message: said, **self.all(view)}


def _connect_queue(library: Library, page: LibraryPage, show: _Show, view: gr.State, tab: gr.Tab) -> None:
    def take(uploaded: list[dict[str, Any]] | None, into: str | None, view: View) -> Update:
        def work() -> None:
            if named := received(page.upload, uploaded):
                view.watch.jobs.add(library.documents.take(named, (into or "").strip()).id)

        return {page.upload: None, **show.trying(view, work)}

    def look(view: View) -> Update:
        """Return what differs from what the page shows."""
        before, changes = view.watch.shown, view.watch.changes
        works, queue = show.queue(view)
        if view.watch.changes != changes or not works:
            return show.all(view)
        return queue if view.watch.shown != before else {page.timer: gr.skip()}

    def work_on(view: View, event: gr.EventData) -> Update:
        return show.trying(view, lambda: library.work(event._data))

    def cancel(view: View) -> Update:
        return show.trying(view, library.documents.cancel)

    def retry(view: View) -> Update:
        return show.trying(view, library.documents.retry)

    def clear(view: View) -> Update:
        library.assistant.jobs.clear()
        return {page.message: "", **show.queue(view)[1]}

    tab.select(show.all, [view], show.of_all, **_QUICK)
    page.timer.tick(look, [view], show.of_all, trigger_mode="once", **_QUICK)
    page.upload.upload(
        take,
        [page.upload, page.into, view],
        [page.upload, *show.of_all],
        preprocess=False,  # gr.File would leave an empty temporary file behind for each
        trigger_mode="multiple",
        **_QUICK,
    )
    page.queue.act(work_on, [view], show.of_all, trigger_mode="multiple", **_QUICK)
    page.cancel.click(cancel, [view], show.of_all, **_QUICK)
    page.retry.click(retry, [view], show.of_all, **_QUICK)
    page.clear.click(clear, [view], show.of_all, **_QUICK)


def _connect_table(library: Library, page: LibraryPage, show: _Show, view: gr.State) -> None:
    def act(view: View, event: gr.EventData) -> Update:
        library.act(view, event._data)
        if event._data.get("act") == "choose":  # the box shows it already
            return show.selection(view)
        return {**show.table(view), **(show.preview(view) if event._data.get("act") == "open" else {})}

    def filtered(view: View, text: str, within: str | None, status: str | None) -> Update:
        view.part = 0
        view.wanted = replace(
            view.wanted,
            text=text,
            collection=None if within in (None, ALL) else within,
            status=None if status in (None, ALL) else Status(status),
        )
        return show.table(view)

    def ask(view: View) -> Update:
        return show.ask(view, tuple(sorted(view.chosen)))

    def deselect(view: View) -> Update:
        view.chosen.clear()
        return show.table(view)

    def keep(view: View) -> Update:
        return show.asked(view)

    def delete(view: View) -> Update:
        done = show.trying(view, lambda: library.delete(view))
        return {**done, **show.asked(view)}

    opened = page.table.act(
        act, [view], [*show.of_table, *show.of_preview], trigger_mode="multiple", **_QUICK
    )
    opened.then(
        None,
        js="() => { if (matchMedia('(max-width: 1000px)').matches) "
        "document.getElementById('library-preview')?.scrollIntoView({ block: 'start' }); }",
        api_visibility="private",
    )
    gr.on(
        [page.text.change, page.within.change, page.status.change],
        filtered,
        [view, page.text, page.within, page.status],
        show.of_table,
        trigger_mode="always_last",
        **_QUICK,
    )
    page.delete.click(ask, [view], [*show.of_question, *show.of_table], **_QUICK)
    page.deselect.click(deselect, [view], show.of_table, **_QUICK)
    page.keep.click(keep, [view], show.of_question, **_QUICK)
    page.sure.click(delete, [view], show.of_all, **_QUICK)


def _connect_preview(library: Library, page: LibraryPage, show: _Show, view: gr.State) -> None:
    def turn(view: View, to: int) -> Update:
        view.page = to
        return show.preview(view)

    def close(view: View) -> Update:
        view.opened = None
        return show.preview(view)

    def ask(view: View) -> Update:
        return show.ask(view, (view.opened,) if view.opened else ())

    def replace_it(uploaded: Any, view: View) -> Update:
        def work() -> None:
            items = uploaded if isinstance(uploaded, list) else [uploaded] if uploaded else []
            for file, name in received(page.replace, items)[:1]:
                document = library.shelf.document(view.opened or "")
                known_as = replacing_name(document, name or file.name)
                job = library.documents.take([(file, known_as)], document.collection)
                view.watch.jobs.add(job.id)

        return show.trying(view, work)

    page.previous.click(lambda view: turn(view, view.page - 1), [view], show.of_preview, **_QUICK)
    page.next.click(lambda view: turn(view, view.page + 1), [view], show.of_preview, **_QUICK)
    page.number.submit(
        lambda view, number: turn(view, int(number or 1)), [view, page.number], show.of_preview, **_QUICK
    )
    page.close.click(close, [view], show.of_preview, **_QUICK)
    page.delete_one.click(ask, [view], [*show.of_question, *show.of_table], **_QUICK)
    page.replace.upload(replace_it, [page.replace, view], show.of_all, preprocess=False, **_QUICK)


def _connect_collections(library: Library, page: LibraryPage, show: _Show, view: gr.State) -> None:
    def create(view: View, name: str) -> Update:
        def work() -> str:
            return f"The collection {library.assistant.create_collection(name.strip()).name} is there."

        return {page.name: "", **show.trying(view, work)}

    def rename(view: View, old: str | None, name: str) -> Update:
        def work() -> str:
            return f"It is named {library.assistant.rename_collection(old or '', name.strip()).name} now."

        return {page.name: "", **show.trying(view, work)}

    def ask(view: View, name: str | None) -> Update:
        infos = {info.name: info for info in library.assistant.list_collections()}
        if name not in infos:
            return {page.message: render_error("Choose the collection first.")}
        show.asked(view)
        view.collection = name
        stays = name == DEFAULT_COLLECTION
        words = render_collection_deletion(infos[name], stays=stays)
        return {page.message: "", **show.question(words, f"{'Empty' if stays else 'Delete'} it")}

    page.create.click(create, [view, page.name], [page.name, *show.of_all], **_QUICK)
    page.rename.click(rename, [view, page.collection, page.name], [page.name, *show.of_all], **_QUICK)
    page.remove.click(ask, [view, page.collection], [page.message, *show.of_question], **_QUICK)
