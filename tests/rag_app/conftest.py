"""The command line, as its console script calls it, and what its tests ask questions of."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingestion.encoders import Encoder
from ingestion.library import Library
from ingestion.pipeline.ingest import ingest
from tests.helpers.documents import ingest_apart
from tests.helpers.tiny_gguf import write_tiny_gguf

LIGHTHOUSE = "The lighthouse at Hook Point was lit in 1172. Monks kept its fire for four hundred years."
FERRY = "The ferry sailed at noon. The crane's cable broke on 9 May 1987 and nobody was hurt."
ORCHARD = """# Orchard notes

## Apples

The Bramley apple tree stands by the north wall. It was planted in 1921 by Ada Finch.

## Pears

The Conference pear ripens in October. Its fruit keeps until January in a cool cellar.
"""


@pytest.fixture(autouse=True)
def default_settings(no_settings: None) -> None:
    """Every test here has the defaults."""


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
        assert [result.status for result in ingest_apart(library, stock)] == ["ok", "ok"]
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
