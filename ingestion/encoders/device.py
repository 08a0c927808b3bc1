"""The device that computes vectors and scores: the processor, or an accelerator that torch or OpenVINO knows.

    auto   cuda, xpu or mps, whichever torch finds first; else cpu
    cpu    the processor
    cuda   a GPU of NVIDIA, or of AMD with torch's ROCm build
    xpu    a GPU of Intel: OpenVINO's for the built-in models, torch's for others
    mps    the GPU of a Mac with Apple silicon

An accelerator that was asked for and is not here is an error; only `auto` chooses the processor by itself.
Importing torch takes seconds, so what a file can tell is read first: the build of torch, and /dev.
"""

import platform
import runpy
import sys
from dataclasses import dataclass, field
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, Protocol, get_args

from ingestion.encoders.graph import openvino_core
from ingestion.errors import ModelError

Device = Literal["auto", "cpu", "cuda", "mps", "xpu"]
DEVICES: tuple[Device, ...] = get_args(Device)
# In the order in which `auto` looks for them. A build of torch knows one of them.
ACCELERATORS = ("cuda", "xpu", "mps")

_NAMES = {"cuda": "CUDA", "xpu": "Intel GPUs (XPU)", "mps": "Apple GPUs (MPS)"}
# What torch/version.py names in a build for an accelerator.
_BUILT_FOR = {"cuda": ("cuda", "hip"), "xpu": ("xpu",)}
# What Linux has in /dev with the drivers of NVIDIA (also on Jetson), AMD and Intel, and in WSL (dxg).
_DEVICE_FILES = {
    "cuda": ("nvidia*", "nvhost*", "nvmap", "kfd", "dxg"),
    "xpu": ("dri/renderD*", "dxg"),
}
_OPENVINO_GPU = "GPU"


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a model runs.

    Attributes:
        device: torch's name for it: cpu, cuda, xpu or mps.
        reason: The accelerator's name, or why it is the processor.
        by_openvino: Whether OpenVINO runs it on a GPU.
    """

    device: str
    reason: str
    by_openvino: bool = False

    @property
    def is_cpu(self) -> bool:
        return self.device == "cpu"

    def __str__(self) -> str:
        return f"{self.device}: {self.reason}"


CPU = Placement("cpu", "as set")


class Accelerators(Protocol):
    """The accelerators of a machine."""

    def excluded(self, kind: str) -> str | None:
        """Return why torch cannot use a kind of accelerator; None where only importing torch can tell."""
        ...

    def name(self, kind: str) -> str | None:
        """Return the name of the accelerator that torch uses, None where it finds none of that kind."""
        ...

    def openvino_gpu(self) -> str | None:
        """Return the name of the GPU that OpenVINO uses; None without one."""
        ...

    def idle(self) -> str | None:
        """Return what is said of a GPU that is here and that the installed torch cannot use."""
        ...


@dataclass(frozen=True)
class InstalledAccelerators:
    """What torch and OpenVINO find on this machine.

    Attributes:
        device_files: The folder of the system's devices.
    """

    device_files: Path = Path("/dev")

    @cached_property
    def _build(self) -> dict[str, Any]:
        """What torch/version.py says; empty without torch. Finding a package does not import it."""
        spec = find_spec("torch")
        if spec is None or spec.origin is None:
            return {}
        return runpy.run_path(str(Path(spec.origin).with_name("version.py")))

    def excluded(self, kind: str) -> str | None:
        build = self._build
        if not build:
            return "torch is not installed"
        if kind == "mps":
            is_apple = (sys.platform, platform.machine()) == ("darwin", "arm64")
            return None if is_apple else "only Macs with Apple silicon have one"
        if not any(build.get(name) for name in _BUILT_FOR[kind]):
            return f"torch {build.get('__version__')} is built without {_NAMES[kind]}"
        if sys.platform == "linux" and not self._has_files(*_DEVICE_FILES[kind]):
            return f"no device for {_NAMES[kind]} is in {self.device_files}"
        return None

    def name(self, kind: str) -> str | None:
        if self.excluded(kind):
            return None
        import torch

        match kind:
            case "cuda":
                return str(torch.cuda.get_device_name()) if torch.cuda.is_available() else None
            case "xpu":
                return str(torch.xpu.get_device_name()) if torch.xpu.is_available() else None
            case _:
                return "Apple GPU" if torch.backends.mps.is_available() else None

    def openvino_gpu(self) -> str | None:
        if find_spec("openvino") is None:
            return None
        core = openvino_core()
        if not any(one.split(".")[0] == _OPENVINO_GPU for one in core.available_devices):
            return None
        return str(core.get_property(_OPENVINO_GPU, "FULL_DEVICE_NAME"))

    def idle(self) -> str | None:
        build = self._build
        if not build or build.get("cuda") or build.get("hip") or not self._has_files("nvidia[0-9]*"):
            return None
        return f"an NVIDIA GPU is here, and torch {build.get('__version__')} is built without CUDA"

    def _has_files(self, *patterns: str) -> bool:
        return any(any(self.device_files.glob(pattern)) for pattern in patterns)


@dataclass(frozen=True)
class ComputeDevice:
    """The device that a person asked for, looked for when a model first needs it."""

    asked: Device = "auto"
    machine: Accelerators = field(default_factory=InstalledAccelerators)

    @cached_property
    def by_torch(self) -> Placement:
        """Where models run that torch computes.

        Raises:
            ModelError: The device is not here.
        """
        if self.asked == "cpu":
            return CPU
        if self.asked == "auto":
            found = ((kind, self.machine.name(kind)) for kind in ACCELERATORS)
            best = next((Placement(kind, name) for kind, name in found if name), None)
            return best or Placement("cpu", self.machine.idle() or "no accelerator found")
        name = self.machine.name(self.asked)
        if name is None:
            raise self._absent(self.machine.excluded(self.asked) or self._not_found())
        return Placement(self.asked, name)

    @cached_property
    def _openvino_gpu(self) -> str | None:
        return self.machine.openvino_gpu()

    def builtin(self, precision: str = "fp32") -> Placement:
        """Return where the built-in models run.

        int8 is made of steps of the processor's own instructions; on an accelerator its vectors would be
        others.

        Raises:
            ModelError: The device is not here, or cannot run int8.
        """
        if precision == "int8":
            self._check_int8()
            return CPU if self.asked == "cpu" else Placement("cpu", "int8 runs on the processor")
        if self.asked == "xpu" or (self.asked == "auto" and self.by_torch.device == "xpu"):
            name = self._openvino_gpu
            if name is not None:
                return Placement("xpu", f"{name}, by OpenVINO", by_openvino=True)
        return self.by_torch

    def check(self, precision: str = "fp32") -> None:
        """Raises ModelError where the device is plainly not here; imports torch only to say what is."""
        if self.asked in ("auto", "cpu"):
            return
        if precision == "int8":
            self._check_int8()
        excluded = self.machine.excluded(self.asked)
        if excluded and not (self.asked == "xpu" and self._openvino_gpu):
            raise self._absent(excluded)

    def describe(self, precision: str = "fp32") -> str:
        """Return one line: where models run, and why. Raises ModelError where the device is not here."""
        builtin = self.builtin(precision)
        if builtin.by_openvino:
            others = self.machine.name("xpu")
            return str(builtin) if others else f"{builtin}; models of others need a torch built for it"
        found = self.by_torch
        return str(found) if builtin.device == found.device else f"{found}; the built-in encoder, {builtin}"

    def _check_int8(self) -> None:
        if self.asked not in ("auto", "cpu"):
            raise ModelError(
                f"the int8 encoder runs on the processor alone, and device is {self.asked!r}; "
                "set encoder_precision to fp32, or device to auto"
            )

    def _not_found(self) -> str:
        return f"torch finds no device for {_NAMES[self.asked]}; its driver may be missing or too old"

    def _absent(self, reason: str) -> ModelError:
        if self.asked == "xpu" and self._openvino_gpu is None:
            reason += ", and OpenVINO finds no GPU"
        usable = ["cpu", *(kind for kind in ACCELERATORS if self.machine.name(kind))]
        return ModelError(
            f"device {self.asked!r} cannot be used: {reason}; usable here: {', '.join(usable)}. "
            f"Set device to auto or one of these, or install a torch built for {_NAMES[self.asked]}"
        )


# What models use where nothing was asked for.
ANY_DEVICE = ComputeDevice()
