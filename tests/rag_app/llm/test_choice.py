"""Which language model "auto" means, and what other names stand for."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ingestion.encoders import Encoder
from ingestion.errors import InvalidInput, ModelError
from ingestion.library import Library
from rag_app.answering.chat_answerer import ChatAnswerer
from rag_app.config.settings import load_settings
from rag_app.llm.choice import Llm, Server
from rag_app.llm.openai import ServerModel
from rag_app.service.composition import Assistant


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
    assert assistant.llm().quotes
    models.mkdir()
    assert assistant.llm().quotes
    (models / "notes.txt").write_text("no model")
    assert assistant.llm().quotes
    (models / "one.gguf").write_bytes(b"GGUF")
    assert assistant.llm() == Llm(file=models / "one.gguf")


def test_several_models_are_not_guessed_among(assistant: Assistant, models: Path) -> None:
    models.mkdir()
    for name in ("one.gguf", "two.gguf"):
        (models / name).write_bytes(b"GGUF")
    with pytest.raises(InvalidInput, match=r"one\.gguf, two\.gguf; choose one with --llm") as raised:
        assistant.llm()
    assert str(models) in str(raised.value)
    assert assistant.llm("extractive") == Llm()
    assert assistant.llm(str(models / "two.gguf")).file == models / "two.gguf"


def test_a_model_in_parts_is_one_model(assistant: Assistant, models: Path) -> None:
    models.mkdir()
    for part in (1, 2):
        (models / f"big-0000{part}-of-00002.gguf").write_bytes(b"GGUF")
    assert assistant.llm().name == "big-00001-of-00002.gguf"


def test_the_settings_decide_what_auto_is(stored: Library, data: Path, gguf: Path, models: Path) -> None:
    models.mkdir()
    (models / "one.gguf").write_bytes(b"GGUF")
    chosen = Assistant(load_settings(data_dir=data, llm=str(gguf)), stored)
    assert chosen.llm().file == gguf
    assert chosen.llm("extractive").quotes
    assert chosen.options().llm == str(gguf)
    assert Assistant(load_settings(data_dir=data, llm="extractive"), stored).llm().quotes


def test_a_name_that_is_nothing_here(assistant: Assistant, models: Path, encoder: Encoder) -> None:
    models.mkdir()
    with pytest.raises(ModelError, match=r"nowhere\.gguf"):
        assistant.llm(str(models / "nowhere.gguf"))


@pytest.mark.parametrize(
    ("text", "url", "model", "leaves"),
    [
        ("http://127.0.0.1:11434/v1#qwen3:4b", "http://127.0.0.1:11434/v1", "qwen3:4b", None),
        ("http://localhost:8000/v1/", "http://localhost:8000/v1", None, None),
        ("HTTPS://models.example/v1#org/name", "https://models.example/v1", "org/name", "models.example"),
        ("http://[::1]:8080#m", "http://[::1]:8080", "m", None),
        ("http://192.168.1.7:8000/v1#m", "http://192.168.1.7:8000/v1", "m", "192.168.1.7"),
        ("http://0.0.0.0:8000/v1#m", "http://0.0.0.0:8000/v1", "m", "0.0.0.0"),
        (
            "http://localhost.evil.example/v1",
            "http://localhost.evil.example/v1",
            None,
            "localhost.evil.example",
        ),
    ],
)
def test_a_url_names_a_server_and_a_model(
    assistant: Assistant, text: str, url: str, model: str | None, leaves: str | None
) -> None:
    assert assistant.llm(text) == Llm(server=Server(url, model))
    assert assistant.llm(text).leaves_machine == leaves
    assert url in assistant.llm(text).name


@pytest.mark.parametrize(
    "text", ["http://", "http://me:secret@host/v1#m", "http://host/v1?key=secret#m", "http://host:port/v1"]
)
def test_a_url_that_cannot_be_used_is_refused_and_not_repeated(assistant: Assistant, text: str) -> None:
    with pytest.raises(InvalidInput, match="put a key into RAG_APP_LLM_API_KEY") as raised:
        assistant.llm(text)
    assert "secret" not in str(raised.value)


def test_a_key_goes_to_the_server_of_the_settings_and_to_no_other(stored: Library, data: Path) -> None:
    settings = load_settings(
        data_dir=data, llm="http://127.0.0.1:9/v1#a", llm_api_key="sesame", llm_top_k=7, llm_thinking=True
    )
    assert "sesame" not in repr(settings)
    assistant = Assistant(settings, stored)

    def key(name: str) -> str | None:
        answerer = assistant.model_pool.answerer(name)
        assert isinstance(answerer, ChatAnswerer)
        assert isinstance(answerer.model, ServerModel)
        assert answerer.model.sampling.top_k == (7 if answerer.leaves_machine is None else None)
        assert answerer.model.thinking
        return answerer.model.api_key.get_secret_value() if answerer.model.api_key else None

    assert key("auto") == key("http://127.0.0.1:9/v1#b") == "sesame"
    assert key("http://127.0.0.1:10/v1#a") is None
    assert key("http://elsewhere.example/v1#a") is None
