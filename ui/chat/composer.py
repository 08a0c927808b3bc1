"""The composer: the question, and the chips that say how it is answered, each with a panel to change it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import gradio as gr

from ingestion.errors import RagError
from rag_app.llm.choice import AUTO, EXTRACTIVE
from rag_app.service.composition import Assistant
from ui.chat.controller import QueryOptions
from ui.components.choices import (
    NO_RERANKER,
    collection_choices,
    described_strategies,
    document_choices,
    llm_choices,
    render_llm_help,
    render_strategy_help,
    reranker_choices,
    reranker_chosen,
)
from ui.components.fields import question_field, selector
from ui.components.text import escape
from ui.static import read_static

_SELECTOR: dict[str, Any] = {"elem_classes": "selector", "min_width": 140}
# A selector in which a person may also type a file or server.
_NAMED: dict[str, Any] = {"allow_custom_value": True, **_SELECTOR}

_RERANKER = (
    "A cross-encoder over the first 20 passages of any strategy, for 20 seconds at most. Choose a model's "
    "name, or give the folder of a sentence-transformers CrossEncoder."
)


class Composer:
    """Lays out the composer below the conversation. Its panels open upwards, so that it never moves."""

    def __init__(self, assistant: Assistant) -> None:
        self.notice = gr.HTML("", elem_id="notice")
        with gr.Column(elem_id="composer"):
            self.waiting = gr.HTML("", elem_id="waiting", js_on_load=read_static("waiting.js"))
            with gr.Row(elem_id="ask"):
                self.question = question_field("Question", "question", max_lines=6, autofocus=True)
                self.send = gr.Button("Ask", variant="primary", elem_id="send", min_width=80)
                self.stop = gr.Button("Stop", variant="stop", elem_id="stop", min_width=80, visible=False)
            self.chips = gr.HTML("", elem_id="chips", js_on_load=read_static("chips.js"))
            self.selectors = Selectors(assistant)
            self.retry = RetryPanel(assistant)
        options = assistant.options()
        chosen = QueryOptions(options.strategy, options.reranker, options.llm)
        self.chips.value = render_chips(assistant, chosen)


class Selectors:
    """Lays out the panels of the chips."""

    def __init__(self, assistant: Assistant) -> None:
        options, usual = assistant.options(), assistant.settings.collection
        with _panel("strategy"):
            self.strategy = gr.Radio(
                described_strategies(assistant.strategies()),
                value=options.strategy,
                label="Strategy: how passages are found",
                elem_id="strategy",
            )
            self.about = gr.HTML(render_strategy_help(assistant, options.strategy), elem_id="help")
        with _panel(
            "reranker", "Reads the question with each passage found, and puts the best first. Slower."
        ):
            reranker, rerankers = options.reranker or NO_RERANKER, reranker_choices(assistant)
            self.reranker = selector("Reranker", "reranker", rerankers, reranker, **_NAMED)
            gr.HTML('<p><a href="?tab=models" data-tab="models">More rerankers →</a></p>')
            gr.HTML(_technical(_RERANKER))
        with _panel("llm", "Who writes the answer from the passages."):
            self.llm = selector("Model", "llm", llm_choices(assistant), options.llm, **_NAMED)
            self.search_only = gr.Checkbox(
                False, label="Passages only: no answer", elem_id="search-only", container=False
            )
            self.about_llm = gr.HTML(render_llm_help(assistant), elem_id="llm-help")
        with _panel("collection", "The documents that are searched, and where added files go."):
            self.collection = selector(
                "Collection", "collection", collection_choices(assistant), usual, **_SELECTOR
            )
        with _panel("only", "Leave it empty to search all documents of the collection."):
            documents = document_choices(assistant, usual)
            self.only = selector("Documents", "only", documents, [], multiselect=True, **_SELECTOR)

    @property
    def all(self) -> list[Any]:
        """The components in the order of `QueryOptions`."""
        return [self.strategy, self.reranker, self.llm, self.collection, self.only, self.search_only]


class RetryPanel:
    """Lays out the panel that answers a question of the conversation once more, in another way."""

    def __init__(self, assistant: Assistant) -> None:
        options = assistant.options()
        with _panel("retry"):
            self.question = gr.HTML("", elem_id="retry-question")
            strategies = described_strategies(assistant.strategies())
            self.strategy = selector("Strategy", "retry-strategy", strategies, options.strategy, **_SELECTOR)
            reranker, rerankers = options.reranker or NO_RERANKER, reranker_choices(assistant)
            self.reranker = selector("Reranker", "retry-reranker", rerankers, reranker, **_NAMED)
            self.llm = selector("Model", "retry-llm", llm_choices(assistant), options.llm, **_NAMED)
            self.send = gr.Button("Answer again", variant="primary", elem_id="retry-send")

    @property
    def all(self) -> list[Any]:
        """The selectors in the order of `QueryOptions`."""
        return [self.strategy, self.reranker, self.llm]


@contextmanager
def _panel(name: str, words: str = "") -> Iterator[None]:
    """Lay out the panel that the chip of a name opens, which says in a line what it is for."""
    with gr.Column(elem_id=f"choose-{name}", elem_classes="choosing", min_width=200):
        if words:
            gr.HTML(f'<p class="plain">{words}</p>')
        yield


def _technical(words: str) -> str:
    return f"<details><summary>Technical description</summary><p>{escape(words)}</p></details>"


def render_chips(assistant: Assistant, chosen: QueryOptions) -> str:
    """Return the chips, which show the values of the selectors, as HTML."""
    names = {value: label for label, value in document_choices(assistant, chosen.collection)}
    only = [names.get(one, "one that is gone") for one in chosen.only or ()]
    documents = only[0] if len(only) == 1 else f"{len(only)} documents" if only else "All documents"
    rows = (
        ("only", "Documents", documents),
        ("strategy", "Strategy", chosen.strategy or assistant.options().strategy),
        ("reranker", "Reranker", (reranker_chosen(chosen.reranker) or "No reranker").rpartition("/")[2]),
        ("llm", "Model", "Passages only" if chosen.search_only else _model(assistant, chosen.llm or AUTO)),
        ("collection", "Collection", chosen.collection or assistant.settings.collection),
    )
    chips = "".join(
        f'<button type="button" data-choose="{name}" aria-expanded="false" aria-controls="choose-{name}">'
        f'<span class="name{" shown" if name == "collection" else ""}">{label}: </span>'
        f"<bdi>{escape(value)}</bdi></button>"
        for name, label, value in rows
    )
    return f'<div role="group" aria-label="How to answer">{chips}</div>'


def _model(assistant: Assistant, llm: str) -> str:
    """Return the label of a language model; where the default model is none, that of quotations."""
    labels = {value: label for label, value in llm_choices(assistant, ask=False)}
    try:
        quotes = llm == AUTO and assistant.llm().quotes
    except RagError:  # several models lie in the folder: asking says so
        quotes = False
    return labels[EXTRACTIVE] if quotes else labels.get(llm) or llm.rpartition("/")[2]
