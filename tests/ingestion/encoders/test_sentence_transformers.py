"""Other models, against what sentence-transformers itself makes of the same checkpoint.

The checkpoints are tiny and untrained, but whole: written to disk and loaded again.
"""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from ingestion.encoders import load_encoder
from ingestion.errors import Cancelled, ModelError
from tests.helpers.devices import look_into_no_mask, meta_device

TEXTS = ["The red apple falls.", "pear", "", "An apple, a pear; and a very old red tree by the wall! " * 3]
WORDS = "the a an red apple pear tree falls old by wall and very where is it of ##s . , ; ! ?"
HIDDEN = 32


@pytest.fixture
def bert(tmp_path: Path) -> Path:
    """A folder with a BERT of two layers and its tokenizer."""
    import torch
    from transformers import BertConfig, BertModel, BertTokenizer

    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS.split(), *"abcdefghijklmnopqrstuvwxyz"]
    tokenizer = BertTokenizer(vocab={word: i for i, word in enumerate(vocabulary)}, model_max_length=24)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=HIDDEN,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=64,
        initializer_range=0.5,
    )
    folder = tmp_path / "bert"
    BertModel(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture
def bi_encoder(bert: Path, tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a SentenceTransformer with that pooling."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.base.modules import Normalize, Transformer
    from sentence_transformers.sentence_transformer.modules import Pooling

    def write(pooling: str, prompts: dict[str, str] | None = None) -> Path:
        modules = [Transformer(str(bert)), Pooling(HIDDEN, pooling), Normalize()]
        folder = tmp_path / f"bi-{pooling}"
        SentenceTransformer(modules=modules, prompts=prompts, device="cpu").save(str(folder))
        return folder

    return write


@pytest.fixture
def colbert(bert: Path, tmp_path: Path) -> Path:
    """A ColBERT with markers, query expansion and a skip list."""
    import torch
    from sentence_transformers import MultiVectorEncoder
    from sentence_transformers.base.modules import Dense, Normalize, Transformer
    from sentence_transformers.multi_vector_encoder.modules import MultiVectorMask

    torch.manual_seed(1)
    dense = Dense(
        HIDDEN, 16, bias=False, activation_function=torch.nn.Identity(), module_input_name="token_embeddings"
    )
    modules = [
        Transformer(
            str(bert),
            document_length=24,
            query_expansion={"strategy": "fixed", "attend": False, "length": 12},
        ),
        dense,
        MultiVectorMask(skiplist_words=[".", ",", ";", "!"]),
        Normalize(module_input_name="token_embeddings"),
    ]
    folder = tmp_path / "colbert"
    prompts = {"query": "where ", "document": "it is "}
    MultiVectorEncoder(modules=modules, prompts=prompts, device="cpu").save(str(folder))
    return folder


def cosines(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float32]:
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    return np.asarray((one * other).sum(axis=1) / lengths)


@pytest.mark.parametrize(("pooling", "reading"), [("cls", "cls"), ("mean", "mean"), ("lasttoken", "mean")])
def test_a_bi_encoder_pools_as_its_checkpoint_says(
    bi_encoder: Callable[..., Path], pooling: str, reading: str
) -> None:
    from sentence_transformers import SentenceTransformer

    folder = bi_encoder(pooling)
    encoder, theirs = load_encoder(folder), SentenceTransformer(str(folder), device="cpu")
    assert encoder.vector_kinds == {reading}
    assert (encoder.dimension, encoder.token_dimension, encoder.scales) == (HIDDEN, 0, None)
    encodings = encoder.encode(TEXTS)
    pooled, other = (getattr(encodings, name) for name in (reading, {"cls": "mean", "mean": "cls"}[reading]))
    assert cosines(pooled, theirs.encode(TEXTS)).min() > 0.9999
    np.testing.assert_allclose(np.linalg.norm(pooled, axis=1), 1, atol=1e-5)
    assert other.shape == (len(TEXTS), 0)
    assert encodings.tokens.shape == (0, 0)
    assert not encodings.offsets.any()
    assert len(encodings) == len(encodings.offsets) - 1 == len(TEXTS)


def test_a_bi_encoders_own_prompts_are_used(bi_encoder: Callable[..., Path]) -> None:
    from sentence_transformers import SentenceTransformer

    folder = bi_encoder("mean", {"query": "where is ", "document": "the "})
    encoder, theirs = load_encoder(folder), SentenceTransformer(str(folder), device="cpu")
    passages = encoder.encode(["apple", "tree"], ["old", ""]).mean
    assert cosines(passages, theirs.encode(["the old\napple", "the tree"], prompt="")).min() > 0.9999
    query = encoder.encode_query("apple").mean
    assert cosines(query, theirs.encode(["where is apple"], prompt="")).min() > 0.9999
    assert cosines(query, encoder.encode(["apple"]).mean).max() < 0.999
    # The tokenizer's 24, less the prompt's word.
    assert encoder.max_tokens == 23


def maxsim(query: NDArray[np.float32], passage: NDArray[np.float32]) -> float:
    return float((query @ passage.T).max(axis=1).sum())


def test_a_colbert_scores_as_in_sentence_transformers(colbert: Path) -> None:
    from sentence_transformers import MultiVectorEncoder

    encoder, theirs = load_encoder(colbert), MultiVectorEncoder(str(colbert), device="cpu")
    assert encoder.vector_kinds == {"tokens"}
    assert (encoder.dimension, encoder.token_dimension) == (0, 16)
    encodings, query = encoder.encode(TEXTS), encoder.encode_query("red pear?")
    assert encodings.cls.shape == encodings.mean.shape == (len(TEXTS), 0)
    assert len(query.tokens) == 12  # expanded
    expected = theirs.similarity(theirs.encode_query(["red pear?"]), theirs.encode_document(TEXTS))[0].numpy()
    ours = [maxsim(query.tokens, encodings.part(i, i + 1).tokens) for i in range(len(TEXTS))]
    np.testing.assert_allclose(ours, expected, atol=1e-4)


def test_a_colberts_tokens_know_their_place(colbert: Path) -> None:
    encodings = load_encoder(colbert).encode([TEXTS[0], TEXTS[0]], ["", "pear"])
    words = [
        [TEXTS[0][a:b] for a, b in encodings.part(i, i + 1).spans if b > a] for i in range(len(encodings))
    ]
    # The full stop is in the skip list; markers, prompt and context have no place in the text.
    assert words == [["The", "red", "apple", "falls"]] * 2
    # [CLS] it is … [SEP], and behind a context also "pear".
    assert list(np.diff(encodings.offsets)) == [8, 9]


@pytest.mark.slow
def test_scales_are_the_models_alone(colbert: Path) -> None:
    first, second = load_encoder(colbert), load_encoder(colbert)
    second.encode(TEXTS)
    assert first.scales is not None
    assert first.scales.shape == (16,)
    np.testing.assert_array_equal(first.scales, second.scales)
    assert 0 < first.scales.min() <= first.scales.max() <= 1.001 / 127


def test_a_pylate_checkpoint_is_a_colbert(colbert: Path) -> None:
    settings = colbert / "config_sentence_transformers.json"
    expected = load_encoder(colbert).encode_query("red pear").tokens
    # As PyLate writes it: markers and lengths at the top, and a plain list of modules.
    old = json.loads(settings.read_text("utf-8")) | {
        "model_type": "ColBERT",
        "query_prefix": "where ",
        "document_prefix": "it is ",
        "query_length": 12,
        "document_length": 24,
        "do_query_expansion": True,
        "attend_to_expansion_tokens": False,
        "prompts": {},
    }
    settings.write_text(json.dumps(old), "utf-8")
    modules = json.loads((colbert / "modules.json").read_text("utf-8"))[:2]
    modules[1]["type"] = "pylate.models.Dense.Dense"
    (colbert / "modules.json").write_text(json.dumps(modules), "utf-8")
    encoder = load_encoder(colbert)
    assert encoder.vector_kinds == {"tokens"}
    assert cosines(encoder.encode_query("red pear").tokens, expected).min() > 0.9999


def test_offsets_are_the_tokenizers(bi_encoder: Callable[..., Path]) -> None:
    assert load_encoder(bi_encoder("cls")).offsets("red trees") == [(0, 3), (4, 8), (8, 9)]


def test_copies_progress_and_cancel(bi_encoder: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingestion.encoders.batches.BATCH_TOKENS", 1)
    encoder = load_encoder(bi_encoder("mean"))
    seen: list[tuple[int, int]] = []
    encodings = encoder.encode(
        ["red apple", "pear", "red apple"], on_progress=lambda *done: seen.append(done)
    )
    assert seen == [(2, 3), (3, 3)]
    np.testing.assert_array_equal(encodings.mean[0], encodings.mean[2])
    with pytest.raises(Cancelled):
        encoder.encode(["red", "pear"], cancelled=lambda: True)
    assert encoder.encode([]).mean.shape == (0, HIDDEN)


def test_the_fingerprint_is_of_what_decides(bi_encoder: Callable[..., Path]) -> None:
    folder = bi_encoder("mean")
    before = load_encoder(folder).fingerprint
    (folder / "README.md").write_text("another read-me", "utf-8")
    (folder / "onnx").mkdir()
    (folder / "onnx" / "config.json").write_text("{}", "utf-8")
    assert load_encoder(folder).fingerprint == before
    pooling = folder / "1_Pooling" / "config.json"
    pooling.write_text(pooling.read_text("utf-8").replace("mean", "cls"), "utf-8")
    assert load_encoder(folder).fingerprint != before


def test_what_is_no_encoder_is_refused(bert: Path, tmp_path: Path, bi_encoder: Callable[..., Path]) -> None:
    def refused(source: Path | str, reason: str) -> None:
        with pytest.raises(ModelError, match=reason):
            load_encoder(source)

    refused(tmp_path / "nowhere", "there is no model .*nowhere.* on this machine")
    refused("nobody/no-such-model", "there is no model 'nobody/no-such-model' on this machine")
    (tmp_path / "chat.gguf").write_bytes(b"GGUF")
    refused(tmp_path / "chat.gguf", r"chat\.gguf is a chat model")
    (tmp_path / "empty").mkdir()
    refused(tmp_path / "empty", r"holds no model.*give the folder")
    (tmp_path / "empty" / "m.gguf").write_bytes(b"GGUF")
    refused(tmp_path / "empty", "is a chat model")
    foreign = bi_encoder("mean")
    modules = json.loads((foreign / "modules.json").read_text("utf-8"))
    modules[1]["type"] = "custom.Pooling"
    (foreign / "modules.json").write_text(json.dumps(modules), "utf-8")
    refused(foreign, r"brings its own code \(custom\.Pooling\), which is not run")
    config = json.loads((bert / "config.json").read_text("utf-8"))
    config["architectures"] = ["BertForSequenceClassification"]
    (bert / "config.json").write_text(json.dumps(config), "utf-8")
    refused(bert, "is a cross-encoder.*use it as reranker")
    (bert / "config.json").write_text("{", "utf-8")
    refused(bert, r"config\.json is broken")
    (bert / "model.safetensors").unlink()
    refused(bert, "has no weights")


def test_remote_code_in_the_config_is_not_run(bi_encoder: Callable[..., Path], tmp_path: Path) -> None:
    folder = bi_encoder("mean")
    mark = tmp_path / "was-run"
    (folder / "evil.py").write_text(f"open({str(mark)!r}, 'w')", "utf-8")
    config = json.loads((folder / "config.json").read_text("utf-8"))
    config |= {
        "model_type": "unheard-of",
        "auto_map": {"AutoConfig": "evil.Config", "AutoModel": "evil.Model"},
    }
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    with pytest.raises(ModelError, match="cannot be loaded"):
        load_encoder(folder).encode(["text"])
    assert not mark.exists()


def test_broken_weights_are_named(bi_encoder: Callable[..., Path]) -> None:
    folder = bi_encoder("mean")
    (folder / "model.safetensors").write_bytes(b"nothing of the kind")
    with pytest.raises(ModelError, match=r"the bi-encoder in .* cannot be loaded"):
        load_encoder(folder).encode(["text"])


def test_models_compute_on_the_device_alone(
    bi_encoder: Callable[..., Path], colbert: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The meta device has no values, so that all ends where vectors would be copied from it."""
    look_into_no_mask(monkeypatch)
    for folder in (bi_encoder("mean"), colbert):
        encoder = load_encoder(folder, meta_device())
        assert encoder.device == "meta"
        with pytest.raises(NotImplementedError, match="Cannot copy out of meta tensor"):
            encoder.encode(TEXTS)


def test_a_device_does_not_change_the_fingerprint(colbert: Path) -> None:
    assert load_encoder(colbert, meta_device()).fingerprint == load_encoder(colbert).fingerprint
