"""Collections: created, renamed, deleted."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ingestion.collections import (
    MOST_INSTRUCTIONS,
    adopt_instructions,
    create_collection,
    delete_collection,
    list_collections,
    rename_collection,
    set_instructions,
    single_instructions,
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


def kept(library: Library) -> dict[str, str]:
    return {info.name: info.instructions for info in list_collections(library)}


def test_instructions_are_kept_without_white_space_around_them(stocked: Library) -> None:
    create_collection(stocked, "letters")
    info = set_instructions(stocked, "letters", " \n Answer in German,\r\n\tas a table. 🏴\u200d☠️ \n")
    assert info.instructions == "Answer in German,\n\tas a table. 🏴\u200d☠️"
    assert kept(stocked) == {"default": "", "letters": info.instructions}
    assert list_collections(stocked)[0].documents == 2  # joined tables count nothing twice
    set_instructions(stocked, "letters", "Be brief.")
    assert kept(stocked)["letters"] == "Be brief."
    assert set_instructions(stocked, "letters", " \n").instructions == ""
    assert kept(stocked)["letters"] == ""
    with pytest.raises(UnknownName, match="no collection named 'taxes'"):
        set_instructions(stocked, "taxes", "Be brief.")


def test_instructions_are_bounded_and_hold_nothing_unseen(library: Library) -> None:
    most = "ä" * MOST_INSTRUCTIONS
    assert set_instructions(library, "default", f" {most} ").instructions == most
    with pytest.raises(
        InvalidInput, match=r"have 1,001 characters, and at most 1,000 are kept; shorten them"
    ):
        set_instructions(library, "default", f"{most}ä")
    for text, name in (
        ("Be\x07 brief.", "U\\+0007"),
        ("Be\0 brief.", "U\\+0000"),
        ("Be\x9b brief.", "U\\+009B"),
        ("Be\ud800 brief.", "U\\+D800"),
        ("Be\U000e0041 brief.", "U\\+E0041"),
        ("Be\u200b brief.", "U\\+200B"),
    ):
        with pytest.raises(
            InvalidInput, match=f"character 3 of the instructions is {name}, which nobody sees"
        ):
            set_instructions(library, "default", text)
    assert kept(library) == {"default": most}


def test_instructions_follow_a_collection(stocked: Library, encoder: Encoder) -> None:
    create_collection(stocked, "letters")
    set_instructions(stocked, "letters", "Be brief.")
    set_instructions(stocked, "default", "Be kind.")
    rename_collection(stocked, "letters", "post")
    assert kept(stocked) == {"default": "Be kind.", "post": "Be brief."}
    folder = stocked.folder
    stocked.close()
    with Library.open(folder, encoder) as again:
        assert kept(again) == {"default": "Be kind.", "post": "Be brief."}
        delete_collection(again, "post")
        create_collection(again, "post")
        delete_collection(again, "default")  # is emptied and stays
        assert kept(again) == {"default": "Be kind.", "post": ""}
        assert_whole(again)


def test_a_question_uses_the_instructions_of_one_collection_alone(stocked: Library) -> None:
    create_collection(stocked, "letters")
    set_instructions(stocked, "default", "Be kind.")
    assert single_instructions(stocked, ["default"]) == "Be kind."
    assert single_instructions(stocked, ["default", "default"]) == "Be kind."
    assert single_instructions(stocked, ["letters"]) == ""
    assert single_instructions(stocked, ["default", "letters"]) == ""
    assert single_instructions(stocked, []) == ""


def test_only_a_collection_without_documents_and_instructions_takes_those_of_others(stocked: Library) -> None:
    create_collection(stocked, "letters")
    create_collection(stocked, "notes")
    set_instructions(stocked, "notes", "Be kind.")
    given = {"default": "Lie.", "letters": "Be brief.", "notes": "Lie.", "new": "In verse.", "none": ""}
    assert adopt_instructions(stocked, given) == (("letters", "new"), ("default", "notes"))
    wanted = {"default": "", "letters": "Be brief.", "new": "In verse.", "none": "", "notes": "Be kind."}
    assert kept(stocked) == wanted
    assert adopt_instructions(stocked, {"letters": "Be brief."}) == ((), ())
    assert kept(stocked) == wanted
