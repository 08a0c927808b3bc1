"""The built-in reranker: its network against the encoder's own layers and cases computed by hand."""

import math
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from ingestion.encoders import builtin_model_folder
from ingestion.errors import ModelError
from ingestion.library import Library
from rag_app.model_store import read_manifest, reranker_named, resolve
from retrievers.fusion import standardised
from retrievers.reader import FIRST_STAGE_WEIGHT, BuiltinReranker, Wordpieces, weights_path
from retrievers.reader.network import DIMENSION, LOWER_LAYERS, RerankerNetwork
from retrievers.reranking import CrossEncoderReranker, passage_text
from retrievers.search import search
from retrievers.strategies import STRATEGIES

pytestmark = pytest.mark.slow

QUESTION = "When did the ferry sail?"
PASSAGES = ["The ferry sailed at noon on Monday.", "Apples grow on trees. " * 40, "Ferries are ships.", "x"]


@pytest.fixture(scope="module")
def untrained() -> RerankerNetwork:
    return RerankerNetwork(builtin_model_folder()).eval()


@pytest.fixture(scope="module")
def reranker() -> BuiltinReranker:
    return BuiltinReranker()


def test_layers_are_the_encoders(untrained: RerankerNetwork) -> None:
    from transformers import AutoModel

    model = AutoModel.from_pretrained(builtin_model_folder(), local_files_only=True).eval()
    texts = Wordpieces(builtin_model_folder())([QUESTION, *PASSAGES])
    for ids, state in zip(texts, untrained.read(texts), strict=True):
        with torch.inference_mode():
            expected = model(torch.tensor([ids]), output_hidden_states=True).hidden_states
            torch.testing.assert_close(state, expected[LOWER_LAYERS][0], atol=2e-5, rtol=0)
            hidden = state[None]
            for layer in untrained.upper:
                hidden = layer(hidden)
            torch.testing.assert_close(hidden, expected[-1], atol=2e-5, rtol=0)


def axis(*weights: float) -> list[float]:
    return [*weights, *[0.0] * (DIMENSION - len(weights))]


def test_maxsim_by_hand() -> None:
    network = RerankerNetwork(builtin_model_folder()).eval()
    network.upper = torch.nn.ModuleList()
    edge = axis(9, 9, 9)  # [CLS] and [SEP], which would match anything
    question = torch.tensor([edge, axis(1), axis(0, 2), edge])
    passages = [
        torch.tensor([edge, axis(3), axis(0, 0, 1), edge]),  # 1 and 0
        torch.tensor([edge, axis(1, 1), edge]),  # twice cos 45°
    ]
    with torch.inference_mode():
        scores = network([question, question], passages)
    assert scores.tolist() == pytest.approx([20 * 0.5, 20 * math.sqrt(0.5)], abs=1e-5)


def test_a_score_does_not_depend_on_its_neighbours(reranker: BuiltinReranker) -> None:
    together = reranker.score(QUESTION, PASSAGES)
    assert together == pytest.approx([reranker.score(QUESTION, [one])[0] for one in PASSAGES], abs=1e-3)
    assert reranker.score(QUESTION, PASSAGES[::-1]) == pytest.approx(together[::-1], abs=1e-3)
    assert together[0] == max(together)


def test_training_changed_the_upper_layers_and_nothing_else(untrained: RerankerNetwork) -> None:
    shipped = load_file(weights_path())
    assert shipped.keys() == untrained.tuned().keys()
    assert all(value.dtype == torch.float16 for value in shipped.values())
    assert weights_path().stat().st_size < 10_000_000
    changed = [
        name for name, value in untrained.tuned().items() if (value - shipped[name]).abs().max() > 1e-3
    ]
    assert any(name.startswith("upper.0.") for name in changed)
    assert any(name.startswith("upper.1.") for name in changed)


@pytest.mark.parametrize("passages", [[], [""], ["word " * 1000], ["", "\x00 \ufffd", "日本"]])
def test_any_text_has_a_score(reranker: BuiltinReranker, passages: list[str]) -> None:
    for question in (QUESTION, "?", "", "why " * 600):
        scores = reranker.score(question, passages)
        assert len(scores) == len(passages)
        assert all(math.isfinite(score) for score in scores)


@pytest.mark.parametrize("name", STRATEGIES)
def test_the_first_stage_counts(stocked: Library, reranker: BuiltinReranker, name: str) -> None:
    scope = stocked.catalogue.scope()
    plain = search(stocked, QUESTION, STRATEGIES[name], scope, top_k=20)
    first = dict(
        zip(
            [hit.chunk.id for hit in plain.hits],
            standardised([hit.score for hit in plain.hits]),
            strict=True,
        )
    )
    done = search(stocked, QUESTION, STRATEGIES[name], scope, reranker=reranker, top_k=20)
    assert done.reranker == "builtin"
    assert {hit.chunk.id for hit in done.hits} == set(first)
    for hit in done.hits:
        (own,) = reranker.score(QUESTION, [passage_text(hit.chunk)])
        assert hit.scores["cross_encoder"] == pytest.approx(own, abs=1e-3)
        assert hit.score == pytest.approx(
            hit.scores["cross_encoder"] + FIRST_STAGE_WEIGHT * first[hit.chunk.id], abs=1e-6
        )
    assert [hit.score for hit in done.hits] == sorted((hit.score for hit in done.hits), reverse=True)


def test_it_has_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (entry,) = [one for one in read_manifest() if (one.role, one.name) == ("reranker", BuiltinReranker.name)]
    assert entry.download_mb == 0
    assert resolve("builtin", role="reranker") == weights_path()
    monkeypatch.chdir(tmp_path)
    (tmp_path / "builtin").mkdir()  # a folder of the name is not what is meant
    assert isinstance(reranker_named("builtin"), BuiltinReranker)
    assert isinstance(reranker_named(str(tmp_path)), CrossEncoderReranker)


@pytest.mark.parametrize("damage", ["missing", "cut", "other"])
def test_damaged_weights_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str) -> None:
    file = tmp_path / "weights.safetensors"
    if damage == "cut":
        file.write_bytes(weights_path().read_bytes()[:1000])
    if damage == "other":
        save_file({"x": torch.zeros(1)}, file)
    monkeypatch.setattr("retrievers.reader.weights_path", lambda: file)
    with pytest.raises(ModelError, match=r"weights\.safetensors .*install the application again"):
        BuiltinReranker().score("q", ["p"])


def test_nothing_is_more_than_equal() -> None:
    assert standardised([]) == []
    assert standardised([0.1, 0.1, 0.1]) == [0.0, 0.0, 0.0]  # whose mean is not .1, when rounded
    assert standardised([1.0, 3.0]) == [-1.0, 1.0]
