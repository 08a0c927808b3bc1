"""The chat pane's layout: the conversation, the question, and how it is asked."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from rag_app.service.composition import Assistant
from ui.chat.conversations import ConversationsPane, build_title
from ui.choices import (
    NO_RERANKER,
    collection_choices,
    document_choices,
    llm_choices,
    render_help,
    reranker_choices,
    strategy_choices,
)
from ui.static import read_static


@dataclass(frozen=True, slots=True)
class Selectors:
    """How the next question is asked."""

    strategy: gr.Radio
    reranker: gr.Dropdown
    llm: gr.Dropdown
    collection: gr.Dropdown
    only: gr.Dropdown
    search_only: gr.Checkbox
    about: gr.HTML

    @property
    def how(self) -> list[Any]:
        """The components in the order of `How`."""
        return [self.strategy, self.reranker, self.llm, self.collection, self.only, self.search_only]


@dataclass(frozen=True, slots=True)
class ChatPane:
    """The components that other panes and later pages connect to."""

    conversations: ConversationsPane
    chatbot: gr.Chatbot
    question: gr.Textbox
    send: gr.Button
    stop: gr.Button
    selectors: Selectors
    notice: gr.HTML
    actions: gr.HTML
    address: gr.HTML


def build_chat(assistant: Assistant, listing: gr.HTML) -> ChatPane:
    """Lay out the chat pane."""
    conversations = build_title(listing)
    notice = gr.HTML("", elem_id="notice")
    chatbot = gr.Chatbot(
        label="Conversation",
        show_label=False,
        elem_id="conversation",
        height="100%",
        layout="bubble",
        # Contents are our own escaped HTML: no Markdown, no LaTeX, and still sanitised by Gradio.
        render_markdown=False,
        sanitize_html=True,
        allow_tags=False,
        latex_delimiters=[],
        buttons=[],
        feedback_options=None,
        allow_file_downloads=False,
        placeholder=(
            "<h2>Ask your documents</h2><p>Add some under Documents, then ask. Each answer shows where in "
            "them it was found, and which strategy found it.</p>"
        ),
    )
    with gr.Row(elem_id="ask", equal_height=True):
        question = gr.Textbox(
            label="Question",
            show_label=False,
            container=False,
            placeholder="Ask a question",
            elem_id="question",
            autofocus=True,
            lines=1,
            max_lines=6,
            scale=8,
            html_attributes=gr.InputHTMLAttributes(autocomplete="off"),
        )
        send = gr.Button("Ask", variant="primary", elem_id="send", scale=1, min_width=80)
        stop = gr.Button("Stop", variant="stop", elem_id="stop", scale=1, min_width=80, visible=False)
    with gr.Column(elem_id="how"):
        selectors = _build_how(assistant)
    # Nothing to see: what they say goes between the page and its scripts.
    actions = gr.HTML("", elem_id="actions", elem_classes="unseen", js_on_load=read_static("actions.js"))
    address = gr.HTML("{}", elem_id="address", elem_classes="unseen", js_on_load=read_static("address.js"))
    return ChatPane(conversations, chatbot, question, send, stop, selectors, notice, actions, address)


def _build_how(assistant: Assistant) -> Selectors:
    """Lay out the selectors."""
    options, strategies = assistant.options(), assistant.strategies()
    strategy = gr.Radio(
        strategy_choices(strategies),
        value=options.strategy,
        label="Strategy",
        elem_id="strategy",
    )
    with gr.Row(elem_id="models"):
        reranker = gr.Dropdown(
            reranker_choices(assistant),
            value=options.reranker or NO_RERANKER,
            label="Reranker",
            allow_custom_value=True,
            elem_id="reranker",
            elem_classes="selector",
            min_width=140,
        )
        llm = gr.Dropdown(
            llm_choices(assistant),
            value=options.llm,
            label="LLM",
            allow_custom_value=True,
            elem_id="llm",
            elem_classes="selector",
            min_width=140,
        )
    with gr.Row(elem_id="where"):
        collection = gr.Dropdown(
            collection_choices(assistant),
            value=assistant.settings.collection,
            label="Collection",
            elem_id="collection",
            elem_classes="selector",
            min_width=140,
        )
        only = gr.Dropdown(
            document_choices(assistant, assistant.settings.collection),
            value=[],
            multiselect=True,
            label="Only in",
            elem_id="only",
            elem_classes="selector",
            min_width=140,
        )
        search_only = gr.Checkbox(
            False, label="Search only", elem_id="search-only", container=False, min_width=100
        )
    about = gr.HTML(render_help(assistant, options.strategy), elem_id="help")
    return Selectors(strategy, reranker, llm, collection, only, search_only, about)
