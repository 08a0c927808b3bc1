"""Progress of a job or a task, shown until it ends, and how its files ended."""

import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

import typer
from rich.console import Console

from ingestion.errors import LibraryError
from rag_app.cli.common import EXIT_SOME_FILES_FAILED, Interrupted, open_service
from rag_app.cli.terminal import lines
from rag_app.cli.terminal.progress import job_bars, task_bar
from rag_app.contract.jobs import JobFields, JobFileFields
from rag_app.contract.requests import TaskRequest
from rag_app.contract.schema import Fields
from rag_app.contract.tasks import TaskFields

if TYPE_CHECKING:
    from rag_app.service.protocol import Service

Result = TypeVar("Result", bound=Fields)

# Seconds between two looks at a job: short enough to seem immediate, long enough to cost little beside the
# work, however many files each look brings.
_TICK = 0.2
_TICK_OF_A_FILE = 0.0005
_FIRST_TICK = 0.01
_TASK_TICK = 0.1


def follow(service: "Service", job: JobFields, console: Console, *, quiet: bool) -> JobFields:
    """Show a job's progress, with a line for each file that ends well; return the ended job.

    Raises:
        Interrupted: Ctrl-C was pressed.
        LibraryError: The library cannot be written.
    """
    shown: set[int] = set()
    pause = _FIRST_TICK
    try:
        with job_bars(console, quiet=quiet) as move:
            while True:
                move(job)
                for place, file in enumerate(job.files):
                    if not quiet and place not in shown and lines.succeeded(file):
                        shown.add(place)
                        lines.print_ingested(console, file)
                if job.state == "failed":
                    raise LibraryError(job.error)
                if job.finished:
                    return job
                time.sleep(pause)
                pause = min(2 * pause, _TICK + _TICK_OF_A_FILE * len(job.files))
                job = service.job(job.job_id)
    except KeyboardInterrupt as error:
        raise Interrupted(_left(service, job)) from error


def _left(service: "Service", job: JobFields) -> str:
    left = sum(file.status is None for file in job.files)
    files = f"{lines.count(left, 'file')} {'is' if left == 1 else 'are'} left"
    if service.works_on:
        return f"the process that has the library goes on, {files}; rag-app jobs cancel {job.job_id} stops it"
    return f"stopped; what was finished before is kept, {files}; rag-app jobs resume goes on"


def print_failed(console: Console, job: JobFields) -> None:
    """Print the files that failed, with the reasons, and how to try again."""
    failed = failures(job)
    for file in failed:
        lines.print_ingested(console, file)
    if failed:
        files = lines.count(len(failed), "file")
        lines.line(console, f"{files} of {len(job.files)} failed; rag-app jobs retry {job.job_id}")


def failures(job: JobFields) -> list[JobFileFields]:
    """Return the files of a job that failed."""
    return [file for file in job.files if file.status is not None and not lines.succeeded(file)]


def exit_for(jobs: Iterable[JobFields]) -> None:
    """End the command with 3 where a file failed or was left out, or a folder could not be searched."""
    if any(failures(job) or job.unreadable or job.state == "cancelled" for job in jobs):
        raise typer.Exit(EXIT_SOME_FILES_FAILED)


def finished(context: typer.Context, as_json: bool, result: type[Result], kind: str, **fields: Any) -> Result:
    """Do a task of a kind with a progress bar; return its result. Raises the task's error."""
    request = TaskRequest.of(kind=kind, **fields)
    with open_service(context) as service, task_bar(Console(stderr=True), quiet=as_json) as move:
        task: TaskFields = service.start(request)
        try:
            task = _followed(service, task, move)
        except KeyboardInterrupt as error:
            task = _followed(service, service.cancel_task(task.task_id), move)
            if task.state != "done":
                raise Interrupted(f"{kind} was stopped; what was finished before is kept") from error
    if task.error:
        raise task.error.exception()
    assert isinstance(task.result, result)
    return task.result


def _followed(service: "Service", task: TaskFields, move: Callable[[str, str, int, int], None]) -> TaskFields:
    """Return the task once it has ended."""
    pause = _FIRST_TICK
    while task.state == "running":
        move(task.kind, task.stage, task.done, task.total)
        time.sleep(pause)
        pause = min(2 * pause, _TASK_TICK)
        task = service.task(task.task_id)
    return task
