"""Paths that lead to no file, at each command that takes a path: refused in words, without reading."""

import os
import resource
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.helpers.commands import Command
from tests.helpers.processes import linux_only

pytestmark = linux_only

# Bytes above what this process has: reading a device without end would take them, and fail.
_ROOM = 4 * 2**30


@pytest.fixture(autouse=True)
def little_memory() -> Iterator[None]:
    """A command that reads without end fails, instead of taking the machine with it."""
    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (size + _ROOM, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, before)


def pipe(folder: Path) -> Path:
    os.mkfifo(folder / "pipe")
    return folder / "pipe"


def bound_socket(folder: Path) -> Path:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(folder / "s"))
    return folder / "s"


def no_file(folder: Path) -> Path:
    (folder / "folder").mkdir()
    return folder / "folder"


ODD: dict[str, Callable[[Path], Path]] = {
    "device": lambda _: Path("/dev/zero"),
    "pipe": pipe,
    "folder": no_file,
    "socket": bound_socket,
    "memory": lambda _: Path("/proc/self/mem"),
}
COMMANDS = {
    "import": ("import", "{}"),
    "export": ("export", "{}", "--force"),
    "models add llm": ("models", "add", "odd", "--role", "llm", "--source", "file:{}"),
    "models add reranker": ("models", "add", "odd", "--role", "reranker", "--source", "file:{}"),
    "models unbundle": ("models", "unbundle", "{}"),
    "llm": ("ask", "Who lit it?", "--llm", "{}"),
    "reranker": ("search", "lighthouse", "--rerank", "{}"),
    "reindex": ("reindex", "--representation", "odd", "--model", "{}"),
    "eval": ("eval", "{}"),
    "judge import": ("judge", "import", "{}"),
    "ingest": ("ingest", "{}"),
    "token": ("serve", "--api-token-file", "{}"),
    "logins": ("serve", "--auth-file", "{}"),
}
# Folders are named there on purpose, or a pipe is: a password manager writes into it.
FINE = {("ingest", "folder"), ("token", "pipe"), ("logins", "pipe")}


@pytest.mark.parametrize("kind", ODD)
@pytest.mark.parametrize("command", COMMANDS)
def test_it_is_refused_in_words(run: Command, data: Path, tmp_path: Path, command: str, kind: str) -> None:
    if (command, kind) in FINE:
        pytest.skip("that is a path for it")
    path = ODD[kind](tmp_path)
    done = run("--data-dir", data, *(word.format(path) for word in COMMANDS[command]))
    assert done.code in (1, 2, 3), done.err
    said = done.out + done.err
    assert "unexpected" not in said
    assert "Traceback" not in said
    assert path.name in said.replace("\n", "")


@pytest.mark.parametrize("name", ["questions.jsonl", "queries.jsonl", "corpus.jsonl", "qrels/test.tsv"])
@pytest.mark.parametrize("kind", [kind for kind in ODD if kind != "socket"])
def test_a_data_set_with_an_odd_file_is_refused(
    run: Command, data: Path, tmp_path: Path, name: str, kind: str
) -> None:
    folder = tmp_path / "set"
    (folder / "qrels").mkdir(parents=True)
    (folder / "corpus.jsonl").write_text('{"_id": "d", "text": "a lighthouse"}\n')
    (folder / "queries.jsonl").write_text('{"_id": "q", "text": "a lighthouse?"}\n')
    (folder / "qrels" / "test.tsv").write_text("q\td\t1\n")
    (folder / name).unlink(missing_ok=True)
    (folder / name).symlink_to(ODD[kind](tmp_path))
    for command in ("eval", "judge import"):
        done = run("--data-dir", data, *command.split(), folder)
        if done.code == 0:  # it reads the other files
            assert command == "eval"
            assert name == "questions.jsonl"
            continue
        assert done.code == 2, done.err
        assert "unexpected" not in done.err


@pytest.mark.parametrize("kind", ODD)
def test_odd_settings_files_are_refused(
    run: Command, data: Path, tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = ODD[kind](tmp_path)
    monkeypatch.setenv("RAG_APP_CONFIG", str(path))
    done = run("--data-dir", data, "stats")
    assert done.code == 2
    assert str(path) in done.err
