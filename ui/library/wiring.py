"""The page's events: what is clicked, chosen, typed or handed over, and what is shown then."""

from dataclasses import replace
from typing import Any

import gradio as gr

from ingestion.documents import Status
from ingestion.storage.catalogue.catalogue import DEFAULT_COLLECTION
from rag_app.service.document_browser import replacing_name
from ui.components.document_list import render_error
from ui.components.holdings import render_collection_deletion
from ui.documents import into_sight, received
from ui.library.care import Library, View
from ui.library.pane import ALL, LibraryPage
from ui.library.showing import Show, Update

_QUICK: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden", "queue": False}

_CONFIRMATION = "library-confirmation"


def connect_library(library: Library, page: LibraryPage, tab: gr.Tab) -> None:
    """Wire the page. It is brought up to date whenever its tab is chosen."""
    view: gr.State = gr.State(View())
    show = Show(library, page)
    _connect_queue(library, page, show, view, tab)
    _connect_table(library, page, show, view)
    _connect_preview(library, page, show, view)
    _connect_collections(library, page, show, view)


def _connect_queue(library: Library, page: LibraryPage, show: Show, view: gr.State, tab: gr.Tab) -> None:
    def take(
        uploaded: list[dict[str, Any]] | None, into: str | None, encoding: str | None, view: View
    ) -> Update:
        def work() -> None:
            if named := received(page.upload, uploaded):
                job = library.documents.take(named, (into or "").strip(), encoding or None)
                view.watch.jobs.add(job.id)

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
        [page.upload, page.into, page.encoding, view],
        [page.upload, *show.of_all],
        preprocess=False,  # gr.File would leave an empty temporary file behind for each
        trigger_mode="multiple",
        **_QUICK,
    )
    page.queue.act(work_on, [view], show.of_all, trigger_mode="multiple", **_QUICK)
    page.cancel.click(cancel, [view], show.of_all, **_QUICK)
    page.retry.click(retry, [view], show.of_all, **_QUICK)
    page.clear.click(clear, [view], show.of_all, **_QUICK)


def _connect_table(library: Library, page: LibraryPage, show: Show, view: gr.State) -> None:
    def act(view: View, event: gr.EventData) -> Update:
        library.act(view, event._data)
        if event._data.get("act") == "choose":  # the box shows it already
            return show.selection(view)
        return show.table(view)

    def read(view: View, event: gr.EventData) -> Update:
        library.act(view, event._data)
        return {**show.table(view), **show.preview(view)}

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

    page.table.act(act, [view], show.of_table, trigger_mode="multiple", **_QUICK)
    opened = page.table.select(
        read, [view], [*show.of_table, *show.of_preview], trigger_mode="multiple", **_QUICK
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
        [view, page.text, page.within, page.status],
        show.of_table,
        trigger_mode="always_last",
        **_QUICK,
    )
    asked = page.delete.click(ask, [view], [*show.of_question, *show.of_table], **_QUICK)
    into_sight(asked, _CONFIRMATION)
    page.deselect.click(deselect, [view], show.of_table, **_QUICK)
    page.keep.click(keep, [view], show.of_question, **_QUICK)
    page.sure.click(delete, [view], show.of_all, **_QUICK)


def _connect_preview(library: Library, page: LibraryPage, show: Show, view: gr.State) -> None:
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
    asked = page.delete_one.click(ask, [view], [*show.of_question, *show.of_table], **_QUICK)
    into_sight(asked, _CONFIRMATION)
    page.replace.upload(replace_it, [page.replace, view], show.of_all, preprocess=False, **_QUICK)


def _connect_collections(library: Library, page: LibraryPage, show: Show, view: gr.State) -> None:
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
            return {page.message: render_error("Choose the collection first."), **show.asked(view)}
        show.asked(view)
        view.collection = name
        stays = name == DEFAULT_COLLECTION
        words = render_collection_deletion(infos[name], stays=stays)
        return {page.message: "", **show.question(words, f"{'Empty' if stays else 'Delete'} it")}

    page.create.click(create, [view, page.name], [page.name, *show.of_all], **_QUICK)
    page.rename.click(rename, [view, page.collection, page.name], [page.name, *show.of_all], **_QUICK)
    asked = page.remove.click(ask, [view, page.collection], [page.message, *show.of_question], **_QUICK)
    into_sight(asked, _CONFIRMATION)
