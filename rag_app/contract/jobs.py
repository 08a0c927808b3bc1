"""Jobs: files on their way into the library."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Self

from pydantic import Field

from ingestion.text.names import labels, name_of
from rag_app.contract.schema import Fields, Response, Timings, source

if TYPE_CHECKING:
    from ingestion.pipeline.queue import FileState, Job


class JobFileFields(Fields):
    """A file of a job: how far it is, and how it ended (`status`, null until then)."""

    name: str
    label: str = Field(description="its name, after folders where several files have the name")
    path: str = source("source")
    stage: str
    done: int
    total: int
    status: str | None
    error: str | None
    document_id: str | None
    sha256: str | None
    pages: int
    pages_failed: int
    chunks: int
    warnings: tuple[str, ...]
    timings_ms: Timings = Field(description="empty where they are not known any more")


class PassedOverFields(Fields):
    """A file that is no document."""

    name: str
    path: str
    kind: str


class UnreadableFields(Fields):
    """A folder, or an entry of a folder, that could not be searched for files."""

    name: str
    path: str
    reason: str


class JobFields(Fields):
    """Files that are ingested together."""

    job_id: int = source("id")
    kind: str
    collection: str
    state: str
    created: str
    finished: str | None
    error: str | None = Field(description="why the job as a whole failed")
    files: tuple[JobFileFields, ...]
    passed_over: tuple[PassedOverFields, ...]
    unreadable: tuple[UnreadableFields, ...] = Field(
        (), description="folders that could not be searched for files, and why"
    )

    @classmethod
    def of_job(cls, job: "Job", timings_ms: Mapping[str, Mapping[str, float]]) -> Self:
        """Return a job with its files; `timings_ms` are the stages' by path, as far as known."""
        files = [
            JobFileFields.of(file, name=file.name, label=label, timings_ms=timings_ms.get(file.source, {}))
            for file, label in zip(job.files, file_labels(job.files), strict=True)
        ]
        left_out = [PassedOverFields.of(one, name=name_of(one.path)) for one in job.passed_over]
        unread = [UnreadableFields.of(one, name=name_of(one.path)) for one in job.unreadable]
        return cls.of(job, files=files, passed_over=left_out, unreadable=unread)


class JobResponse(JobFields, Response):
    pass


class JobsResponse(Response):
    jobs: tuple[JobFields, ...]
    warnings: tuple[str, ...] = Field(
        (), description="when the thread that works on jobs had to be started again, and why"
    )


class IngestedFields(Fields):
    """How one file ended."""

    document_id: str | None
    name: str
    path: str
    sha256: str | None
    status: str | None
    pages: int
    pages_failed: int
    chunks: int
    error: str | None
    warnings: tuple[str, ...]


class IngestResponse(Response):
    """How the files of one or several jobs ended."""

    documents: tuple[IngestedFields, ...]
    passed_over: tuple[PassedOverFields, ...]
    unreadable: tuple[UnreadableFields, ...]
    timings_ms: Timings = Field(description="by stage, summed over the files; total is the clock's")
    job_id: int = Field(description="the last job's")

    @classmethod
    def of_jobs(cls, jobs: Sequence[JobFields], total_ms: float) -> Self:
        timings: Counter[str] = Counter()
        for file in (file for job in jobs for file in job.files):
            timings.update(file.timings_ms)
        return cls.of(
            documents=[file for job in jobs for file in job.files],
            passed_over=[file for job in jobs for file in job.passed_over],
            unreadable=[folder for job in jobs for folder in job.unreadable],
            timings_ms={**timings, "total": total_ms},
            job_id=jobs[-1].job_id,
        )


def file_labels(files: "Sequence[FileState]") -> list[str]:
    """Return a name for each file that tells it from the job's other files."""
    counts = Counter(file.name for file in files)
    found = labels({str(place): file.source for place, file in enumerate(files) if counts[file.name] > 1})
    return [found.get(str(place), file.name) for place, file in enumerate(files)]
