"""The components of the Compare page."""

from collections.abc import Sequence
from typing import Any

import gradio as gr

from rag_app.service.composition import Assistant
from retrievers.comparison import FEWEST, MOST
from ui.compare.controller import NO_COLUMN
from ui.compare.render import EMPTY, letter
from ui.components.choices import NO_RERANKER, Choices, collection_choices, reranker_choices, strategy_choices
from ui.components.fields import question_field, selector
from ui.static import read_static

_DEFAULTS = ("bm25", "fusion")
_TOP = (5, 10, 20)


class CompareLayout:
    """Lays out the page, as a tab; its components are the attributes."""

    def __init__(self, assistant: Assistant) -> None:
        script = read_static("compare.js")
        with gr.Tab("Compare", id="compare") as self.tab, gr.Column(elem_id="compare"):
            with gr.Row(elem_id="compare-ask", equal_height=True):
                self.question = question_field(
                    "Question to compare strategies by", "compare-question", max_lines=4
                )
                self.send = gr.Button(
                    "Compare", variant="primary", elem_id="compare-send", scale=1, min_width=100
                )
            self.refused = gr.HTML("", elem_id="compare-refused")
            self._lay_out_choices(assistant)
            self.result = gr.HTML(EMPTY, elem_id="comparison", js_on_load=script)
            self.reading = gr.HTML("", elem_id="reading", js_on_load=script)
            with gr.Row(visible=False, elem_id="voting") as self.voting:
                self._lay_out_votes()
            self.notice = gr.HTML("", elem_id="compare-notice")
            self.answers = gr.HTML("", elem_id="compare-answers", js_on_load=script)
            self.tally = gr.HTML("", elem_id="tally")

    def _lay_out_choices(self, assistant: Assistant) -> None:
        strategies = strategy_choices(assistant.strategies())
        offered = [name for _, name in strategies]
        first = [name for name in (assistant.options().strategy, *_DEFAULTS, *offered) if name in offered]
        chosen = [*dict.fromkeys(first)][:FEWEST]
        # A strategy and a reranker for each column.
        self.choosers: list[gr.Dropdown] = []
        with gr.Row(elem_id="compare-columns"):
            for number in range(MOST):
                self._lay_out_column(assistant, strategies, number, chosen)
        with gr.Row(elem_id="compare-how"):
            collections, usual = collection_choices(assistant), assistant.settings.collection
            self.collection = selector(
                "Collection", None, collections, usual, elem_classes="selector", min_width=160
            )
            self.top = gr.Radio(
                [(str(number), number) for number in _TOP],
                value=_TOP[0],
                label="Passages",
                elem_id="compare-top",
            )
            self.blind = gr.Checkbox(
                False, label="Blind: hide the names until I vote", elem_id="compare-blind"
            )

    def _lay_out_column(
        self, assistant: Assistant, strategies: Choices, number: int, chosen: Sequence[str]
    ) -> None:
        place = number + 1
        offered, rerankers = column_choices(strategies, number), reranker_choices(assistant)
        value = chosen[number] if number < len(chosen) else NO_COLUMN
        with gr.Column(min_width=160):
            self.choosers += [
                selector(f"Column {place}", f"compare-strategy-{place}", offered, value, min_width=150),
                selector(
                    f"Reranker {place}", f"compare-reranker-{place}", rerankers, NO_RERANKER, min_width=150
                ),
            ]

    def _lay_out_votes(self) -> None:
        small: dict[str, Any] = {"size": "sm", "min_width": 60}
        gr.HTML("<p>Which column is better?</p>")
        self.votes = [gr.Button(letter(place), elem_id=f"vote-{place + 1}", **small) for place in range(MOST)]
        self.all_good = gr.Button("Equally good", elem_id="vote-all", **small)
        self.none_good = gr.Button("None is good", elem_id="vote-none", **small)
        self.write = gr.Button("Write answers", elem_id="compare-write", **small)
        self.stop = gr.Button("Stop", variant="stop", elem_id="compare-stop", visible=False, **small)


def column_choices(strategies: Choices, number: int) -> Choices:
    """Return the choices of a column; the columns beyond the required number may be left out."""
    return [*([(NO_COLUMN, NO_COLUMN)] if number >= FEWEST else []), *strategies]
