"""The events of the panes around the conversation: its title, its evidence, the documents."""

from typing import Any

import gradio as gr

from ingestion.errors import RagError
from ui.chat.controller import ConversationController, EvidenceController, hit_of
from ui.chat.layout import ChatLayout, DocumentsPane
from ui.chat.render import LONGEST_SEARCH, render_confirmation, render_documents, render_uploads
from ui.chat.viewer import place_of
from ui.components.events import QUICK, noticed, scroll_to_question
from ui.components.fields import received
from ui.components.ingest_queue import IngestQueueController, QueuePageState
from ui.components.text import error_of, escape, render_error
from ui.components.turns import Turns, turn_of

_LONGEST_PASSWORD = 1000

Update = tuple[Any, ...]


def heading(conversations: ConversationController, current: str | None) -> Update:
    """Return title and buttons of a conversation, for the components of `TitlePane.heading`."""
    title = conversations.title(current)
    # A conversation whose first question was not asked has no title, and can be deleted all the same.
    shown = "New conversation" if title is None else escape(title or "Untitled")
    return (
        f"<h2><bdi>{shown}</bdi></h2>",
        *(gr.Button(visible=title is not None) for _ in range(3)),
        *(gr.Row(visible=False) for _ in range(3)),
    )


def connect_title(
    conversations: ConversationController, page: ChatLayout, current: gr.State, search: gr.State
) -> None:
    """Wire renaming and sharing; deleting changes the conversation and is wired with it."""
    pane = page.title

    def begin_renaming(current: str | None) -> tuple[gr.Row, str]:
        return gr.Row(visible=True), conversations.title(current) or ""

    def rename(current: str | None, name: str, search: str) -> Update:
        if current is not None:
            conversations.assistant.conversations.rename(current, name)
        return (*heading(conversations, current), conversations.listed(current, search))

    def share(current: str | None) -> Update:
        if current is None:
            return gr.Column(visible=False), "", ""
        return gr.Column(visible=True), *conversations.shared(current)

    begin_told, outputs = noticed(begin_renaming, [pane.renaming, pane.name], pane.notice)
    pane.rename.click(begin_told, [current], outputs, **QUICK)
    saved = [pane.save.click, pane.name.submit]
    rename_told, outputs = noticed(rename, [*pane.heading, page.listing], pane.notice)
    gr.on(saved, rename_told, [current, pane.name, search], outputs, **QUICK)
    share_told, outputs = noticed(share, [pane.sharing, pane.markdown, pane.link], pane.notice)
    pane.share.click(share_told, [current], outputs, **QUICK)
    pane.closing.click(lambda: gr.Column(visible=False), None, [pane.sharing], **QUICK)
    pane.delete.click(lambda: gr.Row(visible=True), None, [pane.deleting], **QUICK)
    pane.keep.click(lambda: gr.Row(visible=False), None, [pane.deleting], **QUICK)


def connect_search(
    conversations: ConversationController, page: ChatLayout, current: gr.State, search: gr.State
) -> None:
    """Wire the search in conversations, whose results are the list."""

    def find(current: str | None, event: gr.EventData) -> tuple[str, str]:
        words = str(event._data.get("words", ""))[:LONGEST_SEARCH].strip()
        return words, conversations.listed(current, words)

    page.search.submit(find, [current], [search, page.listing], trigger_mode="always_last", **QUICK)


def connect_evidence(evidence: EvidenceController, page: ChatLayout, turns: gr.State) -> None:
    """Wire the evidence: a card opens its page or its explanation, and takes a judgement."""
    # By document, so that a person is asked once. They are in this session's memory alone, which Gradio
    # forgets an hour after the tab is closed; it does so for states that handlers give back.
    passwords: gr.State = gr.State({})

    def open_source(turns: Turns, known: dict[str, str], event: gr.EventData) -> tuple[str, dict[str, str]]:
        place, tab = place_of(event._data)
        if word := event._data.get("password"):
            known = {**known, place.document: str(word)[:_LONGEST_PASSWORD]}
        return evidence.open(turns, place, tab, known.get(place.document)), known

    def judge(turns: Turns, event: gr.EventData) -> str:
        data = event._data
        turn = turn_of(turns, data.get("turn"))
        hit = hit_of(turn, str(data.get("chunk")))
        if turn is not None and hit is not None:
            evidence.judge(turn, [hit], 1 if str(data.get("grade")) == "1" else 0)
        return evidence.sources(turn)

    open_told, outputs = noticed(open_source, [page.viewer, passwords], page.evidence_notice)
    for component in (page.sources, page.viewer):
        component.select(open_told, [turns, passwords], outputs, **QUICK)
    judge_told, outputs = noticed(judge, [page.sources], page.evidence_notice)
    page.sources.like(judge_told, [turns], outputs, **QUICK)
    page.viewer.clear(lambda: "", None, [page.viewer], **QUICK)


def connect_documents(queue: IngestQueueController, page: ChatLayout, blocks: gr.Blocks) -> None:
    """Wire the documents pane. It shows the collection that the chat searches, and adds to it.

    It is brought up to date whenever its tab is chosen: other tabs change the library too.
    """
    pane, collection = page.documents, page.composer.selectors.collection
    state: gr.State = gr.State(QueuePageState())
    updates = _DocumentsUpdates(queue)
    shown = [pane.progress, pane.cancel, pane.retry, pane.clear, pane.timer, pane.listing]

    def take(uploaded: list[dict[str, Any]] | None, state: QueuePageState, name: str | None) -> Update:
        state.collection = name  # the selector's; after a restart of the server the state is a new one
        files = received(pane.upload, uploaded)
        message = ""
        try:
            if files:
                state.jobs.add(queue.take(files, state.collection).id)
        except (RagError, OSError) as error:
            message = render_error(f"The files were not added: {error}")
        return None, message, *updates.all(state)

    def cancel(state: QueuePageState) -> Update:
        queue.cancel()
        return updates.all(state)

    def retry(state: QueuePageState) -> Update:
        return error_of(queue.retry), *updates.all(state)

    def clear(state: QueuePageState) -> Update:
        queue.assistant.jobs.clear()
        return "", *updates.all(state)

    def turn_to(state: QueuePageState, name: str | None) -> str:
        state.collection = name
        return updates.listing(state)

    def look(state: QueuePageState, name: str | None) -> Update:
        state.collection = name
        return updates.all(state)

    blocks.load(updates.all, [state], shown, **QUICK)
    # Not preprocessed: a collection that has gone meanwhile is shown as an empty one, not refused.
    page.tab.select(look, [state, collection], shown, preprocess=False, **QUICK)
    collection.change(turn_to, [state, collection], [pane.listing], **QUICK)
    pane.timer.tick(updates.changed, [state], shown, trigger_mode="once", **QUICK)
    pane.upload.upload(
        take,
        [pane.upload, state, collection],
        [pane.upload, pane.message, *shown],
        preprocess=False,  # gr.File would leave an empty temporary file behind for each
        trigger_mode="multiple",
        **QUICK,
    )
    pane.cancel.click(cancel, [state], shown, **QUICK)
    pane.retry.click(retry, [state], [pane.message, *shown], **QUICK)
    pane.clear.click(clear, [state], [pane.message, *shown], **QUICK)
    _connect_delete(updates, pane, state)


class _DocumentsUpdates:
    """The new values of the pane's components."""

    def __init__(self, queue: IngestQueueController) -> None:
        self.queue = queue

    def listing(self, state: QueuePageState) -> str:
        usual = state.collection in (None, self.queue.assistant.settings.collection)
        return render_documents(self.queue.listed(state.collection), None if usual else state.collection)

    def all(self, state: QueuePageState) -> Update:
        """Return all values, whatever the page shows."""
        # Read before the list, so that the next tick shows a change that happens meanwhile.
        state.changes = self.queue.assistant.document_browser.changes
        view = self.queue.view(state)
        state.shown = render_uploads(view.rows)
        buttons = (gr.Button(visible=each) for each in (view.works, view.can_retry, view.can_clear))
        return state.shown, *buttons, gr.Timer(active=view.works), self.listing(state)

    def changed(self, state: QueuePageState) -> Update:
        """Return the values that differ from those that the page shows."""
        before, changes = state.shown, self.queue.assistant.document_browser.changes
        view = self.queue.view(state)
        if not view.works or changes != state.changes:
            return self.all(state)
        state.shown = render_uploads(view.rows)
        if state.shown == before:
            return (gr.skip(),) * 6
        buttons = (gr.Button(visible=each) for each in (True, view.can_retry, view.can_clear))
        return state.shown, *buttons, gr.skip(), gr.skip()


def _connect_delete(updates: _DocumentsUpdates, pane: DocumentsPane, state: gr.State) -> None:
    chosen: gr.State = gr.State(None)
    queue = updates.queue

    def ask(state: QueuePageState, event: gr.EventData) -> Update:
        listed = queue.listed(state.collection)
        wanted = next((item for item in listed if item.id == event._data.get("id")), None)
        if wanted is None:  # another session deleted it
            return None, "", gr.Column(visible=False), updates.listing(state)
        return wanted.id, render_confirmation(wanted), gr.Column(visible=True), gr.skip()

    def delete(identity: str | None, state: QueuePageState) -> Update:
        message = error_of(lambda: queue.assistant.delete(identity)) if identity is not None else ""
        return None, gr.Column(visible=False), message, updates.listing(state)

    asked = [chosen, pane.question, pane.confirmation, pane.listing]
    scroll_to_question(pane.listing.delete(ask, [state], asked, **QUICK), "confirmation")
    pane.delete.click(
        delete, [chosen, state], [chosen, pane.confirmation, pane.message, pane.listing], **QUICK
    )
    pane.keep.click(lambda: (None, gr.Column(visible=False)), None, [chosen, pane.confirmation], **QUICK)
