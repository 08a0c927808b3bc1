"""The reader's network as two OpenVINO graphs, built straight from its weights: neither torch nor
transformers is loaded. `retrievers.reader.network` says what they compute.

    ids, mask [b, s]                                          →  what the lower layers make of texts [b, s, d]
    question [1, q, d], its mask and words [q],
    passages [b, p, d], their mask and words [b, p]           →  relevance [b], answers [b], marks [b, p, 3]
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingestion.encoders.batches import cache_sized
from ingestion.encoders.device import CPU, Placement
from ingestion.encoders.device_memory import device_memory, run_in_batches
from ingestion.encoders.graph import BertLayers
from ingestion.encoders.runtime import compile_graph
from retrievers.reader.dimensions import LAYERS, LIKENESS, LOWER_LAYERS, pairs_at_once

Floats = NDArray[np.float32]

# Texts are padded to a multiple of this: a length that is new to OpenVINO costs some 20 ms once.
_STEP = 16
_NOTHING = np.float32(-1e9)
_SHORTEST = np.float32(1e-12)


class ReaderGraph(BertLayers):
    """Builds both graphs from the encoder's folder and the weights that training made."""

    def __init__(self, encoder: Path, tuned: Mapping[str, Floats]) -> None:
        super().__init__(encoder, tuned=_as_bert(tuned))
        self._tuned = {name: value.astype(np.float32) for name, value in tuned.items()}

    def lower(self) -> Any:
        """Return the openvino.Model that reads texts apart."""
        ids = self._op.parameter([-1, -1], np.int64, name="ids")
        mask = self._op.parameter([-1, -1], np.float32, name="mask")
        hidden = self._through(self._embedded(ids), mask, range(LOWER_LAYERS))
        return self._openvino.Model([hidden], [ids, mask], "reader, below")

    def upper(self) -> Any:
        """Return the openvino.Model that reads a question with passages."""
        op, size = self._op, self._config["hidden_size"]
        question = op.parameter([1, -1, size], np.float32, name="question")
        asked_mask = op.parameter([-1], np.float32, name="asked_mask")
        asked_words = op.parameter([-1], np.float32, name="asked_words")
        passages = op.parameter([-1, -1, size], np.float32, name="passages")
        mask = op.parameter([-1, -1], np.float32, name="mask")
        words = op.parameter([-1, -1], np.float32, name="words")
        count = op.gather(op.shape_of(passages), self._ints([0]), self._ints(0))
        length = op.gather(op.shape_of(question), self._ints([1]), self._ints(0))
        shape = op.concat([count, length, self._ints([size])], 0)
        asked = op.broadcast(op.add(question, self._side(0)), shape)
        hidden = op.concat([asked, op.add(passages, self._side(1))], 1)
        masks = op.concat([op.broadcast(asked_mask, op.concat([count, length], 0)), mask], 1)
        hidden = self._through(hidden, masks, range(LOWER_LAYERS, LAYERS))
        end = op.gather(op.shape_of(hidden), self._ints([1]), self._ints(0))
        asked = op.slice(hidden, self._ints([0]), length, self._ints([1]), self._ints([1]))
        found = op.slice(hidden, length, end, self._ints([1]), self._ints([1]))
        first = [op.gather(side, self._ints(0), self._ints(1)) for side in (asked, found)]
        mean, most = self._pooled(found, mask)
        late, likeness = self._late(asked, asked_words, found, words)
        relevance = op.add(late, self._head("pair", op.concat([first[0], mean], 1)))
        inner = op.gelu(self._head("answers.0", op.concat([*first, mean, most], 1)), "erf")
        marks = self._head("marks", op.concat([found, likeness], 2))
        results = [relevance, op.add(relevance, self._head("answers.2", inner)), marks]
        inputs = [question, asked_mask, asked_words, passages, mask, words]
        return self._openvino.Model(results, inputs, "reader, above")

    def _late(self, asked: Any, asked_words: Any, found: Any, words: Any) -> tuple[Any, Any]:
        """Return the weighted MaxSim, [b, 1], and how like the question each token is, [b, p, 2]."""
        op = self._op
        cosines = op.matmul(self._unit(asked), self._unit(found), False, True)
        is_word = op.greater(op.unsqueeze(words, self._ints(1)), op.constant(np.float32(0)))
        best = op.reduce_max(op.select(is_word, cosines, op.constant(np.float32(-1))), self._ints([2]), False)
        importance = op.squeeze(self._head("importance", asked), self._ints([2]))
        without = op.multiply(op.subtract(asked_words, op.constant(np.float32(1))), op.constant(-_NOTHING))
        weights = op.softmax(op.add(importance, op.unsqueeze(without, self._ints(0))), 1)
        total = op.reduce_sum(op.multiply(weights, best), self._ints([1]), True)
        is_asked = op.unsqueeze(op.greater(asked_words, op.constant(np.float32(0))), self._ints([0, 2]))
        most = op.reduce_max(
            op.select(is_asked, cosines, op.constant(np.float32(-1))), self._ints([1]), False
        )
        weighed = op.multiply(op.unsqueeze(weights, self._ints(2)), cosines)
        like = [
            op.unsqueeze(one, self._ints(2)) for one in (most, op.reduce_sum(weighed, self._ints([1]), False))
        ]
        likeness = op.multiply(op.concat(like, 2), op.constant(np.float32(LIKENESS)))
        return op.multiply(total, op.constant(self._tuned["scale"])), likeness

    def _pooled(self, found: Any, mask: Any) -> tuple[Any, Any]:
        """Return the mean and the largest value of passages' tokens, [b, d] each."""
        op = self._op
        kept = op.unsqueeze(mask, self._ints(2))
        total = op.reduce_sum(op.multiply(found, kept), self._ints([1]), False)
        mean = op.divide(total, op.reduce_sum(kept, self._ints([1]), False))
        away = op.multiply(op.subtract(kept, op.constant(np.float32(1))), op.constant(-_NOTHING))
        return mean, op.reduce_max(op.add(found, away), self._ints([1]), False)

    def _head(self, name: str, value: Any) -> Any:
        op = self._op
        product = op.matmul(value, op.constant(self._tuned[f"{name}.weight"]), False, True)
        return op.add(product, op.constant(self._tuned[f"{name}.bias"]))

    def _side(self, number: int) -> Any:
        return self._op.constant(self._tuned["sides"][number])


class OpenVinoReader:
    """Both graphs, compiled for this machine's processor or for an Intel GPU. Not for several threads at
    once."""

    def __init__(self, encoder: Path, tuned: Mapping[str, Floats], placement: Placement = CPU) -> None:
        self._placement = placement
        graph = ReaderGraph(encoder, tuned)
        self._lower, self._upper = (
            compile_graph(model, placement).create_infer_request() for model in (graph.lower(), graph.upper())
        )

    def __call__(
        self, question: Sequence[int], passages: Sequence[Sequence[int]]
    ) -> list[tuple[float, float, Floats]]:
        """Return relevance, the logit of an answer, and marks [p, 3] of each passage."""
        if self._placement.is_cpu:
            batches = alike([len(passage) for passage in passages])
        else:
            batches = [sorted(range(len(passages)), key=lambda place: len(passages[place]))]
        asked = self._asked(question)
        found: dict[int, tuple[float, float, Floats]] = {}
        for places in batches:
            texts = [passages[place] for place in places]
            size = len(texts)
            if not self._placement.is_cpu:
                size = pairs_at_once(self._placement, question, texts)
            read = run_in_batches(texts, size, lambda some: self._read(asked, some))
            found.update(zip(places, read, strict=True))
        return [found[place] for place in range(len(passages))]

    def _asked(self, question: Sequence[int]) -> list[Floats]:
        """Return what the upper layers get of a question: its states, its mask and its words."""
        ids, mask = _padded([question])
        with device_memory(self._placement):
            states = self._lower.infer([ids, mask]).to_tuple()[0].copy()
        return [states, mask[0], _words(mask)[0]]

    def _read(
        self, asked: Sequence[Floats], passages: Sequence[Sequence[int]]
    ) -> list[tuple[float, float, Floats]]:
        """Read passages with a question, given as what the upper layers get of it."""
        ids, mask = _padded(passages)
        with device_memory(self._placement):
            states = self._lower.infer([ids, mask]).to_tuple()[0].copy()
            relevance, answers, marks = self._upper.infer([*asked, states, mask, _words(mask)]).to_tuple()
            return [
                (float(relevance[row, 0]), float(answers[row, 0]), marks[row, : len(passage)].copy())
                for row, passage in enumerate(passages)
            ]


def alike(lengths: Sequence[int]) -> list[list[int]]:
    """Return the places of texts in batches: of nearly the same padded length, and no more tokens than fill a
    processor's caches."""
    batches: list[list[int]] = []
    shortest = 0
    for place in sorted(range(len(lengths)), key=lambda place: lengths[place]):
        steps = -(-lengths[place] // _STEP)
        if not batches or steps > shortest + 1 or len(batches[-1]) >= cache_sized(steps * _STEP):
            batches.append([])
            shortest = steps
        batches[-1].append(place)
    return batches


def _padded(texts: Sequence[Sequence[int]]) -> tuple[NDArray[np.int64], Floats]:
    """Return [b, s] ids, and a mask that is 0 behind each text's end."""
    longest = max(map(len, texts))
    ids = np.zeros((len(texts), -(-longest // _STEP) * _STEP), np.int64)
    mask = np.zeros(ids.shape, np.float32)
    for row, text in enumerate(texts):
        ids[row, : len(text)] = text
        mask[row, : len(text)] = 1
    return ids, mask


def _words(mask: Floats) -> Floats:
    """Return the mask without each text's [CLS] and [SEP]."""
    words = mask.copy()
    words[np.arange(len(words)), mask.sum(1).astype(np.int64) - 1] = 0
    words[:, 0] = 0
    return words


def _as_bert(tuned: Mapping[str, Floats]) -> dict[str, Floats]:
    """Return the tuned layers' weights by BERT's names."""
    places = {
        "self_attn.out_proj": "attention.output.dense",
        "norm1": "attention.output.LayerNorm",
        "linear1": "intermediate.dense",
        "linear2": "output.dense",
        "norm2": "output.LayerNorm",
    }
    found: dict[str, Floats] = {}
    for number in range(LAYERS - LOWER_LAYERS):
        own, theirs = f"upper.{number}", f"encoder.layer.{LOWER_LAYERS + number}"
        for kind in ("weight", "bias"):
            joined = tuned[f"{own}.self_attn.in_proj_{kind}"].astype(np.float32)
            for part, value in zip(("query", "key", "value"), np.split(joined, 3), strict=True):
                found[f"{theirs}.attention.self.{part}.{kind}"] = value
            for ours, name in places.items():
                found[f"{theirs}.{name}.{kind}"] = tuned[f"{own}.{ours}.{kind}"].astype(np.float32)
    return found
