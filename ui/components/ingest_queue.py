"""The queue of uploads, as the pages show it and act on it.

Uploads go to the assistant's job queue, which belongs to no page: closing a tab stops nothing, and a page
that is opened later sees the same jobs.
"""

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ingestion.documents import Status
from ingestion.errors import InvalidInput, UnknownName
from ingestion.pipeline.queue import Job
from ingestion.storage.catalogue.records import Document
from rag_app.service.composition import Assistant
from rag_app.service.uploads import safe_name
from ui.components.uploads import FileRow, can_retry, latest, to_rows


@dataclass(slots=True)
class QueuePageState:
    """What one open page follows and shows.

    The page's handlers share it and change it in place, so that none overwrites another's change.
    """

    jobs: set[int] = field(default_factory=set)
    changes: int | None = None
    shown: str = ""
    # The collection that the chat searches and adds to; None: the settings' collection.
    collection: str | None = None


@dataclass(frozen=True, slots=True)
class QueueView:
    """What a page shows of the queue."""

    rows: tuple[FileRow, ...]
    works: bool
    can_retry: bool
    can_clear: bool


class IngestQueueController:
    """Uploads, the job queue, and the documents of a collection. One object serves all sessions."""

    def __init__(self, assistant: Assistant, folder: Path) -> None:
        self.assistant = assistant
        self.folder = folder

    def listed(self, collection: str | None) -> list[Document]:
        """Return the documents of a collection (None: the settings' collection), by name."""
        try:
            documents = self.assistant.documents([collection or self.assistant.settings.collection])
        except UnknownName:  # the settings' collection exists from its first document on
            return []
        return sorted(documents, key=lambda document: document.label.casefold())

    def take(
        self, files: Sequence[tuple[Path, str]], collection: str | None = None, encoding: str | None = None
    ) -> Job:
        """Move uploads out of Gradio's folder and into the queue.

        Two sessions that upload the same file share it in Gradio's folder, where names lose characters too.

        Args:
            files: Each upload's file and the name that it had.
            collection: Where the documents go; by default the settings' collection.
            encoding: The encoding of the text files among them; by default it is detected.

        Raises:
            InvalidInput: The queue refuses the files.
            OSError: A file cannot be moved.
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

    def view(self, state: QueuePageState) -> QueueView:
        """Return the queue as a page shows it; the page follows the active jobs from now on."""
        jobs = self._jobs()
        state.jobs.update(job.id for job in jobs if not job.finished)
        active, ended = to_rows(jobs, state.jobs)
        return QueueView(
            rows=(*active, *ended),
            works=any(not job.finished for job in jobs),
            can_retry=bool(_to_retry(jobs)),
            can_clear=bool(ended),
        )

    def cancel(self) -> None:
        """Cancel the active jobs."""
        for job in reversed(
            self.assistant.jobs.active
        ):  # newest first, so that no waiting job starts in between
            self.assistant.jobs.cancel(job.id)

    def retry(self) -> None:
        """Queue the failed and unfinished files again. Raises InvalidInput where a file has gone."""
        for identity in _to_retry(self._jobs()):
            self.assistant.jobs.retry(identity)

    def _jobs(self) -> list[Job]:
        """Return the active and the latest jobs, oldest first."""
        jobs = self.assistant.jobs
        # Active jobs are read first: a job that ends in between is then listed as ended.
        known = {job.id: job for job in (*jobs.active, *jobs.list())}
        return [known[identity] for identity in sorted(known)]


def _known_by(name: str, file: Path) -> str:
    """Return the name that an upload had, or its file's name where that one is unusable."""
    try:
        return safe_name(name)
    except InvalidInput:
        return file.name


def _to_retry(jobs: Sequence[Job]) -> list[int]:
    """Return the ended jobs with a file to try again that no later job has.

    A file that was set aside is tried only by itself.
    """
    return sorted(
        {
            job.id
            for job, file in latest(jobs)
            if job.finished and can_retry(file) and file.status is not Status.SET_ASIDE
        }
    )
