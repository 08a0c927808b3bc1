"""How many passages an accelerator computes at a time, by its free memory; fewer where that was too much.

On the processor a batch keeps to its caches instead (`ingestion.encoders.batches`).
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from ingestion.encoders.device import Placement
from ingestion.errors import ModelError

# More passages at a time fill no accelerator better, and a block of a document has no more.
MOST_PASSAGES = 256
# Of the free memory; the rest is for other programs, kernels and what allocators cannot use.
_SHARE = 0.5
# Values a token holds at once in a layer, as many as the hidden state has: input, residual, query, key,
# value, attention's output, its projection and the norm of it. The feed-forward layer holds its inner state
# before and after its activation, attention its scores before and after the softmax.
_HIDDEN_COPIES = 8
_INNER_COPIES = 2
_SCORE_COPIES = 2
_BYTES = 4  # of a float32
# Where a driver does not tell its free memory.
_UNKNOWN_BYTES = 1 << 30
# How torch's MPS and OpenVINO say it, who have no class for it.
_OUT_OF_MEMORY = ("out of memory", "cl_out_of", "exceeded max size of memory")

In = TypeVar("In")
Out = TypeVar("Out")


class DeviceError(ModelError):
    """A model cannot be loaded on an accelerator."""


class OutOfDeviceMemory(DeviceError):
    """The device has too little memory for a batch."""


@dataclass(frozen=True, slots=True)
class ModelShape:
    """The sizes of a transformer: hidden state, feed-forward layer and attention heads."""

    hidden: int
    inner: int
    heads: int

    @classmethod
    def of(cls, config: Any) -> "ModelShape":
        """Read a configuration of transformers; what it does not say is as in a large BERT."""
        hidden = int(getattr(config, "hidden_size", None) or 1024)
        inner = int(getattr(config, "intermediate_size", None) or 4 * hidden)
        return cls(hidden, inner, int(getattr(config, "num_attention_heads", None) or 16))


def passages_at_once(free_bytes: int, shape: ModelShape, tokens: int) -> int:
    """Return how many passages of so many tokens one forward pass in float32 may hold.

    Counts one layer, without gradients, and attention that keeps its scores, which a fused one does not.
    """
    length = max(1, tokens)
    values = length * (_HIDDEN_COPIES * shape.hidden + _INNER_COPIES * shape.inner)
    values += _SCORE_COPIES * shape.heads * length**2
    return max(1, min(MOST_PASSAGES, int(free_bytes * _SHARE) // (_BYTES * values)))


def free_bytes(placement: Placement) -> int:
    """Return the memory of an accelerator that nothing uses, with what torch holds and does not use."""
    if placement.by_openvino:
        from ingestion.encoders.graph import openvino_core

        return int(openvino_core().get_property("GPU", "GPU_DEVICE_TOTAL_MEM_SIZE")) // 2
    import torch

    if placement.device == "mps":
        return torch.mps.recommended_max_memory() - torch.mps.driver_allocated_memory()
    try:
        free, _ = torch.accelerator.get_memory_info()
    except RuntimeError:  # some drivers of Intel do not tell
        return _UNKNOWN_BYTES
    return free + torch.accelerator.memory_reserved() - torch.accelerator.memory_allocated()


@contextmanager
def device_memory(placement: Placement) -> Iterator[None]:
    """Raise OutOfDeviceMemory instead of what torch and OpenVINO raise."""
    try:
        yield
    except RuntimeError as error:
        if placement.is_cpu or not _is_out_of_memory(error):
            raise
        raise OutOfDeviceMemory(
            f"the memory of the device {placement} is too small for one passage: {_said(error)}; "
            "end other programs that use it, choose a smaller model, or set device to cpu"
        ) from error


@contextmanager
def loading_on(placement: Placement) -> Iterator[None]:
    """Raise DeviceError where an accelerator refuses a model, instead of what torch and OpenVINO raise."""
    try:
        with device_memory(placement):
            yield
    except RuntimeError as error:
        if placement.is_cpu:
            raise
        raise DeviceError(
            f"a model cannot be loaded on the device {placement}: {_said(error)}; "
            "update its driver, or set device to cpu"
        ) from error


def run_in_batches(items: Sequence[In], size: int, run: Callable[[Sequence[In]], Sequence[Out]]) -> list[Out]:
    """Run a function over a list, `size` at a time; a batch that does not fit is halved, down to one.

    Raises:
        OutOfDeviceMemory: One does not fit.
    """
    found: list[Out] = []
    most = max(1, size)
    while len(found) < len(items):
        batch = items[len(found) : len(found) + most]
        try:
            found += run(batch)
        except OutOfDeviceMemory:
            if len(batch) == 1:
                raise
            most = len(batch) // 2
    return found


def _said(error: RuntimeError) -> str:
    """Return the first line that says something: OpenVINO begins with places in its own code."""
    lines = (line.strip() for line in str(error).splitlines() if not line.startswith("Exception from"))
    return next(filter(None, lines), type(error).__name__)


def _is_out_of_memory(error: RuntimeError) -> bool:
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(error, torch.OutOfMemoryError):
        return True
    said = str(error).lower()
    return any(words in said for words in _OUT_OF_MEMORY)
