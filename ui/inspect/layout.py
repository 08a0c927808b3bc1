"""The components of the Inspect page."""

from typing import Any

import gradio as gr

from rag_app.service.composition import Assistant
from ui.components.choices import NO_RERANKER, collection_choices, reranker_choices, strategy_choices
from ui.components.fields import selector
from ui.inspect.render import EMPTY_TRACE, NO_DOCUMENTS, WAITING

QUESTION = "Barack Obama birthplace"
PASSAGE = "Obama was born in Honolulu, Hawaii"
SENTENCE = "The Eiffel Tower is located in Paris, France."

_SELECTOR: dict[str, Any] = {"scale": 2, "min_width": 150}


class InspectLayout:
    """Lays out the page, as a tab; its components are the attributes."""

    def __init__(self, assistant: Assistant) -> None:
        with gr.Tab("Inspect", id="inspect") as self.tab, gr.Column(elem_id="inspect"):
            self._lay_out_worked()
            self._lay_out_stored()
            self._lay_out_trace(assistant)

    def _lay_out_worked(self) -> None:
        with gr.Column(elem_classes="part"):
            gr.HTML(
                "<h2>MaxSim, worked through</h2><p>Late interaction keeps a vector for each token. Each "
                "token of the question takes its best match among the passage's; their sum is the score.</p>"
            )
            with gr.Row(equal_height=True, elem_classes="form-row"):
                self.query = _text("Query", "inspect-query", QUESTION, max_lines=3, scale=3, min_width=220)
                self.passage = _text("Passage", "inspect-passage", PASSAGE)
                self.work = _button("Calculate", "inspect-work")
            self.worked = gr.HTML(WAITING, elem_id="worked")

    def _lay_out_stored(self) -> None:
        with gr.Column(elem_classes="part"):
            gr.HTML(
                "<h2>What is stored</h2><p>One pass of the encoder gives a passage's single vectors and its "
                "token vectors. Type a text, or choose a passage of a document.</p>"
            )
            with gr.Row(equal_height=True, elem_classes="form-row"):
                self.text = _text("Text", "inspect-text", SENTENCE)
                self.encode = _button("Encode", "inspect-encode")
            with gr.Row(equal_height=True, elem_classes="form-row"):
                self.document = gr.Dropdown(
                    [],
                    value=None,
                    label="Document",
                    scale=4,
                    min_width=220,
                    elem_id="inspect-document",
                    visible=False,
                )
                self.place = gr.Number(
                    1,
                    label="Passage",
                    precision=0,
                    scale=1,
                    min_width=120,
                    elem_id="inspect-place",
                    visible=False,
                )
            self.turned = gr.HTML("", elem_id="inspect-turned")
            self.none = gr.HTML(f'<p class="facts">{NO_DOCUMENTS}</p>', elem_id="inspect-none")
            self.stored = gr.HTML(WAITING, elem_id="stored")

    def _lay_out_trace(self, assistant: Assistant) -> None:
        options = assistant.options()
        strategies, rerankers = strategy_choices(assistant.strategies()), reranker_choices(assistant)
        collections = collection_choices(assistant)
        with gr.Column(elem_classes="part"):
            gr.HTML(
                "<h2>From question to answer</h2><p>The steps of one question with its own counts and times. "
                "Nothing of it is remembered.</p>"
            )
            with gr.Row(equal_height=True, elem_classes="form-row"):
                self.question = _text("Question", "inspect-question", placeholder="Ask your documents")
                reranker, usual = options.reranker or NO_RERANKER, assistant.settings.collection
                self.strategy = selector(
                    "Strategy", "inspect-strategy", strategies, options.strategy, **_SELECTOR
                )
                self.reranker = selector("Reranker", "inspect-reranker", rerankers, reranker, **_SELECTOR)
                self.collection = selector(
                    "Collection", "inspect-collection", collections, usual, **_SELECTOR
                )
                self.ask = _button("Trace", "inspect-ask")
            self.trace = gr.HTML(EMPTY_TRACE, elem_id="trace")


def _text(
    label: str,
    elem_id: str,
    value: str | None = None,
    *,
    placeholder: str | None = None,
    max_lines: int = 4,
    scale: int = 5,
    min_width: int = 260,
) -> gr.Textbox:
    return gr.Textbox(
        value,
        label=label,
        elem_id=elem_id,
        placeholder=placeholder,
        lines=1,
        max_lines=max_lines,
        scale=scale,
        min_width=min_width,
        html_attributes=gr.InputHTMLAttributes(autocomplete="off") if placeholder else None,
    )


def _button(words: str, elem_id: str) -> gr.Button:
    return gr.Button(words, variant="primary", scale=1, min_width=120, elem_id=elem_id)
