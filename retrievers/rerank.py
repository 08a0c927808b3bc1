"""Cross-encoder: question and passage read together; the best judge, and the dearest."""

import threading
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ingestion.errors import ModelError

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder

# A cross-encoder reads every candidate anew, so only the head of the list is worth its time.
RERANK_DEPTH = 20


class Reranker(Protocol):
    """Scores passages against a question; higher is better, scales differ between models."""

    @property
    def name(self) -> str: ...

    def score(self, question: str, passages: Sequence[str]) -> list[float]: ...


class CrossEncoderReranker:
    """Any sentence-transformers CrossEncoder with one output, from a folder or a hub name that is
    already on this machine. Loaded on first use."""

    def __init__(self, name: str, folder: Path | None = None) -> None:
        self.name = name
        self._source = str(folder or name)
        self._lock = threading.Lock()

    @cached_property
    def _model(self) -> "CrossEncoder":
        from safetensors import SafetensorError
        from sentence_transformers import CrossEncoder
        from transformers.utils import logging

        logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        try:
            model: CrossEncoder = CrossEncoder(self._source, device="cpu", local_files_only=True)
        except (SafetensorError, OSError, ValueError, KeyError, RuntimeError) as error:
            reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
            raise ModelError(
                f"the reranker {self.name!r} cannot be loaded: {reason}; "
                "give a folder that holds a sentence-transformers CrossEncoder, or use --no-rerank"
            ) from error
        architectures = getattr(model.config, "architectures", None) or []
        if architectures and all(name.endswith("Model") for name in architectures):
            raise ModelError(
                f"the reranker {self.name!r} is an encoder without a head that ranks "
                f"({', '.join(architectures)}); choose a cross-encoder, or use --no-rerank"
            )
        if model.num_labels != 1:
            raise ModelError(
                f"the reranker {self.name!r} has {model.num_labels} outputs and a reranker needs one; "
                "choose a model trained for ranking, or use --no-rerank"
            )
        return model

    def score(self, question: str, passages: Sequence[str]) -> list[float]:
        """Return one score a passage. Raises ModelError where the model cannot be loaded."""
        return self.score_pairs([(question, passage) for passage in passages])

    def score_pairs(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        """Return one score for each (question, passage). Raises ModelError like `score`."""
        if not pairs:
            return []
        with self._lock:
            scores = self._model.predict(list(pairs), batch_size=8, show_progress_bar=False)
        return [float(score) for score in scores]
