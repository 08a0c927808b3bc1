"""ingest and jobs: Ctrl-C and resuming, retrying, passwords on a terminal, folders that are followed."""

import os
import re
import select
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader, PdfWriter

from ingestion.encoders import Encoder
from tests.helpers.commands import Command, Run
from tests.helpers.processes import ForkedProcess, fork_server
from tests.helpers.served_library import serving

# Processes of their own, Chroma in most tests: minutes in all.
pytestmark = pytest.mark.slow

_STYLE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
PATIENCE = 120.0  # s: two slow cores that load a model

JOB = {
    "job_id", "kind", "collection", "state", "created", "finished", "error", "files", "passed_over",
    "unreadable",
}  # fmt: skip
FILE = {
    "name", "label", "path", "stage", "done", "total", "status", "error", "document_id", "sha256", "pages",
    "pages_failed", "chunks", "warnings", "timings_ms",
}  # fmt: skip


@pytest.fixture(autouse=True)
def interruptible() -> Iterator[None]:
    """Run in a shell's background, tests ignore SIGINT, and so would the commands that they start."""
    former = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, former)


def begun(*arguments: object, **options: Any) -> ForkedProcess:
    """A command in a process of its own, which is killed where a test fails."""
    return fork_server().start(arguments, **options)


def many_notes(folder: Path, number: int) -> Path:
    folder.mkdir()
    for n in range(number):
        (folder / f"note-{n:03}.txt").write_text(f"Gate number {n} opens at {n} minutes past nine. " * 40)
    return folder


def until(ready: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not ready():
        assert time.monotonic() < deadline
        time.sleep(0.1)


# Jobs


def test_jobs_are_listed_shown_and_forgotten(run: Command, stock: Path, tmp_path: Path) -> None:
    library = ("--data-dir", tmp_path / "data")
    assert run(*library, "jobs", "--json").json["jobs"] == []
    assert run(*library, "jobs").out.startswith("No jobs.")
    (tmp_path / "broken.pdf").write_text("no PDF at all")
    done = run(*library, "ingest", stock, tmp_path / "broken.pdf", "--json")
    assert done.code == 3
    identity = done.json["job_id"]

    listed = run(*library, "jobs", "--json")
    assert (listed.code, listed.err, listed.json) == (0, "", run(*library, "jobs", "list", "--json").json)
    (job,) = listed.json["jobs"]
    assert job.keys() == JOB
    assert [file.keys() for file in job["files"]] == [FILE] * 3
    assert (job["job_id"], job["kind"], job["state"], job["collection"]) == (
        identity,
        "ingest",
        "finished",
        "default",
    )
    shown = run(*library, "jobs", "show", identity, "--json").json
    assert {name: value for name, value in shown.items() if name != "schema_version"} == job
    assert "✗ broken.pdf corrupt" in run(*library, "jobs", "show", identity).out
    assert run(*library, "jobs", "cancel", identity, "--json").json["state"] == "finished"  # too late
    assert run(*library, "jobs", "clear", "--json").json["jobs"] == []
    unknown = run(*library, "jobs", "show", identity, "--json")
    assert (unknown.code, unknown.out) == (2, "")
    assert f"'{identity}'" in unknown.err


def test_what_failed_is_tried_again(run: Command, stock: Path, tmp_path: Path) -> None:
    library = ("--data-dir", tmp_path / "data")
    late = tmp_path / "late.txt"
    first = run(*library, "ingest", stock / "orchard.md", late)
    assert (first.code, first.err) == (3, "")
    *_, last = first.out.splitlines()
    assert last.startswith("1 file of 2 failed; rag-app jobs retry ")
    late.write_text("The gate opens at nine in the morning.")
    again = run(*library, *last.split("; rag-app ")[1].split(), "--json")
    assert (again.code, again.err) == (0, "")
    assert [(file["name"], file["status"]) for file in again.json["files"]] == [("late.txt", "ok")]
    assert len(run(*library, "documents", "--json").json["documents"]) == 2


def test_one_file_of_a_job_is_tried_again_by_its_name(run: Command, tmp_path: Path) -> None:
    library = ("--data-dir", tmp_path / "data")
    paths = [tmp_path / name for name in ("first.txt", "second.txt")]
    assert run(*library, "ingest", *paths, "--json").code == 3  # they are not there yet
    for path in paths:
        path.write_text("The gate opens at nine in the morning.")
    again = run(*library, "jobs", "retry", 1, "--file", "second.txt", "--json")
    assert [(file["name"], file["status"]) for file in again.json["files"]] == [("second.txt", "ok")]
    unknown = run(*library, "jobs", "retry", 1, "--file", "third.txt")
    assert (unknown.code, "no file named 'third.txt'; there are: first.txt, second.txt" in unknown.err) == (
        2,
        True,
    ), unknown


def test_nothing_to_resume_or_to_ingest(run: Command, tmp_path: Path) -> None:
    library = ("--data-dir", tmp_path / "data")
    assert run(*library, "jobs", "resume").out == "nothing was interrupted\n"
    assert run(*library, "jobs", "resume", "--json").json["jobs"] == []
    for arguments in (("ingest",), ("ingest", tmp_path, "--watch"), ("ingest", "--sync", tmp_path / "gone")):
        done = run(*library, *arguments, "--json")
        assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)


@pytest.mark.soak
@pytest.mark.slow
def test_ctrl_c_leaves_a_queue_that_resume_finishes(run: Command, tmp_path: Path) -> None:
    folder, library = many_notes(tmp_path / "notes", 60), ("--data-dir", tmp_path / "data")
    with begun(*library, "ingest", folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline().startswith("✓ note-")
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert error.startswith("rag-app: stopped; ")
    assert "rag-app jobs resume" in error
    assert error.count("\n") == 1

    (job,) = run(*library, "jobs", "--json").json["jobs"]
    ended = [file["name"] for file in job["files"] if file["status"]]
    assert job["state"] == "queued"
    assert 1 <= len(ended) < 60
    # Some may have become visible at the last moment.
    assert len(ended) <= len(run(*library, "documents", "--json").json["documents"]) < 60

    resumed = run(*library, "jobs", "resume", "--json")
    assert (resumed.code, resumed.err) == (0, "")
    assert [one["state"] for one in resumed.json["jobs"]] == ["finished"]
    assert len(run(*library, "documents", "--json").json["documents"]) == 60
    assert run(*library, "verify").code == 0


@pytest.mark.soak
@pytest.mark.slow
def test_a_server_goes_on_with_what_was_interrupted(run: Command, tmp_path: Path) -> None:
    folder, data = many_notes(tmp_path / "notes", 40), tmp_path / "data"
    with begun("--data-dir", data, "ingest", folder, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        process.kill()  # no time to say good-bye
        process.wait()
    with serving(data):
        until(lambda: run("--data-dir", data, "jobs", "--json").json["jobs"][0]["state"] == "finished")
        assert len(run("--data-dir", data, "documents", "--json").json["documents"]) == 40


# Passwords


@pytest.fixture
def secret(stock: Path, tmp_path: Path) -> Path:
    path = tmp_path / "secret.pdf"
    writer = PdfWriter(clone_from=PdfReader(stock / "harbour.pdf"))
    writer.encrypt("open sesame", algorithm="AES-256")
    writer.write(path)
    writer.close()
    return path


def on_terminal(answers: Mapping[str, str], *arguments: object) -> Run:
    """Run a command on a terminal where somebody types each answer when its question appears."""
    outer, inner = os.openpty()
    said, left = "", list(answers.items())
    try:
        with begun(
            *arguments, stdin=inner, stdout=inner, stderr=inner,
            env={**os.environ, "TERM": "xterm", "COLUMNS": "200"},
        ) as process:  # fmt: skip
            os.close(inner)
            deadline = time.monotonic() + PATIENCE
            while time.monotonic() < deadline:
                if not select.select([outer], [], [], 0.1)[0]:
                    if process.poll() is not None:
                        break
                    continue
                try:
                    said += os.read(outer, 65536).decode(errors="replace")
                except OSError:  # Linux: the other side is closed
                    break
                if left and said.count(left[0][0]) > len(answers) - len(left):
                    os.write(outer, (left.pop(0)[1] + "\n").encode())
            return Run(process.wait(PATIENCE), _STYLE.sub("", said), "")
    finally:
        os.close(outer)


@pytest.mark.slow
def test_a_password_is_asked_for_and_kept_nowhere(run: Command, secret: Path, tmp_path: Path) -> None:
    library = ("--data-dir", tmp_path / "data")
    unattended = run(*library, "ingest", secret, "--json")
    assert (unattended.code, unattended.json["documents"][0]["status"]) == (3, "needs_password")

    question = "password of secret.pdf"
    done = on_terminal({question: "wrong", question + " ": "open sesame"}, *library, "ingest", secret)
    assert (done.code, done.out.count(question)) == (0, 2), done.out
    assert "✓ secret.pdf ok 2 pages" in done.out
    assert "sesame" not in done.out  # no echo
    assert "9 May 1987" in run(*library, "ask", "When did the crane's cable break?", "--json").json["answer"]
    for file in (path for path in (tmp_path / "data").rglob("*") if path.is_file()):
        assert b"sesame" not in file.read_bytes(), file


@pytest.mark.soak
@pytest.mark.slow
def test_a_password_need_not_be_given(run: Command, secret: Path, tmp_path: Path) -> None:
    library = ("--data-dir", tmp_path / "data")
    skipped = on_terminal({"password of secret.pdf": ""}, *library, "ingest", secret)
    assert skipped.code == 3
    assert "✗ secret.pdf needs_password" in skipped.out
    assert "jobs retry" in skipped.out
    never = on_terminal({}, *library, "ingest", "--no-password-prompt", secret)
    assert (never.code, "password of" in never.out) == (3, False)


@pytest.mark.soak
@pytest.mark.slow
def test_deleting_a_collection_is_asked_about(run: Command, stock: Path, tmp_path: Path) -> None:
    library = ("--data-dir", tmp_path / "data")
    run(*library, "ingest", stock, "--collection", "gates")
    question = "Delete gates with its 2 documents?"
    refused = on_terminal({question: "n"}, *library, "collections", "delete", "gates")
    assert (refused.code, question in refused.out) == (130, True)
    assert on_terminal({question: "y"}, *library, "collections", "delete", "gates").code == 0
    assert [c["name"] for c in run(*library, "collections", "--json").json["collections"]] == ["default"]


# Folders


def test_a_synced_folder_is_what_the_collection_holds(run: Command, tmp_path: Path) -> None:
    folder, library = tmp_path / "notes", ("--data-dir", tmp_path / "data")
    folder.mkdir()
    for name in ("a", "b"):
        (folder / f"{name}.txt").write_text(f"The gate {name} opens at nine.")
    (tmp_path / "else.txt").write_text("From elsewhere.")
    assert run(*library, "ingest", tmp_path / "else.txt", "--sync", folder, "--json").code == 0

    def names() -> list[str]:
        return sorted(d["name"] for d in run(*library, "documents", "--json").json["documents"])

    assert names() == ["a.txt", "b.txt", "else.txt"]
    (folder / "a.txt").unlink()
    (folder / "b.txt").write_text("The gate b opens at ten.")
    (folder / "c.txt").write_text("The gate c opens at nine.")
    done = run(*library, "ingest", "--sync", folder, "--json")
    assert (done.code, done.err) == (0, "")
    assert names() == ["b.txt", "c.txt", "else.txt"]
    hits = run(*library, "search", "gate b", "--document", "b.txt", "--json").json["hits"]
    assert [hit["text"] for hit in hits] == ["The gate b opens at ten."]

    for file in folder.iterdir():  # as a drive that is not mounted
        file.unlink()
    refused = run(*library, "ingest", "--sync", folder, "--json")
    assert (refused.code, refused.out) == (2, "")
    assert names() == ["b.txt", "c.txt", "else.txt"]


@pytest.mark.soak
@pytest.mark.slow
def test_a_watched_folder_is_followed_until_ctrl_c(run: Command, tmp_path: Path) -> None:
    folder, data = tmp_path / "notes", tmp_path / "data"
    folder.mkdir()
    (folder / "a.txt").write_text("The gate a opens at nine.")
    with serving(data):  # so that what happens can be seen meanwhile

        def names() -> list[str]:
            return [d["name"] for d in run("--data-dir", data, "documents", "--json").json["documents"]]

        with begun(
            "--data-dir", data, "ingest", "--sync", folder, "--watch",
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        ) as process:  # fmt: skip
            assert process.stdout
            assert process.stdout.readline().startswith("✓ a.txt ok")
            assert process.stdout.readline().startswith("watching")
            time.sleep(0.5)  # the system is told which folder a moment later
            (folder / "b.txt").write_text("The gate b opens at ten.")
            until(lambda: names() == ["a.txt", "b.txt"])
            (folder / "a.txt").unlink()
            until(lambda: names() == ["b.txt"])
            process.send_signal(signal.SIGINT)
            _, error = process.communicate(timeout=PATIENCE)
        assert process.returncode == 130
        # Between two changes, or while the last one was being taken in.
        assert error.startswith(("rag-app: stopped", "rag-app: the process that has the library goes on"))


# Progress


@pytest.mark.soak
@pytest.mark.slow
def test_a_terminal_shows_how_far_it_is(tmp_path: Path, encoder: Encoder) -> None:
    folder = many_notes(tmp_path / "notes", 12)
    done = on_terminal({}, "--data-dir", tmp_path / "data", "ingest", folder)
    assert done.code == 0
    assert "of 12 files" in done.out
    assert "note-011.txt ok" in done.out
