"""The reranker: a real CrossEncoder from a folder, beside every strategy."""

import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from ingestion.encoders import ComputeDevice, builtin_model_folder
from ingestion.errors import ModelError
from ingestion.library import Library
from ingestion.storage.catalogue.records import StoredChunk
from retrievers.hits import Candidate, Ranking, Side
from retrievers.reranking import CrossEncoderReranker, RerankLimits, rerank
from retrievers.search import search
from retrievers.shares import SHARE
from retrievers.strategies import STRATEGIES
from tests.helpers.devices import Pretended, look_into_no_mask, meta_device


def test_scores_are_those_of_sentence_transformers(cross_encoder_folder: Path) -> None:
    from sentence_transformers import CrossEncoder

    pairs = [("apples?", "The apple tree."), ("apples?", "The ferry sailed at noon.")]
    expected = CrossEncoder(str(cross_encoder_folder), device="cpu").predict(pairs)
    reranker = CrossEncoderReranker(str(cross_encoder_folder))
    assert reranker.score("apples?", [text for _, text in pairs]) == pytest.approx(
        expected.tolist(), abs=1e-5
    )
    assert reranker.score("apples?", []) == []


@pytest.mark.parametrize("name", STRATEGIES)
def test_hits_are_ordered_by_the_reranker_and_keep_their_first_scores(
    stocked: Library, cross_encoder_folder: Path, name: str
) -> None:
    reranker = CrossEncoderReranker("tiny", cross_encoder_folder)
    question = "When did the boat sail past the tree?"
    result = search(stocked, question, STRATEGIES[name], stocked.catalogue.scope(), reranker=reranker)
    assert result.reranker == "tiny"
    assert "rerank" in result.timings_ms
    assert len(result.hits) >= 2
    for hit in result.hits:
        (direct,) = reranker.score(question, [f"{hit.chunk.context}\n{hit.chunk.text}"])
        assert hit.score == hit.scores["cross_encoder"] == pytest.approx(direct, abs=1e-5)
        assert len(hit.scores) > 1
    assert [hit.score for hit in result.hits] == sorted((hit.score for hit in result.hits), reverse=True)


class Counting:
    """A reranker that likes best what comes last, and takes its time."""

    name = "counting"
    first_stage_weight = 0.0

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds
        self.read = 0

    def score(self, question: str, passages: Sequence[str]) -> list[float]:
        assert question
        time.sleep(self.seconds)
        first, self.read = self.read, self.read + len(passages)
        return [float(number) for number in range(first, self.read)]


def ranking(count: int) -> tuple[Ranking, dict[str, StoredChunk]]:
    candidates = tuple(
        Candidate(f"c{number:03}", 1.0 - number / count, {"s": 0.0}) for number in range(count)
    )
    chunks = {
        one.chunk_id: StoredChunk(one.chunk_id, "d", "d", "c", 0, 1, 0, 4, None, "", "text")
        for one in candidates
    }
    return Ranking(candidates, exact=True), chunks


@pytest.mark.parametrize(("depth", "count"), [(20, 30), (20, 20), (3, 30), (20, 5), (1, 1), (8, 9)])
def test_only_the_head_is_read_and_the_rest_keeps_its_order(depth: int, count: int) -> None:
    reranker = Counting()
    found, chunks = ranking(count)
    done = rerank("q", found, chunks, reranker, RerankLimits(depth))
    read = min(depth, count)
    assert reranker.read == read
    ids = [one.chunk_id for one in found.candidates]
    assert [one.chunk_id for one in done.candidates] == [*reversed(ids[:read]), *ids[read:]]
    assert ["cross_encoder" in one.scores for one in done.candidates] == [True] * read + [False] * (
        count - read
    )
    assert done.candidates[read:] == found.candidates[read:]


def test_a_slow_reranker_stops_between_two_batches() -> None:
    reranker = Counting(seconds=0.05)
    found, chunks = ranking(30)
    done = rerank("q", found, chunks, reranker, RerankLimits(30, seconds=0.01))
    assert reranker.read == 8  # the first ones are read in any case
    assert len(done.candidates) == 30


def test_a_folder_that_is_no_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"cannot be loaded.*--no-rerank"):
        CrossEncoderReranker(str(tmp_path)).score("q", ["p"])


def test_a_damaged_weight_file_is_a_model_that_cannot_be_loaded(
    tmp_path: Path, cross_encoder_folder: Path
) -> None:
    import shutil

    folder = shutil.copytree(cross_encoder_folder, tmp_path / "cut")
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:100])
    with pytest.raises(ModelError, match=r"cannot be loaded.*--no-rerank"):
        CrossEncoderReranker(str(folder)).score("q", ["p"])


def test_a_classifier_with_several_outputs_is_refused(tmp_path: Path, cross_encoder_folder: Path) -> None:
    import shutil

    from transformers import BertConfig, BertForSequenceClassification

    folder = shutil.copytree(cross_encoder_folder, tmp_path / "classifier")
    config = BertConfig(
        hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=64, num_labels=3
    )
    BertForSequenceClassification(config).save_pretrained(folder)
    with pytest.raises(ModelError, match="has 3 outputs"):
        CrossEncoderReranker(str(folder)).score("q", ["p"])


def test_an_embedder_is_no_reranker() -> None:
    with pytest.raises(ModelError, match=r"an encoder without a head that ranks \(BertModel\)"):
        CrossEncoderReranker(str(builtin_model_folder())).score("q", ["p"])


def test_sides_keep_their_turns_and_are_asked_alone() -> None:
    """The reranker likes one document more; the other one's passages stay among the first."""

    class Partial:
        name = "partial"
        first_stage_weight = 0.0
        asked: list[tuple[str, str]]

        def score(self, question: str, passages: Sequence[str]) -> list[float]:
            self.asked += [(question, passage) for passage in passages]
            return [10.0 * ("liked" in passage) - int(passage.split()[-1]) / 100 for passage in passages]

    sides = tuple(Side(one, f"What of {one}?", "What?", frozenset({one})) for one in ("liked", "other"))
    names = [f"{'liked' if number % 2 else 'other'}:1:{number}" for number in range(20)]
    chunks = {
        name: StoredChunk(
            name, name.split(":")[0], "d", "c", 0, 1, 0, 4, None, "", f"{name.split(':')[0]} {number}"
        )
        for number, name in enumerate(names)
    }
    first = Ranking(
        tuple(Candidate(name, 1.0, {"fused": 0.5, SHARE: 0.5}) for name in names), exact=False, sides=sides
    )
    reranker = Partial()
    reranker.asked = []
    found = rerank("What of both?", first, chunks, reranker, RerankLimits(depth=16)).candidates

    assert [one.chunk_id.split(":")[0] for one in found[:8]] == ["liked", "other"] * 4
    assert {one.chunk_id for one in found[8:16]} == {*names[:16]} - {one.chunk_id for one in found[:8]}
    assert [one.score for one in found[:16]] == sorted((one.score for one in found[:16]), reverse=True)
    assert found[0].scores == {"fused": 0.5, "cross_encoder": pytest.approx(9.99)}
    assert SHARE in found[1].scores  # lifted above the others of the liked document
    assert found[16:] == first.candidates[16:]
    assert len(reranker.asked) == 16
    assert all(question == f"What of {passage.split()[0]}?" for question, passage in reranker.asked)


def test_a_cross_encoder_computes_on_the_device(
    cross_encoder_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The meta device has no values, so that all ends where scores would be copied from it."""
    look_into_no_mask(monkeypatch)
    reranker = CrossEncoderReranker("tiny", cross_encoder_folder, meta_device())
    with pytest.raises(NotImplementedError, match="Cannot copy out of meta tensor"):
        reranker.score("apples?", ["The apple tree.", "The ferry."])


def test_a_device_that_is_not_here_is_said(cross_encoder_folder: Path) -> None:
    reranker = CrossEncoderReranker("tiny", cross_encoder_folder, ComputeDevice("cuda", Pretended()))
    with pytest.raises(ModelError, match=r"^device 'cuda' cannot be used: this machine has no cuda; "):
        reranker.score("apples?", ["The apple tree."])
