"""Failures and crashes at each step of a commit: the library is as it was, or finishes on opening."""

import errno
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ingestion.documents import Status
from ingestion.encoders import Encoder
from ingestion.errors import DiskFull, LibraryError
from ingestion.library import Library
from ingestion.maintenance import repair, verify
from ingestion.pipeline.ingest import ingest
from ingestion.storage.catalogue.catalogue import Catalogue
from ingestion.storage.catalogue.journal import Journal
from ingestion.storage.tokens.store import TokenStore
from ingestion.storage.vectors.store import VectorStore
from tests.helpers.processes import run_forked
from tests.helpers.store_contents import assert_whole, everything, names_in

# Processes of their own, Chroma in most tests: minutes in all.
pytestmark = pytest.mark.slow

OLD = "The Bramley apple tree stands by the north wall. It was planted in 1921."
NEW = "The Conference pear ripens in October. Its fruit keeps until January."

# Every call that Library.add makes on a store, in order.
STEPS = {
    "journal": (Journal, "begin"),
    "original": ("ingestion.additions.keep_original", None),
    "segment": (TokenStore, "write"),
    "chroma": (VectorStore, "upsert"),
    "attach": (TokenStore, "attach"),
    "catalogue": ("ingestion.additions.insert_document", None),
}


class Injected(OSError):
    def __init__(self) -> None:
        super().__init__(errno.ENOSPC, "No space left on device")


def inject(
    monkeypatch: pytest.MonkeyPatch, step: str, fault: Callable[[], None], *, after: bool = False
) -> None:
    """Make a step fail at its call, or after it has done its work."""
    owner: Any
    owner, name = STEPS[step]
    if name is None:
        module, name = owner.rsplit(".", 1)
        owner = sys.modules[module]
    real = getattr(owner, name)

    def failing(*arguments: object, **options: object) -> object:
        if after:
            real(*arguments, **options)
        fault()
        raise AssertionError("the fault should not return")

    monkeypatch.setattr(owner, name, failing)


def full_disk() -> None:
    raise Injected


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "a.txt"
    path.write_text(OLD)
    return path


@pytest.fixture
def holding(library: Library, path: Path) -> Library:
    """A library that holds the old version of a file whose bytes have changed since."""
    assert [result.status for result in ingest(library, [path])] == ["ok"]
    path.write_text(NEW)
    return library


@pytest.mark.parametrize(
    ("step", "after"),
    [("journal", False), *((step, after) for step in list(STEPS)[1:] for after in (False, True))],
)
def test_a_failed_replacement_leaves_the_library_as_it_was(
    holding: Library, path: Path, monkeypatch: pytest.MonkeyPatch, step: str, after: bool
) -> None:
    before = everything(holding)
    with monkeypatch.context() as patch:
        inject(patch, step, full_disk, after=after)
        with pytest.raises(DiskFull, match="No space left on the disk"):
            list(ingest(holding, [path]))
    assert everything(holding) == before
    assert_whole(holding)
    assert [result.status for result in ingest(holding, [path])] == ["ok"]
    assert_whole(holding)


@pytest.mark.parametrize("step", STEPS)
def test_a_failed_first_addition_leaves_an_empty_library(
    library: Library, path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    with monkeypatch.context() as patch:
        inject(patch, step, full_disk)
        with pytest.raises(DiskFull):
            list(ingest(library, [path]))
    assert library.catalogue.documents() == []
    assert_whole(library)


def test_the_message_names_the_file_and_what_to_do(
    library: Library, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inject(monkeypatch, "segment", full_disk)
    with pytest.raises(
        LibraryError, match=r"^a\.txt could not be written .*No space left.* then ingest it again$"
    ):
        list(ingest(library, [path]))


def test_a_full_catalogue_leaves_the_library_as_it_was(
    holding: Library, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A real full disk, as SQLite sees one."""
    before = everything(holding)
    path.write_text("Many words about apples and pears. " * 20_000)
    pages = holding.catalogue.database.rows("PRAGMA page_count")[0][0]
    holding.catalogue.database.rows(f"PRAGMA max_page_count = {pages + 30}")
    # The vectors of so long a text do not matter here and would take a minute.
    monkeypatch.setattr("ingestion.pipeline.parsing_stage.chunk_pages", lambda *_, **__: [])
    with pytest.raises(LibraryError, match=r"No space left on the disk"):
        list(ingest(holding, [path]))
    holding.catalogue.database.rows("PRAGMA max_page_count = 1000000")
    assert everything(holding) == before
    assert_whole(holding)


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, SystemExit])
def test_an_interrupt_in_the_writing_thread_just_after_the_commit_keeps_the_new_version(
    holding: Library, path: Path, monkeypatch: pytest.MonkeyPatch, interrupt: type[BaseException]
) -> None:
    real = Catalogue.transaction

    @contextmanager
    def interrupted(catalogue: Catalogue) -> Iterator[sqlite3.Connection]:
        with real(catalogue) as connection:
            yield connection
        if catalogue.journal.entries() and catalogue.journal.entries()[-1].kind == "remove":
            raise interrupt

    with monkeypatch.context() as patch:
        patch.setattr(Catalogue, "transaction", interrupted)
        (result,) = ingest(holding, [path])
    assert (result.status, result.is_fault) == ("failed", True)
    assert interrupt.__name__ in str(result.error)
    (document,) = holding.catalogue.documents()
    assert document.version == 2
    assert set(holding.vectors.ids(1, "mean")) >= {f"{document.id}:2:0"}
    assert holding.original(document.sha256).exists()
    holding.journal_cleaner.erase_journalled()
    assert_whole(holding)


@pytest.mark.soak
def test_a_ruined_index_of_words_does_not_keep_a_document(holding: Library) -> None:
    """It is invisible at once, its erasure is told to be late, and `repair` catches up."""
    (document,) = holding.catalogue.documents()
    holding.catalogue.database.rows("UPDATE chunk_index_data SET block = x'ffffffff'")
    with pytest.raises(LibraryError, match=r"deleted, but not yet erased .* tried again"):
        holding.delete(document)
    assert holding.catalogue.documents() == []
    assert holding.catalogue.chunks(document.chunk_ids()) == {}
    assert "journal" in {problem.store for problem in verify(holding).problems}
    assert repair(holding).ok
    assert verify(holding).ok
    assert_whole(holding)


def fail_without_undoing(patch: pytest.MonkeyPatch, library: Library, path: Path) -> None:
    """Have an ingest fail at its last step, and Chroma refuse to give back what it was given."""
    inject(patch, "catalogue", full_disk)
    patch.setattr(VectorStore, "delete", lambda *_, **__: full_disk())
    with pytest.raises(LibraryError):
        list(ingest(library, [path]))


def test_what_could_not_be_undone_is_undone_on_opening(
    holding: Library, path: Path, encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = everything(holding)
    with monkeypatch.context() as patch:
        fail_without_undoing(patch, holding, path)
    assert len(holding.catalogue.journal.entries()) == 1
    assert everything(holding) == before
    holding.close()
    with Library.open(holding.folder, encoder) as again:
        assert everything(again) == before
        assert_whole(again)


def test_what_could_not_be_undone_harms_no_later_version(
    holding: Library, path: Path, encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The unfinished version 2 is still in the journal when the file is ingested again."""
    with monkeypatch.context() as patch:
        patch.setattr(VectorStore, "delete", lambda *_, **__: full_disk())
        with pytest.MonkeyPatch.context() as first:
            inject(first, "catalogue", full_disk)
            with pytest.raises(LibraryError):
                list(ingest(holding, [path]))
        assert [result.status for result in ingest(holding, [path])] == ["ok"]
    assert holding.catalogue.documents()[0].version == 3
    holding.close()
    with Library.open(holding.folder, encoder) as again:
        assert_whole(again)


def test_a_replacement_counts_although_the_old_version_cannot_be_erased_yet(
    holding: Library, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(TokenStore, "erase", lambda *_: full_disk())
        assert [result.status for result in ingest(holding, [path])] == ["ok"]
    assert holding.catalogue.documents()[0].version == 2
    assert len(names_in(holding.folder / "tokens")) == 2
    path.write_text(OLD)
    assert [result.status for result in ingest(holding, [path])] == ["ok"]
    assert_whole(holding)


def test_a_deletion_that_cannot_be_erased_says_so_and_is_finished_later(
    holding: Library, encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(TokenStore, "erase", lambda *_: full_disk())
        with pytest.raises(LibraryError, match=r"a\.txt: deleted, but not yet erased .*No space left"):
            holding.delete(holding.catalogue.documents()[0])
    assert holding.catalogue.documents() == []
    holding.close()
    with Library.open(holding.folder, encoder) as again:
        assert names_in(again.folder / "tokens") == set()
        assert_whole(again)


def test_a_library_opens_although_what_is_left_cannot_be_erased(
    holding: Library, path: Path, encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = everything(holding)
    with monkeypatch.context() as patch:
        fail_without_undoing(patch, holding, path)
        holding.close()
        with Library.open(holding.folder, encoder) as again:
            assert everything(again) == before
            assert len(again.catalogue.journal.entries()) == 1


def test_a_file_that_changes_while_it_is_ingested_stops_no_other(
    library: Library, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "b.txt"
    other.write_text(NEW)
    real = library.encoder.encode

    def encode(texts: list[str], *arguments: object, **options: object) -> object:
        if any(OLD in text for text in texts):
            path.write_text("Something else altogether.")
        return real(texts, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(library.encoder, "encode", encode)
    results = {result.name: result for result in ingest(library, [path, other])}
    assert (results["a.txt"].status, results["b.txt"].status) == (Status.FAILED, Status.OK)
    assert "a.txt changed while it was ingested; ingest it again" in (results["a.txt"].error or "")
    assert_whole(library)


def test_a_file_that_vanishes_while_it_is_ingested(
    library: Library, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = library.encoder.encode
    monkeypatch.setattr(library.encoder, "encode", lambda *a, **o: (path.unlink(), real(*a, **o))[1])
    (result,) = ingest(library, [path])
    assert result.status is Status.FAILED
    assert result.error is not None
    assert "a.txt cannot be read any more: No such file" in result.error
    assert_whole(library)


# Crashes: in a process of its own, which ends at the step without a word


CRASHER = """
import os, sys
from pathlib import Path
import ingestion.additions
from ingestion.encoders import builtin_encoder
from ingestion.library import Library
from ingestion.pipeline.ingest import ingest
from ingestion.storage.catalogue.journal import Journal
from ingestion.storage.tokens.store import TokenStore
from ingestion.storage.vectors.store import VectorStore

folder, file, owner, name, nth, when = sys.argv[1:]
place = globals()[owner] if owner != "additions" else ingestion.additions
real = getattr(place, name)
calls = 0

def crash(*arguments, **options):
    global calls
    calls += 1
    if calls == int(nth) and when == "at":
        os._exit(9)
    result = real(*arguments, **options)
    if calls == int(nth):
        os._exit(9)
    return result

library = Library.open(Path(folder), builtin_encoder())
setattr(place, name, crash)
for result in ingest(library, [Path(file)]):
    pass
os._exit(0)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "step",
    [
        "Journal begin 1 after",
        "additions keep_original 1 after",
        "TokenStore write 1 after",
        "VectorStore upsert 1 after",
        "VectorStore upsert 2 after",
        "additions insert_document 1 after",
        "VectorStore delete 1 at",
        "VectorStore delete 1 after",
        "TokenStore erase 1 after",
        "Journal forget 1 at",
    ],
    ids=lambda step: step.replace(" ", "-"),
)
def test_a_crash_is_cleaned_up_on_opening(holding: Library, path: Path, encoder: Encoder, step: str) -> None:
    before = everything(holding)
    holding.close()
    assert run_forked(CRASHER, holding.folder, path, *step.split()) == 9
    connection = sqlite3.connect(holding.folder / "catalogue.sqlite3")
    assert connection.execute("SELECT count(*) FROM journal").fetchone() == (1,)
    connection.close()
    with Library.open(holding.folder, encoder) as again:
        assert_whole(again)
        committed = step.startswith(("VectorStore delete", "TokenStore erase", "Journal forget"))
        assert (everything(again) == before) is not committed
        statuses = [result.status for result in ingest(again, [path])]
        assert statuses == (["unchanged"] if committed else ["ok"])
        assert_whole(again)
        assert again.catalogue.documents()[0].version == 2


def test_a_killed_process_leaves_no_lock(tmp_path: Path, encoder: Encoder) -> None:
    code = (
        "import os, signal, sys; from pathlib import Path; from ingestion.storage.lock import LibraryLock; "
        "LibraryLock(Path(sys.argv[1])).acquire(); os.kill(os.getpid(), signal.SIGKILL)"
    )
    folder = tmp_path / "library"
    ended = subprocess.run([sys.executable, "-c", code, str(folder)], check=False, timeout=60)
    assert ended.returncode == -signal.SIGKILL
    assert (folder / "library.holder").exists()
    with Library.open(folder, encoder) as library:
        assert f'"pid": {os.getpid()}' in (folder / "library.holder").read_text()
        assert library.catalogue.documents() == []
