"""Where models run: what is chosen on which machine, and that whole models compute on the device chosen."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ingestion.encoders import BUILTIN_MODEL, ComputeDevice, Device, builtin_encoder, builtin_model_folder
from ingestion.encoders.builtin import BertEncoder
from ingestion.encoders.device import InstalledAccelerators, Placement
from ingestion.encoders.projection import load_projection
from ingestion.errors import ModelError
from tests.helpers.devices import META, Pretended, meta_device

BOTH = Pretended({"xpu": "Arc", "cuda": "H200"})


@pytest.mark.parametrize(
    ("asked", "machine", "said"),
    [
        ("auto", Pretended(), "cpu: no accelerator found"),
        ("auto", Pretended(unused="an NVIDIA GPU is here"), "cpu: an NVIDIA GPU is here"),
        ("auto", BOTH, "cuda: H200"),
        ("auto", Pretended({"mps": "Apple GPU"}), "mps: Apple GPU"),
        ("cpu", BOTH, "cpu: as set"),
        ("xpu", BOTH, "xpu: Arc"),
        # Without being asked, a GPU that torch does not know leaves everything as it is.
        ("auto", Pretended(by_openvino="Iris"), "cpu: no accelerator found"),
        ("xpu", Pretended({"xpu": "Arc"}, by_openvino="Arc"), "xpu: Arc, by OpenVINO"),
        ("auto", Pretended({"xpu": "Arc"}, by_openvino="Arc"), "xpu: Arc, by OpenVINO"),
        (
            "xpu",
            Pretended(by_openvino="Iris"),
            "xpu: Iris, by OpenVINO; models of others need a torch built for it",
        ),
    ],
)
def test_where_models_run_and_why(asked: Device, machine: Pretended, said: str) -> None:
    compute = ComputeDevice(asked, machine)
    compute.check()
    assert compute.describe() == said


def test_a_device_that_is_not_here_is_never_replaced() -> None:
    compute = ComputeDevice("cuda", Pretended({"mps": "Apple GPU"}))
    told = (
        r"device 'cuda' cannot be used: this machine has no cuda; usable here: cpu, mps\. "
        "Set device to auto or one of these, or install a torch built for CUDA"
    )
    for ask in (compute.check, compute.describe, compute.builtin, lambda: compute.by_torch):
        with pytest.raises(ModelError, match=told):
            ask()
    # OpenVINO's GPU runs the built-in models alone.
    compute = ComputeDevice("xpu", Pretended(by_openvino="Iris"))
    assert compute.builtin() == Placement("xpu", "Iris, by OpenVINO", by_openvino=True)
    with pytest.raises(ModelError, match="this machine has no xpu; usable here: cpu"):
        _ = compute.by_torch
    with pytest.raises(ModelError, match="this machine has no xpu, and OpenVINO finds no GPU; usable"):
        ComputeDevice("xpu", Pretended()).check()


def test_int8_stays_on_the_processor() -> None:
    assert ComputeDevice("auto", BOTH).builtin("int8") == Placement("cpu", "int8 runs on the processor")
    said = "cuda: H200; the built-in encoder, cpu: int8 runs on the processor"
    assert ComputeDevice("auto", BOTH).describe("int8") == said
    for ask in (ComputeDevice("cuda", BOTH).check, ComputeDevice("cuda", BOTH).builtin):
        with pytest.raises(ModelError, match=r"int8 .* device is 'cuda'; set encoder_precision to fp32"):
            ask("int8")


def test_what_a_build_of_torch_and_the_devices_tell_without_an_import(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    devices, packages = tmp_path / "dev", tmp_path / "packages"
    build = packages / "torch" / "version.py"
    build.parent.mkdir(parents=True)
    devices.mkdir()
    (packages / "torch" / "__init__.py").write_text("raise AssertionError('imported')")
    monkeypatch.syspath_prepend(str(packages))
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    monkeypatch.setattr(sys, "platform", "linux")

    def found(version: str, cuda: str | None) -> InstalledAccelerators:
        build.write_text(f"__version__ = {version!r}\ncuda = {cuda!r}\nhip = None\nxpu = None\n")
        return InstalledAccelerators(devices)

    assert found("2.13.0+cpu", None).excluded("cuda") == "torch 2.13.0+cpu is built without CUDA"
    assert found("2.13.0", "13.0").excluded("cuda") == f"no device for CUDA is in {devices}"
    assert found("2.13.0", "13.0").excluded("xpu") == "torch 2.13.0 is built without Intel GPUs (XPU)"
    assert found("2.13.0", "13.0").name("cuda") is None
    (devices / "nvidia0").touch()
    assert found("2.13.0", "13.0").excluded("cuda") is None
    assert found("2.13.0", "13.0").idle() is None
    said = "an NVIDIA GPU is here, and torch 2.13.0+cpu is built without CUDA"
    assert found("2.13.0+cpu", None).idle() == said


def test_auto_imports_no_torch_where_no_accelerator_can_be() -> None:
    program = """
import sys
from ingestion.encoders import ComputeDevice
from ingestion.encoders.device import ACCELERATORS, InstalledAccelerators
if all(InstalledAccelerators().excluded(kind) for kind in ACCELERATORS):
    assert ComputeDevice().describe().startswith("cpu: ")
    assert not {"torch", "openvino"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)


@pytest.mark.slow
def test_the_built_in_model_computes_on_the_device_alone() -> None:
    import torch

    from ingestion.encoders.runtime import TorchForward
    from tests.helpers.devices import OnlyMeta

    forward = TorchForward(
        builtin_model_folder(), load_projection(BUILTIN_MODEL), Placement(META, "no memory")
    )
    ids = torch.ones((2, 16), dtype=torch.int64, device=META)
    with OnlyMeta() as operations:
        cls, mean, tokens = forward.vectors(ids, torch.ones((2, 16), device=META))
    assert operations.count > 100
    assert {one.device.type for one in (cls, mean, tokens)} == {META}
    assert (cls.shape, mean.shape, tokens.shape) == ((2, 384), (2, 384), (2, 16, 128))
    # The whole encoder, up to the copy of the vectors.
    encoder = builtin_encoder("fp32", meta_device())
    assert encoder.device == META
    assert encoder.fingerprint == builtin_encoder().fingerprint
    with pytest.raises(NotImplementedError, match="Cannot copy out of meta tensor"):
        encoder.encode(["apple", "pear"])


@pytest.mark.slow
def test_a_gpu_that_refuses_a_model_is_said() -> None:
    core = pytest.importorskip("ingestion.encoders.graph").openvino_core()
    if any(one.startswith("GPU") for one in core.available_devices):
        pytest.skip("OpenVINO has a GPU here")
    told = "a model cannot be loaded on the device xpu: Iris, by OpenVINO: .*; .* set device to cpu$"
    with pytest.raises(ModelError, match=told):
        builtin_encoder("fp32", ComputeDevice("xpu", Pretended(by_openvino="Iris"))).encode_query("why?")


@pytest.mark.slow
def test_vectors_of_torch_are_those_of_openvino(monkeypatch: pytest.MonkeyPatch) -> None:
    """In fp32, the fingerprint is the same and so must the vectors be: cosine .999 at least."""
    pytest.importorskip("openvino")
    texts = ["The Bramley apple tree stands by the north wall.", "High water " * 90, "x", "Naïve façades"]
    usual = builtin_encoder().encode(texts)
    monkeypatch.setattr("ingestion.encoders.runtime.has_openvino", lambda: False)
    folder, projection = builtin_model_folder(), load_projection(BUILTIN_MODEL)
    other = BertEncoder(BUILTIN_MODEL, folder, projection, compute=ComputeDevice("cpu"))
    assert other.device == "cpu"
    found = other.encode(texts)
    for kind in ("cls", "mean", "tokens"):
        cosines = np.sum(getattr(usual, kind) * getattr(found, kind), axis=1)
        assert cosines.min() > 0.99999, kind
