"""Which language model "auto" means, and what other names stand for."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ingestion.encoders import Encoder
from ingestion.errors import InvalidInput, ModelError
from ingestion.library import Library
from rag_app.assistant import Assistant
from rag_app.settings import load_settings


@pytest.fixture
def models(data: Path) -> Iterator[Path]:
    """The models folder of the library; not there yet."""
    folder = data / "models"
    yield folder
    for file in folder.glob("*"):
        file.unlink()
    folder.rmdir()


@pytest.fixture
def assistant(stored: Library, data: Path) -> Assistant:
    return Assistant(load_settings(data_dir=data), stored)


def test_auto_is_the_one_model_in_the_models_folder(assistant: Assistant, models: Path) -> None:
    assert assistant.llm() is None
    models.mkdir()
    assert assistant.llm() is None
    (models / "notes.txt").write_text("no model")
    assert assistant.llm() is None
    (models / "one.gguf").write_bytes(b"GGUF")
    assert assistant.llm() == models / "one.gguf"


def test_several_models_are_not_guessed_among(assistant: Assistant, models: Path) -> None:
    models.mkdir()
    for name in ("one.gguf", "two.gguf"):
        (models / name).write_bytes(b"GGUF")
    with pytest.raises(InvalidInput, match=r"one\.gguf, two\.gguf; choose one with --llm") as raised:
        assistant.llm()
    assert str(models) in str(raised.value)
    assert assistant.llm("extractive") is None
    assert assistant.llm(str(models / "two.gguf")) == models / "two.gguf"


def test_a_model_in_parts_is_one_model(assistant: Assistant, models: Path) -> None:
    models.mkdir()
    for part in (1, 2):
        (models / f"big-0000{part}-of-00002.gguf").write_bytes(b"GGUF")
    assert assistant.llm() == models / "big-00001-of-00002.gguf"


def test_the_settings_decide_what_auto_is(stored: Library, data: Path, gguf: Path, models: Path) -> None:
    models.mkdir()
    (models / "one.gguf").write_bytes(b"GGUF")
    chosen = Assistant(load_settings(data_dir=data, llm=str(gguf)), stored)
    assert chosen.llm() == gguf
    assert chosen.llm("extractive") is None
    assert chosen.options().llm == str(gguf)
    assert Assistant(load_settings(data_dir=data, llm="extractive"), stored).llm() is None


def test_a_name_that_is_nothing_here(assistant: Assistant, models: Path, encoder: Encoder) -> None:
    models.mkdir()
    with pytest.raises(ModelError, match=r"nowhere\.gguf"):
        assistant.llm(str(models / "nowhere.gguf"))
