"""What is no adapter for the model is refused with its name, before llama.cpp sees it."""

from collections.abc import Callable
from pathlib import Path

import gguf
import pytest

from ingestion.errors import ModelError
from rag_app.llm.llama import LlamaCpp
from tests.helpers.tiny_gguf import TinyModel, write_tiny_adapter


def refusal(model: Path, adapter: Path) -> str:
    """Return the error of a question; it names the adapter."""
    with LlamaCpp(model_path=model, adapter=adapter, threads=1) as asked:
        with pytest.raises(ModelError) as caught:
            asked.invoke("where is the king?")
        assert asked.pid is None
    message = str(caught.value)
    assert str(adapter) in message
    assert "SIG" not in message
    return message


def described(path: Path, architecture: str, kind: str, form: str) -> Path:
    """Write a GGUF file of metadata alone."""
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_type(kind)
    writer.add_string("adapter.type", form)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()
    return path


def test_a_model_given_as_an_adapter(tiny_path: Path, write_model: Callable[..., Path]) -> None:
    message = refusal(tiny_path, write_model(seed=8))
    assert "is no adapter: the general.type of its metadata is 'model', not 'adapter'; give" in message


def test_weights_of_another_kind(tiny_path: Path, tmp_path: Path) -> None:
    adapter = described(tmp_path / "a.gguf", "llama", "adapter", "control_vector")
    assert "its adapter.type is 'control_vector', not 'lora'; give" in refusal(tiny_path, adapter)


def test_weights_for_another_architecture(tiny_path: Path, tmp_path: Path) -> None:
    adapter = described(tmp_path / "a.gguf", "qwen3", "adapter", "lora")
    message = refusal(tiny_path, adapter)
    assert f"is for models of the architecture 'qwen3', and {tiny_path} has 'llama'; give" in message


def test_weights_for_a_model_of_another_width(tiny_path: Path, tmp_path: Path) -> None:
    adapter = write_tiny_adapter(tmp_path / "a.gguf", TinyModel(width=96))
    assert "does not fit" in refusal(tiny_path, adapter)


@pytest.mark.parametrize("content", [b"", b"%PDF-1.7", b"GGUF" + bytes(20)])
def test_a_file_that_is_no_adapter_at_all(tiny_path: Path, tmp_path: Path, content: bytes) -> None:
    adapter = tmp_path / "a.gguf"
    adapter.write_bytes(content)
    refusal(tiny_path, adapter)


def test_a_file_that_is_missing(tiny_path: Path, tmp_path: Path) -> None:
    assert "does not exist; correct its path" in refusal(tiny_path, tmp_path / "none.gguf")
