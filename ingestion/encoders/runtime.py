"""The forward pass of the built-in encoder: on the processor and Intel's GPUs OpenVINO where it is installed,
else torch.

In fp32 the two give the same vectors to within rounding (cosine above .9999), so neither is part of an
encoder's fingerprint, and nor is the device. On a processor OpenVINO is faster and starts sooner; torch is
there on every machine, and runs on the GPUs of NVIDIA, AMD and Apple.
"""

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ingestion.encoders.base import Floats
from ingestion.encoders.device import CPU, Placement
from ingestion.encoders.device_memory import device_memory, loading_on
from ingestion.encoders.fair_lock import FairLock
from ingestion.encoders.graph import BertGraph, Ranges, openvino_core
from ingestion.encoders.projection import Projection
from ingestion.errors import ModelError

if TYPE_CHECKING:
    from torch import Tensor

# ids, mask [b, s]  →  cls [b, d], mean [b, d], tokens [b, s, k], of unit length
Forward = Callable[[NDArray[np.int64], Floats], tuple[Floats, Floats, Floats]]


def has_openvino() -> bool:
    return find_spec("openvino") is not None


def openvino_runs(placement: Placement) -> bool:
    """Whether OpenVINO runs the built-in models there, not torch."""
    return placement.by_openvino or (placement.is_cpu and has_openvino())


def load_forward(
    folder: Path, projection: Projection, ranges: Ranges | None, placement: Placement = CPU
) -> Forward:
    """Load the fastest runtime on a device.

    Args:
        folder: The model's files.
        projection: Of the token vectors.
        ranges: Input ranges for int8, which runs on the processor alone; None for fp32.
        placement: The device.

    Raises:
        ModelError: The files are broken, int8 is requested without OpenVINO, or the device refuses the
            model.
    """
    if ranges is not None and not has_openvino():
        raise ModelError(
            "the int8 encoder needs the package openvino, which is not installed; "
            "run: pip install openvino, or choose the precision fp32"
        )
    from safetensors import SafetensorError

    try:
        with loading_on(placement):
            if openvino_runs(placement):
                return OpenVinoForward(folder, projection, ranges, placement)
            return TorchForward(folder, projection, placement)
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise ModelError(
            f"the encoder's files in {folder} cannot be used: {error}; install the model again"
        ) from error


class OpenVinoForward:
    """The graph of `ingestion.encoders.graph`, compiled for this machine's processor or for an Intel GPU."""

    def __init__(
        self,
        folder: Path,
        projection: Projection,
        ranges: Ranges | None = None,
        placement: Placement = CPU,
    ) -> None:
        self._placement = placement
        model = BertGraph(folder, projection, ranges=ranges).build()
        self._request: Any = compile_graph(model, placement).create_infer_request()
        self._turn = FairLock()

    def __call__(self, ids: NDArray[np.int64], mask: Floats) -> tuple[Floats, Floats, Floats]:
        with self._turn, device_memory(self._placement):
            cls, mean, tokens = self._request.infer([ids, mask]).to_tuple()
            return cls.copy(), mean.copy(), tokens.copy()


def compile_graph(model: Any, placement: Placement) -> Any:
    """Compile an openvino.Model for the processor, or for OpenVINO's GPU."""
    # Without the hint, processors that can would compute in bf16, and GPUs in fp16: other vectors.
    hints = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
    return openvino_core().compile_model(model, "GPU" if placement.by_openvino else "CPU", hints)


class TorchForward:
    """The same vectors from the model as transformers runs it. Poolings and projection are computed on the
    device too, so that less has to be copied from it."""

    def __init__(self, folder: Path, projection: Projection, placement: Placement = CPU) -> None:
        import torch
        from transformers import AutoModel
        from transformers.utils import logging

        logging.disable_progress_bar()
        self._placement = placement
        model: Any = AutoModel.from_pretrained(folder, local_files_only=True, dtype=torch.float32)
        self._model = model.eval().to(placement.device)
        self._centre = torch.tensor(projection.centre, device=placement.device)
        self._components = torch.tensor(projection.components, device=placement.device)
        self._turn = FairLock()

    def __call__(self, ids: NDArray[np.int64], mask: Floats) -> tuple[Floats, Floats, Floats]:
        import torch

        with self._turn, device_memory(self._placement):
            device = self._placement.device
            cls, mean, tokens = self.vectors(
                torch.from_numpy(ids).to(device), torch.from_numpy(mask).to(device)
            )
            return cls.cpu().numpy(), mean.cpu().numpy(), tokens.cpu().numpy()

    def vectors(self, ids: "Tensor", mask: "Tensor") -> "tuple[Tensor, Tensor, Tensor]":
        """Return what `Forward` does as tensors of the device, from ids and mask there."""
        import torch
        from torch.nn.functional import normalize

        with torch.inference_mode():
            # As a mask of [b, s] transformers would look into it, for which the device has to catch up.
            bias = (mask[:, None, None] - 1) * 1e9
            hidden: Tensor = self._model(input_ids=ids, attention_mask=bias).last_hidden_state
            total = torch.einsum("bsd,bs->bd", hidden, mask)
            tokens = (normalize(hidden, dim=-1) - self._centre) @ self._components
            return normalize(hidden[:, 0], dim=-1), normalize(total, dim=-1), normalize(tokens, dim=-1)
