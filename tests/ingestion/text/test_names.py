"""Names: one in every spelling, told apart by folders, all of a document's; what is no document."""

import unicodedata
from pathlib import Path

import pytest

from ingestion.errors import InvalidInput, UnknownName
from ingestion.library import Library
from ingestion.pipeline.folder_sync import find_files, list_files, list_folder, remove_gone, sync
from ingestion.pipeline.ingest import ingest
from ingestion.storage.catalogue.records import Document
from ingestion.text.leftovers import leftover_kind, summary
from ingestion.text.names import as_on_disk, labels, name_of, spellings
from tests.helpers.store_contents import assert_whole

NAME = "Größe der Höfe.txt"
NFC, NFD = (unicodedata.normalize(form, NAME) for form in ("NFC", "NFD"))


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def put(library: Library, *paths: Path) -> list[str]:
    return [str(result.status) for result in ingest(library, paths)]


def only(library: Library) -> Document:
    (document,) = library.catalogue.documents()
    return document


def found(library: Library, name: str) -> list[str]:
    return [document.id for document in library.catalogue.find(name, (1,))]


# Spellings


def test_a_path_is_found_in_each_spelling_of_its_parts() -> None:
    assert spellings("/plain/a.txt") == ()
    assert name_of("/x/" + NFD) == name_of("upload:" + NFD) == NFC
    mixed = {f"/{one}/{other}" for one in (NFC, NFD) for other in (NFC, NFD)}
    assert set(spellings(f"/{NFC}/{NFD}")) == mixed - {f"/{NFC}/{NFD}"}
    assert len(spellings("/".join([NFC] * 40))) == 1  # not two to the power of forty


@pytest.mark.parametrize(("disk", "asked"), [(NFC, NFD), (NFD, NFC)])
def test_a_name_is_one_in_either_spelling(library: Library, tmp_path: Path, disk: str, asked: str) -> None:
    path = write(tmp_path, f"files/{disk}", "The yard measures 12 by 20 metres.")
    assert as_on_disk(path.with_name(asked)) == path
    assert put(library, path.with_name(asked)) == ["ok"]
    document = only(library)
    assert (document.name, document.path) == (NFC, str(path))
    for name in (disk, asked, str(path), str(path.with_name(asked)), f"files/{asked}"):
        assert found(library, name) == [document.id]
    assert put(library, tmp_path / "files") == ["unchanged"]


def test_a_file_that_another_system_spells_anew_keeps_its_document(library: Library, tmp_path: Path) -> None:
    folder = tmp_path / "files"
    path = write(folder, NFD, "The yard measures 12 by 20 metres.")
    put(library, folder)
    before = only(library)
    path.unlink()
    anew = write(folder, NFC, "The yard measures 13 by 20 metres.")
    assert sync(library, folder, "default").replace == (anew,)
    assert put(library, folder) == ["ok"]
    assert remove_gone(library, folder, "default") == []
    assert (only(library).id, only(library).paths) == (before.id, (str(anew),))
    assert_whole(library)


def test_two_files_of_one_look_stay_two(library: Library, tmp_path: Path) -> None:
    files = [write(tmp_path, name, f"Yard {number}.") for number, name in enumerate((NFC, NFD))]
    if files[0].samefile(files[1]):
        pytest.skip("this disk keeps one spelling")
    assert put(library, *files) == ["ok", "ok"]
    shown = [document.label for document in library.catalogue.documents()]
    assert len(set(shown)) == 2
    for document in library.catalogue.documents():
        assert found(library, document.label) == [document.id]


# Told apart


def test_labels_are_the_shortest_that_differ() -> None:
    paths = {"a": "/x/a/r.pdf", "b": "/y/a/r.pdf", "c": "/y/c/r.pdf", "d": "upload:r.pdf", "e": "/r.pdf"}
    assert labels(paths) == {
        "a": "x/a/r.pdf", "b": "y/a/r.pdf", "c": "c/r.pdf", "d": "upload:r.pdf", "e": "/r.pdf",
    }  # fmt: skip
    inside = {"a": "/x/2023/o.pdf › t.txt", "b": "/x/2024/o.pdf › t.txt"}
    assert labels(inside) == {"a": "2023/o.pdf › t.txt", "b": "2024/o.pdf › t.txt"}


def test_files_of_one_name_are_told_apart_everywhere(library: Library, tmp_path: Path) -> None:
    for year in ("2023", "2024"):
        write(tmp_path, f"{year}/report.txt", f"The harbour earned {year} crowns.")
    put(library, tmp_path, write(tmp_path, "other.txt", "Nothing of it."))
    documents = {document.label: document for document in library.catalogue.documents()}
    assert documents.keys() == {"2023/report.txt", "2024/report.txt", "other.txt"}
    assert {document.name for document in documents.values()} == {"report.txt", "other.txt"}
    for label, document in documents.items():
        assert found(library, label) == [document.id]
        (chunk,) = library.catalogue.chunks(document.chunk_ids()).values()
        assert chunk.document == label
    assert len(found(library, "report.txt")) == 2
    library.delete(documents["2023/report.txt"])
    assert [document.label for document in library.catalogue.documents()] == ["other.txt", "report.txt"]
    assert found(library, "2024/report.txt") == [documents["2024/report.txt"].id]  # as it was called before


# Several names


def test_a_document_goes_by_each_of_its_names_and_keeps_the_last(library: Library, tmp_path: Path) -> None:
    text = "A tin of paint costs 30 crowns."
    one, two = write(tmp_path, "a/prices.txt", text), write(tmp_path, "b/copy.txt", text)
    put(library, one, two)
    document = only(library)
    assert document.names == ("prices.txt", "copy.txt")
    for name in ("prices.txt", "copy.txt", str(two), "b/copy.txt"):
        assert found(library, name) == [document.id]
    library.unlink(1, str(one))
    assert (only(library).name, only(library).names) == ("copy.txt", ("copy.txt",))
    with pytest.raises(UnknownName):
        library.catalogue.find("prices.txt", (1,))


def test_a_path_that_gets_other_bytes_leaves_the_document_its_other_name(
    library: Library, tmp_path: Path
) -> None:
    one, two = write(tmp_path, "one.txt", "Apples."), write(tmp_path, "two.txt", "Apples.")
    put(library, one, two)
    one.write_text("Plums.")
    assert put(library, one) == ["ok"]
    names = {document.name: document.names for document in library.catalogue.documents()}
    assert names == {"one.txt": ("one.txt",), "two.txt": ("two.txt",)}
    assert_whole(library)


@pytest.mark.parametrize("how", ["file", "folder"])
def test_a_renamed_file_keeps_one_document_under_the_new_name(
    library: Library, tmp_path: Path, how: str
) -> None:
    path = write(tmp_path, "shop/prices.txt", "A tin of paint costs 30 crowns.")
    put(library, path)
    before = only(library)
    new = path.rename(path.with_name("list.txt"))
    (result,) = ingest(library, [new if how == "file" else new.parent])
    assert result.status == "duplicate"
    assert "gone" in (result.error or "")
    after = only(library)
    assert (after.id, after.name, after.paths) == (before.id, "list.txt", (str(new),))
    with pytest.raises(UnknownName):
        library.catalogue.find("prices.txt", (1,))
    assert_whole(library)


def test_an_upload_is_no_file_that_is_gone(library: Library, tmp_path: Path) -> None:
    path = write(tmp_path, "prices.txt", "A tin of paint costs 30 crowns.")
    list(ingest(library, [path], source_path=lambda file: f"upload:{file.name}"))
    put(library, path)
    assert only(library).paths == ("upload:prices.txt", str(path))


# What is no document


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("~$offer.docx", "lock file"), (".~lock.offer.odt#", "lock file"), (".DS_Store", "system file"),
        ("THUMBS.DB", "system file"), ("desktop.ini", "system file"), ("._offer.pdf", "system file"),
        ("offer.pdf.part", "partial download"), ("offer.pdf.crdownload", "partial download"),
        ("offer.download", "partial download"), ("offer.tmp~", "partial download"),
        ("~WRL0003.tmp", "temporary file"), ("offer.txt~", "backup file"), ("offer.bak", "backup file"),
        (".offer.txt.swp", "backup file"), ("~offer.docx", None), ("$5 offer.txt", None), ("part.txt", None),
        ("thumbs.db.txt", None), ("offer.pdf", None), ("downloads", None),
    ],
)  # fmt: skip
def test_leftovers_are_known_by_their_names(name: str, kind: str | None) -> None:
    assert leftover_kind(name) == kind


def test_leftovers_and_empty_files_are_passed_over_and_counted(tmp_path: Path) -> None:
    good = write(tmp_path, "a.txt", "Text.")
    for name in ("~$a.docx", ".DS_Store", "b.pdf.crdownload", "c.pdf.download/c.pdf", "empty.md", ".hidden"):
        write(tmp_path, name, "" if name == "empty.md" else "x")
    write(tmp_path, "picture.gif", "")  # of a type that is not read
    listing = list_folder(tmp_path)
    assert listing.files == (good,)
    kinds = [(Path(one.path).name, one.kind) for one in listing.passed_over]
    assert kinds == [
        (".DS_Store", "system file"), ("b.pdf.crdownload", "partial download"),
        ("c.pdf.download", "partial download"), ("empty.md", "empty file"), ("~$a.docx", "lock file"),
    ]  # fmt: skip
    said = summary(kinds)
    assert said.startswith("5 passed over: 2 partial downloads (b.pdf.crdownload, c.pdf.download), ")
    assert "1 empty file (empty.md)" in said


def test_a_folder_of_leftovers_alone_is_no_mistake(tmp_path: Path) -> None:
    write(tmp_path, "only/~$a.docx", "x")
    assert list_files([tmp_path / "only"]).files == ()
    (tmp_path / "none").mkdir()
    with pytest.raises(InvalidInput, match="nothing to ingest"):
        find_files([tmp_path / "none"])


def test_a_folder_that_lost_all_but_leftovers_is_refused(library: Library, tmp_path: Path) -> None:
    path = write(tmp_path, "disk/a.txt", "Text.")
    put(library, path)
    path.unlink()
    write(tmp_path, "disk/.DS_Store", "x")
    with pytest.raises(InvalidInput, match="drive"):
        sync(library, tmp_path / "disk", "default")


@pytest.mark.parametrize(("name", "content"), [("~$a.docx", b"\x03ada"), ("._a.txt", b"\x00\x05\x16\x07mac")])
def test_a_leftover_that_a_person_names_is_explained(
    library: Library, tmp_path: Path, name: str, content: bytes
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    (result,) = ingest(library, [path])
    assert not result.status.is_success
    assert "ingest the document itself" in (result.error or "")
