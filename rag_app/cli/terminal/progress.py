"""Progress bars, on standard error, where that is a terminal."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TransferSpeedColumn,
)

from rag_app.cli.terminal.lines import shown
from rag_app.contract.jobs import JobFields, JobFileFields

_UNITS = {"parsing": "pages", "encoding": "chunks", "writing": "chunks"}
# Where a stage begins in a file's bar, and its share: about the share of the time, for a steady bar.
_SHARES = {"parsing": (0.0, 0.3), "encoding": (0.3, 0.65), "writing": (0.95, 0.05)}


@contextmanager
def task_bar(console: Console, *, quiet: bool) -> Iterator[Callable[[str, str, int, int], None]]:
    """Show a task's stage and how far it is; yield a function to call with kind, stage, done and total."""
    with _progress(console, quiet) as bar:
        row = bar.add_task("starting", total=None)

        def move(kind: str, stage: str, done: int, total: int) -> None:
            description = shown(f"{kind} · {stage or 'starting'}")
            bar.update(row, description=description, completed=done, total=total or None)

        yield move


@contextmanager
def job_bars(console: Console, *, quiet: bool) -> Iterator[Callable[[JobFields], None]]:
    """Show a bar for all files of a job, and one for each that is being worked on."""
    with _progress(console, quiet) as bar:
        whole = bar.add_task("starting", total=None)
        rows: dict[int, TaskID] = {}

        def move(job: JobFields) -> None:
            files = job.files
            parts = [_part(file) for file in files]
            ended = sum(file.status is not None for file in files)
            bar.update(
                whole,
                description=f"{ended} of {len(files)} files",
                completed=sum(parts),
                total=len(files) or None,
            )
            for place, file in enumerate(files):
                working = file.status is None and file.stage in _SHARES
                if working and place not in rows:
                    rows[place] = bar.add_task("", total=None)
                elif not working and place in rows:
                    bar.remove_task(rows.pop(place))
                if working:
                    total = file.total
                    count = f" {file.done}/{total} {_UNITS[file.stage]}" if total else ""
                    bar.update(
                        rows[place],
                        description=shown(f"  {file.name} · {file.stage}{count}"),
                        completed=file.done,
                        total=total or None,
                    )

        yield move


@contextmanager
def bytes_bar(console: Console, *, quiet: bool) -> Iterator[Callable[[str, int, int], None]]:
    """Show how many bytes have come; yield a function to call with a name, the bytes done and the total."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=console, transient=True, disable=quiet or not console.is_terminal) as bar:
        row = bar.add_task("starting", total=None)

        def move(name: str, done: int, total: int) -> None:
            bar.update(row, description=shown(name), completed=done, total=total or None)

        yield move


def _part(file: JobFileFields) -> float:
    """Return how much of a file is done, from 0 to 1."""
    if file.status is not None:
        return 1.0
    start, share = _SHARES.get(file.stage, (0.0, 0.0))
    return start + share * (file.done / file.total if file.total else 0.0)


@contextmanager
def _progress(console: Console, quiet: bool) -> Iterator[Progress]:
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=quiet or not console.is_terminal) as bar:
        yield bar
