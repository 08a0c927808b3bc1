"""What the documents say is there is there, and the commands that they show work."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from ingestion.encoders import Encoder
from ingestion.library import Library
from ingestion.pipeline.ingest import ingest
from rag_app.cli.entry import app
from tests.helpers.commands import Command
from tests.helpers.paths import ROOT

pytestmark = pytest.mark.usefixtures("no_settings")

WRITTEN = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "docs" / "guides").glob("*.md")),
]
EXECUTED = "<!-- executed by the tests -->\n"


def blocks(page: Path, language: str, before: str = "") -> list[str]:
    """Return the code blocks of a page in a language, of those that `before` stands before."""
    return re.findall(
        rf"^{before}```{language}\n(.*?)^```", page.read_text("utf-8"), re.MULTILINE | re.DOTALL
    )


def commands(block: str) -> Iterator[list[str]]:
    """Yield the arguments of each rag-app command of a shell block."""
    for line in block.splitlines():
        if line.startswith("rag-app "):
            yield shlex.split(line, comments=True)[1:]


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: page.name)
def test_files_that_are_linked_or_named_exist(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
    links = [link for link in re.findall(r"\]\(([^)#\s]+)", text) if "://" not in link]
    named = re.findall(r"`((?:ingestion|retrievers|rag_app|ui|tests|docs|benchmarks)/[\w./-]+)`", text)
    assert [link for link in links if not (page.parent / link).exists()] == []
    assert [name for name in named if "NAME" not in name and not (ROOT / name).exists()] == []


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: page.name)
def test_commands_that_are_shown_are_understood(page: Path) -> None:
    group: Any = typer.main.get_command(app)
    for block in blocks(page, "sh"):
        for arguments in commands(block):
            command, rest = group, list(arguments)
            while hasattr(command, "commands"):
                command = command.commands[rest.pop(0)]
            command.make_context(command.name, rest, resilient_parsing=False)


@pytest.mark.slow
def test_the_commands_of_the_start_and_the_guides_work(
    run: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the order of the site, in one library: later guides ask about what earlier ones added."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "samples").symlink_to(ROOT / "docs" / "samples")
    monkeypatch.setenv("RAG_APP_DATA_DIR", "demo")
    pages = [
        "index",
        *(f"guides/{name}" for name in ("chat", "library", "compare", "evaluate", "inspect", "programs")),
    ]
    done = 0
    for page in pages:
        for block in blocks(ROOT / "docs" / f"{page}.md", "sh", EXECUTED):
            for arguments in commands(block):
                ended = run(*arguments)
                assert (page, arguments, ended.code, ended.err) == (page, arguments, 0, ended.err)
                done += 1
    assert done > 20


def test_the_python_example_runs(
    tmp_path: Path, encoder: Encoder, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (code,) = blocks(ROOT / "docs" / "guides" / "programs.md", "python", EXECUTED)
    monkeypatch.chdir(tmp_path)
    with Library.open(tmp_path / "data", encoder) as library:
        list(ingest(library, [ROOT / "docs" / "samples" / "colbert.pdf"]))
    exec(compile(code, "programs.md", "exec"), {})
    assert capsys.readouterr().out.startswith("colbert.pdf ")
