"""Cross-encoder: question and passage read together; the best judge, and the dearest."""

import math
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ingestion.encoders.checkpoint_code import check_no_code
from ingestion.encoders.device import ANY_DEVICE, ComputeDevice
from ingestion.encoders.device_memory import (
    DeviceError,
    ModelShape,
    device_memory,
    free_bytes,
    loading_on,
    passages_at_once,
    run_in_batches,
)
from ingestion.errors import ModelError
from ingestion.storage.catalogue.records import StoredChunk, document_of_chunk
from retrievers.fusion import standardised
from retrievers.hits import Candidate, Ranking, Side
from retrievers.shares import shared, unshared

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder

# A cross-encoder reads every candidate anew, so only the head of the list is worth its time.
RERANK_DEPTH = 20
SCORE = "cross_encoder"
# Tokens, for models without a limit of their own.
_MAX_TOKENS = 512
# Read at a time, the best first, so that one that is too slow can stop in between.
_AT_ONCE = 8


class Reranker(Protocol):
    """Scores passages against a question; higher is better, scales differ between models.

    What orders the passages is its score + `first_stage_weight` · the first stage's, standardised; with a
    weight of 0 its score alone.
    """

    @property
    def name(self) -> str: ...

    @property
    def first_stage_weight(self) -> float: ...

    def score(self, question: str, passages: Sequence[str]) -> list[float]: ...


@dataclass(frozen=True, slots=True)
class RerankLimits:
    """How much of a list is reranked: `depth` candidates, and no more of them after `seconds`.

    At least the first eight are read, however slow the reranker is.
    """

    depth: int = RERANK_DEPTH
    seconds: float = math.inf


def rerank(
    question: str,
    ranking: Ranking,
    chunks: Mapping[str, StoredChunk],
    reranker: Reranker,
    limits: RerankLimits = RerankLimits(),
) -> Ranking:
    """Order the head of a ranking by the reranker, keeping the first scores beside the new one.

    What the reranker did not read follows in its former order, with its former score and no "cross_encoder".
    Of a question with sides it reads what is asked of a passage's side alone, and the sides keep their turns.
    """
    started = time.perf_counter()
    candidates = unshared(ranking.candidates)
    scores: list[float] = []
    for first in range(0, min(limits.depth, len(candidates)), _AT_ONCE):
        if first and time.perf_counter() - started > limits.seconds:
            break
        some = [chunks[one.chunk_id] for one in candidates[first : min(first + _AT_ONCE, limits.depth)]]
        scores += _scores(question, some, reranker, ranking.sides)
    read, tail = candidates[: len(scores)], ranking.candidates[len(scores) :]
    totals = combined(reranker, scores, [one.score for one in read])
    head = [
        Candidate(one.chunk_id, total, {**one.scores, SCORE: score})
        for one, score, total in zip(read, scores, totals, strict=True)
    ]
    head.sort(key=lambda candidate: (-candidate.score, candidate.chunk_id))
    counts = {**ranking.counts, SCORE: len(head)}
    return replace(ranking, candidates=(*shared(head, ranking.sides), *tail), counts=counts)


def _scores(
    question: str, passages: Sequence[StoredChunk], reranker: Reranker, sides: Sequence[Side]
) -> list[float]:
    """Return a score for each passage, asked of its side alone."""
    asked = {document: side.question for side in sides for document in side.documents}
    found: dict[str, float] = {}
    by_question: dict[str, list[StoredChunk]] = {}
    for one in passages:
        by_question.setdefault(asked.get(document_of_chunk(one.id), question), []).append(one)
    for text, some in by_question.items():
        scores = reranker.score(text, [passage_text(one) for one in some])
        found.update(zip((one.id for one in some), scores, strict=True))
    return [found[one.id] for one in passages]


def combined(reranker: Reranker, scores: Sequence[float], first: Sequence[float]) -> list[float]:
    """Return what orders n passages, given the reranker's scores and those of the first stage."""
    weight = reranker.first_stage_weight
    return [score + weight * former for score, former in zip(scores, standardised(first), strict=True)]


def passage_text(chunk: StoredChunk) -> str:
    """Return what a reranker reads of a chunk: its context line and its text."""
    return f"{chunk.context}\n{chunk.text}"


class CrossEncoderReranker:
    """Any sentence-transformers CrossEncoder with one output, from a folder or a hub name that is
    already on this machine. Loaded on first use."""

    first_stage_weight = 0.0

    def __init__(self, name: str, folder: Path | None = None, compute: ComputeDevice = ANY_DEVICE) -> None:
        self.name = name
        self._compute = compute
        self._source = str(folder or name)
        self._lock = threading.Lock()

    @cached_property
    def _model(self) -> "CrossEncoder":
        from huggingface_hub import snapshot_download
        from safetensors import SafetensorError
        from sentence_transformers import CrossEncoder
        from transformers.utils import logging

        logging.disable_progress_bar()
        placement = self._compute.by_torch
        try:
            folder = Path(self._source).expanduser()
            if not folder.is_dir():
                folder = Path(snapshot_download(self._source, local_files_only=True))
            check_no_code(folder)
            with loading_on(placement):
                model: CrossEncoder = CrossEncoder(
                    str(folder), device=placement.device, local_files_only=True, trust_remote_code=False
                )
        except DeviceError:
            raise
        except (ModelError, SafetensorError, OSError, ValueError, KeyError, RuntimeError) as error:
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
            if self._compute.by_torch.is_cpu:
                return self._predicted(pairs, _AT_ONCE)
            return run_in_batches(pairs, self._at_once(), lambda some: self._predicted(some, len(some)))

    def _predicted(self, pairs: Sequence[tuple[str, str]], batch_size: int) -> list[float]:
        with device_memory(self._compute.by_torch):
            scores = self._model.predict(list(pairs), batch_size=batch_size, show_progress_bar=False)
        return [float(score) for score in scores]

    def _at_once(self) -> int:
        """Return how many pairs of the longest kind the accelerator's memory holds."""
        model = self._model  # loaded first, so that its weights do not count as free
        tokens = min(model.max_seq_length or _MAX_TOKENS, _MAX_TOKENS)
        return passages_at_once(free_bytes(self._compute.by_torch), ModelShape.of(model.config), tokens)
