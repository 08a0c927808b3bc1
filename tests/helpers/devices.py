"""Machines with accelerators of the tests' choice, and a device that computes shapes alone."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from ingestion.encoders import ComputeDevice, Device

META = "meta"
# They make a tensor of the device from values in Python.
_ARRIVALS = ("lift_fresh", "_to_copy")


@dataclass(frozen=True, eq=False)
class Pretended:
    """A machine with accelerators by their kinds, and perhaps a GPU of OpenVINO's."""

    named: Mapping[str, str] = field(default_factory=dict)
    by_openvino: str | None = None
    unused: str | None = None

    def excluded(self, kind: str) -> str | None:
        return None if kind in self.named else f"this machine has no {kind}"

    def name(self, kind: str) -> str | None:
        return self.named.get(kind)

    def openvino_gpu(self) -> str | None:
        return self.by_openvino

    def idle(self) -> str | None:
        return self.unused


def meta_device() -> ComputeDevice:
    """Return torch's meta device as if somebody had asked for it: a device other than the processor, which
    every build of torch has, whose tensors have no values."""
    return ComputeDevice(cast(Device, META), Pretended({META: "no memory"}))


def look_into_no_mask(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let transformers not ask whether a mask has padding, for which it reads a value from the device."""
    monkeypatch.setattr("transformers.masking_utils._ignore_bidirectional_mask_sdpa", lambda *_, **__: False)


class OnlyMeta(TorchDispatchMode):
    """Fails at the first operation on a tensor that is not on the meta device, and counts the others."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        made = func(*args, **(kwargs or {}))
        used = made if any(name in str(func) for name in _ARRIVALS) else (args, kwargs, made)
        tensors = [one for one in tree_leaves(used) if isinstance(one, torch.Tensor) and one.dim()]
        places = {one.device.type for one in tensors}
        assert places <= {META}, f"{func} on {places}"
        self.count += bool(places)
        return made
