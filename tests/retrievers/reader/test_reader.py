"""The built-in reader: its network against the encoder's own layers and cases computed by hand."""

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file

from ingestion.encoders import builtin_model_folder
from ingestion.encoders.device import Placement
from ingestion.errors import ModelError
from ingestion.library import Library
from ingestion.storage.catalogue.records import StoredChunk
from ingestion.text.sentences import sentence_spans
from rag_app.model_store import read_manifest, reranker_named, resolve
from retrievers.fusion import standardised
from retrievers.reader import FIRST_STAGE_WEIGHT, BuiltinReader, Wordpieces, weights_path
from retrievers.reader.dimensions import DIMENSION, LOWER_LAYERS
from retrievers.reader.network import ReaderNetwork, TorchReader
from retrievers.reader.reading import Reading
from retrievers.reranking import CrossEncoderReranker, passage_text
from retrievers.search import search
from retrievers.strategies import STRATEGIES
from tests.helpers.devices import META, OnlyMeta, meta_device

pytestmark = pytest.mark.slow

QUESTION = "When did the ferry sail?"
PASSAGES = ["The ferry sailed at noon on Monday.", "Apples grow on trees. " * 40, "Ferries are ships.", "x"]


@pytest.fixture(scope="module")
def untrained() -> ReaderNetwork:
    return ReaderNetwork(builtin_model_folder()).eval()


@pytest.fixture(scope="module")
def reranker() -> BuiltinReader:
    return BuiltinReader()


def test_layers_are_the_encoders(untrained: ReaderNetwork) -> None:
    from transformers import AutoModel

    model = AutoModel.from_pretrained(builtin_model_folder(), local_files_only=True).eval()
    texts = [one.ids for one in Wordpieces(builtin_model_folder())([QUESTION, *PASSAGES])]
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
    network = ReaderNetwork(builtin_model_folder()).eval()
    network.upper = torch.nn.ModuleList()
    edge = axis(9, 9, 9)  # [CLS] and [SEP], which would match anything
    question = torch.tensor([edge, axis(1), axis(0, 2), edge])
    passages = [
        torch.tensor([edge, axis(3), axis(0, 0, 1), edge]),  # 1 and 0
        torch.tensor([edge, axis(1, 1), edge]),  # twice cos 45°
    ]
    with torch.inference_mode():
        read = network([question, question], passages)
    assert read.relevance.tolist() == pytest.approx([20 * 0.5, 20 * math.sqrt(0.5)], abs=1e-5)


def test_a_score_does_not_depend_on_its_neighbours(reranker: BuiltinReader) -> None:
    together = reranker.score(QUESTION, PASSAGES)
    alone = BuiltinReader()  # which has read nothing yet
    assert together == pytest.approx([alone.score(QUESTION, [one])[0] for one in PASSAGES], abs=1e-3)
    assert BuiltinReader().score(QUESTION, PASSAGES[::-1]) == pytest.approx(together[::-1], abs=1e-3)
    assert together[0] == max(together)


def test_training_changed_the_upper_layers_and_nothing_else(untrained: ReaderNetwork) -> None:
    shipped = load_file(weights_path())
    assert shipped.keys() == untrained.tuned().keys()
    assert all(value.dtype == torch.float16 for value in shipped.values())
    assert weights_path().stat().st_size < 12_000_000
    changed = [
        name for name, value in untrained.tuned().items() if (value - shipped[name]).abs().max() > 1e-3
    ]
    for part in ("upper.0.", "upper.1.", "upper.2.", "answers.", "marks."):
        assert any(name.startswith(part) for name in changed)


@pytest.mark.parametrize("passages", [[], [""], ["word " * 1000], ["", "\x00 \ufffd", "日本"]])
def test_any_text_has_a_score(reranker: BuiltinReader, passages: list[str]) -> None:
    for question in (QUESTION, "?", "", "why " * 600):
        scores = reranker.score(question, passages)
        assert len(scores) == len(passages)
        assert all(math.isfinite(score) for score in scores)


def chunk(text: str, context: str = "") -> StoredChunk:
    return StoredChunk("a:0", "a", "a.pdf", "default", 0, 1, 100, 100 + len(text), None, context, text)


FERRY = "The ferry was built in Hamburg. It sailed for the first time on 4 May 1931. Tickets cost two marks."


def test_it_says_whether_and_where_a_passage_answers(reranker: BuiltinReader) -> None:
    passages = [chunk(FERRY, "Harbour › The ferry"), chunk("Apples grow on trees.", "Harbour › The ferry")]
    found, other = reranker.read("When did the ferry sail for the first time?", passages)
    assert found.answers > other.answers
    assert found.relevance > other.relevance
    spans = [(one.start, one.end) for one in sentence_spans(FERRY)]
    ((_, sailed, _),) = reranker.read_sentences(
        "When did the ferry sail for the first time?", [(passages[0], spans)]
    )
    assert sailed.answers > 0.5
    assert found.span is not None
    assert spans[1][0] <= found.span.start < found.span.end <= spans[1][1]
    assert 0 < found.span.probability <= 1


def test_tokens_are_those_of_the_text(reranker: BuiltinReader) -> None:
    (found,) = reranker.read(QUESTION, [chunk(FERRY, "Harbour › The ferry")])
    assert len(found.tokens) == len(found.in_answer)
    words = [FERRY[start:end] for start, end in found.tokens]
    assert words[:3] == ["The", "ferry", "was"]
    assert "".join(words) == FERRY.replace(" ", "")
    assert found.sentence(0, 0) is None
    (empty,) = reranker.read(QUESTION, [chunk("", "Harbour")])
    assert (empty.span, len(empty.tokens)) == (None, 0)


def test_what_was_read_is_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, read = BuiltinReader(), list[tuple[str, str]]()
    real = reader._network_readings

    def noted(question: str, passages: Sequence[tuple[str, str]]) -> list[Reading]:
        read.extend((question, text) for _, text in passages)
        return real(question, passages)

    monkeypatch.setattr(reader, "_network_readings", noted)
    passages = [chunk(text) for text in PASSAGES]
    scores = reader.score(QUESTION, [passage_text(one) for one in passages])
    assert read == [(QUESTION, text) for text in PASSAGES]
    found = reader.read(QUESTION, [*passages, chunk(FERRY)])
    assert [one.relevance for one in found][:-1] == scores
    assert reader.read(QUESTION, [*passages, chunk(FERRY)]) == found
    assert len(read) == len(set(read))
    reader.read("Another question?", passages[:1])
    assert ("Another question?", PASSAGES[0]) in read


def test_sentences_are_read_on_their_own(reranker: BuiltinReader) -> None:
    question = "When did the ferry sail for the first time?"
    passage, other = chunk(FERRY), chunk("Apples grow on trees.")
    built, sailed, cost = [(one.start, one.end) for one in sentence_spans(FERRY)]
    read, none, apples = reranker.read_sentences(
        question, [(passage, [built, sailed, cost]), (passage, []), (other, [(0, 21)])]
    )
    assert [(one.start, one.end) for one in read] == [built, sailed, cost]
    assert none == ()
    assert max(*read, *apples, key=lambda one: one.answers) == read[1]
    reading = replace(reranker.read(question, [passage])[0], sentences=read)
    assert [reading.sentence(*span) for span in (built, sailed, cost)] == [one.answers for one in read]
    assert reading.sentence(sailed[0] + 3, sailed[1] - 3) == read[1].answers
    # "It" is the ferry, also where the sentence before is not read.
    ((alone,),) = reranker.read_sentences(question, [(passage, [sailed])])
    assert alone == read[1]


@pytest.mark.parametrize("name", STRATEGIES)
def test_the_first_stage_counts(stocked: Library, reranker: BuiltinReader, name: str) -> None:
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
    (entry,) = [one for one in read_manifest() if (one.role, one.name) == ("reranker", BuiltinReader.name)]
    assert entry.download_mb == 0
    assert resolve("builtin", role="reranker") == weights_path()
    monkeypatch.chdir(tmp_path)
    (tmp_path / "builtin").mkdir()  # a folder of the name is not what is meant
    assert isinstance(reranker_named("builtin"), BuiltinReader)
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
        BuiltinReader().score("q", ["p"])


def test_nothing_is_more_than_equal() -> None:
    assert standardised([]) == []
    assert standardised([0.1, 0.1, 0.1]) == [0.0, 0.0, 0.0]  # whose mean is not .1, when rounded
    assert standardised([1.0, 3.0]) == [-1.0, 1.0]


def tuned_weights() -> dict[str, NDArray[np.float32]]:
    return {name: value.float().numpy() for name, value in load_file(weights_path()).items()}


def test_the_network_computes_on_the_device_alone() -> None:
    reader = TorchReader(builtin_model_folder(), tuned_weights(), Placement(META, "no memory"))
    with OnlyMeta() as operations:
        read = reader.readings([101, 5, 102], [[101, 7, 8, 102], [101, 9, 102]])
    assert operations.count > 100
    assert {one.device.type for one in read} == {META}
    assert (read.relevance.shape, read.marks.shape) == ((2,), (2, 4, 3))
    with pytest.raises(NotImplementedError, match="Cannot copy out of meta tensor"):
        BuiltinReader(meta_device()).score(QUESTION, PASSAGES)


def test_torch_reads_as_openvino_does() -> None:
    pytest.importorskip("openvino")
    from retrievers.reader.graph import OpenVinoReader

    question, *passages = (one.ids for one in Wordpieces(builtin_model_folder())([QUESTION, *PASSAGES]))
    readers = TorchReader, OpenVinoReader
    found = [reader(builtin_model_folder(), tuned_weights())(question, passages) for reader in readers]
    for (relevance, answers, marks), other in zip(*found, strict=True):
        assert (relevance, answers) == pytest.approx(other[:2], abs=1e-3)
        # Numbers near -1e9 stand before and behind the words.
        np.testing.assert_allclose(marks[1:-1], other[2][1:-1], atol=1e-3)


def test_texts_of_like_length_are_read_together() -> None:
    from retrievers.reader.graph import alike

    assert alike([]) == []
    assert alike([200, 30, 33, 20, 17, 256, 256, 256]) == [[4, 3, 1, 2], [0], [5, 6], [7]]
    lengths = [16] * 100
    batches = alike(lengths)
    assert [len(one) for one in batches] == [32, 32, 32, 4]
    assert sorted(place for one in batches for place in one) == list(range(100))
