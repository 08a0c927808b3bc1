"""The job queue: ingestion that outlives the process, goes on after a restart, and can be stopped.

    submit → queued ─▶ running ─▶ finished        a kill, a stop: queued again when the library is opened
                          ├─────▶ cancelled       what was committed stays
                          └─────▶ failed          the library cannot be written: retry when it can

Jobs are worked off one after the other, in a thread (`start`) or in the caller's own (`run`).
"""

import logging
import threading
from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from ingestion.documents import Status
from ingestion.errors import Cancelled, InvalidInput, RagError, UnknownName
from ingestion.library import Library
from ingestion.parsing import SUPPORTED_SUFFIXES, ParseLimits, encoding_named, known_names
from ingestion.pipeline.folder_sync import list_files, remove_gone
from ingestion.pipeline.folder_sync import sync as plan_sync
from ingestion.pipeline.ingest import IngestProgress, IngestResult, IngestTask, run
from ingestion.pipeline.staging import Staging
from ingestion.storage.catalogue.job_table import FileState, Job, JobTable
from ingestion.storage.originals import readable
from ingestion.text.leftovers import PassedOver
from ingestion.text.names import UPLOAD, composed

__all__ = ["UPLOAD", "FileState", "Job", "Jobs"]

_ALL = 1 << 31
# With these a staged file is kept: the person may give the password, or try again.
_UNDECIDED = frozenset({Status.NEEDS_PASSWORD})
_ENDED = ("done", "cancelled")  # stages

_logger = logging.getLogger(__name__)


class Jobs:
    """The queue of one open library. Safe to use from several threads."""

    def __init__(self, library: Library, *, limits: ParseLimits, staging: Path) -> None:
        self._library = library
        self._limits = limits
        self._staging = Staging(staging)
        self._table = JobTable(library.catalogue.database)
        self._turn = threading.Lock()  # one job at a time
        self._changed = threading.Condition()
        self._live: dict[tuple[int, int], FileState] = {}
        self._passwords: dict[int, dict[int, str]] = {}  # by job and file
        self._cancelled: set[int] = set()
        self._left_out: set[tuple[int, int]] = set()  # files that a person cancelled, of unfinished jobs
        self._begin_again: set[int] = set()  # jobs that one of these is being worked on in
        self._following = threading.Lock()  # of `_live` and `_left_out`
        self._tidying = threading.Lock()  # no upload is cleared away while a job takes it up again
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        for job in self._table.unfinished():  # of an earlier process
            self._table.set_state(job.id, "queued")
        self._staging.drop_all_but(file for job in self._table.all(_ALL) for file in job.files)

    # Asking

    def list(self, limit: int = 50) -> Sequence[Job]:
        """Return the newest jobs, newest first, with their files as they are now."""
        return [self._with_live(job) for job in self._table.all(limit)]

    def get(self, identity: int) -> Job:
        """Raises UnknownName."""
        job = self._table.get(identity)
        if job is None:
            raise UnknownName("job", str(identity), [str(job.id) for job in self._table.all()])
        return self._with_live(job)

    @property
    def active(self) -> Sequence[Job]:
        """The jobs that run or wait, oldest first."""
        return [self._with_live(job) for job in self._table.unfinished()]

    def wait(self, identity: int, timeout: float | None = None) -> Job:
        """Return the job when it has ended, or as it is after so many seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self.get(identity).state not in ("queued", "running"), timeout)
        return self.get(identity)

    # Submitting

    def submit(
        self,
        paths: Sequence[Path],
        *,
        collection: str,
        uploaded: bool = False,
        sync: bool = False,
        passwords: Mapping[str, str] | None = None,
        encoding: str | None = None,
    ) -> Job:
        """Queue files and folders.

        `uploaded` files are moved into the library's own folder and known by their names alone. With
        `sync` the one path is a folder that the collection shall mirror: what has gone from it is
        removed when the others are done. Passwords are by path and kept in memory only. `encoding`
        is what those files are in that are text, by any of its names. Raises InvalidInput.
        """
        told = _encoding(encoding)
        self._library.catalogue.ensure_collection(collection)
        folder = None
        passed_over: tuple[PassedOver, ...] = ()
        if sync:
            folder, files, passed_over = self._synced(paths, collection)
        elif uploaded:
            files = self._staging.take(paths)
        else:
            listing = list_files(paths)
            files, passed_over = [_file_state(file) for file in listing.files], listing.passed_over
        files = [replace(file, ordinal=number, encoding=told) for number, file in enumerate(files, start=1)]
        try:
            return self._queue(collection, files, passwords or {}, folder, passed_over)
        except BaseException:
            self._staging.drop(files)
            raise

    def _queue(
        self,
        collection: str,
        files: Sequence[FileState],
        passwords: Mapping[str, str],
        folder: Path | None = None,
        passed_over: Sequence[PassedOver] = (),
    ) -> Job:
        """Write a job, with its passwords in place before anyone can work on it."""
        words = {
            file.ordinal: passwords[name]
            for file in files
            for name in (file.file, file.source, file.name)
            if name in passwords
        }
        with self._table.inserting(collection, files, folder, passed_over) as job:
            self._passwords[job.id] = words
        self._tell()
        return job

    def _synced(
        self, paths: Sequence[Path], collection: str
    ) -> tuple[Path, Sequence[FileState], tuple[PassedOver, ...]]:
        if len(paths) != 1:
            raise InvalidInput(f"a collection mirrors one folder, and {len(paths)} were given; name one")
        plan = plan_sync(self._library, paths[0], collection)
        files = sorted((*plan.add, *plan.replace, *plan.unchanged))
        return plan.folder, [_file_state(file) for file in files], plan.passed_over

    # Changing

    def cancel(self, identity: int) -> Job:
        """Stop a job, or take it off the queue; what is committed stays. An ended one stays as it is."""
        job = self.get(identity)
        if self._table.cancel_waiting(identity):
            self._staging.drop(job.files)
        elif self.get(identity).state == "running":
            self._cancelled.add(identity)
        self._tell()
        return self.get(identity)

    def cancel_file(self, identity: int, ordinal: int) -> Job:
        """Leave one file out of a job that has not ended; one that is committed stays.

        Where it is being worked on, what else the job has in work begins again. The job is cancelled with
        its last file, unless another file has come to its end: then it finishes. Raises UnknownName.
        """
        job = self.get(identity)
        if ordinal not in {file.ordinal for file in job.files}:
            raise UnknownName("file", f"{identity}:{ordinal}", ())
        left = {file.ordinal for file in job.files if file.stage not in _ENDED}
        if job.finished or ordinal not in left:
            return job
        if left == {ordinal} and all(file.stage != "done" for file in job.files):
            return self.cancel(identity)
        with self._following:
            self._left_out.add((identity, ordinal))
            known = self._live.pop((identity, ordinal), None)
            self._table.set_stage(identity, ordinal, "cancelled")
        if known is not None:
            self._begin_again.add(identity)
        if job.state == "queued":
            self._staging.drop(file for file in job.files if file.ordinal == ordinal)
        self._tell()
        return self.get(identity)

    def retry(
        self,
        identity: int,
        passwords: Mapping[str, str] | None = None,
        *,
        files: Collection[int] | None = None,
        encoding: str | None = None,
    ) -> Job:
        """Queue what failed, or was left undone, as a new job; of `files` (ordinals), if they are given.

        Without an `encoding` files keep theirs. Raises UnknownName; InvalidInput where there is nothing to do
        again, or its uploads are gone.
        """
        told = _encoding(encoding)
        job = self.get(identity)
        if job.state in ("queued", "running"):
            raise InvalidInput(f"job {identity} has not ended; cancel it first, or wait for it")
        asked = [file for file in job.files if files is None or file.ordinal in files]
        again = [file for file in asked if file.status is None or not file.status.is_success]
        with self._tidying:
            taken = self._held()  # by a job that tries them again already, and deletes them then
            again = [
                file
                for file in again
                if not file.staged or (file.file not in taken and Path(file.file).exists())
            ]
            if not again:
                raise InvalidInput(f"job {identity} has nothing to try again; ingest the files themselves")
            anew = [
                FileState(
                    number, file.file, file.source, file.name, file.staged, encoding=told or file.encoding
                )
                for number, file in enumerate(again, start=1)
            ]
            return self._queue(job.collection, anew, passwords or {})

    def clear(self) -> int:
        """Forget the jobs that have ended, and uploads that only they knew; return how many."""
        with self._tidying:
            ended = [job for job in self.list(_ALL) if job.finished]
            held = self._held()
            for job in ended:
                self._staging.drop(job.files, keep=held)
            count = self._table.clear([job.id for job in ended])
        self._tell()
        return count

    def _held(self) -> set[str]:
        """Return the files that jobs which have not ended need."""
        return {file.file for job in self.active for file in job.files if file.stage not in _ENDED}

    # Working

    def start(self) -> None:
        """Work the queue off in a thread, from what an earlier process left on."""
        self._stopping.clear()
        self._thread = threading.Thread(target=self._work, name="jobs", daemon=True)
        self._thread.start()

    def stop(self, timeout: float | None = None) -> None:
        """Stop soon; what is not committed is queued again."""
        self._stopping.set()
        self._tell()
        if self._thread is not None:
            self._thread.join(timeout)
            self._thread = None

    def run(
        self,
        identity: int,
        *,
        on_progress: Callable[[IngestProgress], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> Generator[IngestResult]:
        """Work one job off in the caller's thread; yield each file's result.

        When the caller stops, by closing or an interrupt, the rest stays queued. Raises Cancelled where
        `cancelled` turns true or someone cancels the job, LibraryError where the library cannot be written.
        """
        with self._turn:
            job = self.get(identity)
            if not self._table.begin(identity):
                return
            state, error = "queued", None
            _logger.info("job %d: %d files", identity, len(job.files))
            try:
                yield from self._ingest_all(identity, on_progress, cancelled)
                if job.folder is not None:
                    # Last: a file that was moved is known by its new path now, and keeps its document.
                    remove_gone(self._library, job.folder, job.collection)
                state = "finished"
            except Cancelled:
                state = (
                    "cancelled" if identity in self._cancelled or not self._stopping.is_set() else "queued"
                )
                raise
            except RagError as problem:
                state, error = "failed", str(problem)
                raise
            except Exception as fault:
                state, error = "failed", f"a fault of the application: {fault!r}; try the job again"
                raise
            finally:
                self._end(identity, state, error)

    def _work(self) -> None:
        while not self._stopping.is_set():
            waiting = self._table.next_waiting()
            if waiting is None:
                with self._changed:
                    self._changed.wait(1.0)
                continue
            try:
                for _ in self.run(waiting, cancelled=self._stopping.is_set):
                    pass
            except RagError:
                continue  # it is in the job's state, which people see
            except Exception:  # one job's fault must not keep all the others waiting
                _logger.exception("job %d failed", waiting)

    def _ingest_all(
        self,
        identity: int,
        on_progress: Callable[[IngestProgress], None] | None,
        cancelled: Callable[[], bool] | None,
    ) -> Generator[IngestResult]:
        """Work on a job's files, anew with those that are left when one in work was cancelled."""
        while True:
            self._begin_again.discard(identity)
            try:
                with closing(self._ingest(self.get(identity), on_progress, cancelled)) as results:
                    yield from results
            except Cancelled:
                stops = identity in self._cancelled or bool(cancelled and cancelled())
                if stops or identity not in self._begin_again:
                    raise
                self._forget_live(identity)
            else:
                return

    def _ingest(
        self,
        job: Job,
        on_progress: Callable[[IngestProgress], None] | None,
        cancelled: Callable[[], bool] | None,
    ) -> Generator[IngestResult]:
        todo = [file for file in job.files if file.stage not in _ENDED]
        words = self._passwords.get(job.id, {})
        tasks = [
            IngestTask(Path(file.file), file.source, words.get(file.ordinal), file.encoding) for file in todo
        ]

        def progress(step: IngestProgress) -> None:
            self._follow(job.id, todo[step.file - 1], step)
            if on_progress:
                on_progress(step)

        def stops() -> bool:
            asked = job.id in self._cancelled or job.id in self._begin_again
            return asked or bool(cancelled and cancelled())

        results = run(
            self._library, tasks, collection=job.collection, limits=self._limits,
            on_progress=progress, cancelled=stops,
            left_out=lambda number: (job.id, todo[number - 1].ordinal) in self._left_out,
        )  # fmt: skip
        with closing(results):
            for result in results:
                self._finish(job.id, todo[result.file - 1], result)
                yield result

    def _follow(self, identity: int, file: FileState, step: IngestProgress) -> None:
        with self._following:
            if (identity, file.ordinal) in self._left_out:
                self._begin_again.add(identity)  # it was taken up at the same moment
                return
            known = self._live.get((identity, file.ordinal), file)
            if known.stage != step.stage.value:
                self._table.set_stage(identity, file.ordinal, step.stage.value)
            self._live[identity, file.ordinal] = replace(
                known, stage=step.stage.value, done=step.done, total=step.total
            )

    def _finish(self, identity: int, file: FileState, result: IngestResult) -> None:
        if (identity, file.ordinal) in self._left_out and result.document_id is None:
            return  # cancelled before it was committed
        ended = replace(
            file, stage="done", status=result.status, error=result.error, document_id=result.document_id,
            sha256=result.sha256, pages=result.pages, pages_failed=result.pages_failed, chunks=result.chunks,
            done=result.chunks, total=result.chunks, warnings=result.warnings,
        )  # fmt: skip
        self._table.finish_file(identity, ended)
        suffix = Path(file.name).suffix.lower()
        _logger.info(
            "job %d, file %d (%s): %s, %d pages, %d chunks in %.0f ms",
            identity, file.ordinal, suffix if suffix in SUPPORTED_SUFFIXES else "other type", result.status,
            result.pages, result.chunks, sum(value for _, value in result.timings_ms),
        )  # fmt: skip
        self._live.pop((identity, file.ordinal), None)
        if result.status not in _UNDECIDED:
            self._staging.drop([file])
        self._tell()

    def _end(self, identity: int, state: str, error: str | None) -> None:
        self._table.set_state(identity, state, error)
        _logger.info("job %d is %s", identity, state)
        self._cancelled.discard(identity)
        self._begin_again.discard(identity)
        with self._following:
            left_out = {ordinal for job, ordinal in self._left_out if job == identity}
            self._left_out -= {(identity, ordinal) for ordinal in left_out}
        job = self.get(identity)
        self._staging.drop(file for file in job.files if state == "cancelled" or file.ordinal in left_out)
        self._forget_live(identity)
        if state in ("finished", "cancelled"):
            self._passwords.pop(identity, None)
        self._tell()

    def _forget_live(self, identity: int) -> None:
        with self._following:
            for key in [key for key in self._live if key[0] == identity]:
                del self._live[key]

    def _with_live(self, job: Job) -> Job:
        return replace(job, files=tuple(self._live.get((job.id, file.ordinal), file) for file in job.files))

    def _tell(self) -> None:
        with self._changed:
            self._changed.notify_all()


def _encoding(name: str | None) -> str | None:
    """Python's name of an encoding. Raises InvalidInput for a name that is not known."""
    if name is None or not name.strip():
        return None
    if (known := encoding_named(name)) is None:
        raise InvalidInput(f"nobody knows the encoding {name[:40]!r}; there are: {known_names()}")
    return known


def _file_state(file: Path) -> FileState:
    try:
        source = str(file.resolve())
    except (OSError, RuntimeError, ValueError):  # a loop of links: reported when it is read
        source = str(file)
    return FileState(0, str(file), readable(source), composed(readable(file.name)), staged=False)
