"""ingest: files and folders through the queue."""

import logging
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

from ingestion.errors import InvalidInput, RagError
from ingestion.text.leftovers import summary
from rag_app.cli.common import Collection, Json, open_service
from rag_app.cli.progress import exit_for, failures, follow, print_failed
from rag_app.cli.terminal.lines import harmless, print_unreadable, shown
from rag_app.contract.jobs import IngestResponse, JobFields
from rag_app.contract.requests import IngestRequest
from rag_app.contract.schema import to_json

if TYPE_CHECKING:
    from rag_app.service.protocol import Service

_PASSWORD_TRIES = 3
# Seconds: how soon Ctrl-C is noticed while nothing changes.
_TICK = 0.2

_logger = logging.getLogger(__name__)


def ingest(
    context: typer.Context,
    paths: Annotated[list[Path] | None, typer.Argument(help="Files and folders.")] = None,
    sync: Annotated[
        list[Path] | None,
        typer.Option(
            "--sync", metavar="FOLDER", help="A folder to follow: documents whose files are gone are deleted."
        ),
    ] = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Keep following the --sync folders until Ctrl-C.")
    ] = False,
    collection: Collection = None,
    password_prompt: Annotated[
        bool, typer.Option(help="Ask for passwords of encrypted files, on a terminal.")
    ] = True,
    encoding: Annotated[
        str | None,
        typer.Option(
            "--encoding",
            metavar="NAME",
            help="Encoding of text files (.txt, .md, .csv, .html), like windows-1251; default: detected.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Add documents; replace those whose files have changed."""
    if not paths and not sync:
        raise InvalidInput("nothing to ingest; name files or folders, or a folder with --sync")
    if watch and (not sync or as_json):
        raise InvalidInput("--watch goes with --sync FOLDER and without --json")
    console = Console(stderr=as_json)
    started = time.perf_counter()
    asks = password_prompt and not as_json and sys.stdin.isatty() and sys.stderr.isatty()
    with open_service(context) as service:
        work = _Work(service, collection, console, encoding=encoding, quiet=as_json, asks=asks)
        if paths:
            work.do(paths)
        for folder in sync or ():
            work.do([folder], sync=True)
        if watch:
            work.watch(sync or [])
    if as_json:
        total_ms = 1000 * (time.perf_counter() - started)
        typer.echo(to_json(IngestResponse.of_jobs(work.jobs, total_ms)))
    exit_for(work.jobs)


class _Work:
    """One command's jobs, one after another."""

    def __init__(
        self,
        service: "Service",
        collection: str | None,
        console: Console,
        *,
        encoding: str | None,
        quiet: bool,
        asks: bool,
    ) -> None:
        self.jobs: list[JobFields] = []
        self._service = service
        self._collection = collection
        self._console = console
        self._encoding = encoding
        self._quiet = quiet
        self._asks = asks

    def do(self, paths: list[Path], *, sync: bool = False) -> None:
        """Ingest, ask for missing passwords, and print the files that failed."""
        request = IngestRequest.of(
            paths=[str(path) for path in paths],
            sync=sync,
            collection=self._collection,
            encoding=self._encoding,
        )
        job = follow(self._service, self._service.submit(request), self._console, quiet=self._quiet)
        if self._asks:
            job = self._with_passwords(job)
        if not self._quiet:
            print_failed(self._console, job)
            self._say_passed_over(job)
        self.jobs.append(job)

    def _say_passed_over(self, job: JobFields) -> None:
        """Print the folders that could not be searched, and the files that are no documents, once."""
        said_before = {folder.path for earlier in self.jobs for folder in earlier.unreadable}
        print_unreadable(self._console, [one for one in job.unreadable if one.path not in said_before])
        known = {file.path for earlier in self.jobs for file in earlier.passed_over}
        files = [file for file in job.passed_over if file.path not in known]
        if files:
            said = summary([(file.name, file.kind) for file in files])
            self._console.print(shown(said), highlight=False, soft_wrap=True)

    def watch(self, folders: list[Path]) -> None:
        """Ingest changes of the folders until Ctrl-C."""
        changed: queue.SimpleQueue[Path | Exception] = queue.SimpleQueue()
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

    def _take_in(self, folder: Path | Exception) -> None:
        if isinstance(folder, Exception):
            raise folder
        try:
            self.do([folder], sync=True)
        except InvalidInput as error:  # the folder is gone or empty for now, as a disk that is unplugged
            self._console.print(f"[yellow]{shown(str(error))}[/]", soft_wrap=True)

    def _with_passwords(self, job: JobFields) -> JobFields:
        """Ask for passwords and ingest again; return the job with the new results of those files.

        A password goes from the terminal to the parser, and is kept nowhere.
        """
        left_out: set[str] = set()
        for _ in range(_PASSWORD_TRIES):
            passwords: dict[str, str] = {}
            for file in failures(job):
                path = file.path
                if file.status != "needs_password" or path in left_out:
                    continue
                word = _asked(f"password of {harmless(file.name)} (Enter leaves it out): ")
                if word:
                    passwords[path] = word
                else:
                    left_out.add(path)
            if not passwords:
                break
            request = IngestRequest.of(
                paths=list(passwords), passwords=passwords, collection=self._collection
            )
            again = follow(self._service, self._service.submit(request), self._console, quiet=self._quiet)
            ended = {file.path: file for file in again.files}
            files = tuple(ended.get(file.path, file) for file in job.files)
            job = job.model_copy(update={"files": files})
        return job


def _tell_changes(
    folder: Path, stop: threading.Event, changed: "queue.SimpleQueue[Path | Exception]"
) -> None:
    """Put the folder into the queue at each change of it, and an error that ends the watching."""
    from ingestion.pipeline.folder_sync import watch

    try:
        for _ in watch(folder, stop=stop):
            changed.put(folder)
    except Exception as error:  # the command would wait for ever
        _logger.exception("a folder can be watched no more")
        changed.put(error if isinstance(error, RagError) else _unwatched(folder, error))


def _unwatched(folder: Path, error: Exception) -> RagError:
    return RagError(
        f"the folder {folder} can be watched no more: {error}; try again. Where too many files are open or "
        "watched, raise the limit (ulimit -n, fs.inotify.max_user_watches)"
    )


def _asked(question: str) -> str:
    try:
        return getpass(question)
    except EOFError:
        return ""
