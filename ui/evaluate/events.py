"""The events of the Evaluate page."""

from typing import Any

import gradio as gr

from ingestion.errors import RagError
from rag_app.tasks import TaskState
from ui.components.events import QUICK
from ui.components.fields import received
from ui.components.text import render_error, render_notice, result_of
from ui.evaluate.controller import FOLDER, JUDGED, LIST, EvaluateController, EvaluatePageState, EvaluationForm
from ui.evaluate.layout import EvaluateLayout
from ui.evaluate.render import render_list, render_progress, render_result, render_summary


def connect_evaluate(evaluate: EvaluateController, page: EvaluateLayout, blocks: gr.Blocks) -> None:
    """Wire the page."""
    state: gr.State = gr.State(EvaluatePageState())
    updates = _EvaluateUpdates(evaluate, page)
    offered = [page.judged, page.collections, page.strategies, page.rerankers]

    def load(state: EvaluatePageState) -> tuple[Any, ...]:
        state.shown = ""
        return *updates.choices(first=True), *updates.all(state)

    def look(state: EvaluatePageState) -> tuple[Any, ...]:
        return *updates.choices(first=False), *updates.all(state)

    def run(state: EvaluatePageState, *form: Any) -> tuple[Any, ...]:
        filled = EvaluationForm.of(*form)
        usable, message, folder = "", "", ""
        try:
            usable, message = evaluate.start(filled, state)
        except Exception as error:  # noqa: BLE001 (logged, and said on the page)
            told = render_notice(error)
            match evaluate.field_of(filled):
                case "list":
                    usable = told
                case "folder":
                    folder = told
                case _:
                    message = told
        return usable, folder, message, *updates.all(state)

    def cancel(state: EvaluatePageState) -> tuple[Any, ...]:
        evaluate.assistant.evaluations.cancel()
        return updates.all(state)

    blocks.load(load, [state], [*offered, *updates.outputs], **QUICK)
    page.tab.select(look, [state], [*offered, *updates.outputs], **QUICK)
    told = [page.checked, page.folder_told, page.message]
    page.run.click(run, [state, *page.form], [*told, *updates.outputs], **QUICK)
    page.cancel.click(cancel, [state], updates.outputs, **QUICK)
    page.timer.tick(updates.all, [state], updates.outputs, trigger_mode="once", **QUICK)
    _connect_form(evaluate, page)


def _connect_form(evaluate: EvaluateController, page: EvaluateLayout) -> None:
    def choose(source: str) -> tuple[Any, ...]:
        groups = (gr.Column(visible=source == one) for one in (JUDGED, LIST, FOLDER))
        return *groups, gr.Dropdown(visible=source != FOLDER), "", ""

    def check(*form: Any) -> tuple[str, str]:
        return result_of(lambda: render_list(evaluate.read_list(EvaluationForm.of(*form)))), ""

    def take(uploaded: list[dict[str, Any]] | None, *form: Any) -> tuple[Any, ...]:
        files = received(page.upload, uploaded)
        if not files:
            return None, gr.skip(), gr.skip(), gr.skip()
        try:
            text = evaluate.take_list(files)
        except (RagError, OSError) as error:
            words = str(error)
            for file, _ in files:
                words = words.replace(f"{file.parent}/", "")  # a folder of Gradio's means nothing to a person
            return None, gr.skip(), render_notice(words=words), ""
        return None, text, *check(form[0], text, *form[2:])

    groups = [page.judged_group, page.list_group, page.folder_group]
    # By the person alone: a change also comes when the tab is first drawn, and would take a message away.
    page.source.input(
        choose, [page.source], [*groups, page.collections, page.folder_told, page.message], **QUICK
    )
    page.check.click(check, page.form, [page.checked, page.message], **QUICK)
    page.upload.upload(
        take,
        [page.upload, *page.form],
        [page.upload, page.text, page.checked, page.message],
        preprocess=False,
        **QUICK,
    )


class _EvaluateUpdates:
    """The new values of the page's components."""

    def __init__(self, evaluate: EvaluateController, page: EvaluateLayout) -> None:
        self.evaluate = evaluate
        self._result_outputs: list[Any] = [page.summary, page.downloads, *page.files, page.result]
        self.outputs: list[Any] = [page.progress, page.run, page.cancel, page.timer, *self._result_outputs]

    def choices(self, *, first: bool) -> tuple[Any, ...]:
        """Return the number of judgements and the choices; at first, with every strategy chosen."""
        names = self.evaluate.strategies()
        try:
            judged = self.evaluate.judged()
            rerankers = self.evaluate.rerankers()
        except RagError as error:
            judged, rerankers = render_error(error), []
        assistant = self.evaluate.assistant
        collections, own = assistant.collections(), assistant.settings.collection
        if first:
            where = gr.Dropdown(choices=collections, value=[own] if own in collections else [])
            strategies = gr.CheckboxGroup(choices=names, value=names)
        else:  # without values, so that a person's choices stay
            where, strategies = gr.Dropdown(choices=collections), gr.CheckboxGroup(choices=names)
        return judged, where, strategies, gr.Dropdown(choices=rerankers)

    def all(self, state: EvaluatePageState) -> tuple[Any, ...]:
        """Return how far the evaluation is, and the result unless the page shows it."""
        evaluations = self.evaluate.assistant.evaluations
        task = evaluations.task()
        runs = task is not None and task.state is TaskState.RUNNING
        return (
            render_progress(task, evaluations.contenders),
            gr.Button(visible=not runs),
            gr.Button(visible=runs),
            gr.Timer(active=runs),
            *self._result(state),
        )

    def _result(self, state: EvaluatePageState) -> tuple[Any, ...]:
        finished = self.evaluate.assistant.evaluations.latest
        key = "" if finished is None else f"{id(finished)} {finished.finished}"
        if finished is None or key == state.shown:
            return (gr.skip(),) * len(self._result_outputs)
        files = self.evaluate.exports(finished)
        gr.set_static_paths([files[0].parent])  # served from there, without a copy in Gradio's folder
        state.shown = key
        buttons = [gr.DownloadButton(value=str(file)) for file in files]
        return render_summary(finished), gr.Row(visible=True), *buttons, render_result(finished)
