"""Verify, repair, compact and figures: each kind of damage is found, named and mended."""

import hashlib
import json
import os
import shutil
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from ingestion.documents import Chunk, Page, ParsedDocument, Status
from ingestion.encoders import Encoder, Encodings
from ingestion.errors import Cancelled, LibraryDamaged, LibraryError
from ingestion.library import Library, Source
from ingestion.maintenance import MaintenanceProgress, VerifyReport, compact, repair, stats, verify
from ingestion.maintenance.chroma import ChromaComparison, rebuild
from ingestion.maintenance.fulltext import words_fault
from ingestion.maintenance.report import Work
from ingestion.pipeline.ingest import ingest
from ingestion.storage.catalogue.records import Document
from ingestion.storage.folder_swap import beside, finish_swap
from ingestion.storage.tokens.layout import START
from ingestion.storage.tokens.segment import Segment
from tests.helpers.documents import ingest_apart
from tests.helpers.store_contents import assert_whole, bytes_on_disk, everything, found, names_in

# Processes of their own, Chroma in most tests: minutes in all.
pytestmark = pytest.mark.slow

TEXTS = {
    "apples.txt": "The Bramley apple tree stands by the north wall. It was planted in 1921.",
    "plums.txt": "Plums are dried in the sun for a week and stored in glass jars.",
}
QUESTION = "Bramley apple tree"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Path:
    """A closed library of two documents, and the files that they came from."""
    folder = tmp_path_factory.mktemp("template")
    (folder / "files").mkdir()
    for name, text in TEXTS.items():
        (folder / "files" / name).write_text(text)
    with Library.open(folder / "library", encoder) as library:
        assert [result.status for result in ingest_apart(library, folder / "files")] == ["ok", "ok"]
    forget_copies(folder / "library")  # taken when the first of the documents was stored
    with Library.open(folder / "library", encoder):
        pass
    return folder


@pytest.fixture
def folder(template: Path, tmp_path: Path) -> Path:
    """A copy of the closed library, to be damaged."""
    shutil.copytree(template / "library", tmp_path / "library")
    return tmp_path / "library"


def segment_of(folder: Path, name: str = "apples.txt") -> Path:
    with closing(sqlite3.connect(folder / "catalogue.sqlite3")) as connection:
        sql = "SELECT s.file FROM segments s JOIN documents d ON d.id = s.document_id WHERE d.name = ?"
        (file,) = connection.execute(sql, (name,)).fetchone()
    return folder / "tokens" / str(file)


def sections_of(path: Path) -> dict[str, tuple[int, int]]:
    """Return where each section of a segment begins and ends."""
    data = path.read_bytes()
    _, length, _ = START.unpack(data[: START.size])
    places = {}
    for name, place in json.loads(data[START.size : START.size + length])["sections"].items():
        start = START.size + length + place["offset"]
        size = int(np.dtype(place["dtype"]).itemsize * np.prod(place["shape"]))
        places[name] = (start, start + size)
    return places


def flip(path: Path, position: int) -> None:
    data = bytearray(path.read_bytes())
    data[position] ^= 1
    path.write_bytes(data)


def stores_of(report: VerifyReport) -> set[str]:
    return {problem.store for problem in report.problems}


@pytest.fixture
def chroma_is_sound(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looking at Chroma takes a process and two seconds; for damage that does not concern it."""
    for module in ("verification", "repairs"):
        monkeypatch.setattr(f"ingestion.maintenance.{module}.compare", lambda *_: ChromaComparison())


def mended(library: Library) -> None:
    """Repair, and check that this was all that was wrong."""
    report = repair(library)
    assert report.left == ()
    assert report.done
    again = verify(library)
    assert again.problems == ()
    assert_whole(library)
    assert repair(library).done == ()


# Verify


def test_a_sound_library_has_no_problems(folder: Path, encoder: Encoder) -> None:
    with Library.open(folder, encoder) as library:
        before = bytes_on_disk(folder)
        steps: list[MaintenanceProgress] = []
        report = verify(library, on_progress=steps.append)
        assert report.ok
        assert (report.problems, report.notes) == ((), ())
        counts = (report.documents, report.chunks, report.segments, report.vectors, report.originals)
        assert counts == (2, 2, 2, 4, 2)
        assert [step for step in steps if step.stage == "documents"] == [
            MaintenanceProgress("documents", done, 2) for done in range(3)
        ]
        assert {step.stage for step in steps} == {"documents", "words", "vectors"}
        assert repair(library).done == ()
        assert bytes_on_disk(folder) == before  # neither writes anything


def test_an_empty_library_is_sound(library: Library) -> None:
    assert verify(library).ok
    assert repair(library).ok
    compact(library)
    assert verify(library).ok


def test_one_damage_hides_no_other(folder: Path, encoder: Encoder) -> None:
    """Every store is damaged at once; each is told, with the document and what mends it."""
    with closing(sqlite3.connect(folder / "catalogue.sqlite3")) as connection:
        connection.execute("DELETE FROM chunk_index_docsize WHERE id = 1")
        connection.commit()
    segment_of(folder).unlink()
    flip(segment_of(folder, "plums.txt"), -1)
    for original in (folder / "originals").iterdir():
        original.unlink()
    (folder / "chroma" / "chroma.sqlite3").write_bytes(b"This is no database. " * 500)
    with Library.open(folder, encoder) as library:
        problems = verify(library).problems
        told = [(problem.store, problem.document) for problem in problems]
        assert sorted(told, key=str) == sorted(
            [
                ("words", None),
                ("tokens", "apples.txt"),
                ("tokens", "plums.txt"),
                ("originals", "apples.txt"),
                ("originals", "plums.txt"),
                ("chroma", None),
            ],
            key=str,
        )
        assert {problem.mend for problem in problems} == {"run: rag-app repair"}
        lines = [str(problem) for problem in problems]
        assert (
            "words: 1 chunks are missing from the index of words and 0 are too many; run: rag-app repair"
            in lines
        )
        assert any("plums.txt" in line and "its checksums fail their own" in line for line in lines)
        mended(library)


def test_verifying_can_be_cancelled(folder: Path, encoder: Encoder) -> None:
    calls = iter([False, True])
    with Library.open(folder, encoder) as library, pytest.raises(Cancelled, match="verifying was cancelled"):
        verify(library, cancelled=lambda: next(calls))


@pytest.mark.usefixtures("chroma_is_sound")
def test_what_another_model_made_is_a_note(folder: Path, encoder: Encoder) -> None:
    with closing(sqlite3.connect(folder / "catalogue.sqlite3")) as connection:
        connection.execute("UPDATE documents SET chunker = 0 WHERE name = 'plums.txt'")
        connection.commit()
    with Library.open(folder, encoder) as library:
        report = verify(library)
        assert report.ok
        assert report.notes == ("plums.txt was read or cut by an older version; run: rag-app reindex",)


# The catalogue


DAMAGED_TEXTS = {
    "UPDATE chunks SET text_start = text_start + 1": "chunk 1 is not what stands on page 1",
    "UPDATE chunks SET text_length = 100000": "chunk 1 is not what stands on page 1",
    "UPDATE pages SET text_start = 100000": "its text cannot be read",
    "UPDATE pages SET layout = '{'": "its text cannot be read",
    "UPDATE pages SET label = 'iv'": "its checksum fails",
    "UPDATE chunks SET ordinal = 7, id = document_id || ':1:7'": "it should have 1 chunks, and 0 of 1",
    "DELETE FROM texts": "its text cannot be read",
    "UPDATE texts SET body = x'ff' || substr(body, 2)": "its text cannot be read",
    "UPDATE texts SET body = x'41' || substr(body, 2)": "its checksum fails",
    "UPDATE texts SET body = substr(body, 1, 20)": "its text cannot be read",
    "UPDATE checksums SET text = zeroblob(16)": "its checksum fails",
    "DELETE FROM sources": "no path is known for it",
}


def damage_catalogue(folder: Path, *statements: str) -> None:
    with closing(sqlite3.connect(folder / "catalogue.sqlite3")) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def texts_of(library: Library) -> dict[str, str]:
    catalogue = library.catalogue
    return {
        document.name: "".join(page.text for page in catalogue.parsed(document).pages)
        for document in catalogue.documents()
    }


def forget_copies(folder: Path) -> None:
    shutil.rmtree(folder / "snapshots", ignore_errors=True)


@pytest.mark.usefixtures("chroma_is_sound")
@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        pytest.param(*one, marks=() if number % 3 == 0 else pytest.mark.soak)
        for number, one in enumerate(DAMAGED_TEXTS.items())
    ],
    ids=lambda value: value[:40],
)
def test_damaged_text_is_read_again_from_the_original(
    folder: Path, encoder: Encoder, damage: str, reason: str
) -> None:
    """Never taken for the truth, however whole it looks; paths and dates stay."""
    forget_copies(folder)
    with Library.open(folder, encoder) as library:
        before = {d.name: (d.id, d.added, d.paths) for d in library.catalogue.documents()}
    forget_copies(folder)
    damage_catalogue(folder, damage)
    with Library.open(folder, encoder) as library:
        told = [problem for problem in verify(library).problems if problem.store == "catalogue"]
        problems = [problem for problem in told if problem.document]
        assert [problem.document for problem in problems] == ["apples.txt", "plums.txt"]
        assert all(reason in problem.what for problem in problems)
        assert {problem.mend for problem in problems} == {"run: rag-app repair"}
        report = repair(library)
        assert report.left == ()
        again = [
            item.document for item in report.done if item.what.startswith("read again from its original")
        ]
        assert again == ["apples.txt", "plums.txt"]
        assert texts_of(library) == TEXTS
        assert {d.name: (d.id, d.added, d.paths) for d in library.catalogue.documents()} == before
        assert verify(library).ok
        assert found(library, QUESTION)["tokens"][0] == found(library, QUESTION)["bm25"][0] == "apples.txt"


@pytest.mark.usefixtures("chroma_is_sound")
def test_lost_paths_cost_no_document_with_the_next_change(
    folder: Path, tmp_path: Path, encoder: Encoder
) -> None:
    """Only a document whose last path somebody removes goes."""
    damage_catalogue(folder, "DELETE FROM sources")
    (tmp_path / "quinces.txt").write_text("Quinces.")
    with Library.open(folder, encoder) as library:
        assert [result.status for result in ingest(library, [tmp_path / "quinces.txt"])] == ["ok"]
        assert [d.name for d in library.catalogue.documents()] == ["apples.txt", "plums.txt", "quinces.txt"]
        assert len(names_in(folder / "originals")) == 3
        assert repair(library).left == ()
        for document in library.catalogue.documents():
            library.delete(document)
        assert library.catalogue.documents() == []
        assert names_in(folder / "originals") == set()


def test_a_changed_year_is_noticed_and_changed_back(folder: Path, encoder: Encoder) -> None:
    """Every store is whole again afterwards, and nothing sound is encoded again."""
    damage_catalogue(
        folder,
        "UPDATE texts SET body = CAST(replace(CAST(body AS TEXT), '1921', '1931') AS BLOB) "
        "WHERE instr(CAST(body AS TEXT), '1921')",
    )
    with Library.open(folder, encoder) as library:
        assert "1931" in texts_of(library)["apples.txt"]
        mended(library)
        assert texts_of(library) == TEXTS
        (chunk,) = library.catalogue.chunks_of(library.catalogue.documents()[0])
        assert "1921" in chunk.text


def without_originals(folder: Path, *, sources: Path) -> None:
    """As a library that came from an archive without originals, on another machine."""
    for original in (folder / "originals").iterdir():
        original.rename(original.with_suffix(".absent"))
        original.with_suffix(".absent").write_bytes(b"")
    damage_catalogue(folder, f"UPDATE sources SET path = '{sources}/' || document_id")


FLIPPED = "UPDATE texts SET body = CAST(replace(CAST(body AS TEXT), '1921', '1931') AS BLOB)"


@pytest.mark.usefixtures("chroma_is_sound")
def test_without_an_original_a_copy_of_the_catalogue_gives_the_text(
    folder: Path, tmp_path: Path, encoder: Encoder
) -> None:
    assert list((folder / "snapshots").iterdir())
    without_originals(folder, sources=tmp_path / "elsewhere")
    damage_catalogue(folder, FLIPPED)
    with Library.open(folder, encoder) as library:
        report = repair(library)
        assert report.left == ()
        assert "taken from a copy of the catalogue" in " ".join(item.what for item in report.done)
        assert texts_of(library) == TEXTS
        assert verify(library).ok


@pytest.mark.usefixtures("chroma_is_sound")
def test_text_that_nothing_has_any_more_is_told_and_marked(
    folder: Path, tmp_path: Path, encoder: Encoder
) -> None:
    forget_copies(folder)
    without_originals(folder, sources=tmp_path / "elsewhere")
    damage_catalogue(folder, FLIPPED)
    with Library.open(folder, encoder) as library:
        for _ in range(2):  # and the second repair does not take it for sound
            (left,) = repair(library).left
            assert (left.store, left.document) == ("catalogue", "apples.txt")
            assert "no original is left" in left.what
            assert "the document is marked" in left.mend
        apples, plums = library.catalogue.documents()
        assert [line for line in apples.warnings if "damaged" in line] == list(apples.warnings)
        assert plums.warnings == ()
        assert [problem.document for problem in verify(library).problems] == ["apples.txt"]
        lost = tmp_path / "elsewhere"
        lost.mkdir()
        (lost / apples.id).write_text(TEXTS["apples.txt"])  # the person finds the file again
        assert repair(library).left == ()
        assert texts_of(library) == TEXTS
        assert library.catalogue.documents()[0].warnings == ()
        assert verify(library).ok


@pytest.mark.usefixtures("chroma_is_sound")
def test_an_original_that_cannot_be_read_again_is_told(folder: Path, encoder: Encoder) -> None:
    forget_copies(folder)
    damage_catalogue(
        folder, FLIPPED, "UPDATE documents SET name = 'apples.unknown' WHERE name = 'apples.txt'"
    )
    with Library.open(folder, encoder) as library:
        (left,) = repair(library).left
        assert "its original cannot be read again" in left.what
        assert library.catalogue.documents()[0].warnings


@pytest.mark.usefixtures("chroma_is_sound")
def test_a_library_without_checksums_gets_them_with_the_first_verify(folder: Path, encoder: Encoder) -> None:
    damage_catalogue(folder, "DROP TABLE checksums")
    with Library.open(folder, encoder) as library:
        report = verify(library)
        assert report.ok
        (note,) = report.notes
        assert note.startswith("2 documents were ingested by a version without checksums of text")
        assert verify(library).notes == ()
    damage_catalogue(folder, FLIPPED)
    with Library.open(folder, encoder) as library:
        assert ("catalogue", "apples.txt") in {(p.store, p.document) for p in verify(library).problems}


@pytest.mark.usefixtures("chroma_is_sound")
def test_damage_from_before_the_checksums_is_seen_by_the_card(folder: Path, encoder: Encoder) -> None:
    damage_catalogue(folder, "DROP TABLE checksums", FLIPPED)
    with Library.open(folder, encoder) as library:
        said = [problem for problem in verify(library).problems if problem.store == "catalogue"]
        assert [problem.document for problem in said] == ["apples.txt"]
        assert "its card has another hash" in said[0].what
        assert repair(library).left == ()
        assert texts_of(library) == TEXTS


def test_a_ruined_catalogue_is_a_problem_and_no_exception(folder: Path, encoder: Encoder) -> None:
    with closing(sqlite3.connect(folder / "catalogue.sqlite3")) as connection:
        (root,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'pages'").fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    with Library.open(folder, encoder) as library:
        library.catalogue.database.checkpoint()
    with (folder / "catalogue.sqlite3").open("r+b") as stream:
        stream.seek((root - 1) * size)
        stream.write(b"\xff" * size)
    with Library.open(folder, encoder) as library:
        report = verify(library)
        assert "catalogue" in stores_of(report)
        assert "chroma" not in stores_of(report)
        assert any("catalogue" in problem.store for problem in repair(library).left)


@pytest.mark.usefixtures("chroma_is_sound")
def test_a_damaged_index_of_the_catalogue_is_made_anew(folder: Path, encoder: Encoder) -> None:
    with closing(sqlite3.connect(folder / "catalogue.sqlite3")) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute(  # filled before the condition came, so it lacks nothing; and the other way round
            "UPDATE sqlite_master SET sql = replace(sql, 'DESC', '') WHERE name = 'chunks_by_document'"
        )
        connection.execute("INSERT INTO sources VALUES (1, '/elsewhere', (SELECT id FROM documents LIMIT 1))")
        (root,) = connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'sources_by_document'"
        ).fetchone()
        connection.execute("UPDATE sqlite_master SET sql = sql WHERE name = 'sources'")
        connection.commit()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with (folder / "catalogue.sqlite3").open("r+b") as stream:
        stream.seek((root - 1) * size)
        stream.write(b"\x0a\0\0\0\0" + size.to_bytes(2, "big") + b"\0" + bytes(size - 8))  # an empty page
    with Library.open(folder, encoder) as library:
        assert any("missing from index" in problem.what for problem in verify(library).problems)
        assert [item.what for item in repair(library).done] == ["its indexes were made anew"]
        assert verify(library).ok


# Words


@pytest.mark.usefixtures("chroma_is_sound")
@pytest.mark.parametrize(
    "damage",
    [
        "DELETE FROM chunk_index_docsize WHERE id = 1",
        "INSERT INTO chunk_index (rowid, context, body) VALUES (99, '', 'surplus')",
        "INSERT INTO chunk_index (rowid, context, body) VALUES (1, '', 'twice')",
        "UPDATE chunk_index_data SET block = zeroblob(length(block)) WHERE id > 100",
        "DELETE FROM chunk_index_data WHERE id > 100",
        "DELETE FROM chunk_index_data",
        "UPDATE chunk_index_data SET block = x'ffffffff'",
    ],
)
def test_a_damaged_index_of_words_is_made_anew(folder: Path, encoder: Encoder, damage: str) -> None:
    with closing(sqlite3.connect(folder / "catalogue.sqlite3")) as connection:
        connection.execute(damage)
        connection.commit()
    with Library.open(folder, encoder) as library:
        assert stores_of(verify(library)) <= {"words", "catalogue"}
        assert "words" in stores_of(verify(library))
        mended(library)
        assert found(library, QUESTION)["bm25"] == ["apples.txt"]


def test_flipped_bytes_of_the_index_of_words_are_noticed(folder: Path, encoder: Encoder) -> None:
    """All but those that reading passes over: in each entry one bit is for deletions to come, and a page
    says where its first row begins. FTS5's own check does not see one in ten."""
    with Library.open(folder, encoder) as library:
        catalogue, rows = library.catalogue, library.catalogue.database.rows
        entries = len(rows("SELECT id FROM chunks")) + 30  # terms
        passed = total = 0
        for row in rows("SELECT id, block FROM chunk_index_data WHERE id != 10"):  # which is kept in memory
            for position in range(len(row["block"])):
                block = bytearray(row["block"])
                block[position] ^= 1
                rows("UPDATE chunk_index_data SET block = ? WHERE id = ?", (bytes(block), row["id"]))
                total += 1
                passed += words_fault(catalogue, lambda: None) is None
            rows("UPDATE chunk_index_data SET block = ? WHERE id = ?", (row["block"], row["id"]))
        assert words_fault(catalogue, lambda: None) is None
        assert total > 500
        assert passed <= entries


# Token vectors


@pytest.mark.usefixtures("chroma_is_sound")
@pytest.mark.parametrize(
    "section", ["documents", "versions", "firsts", "offsets", "codes", "spans", "cls", "mean", "sums"]
)
def test_a_flipped_byte_in_a_segment_is_mended(folder: Path, encoder: Encoder, section: str) -> None:
    path = segment_of(folder)
    start, end = sections_of(path)[section]
    flip(path, (start + end) // 2)
    damage_to_segment_is_mended(folder, encoder, path)


@pytest.mark.usefixtures("chroma_is_sound")
@pytest.mark.parametrize(
    "damage",
    [
        Path.unlink,
        lambda path: path.write_bytes(path.read_bytes()[:-100]),
        lambda path: path.write_bytes(b""),
        lambda path: flip(path, 3),
        lambda path: flip(path, 9),
        lambda path: shutil.copy(path.with_name("other"), path),
    ],
    ids=["deleted", "truncated", "empty", "magic", "header", "another's"],
)
def test_a_ruined_segment_is_mended(folder: Path, encoder: Encoder, damage: Callable[[Path], object]) -> None:
    path = segment_of(folder)
    other = path.with_name("other")
    shutil.copy(segment_of(folder, "plums.txt"), other)
    damage(path)
    other.unlink()
    damage_to_segment_is_mended(folder, encoder, path)


def damage_to_segment_is_mended(folder: Path, encoder: Encoder, path: Path) -> None:
    with Library.open(folder, encoder) as library:
        (problem,) = verify(library).problems
        assert (problem.store, problem.document) == ("tokens", "apples.txt")
        seen = everything(library)
        (left,) = repair(library, encode=False).left
        assert (left.store, left.document) == ("tokens", "apples.txt")
        assert len(library.vectors.ids(1, "mean")) == 2  # nothing that works was given up
        (done,) = repair(library).done
        assert (done.store, done.document) == ("tokens", "apples.txt")
        assert verify(library).ok
        assert_whole(library)
        assert everything(library) == seen
        assert library.damaged() == []
        assert not path.exists()
        assert found(library, QUESTION)["tokens"][0] == "apples.txt"


def clutter(folder: Path) -> None:
    """Files that belong to no document, and what interrupted work leaves."""
    for name in ("tokens/seg-a.tok", "tokens/seg-b.tmp", "tokens/merged-c.tok", f"originals/{'0' * 64}"):
        (folder / name).write_bytes(b"x")
    (folder / "originals" / "1.tmp").write_bytes(b"x")
    (folder / "import").mkdir()
    (folder / "import" / "segment.tok").write_bytes(b"x")
    for name, hours in (("forgotten", 2), ("young", 0), ("waiting", 2)):
        upload = folder / "uploads" / name
        upload.mkdir(parents=True)
        (upload / "a.txt").write_bytes(b"x")
        os.utime(upload, (time.time() - hours * 3600,) * 2)
    with closing(sqlite3.connect(folder / "catalogue.sqlite3")) as connection:
        connection.execute(
            "INSERT INTO jobs (id, collection, state, created) VALUES (1, 'default', 'queued', '')"
        )
        connection.execute(
            "INSERT INTO job_files (job_id, ordinal, file, source, name, staged, stage) "
            "VALUES (1, 0, ?, 'upload:a.txt', 'a.txt', 1, 'queued')",
            (os.fsencode(folder / "uploads" / "waiting" / "a.txt"),),
        )
        connection.commit()


ORPHANS = [f"originals/{'0' * 64}", "tokens/merged-c.tok", "tokens/seg-a.tok", "uploads/forgotten"]


@pytest.mark.usefixtures("chroma_is_sound")
def test_orphans_stay_until_a_person_asks_and_then_are_moved(folder: Path, encoder: Encoder) -> None:
    clutter(folder)
    with Library.open(folder, encoder) as library:
        problems = verify(library).problems
        assert sorted(problem.what.split()[0] for problem in problems) == sorted(
            [*(Path(name).name for name in ORPHANS), "1.tmp", "import", "seg-b.tmp"]
        )
        report = repair(library)
        assert sorted(item.what.split(",")[0] for item in report.done) == ["1.tmp", "import", "seg-b.tmp"]
        assert sorted(problem.what.split()[0] for problem in report.left) == sorted(
            Path(name).name for name in ORPHANS
        )
        assert all("repair --rebuild" in p.mend and "repair --remove-orphans" in p.mend for p in report.left)
        compact(library)
        assert all((folder / name).exists() for name in ORPHANS)
        assert repair(library, remove_orphans=True).ok
        (place,) = (folder / "orphans").iterdir()
        moved = sorted(str(path.relative_to(place)) for path in place.glob("*/*"))
        assert moved == ORPHANS
        assert (place / "uploads" / "forgotten" / "a.txt").read_bytes() == b"x"
        assert names_in(folder / "uploads") == {"young", "waiting"}
        assert not (folder / "import").exists()
        assert verify(library).ok
        assert_whole(library)
        assert repair(library, remove_orphans=True).done == ()


# Originals


@pytest.mark.usefixtures("chroma_is_sound")
@pytest.mark.parametrize("damage", [Path.unlink, lambda path: flip(path, 0)], ids=["missing", "other bytes"])
def test_an_original_is_taken_again_from_its_source(
    folder: Path, template: Path, encoder: Encoder, damage: Callable[[Path], object]
) -> None:
    with Library.open(folder, encoder) as library:
        apples = next(d for d in library.catalogue.documents() if d.name == "apples.txt")
        damage(library.original(apples.sha256))
        (problem,) = verify(library).problems
        assert (problem.store, problem.document) == ("originals", "apples.txt")
        mended(library)


@pytest.mark.usefixtures("chroma_is_sound")
def test_an_original_whose_source_is_gone_is_told(tmp_path: Path, library: Library) -> None:
    path = tmp_path / "a.txt"
    path.write_text("Quinces.")
    assert [result.status for result in ingest(library, [path])] == ["ok"]
    (document,) = library.catalogue.documents()
    library.original(document.sha256).unlink()
    path.write_text("Medlars.")
    (left,) = repair(library).left
    assert (left.what, left.document) == ("its original is missing", "a.txt")
    assert str(path) in left.mend
    assert not library.original(document.sha256).exists()
    path.write_text("Quinces.")
    mended(library)


# Chroma


def chroma_rows(folder: Path, *statements: str) -> None:
    with closing(sqlite3.connect(folder / "chroma" / "chroma.sqlite3")) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def garble(path: Path) -> None:
    path.write_bytes(b"This is no database. " * 500)


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda folder: shutil.rmtree(folder / "chroma"), id="no folder"),
        pytest.param(lambda folder: garble(folder / "chroma" / "chroma.sqlite3"), id="no database"),
        pytest.param(
            lambda folder: (folder / "chroma" / "chroma.sqlite3").unlink(),
            id="no file",
            marks=pytest.mark.soak,
        ),
        pytest.param(
            lambda folder: chroma_rows(folder, "DROP TABLE segments"), id="no table", marks=pytest.mark.soak
        ),
        pytest.param(
            lambda folder: chroma_rows(folder, "DELETE FROM collections"),
            id="no collections",
            marks=pytest.mark.soak,
        ),
    ],
)
def test_a_ruined_chroma_is_rebuilt_without_encoding(
    folder: Path, encoder: Encoder, damage: Callable[[Path], object]
) -> None:
    damage(folder)
    with Library.open(folder, encoder) as library:
        assert stores_of(verify(library)) == {"chroma"}
        report = repair(library, encode=False)
        assert report.left == ()
        assert verify(library).ok
        assert_whole(library)
        assert found(library, QUESTION)["mean"][0] == found(library, QUESTION)["cls"][0] == "apples.txt"
    with Library.open(folder, encoder) as library:
        assert_whole(library)


def test_chroma_is_rebuilt_after_it_refused_to_open(folder: Path, encoder: Encoder) -> None:
    """Chroma remembers a folder that it could not open; the rebuilt one is opened all the same."""
    garble(folder / "chroma" / "chroma.sqlite3")
    with Library.open(folder, encoder) as library:
        for _ in range(2):
            with pytest.raises(LibraryDamaged, match="Chroma cannot open"):
                found(library, QUESTION)
        assert repair(library).left == ()
        assert found(library, QUESTION)["mean"][0] == "apples.txt"


def test_without_room_for_its_copy_chroma_is_not_said_to_be_damaged(
    folder: Path, encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(folder)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1_000_000))
    with Library.open(folder, encoder) as library:
        (problem,) = verify(library).problems
        assert problem.store == "chroma"
        assert problem.what.startswith("not looked at: ")
        assert "1.0 MB are free" in problem.what
        assert "make room on the disk" in problem.mend
        (left,) = repair(library).left
        assert left.store == "chroma"
        assert left.what.endswith("1.0 MB are free")


@pytest.mark.soak
def test_only_what_differs_in_chroma_is_changed(folder: Path, encoder: Encoder) -> None:
    with Library.open(folder, encoder) as library:
        apples, plums = library.catalogue.documents()
        ones = np.ones((1, 384), np.float32)
        library.vectors.delete(1, apples.chunk_ids())
        library.vectors.upsert(1, "mean", ["gone:1:0"], ones, [1])
        library.vectors.upsert(1, "cls", plums.chunk_ids(), ones, [1])
        library.vectors.upsert(7, "cls", ["gone:1:0"], ones, [1])
        library.vectors.upsert(1, "cls", ["gone:1:0"], ones, [1], representation=9)
        assert sorted(problem.what for problem in verify(library).problems) == [
            "c1-cls-r9 belongs to no collection and representation",
            "c7-cls belongs to no collection and representation",
            "in c1-cls 1 vectors are missing, 0 too many, 1 are not the segments'",
            "in c1-mean 1 vectors are missing, 1 too many, 0 are not the segments'",
        ]
        mended(library)
        assert library.vectors.names() == {"c1-cls", "c1-mean"}


@pytest.mark.soak
def test_a_wrong_page_in_chroma_is_mended(folder: Path, encoder: Encoder) -> None:
    with Library.open(folder, encoder) as library:
        query = library.encoder.encode_query(QUESTION).mean[0]
        apples = library.catalogue.documents()[0]
        (file,) = library.segments(library.catalogue.scope((), ["apples.txt"]))
        mean = Segment(folder / "tokens" / file).pooled("mean")
        library.vectors.upsert(1, "mean", apples.chunk_ids(), mean, [5])
        assert len(library.vectors.query(1, "mean", query, 9, pages=(1, 1))) == 1
        mended(library)
        assert len(library.vectors.query(1, "mean", query, 9, pages=(1, 1))) == 2


@pytest.mark.soak
def test_an_interrupted_rebuild_is_done_again(
    folder: Path, encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    garble(folder / "chroma" / "chroma.sqlite3")
    with Library.open(folder, encoder) as library:
        with monkeypatch.context() as patch:
            patch.setattr("ingestion.maintenance.chroma.swap", lambda _: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                repair(library)
        assert beside(folder, "new").exists()
        mended(library)
        assert not beside(folder, "new").exists()


@pytest.mark.parametrize("state", ["building", "built", "between", "exchanged", "probing"])
def test_an_exchange_is_finished_or_undone(tmp_path: Path, state: str) -> None:
    """Each state that a crash can leave: either the old folder or the complete new one, and nothing else."""
    current, new, old = tmp_path / "chroma", beside(tmp_path, "new"), beside(tmp_path, "old")
    present = {
        "building": {current: "old", new: "half"},
        "built": {current: "old", new: "new"},
        "between": {old: "old", new: "new"},
        "exchanged": {current: "new", old: "old"},
        "probing": {current: "old", beside(tmp_path, "probe"): "copy"},
    }[state]
    for folder, content in present.items():
        folder.mkdir()
        (folder / "chroma.sqlite3").write_text(content)
    finish_swap(tmp_path)
    assert names_in(tmp_path) == {"chroma"}
    expected = "new" if state in ("between", "exchanged") else "old"
    assert (current / "chroma.sqlite3").read_text() == expected
    finish_swap(tmp_path)
    assert names_in(tmp_path) == {"chroma"}


# A library with thousands of vectors, so that Chroma writes its graphs to files


WORDS = 600


def synthetic(count: int, seed: int) -> Encodings:
    generator = np.random.default_rng(seed)

    def unit(rows: int, columns: int) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
        vectors = generator.normal(size=(rows, columns)).astype(np.float32)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    return Encodings(
        cls=unit(count, 384),
        mean=unit(count, 384),
        tokens=unit(count, 128),
        offsets=np.arange(count + 1, dtype=np.int64),
        spans=np.zeros((count, 2), np.int32),
    )


def add_many(library: Library, folder: Path, number: int) -> Document:
    """Add a document of `WORDS` chunks with vectors of its own, without encoding."""
    words = [f"w{number}x{i}" for i in range(WORDS)]
    text = " ".join(words)
    path = folder / f"{number}.txt"
    path.write_text(text)
    starts = np.cumsum([0, *(len(word) + 1 for word in words)])
    chunks = [
        Chunk(i, 1, int(start), int(start) + len(word), word)
        for i, (start, word) in enumerate(zip(starts, words, strict=False))
    ]
    source = Source(str(path), path.name, hashlib.sha256(text.encode()).hexdigest(), len(text), path)
    parsed = ParsedDocument(Status.OK, None, None, 1, (Page(1, text),))
    return library.add(1, source, parsed, chunks, {1: synthetic(WORDS, number)}, language="en")


@pytest.fixture(scope="module")
def large_template(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Path:
    folder = tmp_path_factory.mktemp("large")
    with Library.open(folder / "library", encoder) as library:
        for number in range(6):
            add_many(library, folder, number)
    return folder / "library"


@pytest.fixture
def large(large_template: Path, tmp_path: Path) -> Path:
    """A closed library with 3600 vectors in each of two collections of Chroma."""
    shutil.copytree(large_template, tmp_path / "library")
    return tmp_path / "library"


@pytest.mark.soak
@pytest.mark.slow
def test_thousands_of_vectors_are_found_after_reopening(large: Path, encoder: Encoder) -> None:
    """A public report (chroma-core/chroma #7090) says that such an index may not load again."""
    for _ in range(2):
        with Library.open(large, encoder) as library:
            assert verify(library).ok
            for number in range(6):
                vector = synthetic(WORDS, number).mean[-1]
                ((chunk, score),) = library.vectors.query(1, "mean", vector, 1)
                assert library.catalogue.chunks([chunk])[chunk].text == f"w{number}x{WORDS - 1}"
                assert score == pytest.approx(1, abs=1e-5)
            library.delete(library.catalogue.documents()[0])
            add_many(library, large, 0)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "how"),
    [
        pytest.param("data_level0.bin", "flipped", marks=pytest.mark.soak),
        pytest.param("data_level0.bin", "junk", marks=pytest.mark.soak),
        ("header.bin", "flipped"),  # kills the process that reads it
        pytest.param("header.bin", "deleted", marks=pytest.mark.soak),
        pytest.param("index_metadata.pickle", "junk", marks=pytest.mark.soak),
        pytest.param("length.bin", "deleted", marks=pytest.mark.soak),
        pytest.param("link_lists.bin", "deleted", marks=pytest.mark.soak),
    ],
)
def test_a_damaged_graph_of_chroma_is_rebuilt(large: Path, encoder: Encoder, file: str, how: str) -> None:
    for path in (large / "chroma").rglob(file):
        if how == "junk":
            path.write_bytes(b"junk")
        elif how == "deleted":
            path.unlink()
        else:
            data = bytearray(path.read_bytes())
            middle = len(data) // 2
            data[middle : middle + 64] = bytes(byte ^ 0x55 for byte in data[middle : middle + 64])
            path.write_bytes(data)
    with Library.open(large, encoder) as library:
        if how != "flipped" or file == "header.bin":  # else it may be a vector's byte
            with pytest.raises(LibraryDamaged, match=r"Chroma cannot open .*run: rag-app repair"):
                library.vectors.query(1, "mean", synthetic(WORDS, 1).mean[5], 1)
        assert stores_of(verify(library)) == {"chroma"}
        assert repair(library, encode=False).left == ()
        assert verify(library).ok
        assert_whole(library)
        ((chunk, _),) = library.vectors.query(1, "mean", synthetic(WORDS, 1).mean[5], 1)
        assert library.catalogue.chunks([chunk])[chunk].text == "w1x5"


@pytest.mark.soak
@pytest.mark.slow
def test_compacting_gives_back_the_room_of_what_was_deleted(large: Path, encoder: Encoder) -> None:
    with Library.open(large, encoder) as library:
        whole = compact(library).after
        for document in library.catalogue.documents()[::2]:
            library.delete(document)
        done = compact(library)
        assert done.before.chroma > 0.9 * whole.chroma  # Chroma gives nothing back by itself
        assert done.after.chroma < 0.6 * whole.chroma
        assert done.after.catalogue < 0.7 * whole.catalogue
        assert verify(library).ok
        ((chunk, _),) = library.vectors.query(1, "mean", synthetic(WORDS, 1).mean[5], 1)
        assert library.catalogue.chunks([chunk])[chunk].text == "w1x5"


@pytest.mark.slow
def test_compacting_can_be_cancelled_anywhere(large: Path, encoder: Encoder) -> None:
    with Library.open(large, encoder) as library:
        seen = everything(library)
        for stop in (0, 2, 5):
            calls = iter(range(100))
            with pytest.raises(Cancelled):
                compact(library, cancelled=lambda calls=calls, stop=stop: next(calls) == stop)  # type: ignore[misc]
            assert not beside(large, "new").exists()
            assert_whole(library)
        assert everything(library) == seen


def test_compacting_refuses_a_damaged_library(folder: Path, encoder: Encoder) -> None:
    flip(segment_of(folder), -1)
    with Library.open(folder, encoder) as library:
        with pytest.raises(LibraryDamaged, match="rag-app repair"):
            compact(library)
        assert not beside(folder, "new").exists()
        assert found(library, QUESTION)["mean"][0] == "apples.txt"


def test_searching_works_after_chroma_was_exchanged_and_changes_too(
    folder: Path, encoder: Encoder, tmp_path: Path
) -> None:
    with Library.open(folder, encoder) as library:
        assert found(library, QUESTION)["mean"][0] == "apples.txt"
        compact(library)
        assert found(library, QUESTION)["mean"][0] == "apples.txt"
        library.delete(*library.catalogue.documents())
        assert_whole(library)


def test_a_failed_rebuild_keeps_the_old_chroma(
    folder: Path, encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise LibraryError("the disk is full")

    with Library.open(folder, encoder) as library:
        with monkeypatch.context() as patch:
            patch.setattr("ingestion.storage.vectors.store.VectorStore.upsert", full)
            with pytest.raises(LibraryError, match="full"):
                rebuild(library, Work("compacting"), skip_damaged=False)
        assert names_in(folder) >= {"chroma"}
        assert not beside(folder, "new").exists()
        assert_whole(library)


# Inverted lists


@pytest.mark.parametrize("section", ["list_chunks", pytest.param("centroids", marks=pytest.mark.soak)])
def test_damaged_lists_are_made_anew(
    folder: Path, encoder: Encoder, monkeypatch: pytest.MonkeyPatch, section: str
) -> None:
    monkeypatch.setattr("ingestion.storage.tokens.indexing.FEWEST_CHUNKS", 1)
    with Library.open(folder, encoder) as library:
        compact(library)
    path = segment_of(folder)
    assert segment_of(folder, "plums.txt") == path
    flip(path, sections_of(path)[section][0])
    with Library.open(folder, encoder) as library:
        report = verify(library)
        (problem,) = report.problems
        assert (problem.store, problem.document) == ("tokens", None)
        assert f"fails its checksum in {section}; searching takes longer" in problem.what
        assert found(library, QUESTION)["tokens"][:1] == ["apples.txt"]
        repaired = repair(library)
        assert repaired.ok
        assert [one.what.split(",")[0] for one in repaired.done] == ["inverted lists were made anew"]
        assert verify(library).ok
        assert_whole(library)
        mended = segment_of(folder)
        assert mended != path
        assert section in sections_of(mended)


def test_tokens_of_another_codec_are_encoded_again(folder: Path, encoder: Encoder) -> None:
    with Library.open(folder, encoder) as library, library.catalogue.transaction() as connection:
        connection.execute("UPDATE representations SET codec = 'int4'")
    with Library.open(folder, encoder) as library:
        report = verify(library)
        assert {problem.what for problem in report.problems} == {"its token vectors are int8, not int4"}
        assert repair(library).ok
        assert_whole(library)
        assert stats(library).representations[0].codec == "int4"


# Figures


def test_figures(folder: Path, encoder: Encoder) -> None:
    with Library.open(folder, encoder) as library:
        library.catalogue.ensure_collection("empty")
        figures = stats(library)
        default, empty = figures.collections
        characters = sum(len(text) for text in TEXTS.values())
        assert (default.name, default.documents, default.pages, default.chunks) == ("default", 2, 2, 2)
        assert default.characters == characters
        assert (empty.documents, empty.characters) == (0, 0)
        (builtin,) = figures.representations
        assert (builtin.name, builtin.documents, builtin.codec) == ("builtin", 2, "int8")
        segments = [library.folder / "tokens" / name for name in names_in(library.folder / "tokens")]
        assert builtin.bytes == figures.bytes.tokens == sum(path.stat().st_size for path in segments)
        assert builtin.code_bytes == builtin.section_bytes["codes"] == builtin.tokens * 128
        assert figures.bytes.originals == characters
        assert figures.bytes.total == sum(
            (figures.bytes.catalogue, figures.bytes.chroma, figures.bytes.tokens, figures.bytes.originals)
        )
        assert 2 * 4096 + characters <= figures.text_bytes < 2 * 4096 + 2 * characters
        assert 0 < figures.word_bytes < figures.bytes.catalogue
        assert figures.languages == {"en": 2}
        assert figures.oldest is not None
        assert figures.newest is not None
        assert figures.oldest <= figures.newest


def test_figures_of_an_empty_library(library: Library) -> None:
    figures = stats(library)
    assert [collection.documents for collection in figures.collections] == [0]
    assert (figures.oldest, figures.newest, figures.languages) == (None, None, {})
