"""The scripts of docs/, which belong to no package, on the path."""

from pathlib import Path

import pytest

from tests.helpers.paths import ROOT


@pytest.fixture(autouse=True)
def scripts(monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make the scripts importable, and return their folder."""
    folder = ROOT / "docs" / "scripts"
    monkeypatch.syspath_prepend(folder)
    return folder
