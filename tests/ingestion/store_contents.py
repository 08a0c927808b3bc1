"""What the stores of a library hold, compared with what its catalogue says they should."""

import hashlib
from pathlib import Path

from ingestion.library import Library
from ingestion.stores.records import Document, chunk_id
from ingestion.stores.tokens.segment import Segment
from ingestion.stores.vectors import POOLINGS


def ids_of(document: Document) -> list[str]:
    return [chunk_id(document.id, document.version, ordinal) for ordinal in range(document.chunks)]


def assert_whole(library: Library) -> None:
    """Every visible document is complete in every store, and the stores hold nothing else."""
    catalogue = library.catalogue
    documents = catalogue.documents()
    assert catalogue.journal() == []
    for collection_id in catalogue.collections().values():
        expected = {i for d in documents if d.collection_id == collection_id for i in ids_of(d)}
        for pooling in POOLINGS:
            assert library.vectors.ids(collection_id, pooling) == expected
    every = [i for document in documents for i in ids_of(document)]
    assert set(catalogue.chunks(every)) == set(every)
    indexed = catalogue._rows("SELECT id FROM chunk_index_docsize ORDER BY id")
    assert [tuple(row) for row in indexed] == [
        tuple(row) for row in catalogue._rows("SELECT rowid FROM chunks ORDER BY rowid")
    ]
    segments = {document.segment: document for document in documents}
    assert names_in(library.folder / "tokens") == set(segments) == library.tokens.names()
    for name, document in segments.items():
        segment = Segment(library.folder / "tokens" / name)
        segment.verify()
        assert segment.ids == ids_of(document)
        assert segment.fingerprint == document.fingerprint
    originals = library.folder / "originals"
    assert names_in(originals) == {document.sha256 for document in documents}
    for name in names_in(originals):
        assert hashlib.sha256((originals / name).read_bytes()).hexdigest() == name
    assert all(catalogue.sources(document.id) for document in documents)
    known = {document.id for document in documents}
    assert {row["document_id"] for row in catalogue._rows("SELECT document_id FROM sources")} == known


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def everything(library: Library) -> dict[str, object]:
    """Return all that people can see, to be compared before and after a failure."""
    return {
        document.id: (
            document,
            library.catalogue.sources(document.id),
            library.catalogue.chunks(ids_of(document)),
            library.catalogue.page(document.id, 1),
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
        "tokens": [i for i, _ in library.tokens.search(query.tokens, library.segments(scope), 10)],
        "bm25": [i for i, _ in library.catalogue.bm25(f'"{question.split(maxsplit=1)[0]}"', scope, 10)],
    }
    names = {}
    for store, hits in ids.items():
        chunks = library.catalogue.chunks(hits)
        names[store] = list(dict.fromkeys(chunks[i].document for i in hits if i in chunks))
    return names
