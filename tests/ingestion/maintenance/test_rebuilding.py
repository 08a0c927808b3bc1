"""A library whose catalogue is lost or damaged: refused with what is there, and made anew without loss."""

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from ingestion.collections import list_collections, rename_collection, set_instructions
from ingestion.encoders import Encoder
from ingestion.errors import Cancelled, LibraryDamaged
from ingestion.library import Library
from ingestion.maintenance import compact, rebuild, repair, verify
from ingestion.maintenance import rebuilding as rebuilding_module
from ingestion.pipeline.ingest import ingest
from ingestion.storage.catalogue.snapshots import Snapshots
from ingestion.storage.folder_swap import finish_rebuild
from tests.helpers.documents import ingest_apart, write_documents
from tests.helpers.store_contents import assert_whole

pytestmark = pytest.mark.slow

CATALOGUE = "catalogue.sqlite3"
Damage = Callable[[Path], None]


def remove(file: Path) -> None:
    file.unlink()


def empty(file: Path) -> None:
    file.write_bytes(b"")


def cut(file: Path) -> None:
    os.truncate(file, file.stat().st_size // 2)


def zero_first(file: Path) -> None:
    with file.open("r+b") as stream:
        stream.write(bytes(4096))


def zero_many(file: Path) -> None:
    """A zeroed stretch in the middle."""
    size = file.stat().st_size
    with file.open("r+b") as stream:
        stream.seek(size // 3 // 4096 * 4096)
        stream.write(bytes(size // 3 // 4096 * 4096))


def number(file: Path, version: int) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute(f"PRAGMA user_version = {version}")
        connection.commit()


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Path:
    """A closed library: two documents, one of them in two collections and under two paths."""
    place = tmp_path_factory.mktemp("template")
    files = write_documents(place / "files")
    second = place / "copies" / "orchard copy.md"
    second.parent.mkdir()
    shutil.copyfile(files / "orchard.md", second)
    with Library.open(place / "library", encoder) as library:
        ingest_apart(library, files)
        list(ingest(library, [second]))
        list(ingest(library, [files / "orchard.md"], collection="fruit"))
        rename_collection(library, "fruit", "pears and apples")
        for file in Snapshots(library.folder).all():
            file.unlink()
        library.snapshots._tried = 1e18  # none is made with closing
        library.snapshots.are_due = lambda **_: False  # type: ignore[method-assign]
    return place / "library"


@pytest.fixture
def folder(template: Path, tmp_path: Path) -> Path:
    """A copy of it, to be damaged."""
    return shutil.copytree(template, tmp_path / "library")


def contents(library: Library) -> dict[str, Any]:
    """What a library holds, by document id."""
    catalogue = library.catalogue
    return {
        document.id: (
            {**asdict(document), "collection_id": None},
            sorted(catalogue.sources.of(document.id)),
            [replace(chunk) for chunk in catalogue.chunks(document.chunk_ids()).values()],
        )
        for document in catalogue.documents()
    }


def test_a_new_library_has_nothing_to_lose(tmp_path: Path, encoder: Encoder) -> None:
    with Library.open(tmp_path / "new", encoder) as library:
        assert library.catalogue.documents() == []
    with Library.open(tmp_path / "new", encoder):
        pass


@pytest.mark.parametrize("damage", [remove, empty])
def test_a_lost_catalogue_is_refused_with_what_is_there(
    folder: Path, encoder: Encoder, damage: Damage
) -> None:
    damage(folder / CATALOGUE)
    before = sorted(path.name for path in folder.rglob("*") if path.name != "library.lock")
    with pytest.raises(LibraryDamaged) as raised:
        Library.open(folder, encoder)
    for part in ("2 originals", "3 token segments", "Chroma's vectors", "rag-app repair --rebuild"):
        assert part in str(raised.value)
    assert sorted(path.name for path in folder.rglob("*") if path.name != "library.lock") == before


def test_a_catalogue_without_documents_beside_originals_is_refused(
    folder: Path, tmp_path: Path, encoder: Encoder
) -> None:
    with Library.open(tmp_path / "other", encoder):
        pass
    shutil.copyfile(tmp_path / "other" / CATALOGUE, folder / CATALOGUE)
    with pytest.raises(LibraryDamaged, match=r"knows no document.*2 originals.*repair --rebuild"):
        Library.open(folder, encoder)


@pytest.mark.parametrize("version", [0, -1, -7])
def test_a_schema_number_that_none_gives_is_named(folder: Path, encoder: Encoder, version: int) -> None:
    number(folder / CATALOGUE, version)
    with pytest.raises(LibraryDamaged, match=rf"numbers its schema {version} and has \d+ tables.*--rebuild"):
        Library.open(folder, encoder)


@pytest.mark.parametrize("damage", [cut, zero_first])
def test_a_catalogue_that_cannot_be_read_names_the_way_back(
    folder: Path, encoder: Encoder, damage: Damage
) -> None:
    damage(folder / CATALOGUE)

    def said() -> str:
        try:
            with Library.open(folder, encoder) as library:
                return " ".join(problem.mend for problem in verify(library).problems)
        except LibraryDamaged as error:
            return str(error)

    assert "rag-app repair --rebuild" in said()


# Whatever the damage is, the catalogue is made anew in the same way.
@pytest.mark.parametrize(
    "damage",
    [
        remove,
        zero_many,
        *(
            pytest.param(damage, marks=pytest.mark.soak)
            for damage in (empty, cut, zero_first, lambda file: number(file, 0))
        ),
    ],
)
def test_what_there_was_comes_back_and_nothing_is_encoded_twice(
    folder: Path, encoder: Encoder, damage: Damage
) -> None:
    with Library.open(folder, encoder) as library:
        library.snapshots.are_due = lambda **_: False  # type: ignore[method-assign]
        before = contents(library)
    for snapshot in Snapshots(folder).all():
        snapshot.unlink()
    damage(folder / CATALOGUE)
    done = rebuild(folder, encoder)
    assert (done.documents, done.encoded, done.lost, done.unnamed) == (3, 0, (), ())
    assert done.ok
    kept = Path(done.kept)
    assert sorted(path.name for path in (kept / "originals").iterdir()) == sorted(
        path.name for path in (folder / "originals").iterdir()
    )
    with Library.open(folder, encoder) as library:
        assert contents(library) == before
        assert_whole(library)
        assert verify(library).ok
        assert repair(library).done == ()
    left = [path for path in folder.iterdir() if path.name.startswith(("rebuild", "replaced"))]
    assert left == [kept]  # a person removes it


def test_a_library_that_is_well_can_be_made_anew(folder: Path, encoder: Encoder) -> None:
    with Library.open(folder, encoder) as library:
        before = contents(library)
    done = rebuild(folder, encoder)
    assert (done.documents, done.parsed, done.encoded) == (3, 0, 0)
    with Library.open(folder, encoder) as library:
        assert contents(library) == before


def test_without_names_the_bytes_are_found_again(folder: Path, encoder: Encoder) -> None:
    shutil.rmtree(folder / "names")
    remove(folder / CATALOGUE)
    done = rebuild(folder, encoder)
    assert (done.documents, done.parsed, done.encoded, done.lost) == (2, 2, 2, ())
    assert not done.ok
    with Library.open(folder, encoder) as library:
        assert verify(library).ok
        assert "Bramley" in "".join(
            page.text for d in library.catalogue.documents() for page in library.catalogue.parsed(d).pages
        )


def test_a_snapshot_gives_what_no_original_does(folder: Path, encoder: Encoder) -> None:
    with Library.open(folder, encoder) as library:
        before = contents(library)  # closing makes the snapshot
    assert len(Snapshots(folder).all()) == 1
    for original in (folder / "originals").iterdir():
        original.unlink()
    remove(folder / CATALOGUE)
    done = rebuild(folder, encoder)
    assert (done.documents, done.parsed, done.encoded, done.lost) == (3, 0, 0, ())
    with Library.open(folder, encoder) as library:
        assert contents(library) == before


def test_what_cannot_be_made_is_named_and_kept(folder: Path, encoder: Encoder) -> None:
    remove(folder / CATALOGUE)
    largest = max((folder / "originals").iterdir(), key=lambda path: path.stat().st_size)
    largest.write_bytes(b"other bytes")
    done = rebuild(folder, encoder)
    assert done.lost
    assert all("other bytes than were ingested" in one for one in done.lost)
    assert (Path(done.kept) / "originals" / largest.name).read_bytes() == b"other bytes"
    with Library.open(folder, encoder) as library:
        assert verify(library).ok


def test_deleted_documents_do_not_come_back(folder: Path, encoder: Encoder) -> None:
    with Library.open(folder, encoder) as library:
        library.keep_snapshot()
        assert Snapshots(folder).all()
        (harbour,) = library.catalogue.find("harbour.md", library.catalogue.collection_ids())
        library.delete(harbour)
        assert Snapshots(folder).all() == []
    for file in (path for path in folder.rglob("*") if path.is_file()):
        assert b"harbour" not in file.read_bytes(), file
        assert b"crane's cable" not in file.read_bytes(), file
    assert len(Snapshots(folder).all()) == 1  # made with closing
    remove(folder / CATALOGUE)
    assert rebuild(folder, encoder).documents == 2
    with Library.open(folder, encoder) as library:
        assert {d.name for d in library.catalogue.documents()} == {"orchard.md"}


def test_an_interrupted_rebuild_leaves_the_old_folder_and_goes_on(
    folder: Path, encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    remove(folder / CATALOGUE)
    steps: list[None] = []

    def stops() -> bool:
        steps.append(None)
        return len(steps) == 3

    with pytest.raises(Cancelled):
        rebuild(folder, encoder, cancelled=stops)
    with pytest.raises(LibraryDamaged, match="--rebuild"):
        Library.open(folder, encoder)

    class Killed(BaseException):
        pass

    def kill(_: Path) -> None:
        raise Killed

    finish = finish_rebuild
    calls: list[Path] = []
    monkeypatch.setattr(
        rebuilding_module, "finish_rebuild", lambda one: (calls.append(one), kill(one) if calls[1:] else None)
    )
    with pytest.raises(Killed):
        rebuild(folder, encoder)
    monkeypatch.setattr(rebuilding_module, "finish_rebuild", finish)
    with Library.open(folder, encoder) as library:  # goes on with the exchange
        assert len(library.catalogue.documents()) == 3
        assert_whole(library)


def test_three_snapshots_are_kept_and_nobody_else_reads_them(library: Library, files: Path) -> None:
    list(ingest(library, [files]))
    for _ in range(5):
        with library.catalogue.database.reading() as connection:
            assert library.snapshots.take(connection)
    found = library.snapshots.all()
    assert len(found) == 3
    assert {file.stat().st_mode & 0o777 for file in found} == {0o600}
    assert sorted((library.folder / "snapshots").iterdir()) == sorted(found)
    assert not library.snapshots.are_due()
    os.utime(found[0], (0, 0))
    assert library.snapshots.are_due(closing=True)


def test_an_older_catalogue_costs_nothing_that_came_after_it(
    folder: Path, tmp_path: Path, encoder: Encoder
) -> None:
    older = tmp_path / "older.sqlite3"
    shutil.copyfile(folder / CATALOGUE, older)
    (tmp_path / "tide.txt").write_text("The tide turns at six.")
    with Library.open(folder, encoder) as library:
        list(ingest(library, [tmp_path / "tide.txt"]))
        before = contents(library)
    shutil.copyfile(older, folder / CATALOGUE)
    with Library.open(folder, encoder) as library:
        said = [str(problem) for problem in verify(library).problems]
        assert any("1 original" in line and "tide.txt" in line and "--rebuild" in line for line in said)
        assert not repair(library).ok
    assert rebuild(folder, encoder).encoded == 0
    with Library.open(folder, encoder) as library:
        assert contents(library) == before
        assert verify(library).ok


# What lies beside a catalogue that does not know it


def put_fresh_catalogue(folder: Path, place: Path, encoder: Encoder) -> None:
    """Put the catalogue of a library without documents into the folder."""
    with Library.open(place, encoder):
        pass
    shutil.copyfile(place / CATALOGUE, folder / CATALOGUE)


def without_originals(folder: Path) -> None:
    for original in (folder / "originals").iterdir():
        original.rename(original.with_suffix(".absent"))


def only_segments(folder: Path) -> None:
    for name in ("originals", "names", "snapshots", "chroma"):
        shutil.rmtree(folder / name, ignore_errors=True)


def only_cards(folder: Path) -> None:
    for name in ("originals", "tokens", "snapshots", "chroma"):
        shutil.rmtree(folder / name, ignore_errors=True)


def files_of(folder: Path) -> list[str]:
    names = ("originals", "tokens", "names")
    return sorted(str(path) for name in names for path in (folder / name).glob("*"))


@pytest.mark.parametrize("rest", [without_originals, only_segments, only_cards])
def test_a_lost_catalogue_is_refused_whatever_is_left(folder: Path, encoder: Encoder, rest: Damage) -> None:
    rest(folder)
    remove(folder / CATALOGUE)
    before = files_of(folder)
    with pytest.raises(LibraryDamaged, match=r"is missing, and beside it lie .*repair --rebuild"):
        Library.open(folder, encoder)
    assert files_of(folder) == before


@pytest.mark.parametrize("rest", [without_originals, only_segments])
def test_a_catalogue_without_documents_is_refused_whatever_is_left(
    folder: Path, tmp_path: Path, encoder: Encoder, rest: Damage
) -> None:
    rest(folder)
    put_fresh_catalogue(folder, tmp_path / "other", encoder)
    before = files_of(folder)
    with pytest.raises(LibraryDamaged, match=r"knows no document.*3 token segments.*repair --rebuild"):
        Library.open(folder, encoder)
    assert files_of(folder) == before


def test_vectors_without_anything_else_are_told_and_kept(folder: Path, encoder: Encoder) -> None:
    only_segments(folder)
    remove(folder / CATALOGUE)
    done = rebuild(folder, encoder)
    assert (done.documents, done.ok, done.lost) == (0, False, ("3 documents: only token vectors are left",))
    assert len(list((Path(done.kept) / "tokens").iterdir())) == 3
    with Library.open(folder, encoder) as library:
        assert library.catalogue.documents() == []


def test_a_library_whose_documents_were_all_deleted_opens(
    folder: Path, encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With everything erased, and with the erasure still to come."""
    with Library.open(folder, encoder) as library:
        with monkeypatch.context() as patch:
            patch.setattr(library.journal_cleaner, "erase_all", lambda: None)
            patch.setattr(library.journal_cleaner, "erase_journalled", lambda: None)
            library.delete(*library.catalogue.documents())
        assert len(files_of(folder)) >= 5
    with Library.open(folder, encoder) as library:
        assert library.catalogue.journal.entries() == []
        assert files_of(folder) == []
    with Library.open(folder, encoder) as library:
        assert library.catalogue.documents() == []


def test_a_catalogue_of_another_library_costs_nothing(folder: Path, tmp_path: Path, encoder: Encoder) -> None:
    """Without cards, nothing says that the files are documents: they stay all the same."""
    (tmp_path / "tide.txt").write_text("The tide turns at six.")
    with Library.open(tmp_path / "other", encoder) as library:
        list(ingest(library, [tmp_path / "tide.txt"]))
    shutil.rmtree(folder / "names")
    shutil.copyfile(tmp_path / "other" / CATALOGUE, folder / CATALOGUE)
    before = files_of(folder)
    with Library.open(folder, encoder) as library:
        report = repair(library)
        assert not report.ok
        assert "originals" in {problem.store for problem in report.left}
        compact(library)
    assert set(before) <= set(files_of(folder))


def test_a_journal_from_a_backup_erases_nothing_that_was_committed_since(
    folder: Path, tmp_path: Path, encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tide.txt").write_text("The tide turns at six.")
    older = tmp_path / "older.sqlite3"
    real = Library._write_vectors

    def copied(library: Library, *arguments: Any) -> None:
        library.catalogue.database.checkpoint()
        shutil.copyfile(folder / CATALOGUE, older)
        real(library, *arguments)

    with Library.open(folder, encoder) as library, monkeypatch.context() as patch:
        patch.setattr(Library, "_write_vectors", copied)
        list(ingest(library, [tmp_path / "tide.txt"]))
        before = contents(library)
    held = files_of(folder)
    shutil.copyfile(older, folder / CATALOGUE)
    with Library.open(folder, encoder) as library:
        assert [d.name for d in library.catalogue.documents()].count("tide.txt") == 0
        assert files_of(folder) == held
    assert rebuild(folder, encoder).encoded == 0
    with Library.open(folder, encoder) as library:
        assert contents(library) == before


def test_a_merged_segment_that_an_older_catalogue_does_not_know_stays(
    folder: Path, tmp_path: Path, encoder: Encoder
) -> None:
    older = tmp_path / "older.sqlite3"
    shutil.copyfile(folder / CATALOGUE, older)
    with Library.open(folder, encoder) as library:
        compact(library)
    held = files_of(folder)
    assert any("merged-" in file for file in held)
    shutil.copyfile(older, folder / CATALOGUE)
    with Library.open(folder, encoder):
        assert files_of(folder) == held


@pytest.mark.parametrize("originals", ["there", "gone"])
def test_a_rebuild_takes_no_damaged_text_for_the_truth(
    folder: Path, encoder: Encoder, originals: str
) -> None:
    shutil.rmtree(folder / "names")
    with closing(sqlite3.connect(folder / CATALOGUE)) as connection:
        connection.execute(
            "UPDATE texts SET body = CAST(replace(CAST(body AS TEXT), '1921', '1931') AS BLOB)"
        )
        connection.commit()
    if originals == "gone":
        without_originals(folder)
    done = rebuild(folder, encoder)
    with Library.open(folder, encoder) as library:
        orchard = library.catalogue.find("orchard.md", library.catalogue.collection_ids())[0]
        text = "".join(page.text for page in library.catalogue.parsed(orchard).pages)
        if originals == "there":
            assert done.ok
            assert "1921" in text
            assert orchard.warnings == ()
        else:
            assert not done.ok
            assert any("orchard.md: its text is damaged" in one for one in done.lost)
            assert any("damaged" in one for one in orchard.warnings)


@pytest.mark.parametrize("damage", [remove, zero_first])
def test_instructions_come_back_from_a_copy_of_the_catalogue(
    folder: Path, encoder: Encoder, damage: Damage
) -> None:
    with Library.open(folder, encoder) as library:
        set_instructions(library, "default", "Answer in German.")
        before = {info.name: info.instructions for info in list_collections(library)}
        with library.catalogue.database.reading() as connection:
            assert library.snapshots.take(connection)
    damage(folder / CATALOGUE)
    assert rebuild(folder, encoder).ok
    with Library.open(folder, encoder) as library:
        assert {info.name: info.instructions for info in list_collections(library)} == before


@pytest.mark.parametrize("damage", [remove, zero_first])
def test_what_a_person_wrote_of_documents_comes_back_from_a_copy_of_the_catalogue(
    folder: Path, encoder: Encoder, damage: Damage
) -> None:
    with Library.open(folder, encoder) as library:
        identity = next(one.id for one in library.catalogue.documents() if one.name == "harbour.md")
        library.fields.edit(identity, {"title": "The log", "type": "notes"})
        with library.catalogue.database.reading() as connection:
            assert library.snapshots.take(connection)
    damage(folder / CATALOGUE)
    assert rebuild(folder, encoder).ok
    with Library.open(folder, encoder) as library:
        assert library.fields.edits(identity) == {"title": "The log", "type": "notes"}
        documents = library.catalogue.documents()
        titles = {one.name: library.fields.of(documents)[one.id].values.title for one in documents}
        assert titles == {"harbour.md": "The log", "orchard.md": "Orchard notes"}
