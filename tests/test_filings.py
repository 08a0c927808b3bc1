"""Real filings through the command line: the right document, and a page that holds the answer."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from retrievers.strategies import STRATEGIES

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

QUESTION = "What was Boeing's total revenue in fiscal 2022?"
BOEING, LOCKHEED = "BOEING_2022_10K.pdf", "LOCKHEEDMARTIN_2020_10K.pdf"
ANSWER = "66,608"  # million dollars, "Total revenues" of the statements of operations


def rag_app(data_dir: Path, *arguments: str) -> Any:
    command = [sys.executable, "-m", "rag_app", "--data-dir", str(data_dir), *arguments, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def filings(eval_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library of a few of the filings, among them those that the tests ask about; all take ten minutes."""
    data_dir = tmp_path_factory.mktemp("filings")
    files = sorted((eval_data / "financebench-dev" / "documents").glob("*.pdf"))
    chosen = [file for place, file in enumerate(files) if place % 8 == 0 or file.name in (BOEING, LOCKHEED)]
    ingested = rag_app(data_dir, "ingest", *map(str, chosen))
    assert [document["status"] for document in ingested["documents"]] == ["ok"] * len(chosen)
    return data_dir


@pytest.mark.parametrize("strategy", ["colbert", "cascade"])
def test_the_answer_is_cited_where_it_stands(filings: Path, strategy: str) -> None:
    answer = rag_app(filings, "ask", QUESTION, "--strategy", strategy)
    assert not answer["abstained"]
    assert {citation["document"] for citation in answer["citations"]} == {BOEING}
    assert any(ANSWER in citation["quote"] for citation in answer["citations"])
    assert ANSWER in answer["answer"]


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
