"""What there is in folders, and watching them."""

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from ingestion.errors import InvalidInput
from ingestion.pipeline.folder_sync import Changes, find_files, list_files, list_folder, watch


def write(folder: Path, name: str, text: str = "Text.") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_links_to_folders_and_loops_are_not_followed(tmp_path: Path) -> None:
    root = tmp_path / "root"
    found = write(root, "a/b.txt")
    (root / "a" / "up").symlink_to(root)
    (root / "a" / "gone.txt").symlink_to(root / "nothing.txt")
    (root / "loop.txt").symlink_to(root / "loop.txt")
    (root / "linked.txt").symlink_to(found)
    listing = list_folder(root)
    assert listing.files == (found, root / "linked.txt")
    assert [(unreadable.path, unreadable.reason) for unreadable in listing.unreadable] == [
        (str(root / "loop.txt"), os.strerror(40))
    ]


def test_a_folder_that_cannot_be_listed_is_reported_and_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root may list every folder, so that the refusal is made."""
    good, bad = write(tmp_path, "good/a.txt"), write(tmp_path, "bad/b.txt")
    real = os.scandir

    def scandir(path: Path) -> Iterator[os.DirEntry[str]]:
        if Path(path) == bad.parent:
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr("ingestion.pipeline.folder_sync.os.scandir", scandir)
    listing = list_files([tmp_path])
    assert listing.files == (good,)
    assert [(one.path, one.reason) for one in listing.unreadable] == [(str(bad.parent), "Permission denied")]
    assert find_files([tmp_path]) == [good]


PATIENCE_S = 60.0  # for what takes milliseconds: only a failing test waits so long


class Watching:
    """A watch in a thread of its own, and what it has said so far, by a clock that the test sets."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        self.seconds = 0.0
        monkeypatch.setattr("ingestion.pipeline.folder_sync.time", SimpleNamespace(monotonic=self._now))
        self._seen: list[Changes] = []
        self.stop = threading.Event()
        watching = watch(folder, stop=self.stop, settle_seconds=1.0, poll=False)
        self.thread = threading.Thread(target=lambda: self._seen.extend(watching))
        self.thread.start()
        # The system has to be asked before it tells: write until it does, and leave each writing the time
        # to be looked at twice.
        self._probe = folder / "probe.txt"
        deadline = time.monotonic() + PATIENCE_S
        while not self._seen:
            assert time.monotonic() < deadline
            self._probe.write_text(str(self.seconds))
            looked_until = time.monotonic() + 5.0
            while not self._seen and time.monotonic() < looked_until:
                self._let_pass(0.5)

    def _now(self) -> float:
        return self.seconds

    def _let_pass(self, seconds: float) -> None:
        """Let time pass on the test's clock, while the watch looks at it."""
        for _ in range(int(seconds / 0.5)):
            time.sleep(0.05)
            self.seconds += 0.5

    @property
    def seen(self) -> list[Changes]:
        """What was said, but of the probe."""
        return [changes for changes in list(self._seen) if changes.changed != (self._probe,)]

    def until(self, changed: set[Path], gone: set[Path]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline and (self.changed(), self.gone()) != (changed, gone):
            self._let_pass(0.5)
        assert (self.changed(), self.gone()) == (changed, gone)

    def changed(self) -> set[Path]:
        return {path for changes in self.seen for path in changes.changed} - {self._probe}

    def gone(self) -> set[Path]:
        return {path for changes in self.seen for path in changes.gone}

    def __enter__(self) -> "Watching":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        self.thread.join(PATIENCE_S)
        assert not self.thread.is_alive()


def test_changes_are_told_once_files_have_come_to_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "root"
    old = write(root, "old.txt")
    write(root, ".git/old.txt")
    moved = write(tmp_path, "moved/in/a.txt")
    with Watching(monkeypatch, root) as watching:
        new = write(root, "sub/new.txt")
        write(root, "sub/new.odd")
        write(root, ".git/new.txt")
        old.unlink()
        (tmp_path / "moved").rename(root / "moved")
        inside = root / moved.relative_to(tmp_path)
        watching.until({new, inside}, {old})


def test_a_file_that_is_being_written_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    growing = tmp_path / "a.txt"
    with Watching(monkeypatch, tmp_path) as watching:
        with growing.open("w") as stream:
            for _ in range(10):
                stream.write("More text.\n")
                stream.flush()
                time.sleep(0.05)
                assert watching.seen == []
                watching.seconds += 0.5
        watching.until({growing}, set())
        assert len(watching.seen) == 1


def test_a_folder_that_is_not_there_is_not_watched(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"the folder .*missing cannot be read"):
        next(watch(tmp_path / "missing", stop=threading.Event()))
