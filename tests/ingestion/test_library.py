"""The library through its pipeline: what each change leaves in every store."""

import re
import threading
from pathlib import Path

import pytest

from ingestion.documents import Status
from ingestion.encoders import Encoder
from ingestion.errors import LibraryError, UnknownName
from ingestion.library import Library, Source
from ingestion.pipeline.ingest import ingest
from ingestion.storage.catalogue.records import Document
from tests.helpers.store_contents import assert_whole, everything, found, ids_of, names_in

APPLES = "The Bramley apple tree stands by the north wall. It was planted in 1921."
PEARS = "The Conference pear ripens in October. Its fruit keeps until January."
PLUMS = "Plums are dried in the sun for a week and stored in glass jars."


def write(folder: Path, name: str, text: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def put(library: Library, *paths: Path, collection: str = "default") -> list[Status]:
    return [result.status for result in ingest(library, paths, collection=collection)]


def only(library: Library) -> Document:
    (document,) = library.catalogue.documents()
    return document


def segment_of(library: Library, document: Document) -> str:
    segment = library.representations.segment(document.id, library.representation().id)
    assert segment is not None
    return segment


def everywhere(name: str) -> dict[str, list[str]]:
    return {store: [name] for store in ("cls", "mean", "tokens", "bm25")}


# What lies where


def test_an_added_document_is_whole_and_found_in_every_store(library: Library, tmp_path: Path) -> None:
    path = write(tmp_path, "a.txt", APPLES)
    assert put(library, path) == ["ok"]
    assert_whole(library)
    document = only(library)
    assert (document.name, document.path, document.version) == ("a.txt", str(path), 1)
    assert (document.bytes, document.pages, document.chunks) == (len(APPLES), 1, 1)
    assert library.original(document.sha256).read_bytes() == path.read_bytes()
    assert found(library, "Bramley apple tree") == everywhere("a.txt")


def test_folders_are_private(library: Library) -> None:
    for folder in (library.folder, *(library.folder / name for name in ("tokens", "originals", "chroma"))):
        assert folder.stat().st_mode & 0o777 == 0o700
    for file in library.folder.glob("catalogue.sqlite3*"):
        assert file.stat().st_mode & 0o777 == 0o600


def test_a_changed_file_replaces_its_document_under_the_same_id(library: Library, tmp_path: Path) -> None:
    path = write(tmp_path, "a.txt", APPLES)
    put(library, path, write(tmp_path, "b.txt", PLUMS))
    (first, other) = library.catalogue.documents()
    segment = segment_of(library, first)
    write(tmp_path, "a.txt", PEARS)
    assert put(library, path) == ["ok"]
    assert_whole(library)
    second, same = library.catalogue.documents()
    assert same == other
    assert (second.id, second.version) == (first.id, 2)
    assert segment_of(library, second) != segment
    assert found(library, "Conference pear")["tokens"][0] == "a.txt"
    assert found(library, "Bramley apple")["bm25"] == []
    assert write(tmp_path, "a.txt", APPLES)
    assert put(library, path) == ["ok"]
    assert_whole(library)
    assert library.catalogue.documents()[0].version == 3


def test_deleting_leaves_nothing(library: Library, tmp_path: Path) -> None:
    put(library, write(tmp_path, "a.txt", APPLES), write(tmp_path, "b.txt", PLUMS))
    plums = library.catalogue.documents()[1]
    library.delete(library.catalogue.documents()[0])
    assert_whole(library)
    assert only(library) == plums
    assert found(library, "Bramley apple tree") == {**everywhere("b.txt"), "bm25": []}
    library.delete(plums)
    assert_whole(library)
    assert names_in(library.folder / "tokens") == names_in(library.folder / "originals") == set()
    assert put(library, tmp_path / "a.txt") == ["ok"]
    assert_whole(library)


def test_deleted_words_are_in_none_of_our_files(library: Library, tmp_path: Path) -> None:
    put(
        library, write(tmp_path, "a.txt", "The zwieback lies in the pantry."), write(tmp_path, "b.txt", PLUMS)
    )

    def on_disk() -> bytes:
        return b"".join(file.read_bytes() for file in library.folder.rglob("*") if file.is_file()).lower()

    assert b"zwieback" in on_disk()
    library.delete(library.catalogue.documents()[0])
    for word in (b"zwieback", b"pantry", b"pantri"):
        assert word not in on_disk()
    assert b"plums" in on_disk()


def test_deleting_what_has_been_replaced_since_deletes_the_newer_version(
    library: Library, tmp_path: Path
) -> None:
    path = write(tmp_path, "a.txt", APPLES)
    put(library, path)
    seen = only(library)
    write(tmp_path, "a.txt", PEARS)
    put(library, path)
    library.delete(seen)
    assert library.catalogue.documents() == []
    assert_whole(library)
    library.delete(seen)
    assert_whole(library)


def test_an_original_stays_while_another_collection_uses_it(library: Library, tmp_path: Path) -> None:
    path = write(tmp_path, "a.txt", APPLES)
    assert put(library, path) == put(library, path, collection="other") == ["ok"]
    assert_whole(library)
    first, second = library.catalogue.documents()
    assert (first.sha256, first.id != second.id) == (second.sha256, True)
    library.delete(first)
    assert_whole(library)
    assert library.original(second.sha256).exists()
    library.delete(second)
    assert names_in(library.folder / "originals") == set()


# Sources


def test_the_same_bytes_elsewhere_are_another_source(library: Library, tmp_path: Path) -> None:
    one, two = write(tmp_path, "a.txt", APPLES), write(tmp_path, "copy.txt", APPLES)
    assert put(library, one, two) == ["ok", "duplicate"]
    assert_whole(library)
    assert library.catalogue.sources.of(only(library).id) == [str(one), str(two)]
    assert put(library, one, two) == ["unchanged", "unchanged"]
    library.delete(only(library))
    assert_whole(library)


def test_changing_one_of_two_sources_splits_the_document(library: Library, tmp_path: Path) -> None:
    one, two = write(tmp_path, "a.txt", APPLES), write(tmp_path, "copy.txt", APPLES)
    put(library, one, two)
    before = only(library)
    write(tmp_path, "copy.txt", PEARS)
    assert put(library, two) == ["ok"]
    assert_whole(library)
    kept, new = library.catalogue.documents()
    assert kept == before
    assert new.id != kept.id
    assert library.catalogue.sources.of(kept.id) == [str(one)]
    assert library.catalogue.sources.of(new.id) == [str(two)]


def test_a_file_that_takes_another_documents_bytes_leaves_no_orphan(library: Library, tmp_path: Path) -> None:
    one, two = write(tmp_path, "a.txt", APPLES), write(tmp_path, "b.txt", PEARS)
    put(library, one, two)
    write(tmp_path, "b.txt", APPLES)
    assert put(library, two) == ["duplicate"]
    assert_whole(library)
    assert sorted(library.catalogue.sources.of(only(library).id)) == [str(one), str(two)]


def test_linking_to_a_document_that_was_deleted_is_refused(library: Library, tmp_path: Path) -> None:
    path = write(tmp_path, "a.txt", APPLES)
    put(library, path)
    document = only(library)
    library.delete(document)
    source = Source(str(path), path.name, document.sha256, document.bytes, path)
    with pytest.raises(LibraryError, match=r"a\.txt was deleted meanwhile"):
        library.link(document.collection_id, source, document)
    assert_whole(library)


@pytest.mark.parametrize("data", [b"", b"\0\1\2binary"], ids=["empty", "binary"])
def test_the_old_version_stays_searchable_when_the_new_one_cannot_be_read(
    library: Library, tmp_path: Path, data: bytes
) -> None:
    path = write(tmp_path, "a.txt", APPLES)
    put(library, path)
    before = everything(library)
    write(tmp_path, "a.txt", data)
    (result,) = ingest(library, [path])
    assert not result.status.is_success
    assert result.error is not None
    assert result.error.endswith("; the version ingested before stays searchable")
    assert everything(library) == before
    assert_whole(library)
    assert found(library, "Bramley apple tree") == everywhere("a.txt")


# Scopes


def test_an_empty_scope_finds_nothing_in_any_store(stocked: Library) -> None:
    scope = stocked.catalogue.scope()
    nothing = type(scope)(scope.collections, frozenset())
    query = stocked.encoder.encode_query("apple tree")
    assert stocked.segments(scope)
    assert stocked.segments(nothing) == []
    assert stocked.tokens.search(query.tokens, stocked.segments(nothing), 10).scores == {}
    everywhere = stocked.segments(scope)
    assert stocked.tokens.search(query.tokens, everywhere, 10, {}).scores == {}
    assert stocked.vectors.query(1, "mean", query.mean[0], 10, nothing.documents) == []
    assert stocked.catalogue.words.search("apple", nothing, 10).hits == []
    with pytest.raises(UnknownName):
        stocked.catalogue.scope((), ["none.pdf"])


# Reopening


def test_reopening_finds_the_same(stocked: Library, encoder: Encoder) -> None:
    question = "crane cable broke"
    before, hits = everything(stocked), found(stocked, question)
    assert hits["tokens"][0] == "harbour.md"
    stocked.close()
    with Library.open(stocked.folder, encoder) as again:
        assert everything(again) == before
        assert found(again, question) == hits
        assert_whole(again)


def test_a_damaged_segment_spoils_no_other_document(stocked: Library, encoder: Encoder) -> None:
    stocked.close()
    harbour = Library.open(stocked.folder, encoder)
    document = next(d for d in harbour.catalogue.documents() if d.name == "harbour.md")
    segment = segment_of(harbour, document)
    harbour.close()
    (stocked.folder / "tokens" / segment).write_bytes(b"RAGTOK1\n junk")
    with Library.open(stocked.folder, encoder) as library:
        assert library.damaged() == []  # nothing has been read yet
        query = encoder.encode_query("crane").tokens
        result = library.tokens.search(query, library.segments(library.catalogue.scope()), 9)
        assert result.unreadable == (segment,)
        others = {d.id for d in library.catalogue.documents()} - {document.id}
        assert {chunk.rsplit(":", 2)[0] for chunk in result.scores} == others
        (damaged,) = library.damaged()
        assert re.search(r"the token vectors of harbour\.md are damaged .* run: rag-app repair", str(damaged))
        orchard = library.segments(library.catalogue.scope((), ["orchard.md"]))
        assert library.tokens.search(query, orchard, 9).whole
        assert library.catalogue.words.search("crane", library.catalogue.scope(), 9).hits != []
        library.delete(document)
        assert library.damaged() == []
        assert_whole(library)
        assert put(library, Path(document.path)) == ["ok"]
        assert_whole(library)
        assert found(library, "crane cable broke")["tokens"][0] == "harbour.md"


def test_forgetting_the_last_source_deletes_the_document(library: Library, tmp_path: Path) -> None:
    one, two = write(tmp_path, "one.txt", APPLES), write(tmp_path, "two.txt", APPLES)
    put(library, one, two)
    assert library.unlink(1, str(one)) is None
    assert library.catalogue.sources.of(only(library).id) == [str(two)]
    gone = library.unlink(1, str(two))
    assert gone is not None
    assert gone.name == "two.txt"
    assert library.catalogue.documents() == []
    assert_whole(library)
    assert library.unlink(1, str(two)) is None


# Threads


def test_asking_goes_on_while_documents_are_replaced(library: Library, tmp_path: Path) -> None:
    """Whatever a reader sees belongs together: hits are of visible versions, with their own text."""
    texts = (APPLES, PEARS)
    path = write(tmp_path, "a.txt", APPLES)
    put(library, path, write(tmp_path, "b.txt", PLUMS))
    stop = threading.Event()
    failures: list[BaseException] = []
    answers = 0

    def ask() -> None:
        nonlocal answers
        try:
            query = library.encoder.encode_query("Which fruit is kept in jars?")
            while not stop.is_set():
                scope = library.catalogue.scope()
                hits = list(library.tokens.search(query.tokens, library.segments(scope), 10).scores.items())
                hits += library.vectors.query(1, "mean", query.mean[0], 10)
                chunks = library.catalogue.chunks([name for name, _ in hits])
                assert {chunk.text for chunk in chunks.values()} <= {*texts, PLUMS}
                assert PLUMS in {chunk.text for chunk in chunks.values()}
                library.tokens.score(query.tokens, library.catalogue.located(list(chunks)))
                answers += 1
        except BaseException as error:  # noqa: BLE001  # told to the test's own thread
            failures.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        for number in range(6):
            write(tmp_path, "a.txt", texts[number % 2 - 1])
            assert put(library, path) == ["ok"]
    finally:
        stop.set()
        thread.join()
    assert failures == []
    assert answers > 0
    assert_whole(library)


def test_two_threads_ingest_the_same_file(library: Library, tmp_path: Path) -> None:
    paths = [write(tmp_path, "a.txt", APPLES), write(tmp_path, "b.txt", PEARS)]
    results: list[list[Status]] = []
    barrier = threading.Barrier(2)

    def work() -> None:
        barrier.wait()
        results.append(put(library, *paths))

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [len(statuses) for statuses in results] == [2, 2]
    statuses = {status for both in results for status in both}
    assert Status.OK in statuses
    assert statuses <= {Status.OK, Status.UNCHANGED}
    assert [document.name for document in library.catalogue.documents()] == ["a.txt", "b.txt"]
    assert_whole(library)
    assert len(ids_of(library.catalogue.documents()[0])) == 1
