"""The one forward pass, against transformers and sentence-transformers themselves."""

from pathlib import Path

import numpy as np
import pytest

from ingestion.encoders import BUILTIN_NAME, Encoder, builtin_model_folder
from ingestion.errors import Cancelled, ModelError
from ingestion.projection import Projection, load_projection

TEXTS = [
    "The Bramley apple tree stands by the north wall.",
    "High water",
    "Naïve façades — 4.2 metres on 3 March 1987; the ferry sailed at noon, and nobody was hurt. " * 4,
    "",
    "雨 fell",
]
CLOSE = 1e-5


@pytest.fixture(scope="module")
def plain() -> Encoder:
    """The built-in model with its token vectors as they are, only made unit length."""
    identity = Projection(np.zeros(384, np.float32), np.eye(384, dtype=np.float32), np.ones(384, np.float32))
    return Encoder(BUILTIN_NAME, builtin_model_folder(), identity)


def test_mean_is_what_sentence_transformers_gives(encoder: Encoder) -> None:
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(builtin_model_folder()), device="cpu", local_files_only=True)
    expected = model.encode(TEXTS, normalize_embeddings=True, show_progress_bar=False)
    np.testing.assert_allclose(encoder.encode(TEXTS).mean, expected, atol=CLOSE)


def test_cls_and_tokens_are_the_models_outputs(encoder: Encoder, plain: Encoder) -> None:
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


def test_shapes_types_and_lengths(encoder: Encoder) -> None:
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


def test_spans_are_the_words_of_the_text(encoder: Encoder) -> None:
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


def test_context_is_read_in_front_of_the_text(encoder: Encoder) -> None:
    one = encoder.encode(["It ripens."], ["Pears"])
    other = encoder.encode(["Pears\nIt ripens."])
    np.testing.assert_allclose(one.tokens, other.tokens, atol=CLOSE)
    np.testing.assert_allclose(one.mean, other.mean, atol=CLOSE)


def test_order_and_batches_do_not_matter(encoder: Encoder, monkeypatch: pytest.MonkeyPatch) -> None:
    together = encoder.encode(TEXTS)
    backwards = encoder.encode(TEXTS[::-1])
    monkeypatch.setattr("ingestion.encoders._BATCH_TOKENS", 1)
    alone = encoder.encode(TEXTS)
    np.testing.assert_allclose(together.cls, backwards.cls[::-1], atol=CLOSE)
    np.testing.assert_allclose(together.cls, alone.cls, atol=CLOSE)
    np.testing.assert_allclose(together.mean, alone.mean, atol=CLOSE)
    np.testing.assert_allclose(together.tokens, alone.tokens, atol=CLOSE)
    np.testing.assert_array_equal(together.spans, alone.spans)


def test_a_query_is_a_text_of_its_own(encoder: Encoder) -> None:
    np.testing.assert_allclose(
        encoder.encode_query(TEXTS[0]).tokens, encoder.encode([TEXTS[0]]).tokens, atol=CLOSE
    )


def test_text_beyond_the_limit_is_not_seen_and_sep_is_kept(encoder: Encoder) -> None:
    long = "tree " * 300
    encodings = encoder.encode([long + "x", long + "completely different end"])
    assert list(np.diff(encodings.offsets)) == [254, 254]
    assert tuple(encodings.spans[253]) == (253 * 5, 253 * 5 + 4)
    np.testing.assert_allclose(encodings.mean[0], encodings.mean[1], atol=CLOSE)
    # [CLS] + 254 words + [SEP] is exactly what a text of 254 words becomes.
    np.testing.assert_allclose(encodings.cls[0], encoder.encode(["tree " * 254]).cls[0], atol=CLOSE)


def test_no_texts_give_no_vectors(encoder: Encoder) -> None:
    encodings = encoder.encode([])
    assert len(encodings) == 0
    assert (encodings.cls.shape, encodings.tokens.shape, encodings.spans.shape) == (
        (0, 384),
        (0, 128),
        (0, 2),
    )
    assert list(encodings.offsets) == [0]


def test_contexts_must_be_as_many_as_texts(encoder: Encoder) -> None:
    with pytest.raises(ValueError, match="zip"):
        encoder.encode(["one", "two"], ["context"])


def test_progress_and_cancel(encoder: Encoder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingestion.encoders._BATCH_TOKENS", 1)
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


def test_fingerprint_depends_on_what_decides_the_vectors(encoder: Encoder, plain: Encoder) -> None:
    folder, projection = builtin_model_folder(), load_projection(BUILTIN_NAME)
    assert Encoder(BUILTIN_NAME, folder, projection).fingerprint == encoder.fingerprint
    assert Encoder(BUILTIN_NAME, folder, projection, max_tokens=128).fingerprint != encoder.fingerprint
    assert plain.fingerprint != encoder.fingerprint


def test_missing_weights_are_named(tmp_path: Path) -> None:
    encoder = Encoder("m", tmp_path, load_projection(BUILTIN_NAME))
    for use in (
        lambda: encoder.fingerprint,
        lambda: encoder.encode(["text"]),
        lambda: encoder.offsets("text"),
    ):
        with pytest.raises(ModelError, match=r"tokenizer\.json|model\.safetensors"):
            use()
