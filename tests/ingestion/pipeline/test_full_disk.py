"""A full disk: work ends with words that say what to do, and deleting documents always makes room."""

import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ingestion.encoders import Encoder
from ingestion.errors import DiskFull, LibraryError
from ingestion.library import Library
from ingestion.library_documents import delete_document
from ingestion.parsing import ParseLimits
from ingestion.pipeline.queue import Job, Jobs
from ingestion.storage.disk_space import RESERVE_BYTES, SpaceReserve, free_bytes, is_disk_full
from tests.helpers.commands import Command
from tests.helpers.store_contents import assert_whole

pytestmark = pytest.mark.slow

DISK_BYTES = 24 << 20


@dataclass
class SmallDisk:
    """A disk of its own, which a file fills."""

    folder: Path

    def fill(self, left: int = 0) -> None:
        """Leave so many bytes."""
        spare = free_bytes(self.folder) - left
        if spare > 0:
            with (self.folder / "filling").open("ab") as stream, suppress(OSError):
                stream.write(bytes(spare))

    def empty(self) -> None:
        (self.folder / "filling").unlink(missing_ok=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    """A disk in memory; skips the test where this user may not mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tests", str(folder)]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this user may not mount a disk")
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture
def on_disk(disk: SmallDisk, stocked_template: Path) -> Path:
    """The folder of a closed library with two documents, on the small disk."""
    return shutil.copytree(stocked_template, disk.folder / "library")


@contextmanager
def opened(folder: Path, encoder: Encoder) -> Iterator[tuple[Library, Jobs]]:
    with Library.open(folder, encoder) as library:
        jobs = Jobs(library, limits=ParseLimits(), staging=folder / "uploads")
        try:
            yield library, jobs
        finally:
            jobs.stop(30)


def write(folder: Path, *names: str) -> list[Path]:
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).write_text(f"The ferry {name} sails at noon. " * 200)
    return [folder / name for name in names]


def ended(jobs: Jobs, job: Job) -> Job:
    """Return the job once the queue's thread has done with it."""
    jobs.start()
    return jobs.wait(job.id, 120)


@pytest.mark.parametrize("guarded", [True, False], ids=["guarded", "unguarded"])
@pytest.mark.parametrize(
    "left", [300_000, *(pytest.param(left, marks=pytest.mark.soak) for left in (0, 70_000, 1_500_000))]
)
def test_a_full_disk_ends_the_job_and_deleting_makes_room(
    disk: SmallDisk,
    on_disk: Path,
    tmp_path: Path,
    encoder: Encoder,
    monkeypatch: pytest.MonkeyPatch,
    left: int,
    guarded: bool,
) -> None:
    """Unguarded, as where a quota or another program takes the room between the check and the write."""
    with opened(on_disk, encoder) as (library, jobs):
        names = [document.name for document in library.catalogue.documents()]
        assert library.reserve.held == RESERVE_BYTES
        job = jobs.submit(write(tmp_path / "in", "a.txt", "b.txt"), collection="default")
        waiting = jobs.submit(write(tmp_path / "in", "c.txt"), collection="default")
        disk.fill(left)
        if not guarded:
            monkeypatch.setattr(SpaceReserve, "ensure_room", lambda *_: None)
        after = ended(jobs, job)
        assert after.state == "failed" or (not guarded and after.state == "finished")
        if after.state == "failed":
            assert "No space left on the disk" in str(after.error)
            assert "delete documents that are no longer wanted, or free 20 MB" in str(after.error)
            assert {file.stage for file in after.files} <= {"queued", "done"}
        jobs.wait(waiting.id, 120)
        jobs.stop(30)
        assert jobs.cancel(waiting.id).finished
        assert jobs.active == []
    disk.fill()  # whatever else runs there goes on
    with opened(on_disk, encoder) as (library, jobs):
        before = free_bytes(disk.folder) + library.reserve.held
        for name in names:
            delete_document(library, name, ["default"])
        assert not {document.name for document in library.catalogue.documents()} & set(names)
        assert library.catalogue.journal.entries() == []
        assert free_bytes(disk.folder) + library.reserve.held > before - RESERVE_BYTES
        disk.empty()
        library.reserve.restore()
        assert library.reserve.held == RESERVE_BYTES
        for one in jobs.list():
            if any(file.status is None for file in one.files):
                again = jobs.retry(one.id) if one.finished else one
                assert ended(jobs, again).state == "finished"
        assert_whole(library)
        assert {document.name for document in library.catalogue.documents()} == {"a.txt", "b.txt", "c.txt"}


def test_the_command_says_what_to_do_and_deletes(
    disk: SmallDisk, on_disk: Path, tmp_path: Path, run: Command, no_settings: None
) -> None:
    """Its job is not left running, and the library opens where nothing is left at all."""
    (path,) = write(tmp_path / "in", "a.txt")
    assert run("--data-dir", on_disk, "documents").code == 0  # makes the reserve
    disk.fill()
    told = run("--data-dir", on_disk, "ingest", path)
    assert (told.code, "No space left on the disk" in told.err) == (1, True), told
    listed = run("--data-dir", on_disk, "jobs", "list", "--json")
    assert listed.code == 0, listed
    assert '"running"' not in listed.out
    disk.fill()
    deleted = run("--data-dir", on_disk, "delete", "orchard.md")
    assert deleted.code == 0, deleted


def test_states_that_cannot_be_written_are_kept_until_they_can(
    library: Library, encoder: Encoder, tmp_path: Path
) -> None:
    jobs = Jobs(library, limits=ParseLimits(), staging=library.folder / "uploads")
    first, second = (
        jobs.submit([path], collection="default", uploaded=True)
        for path in write(tmp_path / "in", "a.txt", "b.txt")
    )
    library.catalogue.database.rows("PRAGMA query_only = ON")  # every write is refused
    with pytest.raises(LibraryError):
        list(jobs.run(first.id))
    failed = jobs.get(first.id)
    assert (failed.state, bool(failed.finished), bool(failed.error)) == ("failed", True, True)
    cancelled = jobs.cancel(second.id)
    assert (cancelled.state, [file.stage for file in cancelled.files]) == ("cancelled", ["cancelled"])
    assert jobs.active == []
    assert [job.state for job in jobs.list()] == ["cancelled", "failed"]
    library.catalogue.database.rows("PRAGMA query_only = OFF")
    again = jobs.retry(first.id)
    assert [result.status for result in jobs.run(again.id)] == ["ok"]
    later = Jobs(library, limits=ParseLimits(), staging=library.folder / "uploads")
    assert [job.state for job in later.list()] == ["finished", "cancelled", "failed"]


@dataclass
class WriteFault:
    """Refuses one of the calls with which Python makes or opens a file to write.

    Python's audit hooks see each of these, whoever makes it, and cannot be taken off again.
    """

    folder: str = ""
    left: int = -1
    seen: list[str] = field(default_factory=list)

    def __call__(self, event: str, arguments: tuple[object, ...]) -> None:
        if not self.folder:
            return
        if event == "open":
            path, _, flags = arguments
            writes = isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR)
        else:
            path, writes = arguments[0] if arguments else "", event in ("os.mkdir", "os.rename", "os.link")
        if not writes or self.folder not in str(path):
            return
        self.seen.append(event)
        self.left -= 1
        if self.left == 0:
            raise OSError(errno.ENOSPC, "No space left on device", str(path))


_fault = WriteFault()


@pytest.fixture
def fault() -> Iterator[WriteFault]:
    if _fault.left == -1:
        sys.addaudithook(_fault)
    yield _fault
    _fault.folder = ""


def test_every_write_may_meet_a_full_disk(library: Library, tmp_path: Path, fault: WriteFault) -> None:
    """Of a job with an upload: one after the other is refused. Each ends with words or does not matter."""
    jobs = Jobs(library, limits=ParseLimits(), staging=library.folder / "uploads")
    outcomes = []
    for number in range(1, 40):
        (path,) = write(tmp_path / "in", f"{number}.txt")
        fault.folder, fault.left, fault.seen = str(library.folder), number, []
        try:
            job = jobs.submit([path], collection="default", uploaded=True)
            for _ in jobs.run(job.id):
                pass
            outcomes.append("ok")
        except DiskFull as error:
            outcomes.append("told")
            assert "No space left on the disk" in str(error)  # noqa: PT017
        fault.folder = ""
        assert not jobs.active
        assert all(job.state in ("finished", "failed") for job in jobs.list())
        assert_whole(library)
        if len(fault.seen) < number:
            break
    assert outcomes[-1] == "ok", "not every write was reached"
    assert outcomes.count("told") >= 3, outcomes


@pytest.mark.parametrize(
    ("error", "full"),
    [
        (OSError(errno.ENOSPC, "x"), True),
        (OSError(errno.EDQUOT, "x"), True),
        (OSError(errno.EACCES, "x"), False),
        (LibraryError("database or disk is full"), True),
        (LibraryError("disk I/O error"), False),  # there is room
        (MemoryError(), False),
    ],
    ids=repr,
)
def test_a_full_disk_is_told_from_other_faults(tmp_path: Path, error: BaseException, full: bool) -> None:
    assert is_disk_full(error, tmp_path) is full
    wrapped = LibraryError("it could not be written")
    wrapped.__cause__ = error
    assert is_disk_full(wrapped, tmp_path) is full


def test_the_reserve_is_really_there_and_private(tmp_path: Path) -> None:
    reserve = SpaceReserve(tmp_path)
    assert reserve.restore()
    state = (tmp_path / "reserve").stat()
    assert state.st_blocks * 512 >= RESERVE_BYTES
    assert state.st_mode & 0o777 == 0o600
    assert reserve.give(100_000)
    assert reserve.held == RESERVE_BYTES - 100_000
    assert reserve.give()
    assert not (tmp_path / "reserve").exists()
    assert not reserve.give()
