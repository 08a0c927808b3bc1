"""Watching a job or a task until it ends, and saying how its files ended."""

import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console

from ingestion.errors import LibraryError
from rag_app.cli.common import EXIT_SOME_FILES_FAILED, Fields, Interrupted, service
from rag_app.cli.terminal.progress import job_bars, task_bar

if TYPE_CHECKING:
    from rag_app.service.protocol import Service

# Seconds between two looks at a job: what people see as at once, and little beside the work, however many
# files each look brings.
_TICK = 0.2
_TICK_OF_A_FILE = 0.0005
_FIRST_TICK = 0.01
_TASK_TICK = 0.1


def follow(library: "Service", job: Fields, console: Console, *, quiet: bool) -> Fields:
    """Show a job's progress, with a line for each file that ends well; return it once it has ended.

    Raises Interrupted on Ctrl-C, LibraryError where the library cannot be written.
    """
    from rag_app.cli.terminal import lines

    shown: set[int] = set()
    pause = _FIRST_TICK
    try:
        with job_bars(console, quiet=quiet) as move:
            while True:
                move(job)
                for place, file in enumerate(job["files"]):
                    if not quiet and place not in shown and lines.succeeded(file):
                        shown.add(place)
                        lines.print_ingested(console, file)
                if job["state"] == "failed":
                    raise LibraryError(job["error"])
                if job["finished"]:
                    return job
                time.sleep(pause)
                pause = min(2 * pause, _TICK + _TICK_OF_A_FILE * len(job["files"]))
                job = library.job(job["job_id"])
    except KeyboardInterrupt as error:
        raise Interrupted(_left(library, job)) from error


def _left(library: "Service", job: Fields) -> str:
    left = sum(file["status"] is None for file in job["files"])
    files = "1 file is" if left == 1 else f"{left} files are"
    if library.works_on:
        return (
            f"the process that has the library goes on, {files} left; "
            f"rag-app jobs cancel {job['job_id']} stops it"
        )
    return f"stopped; what was finished before is kept, {files} left; rag-app jobs resume goes on"


def print_failed(console: Console, job: Fields) -> None:
    """Print the files that failed, with the reasons, and how to try again."""
    from rag_app.cli.terminal import lines

    failed = failures(job)
    for file in failed:
        lines.print_ingested(console, file)
    if failed:
        files = "1 file" if len(failed) == 1 else f"{len(failed)} files"
        lines.line(console, f"{files} of {len(job['files'])} failed; rag-app jobs retry {job['job_id']}")


def failures(job: Fields) -> list[Fields]:
    """Return the files of a job that did not end well."""
    from rag_app.cli.terminal import lines

    return [file for file in job["files"] if file["status"] is not None and not lines.succeeded(file)]


def exit_for(jobs: Iterable[Fields]) -> None:
    """End the command with 3 where a file failed or was left out."""
    if any(failures(job) or job["state"] == "cancelled" for job in jobs):
        raise typer.Exit(EXIT_SOME_FILES_FAILED)


def finished(context: typer.Context, as_json: bool, kind: str, **fields: Any) -> Fields:
    """Do long work with a progress bar; return its result. Raises what it raised."""
    from rag_app.contract.requests import TaskRequest

    request = TaskRequest.of(kind=kind, **fields)
    with service(context) as library, task_bar(Console(stderr=True), quiet=as_json) as move:
        task = library.start(request)
        try:
            task = _followed(library, task, move)
        except KeyboardInterrupt as error:
            task = _followed(library, library.cancel_task(task["task_id"]), move)
            if task["state"] != "done":
                raise Interrupted(f"{kind} was stopped; what was finished before is kept") from error
    if task["error"]:
        from rag_app.service.client import raise_error

        raise_error(task["error"])
    result: Fields = task["result"]
    return result


def _followed(library: "Service", task: Fields, move: Callable[[Fields], None]) -> Fields:
    """Return the task once it has ended."""
    pause = _FIRST_TICK
    while task["state"] == "running":
        move(task)
        time.sleep(pause)
        pause = min(2 * pause, _TASK_TICK)
        task = library.task(task["task_id"])
    return task
