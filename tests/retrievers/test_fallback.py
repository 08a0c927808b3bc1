"""Documents whose token vectors are damaged: found by their single vectors until they are repaired."""

import hashlib
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ingestion.documents import Chunk, Page, ParsedDocument, Status
from ingestion.encoders import Encoder
from ingestion.errors import LibraryDamaged
from ingestion.library import Library
from ingestion.maintenance import repair
from ingestion.storage.catalogue.records import Document, Scope
from ingestion.storage.originals import Source
from ingestion.storage.segment_merging import Merger
from ingestion.storage.tokens.segment import Segment
from ingestion.storage.vectors.exact import VectorScan
from rag_app.answering.evidence.prompt_context import pack
from retrievers.availability import strategy_states
from retrievers.search import SearchResult, search
from retrievers.strategies import STRATEGIES, strategy_named

TEXTS = {
    "apples": "The Bramley apple tree stands by the north wall. It was planted in 1921 by Ada Finch.",
    "pears": "The Conference pear ripens in October and keeps until January in a cool cellar.",
    "tides": "High water at the pier was 4.2 metres on 3 March 1987. The ferry sailed at noon.",
    "crane": "The crane's cable was replaced after it broke in May. Nobody was hurt.",
    "bees": "Twelve hives stand in the orchard; the honey is taken in August.",
    "lamp": "The lighthouse burned oil until electric light came in 1908.",
    "bread": "Bread is baked before dawn, with rye from the mill on the hill.",
    "train": "The last train leaves the valley at a quarter past eleven.",
    "choir": "The choir sings in the old chapel every second Sunday of the month.",
    "wolves": "Wolves were seen in the forest again after a hundred years.",
    "bridge": "A stone bridge of three arches crosses the river below the castle.",
    "glass": "Blue glass was blown here from Venetian recipes.",
}
QUESTION = "When was the cable of the crane replaced?"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Path:
    """The folder of a closed library with a dozen documents of one chunk, each in a segment of its own."""
    folder = tmp_path_factory.mktemp("shelf")
    with pytest.MonkeyPatch.context() as patch, Library.open(folder / "library", encoder) as library:
        patch.setattr(Merger, "wake", lambda _: None)
        for name, text in TEXTS.items():
            parsed = ParsedDocument(Status.OK, page_count=1, pages=(Page(1, text),))
            chunks = [Chunk(0, 1, 0, len(text), text, None, name)]
            encodings = encoder.encode([c.text for c in chunks], [c.context for c in chunks])
            file = folder / f"{name}.txt"
            file.write_text(text, "utf-8")
            source = Source(str(file), file.name, hashlib.sha256(text.encode()).hexdigest(), len(text), file)
            library.add(1, source, parsed, chunks, {library.representation().id: encodings}, language="en")
    return folder / "library"


@pytest.fixture
def shelf(
    template: Path, tmp_path: Path, encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Library]:
    """A copy of that library, open."""
    monkeypatch.setattr(Merger, "wake", lambda _: None)
    with Library.open(shutil.copytree(template, tmp_path / "library"), encoder) as library:
        yield library


def named(library: Library, name: str) -> Document:
    return next(one for one in library.catalogue.documents() if one.name == f"{name}.txt")


def ask(library: Library, strategy: str, scope: Scope | None = None, top_k: int = 10) -> SearchResult:
    scope = scope or library.catalogue.scope()
    return search(library, QUESTION, strategy_named(strategy), scope, top_k=top_k)


def names(result: SearchResult) -> list[str]:
    return [Path(hit.chunk.document).stem for hit in result.hits]


def truncate(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-200])


def corrupt(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[data.index(Segment(file).codes.tobytes())] ^= 1
    file.write_bytes(data)


DAMAGES: list[Callable[[Path], None]] = [Path.unlink, truncate, corrupt]


@pytest.mark.slow
@pytest.mark.parametrize("strategy", ["colbert", "cascade"])
@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_a_damaged_document_is_found_by_its_single_vectors(
    shelf: Library, encoder: Encoder, strategy: str, damage: Callable[[Path], None]
) -> None:
    before = ask(shelf, strategy)
    assert names(before)[0] == "crane"
    crane = named(shelf, "crane")
    (segment,) = shelf.segments(Scope((1,), frozenset({crane.id})))
    shelf.close()
    damage(shelf.folder / "tokens" / segment)
    with Library.open(shelf.folder, encoder) as library:
        found = ask(library, strategy)
        assert names(found)[0] == "crane"
        assert found.exact is False
        (estimate, *others), (true, *same) = found.hits, before.hits
        assert abs(estimate.score - true.score) < 0.25 * true.score
        scores = {hit.chunk.id: hit.score for hit in same}
        assert others
        assert all(hit.score == scores[hit.chunk.id] for hit in others)
        (told,) = library.damaged()
        assert "crane.txt" in str(told)
        # By itself it is found as well, and where it is out of scope nothing stands in for it.
        assert names(ask(library, strategy, Scope((1,), frozenset({crane.id})))) == ["crane"]
        rest = frozenset(one.id for one in library.catalogue.documents()) - {crane.id}
        assert set(names(ask(library, strategy, Scope((1,), rest), 20))) == TEXTS.keys() - {"crane"}
        assert repair(library).ok
        assert library.damaged() == []
        assert [(h.chunk.id, h.score) for h in ask(library, strategy).hits] == [
            (hit.chunk.id, hit.score) for hit in before.hits
        ]


def test_few_documents_leave_the_estimate_to_the_cosine(shelf: Library, encoder: Encoder) -> None:
    """No line can be drawn through fewer passages than eight."""
    crane = named(shelf, "crane")
    for document in shelf.catalogue.documents():
        if document.name not in ("crane.txt", "tides.txt"):
            shelf.delete(document)
    (segment,) = shelf.segments(Scope((1,), frozenset({crane.id})))
    shelf.close()
    truncate(shelf.folder / "tokens" / segment)
    with Library.open(shelf.folder, encoder) as library:
        found = ask(library, "colbert")
        assert names(found) == ["crane", "tides"]
        cosine = ask(library, "mean").hits[0].score
        assert found.hits[0].score == pytest.approx(cosine * len(encoder.encode_query(QUESTION).tokens))


def test_evidence_of_a_damaged_document_is_encoded_again(shelf: Library, encoder: Encoder) -> None:
    """The sentences that are kept are those that its vectors would have kept."""
    before = pack(shelf, ask(shelf, "mean"), budget=1000, count_tokens=lambda text: len(text.split()))
    (segment,) = shelf.segments(Scope((1,), frozenset({named(shelf, "crane").id})))
    shelf.close()
    truncate(shelf.folder / "tokens" / segment)
    with Library.open(shelf.folder, encoder) as library:
        packed = pack(library, ask(library, "mean"), budget=1000, count_tokens=lambda text: len(text.split()))
        assert [item.text for item in packed.evidence] == [item.text for item in before.evidence]
        assert packed.relevance == pytest.approx(before.relevance, abs=0.02)
        for item, same in zip(packed.evidence, before.evidence, strict=True):
            for sentence, known in zip(item.sentences, same.sentences, strict=True):
                assert (sentence.start, sentence.end) == (known.start, known.end)
                assert sentence.score == pytest.approx(known.score, abs=0.02)


@pytest.fixture
def without_chroma(template: Path, tmp_path: Path) -> Path:
    """A library whose files of Chroma are damaged."""
    folder = shutil.copytree(template, tmp_path / "without-chroma")
    for file in (folder / "chroma").glob("*/header.bin"):
        file.write_bytes(file.read_bytes()[:40])
    return folder


def test_every_strategy_goes_on_without_chroma(
    without_chroma: Path, shelf: Library, encoder: Encoder
) -> None:
    with Library.open(without_chroma, encoder) as library:
        for strategy in STRATEGIES:
            found, whole = ask(library, strategy), ask(shelf, strategy)
            assert names(found) == names(whole)
            assert [hit.score for hit in found.hits] == [hit.score for hit in whole.hits]
        with pytest.raises(LibraryDamaged, match=r"header\.bin"):
            library.vectors.names()
        assert library.damaged()
        assert all(state.available and state.reason is None for state in strategy_states(library))


def test_strategies_without_chroma_go_on_where_its_files_are_damaged(
    without_chroma: Path, encoder: Encoder
) -> None:
    with Library.open(without_chroma, encoder) as library:
        library.scan = VectorScan(most=1)  # as in a library of more chunks than are compared
        for strategy in ("mean", "fusion"):
            with pytest.raises(LibraryDamaged, match=r"header\.bin .* colbert and bm25 .* rag-app repair"):
                ask(library, strategy)
        for strategy in ("bm25", "colbert"):
            assert names(ask(library, strategy))[0] == "crane"
        unusable = {state.strategy.name: state.reason for state in strategy_states(library) if state.reason}
        assert unusable.keys() == {"cls", "mean", "hybrid", "cascade", "fusion", "documents-first"}
        assert all("rag-app repair" in reason for reason in unusable.values())
        assert [str(fault) for fault in library.damaged()] == [unusable["mean"]]
        assert repair(library).ok
        assert library.damaged() == []
        assert names(ask(library, "fusion"))[0] == "crane"
        assert all(state.available for state in strategy_states(library))
