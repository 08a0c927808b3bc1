"""Collections: created, renamed, deleted."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ingestion.collections import (
    create_collection,
    delete_collection,
    list_collections,
    rename_collection,
)
from ingestion.encoders import Encoder
from ingestion.errors import InvalidInput, UnknownName
from ingestion.library import Library
from ingestion.pipeline.ingest import ingest
from retrievers.search import search
from retrievers.strategies import STRATEGIES
from tests.helpers.store_contents import assert_whole


def test_what_is_in_each(stocked: Library) -> None:
    created = create_collection(stocked, "letters")
    assert (created.name, created.documents) == ("letters", 0)
    default, letters = list_collections(stocked)
    assert (default.name, default.documents, default.pages) == ("default", 2, 2)
    assert default.chunks == sum(document.chunks for document in stocked.catalogue.documents())
    assert letters == created


@pytest.mark.parametrize("strategy", sorted(STRATEGIES))
def test_search_goes_over_one_or_several(stocked: Library, tmp_path: Path, strategy: str) -> None:
    pier = tmp_path / "pier.txt"
    pier.write_text("The Bramley boat was moored at the pier in 1921.")
    list(ingest(stocked, [pier], collection="letters"))

    def found(*collections: str) -> set[str]:
        scope = stocked.catalogue.scope(collections)
        return {
            hit.chunk.document for hit in search(stocked, "Bramley pier", STRATEGIES[strategy], scope).hits
        }

    assert found("letters") == {"pier.txt"}
    assert "pier.txt" not in found("default")
    assert found("letters", "default") >= {"pier.txt", "orchard.md"}


def test_a_renamed_collection_keeps_its_documents(library: Library, files: Path) -> None:
    list(ingest(library, [files], collection="letters"))
    rename_collection(library, "letters", "post")
    assert {document.collection for document in library.catalogue.documents()} == {"post"}
    assert [result.status for result in ingest(library, [files], collection="post")] == ["unchanged"] * 2
    assert_whole(library)


def test_a_deleted_collection_is_gone_from_every_store(stocked: Library, files: Path) -> None:
    list(ingest(stocked, [files], collection="letters"))
    names = stocked.vectors.names()
    deleted = delete_collection(stocked, "letters")
    assert (deleted.name, deleted.documents) == ("letters", 2)
    assert list(stocked.catalogue.collections()) == ["default"]
    assert stocked.vectors.names() < names
    assert_whole(stocked)  # the other collection's documents have the same bytes
    with pytest.raises(UnknownName, match="no collection named 'letters'"):
        delete_collection(stocked, "letters")
    list(ingest(stocked, [files], collection="letters"))
    assert_whole(stocked)


def test_an_empty_collection_leaves_no_vectors_of_its_own(stocked: Library, files: Path) -> None:
    list(ingest(stocked, [files / "orchard.md"], collection="letters"))
    stocked.delete(stocked.catalogue.documents(stocked.catalogue.collection_ids(["letters"]))[0])
    delete_collection(stocked, "letters")
    assert {name.split("-")[0] for name in stocked.vectors.names()} == {"c1"}


def test_the_default_collection_is_emptied_and_stays(stocked: Library) -> None:
    assert delete_collection(stocked, "default").documents == 2
    assert [info.documents for info in list_collections(stocked)] == [0]
    assert_whole(stocked)


def test_a_crash_between_deleting_and_erasing_is_made_good(
    stocked: Library, files: Path, encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    list(ingest(stocked, [files], collection="letters"))
    monkeypatch.setattr(stocked.vectors, "drop", _crash)
    with pytest.raises(KeyboardInterrupt):
        delete_collection(stocked, "letters")
    stocked.close()
    with Library.open(stocked.folder, encoder) as again:
        assert list(again.catalogue.collections()) == ["default"]
        assert_whole(again)
        assert {name.split("-")[0] for name in again.vectors.names()} == {"c1"}


def _crash(**_: object) -> None:
    raise KeyboardInterrupt


def test_names_that_cannot_be(stocked: Library) -> None:
    create_collection(stocked, "letters")
    with pytest.raises(InvalidInput, match="there is a collection 'letters' already"):
        create_collection(stocked, "letters")
    with pytest.raises(InvalidInput, match="cannot name a collection"):
        create_collection(stocked, "a/b")
    with pytest.raises(InvalidInput, match="there is a collection 'default' already"):
        rename_collection(stocked, "letters", "default")
    with pytest.raises(InvalidInput, match="'default' keeps its name"):
        rename_collection(stocked, "default", "other")
    with pytest.raises(UnknownName, match="no collection named 'none'"):
        rename_collection(stocked, "none", "other")


def test_a_collection_that_several_make_at_once_is_one(library: Library) -> None:
    with ThreadPoolExecutor(9) as pool:
        made = list(pool.map(lambda _: library.catalogue.find_or_create_collection("tides"), range(9)))
    assert len({identity for identity, _ in made}) == 1
    assert sum(is_new for _, is_new in made) == 1
