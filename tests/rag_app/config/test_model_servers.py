"""The ports at which servers of models are looked for."""

from pathlib import Path
from typing import Any

import pytest

from ingestion.errors import InvalidInput
from rag_app.config.model_servers import USUAL_PORTS
from rag_app.config.settings import CONFIG_VARIABLE, load_settings


@pytest.mark.parametrize(
    ("text", "ports"),
    [
        ("none", ()), ("OFF", ()), ("false", ()), ("0", ()), ("true", USUAL_PORTS), ("1", USUAL_PORTS),
        ("11434", (11434,)), ("8081, 11434 8081", (8081, 11434)),
    ],
)  # fmt: skip
def test_ports_in_a_variable(text: str, ports: tuple[int, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAG_APP_FIND_SERVERS", text)
    assert load_settings().find_servers == ports


@pytest.mark.parametrize(
    ("written", "ports"),
    [
        ("false", ()),
        ("true", USUAL_PORTS),
        ("[11434, 9000]", (11434, 9000)),
        ("9000", (9000,)),
        ("[]", ()),
        ('"none"', ()),
    ],
)
def test_ports_in_the_settings_file(
    written: str, ports: tuple[int, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config.toml").write_text(f"find_servers = {written}\n")
    monkeypatch.setenv(CONFIG_VARIABLE, str(tmp_path / "config.toml"))
    monkeypatch.delenv("RAG_APP_FIND_SERVERS")
    assert load_settings().find_servers == ports


def test_the_usual_ports_are_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAG_APP_FIND_SERVERS")
    assert load_settings().find_servers == USUAL_PORTS == (11434, 1234, 8080, 8000)


@pytest.mark.parametrize(
    "wrong", ["ollama", "70000", "-1", "1.5", "http://127.0.0.1:1", list(range(1, 18)), 11434.5, "٣"]
)
def test_what_is_no_port(wrong: Any) -> None:
    with pytest.raises(InvalidInput, match="find_servers cannot be"):
        load_settings(find_servers=wrong)
