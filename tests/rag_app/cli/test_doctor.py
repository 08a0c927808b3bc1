"""What `doctor` says of llama.cpp on this machine."""

from pathlib import Path

import pytest

from rag_app.cli import doctor
from tests.helpers.commands import Command


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
