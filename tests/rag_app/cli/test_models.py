"""What `models list` says of language models that are here, without loading them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.commands import Command
from tests.helpers.tiny_gguf import TinyModel, write_tiny_gguf

Add = Callable[..., Path]


@pytest.fixture
def add(run: Command, tmp_path: Path) -> Add:
    """List a small language model with the options given; return its file."""

    def add(name: str, **options: Any) -> Path:
        path = write_tiny_gguf(tmp_path / f"{name}.gguf", TinyModel(**options))
        source = f"file:{path}"
        added = run(
            "--data-dir", tmp_path / "data", "models", "add", name, "--role", "llm", "--source", source
        )
        assert added.code == 0, added.err
        return path

    return add


def forms(run: Command, data: Path) -> dict[str, str | None]:
    listed = run("--data-dir", data, "models", "list", "--json").json["models"]
    return {one["name"]: one["prompt_form"] for one in listed}


def test_the_list_says_which_form_the_prompts_of_a_model_have(run: Command, tmp_path: Path, add: Add) -> None:
    data = tmp_path / "data"
    assert set(forms(run, data).values()) == {None}
    assert "prompts" not in run("--data-dir", data, "models", "list").out.splitlines()[0]
    add("talks")
    add("completes", chat_template=None, has_chatml=False)
    found = forms(run, data)
    assert (found["talks"], found["completes"], found["builtin"]) == ("chat", "completion", None)
    head, *rows = run("--data-dir", data, "models", "list").out.splitlines()
    place = head.index("prompts")
    told = {name: row[place:].split()[0] for row in rows for name in ("talks", "completes") if name in row}
    assert told == {"talks": "chat", "completes": "completion"}


@pytest.mark.parametrize("content", [b"GGUF", b"GGUF" + b"\xff" * 500])
def test_a_damaged_model_has_no_form_and_does_no_harm(
    run: Command, tmp_path: Path, add: Add, content: bytes
) -> None:
    add("talks")
    add("broken").write_bytes(content)
    found = forms(run, tmp_path / "data")
    assert (found["talks"], found["broken"]) == ("chat", None)
