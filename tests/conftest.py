"""Real parts for the tests: the built-in encoder, libraries in temporary folders, small documents."""

import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ingestion.encoders import Encoder, builtin_encoder
from ingestion.library import Library
from ingestion.pipeline.ingest import ingest
from rag_app.config.environment import stay_offline

stay_offline()

SAMPLES = Path(__file__).parent.parent / "docs" / "samples"

ORCHARD = """# Orchard notes

## Apples

The Bramley apple tree stands by the north wall. It was planted in 1921 by Ada Finch.

## Pears

The Conference pear ripens in October. Its fruit keeps until January in a cool cellar.
"""

HARBOUR = """# Harbour log

## Tides

High water at the pier was 4.2 metres on 3 March 1987. The ferry sailed at noon.

## Repairs

The crane's cable was replaced after it broke on 9 May 1987. Nobody was hurt.
"""


@pytest.fixture(scope="session")
def encoder() -> Encoder:
    return builtin_encoder()


@pytest.fixture
def library(tmp_path: Path, encoder: Encoder) -> Iterator[Library]:
    """An empty library."""
    with Library.open(tmp_path / "library", encoder) as opened:
        yield opened


def write_documents(folder: Path) -> Path:
    """Write two small documents about unlike things into a new folder."""
    folder.mkdir()
    (folder / "orchard.md").write_text(ORCHARD, "utf-8")
    (folder / "harbour.md").write_text(HARBOUR, "utf-8")
    return folder


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder with the two small documents."""
    return write_documents(tmp_path / "files")


@pytest.fixture(scope="session")
def stocked_template(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Path:
    """The folder of a closed library that holds the two small documents. Tests work on copies."""
    folder = tmp_path_factory.mktemp("stocked")
    with Library.open(folder / "library", encoder) as opened:
        results = list(ingest(opened, [write_documents(folder / "files")]))
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
