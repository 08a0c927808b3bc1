"""A collection that follows a folder: what is added, read again, removed; and what must never be."""

import os
import shutil
from pathlib import Path

import pytest

from ingestion.errors import InvalidInput
from ingestion.library import Library
from ingestion.pipeline.folder_sync import SyncPlan, remove_gone, sync
from ingestion.pipeline.ingest import ingest
from tests.helpers.store_contents import assert_whole

pytestmark = pytest.mark.slow


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.fixture
def folder(library: Library, tmp_path: Path) -> Path:
    """A folder whose three files the library holds, beside one from elsewhere and an upload."""
    folder = tmp_path / "folder"
    for name in ("a", "b", "sub/c"):
        write(folder, f"{name}.txt", f"About {name}.")
    beside = write(tmp_path, "folder 2/d.txt", "About d.")
    upload = write(tmp_path, "e.txt", "About e.")
    list(ingest(library, [folder, beside]))
    list(ingest(library, [upload], source_path=lambda file: f"upload:{file.name}"))
    beside.unlink()
    upload.unlink()
    return folder


def names(plan: SyncPlan) -> dict[str, list[str]]:
    return {
        kind: [Path(path).name for path in getattr(plan, kind)]
        for kind in ("add", "replace", "unchanged", "remove")
    }


def known(library: Library) -> list[str]:
    return sorted(document.name for document in library.catalogue.documents())


def test_a_plan_tells_new_changed_and_gone_files_apart(library: Library, folder: Path) -> None:
    write(folder, "a.txt", "About a, anew.")
    write(folder, "new.txt", "About new.")
    (folder / "sub" / "c.txt").unlink()
    plan = sync(library, folder, "default")
    assert names(plan) == {
        "add": ["new.txt"], "replace": ["a.txt"], "unchanged": ["b.txt"], "remove": ["c.txt"],
    }  # fmt: skip
    assert known(library) == ["a.txt", "b.txt", "c.txt", "d.txt", "e.txt"]
    list(ingest(library, [*plan.add, *plan.replace]))
    assert remove_gone(library, folder, "default") == [str(folder / "sub" / "c.txt")]
    assert known(library) == ["a.txt", "b.txt", "d.txt", "e.txt", "new.txt"]
    assert names(sync(library, folder, "default"))["unchanged"] == ["a.txt", "b.txt", "new.txt"]
    assert_whole(library)


def test_bytes_of_the_same_number_are_compared(library: Library, folder: Path) -> None:
    write(folder, "a.txt", "About A.")
    assert names(sync(library, folder, "default"))["replace"] == ["a.txt"]


def test_a_document_read_in_part_is_to_be_read_again(library: Library, folder: Path) -> None:
    with library.catalogue.transaction() as connection:
        connection.execute("UPDATE documents SET status = 'partial' WHERE name = 'b.txt'")
    assert names(sync(library, folder, "default"))["replace"] == ["b.txt"]


def test_a_moved_file_keeps_its_document(library: Library, folder: Path) -> None:
    (before,) = library.catalogue.find("a.txt", (1,))
    (folder / "a.txt").rename(folder / "moved.txt")
    plan = sync(library, folder, "default")
    assert (names(plan)["add"], names(plan)["remove"]) == (["moved.txt"], ["a.txt"])
    assert [str(result.status) for result in ingest(library, plan.add)] == ["duplicate"]
    remove_gone(library, folder, "default")
    (after,) = library.catalogue.find(str(folder / "moved.txt"), (1,))
    assert (after.id, after.version) == (before.id, before.version)
    assert_whole(library)


@pytest.mark.parametrize("how", ["missing", "empty", "a file"])
def test_a_folder_that_lost_everything_is_refused(library: Library, folder: Path, how: str) -> None:
    shutil.rmtree(folder)
    if how == "empty":
        folder.mkdir()
    elif how == "a file":
        folder.write_text("Text.")
    for work in (sync, remove_gone):
        with pytest.raises(InvalidInput, match=r"folder (is empty, and all 3 files|cannot be read).*drive"):
            work(library, folder, "default")
    assert len(known(library)) == 5


def test_an_empty_folder_that_had_no_documents_needs_nothing(library: Library, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert not any(names(sync(library, tmp_path / "empty", "new one")).values())
    assert "new one" not in library.catalogue.collections()


def test_files_that_could_not_be_looked_at_stay(
    library: Library, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root may look everywhere, so that the refusals are made."""
    hidden = folder / "sub"
    scandir, lstat = os.scandir, os.lstat

    def refused(path: object) -> None:
        if str(path).startswith(str(hidden)):
            raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(
        "ingestion.pipeline.folder_sync.os.scandir", lambda path: (refused(path), scandir(path))[1]
    )
    monkeypatch.setattr(
        "ingestion.pipeline.folder_sync.os.lstat", lambda path: (refused(path), lstat(path))[1]
    )
    plan = sync(library, folder, "default")
    assert plan.remove == ()
    assert [one.path for one in plan.unreadable] == [str(hidden)]
    assert remove_gone(library, folder, "default") == []
    assert len(known(library)) == 5


def test_other_collections_are_left_alone(library: Library, folder: Path) -> None:
    list(ingest(library, [folder / "a.txt"], collection="other"))
    (folder / "a.txt").unlink()
    remove_gone(library, folder, "default")
    assert [d.collection for d in library.catalogue.documents() if d.name == "a.txt"] == ["other"]
    assert_whole(library)
