"""The components of the Chat page, pane by pane."""

from typing import Any

import gradio as gr

from rag_app.service.composition import Assistant
from ui.chat.changes import change_watch
from ui.chat.composer import Composer
from ui.chat.render import NO_EVIDENCE, SEARCH_FIELD
from ui.components.events import TICK
from ui.components.fields import upload_field
from ui.static import read_static

_SMALL: dict[str, Any] = {"size": "sm", "min_width": 60}


class ChatLayout:
    """Lays out the page, as a tab; its panes are the attributes."""

    def __init__(self, assistant: Assistant) -> None:
        with gr.Tab("Chat", id="chat") as self.tab, gr.Row(elem_id="panes"):
            with gr.Column(elem_id="documents-pane", elem_classes="pane", min_width=220):
                gr.HTML("<h2>Conversations</h2>")
                # Its words are the state `search`, which every drawing of the list reads.
                self.search = gr.HTML(
                    SEARCH_FIELD, elem_id="search-chats", js_on_load=read_static("search.js")
                )
                script = read_static("conversations.js")
                self.listing = gr.HTML("", elem_id="conversations", js_on_load=script)
                self.documents = DocumentsPane()
            with gr.Column(elem_id="chat-pane", elem_classes="pane", min_width=320):
                self.title = TitlePane()
                self._lay_out_conversation()
                self.composer = Composer(assistant)
                # Unseen: their values and events go between the page and its scripts.
                self.actions = gr.HTML(
                    "", elem_id="actions", elem_classes="unseen", js_on_load=read_static("actions.js")
                )
                # Two answers to a question, side by side.
                self.variants = gr.HTML("", elem_id="variants", js_on_load=read_static("overlay.js"))
                # Its value changes when the tab is to follow an answer that it has not asked for.
                self.follow = gr.HTML("", elem_id="follow", elem_classes="unseen")
                self.changes = change_watch(assistant)
                self.address = gr.HTML(
                    "{}", elem_id="address", elem_classes="unseen", js_on_load=read_static("address.js")
                )
            with gr.Column(elem_id="sources-pane", elem_classes="pane", min_width=280):
                # A sheet over the chat on a phone, see static/sources_sheet.js.
                gr.HTML('<button type="button" id="sources-back">‹ Back</button><h2>Sources</h2>')
                self.evidence_notice = gr.HTML("", elem_id="evidence-notice")
                script = read_static("evidence.js")
                self.sources = gr.HTML(NO_EVIDENCE, elem_id="sources", js_on_load=script)
                self.viewer = gr.HTML("", elem_id="viewer", js_on_load=script)

    def _lay_out_conversation(self) -> None:
        self.chatbot = gr.Chatbot(
            label="Conversation",
            show_label=False,
            elem_id="conversation",
            height="100%",
            layout="bubble",
            autoscroll=False,  # static/reading_position.js puts a new question to the top
            # Contents are our own escaped HTML: no Markdown, no LaTeX, and still sanitised by Gradio.
            render_markdown=False,
            sanitize_html=True,
            allow_tags=False,
            latex_delimiters=[],
            buttons=[],
            feedback_options=None,
            allow_file_downloads=False,
            placeholder="<h2>Ask your documents</h2>",  # chat/first_contact.py says how to begin
        )


class TitlePane:
    """Lays out the title above the chat, with renaming, sharing and deleting."""

    def __init__(self) -> None:
        with gr.Row(elem_id="chat-title"):
            self.title = gr.HTML("<h2>New conversation</h2>", elem_id="title")
            self.rename = gr.Button("Rename", elem_id="rename", visible=False, **_SMALL)
            self.share = gr.Button("Export", elem_id="share", visible=False, **_SMALL)
            self.delete = gr.Button("Delete", elem_id="delete-conversation", visible=False, **_SMALL)
            self.new = gr.Button("New conversation", elem_id="clear", **_SMALL)
        with gr.Row(visible=False, elem_classes="asking", elem_id="renaming") as self.renaming:
            self.name = gr.Textbox(
                label="New name", elem_id="conversation-name", max_length=200, max_lines=1, scale=4
            )
            self.save = gr.Button("Save", variant="primary", elem_id="save-name", **_SMALL)
        with gr.Row(visible=False, elem_classes="asking", elem_id="deleting") as self.deleting:
            gr.HTML("<p>Delete this conversation with its answers? This cannot be undone.</p>")
            self.keep = gr.Button("Keep", elem_id="keep-conversation", **_SMALL)
            self.confirm = gr.Button("Delete", variant="stop", elem_id="confirm-delete", **_SMALL)
        with gr.Column(visible=False, elem_classes="asking", elem_id="sharing") as self.sharing:
            self.markdown = gr.Textbox(
                label="The conversation as Markdown",
                lines=6,
                max_lines=12,
                buttons=["copy"],
                interactive=False,
            )
            with gr.Row():
                self.link = gr.HTML("")
                self.closing = gr.Button("Close", elem_id="close-sharing", **_SMALL)
        self.notice = gr.HTML("", elem_id="title-notice")

    @property
    def heading(self) -> list[Any]:
        """The components that show which conversation is open."""
        asking = [self.renaming, self.deleting, self.sharing]
        return [self.title, self.rename, self.share, self.delete, *asking]


class DocumentsPane:
    """Lays out uploads, the queue and the documents of the collection that the chat searches."""

    def __init__(self) -> None:
        gr.HTML("<h2>Documents</h2>")
        self.upload = upload_field(height=104, elem_id="upload")
        self.message = gr.HTML("", elem_id="message")
        self.progress = gr.HTML("", elem_id="progress")
        with gr.Row(elem_id="queue"):
            self.cancel = gr.Button("Cancel", elem_id="cancel", visible=False, **_SMALL)
            self.retry = gr.Button("Try again", elem_id="retry", visible=False, **_SMALL)
            self.clear = gr.Button("Clear list", elem_id="clear-jobs", visible=False, **_SMALL)
        with gr.Column(visible=False, elem_id="confirmation") as self.confirmation:
            self.question = gr.HTML("")
            with gr.Row():
                self.keep = gr.Button("Keep", elem_id="keep", **_SMALL)
                self.delete = gr.Button("Delete", variant="stop", elem_id="delete", **_SMALL)
        self.listing = gr.HTML("", elem_id="documents", js_on_load=read_static("documents.js"))
        self.timer = gr.Timer(TICK, active=False)
