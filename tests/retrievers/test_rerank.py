"""The reranker: a real CrossEncoder from a folder, beside every strategy."""

from pathlib import Path

import pytest

from ingestion.encoders import builtin_model_folder
from ingestion.errors import ModelError
from ingestion.library import Library
from retrievers.rerank import CrossEncoderReranker
from retrievers.search import search
from retrievers.strategies import STRATEGIES


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
    question = "When did the ferry sail?"
    result = search(stocked, question, STRATEGIES[name], stocked.catalogue.scope(), reranker=reranker)
    assert result.reranker == "tiny"
    assert "rerank" in result.timings_ms
    for hit in result.hits:
        (direct,) = reranker.score(question, [f"{hit.chunk.context}\n{hit.chunk.text}"])
        assert hit.score == hit.scores["cross_encoder"] == pytest.approx(direct, abs=1e-5)
        assert len(hit.scores) > 1
    assert [hit.score for hit in result.hits] == sorted((hit.score for hit in result.hits), reverse=True)


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
