"""The job queue: ingestion that outlives the process, goes on after a restart, and can be stopped.

    submit → queued ─▶ running ─▶ finished        a kill, a stop: queued again when the library is opened
                          ├─────▶ cancelled       what was committed stays
                          └─────▶ failed          the library cannot be written: retry when it can

Jobs are worked off one after the other, in a thread (`start`) or in the caller's own (`run`). A state that
cannot be written, because the disk is full, is kept in memory until it can.
"""

import logging
import threading
from collections.abc import Collection, Generator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from ingestion.documents import Status
from ingestion.errors import Cancelled, InvalidInput, LibraryError, RagError, UnknownName
from ingestion.library import Library
from ingestion.parsing import ParseLimits
from ingestion.pipeline.admission import encoding_given
from ingestion.pipeline.context import is_interrupt
from ingestion.pipeline.folder_sync import Listing, list_files, remove_gone
from ingestion.pipeline.folder_sync import sync as plan_sync
from ingestion.pipeline.job_thread import JobThread
from ingestion.pipeline.job_work import IsCancelled, JobWork, OnProgress, OnResult
from ingestion.pipeline.progress import IngestResult
from ingestion.pipeline.staging import Staging, file_state
from ingestion.storage.catalogue.job_table import ENDED, SET_ASIDE_AFTER, FileState, Job, JobTable
from ingestion.storage.job_states import JobStates
from ingestion.text.names import UPLOAD, as_on_disk

__all__ = ["UPLOAD", "FileState", "Job", "Jobs"]

_ALL = 1 << 31
_NOTHING = Listing(())

_logger = logging.getLogger(__name__)


class Jobs:
    """The queue of one open library. Safe to use from several threads."""

    def __init__(
        self, library: Library, *, limits: ParseLimits, staging: Path, on_result: OnResult = None
    ) -> None:
        """`on_result` gets what comes of each file."""
        self._library = library
        self._staging = Staging(staging)
        self._table = JobTable(library.catalogue.database)
        self._states = JobStates(self._table, library.reserve)
        self._turn = threading.Lock()  # one job at a time
        self._changed = threading.Condition()
        self._work = JobWork(library, limits, self._staging, self._tell, on_result)
        self._tidying = threading.Lock()  # no upload is cleared away while a job takes it up again
        self._stopping = threading.Event()
        self._thread: JobThread | None = None
        for job in self._table.unfinished():
            if job.state == "running":  # in an earlier process, which was killed
                self._states.write(job.id, "queued", change=partial(self._table.take_over, job))
        self._staging.drop_all_but(file for job in self._table.all(_ALL) for file in job.files)

    # Asking

    def list(self, limit: int = 50) -> Sequence[Job]:
        """Return the newest jobs, newest first, with their files as they are now."""
        return [self._as_it_is(job) for job in self._table.all(limit)]

    def get(self, identity: int) -> Job:
        """Raises UnknownName."""
        job = self._table.get(identity)
        if job is None:
            raise UnknownName("job", str(identity), [str(job.id) for job in self._table.all()])
        return self._as_it_is(job)

    @property
    def active(self) -> Sequence[Job]:
        """The jobs that run or wait, oldest first."""
        jobs = [self._as_it_is(job) for job in self._table.unfinished()]
        return [job for job in jobs if not job.finished]

    @property
    def warnings(self) -> Sequence[str]:
        """When the thread that works on jobs had to be started again, and why."""
        return tuple(self._thread.restarts) if self._thread else ()

    def _as_it_is(self, job: Job) -> Job:
        return self._states.current(self._work.with_live(job))

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
        told = encoding_given(encoding)
        self._library.catalogue.ensure_collection(collection)
        named = {as_on_disk(path).absolute() for path in paths}
        folder = None
        listing = _NOTHING
        if uploaded:
            files = self._staging.take(paths)
        else:
            folder, listing = self._synced(paths, collection) if sync else (None, list_files(paths))
            files = [file_state(file) for file in listing.files]
        files = [replace(file, ordinal=number, encoding=told) for number, file in enumerate(files, start=1)]
        try:
            if not sync:
                self._forgive(collection, [file for file in files if Path(file.file) in named])
            return self._queue(collection, files, passwords or {}, folder, listing)
        except BaseException:
            self._staging.drop(files)
            raise

    def _queue(
        self,
        collection: str,
        files: Sequence[FileState],
        passwords: Mapping[str, str],
        folder: Path | None = None,
        listing: Listing = _NOTHING,
    ) -> Job:
        """Write a job, with its passwords in place before anyone can work on it."""
        words = {
            file.ordinal: passwords[name]
            for file in files
            for name in (file.file, file.source, file.name)
            if name in passwords
        }
        left_out = listing.passed_over, listing.unreadable
        with self._table.inserting(collection, files, folder, *left_out) as job:
            self._work.passwords[job.id] = words
        self._tell()
        return job

    def _forgive(self, collection: str, files: Collection[FileState]) -> None:
        """Work again on files that were set aside, now that a person names them."""
        sources = [file.source for file in files]
        self._table.forget_interruptions(collection, sources, least=SET_ASIDE_AFTER)

    def _synced(self, paths: Sequence[Path], collection: str) -> tuple[Path, Listing]:
        if len(paths) != 1:
            raise InvalidInput(f"a collection mirrors one folder, and {len(paths)} were given; name one")
        plan = plan_sync(self._library, paths[0], collection)
        files = sorted((*plan.add, *plan.replace, *plan.unchanged))
        return plan.folder, Listing(tuple(files), plan.unreadable, plan.passed_over)

    # Changing

    def cancel(self, identity: int) -> Job:
        """Stop a job, or take it off the queue; what is committed stays. An ended one stays as it is."""
        job = self.get(identity)
        if job.state == "queued":
            self._states.write(identity, "cancelled", change=lambda: self._table.cancel_waiting(identity))
        now = self.get(identity).state
        if job.state == "queued" and now == "cancelled":
            self._staging.drop(job.files)
        elif now == "running":
            self._work.cancelled.add(identity)
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
        left = {file.ordinal for file in job.files if file.stage not in ENDED}
        if job.finished or ordinal not in left:
            return job
        if left == {ordinal} and all(file.stage != "done" for file in job.files):
            return self.cancel(identity)
        self._work.leave_out(identity, ordinal)
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

        Files that were set aside are tried only where `files` has them. Without an `encoding` files keep
        theirs. Raises UnknownName; InvalidInput where there is nothing to do again, or its uploads are gone.
        """
        told = encoding_given(encoding)
        job = self.get(identity)
        if job.state in ("queued", "running"):
            raise InvalidInput(f"job {identity} has not ended; cancel it first, or wait for it")
        asked = [file for file in job.files if files is None or file.ordinal in files]
        again = [file for file in asked if file.status is None or not file.status.is_success]
        aside = [file for file in again if file.status is Status.SET_ASIDE]
        again = [file for file in again if files is not None or file not in aside]
        if aside and not again:
            raise InvalidInput(f"job {identity} has only files that were set aside; name those to be tried")
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
            if files is not None:
                self._forgive(job.collection, aside)
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
        return {file.file for job in self.active for file in job.files if file.stage not in ENDED}

    # Working

    def start(self) -> None:
        """Work the queue off in a thread, from what an earlier process left on."""
        self._stopping.clear()
        self._thread = JobThread(self._work_off)

    def stop(self, timeout: float | None = None) -> None:
        """Stop soon; what is not committed is queued again."""
        self._stopping.set()
        self._tell()
        if self._thread is not None:
            self._thread.stop(timeout)
            self._thread = None

    def run(
        self,
        identity: int,
        *,
        on_progress: OnProgress = None,
        cancelled: IsCancelled = None,
    ) -> Generator[IngestResult]:
        """Work one job off in the caller's thread; yield each file's result.

        When the caller stops, by closing or an interrupt, the rest stays queued. Raises Cancelled where
        `cancelled` turns true or someone cancels the job, LibraryError where the library cannot be written.
        """
        with self._turn:
            job = self.get(identity)
            if not self._begin(identity):
                return
            state, error = "queued", None
            _logger.info("job %d: %d files", identity, len(job.files))
            try:
                self._library.reserve.ensure_room()
                yield from self._work.ingest(identity, on_progress, cancelled)
                if job.folder is not None:
                    # Last: a file that was moved is known by its new path now, and keeps its document.
                    remove_gone(self._library, job.folder, job.collection)
                state = "finished"
            except Cancelled:
                asked = identity in self._work.cancelled or not self._stopping.is_set()
                state = "cancelled" if asked else "queued"
                raise
            except RagError as problem:
                state, error = "failed", str(problem)
                raise
            except BaseException as fault:
                if not isinstance(fault, GeneratorExit) and not is_interrupt(fault):
                    state, error = "failed", f"a fault of the application: {fault!r}; try the job again"
                    _logger.exception("job %d failed", identity)
                raise
            finally:
                self._states.write(identity, state, error)
                _logger.info("job %d is %s", identity, state)
                self._work.end(self.get(identity), state)
                self._tell()

    def _begin(self, identity: int) -> bool:
        """Take a job off the queue; return whether it waited. Raises LibraryError, and the job has failed."""
        self._states.write_unsaved()
        try:
            return identity not in self._states.unsaved and self._table.begin(identity)
        except LibraryError as problem:
            self._states.write(identity, "failed", str(problem))
            raise

    def _work_off(self) -> None:
        while not self._stopping.is_set():
            self._states.write_unsaved()
            waiting = self._table.next_waiting(but=self._states.unsaved)
            if waiting is None:
                with self._changed:
                    self._changed.wait(1.0)
                continue
            try:
                for _ in self.run(waiting, cancelled=self._stopping.is_set):
                    pass
            except RagError:
                continue  # it is in the job's state, which people see
            except Exception:  # noqa: BLE001  # logged already; it must not keep the other jobs waiting
                continue

    def _tell(self) -> None:
        with self._changed:
            self._changed.notify_all()
