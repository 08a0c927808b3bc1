"""The Inspect page: MaxSim with its numbers, what is stored of a passage, a question's way to its answer."""

import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr

from ingestion.errors import RagError
from rag_app.service.composition import Assistant
from ui.chat.talk import INTERNAL_ERROR
from ui.choices import NO_RERANKER, Choices, collection_choices, reranker_choices, strategy_choices
from ui.components.document_list import render_error
from ui.components.inspection import (
    EMPTY_TRACE,
    NO_DOCUMENTS,
    WAITING,
    render_stored,
    render_trace,
    render_worked,
)

QUESTION = "Barack Obama birthplace"
PASSAGE = "Obama was born in Honolulu, Hawaii"
SENTENCE = "The Eiffel Tower is located in Paris, France."

_QUICK: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden", "queue": False}
# What encodes or searches: queued, so that pages do not take all threads.
_WORK: dict[str, Any] = {
    "api_visibility": "private",
    "show_progress": "minimal",
    "concurrency_id": "inspect",
    "concurrency_limit": 2,
}


class Inspect:
    """What happens on the page. One object serves all sessions."""

    def __init__(self, assistant: Assistant) -> None:
        self.assistant = assistant

    def documents(self) -> Choices:
        """Return the documents of all collections, with the collection where there are several."""
        names = self.assistant.collections()
        found = self.assistant.documents(names) if names else []
        several = len({document.collection for document in found}) > 1
        return sorted(
            (f"{document.label} ({document.collection})" if several else document.label, document.id)
            for document in found
            if document.chunks
        )

    def passages(self, document_id: str | None) -> int:
        """Return how many passages a document has; 0 where it is gone."""
        return self.assistant.inspector.passages(document_id) if document_id else 0

    def worked(self, question: str, passage: str) -> str:
        return _told(lambda: render_worked(self.assistant.inspector.work_through(question, passage)))

    def would_store(self, text: str) -> str:
        return _told(lambda: render_stored(self.assistant.inspector.would_store(text)))

    def stored(self, document_id: str, place: int) -> str:
        return _told(lambda: render_stored(self.assistant.inspector.stored(document_id, place)))

    def trace(self, question: str, strategy: str, reranker: str | None, collection: str | None = None) -> str:
        """Return a question's way through a collection, by default the settings' one."""
        usual = self.assistant.options()
        options = replace(
            usual,
            strategy=strategy,
            reranker=None if reranker in (None, "", NO_RERANKER) else reranker,
            collections=(collection,) if collection else usual.collections,
        )
        return _told(lambda: render_trace(self.assistant.inspector.trace(question.strip(), options)))


def _told(render: Callable[[], str]) -> str:
    """Return what is rendered, or as an error what cannot be done."""
    try:
        return render()
    except RagError as error:
        return render_error(str(error))
    except Exception:  # noqa: BLE001 (shown, and printed)
        traceback.print_exc()
        return render_error(INTERNAL_ERROR)


@dataclass(frozen=True, slots=True)
class InspectPane:
    """The page's components."""

    tab: gr.Tab
    query: gr.Textbox
    passage: gr.Textbox
    work: gr.Button
    worked: gr.HTML
    text: gr.Textbox
    encode: gr.Button
    document: gr.Dropdown
    place: gr.Number
    none: gr.HTML
    stored: gr.HTML
    question: gr.Textbox
    strategy: gr.Dropdown
    reranker: gr.Dropdown
    collection: gr.Dropdown
    ask: gr.Button
    trace: gr.HTML


def build_inspect(assistant: Assistant) -> InspectPane:
    """Lay out the page."""
    with gr.Tab("Inspect", id="inspect") as tab, gr.Column(elem_id="inspect"):
        query, passage, work, worked = _lay_out_worked()
        text, encode, document, place, none, stored = _lay_out_stored()
        question, strategy, reranker, collection, ask, trace = _lay_out_trace(assistant)
    return InspectPane(
        tab, query, passage, work, worked, text, encode, document, place, none, stored, question, strategy,
        reranker, collection, ask, trace,
    )  # fmt: skip


def _lay_out_worked() -> tuple[gr.Textbox, gr.Textbox, gr.Button, gr.HTML]:
    with gr.Column(elem_classes="part"):
        gr.HTML(
            "<h2>MaxSim, worked through</h2><p>Late interaction keeps a vector for each token. Each token of "
            "the question takes its best match among the passage's; the sum of these is the score.</p>"
        )
        with gr.Row(equal_height=True, elem_classes="form-row"):
            query = gr.Textbox(
                QUESTION, label="Query", lines=1, max_lines=3, scale=3, min_width=220, elem_id="inspect-query"
            )
            passage = gr.Textbox(
                PASSAGE, label="Passage", lines=1, max_lines=4, scale=5, min_width=260,
                elem_id="inspect-passage",
            )  # fmt: skip
            work = gr.Button("Work it out", variant="primary", scale=1, min_width=120, elem_id="inspect-work")
        worked = gr.HTML(WAITING, elem_id="worked")
    return query, passage, work, worked


def _lay_out_stored() -> tuple[gr.Textbox, gr.Button, gr.Dropdown, gr.Number, gr.HTML, gr.HTML]:
    with gr.Column(elem_classes="part"):
        gr.HTML(
            "<h2>What is stored</h2><p>One pass of the encoder gives a passage's single vectors and its "
            "token vectors. Type a text, or choose a passage of a document.</p>"
        )
        with gr.Row(equal_height=True, elem_classes="form-row"):
            text = gr.Textbox(
                SENTENCE, label="Text", lines=1, max_lines=4, scale=5, min_width=260, elem_id="inspect-text"
            )
            encode = gr.Button("Encode", variant="primary", scale=1, min_width=120, elem_id="inspect-encode")
        with gr.Row(equal_height=True, elem_classes="form-row"):
            document = gr.Dropdown(
                [], value=None, label="Document", scale=4, min_width=220, elem_id="inspect-document",
                visible=False,
            )  # fmt: skip
            place = gr.Number(
                1, label="Passage", precision=0, minimum=1, scale=1, min_width=120, elem_id="inspect-place",
                visible=False,
            )  # fmt: skip
        none = gr.HTML(f'<p class="facts">{NO_DOCUMENTS}</p>', elem_id="inspect-none")
        stored = gr.HTML(WAITING, elem_id="stored")
    return text, encode, document, place, none, stored


def _lay_out_trace(
    assistant: Assistant,
) -> tuple[gr.Textbox, gr.Dropdown, gr.Dropdown, gr.Dropdown, gr.Button, gr.HTML]:
    options = assistant.options()
    with gr.Column(elem_classes="part"):
        gr.HTML(
            "<h2>From question to answer</h2><p>The steps of one question with its own counts and times. "
            "Nothing of it is remembered.</p>"
        )
        with gr.Row(equal_height=True, elem_classes="form-row"):
            question = gr.Textbox(
                label="Question", lines=1, max_lines=4, scale=5, min_width=260, elem_id="inspect-question",
                placeholder="Ask your documents", html_attributes=gr.InputHTMLAttributes(autocomplete="off"),
            )  # fmt: skip
            strategy = gr.Dropdown(
                strategy_choices(assistant.strategies()), value=options.strategy, label="Strategy", scale=2,
                min_width=150, elem_id="inspect-strategy",
            )  # fmt: skip
            reranker = gr.Dropdown(
                reranker_choices(assistant), value=options.reranker or NO_RERANKER, label="Reranker", scale=2,
                min_width=150, elem_id="inspect-reranker",
            )  # fmt: skip
            collection = gr.Dropdown(
                collection_choices(assistant), value=assistant.settings.collection, label="Collection",
                scale=2, min_width=150, elem_id="inspect-collection",
            )  # fmt: skip
            ask = gr.Button("Follow it", variant="primary", scale=1, min_width=120, elem_id="inspect-ask")
        trace = gr.HTML(EMPTY_TRACE, elem_id="trace")
    return question, strategy, reranker, collection, ask, trace


def connect_inspect(inspect: Inspect, pane: InspectPane) -> None:
    """Wire the page. Its examples are encoded when it is first looked at, not when the page is loaded."""
    opened: gr.State = gr.State(False)

    def offer(chosen: str | None) -> tuple[Any, ...]:
        choices = inspect.documents()
        kept = chosen if chosen in [identity for _, identity in choices] else None
        return (
            gr.Dropdown(choices=choices, value=kept, visible=bool(choices)),
            gr.HTML(visible=not choices),
            gr.Number(visible=kept is not None),
        )

    def offer_ways() -> tuple[gr.Dropdown, ...]:
        """Return new choices without values: what a person has chosen stays."""
        return (
            gr.Dropdown(choices=strategy_choices(inspect.assistant.strategies())),
            gr.Dropdown(choices=reranker_choices(inspect.assistant)),
            gr.Dropdown(choices=collection_choices(inspect.assistant)),
        )

    def first(opened: bool, query: str, passage: str, text: str) -> tuple[Any, ...]:
        if opened:
            return True, gr.skip(), gr.skip()
        return True, inspect.worked(query, passage), inspect.would_store(text)

    def choose(document: str | None) -> tuple[Any, ...]:
        passages = inspect.passages(document)
        if not document or not passages:
            return gr.Number(visible=False), gr.skip()
        number = gr.Number(1, label=f"Passage, 1 to {passages:,}", maximum=passages, visible=True)
        return number, inspect.stored(document, 1)

    def turn(document: str | None, place: float | None) -> Any:
        return inspect.stored(document, int(place)) if document and place is not None else gr.skip()

    offered = [pane.document, pane.none, pane.place]
    pane.tab.select(offer, [pane.document], offered, **_QUICK)
    ways = [pane.strategy, pane.reranker, pane.collection]
    pane.tab.select(offer_ways, None, ways, **_QUICK)
    pane.tab.select(
        first, [opened, pane.query, pane.passage, pane.text], [opened, pane.worked, pane.stored], **_WORK
    )
    gr.on(
        [pane.work.click, pane.query.submit, pane.passage.submit], inspect.worked, [pane.query, pane.passage],
        [pane.worked], **_WORK,
    )  # fmt: skip
    gr.on([pane.encode.click, pane.text.submit], inspect.would_store, [pane.text], [pane.stored], **_WORK)
    pane.document.input(choose, [pane.document], [pane.place, pane.stored], **_WORK)
    pane.place.input(turn, [pane.document, pane.place], [pane.stored], trigger_mode="always_last", **_WORK)
    gr.on(
        [pane.ask.click, pane.question.submit], inspect.trace, [pane.question, *ways], [pane.trace], **_WORK
    )
