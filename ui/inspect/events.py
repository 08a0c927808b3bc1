"""The events of the Inspect page."""

from typing import Any

import gradio as gr

from ui.components.choices import collection_choices, reranker_choices, strategy_choices
from ui.components.events import QUICK, noticed
from ui.components.fields import whole_number
from ui.inspect.controller import InspectController
from ui.inspect.layout import InspectLayout

# Arguments of an event that encodes or searches: queued, so that pages do not take all threads.
_WORK: dict[str, Any] = {
    "api_visibility": "private",
    "show_progress": "minimal",
    "concurrency_id": "inspect",
    "concurrency_limit": 2,
}


def connect_inspect(inspect: InspectController, page: InspectLayout) -> None:
    """Wire the page. It encodes its examples when a person first opens it, not when the page loads."""
    opened: gr.State = gr.State(False)

    def offer(chosen: str | None) -> tuple[Any, ...]:
        choices = inspect.documents()
        kept = chosen if chosen in [identity for _, identity in choices] else None
        return (
            gr.Dropdown(choices=choices, value=kept, visible=bool(choices)),
            gr.HTML(visible=not choices),
            gr.Number(visible=kept is not None),
        )

    def offer_selectors() -> tuple[gr.Dropdown, ...]:
        """Return new choices without values, so that a person's choices stay."""
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
            return gr.Number(visible=False), gr.skip(), ""
        number = gr.Number(1, label=f"Passage, 1 to {passages:,}", visible=True)
        return number, inspect.stored(document, 1), ""

    def turn(document: str | None, place: float | None) -> Any:
        passages = inspect.passages(document)
        number = whole_number(place, passages, "passage") if passages else 1
        return inspect.stored(document, number) if document else gr.skip()

    selectors = [page.strategy, page.reranker, page.collection]
    examples = [opened, page.query, page.passage, page.text]
    page.tab.select(offer, [page.document], [page.document, page.none, page.place], **QUICK)
    page.tab.select(offer_selectors, None, selectors, **QUICK)
    page.tab.select(first, examples, [opened, page.worked, page.stored], **_WORK)
    asked = [page.work.click, page.query.submit, page.passage.submit]
    gr.on(asked, inspect.worked, [page.query, page.passage], [page.worked], **_WORK)
    gr.on([page.encode.click, page.text.submit], inspect.would_store, [page.text], [page.stored], **_WORK)
    page.document.input(choose, [page.document], [page.place, page.stored, page.turned], **_WORK)
    turn_told, turned = noticed(turn, [page.stored], page.turned)
    page.place.input(turn_told, [page.document, page.place], turned, trigger_mode="always_last", **_WORK)
    asked = [page.ask.click, page.question.submit]
    gr.on(asked, inspect.trace, [page.question, *selectors], [page.trace], **_WORK)
