"""The command line, called as its console script calls it, and one library for all tests that only read."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from rag_app import cli
from rag_app.settings import CONFIG_VARIABLE
from tests.tiny_gguf import write_tiny_gguf

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Run:
    """How one command ended."""

    code: int
    out: str
    err: str


Command = Callable[..., Run]


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Defaults, whatever the person who runs the tests has set."""
    for name in [name for name in os.environ if name.startswith("RAG_APP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv(CONFIG_VARIABLE, str(tmp_path / "no-settings.toml"))


@pytest.fixture
def rag_app(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """`rag_app("ask", "…")` runs the console script's function in this process, which saves its imports."""

    def run(*arguments: object) -> Run:
        monkeypatch.setattr(sys, "argv", ["rag-app", *map(str, arguments)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        out, err = capfd.readouterr()
        assert isinstance(stopped.value.code, int)
        return Run(stopped.value.code, out, err)

    return run


@pytest.fixture
def rag_app_process(tmp_path: Path) -> Command:
    """The same in a process of its own: what a person gets, noise of libraries included."""

    def run(*arguments: object, env: Mapping[str, str] | None = None) -> Run:
        done = subprocess.run(
            [sys.executable, "-m", "rag_app", *map(str, arguments)],
            cwd=ROOT,
            env={**os.environ, "HOME": str(tmp_path), **(env or {})},
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=300,
            check=False,
        )
        return Run(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture(scope="session")
def gguf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A language model that llama.cpp loads and that writes nonsense."""
    return write_tiny_gguf(tmp_path_factory.mktemp("models") / "tiny.gguf")
