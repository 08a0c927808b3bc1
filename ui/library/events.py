"""The events of the Library page."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import gradio as gr

from ingestion.documents import Status
from ingestion.errors import InvalidInput
from ingestion.fields.values import FieldValues
from ui.components.events import QUICK, scroll_to_question
from ui.components.fields import received, whole_number
from ui.components.text import render_error, render_notice
from ui.library.controller import LibraryController, LibraryPageState
from ui.library.instructions import COUNT_TYPED
from ui.library.layout import ALL, LibraryLayout
from ui.library.render import render_collection_deletion
from ui.library.updates import LibraryUpdates, Update

_GONE = "This document is not in the library any more; choose another one below."


def connect_library(library: LibraryController, page: LibraryLayout) -> None:
    """Wire the page. It is brought up to date whenever its tab is chosen."""
    state: gr.State = gr.State(LibraryPageState())
    updates = LibraryUpdates(library, page)
    _connect_queue(updates, state)
    _connect_table(updates, state)
    _connect_preview(updates, state)
    _connect_collections(updates, state)


def _connect_queue(updates: LibraryUpdates, state: gr.State) -> None:
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


def _connect_table(updates: LibraryUpdates, state: gr.State) -> None:
    library, page = updates.library, updates.page

    def act(state: LibraryPageState, event: gr.EventData) -> Update:
        library.act(state, event._data)
        if event._data.get("act") == "choose":  # the box shows it already
            return updates.selection(state)
        return updates.table(state)

    def read(state: LibraryPageState, event: gr.EventData) -> Update:
        library.act(state, event._data)
        shown = updates.preview(state)
        gone = "" if state.opened else render_error(_GONE)
        return {**updates.table(state), **shown, **updates.fields(state), page.deleted: gone}

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
        about = page.collected if state.collection is not None else page.deleted
        done = updates.trying(state, lambda: library.delete(state), about)
        return {**done, **updates.asked(state)}

    page.table.act(act, [state], updates.of_table, trigger_mode="multiple", **QUICK)
    # A row of the table opens a document, and so does the page's address.
    gr.on(
        [page.table.select, page.opened.select],
        read,
        [state],
        [*updates.of_table, *updates.of_preview, *updates.of_fields, page.deleted],
        trigger_mode="multiple",
        **QUICK,
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


def _connect_preview(updates: LibraryUpdates, state: gr.State) -> None:
    library, page = updates.library, updates.page

    def turn(state: LibraryPageState, to: int) -> Update:
        state.page = to
        return updates.preview(state)

    def turn_to(state: LibraryPageState, number: float | None) -> Update:
        last = library.assistant.document_pages(state.opened or "")
        try:
            return turn(state, whole_number(number, last, "page") if last else 1)
        except InvalidInput as error:
            return {page.turned: render_notice(error)}

    def close(state: LibraryPageState) -> Update:
        state.opened = None
        return updates.preview(state)

    def ask(state: LibraryPageState) -> Update:
        """Ask below the table, which the open document would hide."""
        asked = updates.ask(state, (state.opened,) if state.opened else ())
        return {**asked, **close(state)}

    def replace_it(uploaded: Any, state: LibraryPageState) -> Update:
        files = received(page.replace, uploaded)

        def work() -> None:
            library.replace_opened(state, files)
            state.opened = None  # the queue shows what becomes of it

        return updates.trying(state, work, page.replaced)

    def describe(state: LibraryPageState, title: str, organisation: str, period: str, kind: str) -> Update:
        written = FieldValues(title, organisation, period, kind or "")
        return updates.described(state, lambda: library.write_fields(state, written))

    def restore(state: LibraryPageState) -> Update:
        return updates.described(state, lambda: library.restore_fields(state))

    of_described = [*updates.of_table, *updates.of_preview, *updates.of_fields]
    page.describe.click(
        describe, [state, page.title, page.organisation, page.period, page.kind], of_described, **QUICK
    )
    page.restore.click(restore, [state], of_described, **QUICK)
    page.previous.click(lambda state: turn(state, state.page - 1), [state], updates.of_preview, **QUICK)
    page.next.click(lambda state: turn(state, state.page + 1), [state], updates.of_preview, **QUICK)
    page.number.submit(turn_to, [state, page.number], updates.of_preview, **QUICK)
    page.close.click(close, [state], updates.of_preview, **QUICK)
    of_asked = [*updates.of_question, *updates.of_table, *updates.of_preview]
    asked = page.delete_one.click(ask, [state], of_asked, **QUICK)
    scroll_to_question(asked, "library-confirmation")
    page.replace.upload(replace_it, [page.replace, state], updates.of_all, preprocess=False, **QUICK)


def _connect_collections(updates: LibraryUpdates, state: gr.State) -> None:
    library, page = updates.library, updates.page

    def named(state: LibraryPageState, work: Callable[[], str]) -> Update:
        """Do work with a new name; one that is refused stays in the field."""
        emptied: Update = {}

        def said() -> str:
            message = work()
            emptied[page.name] = ""
            return message

        return {**updates.trying(state, said, page.collected), **emptied}

    def create(state: LibraryPageState, name: str) -> Update:
        return named(state, lambda: library.create_collection(name))

    def rename(state: LibraryPageState, old: str | None, name: str) -> Update:
        return named(state, lambda: library.rename_collection(old, name))

    def choose(name: str | None) -> Update:
        return updates.instructions(name)

    def instruct(state: LibraryPageState, name: str | None, text: str) -> Update:
        """Save the text; one that is refused stays in the field."""
        saved: Update = {}

        def work() -> str:
            said = library.instruct_collection(name, text)
            saved.update(updates.instructions(name))
            return said

        done = updates.trying(state, work, page.instructed)
        return {**saved, **done}

    def ask(state: LibraryPageState, name: str | None) -> Update:
        infos = {info.name: info for info in library.assistant.list_collections()}
        if name not in infos:
            told = render_error("No collection is chosen; choose the one to delete.")
            return {page.collected: told, **updates.asked(state)}
        updates.asked(state)
        state.collection = name
        button = "Empty it" if infos[name].is_default else "Delete it"
        return {page.collected: "", **updates.question(render_collection_deletion(infos[name]), button)}

    page.create.click(create, [state, page.name], [page.name, *updates.of_all], **QUICK)
    page.rename.click(rename, [state, page.collection, page.name], [page.name, *updates.of_all], **QUICK)
    asked = page.remove.click(ask, [state, page.collection], [page.collected, *updates.of_question], **QUICK)
    scroll_to_question(asked, "library-confirmation")
    page.collection.change(choose, [page.collection], updates.of_instructions, **QUICK)
    page.instructions.change(
        None,
        [page.instructions],
        [page.counted],
        js=COUNT_TYPED,
        trigger_mode="multiple",  # the last of many letters counts, too
        api_visibility="private",
        show_progress="hidden",
    )
    page.instruct.click(
        instruct,
        [state, page.collection, page.instructions],
        list(dict.fromkeys([*updates.of_all, *updates.of_instructions])),
        **QUICK,
    )
