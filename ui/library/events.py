"""The events of the Documents page, and the values that they give its components."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import gradio as gr

from ingestion.documents import Status
from ingestion.errors import UnknownName
from ui.components.events import QUICK, scroll_to_question
from ui.components.fields import received
from ui.components.text import escape, plural, render_error, result_of
from ui.library.controller import LibraryController, LibraryPageState
from ui.library.layout import ALL, LibraryLayout
from ui.library.render import (
    render_collection_deletion,
    render_collections,
    render_deletion,
    render_document,
    render_page,
    render_queue,
    render_storage,
)

Update = dict[Any, Any]


class _LibraryUpdates:
    """The new values of the page's components. `of_…` lists the components that a method may change."""

    def __init__(self, library: LibraryController, page: LibraryLayout) -> None:
        self.library = library
        self.page = page
        self.of_queue: list[Any] = [page.queue, page.cancel, page.retry, page.clear, page.timer]
        self.of_table: list[Any] = [page.table, page.selection, page.selected]
        self.of_collections: list[Any] = [page.into, page.within, page.collection, page.collections]
        self.of_question: list[Any] = [page.confirmation, page.question, page.sure]
        self.of_preview: list[Any] = [page.preview, page.about, page.number, page.previous, page.next]
        self.of_preview += [page.shown]
        self.of_all: list[Any] = [page.message, page.storage, *self.of_queue, *self.of_table]
        self.of_all += [*self.of_collections, *self.of_question, *self.of_preview]

    def all(self, state: LibraryPageState) -> Update:
        """Return all values except those of a question that is being asked."""
        works, queue = self.queue(state)
        # Measuring the disk is not worth it while the queue writes.
        storage = gr.skip() if works else render_storage(self.library.browser.storage())
        collections = self.collections(state)  # before the table: a filter may have lost its collection
        return {
            **queue,
            **collections,
            **self.table(state),
            **self.preview(state),
            self.page.storage: storage,
        }

    def queue(self, state: LibraryPageState) -> tuple[bool, Update]:
        """Return whether the queue works, and its components' values."""
        # Read before the table, so that the next tick shows a change that happens meanwhile.
        state.queue.changes = self.library.assistant.document_browser.changes
        queue = self.library.queue.view(state.queue)
        state.queue.shown = render_queue(queue.rows)
        return queue.works, {
            self.page.queue: state.queue.shown,
            self.page.cancel: gr.Button(visible=queue.works),
            self.page.retry: gr.Button(visible=queue.can_retry),
            self.page.clear: gr.Button(visible=queue.can_clear),
            self.page.timer: gr.Timer(active=queue.works),
        }

    def table(self, state: LibraryPageState) -> Update:
        return {self.page.table: self.library.table(state), **self.selection(state)}

    def selection(self, state: LibraryPageState) -> Update:
        words = f"<span>{plural(len(state.chosen), 'document')} selected</span>"
        return {self.page.selection: gr.Row(visible=bool(state.chosen)), self.page.selected: words}

    def collections(self, state: LibraryPageState) -> Update:
        """Return the collections, and the selectors' choices where they have changed."""
        page = self.page
        infos = self.library.assistant.list_collections()
        shown = {page.collections: render_collections(infos)}
        names = tuple(info.name for info in infos)
        if names == state.names:
            return shown
        usual = self.library.assistant.settings.collection
        into: dict[str, Any] = {"value": usual} if state.names is None else {}
        state.names = names
        if state.query.collection not in names:
            state.query = replace(state.query, collection=None)
        return {
            **shown,
            page.into: gr.Dropdown(choices=list(dict.fromkeys([usual, *names])), **into),
            page.within: gr.Dropdown(
                choices=[("All", ALL), *((name, name) for name in names)],
                value=state.query.collection or ALL,
            ),
            page.collection: gr.Dropdown(choices=list(names), value=None),
        }

    def preview(self, state: LibraryPageState) -> Update:
        """Return the open document's page, or a closed preview."""
        page = self.page
        try:
            shown = self.library.browser.page(state.opened, state.page) if state.opened else None
        except UnknownName:  # another session deleted it
            shown = None
        if shown is None:
            state.opened = None
            return {page.preview: gr.Column(visible=False), page.shown: "", page.about: ""}
        state.page = shown.number
        return {
            page.preview: gr.Column(visible=True),
            page.about: render_document(shown),
            page.number: gr.Number(value=shown.number),
            page.previous: gr.Button(interactive=shown.number > 1),
            page.next: gr.Button(interactive=shown.number < shown.document.pages),
            page.shown: render_page(shown),
        }

    def ask(self, state: LibraryPageState, documents: tuple[str, ...]) -> Update:
        """Return the question whether to delete these documents."""
        state.collection = None
        known = {document.id: document for document in self.library.browser.documents()}
        state.doomed = tuple(identity for identity in documents if identity in known)
        if not state.doomed:
            return {**self.asked(state), **self.table(state)}
        words = render_deletion([known[identity] for identity in state.doomed])
        return self.question(words, f"Delete {plural(len(state.doomed), 'document')}")

    def question(self, words: str, button: str) -> Update:
        return {
            self.page.confirmation: gr.Column(visible=True),
            self.page.question: words,
            self.page.sure: gr.Button(button),
        }

    def asked(self, state: LibraryPageState) -> Update:
        """Return the end of a question."""
        state.doomed, state.collection = (), None
        return {self.page.confirmation: gr.Column(visible=False), self.page.question: ""}

    def trying(self, state: LibraryPageState, work: Callable[[], str | None]) -> Update:
        """Do work; return all values with its message or its error."""

        def said() -> str:
            try:
                done = work()
            except OSError as error:  # an upload that cannot be moved
                return render_error(error)
            return f'<div class="done" role="status">{escape(done)}</div>' if done else ""

        return {self.page.message: result_of(said), **self.all(state)}


def connect_library(library: LibraryController, page: LibraryLayout) -> None:
    """Wire the page. It is brought up to date whenever its tab is chosen."""
    state: gr.State = gr.State(LibraryPageState())
    updates = _LibraryUpdates(library, page)
    _connect_queue(updates, state)
    _connect_table(updates, state)
    _connect_preview(updates, state)
    _connect_collections(updates, state)


def _connect_queue(updates: _LibraryUpdates, state: gr.State) -> None:
    library, page = updates.library, updates.page

    def take(
        uploaded: list[dict[str, Any]] | None, into: str | None, encoding: str | None, state: LibraryPageState
    ) -> Update:
        files = received(page.upload, uploaded)
        done = updates.trying(state, lambda: library.take(state, files, into, encoding))
        return {page.upload: None, **done}

    def look(state: LibraryPageState) -> Update:
        """Return the values that differ from those that the page shows."""
        before, changes = state.queue.shown, state.queue.changes
        works, queue = updates.queue(state)
        if state.queue.changes != changes or not works:
            return updates.all(state)
        return queue if state.queue.shown != before else {page.timer: gr.skip()}

    def work_on(state: LibraryPageState, event: gr.EventData) -> Update:
        return updates.trying(state, lambda: library.work(event._data))

    def cancel(state: LibraryPageState) -> Update:
        return updates.trying(state, library.queue.cancel)

    def retry(state: LibraryPageState) -> Update:
        return updates.trying(state, library.queue.retry)

    def clear(state: LibraryPageState) -> Update:
        library.assistant.jobs.clear()
        return {page.message: "", **updates.queue(state)[1]}

    page.tab.select(updates.all, [state], updates.of_all, **QUICK)
    page.timer.tick(look, [state], updates.of_all, trigger_mode="once", **QUICK)
    page.upload.upload(
        take,
        [page.upload, page.into, page.encoding, state],
        [page.upload, *updates.of_all],
        preprocess=False,  # gr.File would leave an empty temporary file behind for each
        trigger_mode="multiple",
        **QUICK,
    )
    page.queue.act(work_on, [state], updates.of_all, trigger_mode="multiple", **QUICK)
    page.cancel.click(cancel, [state], updates.of_all, **QUICK)
    page.retry.click(retry, [state], updates.of_all, **QUICK)
    page.clear.click(clear, [state], updates.of_all, **QUICK)


def _connect_table(updates: _LibraryUpdates, state: gr.State) -> None:
    library, page = updates.library, updates.page

    def act(state: LibraryPageState, event: gr.EventData) -> Update:
        library.act(state, event._data)
        if event._data.get("act") == "choose":  # the box shows it already
            return updates.selection(state)
        return updates.table(state)

    def read(state: LibraryPageState, event: gr.EventData) -> Update:
        library.act(state, event._data)
        return {**updates.table(state), **updates.preview(state)}

    def filtered(state: LibraryPageState, text: str, within: str | None, status: str | None) -> Update:
        state.part = 0
        state.query = replace(
            state.query,
            text=text,
            collection=None if within in (None, ALL) else within,
            status=None if status in (None, ALL) else Status(status),
        )
        return updates.table(state)

    def ask(state: LibraryPageState) -> Update:
        return updates.ask(state, tuple(sorted(state.chosen)))

    def deselect(state: LibraryPageState) -> Update:
        state.chosen.clear()
        return updates.table(state)

    def keep(state: LibraryPageState) -> Update:
        return updates.asked(state)

    def delete(state: LibraryPageState) -> Update:
        done = updates.trying(state, lambda: library.delete(state))
        return {**done, **updates.asked(state)}

    page.table.act(act, [state], updates.of_table, trigger_mode="multiple", **QUICK)
    opened = page.table.select(
        read, [state], [*updates.of_table, *updates.of_preview], trigger_mode="multiple", **QUICK
    )
    opened.then(  # on a narrow screen the preview stands above the lists, out of sight of its row
        None,
        js="() => { if (matchMedia('(max-width: 1000px)').matches) "
        "document.getElementById('library-preview')?.scrollIntoView({ block: 'start' }); }",
        api_visibility="private",
    )
    gr.on(
        [page.text.change, page.within.change, page.status.change],
        filtered,
        [state, page.text, page.within, page.status],
        updates.of_table,
        trigger_mode="always_last",
        **QUICK,
    )
    asked = page.delete.click(ask, [state], [*updates.of_question, *updates.of_table], **QUICK)
    scroll_to_question(asked, "library-confirmation")
    page.deselect.click(deselect, [state], updates.of_table, **QUICK)
    page.keep.click(keep, [state], updates.of_question, **QUICK)
    page.sure.click(delete, [state], updates.of_all, **QUICK)


def _connect_preview(updates: _LibraryUpdates, state: gr.State) -> None:
    library, page = updates.library, updates.page

    def turn(state: LibraryPageState, to: int) -> Update:
        state.page = to
        return updates.preview(state)

    def close(state: LibraryPageState) -> Update:
        state.opened = None
        return updates.preview(state)

    def ask(state: LibraryPageState) -> Update:
        return updates.ask(state, (state.opened,) if state.opened else ())

    def replace_it(uploaded: Any, state: LibraryPageState) -> Update:
        files = received(page.replace, uploaded)
        return updates.trying(state, lambda: library.replace_opened(state, files))

    page.previous.click(lambda state: turn(state, state.page - 1), [state], updates.of_preview, **QUICK)
    page.next.click(lambda state: turn(state, state.page + 1), [state], updates.of_preview, **QUICK)
    page.number.submit(
        lambda state, number: turn(state, int(number or 1)), [state, page.number], updates.of_preview, **QUICK
    )
    page.close.click(close, [state], updates.of_preview, **QUICK)
    asked = page.delete_one.click(ask, [state], [*updates.of_question, *updates.of_table], **QUICK)
    scroll_to_question(asked, "library-confirmation")
    page.replace.upload(replace_it, [page.replace, state], updates.of_all, preprocess=False, **QUICK)


def _connect_collections(updates: _LibraryUpdates, state: gr.State) -> None:
    library, page = updates.library, updates.page

    def create(state: LibraryPageState, name: str) -> Update:
        return {page.name: "", **updates.trying(state, lambda: library.create_collection(name))}

    def rename(state: LibraryPageState, old: str | None, name: str) -> Update:
        return {page.name: "", **updates.trying(state, lambda: library.rename_collection(old, name))}

    def ask(state: LibraryPageState, name: str | None) -> Update:
        infos = {info.name: info for info in library.assistant.list_collections()}
        if name not in infos:
            return {page.message: render_error("Choose the collection first."), **updates.asked(state)}
        updates.asked(state)
        state.collection = name
        button = "Empty it" if infos[name].is_default else "Delete it"
        return {page.message: "", **updates.question(render_collection_deletion(infos[name]), button)}

    page.create.click(create, [state, page.name], [page.name, *updates.of_all], **QUICK)
    page.rename.click(rename, [state, page.collection, page.name], [page.name, *updates.of_all], **QUICK)
    asked = page.remove.click(ask, [state, page.collection], [page.message, *updates.of_question], **QUICK)
    scroll_to_question(asked, "library-confirmation")
