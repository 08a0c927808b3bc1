"""Background tasks on models, one at a time: pull, verify, add, unbundle."""

import tarfile
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ingestion.errors import InvalidInput
from rag_app.llm.gguf_head import check_gguf
from rag_app.model_store.store import ModelStore, OnProgress
from rag_app.tasks import Control, Task, Tasks, TaskState

_LONGEST_NAME = 100  # characters

PULL, VERIFY, ADD, UNBUNDLE = "pull", "verify", "add", "unbundle"


@dataclass(frozen=True, slots=True)
class PulledFiles:
    """The result of a pull: the size of the files, and the commit that they are of."""

    bytes: int
    commit: str | None


@dataclass(frozen=True, slots=True)
class VerifiedModels:
    """The result of a verification: by model, a line for each file with a fault."""

    faults: Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class AddedModels:
    """The result of adding a model, or the models of a bundle: their names."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ModelTask:
    """A task and its model; an empty name stands for all recorded models.

    The task's stage is a model's name, and its progress counts bytes.
    """

    role: str
    name: str
    task: Task


class ModelTasks:
    """Starts tasks, and keeps the latest. Safe to use from several threads."""

    def __init__(self, store: ModelStore) -> None:
        self._store = store
        self.tasks = Tasks(busy="models are being worked on")
        self._lock = threading.Lock()
        self._latest: tuple[str, str, str] | None = None

    def latest(self) -> ModelTask | None:
        """Return the running task, or the last one."""
        with self._lock:
            latest = self._latest
        return ModelTask(latest[0], latest[1], self.tasks.get(latest[2])) if latest else None

    def pull(self, name: str, role: str) -> None:
        """Start to fetch a model. Raises UnknownName; TaskRunning while another task runs."""
        entry = self._store.entry(name, role)

        def work(control: Control) -> PulledFiles:
            pulled = self._store.pull(
                entry.name, role=entry.role, on_progress=_reporting(control), cancelled=control.cancelled
            )
            return PulledFiles(sum(file.bytes for file in pulled.files), pulled.commit)

        self._start(PULL, entry.role, entry.name, work)

    def verify(self, name: str = "", role: str = "") -> None:
        """Start to hash the files of a model, or of all recorded models. Raises TaskRunning."""

        def work(control: Control) -> VerifiedModels:
            names = [name] if name else []
            found = self._store.verify(names, role=role or None, cancelled=control.cancelled)
            return VerifiedModels(
                {
                    one.model.name: [f"{fault.file} is {fault.state}: {fault.detail}" for fault in one.faults]
                    for one in found
                }
            )

        self._start(VERIFY, role, name, work)

    def add(self, name: str, role: str, path: str) -> None:
        """Start to record the files of a model on this machine, or to import the models of a bundle.

        Args:
            name, role: Of the model; a bundle's models have their own.
            path: A GGUF file, a folder, or a bundle.

        Raises:
            InvalidInput: The path is empty, or the name or what lies there cannot be a model's.
            ModelError: The file of a language model is no GGUF file.
            TaskRunning: Another task runs.
        """
        if not path.strip():
            raise InvalidInput("the path is empty; name the model's file or folder")
        file = Path(path.strip()).expanduser()
        if _is_bundle(file):
            self._unbundle(file)
            return
        called = name.strip() or (file.stem if file.suffix == ".gguf" else file.name)
        _check_named(called)
        _check_kind(file, role)

        def work(control: Control) -> AddedModels:
            entry = self._store.add(called, role=role, source=f"file:{file}", cancelled=control.cancelled)
            return AddedModels((entry.name,))

        self._start(ADD, role, called, work)

    def _unbundle(self, file: Path) -> None:
        def work(control: Control) -> AddedModels:
            entries = self._store.unbundle(file, on_progress=_reporting(control), cancelled=control.cancelled)
            return AddedModels(tuple(entry.name for entry in entries))

        self._start(UNBUNDLE, "", file.name, work)

    def cancel(self) -> None:
        """Stop the running task, if any."""
        latest = self.latest()
        if latest is not None and latest.task.state is TaskState.RUNNING:
            self.tasks.cancel(latest.task.id)

    def dismiss(self) -> None:
        """Forget the latest task, once it has ended."""
        with self._lock:
            if self._latest and self.tasks.get(self._latest[2]).state is not TaskState.RUNNING:
                self._latest = None

    def close(self) -> None:
        self.tasks.close()

    def _start(self, kind: str, role: str, name: str, work: Callable[[Control], object]) -> None:
        with self._lock:
            task = self.tasks.start(kind, work)
            self._latest = role, name, task.id


def _reporting(control: Control) -> OnProgress:
    return lambda progress: control.report(progress.name, progress.done, progress.total)


def _check_named(name: str) -> None:
    if not 1 <= len(name) <= _LONGEST_NAME:
        given = f"the name has {len(name):,} characters" if name else "the model has no name"
        raise InvalidInput(f"{given}; enter one of 1 to {_LONGEST_NAME}")
    if "/" in name or not name.isprintable():
        raise InvalidInput(f"{name!r} cannot name a model; leave out '/' and what cannot be printed")


def _check_kind(file: Path, role: str) -> None:
    """Refuse at once what cannot be a model of this role. Raises InvalidInput, ModelError."""
    if role == "llm":
        if file.is_file():
            check_gguf(file)
    elif not any((file / name).is_file() for name in ("config.json", "modules.json")):
        raise InvalidInput(
            f"{file} is no folder of a sentence-transformers model, which has config.json or modules.json; "
            "give the path of such a folder, or choose another kind of model"
        )


def _is_bundle(file: Path) -> bool:
    try:
        return file.is_file() and tarfile.is_tarfile(file)
    except (OSError, EOFError):  # unreadable: adding it gives the reason
        return False
