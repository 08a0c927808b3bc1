"""Files that take the process down: after the second time the queue goes on without them."""

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ingestion.documents import Status
from ingestion.encoders import Encoder
from ingestion.errors import InvalidInput
from ingestion.library import Library
from ingestion.parsing import ParseLimits
from ingestion.pipeline.queue import Job, Jobs
from ingestion.storage.catalogue.job_table import FileState, JobTable
from tests.helpers.processes import fork_server
from tests.helpers.store_contents import assert_whole

pytestmark = pytest.mark.slow

# Works the queue off; dies as by the system's killer when it comes to encode a file of that name.
_CHILD = """
import os, signal, sys
from pathlib import Path
import ingestion.pipeline.ingest as pipeline
from ingestion.encoders import builtin_encoder
from ingestion.library import Library
from ingestion.parsing import ParseLimits
from ingestion.pipeline.queue import Jobs
encode = pipeline.encode
def deadly(context, batch):
    if any("bad" in item.source.name for item in batch):
        os.kill(os.getpid(), signal.SIGKILL)
    encode(context, batch)
pipeline.encode = deadly
with Library.open(Path(sys.argv[1]), builtin_encoder()) as library:
    jobs = Jobs(library, limits=ParseLimits(), staging=library.folder / "uploads")
    for path in sys.argv[2:]:
        jobs.submit([Path(path)], collection="default", sync=True)
    for job in jobs.active:
        list(jobs.run(job.id))
"""


def work_in_child(folder: Path, *synced: Path) -> int | None:
    """Work the queue off in a process of its own; return its exit code."""
    with fork_server().start([folder, *synced], code=_CHILD, stderr=subprocess.PIPE) as child:
        child.communicate(timeout=300)
    return child.returncode


@contextmanager
def opened(folder: Path, encoder: Encoder) -> Iterator[tuple[Library, Jobs]]:
    with Library.open(folder, encoder) as library:
        yield library, Jobs(library, limits=ParseLimits(), staging=folder / "uploads")


def write(folder: Path, *names: str) -> list[Path]:
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).write_text(f"The ferry {name} sails at noon.")
    return [folder / name for name in names]


def statuses(job: Job) -> dict[str, str | None]:
    return {file.name: file.status for file in job.files}


def test_a_file_that_kills_the_process_twice_is_set_aside(tmp_path: Path, encoder: Encoder) -> None:
    folder = tmp_path / "library"
    with opened(folder, encoder) as (_, jobs):
        names = ("a-good.txt", "bad.txt", "c-good.txt")
        first = jobs.submit(write(tmp_path / "in", *names), collection="default", uploaded=True)
        second = jobs.submit(write(tmp_path / "in", "later.txt"), collection="default", uploaded=True)
    assert work_in_child(folder) == -signal.SIGKILL
    assert work_in_child(folder) == -signal.SIGKILL  # all three were in work; now each was alone
    assert work_in_child(folder) == 0
    with opened(folder, encoder) as (library, jobs):
        job = jobs.get(first.id)
        assert (job.state, jobs.get(second.id).state) == ("finished", "finished")
        assert statuses(job) == {"a-good.txt": "ok", "bad.txt": "set_aside", "c-good.txt": "ok"}
        bad = job.files[1]
        assert "ended 2 times while it worked on bad.txt" in str(bad.error)
        assert f"rag-app jobs retry {job.id} --file bad.txt" in str(bad.error)
        assert Path(bad.file).exists()
        assert_whole(library)
        with pytest.raises(InvalidInput, match="only files that were set aside; name"):
            jobs.retry(job.id)
        again = jobs.retry(job.id, files=job.named(["bad.txt"]))
        assert [result.status for result in jobs.run(again.id)] == [Status.OK]
        assert_whole(library)


def test_a_followed_folder_goes_on_without_a_file_that_kills_each_sync(
    tmp_path: Path, encoder: Encoder
) -> None:
    """Every sync is a job of its own; the bytes under the path are what is remembered."""
    folder, documents = tmp_path / "library", tmp_path / "in"
    write(documents, "a-good.txt", "bad.txt")
    assert work_in_child(folder, documents) == -signal.SIGKILL
    with opened(folder, encoder) as (_, jobs):
        for job in jobs.active:
            jobs.cancel(job.id)
    assert work_in_child(folder, documents) == -signal.SIGKILL
    assert work_in_child(folder, documents) == 0
    with opened(folder, encoder) as (_, jobs):
        assert statuses(jobs.list()[0])["bad.txt"] == "set_aside"
        (documents / "bad.txt").write_text("Other bytes, which nobody has blamed.")
        job = jobs.submit([documents], collection="default", sync=True)
        assert {result.name: result.status for result in jobs.run(job.id)}["bad.txt"] == "ok"


def test_a_file_that_is_named_is_tried_again(library: Library, tmp_path: Path) -> None:
    (path,) = write(tmp_path / "in", "bad.txt")
    table = JobTable(library.catalogue.database)
    jobs = Jobs(library, limits=ParseLimits(), staging=library.folder / "uploads")

    def interrupted() -> int:
        job = jobs.submit([path.parent], collection="default")
        table.begin(job.id)
        table.set_stage(job.id, 1, "encoding")
        Jobs(library, limits=ParseLimits(), staging=library.folder / "uploads")  # as after a start
        return table.interruptions(job)[1]

    assert [interrupted(), interrupted()] == [1, 2]
    for job in jobs.active:
        jobs.cancel(job.id)
    through_folder = jobs.submit([path.parent], collection="default")
    assert [result.status for result in jobs.run(through_folder.id)] == [Status.SET_ASIDE]
    named = jobs.submit([path], collection="default")
    assert [result.status for result in jobs.run(named.id)] == [Status.OK]


@pytest.mark.parametrize("stage", ["queued", "done", "cancelled"])
def test_a_file_that_was_not_in_work_is_not_blamed(library: Library, tmp_path: Path, stage: str) -> None:
    (path,) = write(tmp_path / "in", "a.txt")
    table = JobTable(library.catalogue.database)
    with table.inserting("default", [FileState(1, str(path), str(path), "a.txt", staged=False)]) as job:
        pass
    table.begin(job.id)
    table.set_stage(job.id, 1, stage)
    found = table.get(job.id)
    assert found
    table.take_over(found)
    assert table.interruptions(job) == {}


def test_work_that_ends_well_clears_the_count(library: Library, tmp_path: Path) -> None:
    (path,) = write(tmp_path / "in", "a.txt")
    jobs = Jobs(library, limits=ParseLimits(), staging=library.folder / "uploads")
    table = JobTable(library.catalogue.database)
    job = jobs.submit([path], collection="default")
    table.begin(job.id)
    table.set_stage(job.id, 1, "writing")
    again = Jobs(library, limits=ParseLimits(), staging=library.folder / "uploads")
    assert table.interruptions(job) == {1: 1}
    assert [result.status for result in again.run(job.id)] == [Status.OK]
    assert table.interruptions(job) == {}
