"""The files that a job is working on: how far they are, which a person cancelled, what comes of them."""

import logging
import shlex
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from ingestion.documents import Status
from ingestion.errors import Cancelled
from ingestion.library import Library
from ingestion.parsing import SUPPORTED_SUFFIXES, ParseLimits
from ingestion.pipeline.context import IngestTask
from ingestion.pipeline.ingest import run
from ingestion.pipeline.progress import IngestProgress, IngestResult
from ingestion.pipeline.staging import Staging
from ingestion.storage.catalogue.job_table import ENDED, SET_ASIDE_AFTER, FileState, Job, JobTable

# Statuses with which an upload is kept: the person may give the password, or try again.
_UNDECIDED = frozenset({Status.NEEDS_PASSWORD, Status.SET_ASIDE})

_logger = logging.getLogger(__name__)

OnProgress = Callable[[IngestProgress], None] | None
IsCancelled = Callable[[], bool] | None
OnResult = Callable[[IngestResult], None] | None


class JobWork:
    """Ingests the files of jobs; keeps in memory what the table of jobs does not have."""

    def __init__(
        self,
        library: Library,
        limits: ParseLimits,
        staging: Staging,
        tell: Callable[[], None],
        on_result: OnResult = None,
    ) -> None:
        self._library = library
        self._limits = limits
        self._staging = staging
        self._tell = tell
        self._on_result = on_result
        self._table = JobTable(library.catalogue.database)
        self.passwords: dict[int, dict[int, str]] = {}  # by job and file
        self.cancelled: set[int] = set()
        self._live: dict[tuple[int, int], FileState] = {}
        self._left_out: set[tuple[int, int]] = set()  # files that a person cancelled, of unfinished jobs
        self._begin_again: set[int] = set()  # jobs whose work has one of these in it
        self._following = threading.Lock()  # of `_live` and `_left_out`

    def with_live(self, job: Job) -> Job:
        """Return a job with its files as they are now."""
        return replace(job, files=tuple(self._live.get((job.id, file.ordinal), file) for file in job.files))

    def leave_out(self, identity: int, ordinal: int) -> None:
        """Cancel a file; where it is in work, the job's other files in work begin again."""
        with self._following:
            self._left_out.add((identity, ordinal))
            known = self._live.pop((identity, ordinal), None)
            self._table.set_stage(identity, ordinal, "cancelled")
        if known is not None:
            self._begin_again.add(identity)

    def ingest(
        self, identity: int, on_progress: OnProgress, cancelled: IsCancelled
    ) -> Generator[IngestResult]:
        """Work on a job's files, anew with those that are left when one in work was cancelled."""
        while True:
            self._begin_again.discard(identity)
            job = self._table.get(identity)
            assert job is not None
            try:
                with closing(self._ingest(self.with_live(job), on_progress, cancelled)) as results:
                    yield from results
            except Cancelled:
                stops = identity in self.cancelled or bool(cancelled and cancelled())
                if stops or identity not in self._begin_again:
                    raise
                self._forget_live(identity)
            else:
                return

    def end(self, job: Job, state: str) -> None:
        """Forget what was known of a job whose work has ended, and drop uploads that nobody needs."""
        self.cancelled.discard(job.id)
        self._begin_again.discard(job.id)
        with self._following:
            left_out = {ordinal for identity, ordinal in self._left_out if identity == job.id}
            self._left_out -= {(job.id, ordinal) for ordinal in left_out}
        self._staging.drop(file for file in job.files if state == "cancelled" or file.ordinal in left_out)
        self._forget_live(job.id)
        if state in ("finished", "cancelled"):
            self.passwords.pop(job.id, None)

    def _ingest(self, job: Job, on_progress: OnProgress, cancelled: IsCancelled) -> Generator[IngestResult]:
        """Work on the files that are left, but for those to be set aside.

        Those that were in work when an earlier process ended come last and each alone, so that a further end
        is blamed on no other file.
        """
        left = [file for file in job.files if file.stage not in ENDED]
        times = self._table.interruptions(job)
        for file in left:
            if times.get(file.ordinal, 0) >= SET_ASIDE_AFTER:
                yield self._set_aside(job, file)
        doubtful = [file for file in left if 0 < times.get(file.ordinal, 0) < SET_ASIDE_AFTER]
        for todo in [[file for file in left if not times.get(file.ordinal)], *([file] for file in doubtful)]:
            if todo:
                yield from self._ingest_together(job, todo, on_progress, cancelled)
                if times:
                    self._table.forget_interruptions(job.collection, [file.source for file in todo])

    def _set_aside(self, job: Job, file: FileState) -> IngestResult:
        error = (
            f"set aside: the application ended {SET_ASIDE_AFTER} times while it worked on {file.name}, "
            "perhaps for want of memory. To try it again all the same: "
            f"rag-app jobs retry {job.id} --file {shlex.quote(file.name)}"
        )
        result = IngestResult(file.source, file.name, Status.SET_ASIDE, error, file=file.ordinal)
        self._finish(job.id, file, result)
        return result

    def _ingest_together(
        self, job: Job, todo: Sequence[FileState], on_progress: OnProgress, cancelled: IsCancelled
    ) -> Generator[IngestResult]:
        words = self.passwords.get(job.id, {})
        tasks = [
            IngestTask(Path(file.file), file.source, words.get(file.ordinal), file.encoding) for file in todo
        ]

        def progress(step: IngestProgress) -> None:
            self._follow(job.id, todo[step.file - 1], step)
            if on_progress:
                on_progress(step)

        def stops() -> bool:
            asked = job.id in self.cancelled or job.id in self._begin_again
            return asked or bool(cancelled and cancelled())

        results = run(
            self._library,
            tasks,
            collection=job.collection,
            limits=self._limits,
            on_progress=progress,
            cancelled=stops,
            left_out=lambda number: (job.id, todo[number - 1].ordinal) in self._left_out,
        )
        with closing(results):
            for result in results:
                file = todo[result.file - 1]
                self._finish(job.id, file, result)
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
            file,
            stage="done",
            status=result.status,
            error=result.error,
            document_id=result.document_id,
            sha256=result.sha256,
            pages=result.pages,
            pages_failed=result.pages_failed,
            chunks=result.chunks,
            done=result.chunks,
            total=result.chunks,
            warnings=result.warnings,
        )
        self._table.finish_file(identity, ended)
        suffix = Path(file.name).suffix.lower()
        _logger.info(
            "job %d, file %d (%s): %s, %d pages, %d chunks in %.0f ms",
            identity,
            file.ordinal,
            suffix if suffix in SUPPORTED_SUFFIXES else "other type",
            result.status,
            result.pages,
            result.chunks,
            sum(value for _, value in result.timings_ms),
        )
        self._live.pop((identity, file.ordinal), None)
        if result.status not in _UNDECIDED and not result.is_fault:
            self._staging.drop([file])
        if self._on_result:
            self._on_result(result)
        self._tell()

    def _forget_live(self, identity: int) -> None:
        with self._following:
            for key in [key for key in self._live if key[0] == identity]:
                del self._live[key]
