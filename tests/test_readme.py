"""The README says what the code does."""

import re
from pathlib import Path

import pytest

from ingestion.encoders import Encoder
from ingestion.library import Library
from ingestion.parsing import SUPPORTED_SUFFIXES
from ingestion.pipeline.ingest import ingest
from retrievers.strategies import STRATEGIES

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")


def test_the_table_of_strategies_is_the_code_s() -> None:
    rows = re.findall(r"^\| `.*$", README, re.MULTILINE)
    assert rows == [f"| `{s.name}` | {s.summary} | {s.storage} | {s.cost} |" for s in STRATEGIES.values()]


def test_files_that_are_linked_exist() -> None:
    links = re.findall(r"\]\((?!http)([^)#]+)\)", README)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_suffixes_are_the_code_s() -> None:
    (listed,) = re.findall(r"files and folders: (.*)$", README, re.MULTILINE)
    assert set(listed.split()) == SUPPORTED_SUFFIXES - {".markdown"}


def test_the_python_example_runs(
    tmp_path: Path, encoder: Encoder, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    with Library.open(tmp_path / "data", encoder) as library:
        list(ingest(library, [ROOT / "docs" / "samples" / "colbert.pdf"]))
    exec(compile(code, "README.md", "exec"), {})
    assert capsys.readouterr().out.startswith("colbert.pdf ")
