"""The actions of the Models page, and its state in one open page."""

from dataclasses import dataclass
from pathlib import Path

from ingestion.errors import InvalidInput
from rag_app.model_store.store import ModelState
from rag_app.service.composition import Assistant
from rag_app.tasks import TaskState
from ui.components.choices import check_may_name_files
from ui.models.render import render_removed, render_used


@dataclass(slots=True)
class ModelsPageState:
    """What one open page shows, so that only changes are sent."""

    listing: str = ""
    worked: bool = False


class ModelsController:
    """The actions of the page. One object serves all sessions; those that raise raise RagError."""

    def __init__(self, assistant: Assistant) -> None:
        self.assistant = assistant

    def state(self, name: str, role: str) -> ModelState | None:
        """Return a model as it is now; None where another session removed it."""
        states = self.assistant.models.states()
        return next((one for one in states if (one.entry.name, one.entry.role) == (name, role)), None)

    def works(self) -> bool:
        """Whether a task is under way."""
        latest = self.assistant.model_tasks.latest()
        return latest is not None and latest.task.state is TaskState.RUNNING

    def act(self, act: str, name: str, role: str) -> str:
        """Do what a model's button says; return a message, "" where the work has just begun."""
        tasks = self.assistant.model_tasks
        match act:
            case "pull":
                tasks.pull(name, role)
            case "verify":
                tasks.verify(name, role)
            case "use":
                tasks.dismiss()
                return render_used(self.assistant.models.use(name, role=role))
            case _:
                raise InvalidInput(f"a model has no action {act!r}; choose pull, verify, use or remove")
        return ""

    def verify_all(self) -> str:
        """Begin to verify every recorded model."""
        self.assistant.model_tasks.verify()
        return ""

    def add(self, name: str, role: str, path: str) -> None:
        """Begin to add a model or bundle that lies on this machine."""
        check_may_name_files(self.assistant, "adding a model by its path")
        if path.strip() and not Path(path.strip()).expanduser().exists():
            raise InvalidInput(f"there is no file or folder {path.strip()}; give the path of the model")
        self.assistant.model_tasks.add(name, role, path)

    def remove(self, name: str, role: str) -> str:
        """Remove a model; return a message."""
        entry, freed = self.assistant.models.remove(name, role=role)
        self.assistant.model_tasks.dismiss()
        return render_removed(entry, freed)
