"""The SQLite catalogue by itself."""

import random
import sqlite3
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from ingestion.documents import Chunk, Heading, Page, PageFailure, PageLayout, ParsedDocument, Status
from ingestion.errors import DiskFull, InvalidInput, LibraryDamaged, LibraryError, UnknownName
from ingestion.maintenance.fulltext import words_fault
from ingestion.storage.catalogue.catalogue import Catalogue
from ingestion.storage.catalogue.records import Document, Representation, Scope
from ingestion.storage.catalogue.representations import RepresentationTable
from ingestion.storage.catalogue.rows import (
    erase_rows,
    hidden_terms,
    hide_document,
    insert_document,
    prepare_text,
    remove_document,
)
from ingestion.storage.catalogue.segment_table import insert_segments
from ingestion.storage.catalogue.sources import insert_source

TEXT = "Ada planted the apple tree. Zwieback rose."
PAGE = Page(1, TEXT, "i", PageLayout(612.0, 792.0, ((0, 0), (28, 30))))
PARSED = ParsedDocument(
    Status.PARTIAL,
    "page 2 failed",
    None,
    2,
    (PAGE,),
    (PageFailure(2, "damaged"),),
    (Heading("Apples", 1, 1, 0),),
    ("Page 2 is a picture.",),
)
CHUNKS = [
    Chunk(0, 1, 0, 27, TEXT[:27], "Apples", "notes › Apples"),
    Chunk(1, 1, 28, 42, TEXT[28:], None, "notes"),
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "catalogue.sqlite3"


@pytest.fixture
def catalogue(path: Path) -> Catalogue:
    return Catalogue(path)


def document_of(identity: str, collection: int = 1, version: int = 1) -> Document:
    return Document(
        id=identity, collection="default", collection_id=collection, name=f"{identity}.txt",
        path=f"/x/{identity}.txt", title=None, sha256=f"hash of {identity}", bytes=42, status=Status.PARTIAL,
        error="page 2 failed", pages=2, pages_failed=1, chunks=2, version=version, chunker=2,
        language="en", added="2026-01-01T00:00:00+00:00", warnings=("Page 2 is a picture.",), reader=2,
    )  # fmt: skip


def put(catalogue: Catalogue, document: Document) -> None:
    text = prepare_text(PARSED, CHUNKS, document.language, catalogue.terms)
    representation = representation_of(catalogue)
    with catalogue.transaction() as connection:
        insert_document(connection, document, text)
        insert_segments(connection, document, [(representation, segment_of(document))])
        insert_source(connection, document.collection_id, document.path, document.id)


def representation_of(catalogue: Catalogue) -> int:
    """Return the id of the one representation, which is made at first."""
    table = RepresentationTable(catalogue.database)
    if not table.all():
        row = Representation(0, "builtin", "builtin", ("cls",), "m-1", 2, 0, "int8", None, "ready")
        with catalogue.transaction() as connection:
            table.insert(connection, row)
    return table.all()[0].id


def segment_of(document: Document) -> str:
    return f"seg-{document.id}-{document.version}.tok"


def user_version(path: Path) -> int:
    connection = sqlite3.connect(path)
    try:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])
    finally:
        connection.close()


# Opening


def test_a_new_file_gets_the_whole_schema_and_keeps_it(path: Path) -> None:
    Catalogue(path).close()
    version = user_version(path)
    assert version >= 1
    assert path.stat().st_mode & 0o777 == 0o600
    catalogue = Catalogue(path)
    assert catalogue.collections() == {"default": 1}
    assert catalogue.documents() == []
    assert [row[0] for row in catalogue.database.rows("PRAGMA journal_mode")] == ["wal"]
    assert [row[0] for row in catalogue.database.rows("PRAGMA synchronous")] == [2]  # FULL
    assert [row[0] for row in catalogue.database.rows("PRAGMA secure_delete")] == [1]
    catalogue.close()
    assert user_version(path) == version


def test_a_newer_schema_is_refused_and_left_alone(path: Path) -> None:
    Catalogue(path).close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(LibraryError, match=r"schema 99 .*use the newer application"):
        Catalogue(path)
    assert user_version(path) == 99


def test_an_older_schema_is_refused_with_what_to_do(path: Path) -> None:
    Catalogue(path).close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 6")
    connection.close()
    with pytest.raises(LibraryError, match=r"schema 6 .*reads 7 to 8; .*rag-app export.*ingest .*again"):
        Catalogue(path)
    assert user_version(path) == 6


def test_a_file_that_is_no_database(path: Path) -> None:
    path.write_bytes(b"This is no database, whatever its name says. " * 100)
    with pytest.raises(LibraryDamaged, match=r"catalogue\.sqlite3 is no readable database"):
        Catalogue(path)
    assert path.read_bytes().startswith(b"This is no database")


def test_a_path_that_cannot_be_opened(path: Path) -> None:
    path.mkdir()
    with pytest.raises(LibraryError, match=r"catalogue\.sqlite3 cannot be used"):
        Catalogue(path)


def test_a_database_damaged_inside_is_named(path: Path, catalogue: Catalogue) -> None:
    for number in range(40):
        put(catalogue, document_of(f"d{number}"))
    catalogue.close()
    data = bytearray(path.read_bytes())
    data[4096:] = b"\xff" * (len(data) - 4096)  # all but the first page
    path.write_bytes(data)
    with pytest.raises(LibraryDamaged, match=r"catalogue\.sqlite3 is no readable database"):
        Catalogue(path)


# Transactions


def test_a_transaction_is_all_or_nothing(catalogue: Catalogue) -> None:
    def half() -> None:
        with catalogue.transaction() as connection:
            insert_source(connection, 1, "/x/a.txt", "a")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        half()
    assert catalogue.database.rows("SELECT * FROM sources") == []
    put(catalogue, document_of("a"))


def test_a_failed_commit_leaves_the_catalogue_usable(catalogue: Catalogue) -> None:
    broken = "INSERT INTO page_failures (document_id, number, reason) VALUES ('gone', 1, '')"

    def write() -> None:
        with catalogue.transaction() as connection:
            connection.execute("PRAGMA defer_foreign_keys = ON")
            connection.execute(broken)  # COMMIT will refuse it

    with pytest.raises(sqlite3.IntegrityError):
        write()
    assert catalogue.database.rows("SELECT * FROM page_failures") == []
    put(catalogue, document_of("a"))
    assert [document.id for document in catalogue.documents()] == ["a"]


def test_a_full_disk_is_a_library_error(catalogue: Catalogue) -> None:
    put(catalogue, document_of("a"))
    pages = catalogue.database.rows("PRAGMA page_count")[0][0]
    catalogue.database.rows(f"PRAGMA max_page_count = {pages}")

    def fill() -> None:
        for number in range(100):
            put(catalogue, document_of(f"d{number}"))

    with pytest.raises(DiskFull, match=r"No space left .* or free 20 MB there"):
        fill()
    catalogue.database.rows("PRAGMA max_page_count = 1000000")
    before = len(catalogue.documents())
    put(catalogue, document_of("b"))
    assert len(catalogue.documents()) == before + 1


def test_readers_wait_for_a_writer_in_another_thread(catalogue: Catalogue) -> None:
    entered, leave = threading.Event(), threading.Event()

    def write() -> None:
        with catalogue.transaction() as connection:
            insert_source(connection, 1, "/x/a.txt", "a")
            entered.set()
            leave.wait(60)
            connection.execute("DELETE FROM sources")

    thread = threading.Thread(target=write)
    thread.start()
    assert entered.wait(60)
    threading.Timer(0.1, leave.set).start()
    assert catalogue.database.rows("SELECT * FROM sources") == []
    thread.join()


# Collections and scopes


@pytest.mark.parametrize("name", ["Letters", "2024 reports", "été", "a.b-c_d", "x" * 63])
def test_names_of_collections(catalogue: Catalogue, name: str) -> None:
    first = catalogue.ensure_collection(name)
    assert catalogue.ensure_collection(name) == first
    assert catalogue.collections()[name] == first


@pytest.mark.parametrize("name", ["", " ", ".hidden", "-x", "a/b", "a\nb", "x" * 64, "a;b", "a'b"])
def test_names_that_no_collection_can_have(catalogue: Catalogue, name: str) -> None:
    with pytest.raises(InvalidInput, match="cannot name a collection"):
        catalogue.ensure_collection(name)
    assert list(catalogue.collections()) == ["default"]


def test_scopes(catalogue: Catalogue) -> None:
    other = catalogue.ensure_collection("other")
    put(catalogue, document_of("a"))
    put(catalogue, document_of("b", other))
    assert catalogue.scope() == Scope((1,))
    assert catalogue.scope(["other", "default", "other"]) == Scope((other, 1))
    assert catalogue.scope(["default"], ["a.txt"]) == Scope((1,), frozenset({"a"}))
    assert catalogue.scope(["default", "other"], ["/x/b.txt", "a"]).documents == frozenset({"a", "b"})
    with pytest.raises(UnknownName, match="no collection named 'none'; there are: default, other"):
        catalogue.scope(["none"])
    with pytest.raises(UnknownName, match=r"no document named 'b\.txt'; there are: a\.txt"):
        catalogue.scope(["default"], ["b.txt"])


def test_an_empty_set_of_documents_finds_nothing(catalogue: Catalogue) -> None:
    put(catalogue, document_of("a"))
    assert catalogue.words.search("tree", Scope((1,)), 10).hits != []
    assert catalogue.words.search("tree", Scope((1,), frozenset()), 10).hits == []
    assert catalogue.words.search("tree", Scope(()), 10).hits == []
    assert catalogue.allowed(Scope((1,), frozenset())) == {}
    assert catalogue.allowed(Scope((1,), frozenset("ab"))) == {"a": None, "b": None}
    assert catalogue.allowed(Scope((1,))) is None
    assert catalogue.documents([]) == []


# Documents


def test_a_document_comes_back_as_it_was(catalogue: Catalogue) -> None:
    document = document_of("a")
    put(catalogue, document)
    assert catalogue.documents() == [document]
    assert catalogue.document("a") == document
    assert catalogue.document("b") is None
    assert catalogue.by_source(1, "/x/a.txt") == catalogue.by_content("hash of a", 1) == document
    assert catalogue.by_source(2, "/x/a.txt") is catalogue.by_content("hash of a", 2) is None
    assert catalogue.by_content("hash of a") == document
    assert catalogue.page("a", 1) == PAGE
    assert catalogue.parsed(document) == PARSED
    assert catalogue.page("a", 2) is None
    assert catalogue.page_failures("a") == [PageFailure(2, "damaged")]
    chunks = catalogue.chunks(["a:1:1", "a:2:0", "a:1:0"])
    assert {name: chunk.text for name, chunk in chunks.items()} == {
        f"a:1:{chunk.ordinal}": chunk.text for chunk in CHUNKS
    }
    assert (chunks["a:1:0"].heading, chunks["a:1:0"].document) == ("Apples", "a.txt")
    assert catalogue.located(["a:1:1", "none", "a:1:0"]) == [
        (segment_of(document), "a:1:1"), (segment_of(document), "a:1:0"),
    ]  # fmt: skip


def test_text_is_cut_by_characters_not_bytes(catalogue: Catalogue) -> None:
    text = "naïve 𝒳 façade 雨 tree"
    chunk = Chunk(0, 1, 6, 16, text[6:16])
    parsed = ParsedDocument(Status.OK, pages=(Page(1, text),))
    with catalogue.transaction() as connection:
        insert_document(connection, document_of("a"), prepare_text(parsed, [chunk], "en", catalogue.terms))
    assert catalogue.chunks(["a:1:0"])["a:1:0"].text == text[6:16] == "𝒳 façade 雨"


def test_bm25_orders_and_narrows(catalogue: Catalogue) -> None:
    for name in ("a", "b"):
        put(catalogue, document_of(name))
    hits = catalogue.words.search("planting apples", Scope((1,)), 10).hits  # stemmed, as is the context
    assert [name for name, _ in hits] == ["a:1:0", "b:1:0"]
    assert hits[0][1] == hits[1][1] > 0
    assert (
        catalogue.words.search("apple", Scope((1,)), 1).hits
        == catalogue.words.search("apple", Scope((1,)), 9).hits[:1]
    )
    assert [name for name, _ in catalogue.words.search("apple", Scope((1,), frozenset("b")), 9).hits] == [
        "b:1:0"
    ]
    assert catalogue.words.search("absent", Scope((1,)), 9).hits == []


def test_bm25_takes_a_very_long_question(catalogue: Catalogue) -> None:
    put(catalogue, document_of("a"))
    question = " ".join(f"word{number}" for number in range(5000)) + " zwieback"
    assert [name for name, _ in catalogue.words.search(question, Scope((1,)), 9).hits] == ["a:1:1"]


def test_a_removed_document_is_forgotten_and_journalled(catalogue: Catalogue, path: Path) -> None:
    document = document_of("a")
    put(catalogue, document)
    put(catalogue, document_of("b"))
    with catalogue.transaction() as connection:
        remove_document(connection, document, catalogue.terms)
    assert [name for name, _ in catalogue.words.search("tree", Scope((1,)), 10).hits] == ["b:1:0"]
    assert (catalogue.document("a"), catalogue.page("a", 1), catalogue.page_failures("a")) == (None, None, [])
    assert catalogue.chunks(["a:1:0"]) == {}
    assert catalogue.sources.of("a") == ["/x/a.txt"]  # they outlive it while a version is swapped
    (entry,) = catalogue.journal.entries()
    assert (entry.kind, entry.document_id) == ("remove", "a")
    assert entry.segments == ((1, segment_of(document)),)
    assert entry.chunk_ids() == ["a:1:0", "a:1:1"]
    catalogue.journal.forget(entry)
    assert catalogue.journal.entries() == []


def test_a_hidden_document_is_seen_nowhere(catalogue: Catalogue, path: Path) -> None:
    """Before its rows are erased, and when it comes again meanwhile."""
    document, other = document_of("a"), document_of("b")
    put(catalogue, document)
    put(catalogue, other)
    with catalogue.transaction() as connection:
        hide_document(connection, document)
    assert [known.id for known in catalogue.documents()] == ["b"]
    assert (catalogue.document("a"), catalogue.page("a", 1), catalogue.page_failures("a")) == (None, None, [])
    assert catalogue.by_content(document.sha256) is None
    assert catalogue.by_content(document.sha256) is None
    assert catalogue.by_source(1, document.path) is None
    assert catalogue.chunks(["a:1:0", "b:1:0"]).keys() == {"b:1:0"}
    assert catalogue.located(["a:1:0", "b:1:0"]) == [(segment_of(other), "b:1:0")]
    assert catalogue.allowed(Scope((1,), None, (1, 1))) == {"b": [0, 1]}
    for limit in (1, 10):
        assert [name for name, _ in catalogue.words.search("tree", Scope((1,)), limit).hits] == ["b:1:0"]
    assert RepresentationTable(catalogue.database).missing(1) == []
    assert words_fault(catalogue, lambda: None) is None
    assert catalogue.journal.entries()[0].document_id == "a"
    put(catalogue, replace(document, id="c"))
    assert [name for name, _ in catalogue.words.search("tree", Scope((1,)), 10).hits] == ["b:1:0", "c:1:0"]
    with catalogue.transaction() as connection:
        erase_rows(connection, "a", hidden_terms(connection, "a", catalogue.terms))
    assert words_fault(catalogue, lambda: None) is None
    for gone in (1, 2):  # may be repeated
        assert catalogue.database.rows("SELECT count(*) FROM texts")[0][0] == 2, gone
        with catalogue.transaction() as connection:
            erase_rows(connection, "a", hidden_terms(connection, "a", catalogue.terms))
    assert catalogue.database.problems() == []


def test_a_visible_document_cannot_be_erased(catalogue: Catalogue) -> None:
    put(catalogue, document_of("a"))
    with catalogue.transaction() as connection:
        assert list(hidden_terms(connection, "a", catalogue.terms)) == []
        erase_rows(connection, "a", [])
    assert [known.id for known in catalogue.documents()] == ["a"]


def test_words_made_anew_leave_nothing_of_what_is_hidden(catalogue: Catalogue) -> None:
    for name in ("a", "b"):
        put(catalogue, document_of(name))
    with catalogue.transaction() as connection:
        hide_document(connection, document_of("a"))
    catalogue.rebuild_words()
    assert catalogue.database.rows("SELECT count(*) FROM texts")[0][0] == 1
    assert catalogue.database.rows("SELECT count(*) FROM chunks")[0][0] == 2
    assert words_fault(catalogue, lambda: None) is None
    assert catalogue.journal.entries()[0].document_id == "a"  # its vectors are elsewhere


def test_words_of_removed_text_leave_the_files(catalogue: Catalogue, path: Path) -> None:
    document = document_of("a")
    put(catalogue, document)
    with catalogue.transaction() as connection:
        remove_document(connection, document, catalogue.terms)
    catalogue.database.checkpoint()
    on_disk = b"".join(file.read_bytes() for file in path.parent.iterdir()).lower()
    for word in (b"zwieback", b"planted", b"notes"):
        assert word not in on_disk
    put(catalogue, document)
    catalogue.database.checkpoint()
    assert b"zwieback" in path.read_bytes().lower()  # the test can see them


def test_no_text_is_left_behind_by_many_changes(catalogue: Catalogue, path: Path) -> None:
    """SQLite copies rows about as its trees grow and shrink: what is deleted must be in no copy."""
    order = random.Random(4)
    alive: dict[str, Document] = {}
    dead: list[str] = []
    for number in range(400):
        if order.random() < 0.6 or not alive:
            identity = f"{order.getrandbits(64):016x}"
            body = f"{identity} " * order.choice((1, 30, 900))
            parsed = ParsedDocument(Status.OK, pages=(Page(1, body),), page_count=1)
            heading = f"head-{identity}"
            chunks = [Chunk(0, 1, 0, len(body), body, heading, f"file › {heading}")]
            document = replace(document_of(f"d{number}"), chunks=1)
            with catalogue.transaction() as connection:
                insert_document(connection, document, prepare_text(parsed, chunks, "en", catalogue.terms))
            alive[identity] = document
        else:
            identity = order.choice(sorted(alive))
            with catalogue.transaction() as connection:
                remove_document(connection, alive.pop(identity), catalogue.terms)
            dead.append(identity)
    catalogue.database.checkpoint()
    on_disk = b"".join(file.read_bytes() for file in path.parent.iterdir())
    assert all(identity.encode() in on_disk for identity in alive)  # the test can see them
    assert len(dead) > 100
    assert [identity for identity in dead if identity.encode() in on_disk] == []


def test_begin_journals_and_versions_never_repeat(catalogue: Catalogue) -> None:
    document = document_of("a", version=3)
    assert catalogue.journal.next_version("a") == 1
    put(catalogue, document)
    assert catalogue.journal.next_version("a") == 4
    (entry,) = catalogue.journal.begin("add", [replace(document, version=4)], ((1, "seg-x.tok"),))
    assert catalogue.journal.entries() == [entry]
    assert (entry.kind, entry.version, entry.chunks) == ("add", 4, 2)
    assert catalogue.journal.next_version("a") == 5
    assert catalogue.journal.next_version("b") == 1


def test_sources_and_the_use_of_content(catalogue: Catalogue) -> None:
    put(catalogue, document_of("a"))
    put(catalogue, document_of("b"))
    with catalogue.transaction() as connection:
        insert_source(connection, 1, "/x/copy.txt", "a")
    assert catalogue.sources.of("a") == ["/x/a.txt", "/x/copy.txt"]
    assert catalogue.without_sources(["a", "b"]) == []
    with catalogue.transaction() as connection:
        insert_source(connection, 1, "/x/b.txt", "a")
    assert [document.id for document in catalogue.without_sources(["a", "b"])] == ["b"]
    assert catalogue.by_content("hash of a") is not None
    assert catalogue.by_content("hash of c") is None
    assert catalogue.sources.all(1) == {"/x/a.txt": "a", "/x/copy.txt": "a", "/x/b.txt": "a"}


def test_pages_narrow(catalogue: Catalogue) -> None:
    put(catalogue, document_of("a"))
    assert catalogue.allowed(Scope((1,), None, (1, 1))) == {"a": [0, 1]}
    assert catalogue.allowed(Scope((1,), None, (2, 9))) == {}
    assert catalogue.allowed(Scope((1,), frozenset("b"), (1, 1))) == {}
    assert catalogue.words.search("tree", Scope((1,), None, (2, 9)), 9).hits == []
    assert [name for name, _ in catalogue.words.search("tree", Scope((1,), None, (1, 9)), 9).hits] == [
        "a:1:0"
    ]


def test_words_can_be_made_anew(catalogue: Catalogue, path: Path) -> None:
    put(catalogue, document_of("a"))
    before = catalogue.words.search("apple tree", Scope((1,)), 9).hits
    with catalogue.transaction() as connection:
        connection.execute("INSERT INTO chunk_index (chunk_index) VALUES ('delete-all')")
    assert catalogue.words.search("apple tree", Scope((1,)), 9).hits == []
    catalogue.rebuild_words()
    assert catalogue.words.search("apple tree", Scope((1,)), 9).hits == before


def test_an_analyser_that_changed_makes_the_words_anew(catalogue: Catalogue, path: Path) -> None:
    put(catalogue, document_of("a"))
    with catalogue.transaction() as connection:
        connection.execute("UPDATE facts SET value = 'older' WHERE name = 'analyser'")
        connection.execute("INSERT INTO chunk_index (chunk_index) VALUES ('delete-all')")
    catalogue.close()
    again = Catalogue(path)
    assert again.words.search("apple", Scope((1,)), 9).hits != []
    again.close()
