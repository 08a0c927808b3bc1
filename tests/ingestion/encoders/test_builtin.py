"""The one forward pass, against transformers and sentence-transformers themselves."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ingestion.encoders import BUILTIN_MODEL, BertEncoder, Encodings, builtin_encoder, builtin_model_folder
from ingestion.encoders.calibrate import input_ranges
from ingestion.encoders.graph import load_ranges
from ingestion.encoders.projection import Projection, load_projection
from ingestion.encoders.runtime import OpenVinoForward, TorchForward
from ingestion.errors import Cancelled, InvalidInput, ModelError

pytestmark = pytest.mark.slow

TEXTS = [
    "The Bramley apple tree stands by the north wall.",
    "High water",
    "Naïve façades — 4.2 metres on 3 March 1987; the ferry sailed at noon, and nobody was hurt. " * 4,
    "",
    "雨 fell",
]
CLOSE = 1e-5


@pytest.fixture(scope="module")
def plain() -> BertEncoder:
    """The built-in model with its token vectors as they are, only made unit length."""
    identity = Projection(np.zeros(384, np.float32), np.eye(384, dtype=np.float32), np.ones(384, np.float32))
    return BertEncoder(BUILTIN_MODEL, builtin_model_folder(), identity)


def test_mean_is_what_sentence_transformers_gives(encoder: BertEncoder) -> None:
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(builtin_model_folder()), device="cpu", local_files_only=True)
    expected = model.encode(TEXTS, normalize_embeddings=True, show_progress_bar=False)
    np.testing.assert_allclose(encoder.encode(TEXTS).mean, expected, atol=CLOSE)


def test_cls_and_tokens_are_the_models_outputs(encoder: BertEncoder, plain: BertEncoder) -> None:
    import torch
    from transformers import AutoModel, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(builtin_model_folder(), local_files_only=True)
    model = AutoModel.from_pretrained(builtin_model_folder(), local_files_only=True).eval()
    ours, raw = encoder.encode(TEXTS), plain.encode(TEXTS)
    for i, text in enumerate(TEXTS):
        with torch.inference_mode():
            output = model(**tokenizer(text, return_tensors="pt")).last_hidden_state[0].numpy()
        unit = output / np.linalg.norm(output, axis=1, keepdims=True)
        own = slice(ours.offsets[i], ours.offsets[i + 1])
        np.testing.assert_allclose(ours.cls[i], unit[0], atol=CLOSE)
        np.testing.assert_allclose(raw.tokens[own], unit[1:-1], atol=CLOSE)
        np.testing.assert_allclose(ours.tokens[own], encoder.projection.apply(unit[1:-1]), atol=CLOSE)


def test_shapes_types_and_lengths(encoder: BertEncoder) -> None:
    encodings = encoder.encode(TEXTS)
    count = encodings.offsets[-1]
    assert len(encodings) == len(TEXTS)
    assert encodings.cls.shape == encodings.mean.shape == (len(TEXTS), encoder.dimension) == (5, 384)
    assert encodings.tokens.shape == (count, 128)
    assert encodings.spans.shape == (count, 2)
    assert (encodings.cls.dtype, encodings.tokens.dtype) == (np.float32, np.float32)
    assert list(np.diff(encodings.offsets)) == [len(encoder.offsets(text)) for text in TEXTS]
    assert encodings.offsets[3] == encodings.offsets[4]  # the empty text has no tokens
    for vectors in (encodings.cls, encodings.mean, encodings.tokens):
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=CLOSE)


def test_spans_are_the_words_of_the_text(encoder: BertEncoder) -> None:
    texts = ["Bramley stands.", "Zoë’s pear"]
    encodings = encoder.encode(texts, ["Orchard notes › Apples", ""])
    words = [
        [text[a:b] for a, b in encodings.spans[encodings.offsets[i] : encodings.offsets[i + 1]]]
        for i, text in enumerate(texts)
    ]
    context = len(encoder.offsets("Orchard notes › Apples"))
    assert "".join(words[0][context:]) == "Bramleystands."
    assert not encodings.spans[:context].any()
    assert "".join(words[1]) == "Zoë’spear"


def test_context_is_read_in_front_of_the_text(encoder: BertEncoder) -> None:
    one = encoder.encode(["It ripens."], ["Pears"])
    other = encoder.encode(["Pears\nIt ripens."])
    np.testing.assert_allclose(one.tokens, other.tokens, atol=CLOSE)
    np.testing.assert_allclose(one.mean, other.mean, atol=CLOSE)


def test_order_and_batches_do_not_matter(encoder: BertEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    together = encoder.encode(TEXTS)
    backwards = encoder.encode(TEXTS[::-1])
    monkeypatch.setattr("ingestion.encoders.batches.BATCH_TOKENS", 1)
    alone = encoder.encode(TEXTS)
    np.testing.assert_allclose(together.cls, backwards.cls[::-1], atol=CLOSE)
    np.testing.assert_allclose(together.cls, alone.cls, atol=CLOSE)
    np.testing.assert_allclose(together.mean, alone.mean, atol=CLOSE)
    np.testing.assert_allclose(together.tokens, alone.tokens, atol=CLOSE)
    np.testing.assert_array_equal(together.spans, alone.spans)


def test_a_query_is_a_text_of_its_own(encoder: BertEncoder) -> None:
    np.testing.assert_allclose(
        encoder.encode_query(TEXTS[0]).tokens, encoder.encode([TEXTS[0]]).tokens, atol=CLOSE
    )


def test_a_query_is_encoded_once(encoder: BertEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    first = encoder.encode_query("asked twice?")
    monkeypatch.setattr(encoder, "encode", lambda _: pytest.fail("again"))
    assert encoder.encode_query("asked twice?") is first
    with pytest.raises(ValueError, match="read-only"):
        first.tokens[0] = 0


def test_text_beyond_the_limit_is_not_seen_and_sep_is_kept(encoder: BertEncoder) -> None:
    long = "tree " * 300
    encodings = encoder.encode([long + "x", long + "completely different end"])
    assert list(np.diff(encodings.offsets)) == [254, 254]
    assert tuple(encodings.spans[253]) == (253 * 5, 253 * 5 + 4)
    np.testing.assert_allclose(encodings.mean[0], encodings.mean[1], atol=CLOSE)
    # [CLS] + 254 words + [SEP] is exactly what a text of 254 words becomes.
    np.testing.assert_allclose(encodings.cls[0], encoder.encode(["tree " * 254]).cls[0], atol=CLOSE)


def test_no_texts_give_no_vectors(encoder: BertEncoder) -> None:
    encodings = encoder.encode([])
    assert len(encodings) == 0
    assert (encodings.cls.shape, encodings.tokens.shape, encodings.spans.shape) == (
        (0, 384),
        (0, 128),
        (0, 2),
    )
    assert list(encodings.offsets) == [0]


def test_contexts_must_be_as_many_as_texts(encoder: BertEncoder) -> None:
    with pytest.raises(ValueError, match="zip"):
        encoder.encode(["one", "two"], ["context"])


def test_equal_passages_are_encoded_once(encoder: BertEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingestion.encoders.batches.BATCH_TOKENS", 1)
    texts, contexts = ["apple", "pear", "apple", "apple"], ["", "", "Fruit", ""]
    seen: list[tuple[int, int]] = []
    encodings = encoder.encode(texts, contexts, on_progress=lambda done, total: seen.append((done, total)))
    # All three count as one step of length, so they keep their order; "apple" stands for its copy.
    assert seen == [(2, 4), (3, 4), (4, 4)]
    np.testing.assert_array_equal(encodings.mean[0], encodings.mean[3])
    for i, (text, context) in enumerate(zip(texts, contexts, strict=True)):
        alone, part = encoder.encode([text], [context]), encodings.part(i, i + 1)
        np.testing.assert_allclose(part.tokens, alone.tokens, atol=CLOSE)
        np.testing.assert_array_equal(part.spans, alone.spans)


def test_a_prefix_in_the_text_is_not_a_context(encoder: BertEncoder) -> None:
    """The same characters go through the model, but other ones are the text's own."""
    encodings = encoder.encode(["Pears\nIt ripens.", "It ripens."], ["", "Pears"])
    np.testing.assert_allclose(encodings.mean[0], encodings.mean[1], atol=CLOSE)
    assert tuple(encodings.part(0, 1).spans[0]) == (0, 4)
    assert tuple(encodings.part(1, 2).spans[0]) == (0, 0)


def test_torch_and_openvino_agree(encoder: BertEncoder) -> None:
    pytest.importorskip("openvino")
    folder, projection = builtin_model_folder(), load_projection(BUILTIN_MODEL)
    ids = np.array([[101, 7592, 2088, 999, 102], [101, 7592, 102, 0, 0]], np.int64)
    mask = np.array([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]], np.float32)
    ours = OpenVinoForward(folder, projection)(ids, mask)
    theirs = TorchForward(folder, projection)(ids, mask)
    for one, other in zip(ours, theirs, strict=True):
        assert one.shape == other.shape
        assert one.dtype == other.dtype == np.float32
    for one, other in zip(ours[:2], theirs[:2], strict=True):
        np.testing.assert_allclose(one, other, atol=CLOSE)
    np.testing.assert_allclose(ours[2][mask > 0], theirs[2][mask > 0], atol=CLOSE)


def test_openvino_reports_nothing_and_needs_no_torch() -> None:
    """In a process of its own, which has not set the application's environment."""
    pytest.importorskip("openvino")
    program = """
import sys
from ingestion.encoders import builtin_encoder
assert not {"openvino", "torch", "tokenizers"} & set(sys.modules), "importing does nothing"
builtin_encoder().encode_query("why?")
assert sys.modules["openvino_telemetry"] is None
assert not {"torch", "transformers"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)


def test_without_openvino_torch_does_it(encoder: BertEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingestion.encoders.runtime.has_openvino", lambda: False)
    folder, projection = builtin_model_folder(), load_projection(BUILTIN_MODEL)
    other = BertEncoder(BUILTIN_MODEL, folder, projection)  # not the one that this process has loaded
    assert other.fingerprint == encoder.fingerprint
    np.testing.assert_allclose(other.encode(TEXTS).mean, encoder.encode(TEXTS).mean, atol=CLOSE)
    with pytest.raises(ModelError, match="pip install openvino"):
        BertEncoder(BUILTIN_MODEL, folder, projection, precision="int8").encode(TEXTS)


def test_a_process_loads_it_once(encoder: BertEncoder) -> None:
    assert builtin_encoder() is encoder
    assert builtin_encoder("int8") is not encoder


def _cosines(one: Encodings, other: Encodings, reading: str) -> np.ndarray:
    return np.asarray((getattr(one, reading) * getattr(other, reading)).sum(axis=1))


def test_int8_is_close_and_another_representation(encoder: BertEncoder) -> None:
    pytest.importorskip("openvino")
    int8 = builtin_encoder("int8")
    assert int8.fingerprint != encoder.fingerprint
    assert int8.vector_kinds == encoder.vector_kinds
    exact, close = encoder.encode(TEXTS), int8.encode(TEXTS)
    np.testing.assert_array_equal(exact.spans, close.spans)
    for reading in ("cls", "mean", "tokens"):
        cosines = _cosines(exact, close, reading)
        assert np.median(cosines) > 0.995, reading
        # It is int8 indeed: fp32 would agree to six digits.
        assert cosines.min() < 0.99999, reading


def test_ranges_are_the_largest_inputs_of_every_linear_layer() -> None:
    pytest.importorskip("openvino")
    one, other, both = (input_ranges(texts) for texts in (["apple"], ["high water"], ["apple", "high water"]))
    shipped = load_ranges(BUILTIN_MODEL)
    # Query, key and value share their input: four inputs in each of six layers.
    assert len(both) == 24
    assert shipped.keys() == both.keys()
    for name, ranges in both.items():
        np.testing.assert_allclose(ranges, np.maximum(one[name], other[name]), atol=CLOSE)
        assert shipped[name].shape == ranges.shape
        assert shipped[name].min() > 0


def test_a_precision_that_is_none() -> None:
    with pytest.raises(InvalidInput, match=r"'bf16'.*fp32, int8"):
        builtin_encoder("bf16")  # type: ignore[arg-type]


def test_progress_and_cancel(encoder: BertEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingestion.encoders.batches.BATCH_TOKENS", 1)
    seen: list[tuple[int, int]] = []
    encoder.encode(TEXTS, on_progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 5), (2, 5), (3, 5), (4, 5), (5, 5)]
    seen.clear()
    with pytest.raises(Cancelled):
        encoder.encode(
            TEXTS,
            on_progress=lambda done, total: seen.append((done, total)),
            cancelled=lambda: len(seen) == 2,
        )
    assert seen == [(1, 5), (2, 5)]


def test_fingerprint_depends_on_what_decides_the_vectors(encoder: BertEncoder, plain: BertEncoder) -> None:
    folder, projection = builtin_model_folder(), load_projection(BUILTIN_MODEL)
    assert BertEncoder(BUILTIN_MODEL, folder, projection).fingerprint == encoder.fingerprint
    assert BertEncoder(BUILTIN_MODEL, folder, projection, max_tokens=128).fingerprint != encoder.fingerprint
    assert plain.fingerprint != encoder.fingerprint


def test_missing_weights_are_named(tmp_path: Path) -> None:
    encoder = BertEncoder("m", tmp_path, load_projection(BUILTIN_MODEL))
    for use in (
        lambda: encoder.fingerprint,
        lambda: encoder.encode(["text"]),
        lambda: encoder.offsets("text"),
    ):
        with pytest.raises(ModelError, match=r"tokenizer\.json|model\.safetensors"):
            use()


def test_broken_weights_are_named(tmp_path: Path) -> None:
    for file in ("config.json", "tokenizer.json"):
        (tmp_path / file).write_bytes((builtin_model_folder() / file).read_bytes())
    (tmp_path / "model.safetensors").write_bytes(b"not a tensor in sight")
    encoder = BertEncoder("m", tmp_path, load_projection(BUILTIN_MODEL))
    with pytest.raises(ModelError, match=r"cannot be used.*install the model again"):
        encoder.encode(["text"])
