"""The data folder that a command makes: nobody but its owner can enter it."""

import os
import stat
from pathlib import Path

import pytest

from tests.helpers.commands import Command


@pytest.mark.parametrize(
    "command",
    [
        ("jobs",),
        ("conversations", "list"),
        ("models", "pull", "Qwen3-0.6B"),
    ],
    ids=lambda command: " ".join(command[:2]),
)
def test_whichever_command_comes_first_makes_it_private(
    run: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:1")  # no hub
    before = os.umask(0o022)
    try:
        run("--data-dir", tmp_path / "data", *command)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700
