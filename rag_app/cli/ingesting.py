"""ingest: files and folders through the queue."""

import queue
import sys
import threading
import time
from contextlib import suppress
from getpass import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from ingestion.errors import InvalidInput
from ingestion.text.leftovers import summary
from rag_app.cli.common import Collection, Fields, Json, service
from rag_app.cli.following import exit_for, failures, follow, print_failed
from rag_app.cli.terminal.lines import shown

if TYPE_CHECKING:
    from rag_app.service.protocol import Service

_PASSWORD_TRIES = 3
# Seconds: how soon Ctrl-C is noticed while nothing changes.
_TICK = 0.2


def ingest(
    context: typer.Context,
    paths: Annotated[list[Path] | None, typer.Argument(help="Files and folders.")] = None,
    sync: Annotated[
        list[Path] | None,
        typer.Option("--sync", metavar="FOLDER", help="A folder to follow: what is gone from it goes."),
    ] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Go on with changes of the --sync folders.")] = False,
    collection: Collection = None,
    password_prompt: Annotated[
        bool, typer.Option(help="Ask for passwords of encrypted files, on a terminal.")
    ] = True,
    encoding: Annotated[
        str | None,
        typer.Option(
            "--encoding",
            metavar="NAME",
            help="What text files (.txt, .md, .csv, .html) are in, like windows-1251; else it is found out.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Add documents; replace those whose files have changed."""
    from rag_app.contract import output

    if not paths and not sync:
        raise InvalidInput("nothing to ingest; name files or folders, or a folder with --sync")
    if watch and (not sync or as_json):
        raise InvalidInput("--watch goes with --sync FOLDER and without --json")
    console = Console(stderr=as_json)
    started = time.perf_counter()
    asks = password_prompt and not as_json and sys.stdin.isatty() and sys.stderr.isatty()
    with service(context) as library:
        work = _Work(library, collection, console, encoding=encoding, quiet=as_json, asks=asks)
        if paths:
            work.do(paths)
        for folder in sync or ():
            work.do([folder], sync=True)
        if watch:
            work.watch(sync or [])
    if as_json:
        fields = [output.ingest_fields(job, 1000 * (time.perf_counter() - started)) for job in work.jobs]
        typer.echo(output.dump(_joined(fields)))
    exit_for(work.jobs)


class _Work:
    """One command's jobs, one after another."""

    def __init__(
        self,
        library: "Service",
        collection: str | None,
        console: Console,
        *,
        encoding: str | None,
        quiet: bool,
        asks: bool,
    ) -> None:
        self.jobs: list[Fields] = []
        self._library = library
        self._collection = collection
        self._console = console
        self._encoding = encoding
        self._quiet = quiet
        self._asks = asks

    def do(self, paths: list[Path], *, sync: bool = False) -> None:
        """Ingest, ask for the passwords that are wanted, and say what failed."""
        from rag_app.contract.requests import IngestRequest

        request = IngestRequest.of(
            paths=[str(path) for path in paths],
            sync=sync,
            collection=self._collection,
            encoding=self._encoding,
        )
        job = follow(self._library, self._library.submit(request), self._console, quiet=self._quiet)
        if self._asks:
            job = self._with_passwords(job)
        if not self._quiet:
            print_failed(self._console, job)
            self._say_passed_over(job)
        self.jobs.append(job)

    def _say_passed_over(self, job: Fields) -> None:
        """Say what was no document, once."""
        known = {file["path"] for earlier in self.jobs for file in earlier["passed_over"]}
        files = [file for file in job["passed_over"] if file["path"] not in known]
        if files:
            said = summary([(file["name"], file["kind"]) for file in files])
            self._console.print(shown(said), highlight=False, soft_wrap=True)

    def watch(self, folders: list[Path]) -> None:
        """Take in changes of the folders until Ctrl-C."""
        changed: queue.SimpleQueue[Path] = queue.SimpleQueue()
        stop = threading.Event()
        for folder in folders:
            threading.Thread(target=_tell_changes, args=(folder, stop, changed), daemon=True).start()
        self._console.print("watching; Ctrl-C ends it")
        try:
            while True:
                with suppress(queue.Empty):
                    self._take_in(changed.get(timeout=_TICK))
        finally:
            stop.set()

    def _take_in(self, folder: Path) -> None:
        try:
            self.do([folder], sync=True)
        except InvalidInput as error:  # the folder is gone or empty for now, as a disk that is unplugged
            self._console.print(f"[yellow]{shown(str(error))}[/]", soft_wrap=True)

    def _with_passwords(self, job: Fields) -> Fields:
        """Ask for passwords and ingest again; return the job with what became of those files.

        A password goes from the terminal to the parser, and is kept nowhere.
        """
        from rag_app.cli.terminal import lines
        from rag_app.contract.requests import IngestRequest

        left_out: set[str] = set()
        for _ in range(_PASSWORD_TRIES):
            passwords: dict[str, str] = {}
            for file in failures(job):
                path = file["path"]
                if file["status"] != "needs_password" or path in left_out:
                    continue
                word = _asked(f"password of {lines.harmless(file['name'])} (Enter leaves it out): ")
                if word:
                    passwords[path] = word
                else:
                    left_out.add(path)
            if not passwords:
                break
            request = IngestRequest.of(
                paths=list(passwords), passwords=passwords, collection=self._collection
            )
            again = follow(self._library, self._library.submit(request), self._console, quiet=self._quiet)
            ended = {file["path"]: file for file in again["files"]}
            job = {**job, "files": [ended.get(file["path"], file) for file in job["files"]]}
        return job


def _tell_changes(folder: Path, stop: threading.Event, changed: "queue.SimpleQueue[Path]") -> None:
    from ingestion.pipeline.folder_sync import watch

    for _ in watch(folder, stop=stop):
        changed.put(folder)


def _asked(question: str) -> str:
    try:
        return getpass(question)
    except EOFError:
        return ""


def _joined(parts: list[Fields]) -> Fields:
    """Return the fields of several jobs as those of one; the total is that of the last, who began first."""
    stages: dict[str, float] = {}
    for part in parts:
        for stage, milliseconds in part["timings_ms"].items():
            stages[stage] = stages.get(stage, 0.0) + milliseconds if stage != "total" else milliseconds
    return {
        "documents": [document for part in parts for document in part["documents"]],
        "passed_over": [file for part in parts for file in part["passed_over"]],
        "timings_ms": stages,
        "job_id": parts[-1]["job_id"],
    }
