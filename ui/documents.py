"""The documents pane: upload with progress, the list, delete with a confirmation."""

import shutil
import tempfile
import traceback
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from ingestion.errors import Cancelled, RagError, UnknownName
from ingestion.pipeline import IngestResult, Progress
from ingestion.stores.records import Document
from rag_app.assistant import Assistant
from ui.background import Job, Workers
from ui.chat import INTERNAL_ERROR
from ui.components.document_list import render_confirmation, render_documents, render_error
from ui.components.uploads import FileRow, cancelled, ended, failed, progressed, render_uploads
from ui.static import read_static

FILE_TYPES = [".pdf", ".txt", ".md"]

Rows = tuple[FileRow, ...]


class Documents:
    """What happens to documents. One object serves all sessions."""

    def __init__(self, assistant: Assistant, workers: Workers, folder: Path) -> None:
        self.assistant = assistant
        self.workers = workers
        self.folder = folder

    def listed(self) -> list[Document]:
        """Return the documents of the settings' collection, by name."""
        try:
            documents = self.assistant.documents([self.assistant.settings.collection])
        except UnknownName:  # nothing was ever ingested into it
            return []
        return sorted(documents, key=lambda document: document.name.casefold())

    def take(self, files: Sequence[tuple[Path, str]]) -> list[Path]:
        """Move uploads, with the names they had, out of Gradio's folder.

        There, two sessions that upload the same file share it, and names lose characters.
        """
        target = Path(tempfile.mkdtemp(dir=self.folder))
        taken = []
        for number, (file, name) in enumerate(files):
            own = Path(name.replace("\\", "/").replace("\0", "")).name
            place = target / str(number) / (own if own not in ("", "..") else file.name)
            place.parent.mkdir()
            shutil.move(file, place)
            taken.append(place)
            if not any(file.parent.iterdir()):
                file.parent.rmdir()
        return taken

    def ingest(self, files: Sequence[Path], job: Job) -> Generator[tuple[Rows, bool]]:
        """Yield a row a file, and whether the list of documents has changed. The files are deleted."""
        rows = [FileRow(file.name) for file in files]
        done = 0

        def work(put: Callable[[Progress | IngestResult], None]) -> None:
            try:
                for result in self.assistant.ingest(
                    files, uploaded=True, on_progress=put, cancelled=lambda: job.stopped
                ):
                    put(result)
            finally:
                for folder in {file.parents[1] for file in files}:
                    shutil.rmtree(folder, ignore_errors=True)

        try:
            with closing(self.workers.run(job, work, to_the_end=True)) as batches:
                for batch in batches:
                    before = done
                    for event in batch:
                        if isinstance(event, Progress):
                            rows[event.file - 1] = progressed(rows[event.file - 1], event)
                        else:
                            rows[done] = ended(rows[done], event)
                            done += 1
                    yield tuple(rows), done > before
        except Cancelled:
            yield tuple(map(cancelled, rows)), True
        except RagError as error:
            yield tuple(failed(row, str(error)) for row in rows), True
        except Exception:
            traceback.print_exc()
            yield tuple(failed(row, INTERNAL_ERROR) for row in rows), True
            raise
        finally:
            job.end()


@dataclass(frozen=True, slots=True)
class DocumentsPane:
    """The components that other panes and later pages connect to."""

    upload: gr.File
    cancel: gr.Button
    progress: gr.HTML
    listing: gr.HTML
    confirmation: gr.Column
    question: gr.HTML
    delete: gr.Button
    keep: gr.Button


def build_documents() -> DocumentsPane:
    """Lay out the documents pane."""
    gr.HTML("<h2>Documents</h2>")
    upload = gr.File(
        label="Add PDF, text, Markdown",
        file_count="multiple",
        file_types=FILE_TYPES,
        height=104,
        elem_id="upload",
    )
    progress = gr.HTML("", elem_id="progress")
    cancel = gr.Button("Cancel", size="sm", elem_id="cancel", visible=False)
    with gr.Column(visible=False, elem_id="confirmation") as confirmation:
        question = gr.HTML("")
        with gr.Row():
            keep = gr.Button("Keep", size="sm", elem_id="keep", min_width=60)
            delete = gr.Button("Delete", variant="stop", size="sm", elem_id="delete", min_width=60)
    listing = gr.HTML("", elem_id="documents", js_on_load=read_static("documents.js"))
    return DocumentsPane(upload, cancel, progress, listing, confirmation, question, delete, keep)


def connect_documents(documents: Documents, pane: DocumentsPane, page: gr.Blocks) -> None:
    """Wire the documents pane."""
    files: gr.State = gr.State([])
    job: gr.State = gr.State(None)

    def listing() -> str:
        return render_documents(documents.listed())

    def take(uploaded: list[dict[str, Any]] | None) -> tuple[Any, ...]:
        # Gradio's own folder alone, whatever a request says: what is taken is moved and deleted.
        cache = Path(pane.upload.GRADIO_CACHE).resolve()
        named = [(Path(item["path"]).resolve(), item.get("orig_name") or "") for item in uploaded or []]
        taken = documents.take([(path, name) for path, name in named if path.is_relative_to(cache)])
        rows = [FileRow(file.name) for file in taken]
        return taken, Job(), None, render_uploads(rows), gr.Button(visible=True)

    def ingest(files: list[Path], job: Job) -> Generator[tuple[Any, ...]]:
        for rows, changed in documents.ingest(files, job):
            yield render_uploads(rows), listing() if changed else gr.skip()

    def cancel(job: Job | None) -> None:
        if job is not None:
            job.stop()

    quick: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden", "queue": False}
    taken = pane.upload.upload(
        take,
        [pane.upload],
        [files, job, pane.upload, pane.progress, pane.cancel],
        preprocess=False,  # gr.File would leave an empty temporary file behind for each
        **quick,
    )
    taken.success(
        ingest,
        [files, job],
        [pane.progress, pane.listing],
        api_visibility="private",
        show_progress="hidden",
        concurrency_id="ingest",
        concurrency_limit=1,
    ).then(lambda: gr.Button(visible=False), outputs=[pane.cancel], **quick)
    pane.cancel.click(cancel, [job], **quick)
    page.load(listing, outputs=[pane.listing], **quick)
    _connect_delete(documents, pane, listing, quick)


def _connect_delete(
    documents: Documents, pane: DocumentsPane, listing: Callable[[], str], quick: dict[str, Any]
) -> None:
    chosen: gr.State = gr.State(None)

    def ask(event: gr.EventData) -> tuple[Any, ...]:
        wanted = next((item for item in documents.listed() if item.id == event._data.get("id")), None)
        if wanted is None:  # another session deleted it
            return None, "", gr.Column(visible=False), listing()
        return wanted.id, render_confirmation(wanted), gr.Column(visible=True), gr.skip()

    def delete(identity: str | None) -> tuple[Any, ...]:
        message = ""
        try:
            if identity is not None:
                documents.assistant.delete(identity)
        except RagError as error:
            message = render_error(str(error))
        return None, gr.Column(visible=False), message, listing()

    asked = [chosen, pane.question, pane.confirmation, pane.listing]
    pane.listing.delete(ask, None, asked, **quick)
    pane.delete.click(delete, [chosen], [chosen, pane.confirmation, pane.progress, pane.listing], **quick)
    pane.keep.click(lambda: (None, gr.Column(visible=False)), None, [chosen, pane.confirmation], **quick)
