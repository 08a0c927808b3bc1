"""Everything but language models in files works where llama.cpp is not installed.

The processes of these tests find a `sitecustomize` that makes the import of `llama_cpp` fail as it does where
nothing is installed.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ingestion.errors import ModelError
from ingestion.library import Library
from rag_app.answering.answers import AskOptions
from rag_app.config.settings import load_settings
from rag_app.evaluation.answers.asking import Ask
from rag_app.llm.choice import EXTRACTIVE
from rag_app.llm.llama import LlamaCpp
from rag_app.service.composition import Assistant
from rag_app.service.questions import last_answer, open_ask
from tests.helpers.commands import Command
from tests.helpers.paths import ROOT
from ui.components.choices import llm_help
from ui.models.render import render_models

APPLE = "When was the Bramley apple tree planted?"
INSTALL = 'pip install "rag-app[llm]"'
NOTE = f"which is not installed; install it with: {INSTALL}"


@pytest.fixture
def surroundings(tmp_path: Path) -> dict[str, str]:
    """The environment of processes without llama.cpp."""
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text("import sys\nsys.modules['llama_cpp'] = None\n")
    path = os.pathsep.join((str(folder), str(ROOT), os.environ.get("PYTHONPATH", "")))
    return {**os.environ, "PYTHONPATH": path, "HOME": str(tmp_path)}


@pytest.fixture
def absent(monkeypatch: pytest.MonkeyPatch) -> None:
    """This process finds no llama.cpp either."""
    monkeypatch.setitem(sys.modules, "llama_cpp", None)


def as_json(surroundings: dict[str, str], *arguments: object) -> dict[str, Any]:
    command = [sys.executable, "-m", "rag_app", *map(str, arguments), "--json"]
    done = subprocess.run(
        command, env=surroundings, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    fields: dict[str, Any] = json.loads(done.stdout)
    return fields


@pytest.mark.slow
def test_doctor_says_how_to_install_it(surroundings: dict[str, str], data: Path, gguf: Path) -> None:
    surroundings["RAG_APP_LLM"] = str(gguf)
    found = {one["name"]: one for one in as_json(surroundings, "--data-dir", data, "doctor")["checks"]}
    assert (found["llama.cpp"]["state"], found["llama.cpp"]["mend"]) == ("ok", INSTALL)
    assert "llama-cpp-python" not in found
    assert found["language model"]["detail"].endswith(f"tiny.gguf needs llama-cpp-python, {NOTE}")
    assert (found["language model"]["state"], found["language model"]["mend"]) == ("warning", INSTALL)


@pytest.mark.slow
def test_a_question_with_a_model_file_is_answered_by_quotations(
    surroundings: dict[str, str], data: Path, gguf: Path
) -> None:
    answer = as_json(surroundings, "--data-dir", data, "ask", APPLE, "--llm", gguf)
    assert answer["llm"] == EXTRACTIVE
    assert "It was planted in **1921** by Ada Finch. [1]" in answer["answer"]
    assert answer["flags"] == [f"answers are quotations, because tiny.gguf needs llama-cpp-python, {NOTE}"]


@pytest.mark.slow
def test_the_list_of_models_says_it(surroundings: dict[str, str], data: Path) -> None:
    told = f"language models in GGUF files need llama-cpp-python, {NOTE}"
    assert as_json(surroundings, "--data-dir", data, "models", "list")["missing"] == told


@pytest.mark.usefixtures("absent")
def test_the_terminal_shows_the_command(run: Command, data: Path, gguf: Path) -> None:
    assert INSTALL in " ".join(run("--data-dir", data, "models", "list").out.split())
    assert INSTALL in " ".join(run("--data-dir", data, "doctor").out.split())
    assert INSTALL in " ".join(run("--data-dir", data, "ask", APPLE, "--llm", gguf).out.split())


def test_nothing_is_missing_where_it_is_installed(run: Command, data: Path) -> None:
    assert run("--data-dir", data, "models", "list", "--json").json["missing"] is None


def test_a_model_that_is_used_directly_names_the_command(
    surroundings: dict[str, str], gguf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", surroundings["PYTHONPATH"])
    with LlamaCpp(model_path=gguf, threads=1) as model, pytest.raises(ModelError) as caught:
        model.invoke("hello")
    why = f"cannot be loaded: llama-cpp-python is not installed; install it with: {INSTALL}"
    assert str(caught.value) == f"{gguf} {why}"


@pytest.mark.usefixtures("absent")
def test_summaries_and_the_page_say_it_too(stored: Library, data: Path, gguf: Path) -> None:
    assistant = Assistant(load_settings(data_dir=data, llm=str(gguf)), stored)
    summary = last_answer(assistant.questions.summarise(AskOptions()))
    assert (summary.llm, summary.flags) == (EXTRACTIVE, (assistant.llm().note,))
    assert llm_help(assistant).startswith("Answers are quotations, because tiny.gguf needs")
    missing = assistant.model_pool.missing
    assert missing
    assert "rag-app[llm]" in render_models([], None, missing=missing)
    assert "rag-app[llm]" not in render_models([], None)


@pytest.mark.usefixtures("absent")
def test_quotations_are_not_measured_as_a_models_answers(stored: Library, data: Path, gguf: Path) -> None:
    assistant = Assistant(load_settings(data_dir=data), stored)
    opened = open_ask(assistant.model_pool, assistant.settings, stored, AskOptions(llm=str(gguf)))
    with pytest.raises(ModelError, match=r"tiny\.gguf needs llama-cpp-python"), opened as ask:
        _asked(ask)


def _asked(ask: Ask) -> None:
    pytest.fail(f"an evaluation began with {ask}")
