"""Encoders of other projects, run by sentence-transformers: bi-encoders and ColBERTs from a local folder.

Pooling, normalisation, prompts, markers, query expansion and skip lists are the checkpoint's own.
"""

import hashlib
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

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
from ingestion.encoders.device_memory import (
    ModelShape,
    device_memory,
    free_bytes,
    loading_on,
    passages_at_once,
)
from ingestion.encoders.fair_lock import FairLock
from ingestion.encoders.query_cache import QueryCache
from ingestion.errors import ModelError

_CALIBRATION = Path(__file__).parent / "sentences.txt"
# Share of a dimension's values that int8 keeps unclipped, as for the built-in projection.
_KEPT = 0.9999
# Files that the vectors depend on; they do not depend on copies exported for other runtimes, or on READMEs.
_FINGERPRINTED = (".json", ".txt", ".model", ".metadata", ".safetensors", ".bin")
_EXPORTS = ("onnx", "openvino")
# Tokens, for models without a limit of their own.
_MAX_TOKENS = 512


class _SentenceTransformersModel(ABC):
    """Files, tokenizer and batches, which both kinds of model share."""

    _kind: str  # for error messages

    def __init__(self, name: str, folder: Path, compute: ComputeDevice = ANY_DEVICE) -> None:
        self.name = name
        self._folder = folder
        self._compute = compute
        self._lock = threading.RLock()
        self._turn = FairLock()
        self._query = QueryCache(lambda text: self._encode(encoder_inputs([text], None), "query"))

    @abstractmethod
    def _load(self, device: str) -> Any: ...

    @property
    @abstractmethod
    def _dimensions(self) -> tuple[int, int, int]:
        """Dimensions of the cls, mean and token vectors."""

    @abstractmethod
    def _batch(self, some: Sequence[EncoderInput], role: str) -> list[PassageVectors]:
        """Encode one batch; `role` is "document" or "query"."""

    @property
    def device(self) -> str:
        return self._compute.by_torch.device

    @cached_property
    def fingerprint(self) -> str:
        """Of the model's files; not of the device, which changes vectors by rounding alone."""
        digest = hashlib.sha256(_CALIBRATION.read_bytes())
        for file in sorted(self._folder.rglob("*")):
            inner = file.relative_to(self._folder)
            if file.suffix in _FINGERPRINTED and inner.parts[0] not in _EXPORTS and file.is_file():
                with file.open("rb") as stream:
                    digest.update(inner.as_posix().encode())
                    digest.update(hashlib.file_digest(stream, "sha256").digest())
        return f"{self.name}-{digest.hexdigest()[:16]}"

    @cached_property
    def _model(self) -> Any:
        from safetensors import SafetensorError
        from transformers.utils import logging

        logging.disable_progress_bar()
        # What the libraries raise for files that are damaged, missing, or made for code that is not run.
        broken = (SafetensorError, OSError, ValueError, KeyError, TypeError, AttributeError, ImportError)
        placement = self._compute.by_torch
        try:
            with loading_on(placement):
                model = self._load(placement.device)
        except (*broken, RuntimeError) as error:
            reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
            raise ModelError(
                f"the {self._kind} in {self._folder} cannot be loaded: {reason}; "
                "download it again, or choose another model"
            ) from error
        if not getattr(model.tokenizer, "is_fast", False):
            raise ModelError(
                f"the {self._kind} in {self._folder} has no fast tokenizer (tokenizer.json), which gives "
                "each token's place in the text; choose another model"
            )
        return model

    def _loaded(self) -> Any:
        with self._lock:
            return self._model

    def _prompt(self, role: str) -> str:
        """The model's own prompt for documents or queries; "" without one."""
        prompts = self._loaded().prompts
        names = ("query",) if role == "query" else ("document", "passage", "corpus")
        return next((str(prompts[name]) for name in names if prompts.get(name)), "")

    def _limit(self) -> int:
        limit = self._loaded().max_seq_length or _MAX_TOKENS
        # A tokenizer without a limit says 10^30.
        return int(limit) if limit < 1_000_000 else _MAX_TOKENS

    @property
    def max_tokens(self) -> int:
        """Without the tokens of the model's prompt or marker."""
        return self._limit() - len(self.offsets(self._prompt("document")))

    def offsets(self, text: str) -> list[tuple[int, int]]:
        model = self._loaded()
        with self._turn:
            found = model.tokenizer(
                text, add_special_tokens=False, return_offsets_mapping=True, truncation=False, verbose=False
            )
        return [(int(start), int(end)) for start, end in found["offset_mapping"]]

    def encode(
        self,
        texts: Sequence[str],
        contexts: Sequence[str] | None = None,
        *,
        on_progress: OnProgress | None = None,
        cancelled: IsCancelled | None = None,
    ) -> Encodings:
        return self._encode(encoder_inputs(texts, contexts), "document", on_progress, cancelled)

    def encode_query(self, text: str) -> Encodings:
        return self._query(text)

    def _encode(
        self,
        asked: Sequence[EncoderInput],
        role: str,
        on_progress: OnProgress | None = None,
        cancelled: IsCancelled | None = None,
    ) -> Encodings:
        return encode_batches(
            asked,
            self._lengths,
            lambda some: self._batch_on_device(some, role),
            dimensions=self._dimensions,
            at_once=self._at_once(len(asked)),
            on_progress=on_progress,
            cancelled=cancelled,
        )

    def _batch_on_device(self, some: Sequence[EncoderInput], role: str) -> list[PassageVectors]:
        with device_memory(self._compute.by_torch):
            return self._batch(some, role)

    def _at_once(self, passages: int) -> Callable[[int], int]:
        """Return what gives the size of batches; it is asked of an accelerator once the model is there."""
        placement = self._compute.by_torch
        if placement.is_cpu or passages == 1:
            return cache_sized
        shape = ModelShape.of(self._loaded().config)
        free = free_bytes(placement)
        return lambda tokens: passages_at_once(free, shape, tokens)

    def _lengths(self, some: Sequence[EncoderInput]) -> list[int]:
        """The sizes of passages in a batch: characters, which are never fewer than tokens."""
        prompt, limit = len(self._prompt("document")) + 2, self._limit()
        return [min(len(passage.joined) + prompt, limit) for passage in some]


class BiEncoder(_SentenceTransformersModel):
    """A SentenceTransformer: one vector a passage, at unit length.

    It is called "cls" or "mean" by its pooling; any other pooling (last token, max, several) passes for
    "mean", because it fills the same place: one vector for the whole passage.
    """

    _kind = "bi-encoder"
    token_dimension = 0
    scales = None

    def _load(self, device: str) -> Any:
        from sentence_transformers import SentenceTransformer

        return SentenceTransformer(
            str(self._folder), device=device, local_files_only=True, trust_remote_code=False
        )

    @cached_property
    def vector_kinds(self) -> frozenset[str]:
        modes = [getattr(module, "pooling_mode", None) for module in self._loaded()]
        return frozenset({"cls" if "cls" in modes else "mean"})

    @cached_property
    def dimension(self) -> int:
        return int(self._loaded().get_embedding_dimension())

    @property
    def _dimensions(self) -> tuple[int, int, int]:
        return (self.dimension, 0, 0) if "cls" in self.vector_kinds else (0, self.dimension, 0)

    def _batch(self, some: Sequence[EncoderInput], role: str) -> list[PassageVectors]:
        model = self._loaded()
        with self._turn:
            found: Floats = getattr(model, f"encode_{role}")(
                [passage.joined for passage in some],
                batch_size=len(some),
                show_progress_bar=False,
                normalize_embeddings=True,
            )
        none = np.zeros(0, np.float32)
        nothing, spans = np.zeros((0, 0), np.float32), np.zeros((0, 2), np.int32)
        if "cls" in self.vector_kinds:
            return [PassageVectors(one, none, nothing, spans) for one in found]
        return [PassageVectors(none, one, nothing, spans) for one in found]


class ColbertEncoder(_SentenceTransformersModel):
    """A ColBERT (sentence-transformers' MultiVectorEncoder, PyLate, Stanford): one vector a token.

    Vectors are as the checkpoint makes them, which nearly always is at unit length. Where its tokens
    cannot be found again in the text (a token pooling, a chat template), spans are (0, 0).
    """

    _kind = "ColBERT"
    vector_kinds = frozenset({"tokens"})
    dimension = 0

    def __init__(self, name: str, folder: Path, compute: ComputeDevice = ANY_DEVICE) -> None:
        super().__init__(name, folder, compute)
        self._punctuation: dict[int, bool] = {}  # whether a token is punctuation only, by its id, as met

    def _load(self, device: str) -> Any:
        from sentence_transformers import MultiVectorEncoder

        return MultiVectorEncoder(
            str(self._folder), device=device, local_files_only=True, trust_remote_code=False
        )

    @cached_property
    def token_dimension(self) -> int:
        return int(self._loaded().get_embedding_dimension())

    @property
    def _dimensions(self) -> tuple[int, int, int]:
        return 0, 0, self.token_dimension

    @cached_property
    def scales(self) -> Floats:
        """Computed once from sentences that ship with the application, so that they depend on the model
        alone, not on a library or on the order in which documents come."""
        tokens = self.encode(_CALIBRATION.read_text("utf-8").splitlines()).tokens
        sizes = np.quantile(np.abs(tokens), _KEPT, axis=0)
        return np.maximum(sizes / 127, 1e-6).astype(np.float32)

    def _limit(self) -> int:
        return int(getattr(self._loaded()[0], "document_length", None) or super()._limit())

    def _batch(self, some: Sequence[EncoderInput], role: str) -> list[PassageVectors]:
        model, prompt = self._loaded(), self._prompt(role)
        with self._turn:
            made = getattr(model, f"encode_{role}")(
                [passage.joined for passage in some],
                batch_size=len(some),
                show_progress_bar=False,
                output_value=None,  # the raw output, which has the ids and the mask of scored tokens
            )
            found = [_on_cpu(one) for one in made]
            spans = [self._spans(passage, one, prompt) for passage, one in zip(some, found, strict=True)]
            punctuation = [self._punctuation_of(one) for one in found]
        none = np.zeros(0, np.float32)
        tokens = [one["token_embeddings"][one["attention_mask"].bool()].float().numpy() for one in found]
        return [
            PassageVectors(none, none, *vectors) for vectors in zip(tokens, spans, punctuation, strict=True)
        ]

    def _punctuation_of(self, output: Any) -> NDArray[np.bool_]:
        """[t] bool: the scored tokens that are punctuation only; [0] where their ids are not known."""
        kept = output["attention_mask"].bool()
        if "input_ids" not in output or len(output["input_ids"]) != len(kept):
            return np.zeros(0, np.bool_)
        ids = output["input_ids"][kept].tolist()
        for one in set(ids) - self._punctuation.keys():
            self._punctuation[one] = is_punctuation(self._model.tokenizer.decode([one]).strip())
        return np.array([self._punctuation[one] for one in ids], np.bool_)

    def _spans(self, passage: EncoderInput, output: Any, prompt: str) -> NDArray[np.int32]:
        """[t, 2] int32: the characters of the scored tokens in the passage's text."""
        kept = output["attention_mask"].bool().numpy()
        nowhere = np.zeros((int(kept.sum()), 2), np.int32)
        if "input_ids" not in output or len(output["input_ids"]) != len(kept):
            return nowhere
        read = output["input_ids"].tolist()
        again = self._model.tokenizer(
            prompt + passage.joined,
            truncation=True,
            max_length=len(read),
            return_offsets_mapping=True,
            verbose=False,
        )
        ids = list(again["input_ids"])
        first = len(read) - len(ids) if self._model.tokenizer.padding_side == "left" else 0
        same = [a == b for a, b in zip(read[first : first + len(ids)], ids, strict=True)]
        # Query expansion replaces padding behind the text, never the text.
        if not all(same):
            return nowhere
        spans = np.zeros((len(read), 2), np.int32)
        spans[first : first + len(ids)] = spans_within(again["offset_mapping"], len(prompt + passage.prefix))
        scored: NDArray[np.int32] = spans[kept]
        return scored


def _on_cpu(output: Mapping[str, Any]) -> dict[str, Any]:
    """Return a passage's raw output with its tensors copied from the device."""
    return {name: value.cpu() if hasattr(value, "cpu") else value for name, value in output.items()}
