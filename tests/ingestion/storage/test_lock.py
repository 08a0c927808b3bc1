"""One process a library."""

import errno
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from ingestion.encoders import Encoder
from ingestion.errors import LibraryDamaged, LibraryError, LibraryInUse
from ingestion.library import Library
from ingestion.storage.lock import LibraryLock, is_held, read_holder, redacted

TRY = """
import sys
from pathlib import Path
from ingestion.errors import LibraryInUse
from ingestion.storage.lock import LibraryLock
try:
    LibraryLock(Path(sys.argv[1])).acquire()
except LibraryInUse as error:
    print(error)
    sys.exit(7)
"""


def test_a_second_process_is_told_who_has_it(tmp_path: Path) -> None:
    lock = LibraryLock(tmp_path / "library")
    lock.acquire()

    def attempt() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", TRY, str(tmp_path / "library")],
            check=False, capture_output=True, text=True, timeout=60,
        )  # fmt: skip

    refused = attempt()
    assert refused.returncode == 7, refused.stderr
    assert f"open in another process (process {os.getpid()}: " in refused.stdout
    lock.release()
    assert attempt().returncode == 0


def test_a_library_opens_once_also_in_one_process(library: Library, encoder: Encoder) -> None:
    with pytest.raises(LibraryInUse, match=f"process {os.getpid()}"):
        Library.open(library.folder, encoder)
    assert library.catalogue.documents() == []  # the first one is unharmed
    library.close()
    library.close()
    Library.open(library.folder, encoder).close()


def test_a_library_closed_in_another_thread_is_free(tmp_path: Path, encoder: Encoder) -> None:
    library = Library.open(tmp_path / "library", encoder)
    thread = threading.Thread(target=library.close)
    thread.start()
    thread.join()
    Library.open(tmp_path / "library", encoder).close()


def test_a_note_that_cannot_be_read_does_not_matter(tmp_path: Path) -> None:
    lock = LibraryLock(tmp_path)
    lock.acquire()
    (tmp_path / "library.holder").write_text("{ half a no")
    with pytest.raises(LibraryInUse, match="left no note"):
        LibraryLock(tmp_path).acquire()
    lock.release()


def test_a_folder_that_is_a_file(tmp_path: Path, encoder: Encoder) -> None:
    (tmp_path / "library").write_text("not a folder")
    for folder in (tmp_path / "library", tmp_path / "library" / "below"):
        with pytest.raises(LibraryError, match=r"cannot be used: .*choose another with --data-dir"):
            Library.open(folder, encoder)
    assert (tmp_path / "library").read_text() == "not a folder"


def test_a_full_disk_is_told_as_one(
    tmp_path: Path, encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, _: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", full)
        with pytest.raises(LibraryError, match="No space left on device; free some space on its disk"):
            Library.open(tmp_path / "library", encoder)
    Library.open(tmp_path / "library", encoder).close()


def test_a_part_that_is_a_file(tmp_path: Path, encoder: Encoder) -> None:
    (tmp_path / "tokens").write_text("not a folder")
    with pytest.raises(LibraryError, match="tokens cannot be made"):
        Library.open(tmp_path, encoder)
    (tmp_path / "tokens").unlink()
    Library.open(tmp_path, encoder).close()  # the lock was given back


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written(tmp_path: Path, encoder: Encoder) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(LibraryError, match="Permission denied"):
        Library.open(tmp_path / "library", encoder)
    tmp_path.chmod(0o700)


def test_a_catalogue_that_cannot_be_read_gives_the_lock_back(library: Library, encoder: Encoder) -> None:
    library.close()
    path = library.folder / "catalogue.sqlite3"
    data = path.read_bytes()
    path.write_bytes(b"no database" * 1000)
    for _ in range(2):
        with pytest.raises(LibraryDamaged, match=r"catalogue\.sqlite3"):
            Library.open(library.folder, encoder)
    path.write_bytes(data)
    Library.open(library.folder, encoder).close()


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (
            "rag-app --data-dir /x serve --auth ann:secret --port 0",
            "rag-app --data-dir … serve --auth … --port …",
        ),
        ("rag-app serve --auth=ann:secret", "rag-app serve --auth=…"),
        ("rag-app --verbose jobs show 7", "rag-app --verbose jobs show …"),
        ("rag-app ask Who? --llm http://x#secret", "rag-app ask … --llm …"),
        ("rag-app --data-dir /x serve --auth secret", "rag-app --data-dir … serve --auth …"),
        ("rag-app delete Secret.pdf other secret", "rag-app delete …"),
        ("rag-app", "rag-app"),
        ("", ""),
    ],
)
def test_a_note_names_a_command_without_its_values(words: str, shown: str) -> None:
    assert redacted(words.split()) == shown
    assert redacted(shown.split()) == shown


def test_a_note_of_another_version_is_shown_without_values(tmp_path: Path) -> None:
    fields = {"pid": 7, "command": "rag-app serve --auth ann:secret", "url": None, "token": None}
    (tmp_path / "library.holder").write_text(json.dumps(fields), "utf-8")
    holder = read_holder(tmp_path)
    assert holder is not None
    assert holder.command == "rag-app serve --auth …"


def test_whether_a_library_is_open(tmp_path: Path) -> None:
    assert not is_held(tmp_path / "missing")
    lock = LibraryLock(tmp_path)
    lock.acquire()
    assert is_held(tmp_path)
    lock.release()
    assert not is_held(tmp_path)
    lock.acquire()  # asking did not keep it
    lock.release()
