"""Fields in the catalogue: recognised once, written by people, kept and forgotten with their document."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ingestion.documents import FileProperties
from ingestion.encoders import Encoder
from ingestion.errors import InvalidInput
from ingestion.fields.values import FieldValues
from ingestion.library import Library
from ingestion.pipeline.ingest import ingest
from ingestion.storage import document_fields
from ingestion.storage.catalogue.records import Document

MINUTES = "Minutes of the Orchard Meeting\n\nMarch 4, 2021\n\nThe Bramley tree is to be pruned before spring."
RECOGNISED = FieldValues("Minutes of the Orchard Meeting", "", "2021-03-04", "minutes")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Path:
    """A closed library with one document, minutes.txt, and its file beside it."""
    folder = tmp_path_factory.mktemp("fields")
    (folder / "files").mkdir()
    (folder / "files" / "minutes.txt").write_text(MINUTES, "utf-8")
    with Library.open(folder / "library", encoder) as library:
        put(library, folder / "files")
    return folder


@pytest.fixture
def folder(template: Path, tmp_path: Path) -> Path:
    return shutil.copytree(template, tmp_path / "copy") / "library"


@pytest.fixture
def opened(folder: Path, encoder: Encoder) -> Iterator[Library]:
    with Library.open(folder, encoder) as library:
        yield library


def put(library: Library, *paths: Path) -> None:
    assert all(result.status.is_success for result in ingest(library, list(paths)))


def only(library: Library) -> Document:
    (document,) = library.catalogue.documents()
    return document


def values(library: Library) -> FieldValues:
    document = only(library)
    return library.fields.of([document])[document.id].values


def on_disk(library: Library) -> bytes:
    library.catalogue.database.checkpoint()
    return b"".join(file.read_bytes() for file in library.folder.glob("catalogue*"))


def number_of(folder: Path) -> int:
    with closing(sqlite3.connect(folder / "catalogue.sqlite3")) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


def test_fields_are_recognised_with_the_document(opened: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document_fields, "recognise", lambda _: pytest.fail("they are stored"))
    assert values(opened) == RECOGNISED


def test_a_library_of_the_former_schema_is_brought_up_to_date(
    folder: Path, encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(sqlite3.connect(folder / "catalogue.sqlite3")) as connection:
        connection.executescript(
            "DROP TABLE document_fields; DROP TABLE field_edits; PRAGMA user_version = 7"
        )
    monkeypatch.setattr(encoder, "encode", lambda *_, **__: pytest.fail("nothing is encoded"))
    with Library.open(folder, encoder) as library:
        assert number_of(folder) == 8
        assert library.fields.stored([only(library)])[only(library).id].values == FieldValues()
        assert values(library) == RECOGNISED
        assert library.fields.stored([only(library)])[only(library).id].values == RECOGNISED  # from now on
        library.fields.edit(only(library).id, {"title": "The tree"})
        assert values(library).title == "The tree"


def test_better_rules_recognise_again_and_edits_stay(
    opened: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened.fields.edit(only(opened).id, {"organisation": "ACME"})
    monkeypatch.setattr(document_fields, "RULES_VERSION", 2)
    monkeypatch.setattr(document_fields, "recognise", lambda front: FieldValues(title=front.lines[-1]))
    opened.catalogue.database.changes += 1  # as in another process: nothing is in memory
    assert values(opened) == FieldValues("The Bramley tree is to be pruned before spring.", "ACME")
    assert opened.fields.of([only(opened)])[only(opened).id].recognised.organisation == ""


def test_edits_count_until_they_are_restored(opened: Library) -> None:
    identity = only(opened).id
    opened.fields.edit(identity, {"title": " Our  tree ", "period": "Q1 2021", "type": ""})
    assert values(opened) == FieldValues("Our tree", "", "2021-Q1", "")
    opened.fields.edit(identity, {"organisation": "ACME"}, ["title"])
    assert values(opened) == FieldValues(RECOGNISED.title, "ACME", "2021-Q1", "")
    with pytest.raises(InvalidInput, match="no period"):
        opened.fields.edit(identity, {"title": "x", "period": "soon"})
    assert values(opened).title == RECOGNISED.title  # nothing of it is kept
    opened.fields.edit(identity, {}, ["organisation", "period", "type"])
    assert values(opened) == RECOGNISED
    assert opened.catalogue.database.rows("SELECT * FROM field_edits") == []


def test_edits_are_still_there_when_the_library_is_opened_again(folder: Path, encoder: Encoder) -> None:
    with Library.open(folder, encoder) as library:
        library.fields.edit(only(library).id, {"title": "Our tree"})
    with Library.open(folder, encoder) as library:
        assert values(library).title == "Our tree"


def test_a_replaced_document_keeps_its_edits_and_is_recognised_again(
    tmp_path: Path, library: Library
) -> None:
    file = tmp_path / "minutes.txt"
    file.write_text(MINUTES, "utf-8")
    put(library, file)
    first = only(library)
    library.fields.edit(first.id, {"title": "Our tree"})
    file.write_text(MINUTES.replace("2021", "2022"), "utf-8")
    put(library, file)
    assert (only(library).id, only(library).version) == (first.id, 2)
    assert values(library) == FieldValues("Our tree", "", "2022-03-04", "minutes")


def test_a_renamed_file_is_recognised_by_its_new_name_and_keeps_its_edits(
    tmp_path: Path, library: Library
) -> None:
    old, new = tmp_path / "pump 2019.txt", tmp_path / "pump-manual 2020.txt"
    old.write_text("Water runs through the pump while nobody looks at it at all.", "utf-8")
    put(library, old)
    identity = only(library).id
    library.fields.edit(identity, {"organisation": "ACME"})
    assert values(library) == FieldValues("", "ACME", "2019", "")
    old.rename(new)
    put(library, new)  # the same bytes, so only its path changes
    assert (only(library).id, only(library).name) == (identity, new.name)
    assert values(library) == FieldValues("", "ACME", "2020", "manual")


def test_a_document_that_stays_under_another_path_gives_its_edits_to_the_one_that_replaces_it(
    tmp_path: Path, library: Library
) -> None:
    one, two = tmp_path / "one.txt", tmp_path / "two.txt"
    for file in (one, two):
        file.write_text(MINUTES, "utf-8")
    put(library, one, two)
    library.fields.edit(only(library).id, {"organisation": "ACME"})
    two.write_text("Another text about plums in the sun.", "utf-8")
    put(library, two)
    documents = library.catalogue.documents()
    assert len(documents) == 2
    fields = library.fields.of(documents)
    assert {fields[one.id].values.organisation for one in documents} == {"ACME"}


def test_nothing_of_a_deleted_document_is_left(opened: Library) -> None:
    document = only(opened)
    opened.fields.edit(document.id, {"title": "Zwieback", "organisation": "Quokka"})
    opened.fields.edit(document.id, {"title": "Marzipan"})
    found = on_disk(opened)
    assert b"Marzipan" in found  # the test can see them
    assert b"Quokka" in found
    assert b"Zwieback" not in found
    opened.delete(document)
    found = on_disk(opened)
    for words in (b"Marzipan", b"Quokka", b"Orchard Meeting"):
        assert words not in found
    assert opened.catalogue.database.rows("SELECT document_id FROM document_fields") == []
    assert opened.catalogue.database.rows("SELECT document_id FROM field_edits") == []


def test_what_a_file_says_of_itself_is_kept_for_better_rules(opened: Library, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text(
        '<html><head><title>Pumps</title><meta property="og:site_name" content="Acme Ltd">'
        '<meta name="date" content="2021-05-04"></head><body><p>Water, says Acme Ltd.</p></body></html>',
        "utf-8",
    )
    put(opened, page)
    (document,) = (one for one in opened.catalogue.documents() if one.name == "page.html")
    expected = FieldValues("Pumps", "Acme Ltd", "2021-05-04", "web page")
    assert opened.fields.of([document])[document.id].values == expected
    assert opened.fields.properties(document.id) == FileProperties("", "Acme Ltd", "", "2021-05-04")
    with opened.catalogue.database.transaction() as connection:
        connection.execute("UPDATE document_fields SET rules = 0")
    opened.catalogue.database.changes += 1
    assert opened.fields.of([document])[document.id].values == expected


@pytest.mark.parametrize("table", ["document_fields", "field_edits"])
@pytest.mark.parametrize("body", [b"", b"[]", b'{"title": 7}', b"\xff\xfe"])
def test_damaged_rows_count_as_missing(opened: Library, table: str, body: bytes) -> None:
    opened.fields.edit(only(opened).id, {"title": "Our tree"})
    with opened.catalogue.transaction() as connection:
        connection.execute(f"UPDATE {table} SET body = ?", (body,))
    assert values(opened).title == (RECOGNISED.title if table == "field_edits" else "Our tree")
