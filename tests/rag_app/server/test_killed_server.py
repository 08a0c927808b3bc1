"""The server is killed in the middle of an answer: what was written is there after the next start."""

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.commands import Command
from tests.helpers.dictated_model import dictated
from tests.helpers.processes import fork_server
from tests.helpers.served_library import Served, serving

pytestmark = pytest.mark.slow

APPLE = "When was the Bramley apple tree planted?"
WRITTEN = "The Bramley apple tree was planted in 1921 [1]. Nobody knows why it was planted there."


def turns_of(served: Served) -> list[dict[str, Any]]:
    _, listed = served.ask("GET", "/api/v1/conversations")
    return [
        turn
        for one in listed["conversations"]
        for turn in served.ask("GET", f"/api/v1/conversations/{one['conversation_id']}")[1]["turns"]
    ]


def has_written(served: Served, words: str) -> bool:
    return any(turn["partial"] and words in turn["partial"]["answer"] for turn in turns_of(served))


def test_kill_leaves_what_was_written_as_interrupted(
    own: Path, run: Command, eventually: Callable[[Callable[[], bool]], bool]
) -> None:
    with dictated() as model:
        variables = {"RAG_APP_LLM": model.llm, "RAG_APP_ANSWER_THRESHOLD": "0"}
        first = serving(own, **variables)
        served = first.__enter__()
        with served.client() as client:
            asked = {"question": APPLE, "conversation": "new", "stream": True}
            with client.stream("POST", "/api/v1/ask", json=asked) as answer:
                events = answer.iter_lines()
                model.write(WRITTEN)
                while json.loads(next(events))["event"] != "delta":
                    pass
                # About once a second it is stored; a sign of life from the model is enough for that.
                assert eventually(lambda: has_written(served, "Nobody knows"))
                (turn,) = turns_of(served)
                assert (turn["state"], turn["answer"]) == ("asked", None)
                os.kill(served.process.pid, signal.SIGKILL)
                assert served.process.wait(60) == -signal.SIGKILL
        with pytest.raises(AssertionError):  # it did not end well
            first.__exit__(None, None, None)
        model.end()
        with serving(own, **variables) as served:
            (turn,) = turns_of(served)
        assert (turn["state"], turn["answer"], turn["receipt_id"]) == ("interrupted", None, None)
        partial = turn["partial"]
        assert partial["answer"].startswith("The Bramley apple tree was planted in 1921")
        assert "Nobody knows" in partial["answer"]
        assert partial["llm"].startswith("dictated")
        assert partial["nearest"][0]["document"] == "orchard.md"
    (line,) = (one for one in run("--data-dir", own, "conversations").out.splitlines() if "Bramley" in one)
    shown = run("--data-dir", own, "conversations", "show", line.split()[0]).out
    assert "Nobody knows" in shown
    assert "interrupted" in shown
    exported = run("--data-dir", own, "conversations", "export", line.split()[0]).out
    assert "Nobody knows" in exported
    assert "*interrupted*" in exported


def test_a_client_that_leaves_stops_its_answer_and_what_was_written_is_kept(
    own: Path, eventually: Callable[[Callable[[], bool]], bool]
) -> None:
    with (
        dictated() as model,
        serving(own, RAG_APP_LLM=model.llm, RAG_APP_ANSWER_THRESHOLD="0") as served,
        served.client() as client,
    ):
        asked = {"question": APPLE, "conversation": "new", "stream": True}
        with client.stream("POST", "/api/v1/ask", json=asked) as answer:
            events = answer.iter_lines()
            model.write(WRITTEN)
            while json.loads(next(events))["event"] != "delta":
                pass
        assert eventually(lambda: [turn["state"] for turn in turns_of(served)] == ["stopped"])
        (turn,) = turns_of(served)
        assert turn["partial"]["answer"].startswith("The Bramley apple tree was planted in 1921")
        assert turn["partial"]["citations"]
        model.end()


def test_the_end_of_the_server_keeps_what_was_written(own: Path, run: Command) -> None:
    with dictated() as model:
        settings = {**os.environ, "RAG_APP_LLM": model.llm, "RAG_APP_ANSWER_THRESHOLD": "0"}
        with fork_server().start([own], code=_ASKS_AND_ENDS, env=settings) as process:
            model.write(WRITTEN)
            assert process.wait(120) == 0
        model.end()
    listed = run("--data-dir", own, "conversations", "--json").json["conversations"]
    shown = run("--data-dir", own, "conversations", "show", listed[0]["conversation_id"], "--json").json
    (turn,) = shown["turns"]
    assert turn["state"] == "stopped"
    assert "planted in 1921" in turn["partial"]["answer"]


# What the page does, and then what the server does at its end.
_ASKS_AND_ENDS = """
import sys
from dataclasses import replace
from pathlib import Path
from rag_app.config.settings import load_settings
from rag_app.service.composition import Assistant
with Assistant.open(load_settings(data_dir=Path(sys.argv[1]))) as assistant:
    options = replace(assistant.options(), conversation=assistant.conversations.create().id)
    answer = assistant.answers.start("When was the Bramley apple tree planted?", options)
    while not any("1921" in getattr(one, "text", "") for one in answer.state().events):
        answer.wait(answer.state().version, 1.0)
"""
