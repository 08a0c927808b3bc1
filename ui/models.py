"""The Models page: what is here, fits and is used; pull, verify, add, use, remove.

Pulling and hashing are tasks of the assistant and belong to no page: closing a tab stops nothing, and a page
that is opened later sees them.
"""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from ingestion.errors import InvalidInput, RagError
from rag_app.model_store.network import has_network, hub_host
from rag_app.model_store.store import ModelState
from rag_app.service.composition import Assistant
from rag_app.tasks import TaskState
from ui.chat.pane import ChatPane
from ui.chat.talk import INTERNAL_ERROR
from ui.choices import NO_RERANKER, check_may_name_files, llm_choices, reranker_choices
from ui.components.document_list import render_error
from ui.components.models import (
    render_models,
    render_network,
    render_removal,
    render_removed,
    render_task,
    render_total,
    render_used,
)
from ui.static import read_static

# Seconds between two looks at the work, while something is under way.
_TICK = 0.5

_QUICK: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden", "queue": False}


@dataclass(slots=True)
class Watch:
    """What one open page shows, so that only what has changed is sent."""

    listing: str = ""
    worked: bool = False


class Models:
    """What happens to models. One object serves all sessions."""

    def __init__(self, assistant: Assistant) -> None:
        self.assistant = assistant

    def state(self, name: str, role: str) -> ModelState | None:
        """Return a model as it is now; None where another session removed it."""
        states = self.assistant.models.states()
        return next((one for one in states if (one.entry.name, one.entry.role) == (name, role)), None)

    def works(self) -> bool:
        """Whether something is under way."""
        latest = self.assistant.model_tasks.latest()
        return latest is not None and latest.task.state is TaskState.RUNNING

    def act(self, act: str, name: str, role: str) -> str:
        """Do what a button says; return what is to be said at once. Raises RagError."""
        tasks = self.assistant.model_tasks
        match act:
            case "pull":
                tasks.pull(name, role)
            case "verify":
                tasks.verify(name, role)
            case "use":
                tasks.dismiss()
                return render_used(self.assistant.use_model(name, role=role))
            case _:
                raise InvalidInput(f"nothing is called {act!r}")
        return ""

    def remove(self, name: str, role: str) -> str:
        """Remove a model; return what is to be said. Raises RagError."""
        entry, freed = self.assistant.models.remove(name, role=role)
        self.assistant.model_tasks.dismiss()
        return render_removed(entry, freed)


@dataclass(frozen=True, slots=True)
class ModelsPane:
    """The page's components."""

    tab: gr.Tab
    network: gr.HTML
    message: gr.HTML
    progress: gr.HTML
    cancel: gr.Button
    confirmation: gr.Column
    question: gr.HTML
    keep: gr.Button
    remove: gr.Button
    total: gr.HTML
    verify: gr.Button
    listing: gr.HTML
    path: gr.Textbox
    name: gr.Textbox
    role: gr.Radio
    add: gr.Button
    timer: gr.Timer


def build_models() -> ModelsPane:
    """Lay out the page, as a tab."""
    with gr.Tab("Models", id="models") as tab, gr.Column(elem_id="models-page"):
        network = gr.HTML("", elem_id="models-network")
        # It stays in view: what it answers may be far down the list.
        with gr.Column(elem_id="models-notice"):
            message = gr.HTML("", elem_id="models-message")
            with gr.Row(elem_id="models-work"):
                progress = gr.HTML("", elem_id="models-progress")
                cancel = gr.Button(
                    "Cancel", size="sm", variant="stop", elem_id="models-cancel", min_width=80, visible=False
                )
            with gr.Column(visible=False, elem_id="models-confirmation") as confirmation:
                question = gr.HTML("")
                with gr.Row():
                    keep = gr.Button("Keep", size="sm", elem_id="models-keep", min_width=60)
                    remove = gr.Button(
                        "Remove", variant="stop", size="sm", elem_id="models-remove", min_width=60
                    )
        with gr.Column(elem_id="models-all"):
            with gr.Row(elem_id="models-head"):
                total = gr.HTML("")
                verify = gr.Button("Verify all", size="sm", elem_id="models-verify", min_width=80)
            listing = gr.HTML("", elem_id="models-list", js_on_load=read_static("models.js"))
            with gr.Accordion("Add a model that lies on this machine", open=False, elem_id="models-add"):
                path = gr.Textbox(
                    label="Path",
                    info="A GGUF file, or the folder of a sentence-transformers model, which stay where they "
                    "are; or a bundle (.tar) from another machine, whose models have their own names.",
                    placeholder="/home/me/models/my-model.gguf",
                    elem_id="models-path",
                )
                with gr.Row():
                    name = gr.Textbox(
                        label="Name", info="None: that of the file or folder.", elem_id="models-name"
                    )
                    role = gr.Radio(
                        [("Language model", "llm"), ("Reranker", "reranker"), ("Embedder", "embedder"),
                         ("ColBERT", "colbert")],
                        value="llm",
                        label="What it is",
                        elem_id="models-role",
                    )  # fmt: skip
                add = gr.Button("Add", size="sm", elem_id="models-add-button", min_width=80)
        timer = gr.Timer(_TICK, active=False)
    return ModelsPane(
        tab, network, message, progress, cancel, confirmation, question, keep, remove, total, verify, listing,
        path, name, role, add, timer,
    )  # fmt: skip


def connect_models(models: Models, pane: ModelsPane, chat: ChatPane, page: gr.Blocks) -> None:
    """Wire the page. The chat's selectors offer what comes here."""
    watch: gr.State = gr.State(Watch())
    chosen: gr.State = gr.State(None)
    show = _Show(models)
    selectors = [chat.selectors.reranker, chat.selectors.llm]
    shown = [pane.progress, pane.cancel, pane.timer, pane.total, pane.verify, pane.listing, *selectors]
    confirm = [chosen, pane.question, pane.confirmation]

    def load(watch: Watch) -> tuple[Any, ...]:
        watch.listing = ""
        return (
            render_network(hub_host(), network=has_network()),
            *show.all(watch)[: -len(selectors)],
            *show.selectors(first=True),
        )

    def act(watch: Watch, event: gr.EventData) -> tuple[Any, ...]:
        name, role = str(event._data.get("name")), str(event._data.get("role"))
        wanted, question, message = None, "", ""
        try:
            if event._data.get("act") == "remove":
                state = models.state(name, role)
                wanted, question = ((name, role), render_removal(state)) if state else (None, "")
            else:
                message = models.act(str(event._data.get("act")), name, role)
        except RagError as error:
            message = render_error(str(error))
        return message, wanted, question, gr.Column(visible=wanted is not None), *show.all(watch)

    def remove(chosen: tuple[str, str] | None, watch: Watch) -> tuple[Any, ...]:
        message = ""
        try:
            if chosen is not None:
                message = models.remove(*chosen)
        except RagError as error:
            message = render_error(str(error))
        return message, None, "", gr.Column(visible=False), *show.all(watch)

    def keep() -> tuple[Any, ...]:
        return None, "", gr.Column(visible=False)

    page.load(load, [watch], [pane.network, *shown], **_QUICK)
    pane.tab.select(show.all, [watch], shown, **_QUICK)
    pane.timer.tick(show.all, [watch], shown, trigger_mode="once", **_QUICK)
    pane.listing.click(act, [watch], [pane.message, *confirm, *shown], **_QUICK)
    pane.remove.click(remove, [chosen, watch], [pane.message, *confirm, *shown], **_QUICK)
    pane.keep.click(keep, None, confirm, **_QUICK)
    _connect_work(models, pane, show, watch, shown)


def _connect_work(models: Models, pane: ModelsPane, show: "_Show", watch: gr.State, shown: list[Any]) -> None:
    def verify(watch: Watch) -> tuple[Any, ...]:
        message = ""
        try:
            models.assistant.model_tasks.verify()
        except RagError as error:
            message = render_error(str(error))
        return message, *show.all(watch)

    def add(path: str, name: str, role: str, watch: Watch) -> tuple[Any, ...]:
        message = ""
        try:
            check_may_name_files(models.assistant, "adding a model by its path")
            models.assistant.model_tasks.add(name or "", role, path or "")
        except RagError as error:
            message = render_error(str(error))
        return message, *show.all(watch)

    def cancel(watch: Watch) -> tuple[Any, ...]:
        models.assistant.model_tasks.cancel()
        return show.all(watch)

    pane.verify.click(verify, [watch], [pane.message, *shown], **_QUICK)
    pane.add.click(add, [pane.path, pane.name, pane.role, watch], [pane.message, *shown], **_QUICK)
    pane.cancel.click(cancel, [watch], shown, **_QUICK)


class _Show:
    """What the handlers give the page."""

    def __init__(self, models: Models) -> None:
        self.models = models

    def all(self, watch: Watch) -> tuple[Any, ...]:
        """Return the work and the models; the chat's selectors too once work has ended."""
        assistant = self.models.assistant
        # Before the models are read, so that what ends meanwhile is shown with the next look.
        works, latest = self.models.works(), assistant.model_tasks.latest()
        try:
            states = assistant.models.states()
        except RagError as error:  # a list or record is damaged
            listing, total = render_error(str(error)), ""
        else:
            listing, total = render_models(states, latest), render_total(states)
        ended, watch.worked = watch.worked and not works, works
        changed, watch.listing = listing != watch.listing, listing
        return (
            render_task(latest, INTERNAL_ERROR),
            gr.Button(visible=works),
            gr.Timer(active=works),
            total,
            gr.Button(interactive=not works),
            listing if changed else gr.skip(),
            *(self.selectors(first=False) if ended or (changed and not works) else (gr.skip(), gr.skip())),
        )

    def selectors(self, *, first: bool) -> tuple[gr.Dropdown, gr.Dropdown]:
        """Return the chat's rerankers and language models; at first also those that are used."""
        assistant = self.models.assistant
        options = assistant.options()
        rerankers, llms = reranker_choices(assistant), llm_choices(assistant)
        if not first:
            return gr.Dropdown(choices=rerankers), gr.Dropdown(choices=llms)
        return (
            gr.Dropdown(choices=rerankers, value=options.reranker or NO_RERANKER),
            gr.Dropdown(choices=llms, value=options.llm),
        )
