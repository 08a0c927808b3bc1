"""Real parts for the tests: the built-in encoder, libraries in temporary folders, small documents."""

import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from ingestion.encoders import Encoder, builtin_encoder
from ingestion.library import Library
from rag_app import cli
from rag_app.config.environment import stay_offline
from rag_app.config.settings import CONFIG_VARIABLE
from tests.helpers.commands import Command, Run
from tests.helpers.documents import ingest_apart, write_documents
from tests.helpers.paths import ROOT
from tests.helpers.processes import fork_server

stay_offline()
os.environ.setdefault("RAG_APP_FIND_SERVERS", "none")  # whatever runs on this machine
# Threads that wait for each other sleep: the processes that run tests share the processors.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest, so that none of them is left to one process at the end."""
    slow = Counter(item.path for item in items if item.get_closest_marker("slow"))
    browsing = {item.path for item in items if "browser" in getattr(item, "fixturenames", ())}
    items.sort(key=lambda item: (item.path not in browsing, -slow[item.path]))


@pytest.fixture(scope="session")
def encoder() -> Encoder:
    return builtin_encoder()


@pytest.fixture
def library(tmp_path: Path, encoder: Encoder) -> Iterator[Library]:
    """An empty library."""
    with Library.open(tmp_path / "library", encoder) as opened:
        yield opened


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder with the two small documents."""
    return write_documents(tmp_path / "files")


@pytest.fixture(scope="session")
def stocked_template(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Path:
    """The folder of a closed library that holds the two small documents. Tests work on copies."""
    folder = tmp_path_factory.mktemp("stocked")
    with Library.open(folder / "library", encoder) as opened:
        results = ingest_apart(opened, write_documents(folder / "files"))
    assert [result.status for result in results] == ["ok", "ok"]
    return folder / "library"


@pytest.fixture
def stocked(stocked_template: Path, tmp_path: Path, encoder: Encoder) -> Iterator[Library]:
    """A library of the test's own that holds the two small documents."""
    folder = shutil.copytree(stocked_template, tmp_path / "library")
    with Library.open(folder, encoder) as opened:
        yield opened


@pytest.fixture(scope="session")
def eval_data() -> Path:
    """The evaluation data, which lies outside of the project."""
    folder = os.environ.get("RAG_EVAL_DATA")
    if not folder:
        pytest.skip("RAG_EVAL_DATA is not set: the evaluation data is not here")
    return Path(folder)


@pytest.fixture
def write_pdf(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a PDF with one string a page."""

    def write(name: str, *pages: str) -> Path:
        from fpdf import FPDF

        pdf = FPDF()
        pdf.set_font("Helvetica", size=12)
        for text in pages:
            pdf.add_page()
            pdf.multi_cell(0, 8, text)
        path = tmp_path / name
        pdf.output(str(path))
        return path

    return write


WAIT_S = 60.0  # for things that take milliseconds: only a failing test waits so long


@pytest.fixture(scope="session")
def eventually() -> Callable[[Callable[[], bool]], bool]:
    """Wait until something is so; return whether it is."""

    def wait(condition: Callable[[], bool]) -> bool:
        deadline = time.monotonic() + WAIT_S
        while not condition() and time.monotonic() < deadline:
            time.sleep(0.01)
        return condition()

    return wait


@pytest.fixture
def no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Defaults, whatever the person who runs the tests has set."""
    for name in [name for name in os.environ if name.startswith("RAG_APP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("RAG_APP_FIND_SERVERS", "none")
    (tmp_path / "settings.toml").touch()
    monkeypatch.setenv(CONFIG_VARIABLE, str(tmp_path / "settings.toml"))


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """`run("ask", "…")` calls the console script's function in this process, which saves its imports."""

    def command(*arguments: object) -> Run:
        monkeypatch.setattr(sys, "argv", ["rag-app", *map(str, arguments)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        out, err = capfd.readouterr()
        assert isinstance(stopped.value.code, int)
        return Run(stopped.value.code, out, err)

    return command


@pytest.fixture
def run_process(tmp_path: Path) -> Command:
    """The same in a process of its own, past the tests' streams, handlers and open libraries."""

    def command(*arguments: object, env: Mapping[str, str] | None = None, cwd: Path = ROOT) -> Run:
        with fork_server().start(
            arguments,
            env={**os.environ, "HOME": str(tmp_path), **(env or {})},
            cwd=cwd,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process:
            out, err = process.communicate(timeout=300)
        assert process.returncode is not None
        return Run(process.returncode, out, err)

    return command
