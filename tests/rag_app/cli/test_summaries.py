"""Summaries by command, over HTTP, and asked for in words."""

import json
from pathlib import Path
from typing import Any

import pytest

from ingestion.encoders import Encoder
from ingestion.library import Library
from ingestion.pipeline.ingest import ingest
from rag_app.config.settings import CONFIG_VARIABLE
from tests.helpers.commands import ANSWER, Command
from tests.helpers.served_library import serving

pytestmark = pytest.mark.slow


def test_the_command_prints_what_ask_prints(run: Command, data: Path) -> None:
    library = ("--data-dir", data)
    done = run(*library, "summarise", "orchard.md", "--json")
    assert (done.code, done.err) == (0, "")
    assert done.json.keys() == ANSWER
    assert (done.json["strategy"], done.json["llm"], done.json["question"]) == (
        "summary", "extractive", "Summarise orchard.md",
    )  # fmt: skip
    assert {citation["document"] for citation in done.json["citations"]} == {"orchard.md"}

    shown = run(*library, "summarise")
    assert shown.code == 0
    assert shown.out.startswith("2 documents, 3 pages (1 pdf, 1 md): harbour.pdf, orchard.md.")
    assert "Sources:" in shown.out
    assert "summary · no reranker · extractive" in shown.out

    both = run(*library, "summarise", "orchard.md", "--document", "harbour.pdf", "--json").json
    assert both["question"] == "Summarise 2 documents"
    narrowed = run(*library, "summarise", "--type", "pdf", "--pages", "2", "--json").json
    assert {(c["document"], c["page"]) for c in narrowed["citations"]} == {("harbour.pdf", 2)}


def test_wrong_use_is_explained(run: Command, data: Path, tmp_path: Path) -> None:
    unknown = run("--data-dir", data, "summarise", "nowhere.pdf")
    assert unknown.code == 2
    assert "'nowhere.pdf'" in unknown.err
    assert "orchard.md" in unknown.err
    missing = run("--data-dir", data, "summarise", "--llm", "no-such-model.gguf")
    assert missing.code == 1
    assert "no-such-model.gguf" in missing.err
    empty = run("--data-dir", tmp_path / "empty", "summarise")
    assert (empty.code, "no text here to summarise" in empty.out) == (0, True)


def test_ask_summarises_where_it_is_asked_to(run: Command, data: Path) -> None:
    def ask(question: str, *options: str) -> dict[str, Any]:
        return run("--data-dir", data, "ask", question, *options, "--json").json

    library = ask("What is this library about?")
    assert (library["strategy"], library["question"]) == ("summary", "What is this library about?")
    assert {citation["document"] for citation in library["citations"]} == {"harbour.pdf", "orchard.md"}
    named = ask("Summarise orchard.md")
    assert {citation["document"] for citation in named["citations"]} == {"orchard.md"}
    chosen = ask("What is this about?", "--document", "harbour.pdf")
    assert (chosen["strategy"], {c["document"] for c in chosen["citations"]}) == ("summary", {"harbour.pdf"})
    assert ask("What is this about?")["strategy"] != "summary"  # which one?
    assert ask("When was the Bramley apple tree planted?")["strategy"] != "summary"


@pytest.mark.soak
def test_another_process_summarises_and_streams(
    run: Command, stock: Path, tmp_path: Path, encoder: Encoder
) -> None:
    folder = tmp_path / "served"
    with Library.open(folder, encoder) as library:
        assert [result.status for result in ingest(library, [stock])] == ["ok", "ok"]
    (tmp_path / "config.toml").touch()
    with serving(folder, **{CONFIG_VARIABLE: str(tmp_path / "config.toml")}) as served:
        alone = run("--data-dir", folder, "summarise", "orchard.md", "--json")
        assert (alone.code, alone.err) == (0, "")
        assert {citation["document"] for citation in alone.json["citations"]} == {"orchard.md"}

        status, answer = served.ask("POST", "/api/v1/summarise", {"documents": ["orchard.md"]})
        assert (status, answer["answer"]) == (200, alone.json["answer"])
        status, lines = served.ask("POST", "/api/v1/summarise", {"stream": True})
        events = [json.loads(line) for line in lines.splitlines()]
        assert status == 200
        assert events[0] == {"event": "waiting", "stage": "read", "done": 0, "total": events[0]["total"]}
        assert events[0]["total"] > 0
        assert events[-1]["event"] == "answer"
        assert {event["event"] for event in events} == {"waiting", "found", "delta", "answer"}
        assert served.ask("POST", "/api/v1/summarise", {"documents": ["nowhere.pdf"]})[0] == 404
        assert served.ask("POST", "/api/v1/summarise", {"question": "?"})[0] == 400
