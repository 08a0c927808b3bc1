"""The Evaluate page: which strategy finds more on a person's own documents.

An evaluation is a task of the assistant and belongs to no page: closing a tab stops nothing, and a page that
is opened later sees the same one, and the latest result.
"""

import shutil
import tempfile
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from ingestion.errors import InvalidInput, RagError
from rag_app.contract.requests import TaskRequest
from rag_app.model_store.store import Presence
from rag_app.service.composition import Assistant
from rag_app.tasks import TaskState
from ui.chat.talk import INTERNAL_ERROR
from ui.choices import check_may_name_files
from ui.components.document_list import render_error
from ui.components.evaluation import (
    EMPTY,
    FORMATS,
    render_judged,
    render_list,
    render_progress,
    render_result,
    render_summary,
    render_unused,
)

if TYPE_CHECKING:
    from rag_app.evaluation.evaluations import Finished
    from rag_app.evaluation.questions import QuestionList

JUDGED, LIST, FOLDER = "judged", "list", "folder"
DOWNLOADS = ("strategies.csv", "questions.csv", "queries.tsv", "qrels.tsv", "qrels.trec")

# Seconds between two looks at the evaluation, while it runs.
_TICK = 0.7
# Of an uploaded list; it is shown in a text field. `rag-app eval FILE` reads larger ones.
_LARGEST_LIST = 2 * 10**6

_QUICK: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden", "queue": False}
_HERE = (Presence.BUILT_IN, Presence.VERIFIED, Presence.UNRECORDED)


@dataclass(slots=True)
class Watch:
    """What one open page shows: the result, and the list whose unusable lines the person has seen."""

    shown: str = ""
    seen: tuple[str, tuple[str, ...]] = ("", ())


@dataclass(frozen=True, slots=True)
class Choice:
    """What the form says."""

    source: str
    text: str
    folder: str
    collections: tuple[str, ...]
    strategies: tuple[str, ...]
    rerankers: tuple[str, ...]


class Evaluate:
    """What happens on the page. One object serves all sessions. `folder` takes the files for download."""

    def __init__(self, assistant: Assistant, folder: Path) -> None:
        self.assistant = assistant
        self.folder = folder
        self._exported: tuple[Finished, list[Path]] | None = None

    def strategies(self) -> list[str]:
        """Return the names of the strategies that can be used."""
        return [state.strategy.name for state in self.assistant.strategies() if state.available]

    def rerankers(self) -> list[str]:
        """Return the names of the rerankers on this machine. Raises ModelError for a damaged list."""
        states = self.assistant.models.states()
        return [one.entry.name for one in states if one.entry.role == "reranker" and one.presence in _HERE]

    def judged(self) -> str:
        """Return how much was judged, for the page."""
        judgements = self.assistant.judgements.all()
        questions = {one.question for one in judgements if one.grade > 0}
        return render_judged(len(questions), len(judgements))

    def read_list(self, choice: Choice) -> "QuestionList":
        """Read the list of the form. Raises InvalidInput where there is none."""
        if not choice.text.strip():
            raise InvalidInput("there is no list yet; paste one, or upload a file")
        return self.assistant.evaluations.read_list(choice.text, choice.collections)

    def start(self, choice: Choice, watch: Watch) -> tuple[str, str]:
        """Begin what the form says; return what is to be said of its list, and what to do about it.

        A list with lines that cannot be used is evaluated when these have been shown. Raises RagError.
        """
        if not choice.strategies:
            raise InvalidInput("no strategy is chosen; choose two or more to compare")
        request = TaskRequest.of(
            kind="eval",
            dataset=choice.folder.strip() or None if choice.source == FOLDER else None,
            collections=() if choice.source == FOLDER else choice.collections,
            strategies=choice.strategies,
            rerankers=choice.rerankers,
        )
        if choice.source == FOLDER:
            check_may_name_files(self.assistant, "a BEIR folder")
        if choice.source == FOLDER and not request.dataset:
            raise InvalidInput("no folder is named; give one with corpus.jsonl, queries.jsonl and qrels/")
        if choice.source == FOLDER and not Path(request.dataset or "").expanduser().is_dir():
            raise InvalidInput(f"there is no folder {request.dataset} on the machine that serves this page")
        questions = self.read_list(choice) if choice.source == LIST else None
        said = render_list(questions) if questions else ""
        if questions and questions.unusable and questions.questions:
            key = choice.text, choice.collections
            if watch.seen != key:
                watch.seen = key
                return said, render_unused(questions)
        self.assistant.evaluations.start(request, questions)
        return said, ""

    def exports(self, finished: "Finished") -> list[Path]:
        """Return the result's files, written once; those of a former result are removed."""
        from rag_app.evaluation.exports import write_exports

        if self._exported is None or self._exported[0] is not finished:
            folder = Path(tempfile.mkdtemp(prefix="rag-app-result-", dir=self.folder))
            gr.set_static_paths([folder])  # served from there: no copy in Gradio's own folder
            before, self._exported = self._exported, (finished, write_exports(finished.evaluation, folder))
            if before:
                shutil.rmtree(before[1][0].parent, ignore_errors=True)
        return self._exported[1]


def take_list(files: Sequence[tuple[Path, str]]) -> str:
    """Return the text of an uploaded list, or of queries.jsonl and its qrels, and delete the files.

    Raises InvalidInput for what is no text, too large, or something else.
    """
    from rag_app.evaluation.questions import joined

    try:
        if sum(file.stat().st_size for file, _ in files) > _LARGEST_LIST:
            raise InvalidInput(
                f"the list has more than {_LARGEST_LIST // 10**6} MB; use rag-app eval FILE in a terminal"
            )
        if len(files) == 1:
            return files[0][0].read_text(encoding="utf-8-sig")
        queries = [file for file, name in files if name.endswith(".jsonl")]
        qrels = [file for file, name in files if not name.endswith(".jsonl")]
        if len(queries) != 1 or len(qrels) != 1:
            raise InvalidInput("upload one list, or queries.jsonl and one file of qrels")
        return joined(queries[0], qrels[0])
    except UnicodeDecodeError as error:
        raise InvalidInput(f"the list is no text in UTF-8: {error}") from error
    finally:
        for file, _ in files:
            file.unlink(missing_ok=True)
            if not any(file.parent.iterdir()):
                file.parent.rmdir()


@dataclass(frozen=True, slots=True)
class EvaluatePane:
    """The page's components."""

    tab: gr.Tab
    source: gr.Radio
    judged: gr.Column
    summary: gr.HTML
    listed: gr.Column
    text: gr.Textbox
    upload: gr.UploadButton
    check: gr.Button
    checked: gr.HTML
    folder_group: gr.Column
    folder: gr.Textbox
    collections: gr.Dropdown
    strategies: gr.CheckboxGroup
    rerankers: gr.Dropdown
    run: gr.Button
    cancel: gr.Button
    message: gr.HTML
    progress: gr.HTML
    timer: gr.Timer
    said: gr.HTML
    downloads: gr.Row
    files: tuple[gr.DownloadButton, ...]
    result: gr.HTML


def build_evaluate() -> EvaluatePane:
    """Lay out the page, as a tab."""
    with gr.Tab("Evaluate", id="evaluate") as tab, gr.Row(elem_id="evaluate", equal_height=False):
        with gr.Column(elem_id="evaluate-form", min_width=280):
            form = _build_form()
        with gr.Column(elem_id="evaluate-result", min_width=300):
            message = gr.HTML("", elem_id="evaluate-message")
            progress = gr.HTML("", elem_id="evaluate-progress")
            said = gr.HTML(EMPTY, elem_id="evaluate-said")
            with gr.Row(elem_id="evaluate-downloads", visible=False) as downloads:
                files = tuple(
                    gr.DownloadButton(name, size="sm", min_width=60, elem_classes="download")
                    for name in DOWNLOADS
                )
            result = gr.HTML("", elem_id="evaluate-tables")
            timer = gr.Timer(_TICK, active=False)  # in the tab: gr.Tabs takes all that it holds for tabs
    return EvaluatePane(
        tab=tab, **form, message=message, progress=progress, timer=timer, said=said,
        downloads=downloads, files=files, result=result,
    )  # fmt: skip


def _build_form() -> dict[str, Any]:
    gr.HTML("<h2>Which strategy finds more in your documents?</h2>")
    source = gr.Radio(
        [("My judgements", JUDGED), ("Question list", LIST), ("BEIR folder", FOLDER)],
        value=JUDGED,
        label="Questions",
        elem_id="evaluate-source",
    )
    with gr.Column(elem_classes="source") as judged:
        summary = gr.HTML("", elem_id="evaluate-judged")
    with gr.Column(visible=False, elem_classes="source") as listed:
        gr.HTML(FORMATS, elem_classes="formats")
        text = gr.Textbox(
            label="Question list",
            lines=7,
            max_lines=10,
            placeholder="When was it lit? | harbour.pdf | 3\nWho broke the cable? | Ada Finch",
            elem_id="evaluate-list",
        )
        with gr.Row(elem_classes="tools"):
            upload = gr.UploadButton(
                "Upload a list",
                file_count="multiple",
                file_types=[".tsv", ".txt", ".jsonl"],
                size="sm",
                min_width=100,
                elem_id="evaluate-upload",
            )
            check = gr.Button("Check", size="sm", min_width=80, elem_id="evaluate-check")
        checked = gr.HTML("", elem_id="evaluate-checked")
    with gr.Column(visible=False, elem_classes="source") as folder_group:
        folder = gr.Textbox(
            label="Folder on the machine that serves this page",
            info="With corpus.jsonl, queries.jsonl and qrels/, or documents/ and questions.jsonl.",
            placeholder="/home/me/beir/scifact",
            elem_id="evaluate-folder",
        )
    collections = gr.Dropdown(
        [],
        multiselect=True,
        label="Collections",
        info="Where the documents are searched.",
        elem_id="evaluate-collections",
    )
    strategies = gr.CheckboxGroup([], label="Strategies", elem_id="evaluate-strategies")
    rerankers = gr.Dropdown(
        [],
        multiselect=True,
        label="Rerankers",
        info="Each strategy is also measured with each of these.",
        elem_id="evaluate-rerankers",
    )
    with gr.Row(elem_classes="tools", elem_id="evaluate-go"):
        run = gr.Button("Run", variant="primary", elem_id="evaluate-run", min_width=100)
        cancel = gr.Button("Cancel", variant="stop", elem_id="evaluate-cancel", min_width=100, visible=False)
    return {
        "source": source, "judged": judged, "summary": summary, "listed": listed, "text": text,
        "upload": upload, "check": check, "checked": checked, "folder_group": folder_group,
        "folder": folder, "collections": collections, "strategies": strategies, "rerankers": rerankers,
        "run": run, "cancel": cancel,
    }  # fmt: skip


def connect_evaluate(evaluate: Evaluate, pane: EvaluatePane, page: gr.Blocks) -> None:
    """Wire the page."""
    watch: gr.State = gr.State(Watch())
    show = _Show(evaluate)
    shown = [
        pane.progress,
        pane.run,
        pane.cancel,
        pane.timer,
        pane.said,
        pane.downloads,
        *pane.files,
        pane.result,
    ]
    choices = [pane.summary, pane.collections, pane.strategies, pane.rerankers]
    form = [pane.source, pane.text, pane.folder, pane.collections, pane.strategies, pane.rerankers]

    def load(watch: Watch) -> tuple[Any, ...]:
        watch.shown = ""
        return *show.choices(first=True), *show.all(watch)

    def look(watch: Watch) -> tuple[Any, ...]:
        return *show.choices(first=False), *show.all(watch)

    def choose(source: str) -> tuple[Any, ...]:
        groups = (gr.Column(visible=source == one) for one in (JUDGED, LIST, FOLDER))
        return *groups, gr.Dropdown(visible=source != FOLDER), ""

    def check(*form: Any) -> tuple[str, str]:
        try:
            return render_list(evaluate.read_list(_choice(*form))), ""
        except RagError as error:
            return "", render_error(str(error))

    def take(uploaded: list[dict[str, Any]] | None) -> tuple[Any, ...]:
        # Gradio's own folder alone, whatever a request says: what is taken is deleted.
        cache = Path(pane.upload.GRADIO_CACHE).resolve()
        named = [(Path(item["path"]).resolve(), item.get("orig_name") or "") for item in uploaded or []]
        named = [(path, name) for path, name in named if path.is_relative_to(cache)]
        try:
            return None, take_list(named) if named else gr.skip(), ""
        except (RagError, OSError) as error:
            return None, gr.skip(), render_error(str(error).replace(f"{cache}/", ""))

    def run(watch: Watch, *form: Any) -> tuple[Any, ...]:
        said, message = "", ""
        try:
            said, message = evaluate.start(_choice(*form), watch)
        except RagError as error:
            message = render_error(str(error))
        except Exception:  # noqa: BLE001 (printed, and said on the page)
            traceback.print_exc()
            message = render_error(INTERNAL_ERROR)
        return said, message, *show.all(watch)

    def cancel(watch: Watch) -> tuple[Any, ...]:
        evaluate.assistant.evaluations.cancel()
        return show.all(watch)

    page.load(load, [watch], [*choices, *shown], **_QUICK)
    pane.tab.select(look, [watch], [*choices, *shown], **_QUICK)
    pane.source.change(
        choose,
        [pane.source],
        [pane.judged, pane.listed, pane.folder_group, pane.collections, pane.message],
        **_QUICK,
    )
    pane.check.click(check, form, [pane.checked, pane.message], **_QUICK)
    pane.upload.upload(
        take, [pane.upload], [pane.upload, pane.text, pane.message], preprocess=False, **_QUICK
    ).success(check, form, [pane.checked, pane.message], **_QUICK)
    pane.run.click(run, [watch, *form], [pane.checked, pane.message, *shown], **_QUICK)
    pane.cancel.click(cancel, [watch], shown, **_QUICK)
    pane.timer.tick(show.all, [watch], shown, trigger_mode="once", **_QUICK)


def _choice(
    source: str,
    text: str | None,
    folder: str | None,
    collections: list[str] | None,
    strategies: list[str] | None,
    rerankers: list[str] | None,
) -> Choice:
    return Choice(
        source, text or "", folder or "", tuple(collections or ()), tuple(strategies or ()),
        tuple(rerankers or ()),
    )  # fmt: skip


class _Show:
    """What the handlers give the page."""

    def __init__(self, evaluate: Evaluate) -> None:
        self.evaluate = evaluate

    def choices(self, *, first: bool) -> tuple[Any, ...]:
        """Return the judgements' figures and what can be chosen; at first, with every strategy chosen."""
        names = self.evaluate.strategies()
        try:
            judged = self.evaluate.judged()
            rerankers = self.evaluate.rerankers()
        except RagError as error:
            judged, rerankers = render_error(str(error)), []
        assistant = self.evaluate.assistant
        collections, own = assistant.collections(), assistant.settings.collection
        if first:
            where = gr.Dropdown(choices=collections, value=[own] if own in collections else [])
            strategies = gr.CheckboxGroup(choices=names, value=names)
        else:  # what the person has chosen stays
            where, strategies = gr.Dropdown(choices=collections), gr.CheckboxGroup(choices=names)
        return judged, where, strategies, gr.Dropdown(choices=rerankers)

    def all(self, watch: Watch) -> tuple[Any, ...]:
        """Return how far the evaluation is, and the result unless the page shows it."""
        evaluations = self.evaluate.assistant.evaluations
        task = evaluations.task()
        runs = task is not None and task.state is TaskState.RUNNING
        progress = render_progress(task, evaluations.contenders, INTERNAL_ERROR)
        return (
            progress,
            gr.Button(visible=not runs),
            gr.Button(visible=runs),
            gr.Timer(active=runs),
            *self._result(watch),
        )

    def _result(self, watch: Watch) -> tuple[Any, ...]:
        finished = self.evaluate.assistant.evaluations.latest
        key = "" if finished is None else f"{id(finished)} {finished.finished}"
        if finished is None or key == watch.shown:
            return (gr.skip(),) * (3 + len(DOWNLOADS))
        files = [gr.DownloadButton(value=str(file)) for file in self.evaluate.exports(finished)]
        watch.shown = key
        return render_summary(finished), gr.Row(visible=True), *files, render_result(finished)
