"""BM25 in large libraries: which of a question's words count."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ingestion.documents import Chunk, Page, ParsedDocument, Status
from ingestion.storage.catalogue.catalogue import Catalogue
from ingestion.storage.catalogue.fulltext import WordIndex
from ingestion.storage.catalogue.records import Document, Representation, Scope
from ingestion.storage.catalogue.representations import RepresentationTable
from ingestion.storage.catalogue.rows import insert_document, prepare_text, remove_document
from ingestion.storage.catalogue.segment_table import insert_segments

# "tree" is in all ten, "apple" in five, "Bramley" in two, "1921" in one.
TEXTS = ["tree" + " apple" * (i < 5) + " Bramley" * (i in (3, 7)) + " 1921" * (i == 7) for i in range(10)]
EVERYWHERE = Scope((1,))


def document_of(number: int, version: int = 1) -> Document:
    return Document(
        id=f"d{number}", collection="default", collection_id=1, name=f"{number}.txt", path=f"/{number}.txt",
        title=None, sha256=f"{number}", bytes=1, status=Status.OK, error=None, pages=1, pages_failed=0,
        chunks=1, version=version, chunker=2, language="en", added="2026-01-01T00:00:00+00:00",
    )  # fmt: skip


def put(catalogue: Catalogue, number: int, text: str) -> None:
    parsed = ParsedDocument(Status.OK, page_count=1, pages=(Page(1, text),))
    prepared = prepare_text(parsed, [Chunk(0, 1, 0, len(text), text, None, "")], "en", catalogue.terms)
    with catalogue.transaction() as connection:
        insert_document(connection, document_of(number), prepared)
        insert_segments(connection, document_of(number), [(1, f"{number}.tok")])


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Catalogue]:
    catalogue = Catalogue(tmp_path / "catalogue.sqlite3")
    record = Representation(0, "m", "m", ("mean",), "m", 3, 0, "int8", None, "ready")
    with catalogue.transaction() as connection:
        RepresentationTable(catalogue.database).insert(connection, record)
    for number, text in enumerate(TEXTS):
        put(catalogue, number, text)
    yield catalogue
    catalogue.close()


@pytest.fixture
def costly(catalogue: Catalogue) -> WordIndex:
    """An index where a question may cost four chunks."""
    catalogue.database.rows("DROP TABLE temp.word_counts")
    return WordIndex(catalogue.database, catalogue.analyser, most_scored=4)


def ids(hits: list[tuple[str, float]]) -> list[str]:
    return [name for name, _ in hits]


def test_all_words_count_in_a_library_of_usual_size(catalogue: Catalogue) -> None:
    found = catalogue.words.search("Bramley apple tree", EVERYWHERE, 20)
    assert found.exact
    assert len(found.hits) == 10


@pytest.mark.parametrize(
    ("question", "chunks", "exact"),
    [
        ("Bramley 1921", [7, 3], True),
        ("Bramley apple tree 1921", [7, 3], False),
        ("tree 1921", [7], False),
        ("Bramley Bramley 1921", [7, 3], True),
        ("unknown tree", list(range(10)), True),  # no other word is there to find anything by
        ("unknown apple tree", [0, 1, 2, 3, 4], False),
        ("unknown", [], True),
        ("?!", [], True),
    ],
)
def test_the_rarest_words_count(costly: WordIndex, question: str, chunks: list[int], exact: bool) -> None:
    found = costly.search(question, EVERYWHERE, 20)
    assert sorted(ids(found.hits)) == sorted(f"d{number}:1:0" for number in chunks)
    assert found.exact is exact
    if 7 in chunks[:1]:
        assert ids(found.hits)[0] == "d7:1:0"


def test_candidates_of_another_stage_cost_less(
    catalogue: Catalogue, costly: WordIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingestion.storage.catalogue.fulltext.FEWEST_SCORED", 2)
    assert len(costly.search("Bramley 1921", EVERYWHERE, 20).hits) == 2
    found = costly.search("Bramley 1921", EVERYWHERE, 20, candidates=True)
    assert (ids(found.hits), found.exact) == (["d7:1:0"], False)
    monkeypatch.setattr(
        "ingestion.storage.catalogue.fulltext.CANDIDATE_SHARE", 2
    )  # five of ten: no more than its own four
    assert costly.search("Bramley 1921", EVERYWHERE, 20, candidates=True).exact
    # A library of usual size is not cut short.
    assert catalogue.words.search("Bramley tree", EVERYWHERE, 20, candidates=True).exact


@pytest.mark.parametrize("limit", [1, 2, 3, 9])
def test_a_narrow_scope_finds_what_others_outrank(catalogue: Catalogue, limit: int) -> None:
    """Of ten chunks the last in rank are in the scope: the best of the whole index are not enough."""
    everything = catalogue.words.search("apple Bramley tree 1921", EVERYWHERE, 20).hits
    assert [score for _, score in everything] == sorted((score for _, score in everything), reverse=True)
    last = everything[-3:]
    scope = Scope((1,), frozenset(name.split(":")[0] for name, _ in last))
    assert catalogue.words.search("apple Bramley tree 1921", scope, limit).hits == last[:limit]


def test_scores_are_those_of_the_words_that_count(catalogue: Catalogue, costly: WordIndex) -> None:
    assert costly.search("Bramley tree", EVERYWHERE, 9).hits == costly.search("Bramley", EVERYWHERE, 9).hits


def test_counts_follow_the_library(catalogue: Catalogue, costly: WordIndex) -> None:
    assert ids(costly.search("1921 apple", EVERYWHERE, 20).hits) == ["d7:1:0"]
    with catalogue.transaction() as connection:
        remove_document(connection, document_of(7), catalogue.terms)
        for number in range(3):
            remove_document(connection, document_of(number), catalogue.terms)
    put(catalogue, 20, "1921")
    assert len(costly.search("1921 apple", EVERYWHERE, 20).hits) == 3
    assert costly.search("1921 apple", EVERYWHERE, 20).exact


def test_languages_are_those_of_the_collections(catalogue: Catalogue) -> None:
    assert catalogue.words.languages((1,)) == ["en"]
    assert catalogue.words.languages((2,)) == []
    with catalogue.transaction() as connection:
        connection.execute("UPDATE documents SET language = 'de' WHERE id = 'd0'")
    assert sorted(catalogue.words.languages((1,))) == ["de", "en"]
