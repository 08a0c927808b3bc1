"""What the handlers give the page: dictionaries from component to its new state."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import gradio as gr

from ingestion.errors import RagError, UnknownName
from ui.components.document_list import render_error
from ui.components.holdings import render_collections, render_deletion, render_storage
from ui.components.page_view import render_document, render_page
from ui.components.queue import render_queue
from ui.components.text import escape, plural
from ui.library.care import Library, View
from ui.library.pane import ALL, LibraryPage

Update = dict[Any, Any]


class Show:
    """What one page shows of the library. `of_…` are the components that a method gives a state to."""

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
