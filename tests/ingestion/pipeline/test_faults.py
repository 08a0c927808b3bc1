"""Errors that no code foresees, in every stage: each ends its file with a status, and the queue goes on."""

import errno
import logging
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from chromadb.errors import InternalError

from ingestion.errors import DiskFull
from ingestion.library import Library
from ingestion.parsing import ParseLimits
from ingestion.pipeline import ingest as pipeline
from ingestion.pipeline import job_work
from ingestion.pipeline.admission import Admission
from ingestion.pipeline.ingest import run as whole
from ingestion.pipeline.parsing_stage import ParsingStage
from ingestion.pipeline.queue import Jobs
from tests.helpers.store_contents import assert_whole

pytestmark = pytest.mark.slow


class OddEnd(BaseException):
    """An end that is no Exception."""


FAULTS: tuple[BaseException, ...] = (
    MemoryError(),
    OSError(errno.EIO, "Input/output error"),
    OSError(errno.EMFILE, "Too many open files"),
    OSError(errno.EFBIG, "File too large"),
    PermissionError(errno.EACCES, "Permission denied"),
    sqlite3.IntegrityError("UNIQUE constraint failed"),
    sqlite3.OperationalError("database is locked"),
    InternalError("chroma"),
    RuntimeError("can't start new thread"),
    RecursionError("maximum recursion depth exceeded"),
    AssertionError(),
    KeyError("name"),
    UnicodeDecodeError("utf-8", b"x", 0, 1, "invalid start byte"),
    KeyboardInterrupt(),
    SystemExit(3),
    OddEnd("odd"),
)
STAGES = {
    "opened": (Admission, "admit"),
    "read": (ParsingStage, "parse"),
    "encoded": (pipeline, "encode"),
    "written": (pipeline, "write"),
}


@pytest.fixture
def jobs(library: Library) -> Iterator[Jobs]:
    queue = Jobs(library, limits=ParseLimits(), staging=library.folder / "uploads")
    yield queue
    queue.stop(30)


def inject(patch: pytest.MonkeyPatch, stage: str, raise_for: Callable[[str], None]) -> None:
    """Call `raise_for` with what a stage is given, in words, before it works."""
    owner, name = STAGES[stage]
    real = getattr(owner, name)

    def failing(*arguments: object) -> object:
        raise_for(repr(arguments))
        return real(*arguments)

    patch.setattr(owner, name, failing)


def bad_files(folder: Path) -> list[Path]:
    """Write a file for each fault, bad00.txt and so on, and two good ones among them."""
    folder.mkdir()
    names = [f"bad{number:02}.txt" for number in range(len(FAULTS))]
    paths = [folder / name for name in ("a-good.txt", *names, "z-good.txt")]
    for path in paths:
        path.write_text(f"The ferry {path.stem} sails at noon.")
    return paths


def raise_fault(words: str) -> None:
    for number, fault in enumerate(FAULTS):
        if f"bad{number:02}.txt" in words:
            raise fault


@pytest.mark.parametrize("stage", STAGES)
def test_every_fault_ends_its_file_and_no_other(
    jobs: Jobs,
    library: Library,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    stage: str,
) -> None:
    paths = bad_files(tmp_path / "in")
    (later,) = paths[:1]
    with monkeypatch.context() as patch:
        inject(patch, stage, raise_fault)
        jobs.start()
        job = jobs.submit(paths, collection="default", uploaded=True)
        ended = jobs.wait(job.id, 120)
    assert (ended.state, ended.error) == ("finished", None)
    by_name = {file.name: file for file in ended.files}
    assert {name for name, file in by_name.items() if file.status == "ok"} == {"a-good.txt", "z-good.txt"}
    for number, fault in enumerate(FAULTS):
        file = by_name[f"bad{number:02}.txt"]
        assert (file.stage, file.status) == ("done", "failed"), fault
        assert file.name in str(file.error)
        assert f"it was {stage}" in str(file.error)
        assert "again" in str(file.error)
        assert Path(file.file).exists()  # to be tried again
    logged = [record for record in caplog.records if record.levelno >= logging.ERROR and record.exc_info]
    assert len(logged) >= len(FAULTS)
    assert not jobs.warnings
    assert later.name in {document.name for document in library.catalogue.documents()}
    assert_whole(library)
    again = jobs.retry(job.id)
    assert {file.status for file in jobs.wait(again.id, 120).files} == {"ok"}
    assert not list((library.folder / "uploads").iterdir())
    assert_whole(library)


def test_a_full_disk_is_not_the_fault_of_one_file(
    jobs: Jobs, library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every later file would meet it: the job fails, and keeps them."""
    paths = bad_files(tmp_path / "in")[:3]

    def full(words: str) -> None:
        if "bad00" in words:
            raise OSError(errno.ENOSPC, "No space left on device")

    inject(monkeypatch, "read", full)
    job = jobs.submit(paths, collection="default")
    with pytest.raises(DiskFull, match=r"No space left on the disk .* delete documents .* or free 20 MB"):
        list(jobs.run(job.id))
    ended = jobs.get(job.id)
    assert ended.state == "failed"
    assert "No space left" in str(ended.error)


def test_a_persons_interrupt_keeps_the_job_queued(
    jobs: Jobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = bad_files(tmp_path / "in")[:2]
    job = jobs.submit(paths, collection="default")

    def interrupt(_: str) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        inject(patch, "encoded", interrupt)  # in this, the main thread
        with pytest.raises(KeyboardInterrupt):
            list(jobs.run(job.id))
    assert jobs.get(job.id).state == "queued"
    assert [result.status for result in jobs.run(job.id)] == ["ok", "ok"]


@pytest.mark.parametrize("fault", [MemoryError(), SystemExit(1), OddEnd()], ids=repr)
def test_a_fault_outside_of_any_file_ends_its_job_and_the_queue_goes_on(
    jobs: Jobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: BaseException
) -> None:
    first, second = bad_files(tmp_path / "in")[:2]

    def run(library: Library, tasks: list[object], **options: object) -> object:
        if first.name in repr(tasks):
            raise fault
        return whole(library, tasks, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(job_work, "run", run)
    failing = jobs.submit([first], collection="default")
    following = jobs.submit([second], collection="default")
    jobs.start()
    assert jobs.wait(following.id, 60).state == "finished"
    ended = jobs.get(failing.id)
    assert ended.state == "failed"
    assert type(fault).__name__ in str(ended.error)
    assert bool(jobs.warnings) is not isinstance(fault, Exception)  # the thread was started again


def test_the_thread_is_started_again_whatever_ends_it(
    jobs: Jobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also between two jobs, where no job can say so."""
    (path,) = bad_files(tmp_path / "in")[:1]
    table = jobs._table
    real = table.next_waiting
    fired = threading.Event()

    def failing(**options: object) -> int | None:
        if not fired.is_set():
            fired.set()
            raise MemoryError
        return real(**options)  # type: ignore[arg-type]

    monkeypatch.setattr(table, "next_waiting", failing)
    jobs.start()
    assert fired.wait(60)
    job = jobs.submit([path], collection="default")
    assert jobs.wait(job.id, 60).state == "finished"
    (warning,) = jobs.warnings
    assert "MemoryError" in warning
    assert "started again" in warning
