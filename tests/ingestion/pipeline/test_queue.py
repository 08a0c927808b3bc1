"""The queue of jobs: stages, cancelling, trying again, and going on after a kill."""

import json
import sqlite3
import subprocess
import threading
import time
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import ingestion.pipeline.job_work
from ingestion.documents import ParsedDocument, Status
from ingestion.encoders import Encoder
from ingestion.errors import Cancelled, InvalidInput, LibraryError, UnknownName
from ingestion.library import Library
from ingestion.parsing import ParseLimits
from ingestion.pipeline.context import IngestTask
from ingestion.pipeline.progress import IngestProgress, IngestResult, IngestStage
from ingestion.pipeline.queue import Job, Jobs
from ingestion.storage.catalogue.job_table import FileState, JobTable
from tests.helpers.processes import fork_server
from tests.helpers.store_contents import assert_whole

# Processes of their own, Chroma in most tests: minutes in all.
pytestmark = pytest.mark.slow

SMALL = "Note {number}: the ferry sails at {number} o'clock."


@pytest.fixture
def jobs(library: Library, tmp_path: Path) -> Iterator[Jobs]:
    queue = Jobs(library, limits=ParseLimits(), staging=library.folder / "uploads")
    yield queue
    queue.stop(10)


def write(folder: Path, *names: str) -> list[Path]:
    folder.mkdir(exist_ok=True)
    paths = [folder / name for name in names]
    for number, path in enumerate(paths):
        path.write_text(SMALL.format(number=number) + f" ({path.name})")
    return paths


def work(jobs: Jobs, job: Job) -> list[Status]:
    return [result.status for result in jobs.run(job.id)]


def stages(job: Job) -> list[str]:
    return [file.stage for file in job.files]


def test_a_job_runs_from_queued_to_finished(jobs: Jobs, library: Library, tmp_path: Path) -> None:
    job = jobs.submit(write(tmp_path / "in", "a.txt", "b.txt", "c.wpd"), collection="letters")
    assert (job.state, job.total, job.done, stages(job)) == ("queued", 3, 0, ["queued"] * 3)
    assert [one.id for one in jobs.active] == [job.id]
    seen: list[IngestProgress] = []
    results = {result.name: result.status for result in jobs.run(job.id, on_progress=seen.append)}
    assert results == {"a.txt": "ok", "b.txt": "ok", "c.wpd": "unsupported"}
    ended = jobs.get(job.id)
    assert (ended.state, ended.done, stages(ended)) == ("finished", 3, ["done"] * 3)
    assert ended.finished is not None
    assert [(file.name, file.status) for file in ended.failed] == [("c.wpd", "unsupported")]
    assert "files that can be read end in" in str(ended.failed[0].error)
    assert [file.chunks for file in ended.files] == [1, 1, 0]
    assert {event.stage for event in seen} == set(IngestStage)
    assert jobs.active == []
    assert [d.collection for d in library.catalogue.documents()] == ["letters"] * 2
    assert_whole(library)


@pytest.mark.soak
def test_progress_can_be_looked_at_from_another_thread(jobs: Jobs, tmp_path: Path) -> None:
    (long,) = write(tmp_path / "in", "long.txt")
    long.write_text(" ".join(f"Ferry {number} sails at noon." for number in range(4000)))
    job = jobs.submit([long], collection="default")
    jobs.start()
    seen: set[tuple[str, bool]] = set()
    while jobs.get(job.id).state in ("queued", "running"):
        (file,) = jobs.get(job.id).files
        seen.add((file.stage, 0 < file.done < file.total))
        time.sleep(0.005)
    assert ("encoding", True) in seen
    assert jobs.wait(job.id, 1).files[0].status == "ok"


def test_jobs_are_worked_off_in_order_while_more_come(jobs: Jobs, library: Library, tmp_path: Path) -> None:
    jobs.start()
    first = jobs.submit(write(tmp_path / "one", "a.txt", "b.txt"), collection="default")
    second = jobs.submit(write(tmp_path / "two", "c.txt"), collection="default")
    assert jobs.wait(second.id, 60).state == "finished"
    assert jobs.get(first.id).state == "finished"
    assert str(jobs.get(first.id).finished) <= str(jobs.get(second.id).finished)
    assert len(library.catalogue.documents()) == 3


@pytest.mark.parametrize(
    "stage", [IngestStage.PARSING, pytest.param(IngestStage.ENCODING, marks=pytest.mark.soak)]
)
def test_cancelling_keeps_what_is_committed_and_nothing_else(
    jobs: Jobs, library: Library, tmp_path: Path, stage: IngestStage
) -> None:
    (long,) = write(tmp_path / "in", "long.txt")
    long.write_text(" ".join(f"Ferry {number} sails at noon." for number in range(2500)))
    job = jobs.submit([long], collection="default")

    def cancel(step: IngestProgress) -> None:
        if step.stage is stage:
            jobs.cancel(job.id)

    with pytest.raises(Cancelled):
        list(jobs.run(job.id, on_progress=cancel))
    ended = jobs.get(job.id)
    assert (ended.state, stages(ended)) == ("cancelled", ["cancelled"])
    assert library.catalogue.documents() == []
    assert_whole(library)
    assert work(jobs, jobs.retry(job.id)) == ["ok"]


def test_cancelling_a_job_that_waits(jobs: Jobs, tmp_path: Path) -> None:
    job = jobs.submit(write(tmp_path / "in", "a.txt"), collection="default")
    assert jobs.cancel(job.id).state == "cancelled"
    assert work(jobs, job) == []
    assert jobs.cancel(job.id).state == "cancelled"


def test_one_file_of_a_job_is_cancelled_before_its_turn(jobs: Jobs, library: Library, tmp_path: Path) -> None:
    job = jobs.submit(write(tmp_path / "in", "a.txt", "b.txt", "c.txt"), collection="default", uploaded=True)
    assert stages(jobs.cancel_file(job.id, 2)) == ["queued", "cancelled", "queued"]
    assert [Path(file.file).exists() for file in job.files] == [True, False, True]
    assert work(jobs, job) == ["ok", "ok"]
    ended = jobs.get(job.id)
    assert (ended.state, stages(ended)) == ("finished", ["done", "cancelled", "done"])
    assert sorted(document.name for document in library.catalogue.documents()) == ["a.txt", "c.txt"]
    assert jobs.cancel_file(job.id, 1) == ended
    with pytest.raises(UnknownName, match="file"):
        jobs.cancel_file(job.id, 4)


@pytest.mark.parametrize(("first", "second"), [("short.txt", "long.txt"), ("long.txt", "short.txt")])
def test_one_file_in_work_is_cancelled_and_the_others_go_on(
    jobs: Jobs, library: Library, tmp_path: Path, first: str, second: str
) -> None:
    paths = write(tmp_path / "in", first, second)
    long = paths[0] if first == "long.txt" else paths[1]
    long.write_text(" ".join(f"Ferry {number} sails at noon." for number in range(400)))
    job = jobs.submit(paths, collection="default", uploaded=True)
    ended = threading.Event()  # the file that comes first; which one that is must not depend on speed

    def stop(step: IngestProgress) -> None:
        if step.stage is IngestStage.PARSING and step.name == second:
            assert ended.wait(60)
        if step.stage is IngestStage.ENCODING and step.name == "long.txt":
            jobs.cancel_file(job.id, 1 + paths.index(long))
            ended.set()

    names = []
    for result in jobs.run(job.id, on_progress=stop):
        names.append(result.name)
        ended.set()
    assert names == ["short.txt"]
    left = jobs.get(job.id)
    assert left.state == "finished"
    assert {file.name: file.stage for file in left.files} == {"short.txt": "done", "long.txt": "cancelled"}
    assert [document.name for document in library.catalogue.documents()] == ["short.txt"]
    assert not list((library.folder / "uploads").iterdir())
    assert_whole(library)


def test_the_last_file_that_is_left_takes_its_job_along(jobs: Jobs, tmp_path: Path) -> None:
    job = jobs.submit(write(tmp_path / "in", "a.txt", "b.txt"), collection="default", uploaded=True)
    jobs.cancel_file(job.id, 1)
    assert jobs.cancel_file(job.id, 2).state == "cancelled"
    assert jobs.active == []


def test_one_file_is_tried_again(jobs: Jobs, tmp_path: Path) -> None:
    job = jobs.submit(write(tmp_path / "in", "a.wpd", "b.wpd"), collection="default")
    work(jobs, job)
    assert [file.name for file in jobs.retry(job.id, files={2}).files] == ["b.wpd"]
    with pytest.raises(InvalidInput, match="nothing to try again"):
        jobs.retry(job.id, files={3})


def test_leaving_off_keeps_the_rest_queued(
    jobs: Jobs, library: Library, encoder: Encoder, tmp_path: Path
) -> None:
    names = [f"{number:02}.txt" for number in range(12)]
    job = jobs.submit(write(tmp_path / "in", *names), collection="default")
    with closing(jobs.run(job.id)) as results:
        next(results)
    left = jobs.get(job.id)
    assert left.state == "queued"
    assert 1 <= left.done < 12
    library.close()
    with Library.open(library.folder, encoder) as again:
        later = Jobs(again, limits=ParseLimits(), staging=again.folder / "uploads")
        assert [one.id for one in later.active] == [job.id]
        assert set(work(later, job)) <= {Status.OK, Status.UNCHANGED}
        assert {d.name for d in again.catalogue.documents()} == set(names)
        assert_whole(again)


def test_retrying_takes_what_failed(jobs: Jobs, tmp_path: Path) -> None:
    good, bad = write(tmp_path / "in", "good.txt", "bad.txt")
    bad.write_bytes(b"\0\1\2\3" * 50)
    job = jobs.submit([good, bad], collection="default")
    work(jobs, job)
    bad.write_text("Now it is text.")
    again = jobs.retry(job.id)
    assert [file.name for file in again.files] == ["bad.txt"]
    assert work(jobs, again) == ["ok"]
    with pytest.raises(InvalidInput, match=f"job {again.id} has nothing to try again"):
        jobs.retry(again.id)
    with pytest.raises(UnknownName, match="no job named '99'"):
        jobs.retry(99)
    assert jobs.clear() == 2
    assert jobs.list() == []


def test_uploads_are_moved_and_gone_when_they_end(jobs: Jobs, library: Library, tmp_path: Path) -> None:
    good, bad = write(tmp_path / "in", "good.txt", "bad.wpd")
    job = jobs.submit([good, bad], collection="default", uploaded=True)
    assert not good.exists()
    assert not bad.exists()
    staging = library.folder / "uploads"
    assert len(list(staging.rglob("*.*"))) == 2
    work(jobs, job)
    assert list(staging.iterdir()) == []
    assert library.catalogue.documents()[0].path == "upload:good.txt"
    (again,) = write(tmp_path / "in", "good.txt")
    again.write_text("Another version.")
    work(jobs, jobs.submit([again], collection="default", uploaded=True))
    assert [(d.path, d.version) for d in library.catalogue.documents()] == [("upload:good.txt", 2)]


def test_an_upload_that_is_gone_is_named_and_the_others_are_left_where_they_are(
    jobs: Jobs, library: Library, tmp_path: Path
) -> None:
    (good,) = write(tmp_path / "in", "good.txt")
    with pytest.raises(InvalidInput, match=r"gone\.txt is not there any more"):
        jobs.submit([good, tmp_path / "in" / "gone.txt"], collection="default", uploaded=True)
    assert good.exists()
    assert jobs.list() == []


def test_uploads_that_no_job_knows_go_when_the_library_is_opened(
    jobs: Jobs, library: Library, tmp_path: Path
) -> None:
    jobs.submit(write(tmp_path / "in", "good.txt"), collection="default", uploaded=True)
    staging = library.folder / "uploads"
    (known,) = staging.iterdir()
    (staging / "left").mkdir()
    (staging / "left" / "secret.txt").write_text("as a crash leaves it")
    Jobs(library, limits=ParseLimits(), staging=staging)
    assert list(staging.iterdir()) == [known]


def test_an_upload_that_is_cancelled_leaves_no_file(jobs: Jobs, library: Library, tmp_path: Path) -> None:
    job = jobs.submit(write(tmp_path / "in", "a.txt"), collection="default", uploaded=True)
    jobs.cancel(job.id)
    assert list((library.folder / "uploads").iterdir()) == []


def test_a_library_that_cannot_be_written_fails_the_job_and_keeps_its_files(
    jobs: Jobs, library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = jobs.submit(write(tmp_path / "in", "a.txt", "b.txt"), collection="default")
    with monkeypatch.context() as broken:
        broken.setattr(library.vectors, "upsert", _full)
        with pytest.raises(LibraryError, match="the disk is broken"):
            list(jobs.run(job.id))
    failed = jobs.get(job.id)
    assert (failed.state, failed.error, stages(failed)) == ("failed", "the disk is broken", ["queued"] * 2)
    assert work(jobs, jobs.retry(job.id)) == ["ok", "ok"]
    assert_whole(library)


def _full(*_: object, **__: object) -> None:
    raise LibraryError("the disk is broken")


def test_what_is_said_of_an_encoding_outlives_the_process(
    jobs: Jobs, library: Library, tmp_path: Path
) -> None:
    path = tmp_path / "note.txt"
    path.write_bytes("联通".encode("gbk"))
    doubtful = jobs.submit([path], collection="notes")
    (result,) = jobs.run(doubtful.id)
    assert result.status is Status.UNSUPPORTED
    assert "--encoding NAME" in (result.error or "")
    with pytest.raises(InvalidInput, match=r"'klingon' is no known encoding; .*: UTF-8, .*Shift_JIS"):
        jobs.submit([path], collection="notes", encoding="klingon")
    told = jobs.submit([path], collection="notes", encoding="GB2312")
    later = Jobs(library, limits=ParseLimits(), staging=library.folder / "uploads")
    assert work(later, told) == [Status.OK]
    (document,) = library.catalogue.documents()
    page = library.catalogue.page(document.id, 1)
    assert (document.encoding, page and page.text) == ("gb18030", "联通")
    for encoding, status in ((None, "unchanged"), ("gbk", "unchanged"), ("big5", "ok")):
        assert work(later, later.submit([path], collection="notes", encoding=encoding)) == [status]


def test_a_folder_is_mirrored(jobs: Jobs, library: Library, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    write(folder, "keep.txt", "change.txt", "move.txt", "drop.txt")
    other = write(tmp_path / "other", "other.txt")
    work(jobs, jobs.submit([folder, *other], collection="default"))
    before = {d.name: d for d in library.catalogue.documents()}
    (folder / "change.txt").write_text("Something else.")
    (folder / "move.txt").rename(folder / "moved.txt")
    (folder / "drop.txt").unlink()
    write(folder, "new.txt")
    job = jobs.submit([folder], collection="default", sync=True)
    assert job.kind == "sync"
    work(jobs, job)
    after = {Path(d.path).name: d for d in library.catalogue.documents()}
    assert set(after) == {"keep.txt", "change.txt", "moved.txt", "new.txt", "other.txt"}
    assert after["keep.txt"] == before["keep.txt"]
    assert after["change.txt"].id == before["change.txt"].id
    assert after["moved.txt"].id == before["move.txt"].id  # its vectors were not made again
    assert_whole(library)
    for file in folder.iterdir():
        file.unlink()
    with pytest.raises(InvalidInput, match="is empty, and all 4 files known from it would be removed"):
        jobs.submit([folder], collection="default", sync=True)
    with pytest.raises(InvalidInput, match="a collection mirrors one folder, and 2 were given"):
        jobs.submit([folder, tmp_path / "other"], collection="default", sync=True)
    assert len(library.catalogue.documents()) == 5


def test_nothing_is_encoded_twice(
    jobs: Jobs, library: Library, encoder: Encoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoded: list[str] = []
    encode = encoder.encode

    def counting(texts: list[str], *rest: object, **options: object) -> object:
        encoded.extend(texts)
        return encode(texts, *rest, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(library.encoder, "encode", counting)
    path = tmp_path / "a.txt"
    pages = [f"Page {number} tells of the lighthouse." for number in range(4)]
    path.write_text("\f".join(pages))
    copy = tmp_path / "copy.txt"
    copy.write_bytes(path.read_bytes())
    assert sorted(work(jobs, jobs.submit([path, copy], collection="default"))) == ["duplicate", "ok"]
    assert sorted(encoded) == sorted(pages)
    encoded.clear()
    assert work(jobs, jobs.submit([path], collection="other")) == ["ok"]  # the same bytes elsewhere
    assert encoded == []
    path.write_text("\f".join([*pages[:2], "A new page.", pages[3]]))
    assert work(jobs, jobs.submit([path], collection="other")) == ["ok"]
    assert encoded == ["A new page."]
    assert_whole(library)


_CHILD = """
import sys, json
from pathlib import Path
from ingestion.encoders import builtin_encoder
from ingestion.pipeline.queue import Jobs
from ingestion.library import Library
from ingestion.parsing import ParseLimits
with Library.open(Path(sys.argv[1]), builtin_encoder()) as library:
    jobs = Jobs(library, limits=ParseLimits(), staging=library.folder / "uploads")
    job = jobs.submit([Path(sys.argv[2])], collection="default")
    for result in jobs.run(job.id):
        print(json.dumps(result.name), flush=True)
"""


@pytest.mark.slow
def test_a_killed_job_goes_on(tmp_path: Path, encoder: Encoder) -> None:
    folder = tmp_path / "in"
    names = [f"{number:03}.txt" for number in range(60)]
    write(folder, *names)
    with fork_server().start([tmp_path / "library", folder], code=_CHILD, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        committed = [json.loads(child.stdout.readline()) for _ in range(5)]
        child.kill()
    with Library.open(tmp_path / "library", encoder) as library:
        assert_whole(library)
        assert set(committed) <= {d.name for d in library.catalogue.documents()}
        jobs = Jobs(library, limits=ParseLimits(), staging=library.folder / "uploads")
        (job,) = jobs.active
        assert job.state == "queued"
        jobs.start()
        assert jobs.wait(job.id, 120).state == "finished"
        jobs.stop(10)
        assert {d.name for d in library.catalogue.documents()} == set(names)
        assert_whole(library)


def test_stopping_the_queue_leaves_the_job_to_be_resumed(
    jobs: Jobs, library: Library, tmp_path: Path
) -> None:
    names = [f"{number:02}.txt" for number in range(30)]
    job = jobs.submit(write(tmp_path / "in", *names), collection="default")
    jobs.start()
    while not jobs.get(job.id).done:
        time.sleep(0.01)
    jobs.stop(30)
    assert threading.active_count() < 20
    assert jobs.get(job.id).state == "queued"
    jobs.start()
    assert jobs.wait(job.id, 60).state == "finished"
    assert len(library.catalogue.documents()) == 30


def test_jobs_submitted_at_once_are_each_given_back_to_who_submitted_them(
    jobs: Jobs, library: Library, tmp_path: Path
) -> None:
    paths = write(tmp_path / "in", *(f"{number:02}.txt" for number in range(27)))
    jobs.start()
    with ThreadPoolExecutor(9) as pool:  # all of them make the collection
        submitted = list(pool.map(lambda path: jobs.submit([path], collection="notes"), paths))
    assert [[file.name for file in job.files] for job in submitted] == [[path.name] for path in paths]
    assert {jobs.wait(job.id, 120).state for job in submitted} == {"finished"}
    assert sorted(d.name for d in library.catalogue.documents()) == [path.name for path in paths]


def test_a_password_is_in_place_before_its_job_can_be_begun(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The queue takes up a job in the moment in which it can be seen."""
    (locked,) = write(tmp_path / "in", "locked.txt")
    jobs = Jobs(library, limits=ParseLimits(), staging=library.folder / "uploads")
    given: list[str | None] = []

    def parse_with(file: Path, *, password: str | None, **_: object) -> ParsedDocument:
        given.append(password)
        return ParsedDocument(Status.NEEDS_PASSWORD, f"{file.name} is locked", None, 0, ())

    monkeypatch.setattr("ingestion.pipeline.parsing_stage.parse", parse_with)
    committed = library.catalogue.database.transaction

    @contextmanager
    def transaction(**options: bool) -> Iterator[sqlite3.Connection]:
        with committed(**options) as connection:
            yield connection
        if not given:
            given.append("")  # what is asked below changes the catalogue as well
            for job in jobs.active:
                list(jobs.run(job.id))

    monkeypatch.setattr(library.catalogue.database, "transaction", transaction)
    jobs.submit([locked], collection="default", passwords={"locked.txt": "sesame"})
    assert given[1:] == ["sesame"]


def test_a_job_stays_while_it_may_be_asked_for_or_waits_for_a_password(library: Library) -> None:
    table = JobTable(library.catalogue.database)
    locked = FileState(1, "/staged/locked.pdf", "upload:locked.pdf", "locked.pdf", staged=True)
    plain = FileState(1, "/staged/plain.pdf", "upload:plain.pdf", "plain.pdf", staged=True)
    made = []
    for file, status in ((locked, Status.NEEDS_PASSWORD), (plain, Status.OK)):
        with table.inserting("default", [file]) as job:
            made.append(job.id)
        table.finish_file(job.id, replace(file, status=status))
        table.set_state(job.id, "finished")
    waiting, done = made
    for _ in range(250):
        with table.inserting("default", [plain]) as job:
            pass
        table.set_state(job.id, "finished")
    assert table.get(done)
    with library.catalogue.database.transaction() as connection:
        connection.execute("UPDATE jobs SET finished = '2001-01-01T00:00:00+00:00'")
    with table.inserting("default", [plain]):
        pass
    assert table.get(done) is None
    assert table.get(waiting)
    assert len(table.all(1000)) == 202


def test_a_fault_of_one_job_keeps_no_other_one_waiting(
    jobs: Jobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    first, second = write(tmp_path / "in", "first.txt", "second.txt")
    whole = getattr(ingestion.pipeline.job_work, "run")  # noqa: B009  # imported there

    def run(library: Library, tasks: Sequence[IngestTask], **options: Any) -> Generator[IngestResult]:
        if tasks[0].file == first:
            raise ZeroDivisionError("nobody foresaw this")
        yield from whole(library, tasks, **options)

    monkeypatch.setattr("ingestion.pipeline.job_work.run", run)
    failing = jobs.submit([first], collection="default")
    following = jobs.submit([second], collection="default")
    jobs.start()
    assert jobs.wait(following.id, 60).state == "finished"
    assert jobs.get(failing.id).state == "failed"
    assert "nobody foresaw this" in str(jobs.get(failing.id).error)
    assert "ZeroDivisionError" in caplog.text
