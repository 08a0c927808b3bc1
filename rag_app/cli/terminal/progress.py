"""Progress bars, on standard error, where that is a terminal."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

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

Move = Callable[[Mapping[str, Any]], None]

_UNITS = {"parsing": "pages", "encoding": "chunks", "writing": "chunks"}
# Of a file's time; encoding is what costs most without a GPU. For a bar that moves evenly, no more.
_SHARES = {"parsing": (0.0, 0.3), "encoding": (0.3, 0.65), "writing": (0.95, 0.05)}


@contextmanager
def task_bar(console: Console, *, quiet: bool) -> Iterator[Move]:
    """Show a task's stage and how far it is; yields the function that is given the task's fields."""
    with _progress(console, quiet) as bar:
        row = bar.add_task("starting", total=None)

        def move(task: Mapping[str, Any]) -> None:
            bar.update(
                row,
                description=_shown(f"{task['kind']} · {task['stage'] or 'starting'}"),
                completed=task["done"],
                total=task["total"] or None,
            )

        yield move


@contextmanager
def job_bars(console: Console, *, quiet: bool) -> Iterator[Move]:
    """Show a bar for all files of a job, and one for each that is being worked on."""
    with _progress(console, quiet) as bar:
        whole = bar.add_task("starting", total=None)
        rows: dict[int, TaskID] = {}

        def move(job: Mapping[str, Any]) -> None:
            files = job["files"]
            parts = [_part(file) for file in files]
            ended = sum(file["status"] is not None for file in files)
            bar.update(
                whole,
                description=f"{ended} of {len(files)} files",
                completed=sum(parts),
                total=len(files) or None,
            )
            for place, file in enumerate(files):
                working = file["status"] is None and file["stage"] in _SHARES
                if working and place not in rows:
                    rows[place] = bar.add_task("", total=None)
                elif not working and place in rows:
                    bar.remove_task(rows.pop(place))
                if working:
                    total = file["total"]
                    count = f" {file['done']}/{total} {_UNITS[file['stage']]}" if total else ""
                    bar.update(
                        rows[place],
                        description=_shown(f"  {file['name']} · {file['stage']}{count}"),
                        completed=file["done"],
                        total=total or None,
                    )

        yield move


@contextmanager
def bytes_bar(console: Console, *, quiet: bool) -> Iterator[Callable[[str, int, int], None]]:
    """Show how many bytes have come; yields the function that is given a name, bytes done and in all."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=console, transient=True, disable=quiet or not console.is_terminal) as bar:
        row = bar.add_task("starting", total=None)

        def move(name: str, done: int, total: int) -> None:
            bar.update(row, description=_shown(name), completed=done, total=total or None)

        yield move


def _part(file: Mapping[str, Any]) -> float:
    """Return how much of a file is done, from 0 to 1."""
    if file["status"] is not None:
        return 1.0
    start, share = _SHARES.get(file["stage"], (0.0, 0.0))
    return start + share * (file["done"] / file["total"] if file["total"] else 0.0)


@contextmanager
def _progress(console: Console, quiet: bool) -> Iterator[Progress]:
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=quiet or not console.is_terminal) as bar:
        yield bar


def _shown(text: str) -> str:
    from rag_app.cli.terminal.lines import shown

    return shown(text)
