"""A BERT encoder as an OpenVINO graph, built straight from its weights: fp32, or int8 in its linear layers.

    ids, mask [b, s]  →  cls [b, d], mean [b, d], tokens [b, s, k], all of unit length

Poolings and projection are part of the graph. It is built in memory in well under a second: no
conversion, nothing to cache, and neither torch nor transformers is loaded.

int8: the largest value of each input channel of a linear layer is known from calibration
(`ingestion.encoders.calibrate`). As in SmoothQuant (Xiao et al., 2023), most of the difference between
channels moves from the input into the weights; then one step size serves all of a layer's input, and
one each output channel of its weights. As in LLM.int8() (Dettmers et al., 2022), the few channels with
huge values, which would make the steps of all channels coarse, stay in fp32; so do attention, normalisation
and pooling.
"""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from ingestion.encoders.base import Floats
from ingestion.encoders.projection import Projection
from ingestion.errors import ModelError

# The largest absolute value of each input channel, by the name of the linear layer that runs in int8.
Ranges = Mapping[str, Floats]

_FOLDER = Path(__file__).parent
# Changes whenever the same weights and ranges would give other int8 vectors.
INT8_VERSION = 1
# Exponents of the input's range in SmoothQuant's factor, behind normalisation or attention and behind
# GELU: of .5 to 1 those with the highest cosine of mean and token vectors to fp32.
_SMOOTHING, _GELU_SMOOTHING = 0.85, 0.7
# Steps of a symmetric int8 code on either side of 0.
_STEPS = 127
# GELU gives nothing below this, so its output is coded from here; its rare peaks are clipped to this share
# of the largest.
_GELU_FLOOR = -0.17
_GELU_KEPT = 0.9
# Channels of an input to the feed-forward layers that stay in fp32. One or two are five times the others.
_LOUD = 4
_SHORTEST = np.float32(1e-12)


def ranges_path(model: str) -> Path:
    """Return where the int8 ranges of `model` lie, shipped or not."""
    return _FOLDER / f"{model}.int8.safetensors"


def load_ranges(model: str) -> Ranges:
    """Read the shipped int8 ranges of `model`. Raises ModelError when there are none."""
    from safetensors.numpy import load_file

    path = ranges_path(model)
    if not path.is_file():
        raise ModelError(f"no int8 ranges for the model {model!r} at {path}; install the application again")
    return load_file(path)


def import_openvino() -> Any:
    """Import OpenVINO without its telemetry, which reports every import to Google Analytics.

    No setting stops it. Without the package openvino_telemetry, OpenVINO uses a stub that sends nothing.
    """
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # Python's way to bar an import
    import openvino

    return openvino


@cache
def openvino_core() -> Any:
    """OpenVINO's runtime, one for the life of the process.

    Loading its CPU code for every model takes time, and unloading it while its threads end is unsafe.
    """
    return import_openvino().Core()


class BertLayers:
    """BERT's parts as nodes of a graph: in int8 where `ranges` knows a linear layer, else in fp32.

    Args:
        folder: The model's files.
        tuned: Weights that replace those of the file, by their names there.
    """

    def __init__(
        self, folder: Path, *, ranges: Ranges | None = None, tuned: Mapping[str, Floats] | None = None
    ) -> None:
        from safetensors.numpy import load_file

        self._openvino = import_openvino()
        self._op: Any = self._openvino.opset13
        self._weights = {**load_file(folder / "model.safetensors"), **(tuned or {})}
        self._config = json.loads((folder / "config.json").read_text("utf-8"))
        self._ranges = ranges or {}
        # The linear layers' inputs as they are built: what calibration looks at.
        self.inputs: dict[str, Any] = {}

    def _embedded(self, ids: Any) -> Any:
        """Return what goes into the first layer, [b, s, d]."""
        op = self._op
        words = op.gather(self._weight("embeddings.word_embeddings.weight"), ids, self._ints(0))
        length = op.gather(op.shape_of(ids), self._ints(1), self._ints(0))
        positions = self._weights["embeddings.position_embeddings.weight"]
        positions = positions + self._weights["embeddings.token_type_embeddings.weight"][0]
        first = op.slice(
            op.constant(positions), self._ints([0]), op.unsqueeze(length, self._ints(0)), self._ints([1])
        )
        return self._norm(op.add(words, first), "embeddings.LayerNorm")

    def _through(self, hidden: Any, mask: Any, layers: Iterable[int]) -> Any:
        """Return what comes out of layers, one after the other; `mask` [b, s] is 0 for padding."""
        op = self._op
        # Padding gets a score so low that its share of the attention is 0.
        bias = op.multiply(op.subtract(mask, op.constant(np.float32(1))), op.constant(np.float32(1e9)))
        bias = op.unsqueeze(bias, self._ints([1, 2]))
        for layer in layers:
            hidden = self._layer(hidden, bias, f"encoder.layer.{layer}")
        return hidden

    def _layer(self, hidden: Any, bias: Any, name: str) -> Any:
        op = self._op
        projected = self._linear(
            hidden, [f"{name}.attention.self.{part}" for part in ("query", "key", "value")]
        )
        heads = self._config["num_attention_heads"]
        size = self._config["hidden_size"] // heads
        split = op.reshape(projected, self._ints([0, 0, 3, heads, size]), True)
        query, key, value = (
            op.squeeze(part, self._ints([0]))
            for part in op.split(op.transpose(split, self._ints([2, 0, 3, 1, 4])), self._ints(0), 3).outputs()
        )
        attended = op.scaled_dot_product_attention(query, key, value, bias)
        joined = op.reshape(op.transpose(attended, self._ints([0, 2, 1, 3])), self._ints([0, 0, -1]), True)
        output = self._linear(joined, [f"{name}.attention.output.dense"])
        hidden = self._norm(op.add(output, hidden), f"{name}.attention.output.LayerNorm")
        inner = op.gelu(self._linear(hidden, [f"{name}.intermediate.dense"]), "erf")
        output = self._linear(inner, [f"{name}.output.dense"], floor=_GELU_FLOOR)
        return self._norm(op.add(output, hidden), f"{name}.output.LayerNorm")

    def _linear(self, value: Any, names: Sequence[str], *, floor: float | None = None) -> Any:
        op = self._op
        weight = np.concatenate([self._weights[f"{name}.weight"] for name in names])
        bias = np.concatenate([self._weights[f"{name}.bias"] for name in names])
        self.inputs[names[0]] = value
        if names[0] not in self._ranges:
            product = op.matmul(value, op.constant(weight), False, True)
        elif ".attention." in names[0]:
            product = self._rounded(value, weight, self._ranges[names[0]], None)
        else:
            product = self._with_loud(value, weight, self._ranges[names[0]], floor)
        return op.add(product, op.constant(bias))

    def _with_loud(self, value: Any, weight: Floats, ranges: Floats, floor: float | None) -> Any:
        """The product in int8, except for the few channels with huge values."""
        op = self._op
        loud = np.sort(np.argsort(ranges)[-_LOUD:])
        few = op.gather(value, self._ints(loud.tolist()), self._ints(-1))
        exact = op.matmul(few, op.constant(np.ascontiguousarray(weight[:, loud])), False, True)
        quiet, quiet_ranges = weight.copy(), ranges.copy()
        quiet[:, loud], quiet_ranges[loud] = 0, np.median(ranges)
        return op.add(self._rounded(value, quiet, quiet_ranges, floor), exact)

    def _rounded(self, value: Any, weight: Floats, ranges: Floats, floor: float | None) -> Any:
        """Return the product of the rounded input and the rounded weights."""
        op = self._op
        smoothing = _SMOOTHING if floor is None else _GELU_SMOOTHING
        columns = np.maximum(np.abs(weight).max(axis=0), 1e-5)
        shares = np.maximum(ranges, 1e-5) ** smoothing / columns ** (1 - smoothing)
        even = op.multiply(value, op.constant((1 / shares).astype(np.float32)))
        codes = self._codes(even, float((ranges / shares).max()), floor and floor / float(shares.min()))
        moved = weight * shares
        steps = np.abs(moved).max(axis=1, keepdims=True) / _STEPS
        whole = op.constant(np.rint(moved / steps).astype(np.int8))
        restored = op.multiply(op.convert(whole, np.float32), op.constant(steps.astype(np.float32)))
        return op.matmul(codes, restored, False, True)

    def _codes(self, value: Any, largest: float, smallest: float | None) -> Any:
        """Round to 8 bits between the ends: as many steps on either side of 0, or from `smallest` up."""
        steps = 2 * _STEPS
        low, high = -largest, largest
        if smallest is not None:
            steps, high = steps + 1, largest * _GELU_KEPT
            # 0 has to be a code.
            below = np.ceil(steps * -smallest / (high - smallest))
            low, high = smallest, -smallest * (steps - below) / below
        ends = [self._op.constant(np.float32(end)) for end in (low, high)]
        return self._op.fake_quantize(value, *ends, *ends, steps + 1)

    def _unit(self, value: Any) -> Any:
        op = self._op
        length = op.sqrt(op.reduce_sum(op.multiply(value, value), self._ints([-1]), True))
        return op.divide(value, op.maximum(length, op.constant(_SHORTEST)))

    def _norm(self, value: Any, name: str) -> Any:
        op = self._op
        spread = op.mvn(value, self._ints([-1]), True, self._config["layer_norm_eps"], "inside_sqrt")
        return op.add(op.multiply(spread, self._weight(f"{name}.weight")), self._weight(f"{name}.bias"))

    def _weight(self, name: str) -> Any:
        return self._op.constant(self._weights[name])

    def _ints(self, value: int | Sequence[int]) -> Any:
        return self._op.constant(np.array(value, np.int64))


class BertGraph(BertLayers):
    """Builds the encoder's graph: in int8 with `ranges`, else in fp32."""

    def __init__(self, folder: Path, projection: Projection, *, ranges: Ranges | None = None) -> None:
        super().__init__(folder, ranges=ranges)
        self._projection = projection

    def build(self) -> Any:
        """Return the openvino.Model."""
        ids = self._op.parameter([-1, -1], np.int64, name="ids")
        mask = self._op.parameter([-1, -1], np.float32, name="mask")
        hidden = self._through(self._embedded(ids), mask, range(self._config["num_hidden_layers"]))
        return self._openvino.Model(self._readings(hidden, mask), [ids, mask], "encoder")

    def _readings(self, hidden: Any, mask: Any) -> list[Any]:
        op = self._op
        column = op.unsqueeze(mask, self._ints([2]))
        total = op.reduce_sum(op.multiply(hidden, column), self._ints([1]), False)
        cls = op.gather(hidden, self._ints(0), self._ints(1))
        centred = op.subtract(self._unit(hidden), op.constant(self._projection.centre))
        tokens = op.matmul(centred, op.constant(self._projection.components), False, False)
        return [self._unit(cls), self._unit(total), self._unit(tokens)]
