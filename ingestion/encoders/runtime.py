"""The forward pass of the built-in encoder: OpenVINO where it is installed, else torch.

In fp32 the two give the same vectors to within rounding (cosine above .9999), so neither is part of an
encoder's fingerprint. OpenVINO is faster and starts sooner; torch is there on every machine.
"""

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingestion.encoders.base import Floats
from ingestion.encoders.fair_lock import FairLock
from ingestion.encoders.graph import BertGraph, Ranges, openvino_core
from ingestion.encoders.projection import Projection, unit_rows
from ingestion.errors import ModelError

# ids, mask [b, s]  →  cls [b, d], mean [b, d], tokens [b, s, k], of unit length
Forward = Callable[[NDArray[np.int64], Floats], tuple[Floats, Floats, Floats]]


def has_openvino() -> bool:
    return find_spec("openvino") is not None


def load_forward(folder: Path, projection: Projection, ranges: Ranges | None) -> Forward:
    """Load the fastest runtime on this machine.

    Args:
        folder: The model's files.
        projection: Of the token vectors.
        ranges: Input ranges for int8; None for fp32.

    Raises:
        ModelError: The files are broken, or int8 is requested without OpenVINO.
    """
    if ranges is not None and not has_openvino():
        raise ModelError(
            "the int8 encoder needs the package openvino, which is not installed; "
            "run: pip install openvino, or choose the precision fp32"
        )
    from safetensors import SafetensorError

    try:
        if has_openvino():
            return OpenVinoForward(folder, projection, ranges)
        return TorchForward(folder, projection)
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise ModelError(
            f"the encoder's files in {folder} cannot be used: {error}; install the model again"
        ) from error


class OpenVinoForward:
    """The graph of `ingestion.encoders.graph`, compiled for this machine's CPU."""

    def __init__(self, folder: Path, projection: Projection, ranges: Ranges | None = None) -> None:
        model = BertGraph(folder, projection, ranges=ranges).build()
        # Without the hint, CPUs that can would compute in bf16: other vectors than elsewhere.
        hints = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
        self._request: Any = openvino_core().compile_model(model, "CPU", hints).create_infer_request()
        self._turn = FairLock()

    def __call__(self, ids: NDArray[np.int64], mask: Floats) -> tuple[Floats, Floats, Floats]:
        with self._turn:
            cls, mean, tokens = self._request.infer([ids, mask]).to_tuple()
            return cls.copy(), mean.copy(), tokens.copy()


class TorchForward:
    """The same vectors from the model as transformers runs it."""

    def __init__(self, folder: Path, projection: Projection) -> None:
        from transformers import AutoModel
        from transformers.utils import logging

        logging.disable_progress_bar()
        self._model: Any = AutoModel.from_pretrained(folder, local_files_only=True).eval()
        self._projection = projection
        self._turn = FairLock()

    def __call__(self, ids: NDArray[np.int64], mask: Floats) -> tuple[Floats, Floats, Floats]:
        import torch

        with self._turn, torch.inference_mode():
            inputs = torch.from_numpy(ids), torch.from_numpy(mask)
            hidden = self._model(
                input_ids=inputs[0], attention_mask=inputs[1].long()
            ).last_hidden_state.numpy()
        tokens = self._projection.apply(hidden.reshape(-1, hidden.shape[-1]))
        total = np.einsum("bsd,bs->bd", hidden, mask)
        return unit_rows(hidden[:, 0]), unit_rows(total), tokens.reshape(*hidden.shape[:2], -1)
