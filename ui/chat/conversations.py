"""The conversations: which are kept, which one is shown, and what can be done with it."""

import base64
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import gradio as gr

from ingestion.errors import RagError, UnknownName
from rag_app.answering.answers import AskOptions
from rag_app.contract import output
from rag_app.history.conversations import TurnState
from rag_app.history.markdown_export import as_markdown
from rag_app.history.serialization import RestoredTurn
from rag_app.service.composition import Assistant
from ui.components.conversation import Turn
from ui.components.conversation_list import render_conversations
from ui.components.text import escape
from ui.static import read_static

Turns = tuple[Turn, ...]

_ENDED = {
    TurnState.STOPPED: None,
    TurnState.ASKED: "It is being answered elsewhere; open the conversation again in a while.",
    TurnState.INTERRUPTED: "The application ended before it was answered. Ask again.",
}


class Kept:
    """The conversations of one assistant, as the page shows them. One object serves all sessions."""

    def __init__(self, assistant: Assistant) -> None:
        self.assistant = assistant

    def listed(self, current: str | None) -> str:
        """Return the list as HTML."""
        return render_conversations(self.assistant.conversations.list(), current, datetime.now(UTC))

    def begun(self, current: str | None) -> str:
        """Return the id of the conversation, or of a new one. One that was deleted elsewhere begins anew."""
        if current is not None:
            try:
                return self.assistant.conversations.get(current).id
            except UnknownName:
                pass
        return self.assistant.conversations.create().id

    def turns(self, conversation: str) -> Turns:
        """Return a conversation's turns. Raises UnknownName."""
        return tuple(map(_turn, self.assistant.restore(conversation)))

    def title(self, current: str | None) -> str | None:
        """Return what the conversation is called, "" while nothing names it; None for a new one or one
        that is gone."""
        if current is None:
            return None
        try:
            return self.assistant.conversations.get(current).title
        except UnknownName:
            return None

    def shared(self, conversation: str) -> tuple[str, str]:
        """Return a conversation as Markdown, and a link as HTML that saves it. Raises UnknownName."""
        found = self.assistant.conversations.get(conversation)
        turns = self.assistant.conversations.turns(conversation)
        text = as_markdown(output.turn_fields(found, turns))
        encoded = base64.b64encode(text.encode("utf-8", "replace")).decode("ascii")
        name = "".join(c if c.isalnum() else "-" for c in found.title)[:60].strip("-") or "conversation"
        link = (
            f'<a class="save" download="{escape(name)}.md" '
            f'href="data:text/markdown;charset=utf-8;base64,{encoded}">Save as a file</a>'
        )
        return text, link


def _turn(restored: RestoredTurn) -> Turn:
    kept = restored.turn
    turn = Turn(
        kept.number,
        kept.question,
        restored.options if restored.answer else AskOptions(),
        found=restored.found,
        understood=kept.standalone if kept.standalone != kept.question else None,
        answer=restored.answer,
        error=kept.error,
    )
    if turn.answer or turn.error:
        return turn
    error = _ENDED.get(kept.state)
    return Turn(turn.number, turn.question, turn.options, error=error, stopped=error is None)


@dataclass(frozen=True, slots=True)
class ConversationsPane:
    """The list, and what is above the chat: title, renaming, sharing, deleting."""

    listing: gr.HTML
    title: gr.HTML
    new: gr.Button
    rename: gr.Button
    share: gr.Button
    delete: gr.Button
    renaming: gr.Row
    name: gr.Textbox
    save: gr.Button
    sharing: gr.Column
    markdown: gr.Textbox
    link: gr.HTML
    closing: gr.Button
    deleting: gr.Row
    confirm: gr.Button
    keep: gr.Button


def build_list() -> gr.HTML:
    """Lay out the list of conversations."""
    gr.HTML("<h2>Conversations</h2>")
    return gr.HTML("", elem_id="conversations", js_on_load=read_static("conversations.js"))


def build_title(listing: gr.HTML) -> ConversationsPane:
    """Lay out what is above the chat."""
    with gr.Row(elem_id="chat-title"):
        title = gr.HTML("<h2>New conversation</h2>", elem_id="title")
        rename = gr.Button("Rename", size="sm", elem_id="rename", min_width=60, visible=False)
        share = gr.Button("Share", size="sm", elem_id="share", min_width=60, visible=False)
        delete = gr.Button("Delete", size="sm", elem_id="delete-conversation", min_width=60, visible=False)
        new = gr.Button("New conversation", size="sm", elem_id="clear", min_width=60)
    with gr.Row(visible=False, elem_classes="asking", elem_id="renaming") as renaming:
        name = gr.Textbox(label="New name", elem_id="conversation-name", max_length=200, scale=4)
        save = gr.Button("Save", size="sm", variant="primary", elem_id="save-name", min_width=60)
    with gr.Row(visible=False, elem_classes="asking", elem_id="deleting") as deleting:
        gr.HTML("<p>Delete this conversation with its answers? This cannot be undone.</p>")
        keep = gr.Button("Keep", size="sm", elem_id="keep-conversation", min_width=60)
        confirm = gr.Button("Delete", size="sm", variant="stop", elem_id="confirm-delete", min_width=60)
    with gr.Column(visible=False, elem_classes="asking", elem_id="sharing") as sharing:
        markdown = gr.Textbox(
            label="The conversation as Markdown", lines=6, max_lines=12, buttons=["copy"], interactive=False
        )
        with gr.Row():
            link = gr.HTML("")
            closing = gr.Button("Close", size="sm", elem_id="close-sharing", min_width=60)
    return ConversationsPane(
        listing, title, new, rename, share, delete, renaming, name, save, sharing, markdown, link, closing,
        deleting, confirm, keep,
    )  # fmt: skip


def heading(kept: Kept, current: str | None) -> tuple[Any, ...]:
    """Return title and buttons for the conversation that is shown: `heading_of` names the components."""
    title = kept.title(current)
    # One whose first question could not be asked has no title, and can be renamed and deleted all the same.
    shown = "New conversation" if title is None else escape(title or "Untitled")
    return (
        f"<h2><bdi>{shown}</bdi></h2>",
        *(gr.Button(visible=title is not None) for _ in range(3)),
        *(gr.Row(visible=False) for _ in range(3)),
    )


def heading_of(pane: ConversationsPane) -> list[Any]:
    """Return the components that `heading` is for."""
    return [pane.title, pane.rename, pane.share, pane.delete, pane.renaming, pane.deleting, pane.sharing]


def connect_title(kept: Kept, pane: ConversationsPane, current: gr.State) -> None:
    """Wire renaming and sharing; deleting changes what is shown and is wired with the chat."""
    quick: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden", "queue": False}

    def begin_renaming(current: str | None) -> tuple[gr.Row, str]:
        return gr.Row(visible=True), kept.title(current) or ""

    def rename(current: str | None, name: str) -> tuple[Any, ...]:
        if current is not None:
            try:
                kept.assistant.conversations.rename(current, name)
            except RagError as error:
                raise gr.Error(str(error), title="Not renamed", print_exception=False) from error
        return (*heading(kept, current), kept.listed(current))

    def share(current: str | None) -> tuple[Any, ...]:
        if current is None:
            return gr.Column(visible=False), "", ""
        try:
            return gr.Column(visible=True), *kept.shared(current)
        except RagError as error:
            raise gr.Error(str(error), title="Not shared", print_exception=False) from error

    pane.rename.click(begin_renaming, [current], [pane.renaming, pane.name], **quick)
    gr.on(
        [pane.save.click, pane.name.submit],
        rename,
        [current, pane.name],
        [*heading_of(pane), pane.listing],
        **quick,
    )
    pane.share.click(share, [current], [pane.sharing, pane.markdown, pane.link], **quick)
    pane.closing.click(lambda: gr.Column(visible=False), None, [pane.sharing], **quick)
    pane.delete.click(lambda: gr.Row(visible=True), None, [pane.deleting], **quick)
    pane.keep.click(lambda: gr.Row(visible=False), None, [pane.deleting], **quick)
