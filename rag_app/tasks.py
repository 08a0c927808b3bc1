"""Long work on the whole library: one task at a time, which can be watched and cancelled."""

import logging
import threading
import time
from collections.abc import Callable
from contextvars import copy_context
from dataclasses import dataclass, field, replace
from enum import StrEnum
from uuid import uuid4

from ingestion.errors import Cancelled, RagError, UnknownName
from ingestion.storage.timing import utc_now
from rag_app.config.logging import report_unexpected

# The newest tasks keep their results; a result may name thousands of documents.
_KEPT = 20

_logger = logging.getLogger(__name__)


class TaskState(StrEnum):
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class TaskRunning(RagError):
    """Another task runs."""


@dataclass(frozen=True, slots=True)
class Task:
    """A snapshot of a task: `done` of `total` steps of its stage, and its result once it is done."""

    id: str
    kind: str
    state: TaskState
    started: str
    finished: str | None = None
    stage: str = ""
    done: int = 0
    total: int = 0
    result: object = None
    error: Exception | None = None


@dataclass(frozen=True, slots=True)
class Control:
    """What a task's work gets: `report` takes stage, done and total; `cancelled` says when to stop."""

    report: Callable[[str, int, int], None]
    cancelled: Callable[[], bool]


@dataclass(slots=True)
class _Running:
    task: Task
    stop: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)


class Tasks:
    """The tasks of one process. `close` cancels the running task and waits for its end.

    Args:
        busy: Message raised when a second task is started.
    """

    def __init__(self, busy: str = "the library is busy") -> None:
        self._busy = busy
        self._lock = threading.Lock()
        self._all: dict[str, _Running] = {}

    def start(self, kind: str, work: Callable[[Control], object]) -> Task:
        """Start the work in a thread. Raises TaskRunning while another task runs."""
        running = _Running(Task(uuid4().hex[:12], kind, TaskState.RUNNING, utc_now()))
        with self._lock:
            for other in self._all.values():
                if other.task.state is TaskState.RUNNING:
                    raise TaskRunning(
                        f"{self._busy}: {other.task.kind} runs since {other.task.started}; "
                        "wait for its end, or cancel it"
                    )
            self._all[running.task.id] = running
            for old in list(self._all)[:-_KEPT]:
                del self._all[old]
        target = copy_context().run  # with the request's id in the log
        threading.Thread(target=target, args=(self._run, running, work), daemon=True).start()
        return running.task

    def get(self, identity: str) -> Task:
        """Return a task as it is now. Raises UnknownName."""
        return self._named(identity).task

    def all(self) -> list[Task]:
        """Return the newest tasks, the latest last."""
        with self._lock:
            return [running.task for running in self._all.values()]

    def cancel(self, identity: str) -> Task:
        """Ask a task to stop at its next step. Raises UnknownName."""
        running = self._named(identity)
        running.stop.set()
        return running.task

    def wait(self, identity: str, seconds: float | None = None) -> Task:
        """Return a task when it has ended, or as it is after so many seconds."""
        running = self._named(identity)
        running.ended.wait(seconds)
        return running.task

    def close(self) -> None:
        with self._lock:
            running = list(self._all.values())
        for one in running:
            one.stop.set()
        for one in running:
            one.ended.wait()

    def _named(self, identity: str) -> _Running:
        with self._lock:
            if identity not in self._all:
                raise UnknownName("task", identity, self._all)
            return self._all[identity]

    def _run(self, running: _Running, work: Callable[[Control], object]) -> None:
        def report(stage: str, done: int, total: int) -> None:
            running.task = replace(running.task, stage=stage, done=done, total=total)

        task, started = running.task, time.perf_counter()
        _logger.info("task %s (%s) started", task.id, task.kind)
        try:
            result = work(Control(report, running.stop.is_set))
            running.task = replace(running.task, state=TaskState.DONE, result=result, finished=utc_now())
        except Cancelled as error:
            running.task = replace(running.task, state=TaskState.CANCELLED, error=error, finished=utc_now())
        except BaseException as error:  # noqa: BLE001 (kept for who reads the task; none may run for ever)
            if not isinstance(error, RagError):
                report_unexpected(error)
            fault = error if isinstance(error, Exception) else RuntimeError(f"it was ended: {error!r}")
            running.task = replace(running.task, state=TaskState.FAILED, error=fault, finished=utc_now())
        finally:
            seconds = time.perf_counter() - started
            _logger.info("task %s (%s) is %s after %.1f s", task.id, task.kind, running.task.state, seconds)
            running.ended.set()
