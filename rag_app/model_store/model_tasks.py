"""Long work with models, one at a time, beside that on the library: pulling, hashing, adding, unbundling."""

import tarfile
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ingestion.errors import InvalidInput
from rag_app.model_store.pulling import PullProgress
from rag_app.model_store.store import ModelStore
from rag_app.tasks import Control, Task, Tasks, TaskState

PULL, VERIFY, ADD, UNBUNDLE = "pull", "verify", "add", "unbundle"

Fields = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ModelTask:
    """A task and the model that it is about; no name stands for all that are recorded.

    The task's stage is a model's name, `done` and `total` are bytes. Its result: of a pull `bytes` and
    `commit`, of a verification `faults`, of each model a list of lines, of a bundle `names`.
    """

    role: str
    name: str
    task: Task


class ModelTasks:
    """Starts the work and keeps how the latest went. Safe to use from several threads."""

    def __init__(self, store: ModelStore) -> None:
        self._store = store
        self.tasks = Tasks(busy="models are being worked on")
        self._lock = threading.Lock()
        self._latest: tuple[str, str, str] | None = None

    def latest(self) -> ModelTask | None:
        """Return the task that runs, or ran last."""
        with self._lock:
            latest = self._latest
        return ModelTask(latest[0], latest[1], self.tasks.get(latest[2])) if latest else None

    def pull(self, name: str, role: str) -> None:
        """Begin to fetch a model. Raises UnknownName, and TaskRunning while something else runs."""
        entry = self._store.entry(name, role)

        def work(control: Control) -> Fields:
            def tell(progress: PullProgress) -> None:
                control.report(progress.name, progress.done, progress.total)

            pulled = self._store.pull(
                entry.name, role=entry.role, on_progress=tell, cancelled=control.cancelled
            )
            return {"bytes": sum(file.bytes for file in pulled.files), "commit": pulled.commit}

        self._start(PULL, entry.role, entry.name, work)

    def verify(self, name: str = "", role: str = "") -> None:
        """Begin to hash a model's files again, or all that are recorded. Raises TaskRunning."""

        def work(control: Control) -> Fields:
            names = [name] if name else []
            found = self._store.verify(names, role=role or None, cancelled=control.cancelled)
            return {
                "faults": {
                    one.model.name: [f"{fault.file} is {fault.state}: {fault.detail}" for fault in one.faults]
                    for one in found
                }
            }

        self._start(VERIFY, role, name, work)

    def add(self, name: str, role: str, path: str) -> None:
        """Begin to record the files of a model on this machine: a GGUF file or a folder; or to take up the
        models of a bundle, which have their names and roles.

        Raises InvalidInput where no path is given, and TaskRunning.
        """
        if not path.strip():
            raise InvalidInput("no path is given; name the model's file or folder")
        file = Path(path.strip()).expanduser()
        if _is_bundle(file):
            self._unbundle(file)
            return
        called = name.strip() or (file.stem if file.suffix == ".gguf" else file.name)

        def work(control: Control) -> Fields:
            entry = self._store.add(called, role=role, source=f"file:{file}", cancelled=control.cancelled)
            return {"name": entry.name}

        self._start(ADD, role, called, work)

    def _unbundle(self, file: Path) -> None:
        def work(control: Control) -> Fields:
            def tell(progress: PullProgress) -> None:
                control.report(progress.name, progress.done, progress.total)

            entries = self._store.unbundle(file, on_progress=tell, cancelled=control.cancelled)
            return {"names": [entry.name for entry in entries]}

        self._start(UNBUNDLE, "", file.name, work)

    def cancel(self) -> None:
        """Stop what runs, if something does."""
        latest = self.latest()
        if latest is not None and latest.task.state is TaskState.RUNNING:
            self.tasks.cancel(latest.task.id)

    def dismiss(self) -> None:
        """Forget how the latest ended: something newer is to be told."""
        with self._lock:
            if self._latest and self.tasks.get(self._latest[2]).state is not TaskState.RUNNING:
                self._latest = None

    def close(self) -> None:
        self.tasks.close()

    def _start(self, kind: str, role: str, name: str, work: Callable[[Control], Fields]) -> None:
        with self._lock:
            task = self.tasks.start(kind, work)
            self._latest = role, name, task.id


def _is_bundle(file: Path) -> bool:
    try:
        return file.is_file() and tarfile.is_tarfile(file)
    except (OSError, EOFError):  # no file that can be read: adding it says why
        return False
