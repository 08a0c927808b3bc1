"""The values that the events of the Library page give its components."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import gradio as gr

from ingestion.errors import UnknownName
from ingestion.fields.values import FieldValues
from ui.components.text import escape, plural, render_error, result_of
from ui.library.controller import LibraryController, LibraryPageState
from ui.library.instructions import render_counted
from ui.library.layout import ALL, LibraryLayout
from ui.library.page_text import render_page
from ui.library.render import (
    render_collections,
    render_deletion,
    render_document,
    render_done,
    render_queue,
    render_storage,
)

Update = dict[Any, Any]


class LibraryUpdates:
    """The new values of the page's components. `of_…` lists the components that a method may change."""

    def __init__(self, library: LibraryController, page: LibraryLayout) -> None:
        self.library = library
        self.page = page
        self.of_queue: list[Any] = [page.queue, page.cancel, page.retry, page.clear, page.timer]
        self.of_table: list[Any] = [page.table, page.selection, page.selected]
        self.of_collections: list[Any] = [page.into, page.within, page.collection, page.collections]
        self.of_instructions: list[Any] = [page.instructing, page.instructions, page.counted]
        self.of_instructions.append(page.instructed)
        self.of_question: list[Any] = [page.confirmation, page.question, page.sure]
        self.of_preview: list[Any] = [page.preview, page.about, page.number, page.previous, page.next]
        self.of_preview += [page.shown, page.opened, page.turned]
        self.of_fields: list[Any] = [page.title, page.organisation, page.period, page.kind, page.told]
        # What an action said or refused stands beside what it is about.
        self.notices: list[Any] = [page.message, page.deleted, page.collected, page.instructed]
        self.notices.append(page.replaced)
        self.of_all: list[Any] = [*self.notices, page.storage, *self.of_queue, *self.of_table]
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
            closed: Update = {page.preview: gr.Column(visible=False), page.opened: ""}
            return {**closed, page.shown: "", page.about: "", page.turned: ""}
        state.page = shown.number
        return {
            page.preview: gr.Column(visible=True),
            page.about: render_document(shown),
            page.number: gr.Number(value=shown.number),
            page.previous: gr.Button(interactive=shown.number > 1),
            page.next: gr.Button(interactive=shown.number < shown.document.pages),
            page.shown: render_page(shown),
            page.turned: "",
            page.opened: escape(shown.document.id),
        }

    def fields(self, state: LibraryPageState) -> Update:
        """Return the open document's fields, to be changed."""
        page = self.page
        try:
            values = self.library.fields(state)
        except UnknownName:  # another session deleted it
            values = FieldValues()
        return {
            page.title: values.title,
            page.organisation: values.organisation,
            page.period: values.period,
            page.kind: values.type,
            page.told: "",
        }

    def described(self, state: LibraryPageState, work: Callable[[], str]) -> Update:
        """Do work on the open document's fields; what is refused stays in the form, above the reason."""
        done: Update = {}

        def said() -> str:
            message = work()
            done.update(self.fields(state))
            return render_done(message)

        told = result_of(said)
        return {**self.table(state), **self.preview(state), **done, self.page.told: told}

    def instructions(self, name: str | None) -> Update:
        """Return the instructions of a collection, to be changed; nothing where none is chosen."""
        page = self.page
        found = [info for info in self.library.assistant.list_collections() if info.name == name]
        if not found:
            closed: Update = {page.instructing: gr.Column(visible=False), page.instructed: ""}
            return {**closed, page.instructions: "", page.counted: ""}
        text = found[0].instructions
        return {
            page.instructing: gr.Column(visible=True),
            page.instructions: text,
            page.counted: render_counted(text),
            page.instructed: "",
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

    def trying(
        self, state: LibraryPageState, work: Callable[[], str | None], notice: gr.HTML | None = None
    ) -> Update:
        """Do work; return all values, with its message or its error in a notice: by default the queue's.

        The other notices, which are about what was done before, are emptied.
        """

        def said() -> str:
            try:
                done = work()
            except OSError as error:  # an upload that cannot be moved
                return render_error(error)
            return render_done(done) if done else ""

        told = dict.fromkeys(self.notices, "") | {notice or self.page.message: result_of(said)}
        return {**told, **self.all(state)}
