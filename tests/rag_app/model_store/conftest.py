"""A stand-in for the hub, and a store that lists what it serves."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from rag_app.model_store.store import ModelStore
from tests.helpers.hub import SMALL, Hub, hub_variables, listed, serving_hub


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with serving_hub() as hub:
        for name, value in hub_variables(hub).items():
            monkeypatch.setenv(name, value)
        yield hub


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    """A store that knows the stand-in's repository as the reranker "small"."""
    return listed(tmp_path / "data", SMALL)
