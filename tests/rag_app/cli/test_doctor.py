"""What `doctor` says of llama.cpp on this machine, and of a language model without loading it."""

import sys
from pathlib import Path
from typing import Any

import pytest

from ingestion.encoders import ComputeDevice
from rag_app.cli import doctor
from rag_app.config.settings import Settings
from rag_app.llm.process.processors import default_threads
from rag_app.llm.speed import PrefillSpeeds, ReadingSetup
from tests.helpers.commands import Command
from tests.helpers.devices import Pretended
from tests.helpers.tiny_gguf import TinyModel, write_tiny_gguf


def llama(run: Command, data: Path) -> dict[str, str]:
    checks = run("--data-dir", data, "doctor", "--json").json["checks"]
    (found,) = [check for check in checks if check["name"] == "llama.cpp"]
    return dict(found)


@pytest.mark.parametrize(
    ("answer", "layers", "state", "said"),
    [
        ("True", "", "ok", "built for a GPU; all layers"),
        ("True", "12", "ok", "built for a GPU; 12 layers"),
        ("False", "", "ok", "computes on the processor"),
        ("False", "0", "ok", "computes on the processor"),
        ("False", "-1", "warning", "llm_gpu_layers = -1 has no effect"),
    ],
)
def test_it_says_where_a_model_computes(
    run: Command,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    answer: str,
    layers: str,
    state: str,
    said: str,
) -> None:
    monkeypatch.setattr(doctor, "_ASK_LLAMA", f"print({answer})")
    monkeypatch.setenv("RAG_APP_LLM_GPU_LAYERS", layers)
    found = llama(run, tmp_path / "data")
    assert found["state"] == state
    assert said in found["detail"]


def test_a_build_that_cannot_be_loaded_is_told(
    run: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "_ASK_LLAMA", "import llama_cpp_that_is_gone")
    found = llama(run, tmp_path / "data")
    assert found["state"] == "error"
    assert "No module named" in found["detail"]
    assert "force-reinstall" in found["mend"]


def reading(run: Command, data: Path) -> str:
    """What `doctor` says of the language model."""
    checks = run("--data-dir", data, "doctor", "--json").json["checks"]
    (found,) = (check["detail"] for check in checks if check["name"] == "language model")
    return str(found)


def measured(data: Path, path: Path, tokens_per_s: float) -> None:
    """Keep a reading speed, as a question would."""
    file = Settings(data_dir=data).speed_file
    PrefillSpeeds(file).note(ReadingSetup(path, default_threads()), 1000, 1000 / tokens_per_s)


@pytest.mark.parametrize(
    ("options", "tokens_per_s", "said"),
    [
        ({"context": 8192}, 100, "; reads 100 tokens/s; 1000 tokens of evidence"),
        ({"context": 1024}, 100, "; reads 100 tokens/s; 512 tokens of evidence"),
        ({"context": 1024}, None, "; reads as fast as its first question will show"),
        (
            {"context": 8192, "chat_template": None, "has_chatml": False},
            100,
            "; reads 100 tokens/s; 600 tokens of evidence, because it only completes text",
        ),
        (
            {"context": 1024, "chat_template": None, "has_chatml": False},
            None,
            "; reads as fast as its first question will show; 256 tokens of evidence, because it only "
            "completes text",
        ),
    ],
)
def test_doctor_names_the_evidence_that_a_model_gets(
    run: Command,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: dict[str, Any],
    tokens_per_s: float | None,
    said: str,
) -> None:
    data, path = tmp_path / "data", write_tiny_gguf(tmp_path / "tiny.gguf", TinyModel(**options))
    monkeypatch.setenv("RAG_APP_LLM", str(path))
    if tokens_per_s is not None:
        measured(data, path, tokens_per_s)
    assert reading(run, data) == f"{path}{said}"


def test_doctor_names_the_evidence_that_the_settings_choose(
    run: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_tiny_gguf(tmp_path / "tiny.gguf", TinyModel(chat_template=None, has_chatml=False))
    monkeypatch.setenv("RAG_APP_LLM", str(path))
    monkeypatch.setenv("RAG_APP_EVIDENCE_TOKENS", "700")
    assert reading(run, tmp_path / "data").endswith("; 700 tokens of evidence, as set")


def test_it_says_what_reads_scanned_pages(
    run: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def recognition() -> tuple[str, str]:
        checks = run("--data-dir", tmp_path / "data", "doctor", "--json").json["checks"]
        (found,) = [check for check in checks if check["name"] == "recognition"]
        return found["state"], found["detail"]

    assert recognition() == ("ok", "rapidocr, for eng")
    monkeypatch.setenv("RAG_APP_OCR_LANGUAGES", "eng,tlh")
    state, detail = recognition()
    assert state == "warning"
    assert detail.startswith("scanned pages are not read: ")
    assert "tlh" in detail
    monkeypatch.setenv("RAG_APP_OCR_RECOGNISER", "rapidocr")
    assert recognition()[1].startswith(
        "scanned pages are not read: rapidocr does not read the language tlh; "
    )


@pytest.mark.parametrize(
    ("machine", "asked", "state", "said"),
    [
        (Pretended(), "auto", "ok", "cpu: no accelerator found"),
        (Pretended({"cuda": "H200"}), "auto", "ok", "cuda: H200"),
        (Pretended({"cuda": "H200"}), "cpu", "ok", "cpu: as set"),
        (Pretended(unused="an NVIDIA GPU is here"), "auto", "warning", "cpu: an NVIDIA GPU is here"),
        (
            Pretended({"mps": "Apple GPU"}, unused="an NVIDIA GPU is here"),
            "auto",
            "warning",
            "mps: Apple GPU; an NVIDIA GPU is here",
        ),
    ],
)
def test_it_says_where_models_run(
    run: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    machine: Pretended, asked: str, state: str, said: str,
) -> None:  # fmt: skip
    monkeypatch.setattr(doctor, "ComputeDevice", lambda asked: ComputeDevice(asked, machine))
    checks = run("--data-dir", tmp_path / "data", "--device", asked, "doctor", "--json").json["checks"]
    (found,) = [check for check in checks if check["name"] == "device"]
    assert (found["state"], found["detail"]) == (state, said)


def test_a_device_that_is_not_here_is_one_error(run: Command, tmp_path: Path) -> None:
    device = "mps" if sys.platform == "linux" else "xpu"
    checks = run("--data-dir", tmp_path / "data", "--device", device, "doctor", "--json").json["checks"]
    wrong = {check["name"]: check for check in checks if check["state"] == "error"}
    assert wrong["device"]["detail"].startswith(f"device '{device}' cannot be used: ")
    assert wrong["device"]["mend"] == "set RAG_APP_DEVICE to auto"
    assert "library" not in wrong
    refused = run("--data-dir", tmp_path / "data", "--device", device, "search", "apples")
    assert refused.code == 1
    assert f"device '{device}' cannot be used" in refused.err
    unknown = run("--data-dir", tmp_path / "data", "--device", "tpu", "search", "apples")
    assert unknown.code == 2
    assert "the setting device cannot be 'tpu'" in unknown.err
    assert "'auto', 'cpu', 'cuda', 'mps' or 'xpu'" in unknown.err
