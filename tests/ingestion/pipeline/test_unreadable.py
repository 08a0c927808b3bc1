"""Folders that cannot be searched, for want of rights, descriptors or a sound disk: a job names them."""

import errno
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from watchfiles import Change

from ingestion.library import Library
from ingestion.parsing import ParseLimits
from ingestion.pipeline.folder_sync import watch
from ingestion.pipeline.queue import Job, Jobs
from rag_app.contract.jobs import IngestResponse, JobFields
from tests.helpers.commands import Command
from ui.components.uploads import Mood, to_rows

pytestmark = pytest.mark.slow

ERRNOS = (errno.EACCES, errno.EMFILE, errno.ENFILE, errno.EIO)
Closed = Callable[[Path, int], None]


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch) -> Closed:
    """Have a folder refuse to be listed with an error of the system, whoever asks: root may list them all."""
    refused: dict[str, int] = {}
    real = os.scandir

    def scandir(path: str | Path = ".") -> Iterator[os.DirEntry[str]]:
        if code := refused.get(str(path)):
            raise OSError(code, os.strerror(code), str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)

    def close(folder: Path, code: int) -> None:
        refused[str(folder)] = code

    return close


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("in/a.txt", "in/closed/b.txt"):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"The ferry {name} sails at noon.")
    return tmp_path / "in"


def queue_of(library: Library) -> Jobs:
    return Jobs(library, limits=ParseLimits(), staging=library.folder / "uploads")


def shown(job: Job) -> list[tuple[str, str]]:
    return [(one.path, one.reason) for one in job.unreadable]


@pytest.mark.parametrize("code", ERRNOS, ids=errno.errorcode.__getitem__)
@pytest.mark.parametrize("sync", [False, True], ids=["ingest", "sync"])
def test_a_job_names_the_folders_that_could_not_be_searched(
    library: Library, folder: Path, closed: Closed, code: int, sync: bool
) -> None:
    jobs = queue_of(library)
    first = jobs.submit([folder], collection="default")
    assert shown(first) == []
    list(jobs.run(first.id))
    closed(folder / "closed", code)
    job = jobs.submit([folder], collection="default", sync=sync)
    list(jobs.run(job.id))
    expected = [(str(folder / "closed"), os.strerror(code))]
    assert shown(job) == shown(queue_of(library).get(job.id)) == expected
    assert len(library.catalogue.documents()) == 2  # what lies in there counts as there
    fields = JobFields.of_job(job, {})
    assert [(one.name, one.path, one.reason) for one in fields.unreadable] == [("closed", *expected[0])]
    assert IngestResponse.of_jobs([fields], 0.0).unreadable == fields.unreadable
    _, rows = to_rows([jobs.get(job.id)], {job.id})
    assert [(row.name, row.mood) for row in rows if row.words.startswith("could not be searched")] == [
        (str(folder / "closed"), Mood.FAILED)
    ]


def test_the_command_names_them_and_ends_with_3(
    tmp_path: Path, folder: Path, closed: Closed, run: Command, no_settings: None
) -> None:
    closed(folder / "closed", errno.EMFILE)
    data = tmp_path / "data"
    ended = run("--data-dir", data, "ingest", "--sync", folder)
    assert ended.code == 3
    assert f"{folder / 'closed'} could not be searched: Too many open files" in ended.out
    listed = run("--data-dir", data, "jobs", "show", 1)
    assert "could not be searched: Too many open files" in listed.out
    assert '"reason": "Too many open files"' in run("--data-dir", data, "jobs", "show", 1, "--json").out


def test_a_new_folder_that_cannot_be_searched_is_a_change(
    folder: Path, closed: Closed, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = folder / "new"
    new.mkdir()
    closed(new, errno.EMFILE)
    monkeypatch.setattr("watchfiles.watch", lambda *_, **__: iter([{(Change.added, str(new))}]))
    (seen,) = watch(folder, stop=threading.Event())
    assert [(one.path, one.reason) for one in seen.unreadable] == [(str(new), "Too many open files")]


def test_a_watch_that_the_system_ends_ends_the_command(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, run: Command, no_settings: None
) -> None:
    def exhausted(*_: object, **__: object) -> Iterator[object]:
        raise OSError(errno.EMFILE, "OS file watch limit reached")

    monkeypatch.setattr("watchfiles.watch", exhausted)
    ended = run("--data-dir", tmp_path / "data", "ingest", "--sync", folder, "--watch")
    assert ended.code == 1
    assert "can be watched no more" in ended.err
    assert "file watch limit reached" in ended.err


def test_a_path_below_a_folder_without_rights_is_a_file_that_failed(
    library: Library, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hidden = folder / "closed" / "b.txt"
    real = Path.is_dir

    def is_dir(path: Path) -> bool:
        if path == hidden:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return real(path)

    monkeypatch.setattr(Path, "is_dir", is_dir)
    jobs = queue_of(library)
    job = jobs.submit([hidden], collection="default")
    assert [file.name for file in job.files] == ["b.txt"]
