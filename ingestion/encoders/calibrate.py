"""Measure the input ranges of the built-in encoder's linear layers and write them beside this module.

    python -m ingestion.encoders.calibrate TEXT…

The shipped file was made from WordNet 3.0's glosses, as the projection (`ingestion.encoders.projection.fit`):
text that belongs to no evaluation set. The same text and weights give the same file.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ingestion.encoders.base import Floats
from ingestion.encoders.builtin import BUILTIN_MODEL, builtin_model_folder
from ingestion.encoders.graph import BertGraph, import_openvino, openvino_core, ranges_path
from ingestion.encoders.projection import load_projection
from ingestion.encoders.projection.fit import passages


def input_ranges(texts: Sequence[str]) -> dict[str, Floats]:
    """Return the largest absolute value of each input channel, by linear layer, over all tokens."""
    from tokenizers import Tokenizer

    openvino = import_openvino()
    opset13 = openvino.opset13
    folder = builtin_model_folder()
    graph = BertGraph(folder, load_projection(BUILTIN_MODEL))
    parameters = graph.build().get_parameters()
    largest = [
        opset13.reduce_max(opset13.abs(value), opset13.constant(np.array([0, 1])), False)
        for value in graph.inputs.values()
    ]
    hints = {"INFERENCE_PRECISION_HINT": "f32"}
    model = openvino.Model(largest, parameters, "ranges")
    measure = openvino_core().compile_model(model, "CPU", hints).create_infer_request()
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_truncation(256)
    tokenizer.no_padding()
    ranges: dict[str, Floats] = {}
    for encoded in tokenizer.encode_batch(list(texts)):
        ids = np.array([encoded.ids], np.int64)
        found = measure.infer([ids, np.ones(ids.shape, np.float32)]).to_tuple()
        for name, values in zip(graph.inputs, found, strict=True):
            ranges[name] = np.maximum(ranges.get(name, np.float32(0)), values)
    return ranges


def main() -> None:
    from safetensors.numpy import save_file

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("texts", type=Path, nargs="+")
    parser.add_argument("--passages", type=int, default=100)
    arguments = parser.parse_args()
    ranges = input_ranges(passages(arguments.texts, count=arguments.passages))
    names = " ".join(path.name for path in arguments.texts)
    save_file(ranges, ranges_path(BUILTIN_MODEL), {"model": BUILTIN_MODEL, "text": names})


if __name__ == "__main__":
    main()
