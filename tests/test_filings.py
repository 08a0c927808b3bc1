"""Real filings through the command line: the right document, and a page that holds the answer."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfWriter

from retrievers.strategies import STRATEGIES
from tests.helpers.processes import fork_server

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

QUESTION = "What was Boeing's total revenue in fiscal 2022?"
BOEING, LOCKHEED = "BOEING_2022_10K.pdf", "LOCKHEEDMARTIN_2020_10K.pdf"
PAGES = {BOEING: (45, 55), LOCKHEED: (28, 35)}  # where management discusses the year
ANSWER = "66,608"  # million dollars, "Total revenues" of the statements of operations


def rag_app(data_dir: Path, *arguments: str) -> Any:
    command = ["--data-dir", str(data_dir), *arguments, "--json"]
    with fork_server().start(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        said, errors = process.communicate(timeout=3600)
    assert process.returncode == 0, errors
    return json.loads(said)


@pytest.fixture(scope="module")
def filings(eval_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library of pages of two filings, as they are printed; whole ones take minutes (make soak)."""
    data_dir, excerpts = tmp_path_factory.mktemp("filings"), tmp_path_factory.mktemp("excerpts")
    for name, pages in PAGES.items():
        writer = PdfWriter()
        writer.append(eval_data / "financebench-dev" / "documents" / name, pages=pages)
        writer.write(excerpts / name)
    return ingested(data_dir, sorted(excerpts.iterdir()))


@pytest.fixture(scope="module")
def whole_filings(eval_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library of all filings."""
    files = sorted((eval_data / "financebench-dev" / "documents").glob("*.pdf"))
    return ingested(tmp_path_factory.mktemp("filings"), files)


def ingested(data_dir: Path, files: list[Path]) -> Path:
    done = rag_app(data_dir, "ingest", *map(str, files))
    assert [document["status"] for document in done["documents"]] == ["ok"] * len(files)
    return data_dir


@pytest.mark.parametrize(
    ("library", "strategy"),
    [
        ("filings", "colbert"),
        ("filings", "cascade"),
        pytest.param("whole_filings", "colbert", marks=[pytest.mark.soak, pytest.mark.timeout(3600)]),
        pytest.param("whole_filings", "cascade", marks=[pytest.mark.soak, pytest.mark.timeout(3600)]),
    ],
)
def test_the_answer_is_cited_where_it_stands(
    request: pytest.FixtureRequest, library: str, strategy: str
) -> None:
    filings = request.getfixturevalue(library)
    answer = rag_app(filings, "ask", QUESTION, "--strategy", strategy)
    assert not answer["abstained"]
    assert {citation["document"] for citation in answer["citations"]} == {BOEING}
    assert any(ANSWER in citation["quote"] for citation in answer["citations"])
    assert ANSWER in answer["answer"]


@pytest.mark.soak
def test_strategies_answer_and_differ(filings: Path) -> None:
    found = {
        name: [hit["chunk_id"] for hit in rag_app(filings, "search", QUESTION, "--strategy", name)["hits"]]
        for name in STRATEGIES
    }
    assert all(len(hits) >= 5 for hits in found.values())
    top = {name: hits[:5] for name, hits in found.items()}
    # The two poolings, the words and the tokens are four views of the text.
    assert len({tuple(top[name]) for name in ("cls", "mean", "bm25", "colbert")}) == 4
    # A cascade orders as MaxSim does, and finds most of what an exhaustive MaxSim finds.
    assert len(set(top["cascade"]) & set(top["colbert"])) >= 4


def test_documents_name_their_answers(filings: Path) -> None:
    result = rag_app(filings, "search", "net sales", "--document", LOCKHEED)
    assert {hit["document"] for hit in result["hits"]} == {LOCKHEED}
