"""Models that are written once and loaded for real."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rag_app.llm.llama import LlamaCpp
from tests.helpers.tiny_gguf import TinyModel, write_tiny_gguf

Write = Callable[..., Path]


@pytest.fixture(scope="session")
def write_model(tmp_path_factory: pytest.TempPathFactory) -> Write:
    """Write a TinyModel with the options given and return its path."""

    def write(**options: Any) -> Path:
        return write_tiny_gguf(tmp_path_factory.mktemp("gguf") / "tiny.gguf", TinyModel(**options))

    return write


@pytest.fixture(scope="session")
def tiny_path(write_model: Write) -> Path:
    return write_model()


@pytest.fixture(scope="session")
def slow_path(write_model: Write) -> Path:
    """A model that takes milliseconds a token, so that an answer of 1500 can be interrupted."""
    return write_model(width=256, layers=12)


@pytest.fixture(scope="module")
def tiny(tiny_path: Path) -> Iterator[LlamaCpp]:
    with LlamaCpp(model_path=tiny_path, threads=1, max_tokens=40) as model:
        yield model


@pytest.fixture
def slow(slow_path: Path) -> Iterator[LlamaCpp]:
    with LlamaCpp(model_path=slow_path, threads=1, max_tokens=1500) as model:
        yield model
