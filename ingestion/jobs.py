"""The job queue: ingestion that outlives the process, goes on after a restart, and can be stopped.

    submit → queued ─▶ running ─▶ finished        a kill, a stop: queued again when the library is opened
                          ├─────▶ cancelled       what was committed stays
                          └─────▶ failed          the library cannot be written: retry when it can

Jobs are worked off one after the other, in a thread (`start`) or in the caller's own (`run`).
"""

import shutil
import threading
from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

from ingestion.documents import Status
from ingestion.errors import Cancelled, InvalidInput, RagError, UnknownName
from ingestion.folders import list_files, remove_gone
from ingestion.folders import sync as plan_sync
from ingestion.leftovers import PassedOver
from ingestion.library import Library
from ingestion.names import UPLOAD, composed
from ingestion.originals import readable
from ingestion.parsing import ParseLimits
from ingestion.pipeline import IngestResult, Progress, Task, run
from ingestion.stores.jobs import FileState, Job, JobTable

__all__ = ["UPLOAD", "FileState", "Job", "Jobs"]

_ALL = 1 << 31
# With these a staged file is kept: the person may give the password, or try again.
_UNDECIDED = frozenset({Status.NEEDS_PASSWORD})
_ENDED = ("done", "cancelled")  # stages


class Jobs:
    """The queue of one open library. Safe to use from several threads."""

    def __init__(self, library: Library, *, limits: ParseLimits, staging: Path) -> None:
        self._library = library
        self._limits = limits
        self._staging = staging
        self._table = JobTable(library.catalogue.database)
        self._turn = threading.Lock()  # one job at a time
        self._changed = threading.Condition()
        self._live: dict[tuple[int, int], FileState] = {}
        self._passwords: dict[tuple[int, int], str] = {}
        self._cancelled: set[int] = set()
        self._left_out: set[tuple[int, int]] = set()  # files that a person cancelled, of unfinished jobs
        self._begin_again: set[int] = set()  # jobs that one of these is being worked on in
        self._following = threading.Lock()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        for job in self._table.unfinished():  # of an earlier process
            self._table.set_state(job.id, "queued")
        self._drop_unknown()

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
    ) -> Job:
        """Queue files and folders.

        `uploaded` files are moved into the library's own folder and known by their names alone. With
        `sync` the one path is a folder that the collection shall mirror: what has gone from it is
        removed when the others are done. Passwords are by path and kept in memory only. Raises InvalidInput.
        """
        self._library.catalogue.ensure_collection(collection)
        folder = None
        passed_over: tuple[PassedOver, ...] = ()
        if sync:
            folder, files, passed_over = self._synced(paths, collection)
        elif uploaded:
            for path in paths:
                if not path.is_file():
                    raise InvalidInput(
                        f"the uploaded file {path.name} is not there any more; upload it again"
                    )
            files = [self._stage(path) for path in paths]
        else:
            listing = list_files(paths)
            files, passed_over = [_file_state(file) for file in listing.files], listing.passed_over
        files = [replace(file, ordinal=number) for number, file in enumerate(files, start=1)]
        job = self._table.insert(collection, files, folder, passed_over)
        for file in files:
            for name in (file.file, file.source, file.name):
                if passwords and name in passwords:
                    self._passwords[job.id, file.ordinal] = passwords[name]
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

    def _stage(self, path: Path) -> FileState:
        """Move an uploaded file to where it outlives the upload."""
        self._staging.mkdir(mode=0o700, parents=True, exist_ok=True)
        place = self._staging / uuid4().hex
        place.mkdir(mode=0o700)
        kept = place / path.name
        shutil.move(path, kept)
        return FileState(0, str(kept), UPLOAD + composed(path.name), composed(path.name), staged=True)

    # Changing

    def cancel(self, identity: int) -> Job:
        """Stop a job, or take it off the queue; what is committed stays. An ended one stays as it is."""
        job = self.get(identity)
        if job.state == "running":
            self._cancelled.add(identity)
        elif job.state == "queued":
            self._table.set_state(identity, "cancelled")
            self._drop_staged(self.get(identity))
        self._tell()
        return self.get(identity)

    def cancel_file(self, identity: int, ordinal: int) -> Job:
        """Leave one file out of a job that has not ended; one that is committed stays.

        Where it is being worked on, what else the job has in work begins again. Raises UnknownName.
        """
        job = self.get(identity)
        if ordinal not in {file.ordinal for file in job.files}:
            raise UnknownName("file", f"{identity}:{ordinal}", ())
        left = {file.ordinal for file in job.files if file.stage not in _ENDED}
        if job.finished or ordinal not in left:
            return job
        if left == {ordinal}:
            return self.cancel(identity)
        with self._following:
            self._left_out.add((identity, ordinal))
            known = self._live.pop((identity, ordinal), None)
            self._table.set_stage(identity, ordinal, "cancelled")
        if known is not None:
            self._begin_again.add(identity)
        if job.state == "queued":
            self._drop_staged(job, only={ordinal})
        self._tell()
        return self.get(identity)

    def retry(
        self,
        identity: int,
        passwords: Mapping[str, str] | None = None,
        *,
        files: Collection[int] | None = None,
    ) -> Job:
        """Queue what failed, or was left undone, as a new job; of `files` (ordinals), if they are given.

        Raises UnknownName; InvalidInput where there is nothing to do again, or its uploads are gone.
        """
        job = self.get(identity)
        if job.state in ("queued", "running"):
            raise InvalidInput(f"job {identity} has not ended; cancel it first, or wait for it")
        asked = [file for file in job.files if files is None or file.ordinal in files]
        again = [file for file in asked if file.status is None or not file.status.is_success]
        again = [file for file in again if not file.staged or Path(file.file).exists()]
        if not again:
            raise InvalidInput(f"job {identity} has nothing to try again; ingest the files themselves")
        anew = [
            FileState(number, file.file, file.source, file.name, file.staged)
            for number, file in enumerate(again, start=1)
        ]
        new = self._table.insert(job.collection, anew)
        for file in anew:
            for name in (file.file, file.source, file.name):
                if passwords and name in passwords:
                    self._passwords[new.id, file.ordinal] = passwords[name]
        self._tell()
        return new

    def clear(self) -> int:
        """Forget the jobs that have ended, and uploads that only they knew; return how many."""
        ended = [job for job in self.list(_ALL) if job.finished]
        known = {file.file for job in self.active for file in job.files}
        for job in ended:
            self._drop_staged(job, keep=known)
        count = self._table.clear()
        self._tell()
        return count

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
        on_progress: Callable[[Progress], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> Generator[IngestResult]:
        """Work one job off in the caller's thread; yield each file's result.

        When the caller stops, by closing or an interrupt, the rest stays queued. Raises Cancelled where
        `cancelled` turns true or someone cancels the job, LibraryError where the library cannot be written.
        """
        with self._turn:
            job = self.get(identity)
            if job.state != "queued":
                return
            self._table.set_state(identity, "running")
            state, error = "queued", None
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
            finally:
                self._end(identity, state, error)

    def _work(self) -> None:
        while not self._stopping.is_set():
            waiting = [job for job in self._table.unfinished() if job.state == "queued"]
            if not waiting:
                with self._changed:
                    self._changed.wait(1.0)
                continue
            try:
                for _ in self.run(waiting[0].id, cancelled=self._stopping.is_set):
                    pass
            except RagError:
                continue  # it is in the job's state, which people see

    def _ingest_all(
        self,
        identity: int,
        on_progress: Callable[[Progress], None] | None,
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
                for key in [key for key in self._live if key[0] == identity]:
                    del self._live[key]
            else:
                return

    def _ingest(
        self,
        job: Job,
        on_progress: Callable[[Progress], None] | None,
        cancelled: Callable[[], bool] | None,
    ) -> Generator[IngestResult]:
        todo = [file for file in job.files if file.stage not in _ENDED]
        tasks = [
            Task(Path(file.file), file.source, self._passwords.get((job.id, file.ordinal))) for file in todo
        ]

        def progress(step: Progress) -> None:
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

    def _follow(self, identity: int, file: FileState, step: Progress) -> None:
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
            done=result.chunks, total=result.chunks,
        )  # fmt: skip
        self._table.finish_file(identity, ended)
        self._live.pop((identity, file.ordinal), None)
        if file.staged and result.status not in _UNDECIDED:
            shutil.rmtree(Path(file.file).parent, ignore_errors=True)
        self._tell()

    def _end(self, identity: int, state: str, error: str | None) -> None:
        self._table.set_state(identity, state, error)
        self._cancelled.discard(identity)
        self._begin_again.discard(identity)
        left_out = {ordinal for job, ordinal in self._left_out if job == identity}
        self._drop_staged(self.get(identity), only=left_out)
        self._left_out -= {(identity, ordinal) for ordinal in left_out}
        for key in [key for key in self._live if key[0] == identity]:
            del self._live[key]
        if state in ("finished", "cancelled"):
            for key in [key for key in self._passwords if key[0] == identity]:
                del self._passwords[key]
        if state == "cancelled":
            self._drop_staged(self.get(identity))
        self._tell()

    def _drop_staged(
        self, job: Job, keep: Collection[str] = frozenset(), only: Collection[int] | None = None
    ) -> None:
        for file in job.files:
            if file.staged and file.file not in keep and (only is None or file.ordinal in only):
                shutil.rmtree(Path(file.file).parent, ignore_errors=True)

    def _drop_unknown(self) -> None:
        """Remove uploads that a crash left before their job was written."""
        if self._staging.is_dir():
            known = {Path(file.file).parent for job in self._table.all(_ALL) for file in job.files}
            for place in self._staging.iterdir():
                if place not in known:
                    shutil.rmtree(place, ignore_errors=True)

    def _with_live(self, job: Job) -> Job:
        return replace(job, files=tuple(self._live.get((job.id, file.ordinal), file) for file in job.files))

    def _tell(self) -> None:
        with self._changed:
            self._changed.notify_all()


def _file_state(file: Path) -> FileState:
    try:
        source = str(file.resolve())
    except (OSError, RuntimeError, ValueError):  # a loop of links: reported when it is read
        source = str(file)
    return FileState(0, str(file), readable(source), composed(readable(file.name)), staged=False)
