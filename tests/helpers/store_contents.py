"""What the stores of a library hold, compared with what its catalogue says they should."""

import hashlib
from pathlib import Path

from ingestion.library import Library
from ingestion.storage.catalogue.records import Document
from ingestion.storage.tokens.segment import Segment
from ingestion.storage.vectors.store import POOLINGS


def ids_of(document: Document) -> list[str]:
    return document.chunk_ids()


def assert_whole(library: Library) -> None:
    """Every visible document is complete in every store, and the stores hold nothing else.

    Says what `ingestion.maintenance.verification` says too, plainly and on its own.
    """
    library.merger.wait()
    catalogue = library.catalogue
    documents = catalogue.documents()
    assert catalogue.journal.entries() == []
    assert catalogue.database.problems() == []
    for index in library.open_representations.all():
        encoded = library.representations.documents(index.id).keys()
        for collection_id in catalogue.collections().values():
            some = [d for d in documents if d.collection_id == collection_id and d.id in encoded]
            for pooling in POOLINGS:
                held = {i for d in some for i in ids_of(d)} if pooling in index.record.vector_kinds else set()
                assert library.vectors.ids(collection_id, pooling, representation=index.id) == held
    every = [i for document in documents for i in ids_of(document)]
    assert set(catalogue.chunks(every)) == set(every)
    for document in documents:
        pages = {page.number: page.text for page in catalogue.parsed(document).pages}
        for chunk in catalogue.chunks(ids_of(document)).values():
            assert chunk.text == pages[chunk.page][chunk.start : chunk.end]
    rows = catalogue.database.rows
    indexed = rows("SELECT id FROM chunk_index_docsize ORDER BY id")
    assert [tuple(row) for row in indexed] == [
        tuple(row) for row in rows("SELECT rowid FROM chunks ORDER BY rowid")
    ]
    files = set()
    for index in library.open_representations.all():
        file_of = library.representations.documents(index.id)
        if index.record.state == "ready":
            assert file_of.keys() == {document.id for document in documents}
        listed = {one.file: one for one in library.representations.segment_table.files(index.id)}
        assert set(file_of.values()) == set(listed) == index.tokens.names()
        files |= set(listed)
        dead = library.representations.segment_table.dead(index.id)
        for name, one in listed.items():
            segment = Segment(library.folder / "tokens" / name)
            segment.verify()
            assert segment.fingerprint == index.record.fingerprint
            alive = {(d.id, d.version): d for d in documents if file_of.get(d.id) == name}
            assert {*segment.document_keys()} == {*alive, *dead.get(name, ())}
            assert not alive.keys() & set(dead.get(name, ()))
            assert {alive[key].collection_id for key in alive} == {one.collection_id}
            assert one.dead == sum(len(segment.rows(key)) for key in dead.get(name, ()))
            assert one.chunks == len(segment)
            for key, document in alive.items():
                assert segment.chunk_ids(list(segment.rows(key))) == ids_of(document)
    assert (names_in(library.folder / "tokens") ^ files) == set()
    originals = library.folder / "originals"
    assert names_in(originals) == {document.sha256 for document in documents}
    for name in names_in(originals):
        assert hashlib.sha256((originals / name).read_bytes()).hexdigest() == name
    assert all(catalogue.sources.of(document.id) for document in documents)
    known = {document.id for document in documents}
    assert {row["document_id"] for row in rows("SELECT document_id FROM sources")} == known
    (texts,) = rows("SELECT count(*) AS count FROM texts")
    assert texts["count"] == len(documents)


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def bytes_on_disk(folder: Path) -> bytes:
    """Return the bytes of every file of a library, one after the other; SQLite's shared memory, which notes
    its readers, is left out."""
    files = (file for file in sorted(folder.rglob("*")) if file.is_file() and not file.name.endswith("-shm"))
    return b"\0".join(file.read_bytes() for file in files)


def everything(library: Library) -> dict[str, object]:
    """Return all that people can see, to be compared before and after a failure."""
    return {
        document.id: (
            document,
            library.catalogue.sources.of(document.id),
            library.catalogue.chunks(ids_of(document)),
            library.catalogue.parsed(document),
        )
        for document in library.catalogue.documents()
    }


def found(library: Library, question: str) -> dict[str, list[str]]:
    """Return the names of the documents that each store finds for a question, best first, in the default
    collection. BM25 searches for its first word."""
    scope = library.catalogue.scope()
    query = library.encoder.encode_query(question)
    collection = scope.collections[0]
    ids = {
        "cls": [i for i, _ in library.vectors.query(collection, "cls", query.cls[0], 10)],
        "mean": [i for i, _ in library.vectors.query(collection, "mean", query.mean[0], 10)],
        "tokens": list(library.tokens.search(query.tokens, library.segments(scope), 10).scores),
        "bm25": [i for i, _ in library.catalogue.words.search(question.split(maxsplit=1)[0], scope, 10).hits],
    }
    names = {}
    for store, hits in ids.items():
        chunks = library.catalogue.chunks(hits)
        names[store] = list(dict.fromkeys(chunks[i].document for i in hits if i in chunks))
    return names
