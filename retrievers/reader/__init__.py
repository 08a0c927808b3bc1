"""The built-in reader: the built-in encoder, whose last layers were tuned to read question and passage
together (`retrievers.reader.network`). Its weights are shipped; `benchmarks/train_reader.py` makes them.

As a reranker it orders passages. It was trained to be added to the first stage's score, which knows what it
does not: see `FIRST_STAGE_WEIGHT`.
"""

import math
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ingestion.encoders import BUILTIN_MODEL, builtin_model_folder
from ingestion.encoders.device import ANY_DEVICE, ComputeDevice, Placement
from ingestion.encoders.device_memory import loading_on
from ingestion.encoders.runtime import openvino_runs
from ingestion.errors import ModelError
from ingestion.storage.catalogue.records import StoredChunk
from retrievers.reader.antecedents import with_antecedents
from retrievers.reader.reading import AnswerSpan, Reading, SentenceReading, Span

if TYPE_CHECKING:
    from tokenizers import Encoding

# How much one standard deviation of the first stage's scores counts beside this reranker's score. With less
# it finds more answers, and orders worse what is merely about a subject: docs/retrieval.md.
FIRST_STAGE_WEIGHT = 4.0
MAX_TOKENS = 256
# The longest answer, in tokens.
_LONGEST_SPAN = 24
_LARGEST_LOGIT = 30.0
# The readings that are kept: a question is reranked, then read, then asked again with another strategy.
_KEPT = 2048

Floats = NDArray[np.float32]
# Wordpiece ids of a question and passages → relevance, the logit of an answer, and marks [p, 3] of each.
Forward = Callable[[Sequence[int], Sequence[Sequence[int]]], list[tuple[float, float, Floats]]]


class Wordpieces:
    """Texts as the built-in encoder's wordpieces, with [CLS] and [SEP], cut to its window."""

    def __init__(self, folder: Path) -> None:
        from tokenizers import Tokenizer

        self._tokenizer: Tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(MAX_TOKENS)

    def __call__(self, texts: Sequence[str]) -> "list[Encoding]":
        return list(self._tokenizer.encode_batch(list(texts)))


class BuiltinReader:
    """A reranker and a reader in one, which comes with the application. Loaded on first use; safe to use from
    several threads."""

    name = "builtin"
    first_stage_weight = FIRST_STAGE_WEIGHT

    def __init__(self, compute: ComputeDevice = ANY_DEVICE) -> None:
        self._compute = compute
        self._lock = threading.Lock()
        self._readings: OrderedDict[tuple[str, str, str], Reading] = OrderedDict()

    @cached_property
    def _wordpieces(self) -> Wordpieces:
        return Wordpieces(builtin_model_folder())

    @cached_property
    def _forward(self) -> Forward:
        """The network on the fastest runtime of the device."""
        placement = self._compute.builtin()
        return _network(builtin_model_folder(), weights_path(), placement, openvino_runs(placement))

    def score(self, question: str, passages: Sequence[str]) -> list[float]:
        """Return one score a passage, given as `passage_text` makes it. Raises what `read` raises."""
        parts = [passage.partition("\n") for passage in passages]
        pairs = [(context, text) for context, _, text in parts]
        return [one.relevance for one in self._read(question, pairs)]

    def read(self, question: str, passages: Sequence[StoredChunk]) -> list[Reading]:
        """See `retrievers.reader.reading.Reader.read`."""
        return self._read(question, [(chunk.context, chunk.text) for chunk in passages])

    def read_sentences(
        self, question: str, passages: Sequence[tuple[StoredChunk, Sequence[Span]]]
    ) -> list[tuple[SentenceReading, ...]]:
        """See `retrievers.reader.reading.Reader.read_sentences`. A sentence that refers to the one before is
        read with it."""
        texts = [
            (chunk.context, chunk.text[slice(*span)])
            for chunk, spans in passages
            for span in with_antecedents(chunk.text, spans)
        ]
        read = iter(self._read(question, texts))
        return [
            tuple(SentenceReading(start, end, next(read).answers) for start, end in spans)
            for _, spans in passages
        ]

    def _read(self, question: str, passages: Sequence[tuple[str, str]]) -> list[Reading]:
        with self._lock:
            kept = self._readings
            new = [one for one in dict.fromkeys(passages) if (question, *one) not in kept]
            if new:
                made = self._network_readings(question, new)
                kept.update(((question, *one), reading) for one, reading in zip(new, made, strict=True))
            found = [kept[question, *one] for one in passages]
            for one in passages:
                kept.move_to_end((question, *one))
            while len(kept) > _KEPT:
                kept.popitem(last=False)
        return found

    def _network_readings(self, question: str, passages: Sequence[tuple[str, str]]) -> list[Reading]:
        asked, *pieces = self._wordpieces([question, *(f"{context}\n{text}" for context, text in passages)])
        read = self._forward(asked.ids, [piece.ids for piece in pieces])
        return [
            _reading(relevance, answers, marks, piece, len(context) + 1)
            for (relevance, answers, marks), piece, (context, _) in zip(read, pieces, passages, strict=True)
        ]


@cache
def _network(encoder: Path, weights: Path, placement: Placement, by_openvino: bool) -> Forward:
    """Return the network on a device, which all readers of a process share.

    Raises ModelError where the files or the device cannot be used.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        tuned = {name: value.astype(np.float32) for name, value in load_file(weights).items()}
        network: Forward
        with loading_on(placement):
            if by_openvino:
                from retrievers.reader.graph import OpenVinoReader

                network = OpenVinoReader(encoder, tuned, placement)
            else:
                from retrievers.reader.network import TorchReader

                network = TorchReader(encoder, tuned, placement)
    except (SafetensorError, OSError, KeyError, RuntimeError) as error:
        raise ModelError(
            f"the built-in reader's weights in {weights} or {encoder} cannot be used: {error}; "
            "install the application again"
        ) from error
    turn = threading.Lock()

    def forward(
        question: Sequence[int], passages: Sequence[Sequence[int]]
    ) -> list[tuple[float, float, Floats]]:
        with turn:
            return network(question, passages)

    return forward


def weights_path() -> Path:
    """Return where the tuned weights lie."""
    return Path(__file__).parent / f"{BUILTIN_MODEL}.safetensors"


def _reading(relevance: float, answers: float, marks: Floats, piece: "Encoding", text_start: int) -> Reading:
    """Return the reading of a passage whose text begins at character `text_start` of what was read."""
    offsets = np.array(piece.offsets, np.int32).reshape(-1, 2) - text_start
    inside = (offsets[:, 0] >= 0) & (offsets[:, 1] > offsets[:, 0])
    tokens, own = offsets[inside], marks[inside]
    in_answer = 1 / (1 + np.exp(-own[:, 2].clip(-_LARGEST_LOGIT, _LARGEST_LOGIT)))
    probability = 1 / (1 + math.exp(-max(-_LARGEST_LOGIT, min(_LARGEST_LOGIT, answers))))
    return Reading(relevance, probability, _span(tokens, own), tokens, in_answer.astype(np.float32))


def _span(tokens: NDArray[np.int32], marks: Floats) -> AnswerSpan | None:
    """Return the likeliest first and last token of an answer."""
    if not len(tokens):
        return None
    start, end = (np.exp(marks[:, mark] - marks[:, mark].max()) for mark in (0, 1))
    together = np.outer(start / start.sum(), end / end.sum())
    together = np.triu(together) - np.triu(together, _LONGEST_SPAN)
    first, last = np.unravel_index(int(together.argmax()), together.shape)
    return AnswerSpan(int(tokens[first, 0]), int(tokens[last, 1]), float(together[first, last]))
