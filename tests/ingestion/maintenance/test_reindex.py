"""Representations added, made anew and removed beside each other."""

import shutil
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import ingestion.maintenance.reindex
from ingestion.encoders import Encoder, Encodings
from ingestion.errors import Cancelled, InvalidInput, StaleRepresentation, UnknownName
from ingestion.library import Library
from ingestion.maintenance import verify
from ingestion.maintenance.reindex import ReindexProgress, reindex, remove_representation
from ingestion.parsing import READER_VERSION
from ingestion.pipeline.ingest import ingest
from retrievers.search import search
from retrievers.strategies import strategy_named
from tests.helpers.store_contents import assert_whole
from tests.helpers.turned_encoder import Turned

# Processes of their own, Chroma in most tests: minutes in all.
pytestmark = pytest.mark.slow


@pytest.fixture
def models(encoder: Encoder) -> dict[str, Turned]:
    """Models by their source."""
    return {"/models/a": Turned(encoder, "a", 1), "/models/b": Turned(encoder, "b", 2)}


@pytest.fixture
def opened(stocked_template: Path, tmp_path: Path, encoder: Encoder, models: dict[str, Turned]) -> Any:
    """Opens the test's own library, which holds the two small documents."""
    shutil.copytree(stocked_template, tmp_path / "library")

    def opens() -> Library:
        return Library.open(tmp_path / "library", encoder, load=models.__getitem__)

    return opens


def found(library: Library, strategy: str, question: str = "When was the Bramley planted?") -> list[str]:
    scope = library.catalogue.scope()
    return [hit.chunk.id for hit in search(library, question, strategy_named(strategy), scope).hits]


@pytest.mark.parametrize("strategy", ["mean", "colbert", "hybrid", "cascade"])
def test_a_representation_is_added_beside_the_others(opened: Any, strategy: str) -> None:
    with opened() as library:
        result = reindex(library, "turned", source="/models/a")
        assert (result.representation, result.documents) == ("turned", 2)
        # Turned vectors have the same cosines, so that the order is the same.
        assert found(library, f"{strategy}@turned") == found(library, strategy)
        assert_whole(library)
    with opened() as again:
        assert found(again, f"{strategy}@turned") == found(again, strategy)


def test_new_documents_come_into_every_representation(opened: Any, tmp_path: Path) -> None:
    late = tmp_path / "late.txt"
    late.write_text("A Bramley was planted late.")
    with opened() as library:
        reindex(library, "turned", source="/models/a")
        list(ingest(library, [late]))
        assert_whole(library)
        assert (
            found(library, "colbert@turned", "planted late")[0]
            == found(library, "colbert", "planted late")[0]
        )
        library.delete(library.catalogue.find("late.txt", (1,))[0])
        assert_whole(library)


def test_a_fresh_one_costs_nothing(opened: Any, models: dict[str, Turned]) -> None:
    with opened() as library:
        assert reindex(library).documents == 0
        reindex(library, "turned", source="/models/a")
        calls = len(models["/models/a"].calls)
        assert reindex(library, "turned").documents == 0
        assert len(models["/models/a"].calls) == calls


def test_what_a_representation_does_not_have_is_said(opened: Any) -> None:
    with opened() as library:
        reindex(library, "turned", source="/models/a")
        with pytest.raises(InvalidInput, match="turned has no cls vectors, only mean, tokens"):
            found(library, "cls@turned")
        with pytest.raises(UnknownName, match="no representation named 'none'; there are: builtin, turned"):
            found(library, "mean@none")
        with pytest.raises(InvalidInput, match="bm25 reads words and no vectors"):
            found(library, "bm25@turned")
        with pytest.raises(InvalidInput, match="there is no representation 'new' yet; name its model"):
            reindex(library, "new")
        with pytest.raises(InvalidInput, match="the built-in representation has its own model"):
            reindex(library, "builtin", source="/models/a")
        with pytest.raises(InvalidInput, match="the built-in representation stays"):
            remove_representation(library, "builtin")


def test_another_model_takes_the_place_of_the_old_one(opened: Any) -> None:
    with opened() as library:
        first = reindex(library, "turned", source="/models/a")
        second = reindex(library, "turned", source="/models/b")
        assert first.fingerprint != second.fingerprint
        assert [one.fingerprint for one in library.representations.all()][1:] == [second.fingerprint]
        assert len(library.open_representations.all()) == 2
        assert_whole(library)
        assert found(library, "colbert@turned") == found(library, "colbert")


def test_a_model_that_changed_is_refused_until_it_is_made_anew(
    opened: Any, models: dict[str, Turned]
) -> None:
    with opened() as library:
        reindex(library, "turned", source="/models/a")
        models["/models/a"]._shift, models["/models/a"].fingerprint = 3, "a-3"
        with pytest.raises(StaleRepresentation, match=r"turned was made by a-1, .* rag-app reindex"):
            found(library, "mean@turned")
        assert found(library, "mean") != []
        assert reindex(library, "turned").documents == 2
        assert found(library, "mean@turned") == found(library, "mean")
        assert_whole(library)


def test_the_former_vectors_are_searched_until_the_new_ones_are_there(
    opened: Any, models: dict[str, Turned]
) -> None:
    with opened() as library:
        reindex(library, "turned", source="/models/a")
        seen: list[list[str]] = []

        def look(_: ReindexProgress) -> None:
            seen.append(found(library, "mean@turned"))

        reindex(library, "turned", source="/models/b", on_progress=look)
        assert seen
        assert all(hits == found(library, "mean") for hits in seen)


def test_stopped_midway_it_goes_on(
    opened: Any, models: dict[str, Turned], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingestion.maintenance.reindex, "BLOCK_CHUNKS", 1)
    with opened() as library:
        reindex(library, "turned", source="/models/a")
        model = models["/models/b"]
        with pytest.raises(Cancelled):
            reindex(library, "turned", source="/models/b", cancelled=lambda: len(model.calls) > 0)
        assert len(model.calls) == 1
        assert found(library, "mean@turned") == found(library, "mean")  # the former one still
        assert [one.state for one in library.representations.all()] == ["ready", "ready", "building"]
    with opened() as again:
        assert reindex(again, "turned", source="/models/b").documents == 1  # the other one is there
        assert found(again, "mean@turned") == found(again, "mean")
        assert_whole(again)


def test_a_third_model_drops_what_the_second_one_began(
    opened: Any, models: dict[str, Turned], encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingestion.maintenance.reindex, "BLOCK_CHUNKS", 1)
    models["/models/c"] = Turned(encoder, "c", 5)
    with opened() as library:
        model = models["/models/b"]
        with pytest.raises(Cancelled):
            reindex(library, "turned", source="/models/b", cancelled=lambda: len(model.calls) > 0)
        reindex(library, "turned", source="/models/c")
        assert [one.source for one in library.representations.all()] == ["builtin", "/models/c"]
        assert_whole(library)


def test_removing_leaves_nothing(opened: Any) -> None:
    with opened() as library:
        before = library.vectors.names(), sorted(library.folder.joinpath("tokens").iterdir())
        reindex(library, "turned", source="/models/a")
        assert remove_representation(library, "turned").removed
        assert (library.vectors.names(), sorted(library.folder.joinpath("tokens").iterdir())) == before
        with pytest.raises(UnknownName, match="no representation named 'turned'"):
            found(library, "mean@turned")
        assert_whole(library)


def test_a_library_of_another_built_in_model(
    opened: Any, encoder: Encoder, models: dict[str, Turned], files: Path
) -> None:
    with opened() as library, library.catalogue.transaction() as connection:
        connection.execute("UPDATE representations SET fingerprint = 'older'")
    with opened() as library:
        for strategy in ("cls", "colbert", "cascade"):
            with pytest.raises(StaleRepresentation, match="rag-app reindex"):
                found(library, strategy)
        assert found(library, "bm25") != []
        with pytest.raises(StaleRepresentation, match="rag-app reindex"):
            list(ingest(library, [files / "orchard.md"], collection="elsewhere"))
        assert reindex(library).documents == 2
        assert found(library, "cascade") != []
        assert_whole(library)
        assert [one.fingerprint for one in library.representations.all()] == [encoder.fingerprint]


def test_documents_of_an_older_chunker_are_cut_anew(opened: Any) -> None:
    with opened() as library:
        before = {d.name: d for d in library.catalogue.documents()}
        with library.catalogue.transaction() as connection:
            connection.execute("UPDATE documents SET chunker = 0 WHERE name = 'orchard.md'")
        assert reindex(library).documents == 1
        after = {d.name: d for d in library.catalogue.documents()}
        assert after["harbour.md"] == before["harbour.md"]
        assert after["orchard.md"].version == 2
        assert (after["orchard.md"].added, after["orchard.md"].chunker) == (
            before["orchard.md"].added, before["orchard.md"].chunker,
        )  # fmt: skip
        assert_whole(library)


def test_documents_of_an_older_reader_are_read_again_from_their_originals(
    tmp_path: Path, files: Path, encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoded: list[str] = []
    real = encoder.encode

    def encode(texts: Sequence[str], *args: Any, **options: Any) -> Encodings:
        encoded.extend(texts)
        return real(texts, *args, **options)

    with Library.open(tmp_path / "own", encoder) as library:
        list(ingest(library, [files]))
        before = {d.name: d for d in library.catalogue.documents()}
        text = library.catalogue.page(before["orchard.md"].id, 1)
        with library.catalogue.transaction() as connection:
            connection.execute("UPDATE documents SET reader = 1")
        for file in files.iterdir():
            file.unlink()  # the library's own copies are enough
        library.original(before["harbour.md"].sha256).unlink()
        assert any("read or cut by an older version" in note for note in verify(library).notes)
        monkeypatch.setattr(encoder, "encode", encode)
        assert reindex(library).documents == 1
        assert encoded == []  # the same text keeps its vectors
        after = {d.name: d for d in library.catalogue.documents()}
        assert (after["orchard.md"].reader, after["orchard.md"].version) == (READER_VERSION, 2)
        assert library.catalogue.page(after["orchard.md"].id, 1) == text
        assert after["harbour.md"] == replace(before["harbour.md"], reader=1)
        assert not list((library.folder / "unpacked").iterdir())


def test_documents_come_and_go_meanwhile(
    opened: Any, tmp_path: Path, models: dict[str, Turned], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingestion.maintenance.reindex, "BLOCK_CHUNKS", 1)
    late = tmp_path / "late.txt"
    late.write_text("A Bramley was planted late.")
    with opened() as library:
        changed = threading.Event()

        def change(_: ReindexProgress) -> None:
            if not changed.is_set():
                changed.set()
                library.delete(library.catalogue.find("harbour.md", (1,))[0])
                list(ingest(library, [late]))

        reindex(library, "turned", source="/models/a", on_progress=change)
        assert_whole(library)
        assert found(library, "mean@turned") == found(library, "mean")


# Codecs


@pytest.mark.parametrize("codec", ["int4", "int8-pool2", "int4-pool3"])
def test_tokens_are_converted_without_the_model(
    opened: Any, models: dict[str, Turned], tmp_path: Path, codec: str
) -> None:
    late = tmp_path / "late.txt"
    late.write_text("A Bramley was planted late.")
    with opened() as library:
        reindex(library, "turned", source="/models/a")
        calls = len(models["/models/a"].calls)
        result = reindex(library, "turned", codec=codec)
        assert (result.codec, result.documents, result.converted) == (codec, 2, 2)
        assert len(models["/models/a"].calls) == calls
        assert [one.codec for one in library.representations.all()] == ["int8", codec]
        for strategy in ("mean", "colbert", "cascade"):
            assert found(library, f"{strategy}@turned")[:1] == found(library, strategy)[:1]
        assert_whole(library)
        list(ingest(library, [late]))
        assert reindex(library, "turned").documents == 0
        assert reindex(library, "turned", codec=codec).documents == 0
    with opened() as again:
        assert_whole(again)
        document = next(d for d in again.catalogue.documents() if d.name == "late.txt")
        assert any(one.startswith(document.id) for one in found(again, "colbert@turned"))
        verified = verify(again)
        assert verified.ok
        # Back again needs the model.
        result = reindex(again, "turned", codec="int8")
        assert (result.documents, result.converted) == (3, 0)
        assert found(again, "colbert@turned") == found(again, "colbert")


def test_what_cannot_be_converted_is_encoded(opened: Any) -> None:
    with opened() as library:
        library.merger.wait()
        files = library.representations.documents(library.representation().id)
        harbour = next(d for d in library.catalogue.documents() if d.name == "harbour.md")
        path = library.folder / "tokens" / files[harbour.id]
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
        result = reindex(library, codec="int4")
        assert (result.documents, result.converted) == (2, 1)
        assert_whole(library)
        assert (reindex(library, codec="int4-nopunct").converted) == 0
        assert_whole(library)


def test_stopped_midway_a_conversion_goes_on(opened: Any) -> None:
    with opened() as library:
        calls: list[str] = []

        def cancelled() -> bool:
            calls.append("")
            return len(calls) > 1

        with pytest.raises(Cancelled):
            reindex(library, codec="int4", cancelled=cancelled)
        assert library.representation().record.codec == "int8"
        assert found(library, "colbert") != []
    with opened() as again:
        result = reindex(again, codec="int4")
        assert (result.documents, result.converted) == (1, 1)
        assert again.representation().record.codec == "int4"
        assert_whole(again)


def test_a_codec_needs_tokens(
    opened: Any, models: dict[str, Turned], monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened() as library:
        monkeypatch.setattr(models["/models/a"], "vector_kinds", frozenset({"mean"}), raising=False)
        with pytest.raises(InvalidInput, match="no token vectors for a codec"):
            reindex(library, "turned", source="/models/a", codec="int4")
