"""The events of the Models page."""

from typing import Any

import gradio as gr

from ingestion.errors import RagError
from ui.components.choices import NO_RERANKER, llm_choices, reranker_choices
from ui.components.events import QUICK, noticed
from ui.components.text import render_error, result_of
from ui.models.controller import ModelsController, ModelsPageState
from ui.models.layout import ModelsLayout
from ui.models.render import (
    render_device,
    render_models,
    render_network,
    render_removal,
    render_served,
    render_task,
    render_total,
)


class _ModelsUpdates:
    """The new values of the page's components."""

    def __init__(self, models: ModelsController) -> None:
        self.models = models

    def all(self, state: ModelsPageState) -> tuple[Any, ...]:
        """Return the work and the models; the selectors too once work has ended."""
        assistant = self.models.assistant
        # Read before the models, so that the next look shows work that ends meanwhile.
        works, latest = self.models.works(), assistant.model_tasks.latest()
        try:
            states = assistant.models.states()
        except RagError as error:  # a list or record is damaged
            listing, total = render_error(error), ""
        else:
            served = render_served(assistant.model_pool.served_models(), assistant.options().llm)
            missing = assistant.model_pool.missing
            listing = render_models(states, latest, missing=missing) + served
            total = render_total(states)
        ended, state.worked = state.worked and not works, works
        changed, state.listing = listing != state.listing, listing
        return (
            render_task(latest),
            gr.Button(visible=works),
            gr.Timer(active=works),
            total,
            gr.Button(interactive=not works),
            listing if changed else gr.skip(),
            *(self.selectors(first=False) if ended or (changed and not works) else (gr.skip(), gr.skip())),
        )

    def selectors(self, *, first: bool) -> tuple[gr.Dropdown, gr.Dropdown]:
        """Return the choices of rerankers and language models; at first with the configured values."""
        assistant = self.models.assistant
        options = assistant.options()
        rerankers, llms = reranker_choices(assistant), llm_choices(assistant)
        if not first:
            return gr.Dropdown(choices=rerankers), gr.Dropdown(choices=llms)
        return (
            gr.Dropdown(choices=rerankers, value=options.reranker or NO_RERANKER),
            gr.Dropdown(choices=llms, value=options.llm),
        )


def connect_models(
    models: ModelsController, page: ModelsLayout, selectors: list[gr.Dropdown], blocks: gr.Blocks
) -> None:
    """Wire the page. `selectors` (of rerankers and language models, in this order) offer its models too."""
    state: gr.State = gr.State(ModelsPageState())
    chosen: gr.State = gr.State(None)
    updates = _ModelsUpdates(models)
    shown: list[Any] = [
        page.progress,
        page.cancel,
        page.timer,
        page.total,
        page.verify,
        page.listing,
        *selectors,
    ]
    confirm = [chosen, page.question, page.confirmation]

    def load(state: ModelsPageState) -> tuple[Any, ...]:
        state.listing = ""
        host, network = models.assistant.models.hub()
        return (
            result_of(lambda: render_device(models.assistant.device()))
            + render_network(host, network=network),
            *updates.all(state)[: -len(selectors)],
            *updates.selectors(first=True),
        )

    def act(state: ModelsPageState, event: gr.EventData) -> tuple[Any, ...]:
        name, role = str(event._data.get("name")), str(event._data.get("role"))
        if event._data.get("act") == "remove":
            try:
                model = models.state(name, role)
            except RagError as error:
                return render_error(error), None, "", gr.Column(visible=False), *updates.all(state)
            question = render_removal(model) if model else ""
            wanted = (name, role) if model else None
            return "", wanted, question, gr.Column(visible=model is not None), *updates.all(state)
        message = result_of(lambda: models.act(str(event._data.get("act")), name, role))
        return message, None, "", gr.Column(visible=False), *updates.all(state)

    def remove(chosen: tuple[str, str] | None, state: ModelsPageState) -> tuple[Any, ...]:
        message = result_of(lambda: models.remove(*chosen)) if chosen else ""
        return message, None, "", gr.Column(visible=False), *updates.all(state)

    def keep() -> tuple[Any, ...]:
        return None, "", gr.Column(visible=False)

    blocks.load(load, [state], [page.network, *shown], **QUICK)
    page.tab.select(updates.all, [state], shown, **QUICK)
    page.timer.tick(updates.all, [state], shown, trigger_mode="once", **QUICK)
    page.listing.click(act, [state], [page.message, *confirm, *shown], **QUICK)
    page.remove.click(remove, [chosen, state], [page.message, *confirm, *shown], **QUICK)
    page.keep.click(keep, None, confirm, **QUICK)
    _connect_work(updates, page, state, shown)


def _connect_work(updates: _ModelsUpdates, page: ModelsLayout, state: gr.State, shown: list[Any]) -> None:
    models = updates.models

    def verify(state: ModelsPageState) -> tuple[Any, ...]:
        return result_of(models.verify_all), *updates.all(state)

    def add(path: str, name: str, role: str, state: ModelsPageState) -> tuple[Any, ...]:
        models.add(name or "", role, path or "")
        return "", *updates.all(state)

    def cancel(state: ModelsPageState) -> tuple[Any, ...]:
        models.assistant.model_tasks.cancel()
        return updates.all(state)

    page.verify.click(verify, [state], [page.message, *shown], **QUICK)
    add_told, outputs = noticed(add, [page.message, *shown], page.added)
    page.add.click(add_told, [page.path, page.name, page.role, state], outputs, **QUICK)
    page.cancel.click(cancel, [state], shown, **QUICK)
