"""The documents pane: upload, the queue's progress, the list, delete with a confirmation.

Uploads go to the assistant's job queue, which belongs to no page: closing a tab stops nothing, and a page
that is opened later sees the same jobs.
"""

import json
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.events import Dependency

from ingestion.errors import InvalidInput, RagError, UnknownName
from ingestion.parsing import SUPPORTED_SUFFIXES
from ingestion.pipeline.queue import Job
from ingestion.storage.catalogue.records import Document
from rag_app.service.composition import Assistant
from rag_app.service.uploads import safe_name
from ui.background import Workers
from ui.components.document_list import render_confirmation, render_documents, render_error
from ui.components.uploads import FileRow, can_retry, latest, render_uploads, to_rows
from ui.static import read_static

# Seconds between two looks at the queue, while it works.
_TICK = 0.7

_QUICK: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden", "queue": False}


@dataclass(slots=True)
class Watch:
    """What one open page has seen: the jobs it follows to their end, and what it shows.

    The page's handlers share it and change it in place, so that none overwrites what another has seen.
    """

    jobs: set[int] = field(default_factory=set)
    changes: int | None = None
    shown: str = ""
    # What the chat searches, where its uploads go; None: as the settings say.
    collection: str | None = None


@dataclass(frozen=True, slots=True)
class Queue:
    """The queue as a page shows it."""

    rows: tuple[FileRow, ...]
    works: bool
    can_retry: bool
    can_clear: bool


class Documents:
    """What happens to documents. One object serves all sessions."""

    def __init__(self, assistant: Assistant, workers: Workers, folder: Path) -> None:  # noqa: ARG002
        self.assistant = assistant
        self.folder = folder

    def listed(self, collection: str | None) -> list[Document]:
        """Return the documents of a collection, by default of the settings', by name."""
        try:
            documents = self.assistant.documents([collection or self.assistant.settings.collection])
        except UnknownName:  # nothing was ever ingested into it
            return []
        return sorted(documents, key=lambda document: document.label.casefold())

    def take(
        self, files: Sequence[tuple[Path, str]], collection: str | None = None, encoding: str | None = None
    ) -> Job:
        """Move uploads, with the names they had, out of Gradio's folder and into the queue.

        `encoding` is what those are in that are text.

        There, two sessions that upload the same file share it, and names lose characters. Raises
        InvalidInput and its kind, OSError where a file cannot be moved.
        """
        with tempfile.TemporaryDirectory(dir=self.folder) as between:
            named = []
            for number, (file, name) in enumerate(files):
                place = Path(between) / str(number) / _known_by(name, file)
                place.parent.mkdir()
                shutil.move(file, place)
                named.append(place)
                if not any(file.parent.iterdir()):
                    file.parent.rmdir()
            into = collection or self.assistant.settings.collection
            return self.assistant.jobs.submit(named, collection=into, uploaded=True, encoding=encoding)

    def queue(self, watch: Watch) -> Queue:
        """Return the queue as the page sees it; from now on it follows the jobs that are active."""
        jobs = self._jobs()
        watch.jobs.update(job.id for job in jobs if not job.finished)
        active, ended = to_rows(jobs, watch.jobs)
        return Queue(
            rows=(*active, *ended),
            works=any(not job.finished for job in jobs),
            can_retry=bool(_to_retry(jobs)),
            can_clear=bool(ended),
        )

    def cancel(self) -> None:
        """Stop all that is active."""
        for job in reversed(self.assistant.jobs.active):  # else the next would start before it is its turn
            self.assistant.jobs.cancel(job.id)

    def retry(self) -> None:
        """Queue again what failed or was left undone. Raises InvalidInput where it has gone meanwhile."""
        for identity in _to_retry(self._jobs()):
            self.assistant.jobs.retry(identity)

    def _jobs(self) -> list[Job]:
        """Return the jobs, oldest first: the newest, and all that are active."""
        jobs = self.assistant.jobs
        # Active ones first: a job that ends in between is then in the list as ended, which counts.
        known = {job.id: job for job in (*jobs.active, *jobs.list())}
        return [known[identity] for identity in sorted(known)]


def _known_by(name: str, file: Path) -> str:
    """Return the name that an upload had, or the one that Gradio gave its file."""
    try:
        return safe_name(name)
    except InvalidInput:
        return file.name


def _to_retry(jobs: Sequence[Job]) -> list[int]:
    """Return the ended jobs that have something to try again which no later job took on."""
    return sorted({job.id for job, file in latest(jobs) if job.finished and can_retry(file)})


@dataclass(frozen=True, slots=True)
class DocumentsPane:
    """The components that other panes and later pages connect to."""

    upload: gr.File
    message: gr.HTML
    progress: gr.HTML
    cancel: gr.Button
    retry: gr.Button
    clear: gr.Button
    timer: gr.Timer
    listing: gr.HTML
    confirmation: gr.Column
    question: gr.HTML
    delete: gr.Button
    keep: gr.Button


def upload_field(*, height: int, elem_id: str) -> gr.File:
    """Lay out where files are handed over."""
    return gr.File(
        label="Add PDF, Office, web, text …",
        file_count="multiple",
        file_types=sorted(SUPPORTED_SUFFIXES),
        height=height,
        elem_id=elem_id,
    )


def build_documents() -> DocumentsPane:
    """Lay out the documents pane."""
    gr.HTML("<h2>Documents</h2>")
    upload = upload_field(height=104, elem_id="upload")
    message = gr.HTML("", elem_id="message")
    progress = gr.HTML("", elem_id="progress")
    with gr.Row(elem_id="queue"):
        cancel = gr.Button("Cancel", size="sm", elem_id="cancel", min_width=60, visible=False)
        retry = gr.Button("Try again", size="sm", elem_id="retry", min_width=60, visible=False)
        clear = gr.Button("Clear list", size="sm", elem_id="clear-jobs", min_width=60, visible=False)
    with gr.Column(visible=False, elem_id="confirmation") as confirmation:
        question = gr.HTML("")
        with gr.Row():
            keep = gr.Button("Keep", size="sm", elem_id="keep", min_width=60)
            delete = gr.Button("Delete", variant="stop", size="sm", elem_id="delete", min_width=60)
    listing = gr.HTML("", elem_id="documents", js_on_load=read_static("documents.js"))
    timer = gr.Timer(_TICK, active=False)
    return DocumentsPane(
        upload, message, progress, cancel, retry, clear, timer, listing, confirmation, question, delete, keep
    )


def connect_documents(
    documents: Documents, pane: DocumentsPane, page: gr.Blocks, tab: gr.Tab, collection: gr.Dropdown
) -> None:
    """Wire the documents pane. It shows the collection that the chat searches, and adds to it.

    It is brought up to date whenever its tab is chosen: other tabs change the library too.
    """
    watch: gr.State = gr.State(Watch())
    show = _Show(documents)
    shown = [pane.progress, pane.cancel, pane.retry, pane.clear, pane.timer, pane.listing]

    def take(uploaded: list[dict[str, Any]] | None, watch: Watch, name: str | None) -> tuple[Any, ...]:
        watch.collection = name  # what the person sees; after a restart of the server the Watch is a new one
        named = received(pane.upload, uploaded)
        message = ""
        try:
            if named:
                watch.jobs.add(documents.take(named, watch.collection).id)
        except (RagError, OSError) as error:
            message = render_error(f"The files were not added: {error}")
        return None, message, *show.all(watch)

    def cancel(watch: Watch) -> tuple[Any, ...]:
        documents.cancel()
        return show.all(watch)

    def retry(watch: Watch) -> tuple[Any, ...]:
        message = ""
        try:
            documents.retry()
        except RagError as error:
            message = render_error(str(error))
        return message, *show.all(watch)

    def clear(watch: Watch) -> tuple[Any, ...]:
        documents.assistant.jobs.clear()
        return "", *show.all(watch)

    def turn_to(watch: Watch, name: str | None) -> str:
        watch.collection = name
        return show.listing(watch)

    def look(watch: Watch, name: str | None) -> tuple[Any, ...]:
        watch.collection = name
        return show.all(watch)

    page.load(show.all, [watch], shown, **_QUICK)
    # Not preprocessed: a collection that has gone meanwhile is shown as an empty one, not refused.
    tab.select(look, [watch, collection], shown, preprocess=False, **_QUICK)
    collection.change(turn_to, [watch, collection], [pane.listing], **_QUICK)
    pane.timer.tick(show.changed, [watch], shown, trigger_mode="once", **_QUICK)
    pane.upload.upload(
        take,
        [pane.upload, watch, collection],
        [pane.upload, pane.message, *shown],
        preprocess=False,  # gr.File would leave an empty temporary file behind for each
        trigger_mode="multiple",
        **_QUICK,
    )
    pane.cancel.click(cancel, [watch], shown, **_QUICK)
    pane.retry.click(retry, [watch], [pane.message, *shown], **_QUICK)
    pane.clear.click(clear, [watch], [pane.message, *shown], **_QUICK)
    _connect_delete(documents, pane, show, watch)


def received(upload: gr.File | gr.UploadButton, items: list[dict[str, Any]] | None) -> list[tuple[Path, str]]:
    """Return the files of an upload that was not preprocessed, with the names that they had.

    Those in Gradio's own folder alone, whatever a request says: what is taken is moved and deleted.
    """
    cache = Path(upload.GRADIO_CACHE).resolve()
    named = [(Path(item["path"]).resolve(), item.get("orig_name") or "") for item in items or []]
    return [(path, name) for path, name in named if path.is_relative_to(cache)]


def into_sight(asked: Dependency, confirmation: str) -> None:
    """Once a question is asked, bring it into sight by its element's id, with `Keep` focused."""
    js = f"() => ({read_static('confirm.js')})({json.dumps(confirmation)})"
    asked.then(None, js=js, api_visibility="private")


class _Show:
    """What the handlers give the page: rows, buttons, timer, list of documents."""

    def __init__(self, documents: Documents) -> None:
        self.documents = documents

    def listing(self, watch: Watch) -> str:
        usual = watch.collection in (None, self.documents.assistant.settings.collection)
        found = self.documents.listed(watch.collection)
        return render_documents(found, None if usual else watch.collection)

    def all(self, watch: Watch) -> tuple[Any, ...]:
        """Return everything, whatever the page shows."""
        # Before the list is read, so that a change meanwhile is shown with the next tick.
        watch.changes = self.documents.assistant.library.catalogue.changes
        queue = self.documents.queue(watch)
        watch.shown = render_uploads(queue.rows)
        return (
            watch.shown,
            gr.Button(visible=queue.works),
            gr.Button(visible=queue.can_retry),
            gr.Button(visible=queue.can_clear),
            gr.Timer(active=queue.works),
            self.listing(watch),
        )

    def changed(self, watch: Watch) -> tuple[Any, ...]:
        """Return what differs from what the page shows."""
        changes = self.documents.assistant.library.catalogue.changes
        queue = self.documents.queue(watch)
        rows = render_uploads(queue.rows)
        if not queue.works or changes != watch.changes:
            return self.all(watch)
        if rows == watch.shown:
            return (gr.skip(),) * 6
        watch.shown = rows
        buttons = (gr.Button(visible=visible) for visible in (True, queue.can_retry, queue.can_clear))
        return rows, *buttons, gr.skip(), gr.skip()


def _connect_delete(documents: Documents, pane: DocumentsPane, show: _Show, watch: gr.State) -> None:
    chosen: gr.State = gr.State(None)

    def ask(watch: Watch, event: gr.EventData) -> tuple[Any, ...]:
        listed = documents.listed(watch.collection)
        wanted = next((item for item in listed if item.id == event._data.get("id")), None)
        if wanted is None:  # another session deleted it
            return None, "", gr.Column(visible=False), show.listing(watch)
        return wanted.id, render_confirmation(wanted), gr.Column(visible=True), gr.skip()

    def delete(identity: str | None, watch: Watch) -> tuple[Any, ...]:
        message = ""
        try:
            if identity is not None:
                documents.assistant.delete(identity)
        except RagError as error:
            message = render_error(str(error))
        return None, gr.Column(visible=False), message, show.listing(watch)

    asked = [chosen, pane.question, pane.confirmation, pane.listing]
    into_sight(pane.listing.delete(ask, [watch], asked, **_QUICK), "confirmation")
    pane.delete.click(
        delete, [chosen, watch], [chosen, pane.confirmation, pane.message, pane.listing], **_QUICK
    )
    pane.keep.click(lambda: (None, gr.Column(visible=False)), None, [chosen, pane.confirmation], **_QUICK)
