"""One child for small text files: neighbours are unharmed, and each file keeps its own limits."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingestion.documents import ParsedDocument, Status
from ingestion.parsing import ParseLimits, SharedChild, parse
from ingestion.parsing.sandbox import shared_child
from tests.helpers.processes import children, linux_only

pytestmark = [pytest.mark.slow, linux_only]


@pytest.fixture
def shared() -> Iterator[SharedChild]:
    child = SharedChild()
    yield child
    child.close()
    assert not list(children(os.getpid()))


def write(folder: Path, name: str, text: str) -> Path:
    (folder / name).write_text(text)
    return folder / name


def words(document: ParsedDocument) -> list[str]:
    return [page.text for page in document.pages]


def soft_seconds(process: int) -> int:
    """Return the processor time that a process may take in all."""
    lines = Path(f"/proc/{process}/limits").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("Max cpu time")).split()[3])


def test_files_are_read_one_after_the_other_by_one_child(tmp_path: Path, shared: SharedChild) -> None:
    files = [
        write(tmp_path, "a.txt", "The ferry sails at noon."),
        write(tmp_path, "b.md", "# Harbour\n\nThe crane lifts ten tons."),
        write(tmp_path, "c.csv", "berth,tons\nnorth,12\n"),
        write(tmp_path, "d.json", '{"berth": "south"}'),
        write(tmp_path, "e.html", "<h1>Lights</h1><p>Green is starboard.</p>"),
        write(tmp_path, "f.py", "def sail():\n    return 'noon'\n"),
    ]
    seen: list[tuple[int, int]] = []

    def note(*_: int) -> None:
        (child,) = children(os.getpid())
        seen.append((child, soft_seconds(child)))

    alone = [parse(file) for file in files]
    together = [parse(file, shared=shared, on_page=note) for file in files]
    assert together == alone
    assert {document.status for document in together} == {Status.OK}
    assert len({child for child, _ in seen}) == 1
    # The limit of processor time counts from each file's beginning.
    seconds = [limit for _, limit in seen]
    assert seconds[0] == ParseLimits().cpu_seconds < seconds[1]
    assert seconds == sorted(seconds)


def test_a_child_is_replaced_after_so_many_files(
    tmp_path: Path, shared: SharedChild, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_child, "MOST_FILES", 2)
    used: list[int] = []
    for number in range(4):
        file = write(tmp_path, f"{number}.txt", f"Buoy {number}.")
        parse(file, shared=shared, on_page=lambda *_: used.append(*children(os.getpid())))
    assert used[0] == used[1] != used[2] == used[3]


@pytest.mark.parametrize("always", [False, True], ids=["once", "always"])
def test_a_crash_ends_only_its_own_file(tmp_path: Path, shared: SharedChild, always: bool) -> None:
    """Of a file that kills its child once, another child may be to blame: it is read again."""
    # More than the pipe and the queue hold, so that the child is still at it when the first page is here.
    pages = "\f".join(f"Page {number}. " + "The tide rises. " * 800 for number in range(18))
    killed: list[int] = []

    def kill(*_: int) -> None:
        for child in children(os.getpid()):  # none, for pages that were on their way when it died
            if child not in killed and (always or not killed):
                killed.append(child)
                os.kill(child, signal.SIGKILL)

    before = parse(write(tmp_path, "before.txt", "Ebb."), shared=shared)
    bad = parse(write(tmp_path, "bad.txt", pages), shared=shared, on_page=kill)
    after = parse(write(tmp_path, "after.txt", "Flood."), shared=shared)
    assert (words(before), words(after)) == (["Ebb."], ["Flood."])
    if always:
        assert len(killed) == 2
        assert bad.status is not Status.OK
        assert "crashed (SIGKILL)" in str(bad.error)
    else:
        assert bad.status is Status.OK
        assert len(bad.pages) == 18


def test_refused_files_leave_their_neighbours_alone(tmp_path: Path, shared: SharedChild) -> None:
    files = [
        write(tmp_path, "a.txt", "One."),
        write(tmp_path, "deep.json", "[" * 100_000),
        write(tmp_path, "b.txt", "Two."),
        write(tmp_path, "blank.txt", " \n\n "),
        write(tmp_path, "c.txt", "Three."),
    ]
    (tmp_path / "binary.txt").write_bytes(b"\0\1\2\3" * 50)
    files.insert(3, tmp_path / "binary.txt")
    assert [parse(file, shared=shared) for file in files] == [parse(file) for file in files]
