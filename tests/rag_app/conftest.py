"""The command line, as its console script calls it, and what its tests ask questions of."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from ingestion.encoders import Encoder
from ingestion.library import Library
from ingestion.pipeline.ingest import ingest
from rag_app import cli
from rag_app.config.settings import CONFIG_VARIABLE
from tests.helpers.processes import ROOT, fork_server
from tests.rag_app.commands import Command, Run
from tests.tiny_gguf import write_tiny_gguf

LIGHTHOUSE = "The lighthouse at Hook Point was lit in 1172. Monks kept its fire for four hundred years."
FERRY = "The ferry sailed at noon. The crane's cable broke on 9 May 1987 and nobody was hurt."
ORCHARD = """# Orchard notes

## Apples

The Bramley apple tree stands by the north wall. It was planted in 1921 by Ada Finch.

## Pears

The Conference pear ripens in October. Its fruit keeps until January in a cool cellar.
"""


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Defaults, whatever the person who runs the tests has set."""
    for name in [name for name in os.environ if name.startswith("RAG_APP_")]:
        monkeypatch.delenv(name)
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


@pytest.fixture(scope="session")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a PDF of two pages and a Markdown file. Tests only read it."""
    from fpdf import FPDF

    folder = tmp_path_factory.mktemp("stock")
    pdf = FPDF()
    pdf.set_font("Helvetica", size=12)
    for text in (LIGHTHOUSE, FERRY):
        pdf.add_page()
        pdf.multi_cell(0, 8, text)
    pdf.output(str(folder / "harbour.pdf"))
    (folder / "orchard.md").write_text(ORCHARD, "utf-8")
    return folder


@pytest.fixture(scope="session")
def stock_template(stock: Path, tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Path:
    """The folder of a closed library that holds `stock`. Tests work on copies."""
    folder = tmp_path_factory.mktemp("template") / "data"
    with Library.open(folder, encoder) as library:
        assert [result.status for result in ingest(library, [stock])] == ["ok", "ok"]
    return folder


@pytest.fixture(scope="session")
def data_template(
    stock_template: Path, stock: Path, tmp_path_factory: pytest.TempPathFactory, encoder: Encoder
) -> Path:
    """The same, and the collection "harbour" holds the PDF as well."""
    folder = shutil.copytree(stock_template, tmp_path_factory.mktemp("template") / "data")
    with Library.open(folder, encoder) as library:
        assert [r.status for r in ingest(library, [stock / "harbour.pdf"], collection="harbour")] == ["ok"]
    return folder


@pytest.fixture(scope="module")
def data(data_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of a library that holds `stock`, and in the collection "harbour" its PDF alone.

    The tests of a module only read it.
    """
    return shutil.copytree(data_template, tmp_path_factory.mktemp("data") / "data")


@pytest.fixture
def own(stock_template: Path, tmp_path: Path) -> Path:
    """The data folder of a library that holds `stock`, for a test that changes it."""
    return shutil.copytree(stock_template, tmp_path / "own")


@pytest.fixture(scope="module")
def stored(data: Path, encoder: Encoder) -> Iterator[Library]:
    """That library, open for all tests of a module, which only read it."""
    with Library.open(data, encoder) as library:
        yield library


@pytest.fixture(scope="session")
def gguf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A language model that llama.cpp loads and that writes nonsense."""
    return write_tiny_gguf(tmp_path_factory.mktemp("models") / "tiny.gguf")
